"""What is simulated is what is exported: all shipped scenarios, all of upstream's specs, there and back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sim.adapters.pachyderm.spec import read_spec
from sim.adapters.pachyderm.write import without_nulls
from sim.documents.fields import root
from sim.documents.yaml_read import read_file
from sim.draft import init
from sim.loader import load
from tests.conftest import PROJECT, SHARED, needs_shared, of_shared
from tests.unit.deploy.plans import contents, held, planned, put

SCENARIOS = sorted((PROJECT / "scenarios").glob("*.yaml"))
SPECS = sorted((SHARED / "data" / "pipeline-specs").glob("*.pipeline.json")) + sorted(
    (SHARED / "data" / "pipeline-specs").glob("*.yaml")
)
SHORT = ("horizon=8h", "warmup=0s")


@needs_shared
@pytest.mark.parametrize("file", SCENARIOS, ids=lambda file: file.stem)
def test_shipped_scenarios(file: Path, tmp_path: Path, shared: Path) -> None:
    files = held(load(file, SHORT), tmp_path, shared / "schemas", simulated=True)
    assert not any(name.startswith("before/") for name in files)
    assert "changes.diff" not in files
    came_in = (file.parent / "clusters" / file.name).read_bytes() if "montage" not in file.stem else None
    assert came_in in {None, files["cluster.yaml"]}


@needs_shared
@pytest.mark.parametrize("file", of_shared(SPECS), ids=lambda file: file.name.partition(".")[0])
def test_specs_of_upstreams_repository(file: Path, tmp_path: Path, shared: Path) -> None:
    init(file, tmp_path / "drafted.yaml")
    scenario = load(tmp_path / "drafted.yaml", ("horizon=2h", "warmup=0s"))
    files = held(scenario, tmp_path / "out", shared / "schemas", simulated=True)
    documents = read_file(file)
    exported = {name: json.loads(text) for name, text in files.items() if name.startswith("pipelines/")}
    assert len(exported) == len(documents)
    for document in documents:
        came_in = document.value
        name = came_in["pipeline"]["name"]
        out = exported[f"pipelines/{name}.json"]
        assert out == without_nulls(read_spec(root(document)).canonical)
        assert _plain(out) == _plain(came_in)
        assert list(map(_key, out)) == list(map(_key, came_in))


def _plain(value: Any) -> Any:
    """Return a spec with one spelling of keys, numbers as texts, and nothing that says nothing."""
    if isinstance(value, dict):
        return {_key(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return f"{value:g}" if isinstance(value, int | float) and not isinstance(value, bool) else value


def _key(key: str) -> str:
    return key.replace("_", "").casefold()


def test_a_second_plan_made_of_the_first_still_knows_what_came_in(tmp_path: Path) -> None:
    sets = ["cluster.eksctl.managedNodeGroups[workers].maxSize=5", "pipelines[edges].autoscaling=false"]
    first = planned(load(PROJECT / "scenarios" / "edges-autoscaled.yaml", sets))
    assert {name for name in first if name.startswith("before/")} == {
        "before/cluster.yaml",
        "before/pipelines/edges.json",
    }
    put(tmp_path / "first", {**first, "prediction.json": "{}"})
    second = planned(load(tmp_path / "first" / "scenario.yaml", ["pipelines[edges].datumTries=5"]))
    assert second["before/cluster.yaml"] == first["before/cluster.yaml"]
    assert second["before/pipelines/edges.json"] == first["before/pipelines/edges.json"]
    assert '-  "autoscaling": true' in second["changes.diff"]
    assert '+  "datumTries": 5' in second["changes.diff"]
    assert contents(tmp_path / "first")["cluster.yaml"].decode() == second["cluster.yaml"]
