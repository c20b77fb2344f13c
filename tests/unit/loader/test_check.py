"""``sim.check``: what ``pachsim check`` prints, as values."""

from __future__ import annotations

from pathlib import Path

import sim
from tests.conftest import PROJECT
from tests.unit.loader.worlds import SCENARIO, loaded


def test_a_file_and_its_scenario_say_the_same() -> None:
    file = PROJECT / "scenarios" / "edges-fargate.yaml"
    sets = ["cluster.fargate.vcpu_quota=4"]
    checked = sim.check(file, sets)
    assert checked == sim.check(sim.load(file, sets))
    assert any("Fargate quota" in warning for warning in checked.warnings)
    assert "pachyderm.lease_silence" in {each.field for each in checked.assumptions}


def test_what_is_said_is_not_assumed(tmp_path: Path) -> None:
    field = "cluster.autoscaler.max-nodes-total"
    before, after = (sim.check(loaded(tmp_path, SCENARIO, *sets)) for sets in ((), (f"{field}=9",)))
    assert {each.field for each in before.assumptions} - {each.field for each in after.assumptions} == {field}
