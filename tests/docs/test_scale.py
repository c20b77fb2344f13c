"""``docs/scale.md``: its table is what the stated speed makes of it, and its manifests can be read."""

from __future__ import annotations

import re
import textwrap

import pytest

from benchmarks.sizing import table
from sim.documents.fields import root
from sim.documents.yaml_read import read_text
from tests.conftest import PROJECT

TEXT = (PROJECT / "docs" / "scale.md").read_text(encoding="utf-8")
MANIFESTS = re.findall(r"^ *```yaml\n(.*?)^ *```", TEXT, flags=re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("text", MANIFESTS, ids=lambda text: text.split("kind: ")[1].split()[0])
def test_a_manifest_is_yaml_of_a_kind(text: str) -> None:
    for document in read_text(textwrap.dedent(text)):
        assert {"apiVersion", "kind", "metadata"} <= set(root(document).value)


def test_the_table_is_of_the_speed_that_is_stated() -> None:
    stated = re.search(r"`python -m benchmarks\.sizing ([\d.]+) ([\d.]+)`", TEXT)
    assert stated is not None
    per_core_s, coordinator_ms = map(float, stated.groups())
    assert table(per_core_s, coordinator_ms) in TEXT
    assert f"simulated {per_core_s:g} days" in TEXT
    assert f"{coordinator_ms:g} ms on each" in TEXT
