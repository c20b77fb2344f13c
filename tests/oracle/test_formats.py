"""Verdicts of the real parsers: eksctl's and pachctl's own on each file of the banks (oracle/formats)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import PROJECT, needs_shared
from tests.oracle.formats import DELIBERATE, ENDING, judged

# How many files of a bank may be judged otherwise, all of them on the list.
MOST_APART = {"eksctl": 0.05, "pachctl": 0.08}


@needs_shared
@pytest.mark.parametrize("program", ["eksctl", "pachctl"])
def test_every_other_verdict_is_meant(program: str, shared: Path) -> None:
    cases = list(judged(shared / "oracle" / "formats" / f"{program}{ENDING}"))
    apart = [case for case in cases if not case.agrees]
    assert [f"{case.id} {case.reason}; {case.message}" for case in apart if not case.why] == []
    assert len(cases) > 500
    assert len(apart) <= MOST_APART[program] * len(cases)


@pytest.mark.parametrize("program", DELIBERATE)
def test_the_page_tells_why(program: str) -> None:
    page = " ".join((PROJECT / "docs" / "conformance.md").read_text(encoding="utf-8").split())
    assert [why for why in DELIBERATE[program].values() if why not in page] == []
