"""Whatever a scenario holds: exported it is valid, simulates the same, and exports to the same files again.

One in eight is simulated to compare the logs byte for byte; of the others all values are compared. ``make``
runs a few; the 500 of a release: ``PACHSIM_EXAMPLES=500 pytest tests/property/test_export_round_trip.py``.
"""

import json
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.adapters.eksctl.read import read_cluster_text
from sim.adapters.pachyderm.spec import read_specs_text
from sim.deploy.clusters import CLUSTER, NEW
from sim.deploy.sources import BEFORE
from sim.documents.yaml_read import read_text
from sim.loader import load
from tests.conftest import SHARED
from tests.property.plans import Written, plans
from tests.unit.deploy.plans import held, put

EXAMPLES = int(os.environ.get("PACHSIM_EXAMPLES", "15"))
SCHEMAS = SHARED / "schemas"


@settings(max_examples=EXAMPLES)
@given(plans(), st.integers(0, 7))
def test_there_and_back(tmp_path_factory: pytest.TempPathFactory, plan: Written, draw: int) -> None:
    folder = tmp_path_factory.mktemp("plan")
    put(folder / "in", {**plan.files, "scenario.yaml": plan.scenario})
    scenario = load(folder / "in" / "scenario.yaml", plan.sets)
    schemas = SCHEMAS if SCHEMAS.is_dir() else None
    files = held(scenario, folder / "out", schemas, simulated=draw == 0)
    if not plan.sets:
        assert not any(name.startswith(f"{BEFORE}/") for name in files) or "ca.yaml" in plan.files
        if came_in := plan.files.get("cluster.yaml"):
            assert files["cluster.yaml"].decode() == came_in
    for name in files:
        if name.startswith("pipelines/"):
            assert len(read_specs_text(files[name].decode(), name, older=False)) == 1
        elif name in (CLUSTER, NEW):
            assert read_cluster_text(files[name].decode(), name)
        if name.endswith(".yaml"):
            assert read_text(files[name].decode())
        elif name.endswith(".json"):
            json.loads(files[name])
