"""Rare events by formula: what is expected, what was missed, and which counts need no replications."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

from sim.model.scenario import Scenario
from sim.model.study import Constraint
from sim.report.metrics import Tree
from sim.study.hazards import Event, Shown, doubts, known, shown, unseen
from tests.unit.loader.worlds import loaded
from tests.unit.study.test_luck import NIGHTLY, REPLAY, ROWS

DATUMS = 36.0
NONE = [Shown(datums={"p": DATUMS}, longest_wait_s=60.0)] * 20
KILLED = Constraint("tasks_oom_killed", 0.0)
SPOT = ("cluster.eksctl.managedNodeGroups[w].spot=true", "cluster.groups.w.interruptions_per_hour=0.002")


def nightly(folder: Path, *sets: str) -> Scenario:
    return loaded(folder, NIGHTLY, *sets)


def test_datums_above_their_limit_are_expected_by_formula_until_one_is_seen(tmp_path: Path) -> None:
    """One in 2049 of 36 datums: 0.0176 a replication, 0.35 in twenty, which luck alone misses in 70 %."""
    scenario = nightly(tmp_path)
    mean = DATUMS / 2049
    assert unseen(scenario, NONE) == pytest.approx(
        {Event.INTERRUPTION: 0.0, Event.MEMORY: mean, Event.FAILURE: 0.0}
    )
    (doubt,) = doubts(scenario, NONE)
    assert doubt.event is Event.MEMORY
    assert doubt.chance == pytest.approx(math.exp(-20 * mean))
    assert "0.018 times a replication" in doubt.sentence()
    assert "none of 20" in doubt.sentence()
    assert not any(unseen(scenario, [*NONE, replace(NONE[0], killed=2.0)]).values())
    assert not doubts(scenario, NONE * 20), "7.0 expected and none seen: one in a thousand times"


def test_datums_that_fail_all_their_tries(tmp_path: Path) -> None:
    """0.1 of the attempts: with three tries 0.001 of the datums, 0.036 of 36."""
    scenario = nightly(tmp_path, "pipelines[p].failure=0.1", "pipelines[p].memory_peak={constant: 1Gi}")
    assert unseen(scenario, NONE)[Event.FAILURE] == pytest.approx(0.036)
    assert not any(unseen(scenario, [replace(NONE[0], datums_failed=1.0)]).values())
    one_try = nightly(tmp_path, "pipelines[p].failure=0.001", "pipelines[p].datumTries=1")
    assert unseen(one_try, NONE)[Event.FAILURE] == pytest.approx(0.036)


def test_spot_nodes_are_interrupted_by_their_hours(tmp_path: Path) -> None:
    """0.002 an hour: of three node hours a replication 0.006, and no more than the group can have."""
    scenario = loaded(tmp_path, REPLAY, *SPOT, rows_csv=ROWS)
    few, many = Shown(node_hours=3.0), Shown(node_hours=1e6)
    assert unseen(scenario, [few])[Event.INTERRUPTION] == pytest.approx(0.006)
    assert unseen(scenario, [many])[Event.INTERRUPTION] == pytest.approx(0.002 * 3 * 12)
    assert not any(unseen(scenario, [few, replace(few, pods_lost=1.0)]).values())
    bought = loaded(tmp_path, REPLAY, SPOT[0].replace("true", "false"), rows_csv=ROWS)
    assert not any(unseen(bought, [many]).values())


def test_one_datum_in_a_hundred_replications_is_nobody_s_plan(tmp_path: Path) -> None:
    peak = "pipelines[p].memory_peak={lognormal: {median: 1Gi, sigma: 0.25}}"  # 3 Gi: 4.39 sigma, 5.5e-6
    scenario = nightly(tmp_path, peak)
    assert not any(unseen(scenario, [Shown(datums={"p": 1_700.0})]).values())
    assert unseen(scenario, [Shown(datums={"p": 1_900.0})])[Event.MEMORY] == pytest.approx(0.0105, rel=0.02)


@pytest.mark.parametrize(
    ("datums", "probability", "answer"),
    [
        pytest.param([36.0, 36.0], None, 0.0, id="(2048/2049)^36 = 0.9826: not in 99 of 100"),
        pytest.param([20.0, 20.5], None, 1.0, id="(2048/2049)^20.5 = 0.99004: in 99 of 100"),
        pytest.param([20.0, 21.0], None, math.nan, id="now so, now so"),
        pytest.param([36.0, 36.0], 0.98, 1.0, id="in 98 of 100"),
        pytest.param([36.0, math.nan], None, math.nan, id="not all known"),
        pytest.param([], None, math.nan, id="nothing simulated"),
    ],
)
def test_how_many_spans_have_no_kill_is_known_by_formula(
    tmp_path: Path, datums: list[float], probability: float | None, answer: float
) -> None:
    """Until now it took 299 clean replications, or so many that the kills showed."""
    constraint = replace(KILLED, probability=probability)
    replications = [Shown(datums={"p": n}) for n in datums]
    assert known(nightly(tmp_path), constraint, replications) == pytest.approx(answer, nan_ok=True)


@pytest.mark.parametrize(
    ("constraint", "sets"),
    [
        pytest.param(Constraint("tasks_oom_killed", 1.0), (), id="a limit above 0"),
        pytest.param(Constraint("tasks_oom_killed", 0.0, at_least=True), (), id="at least"),
        pytest.param(Constraint("pods_oom_killed", 0.0), (), id="which pods are evicted has no formula"),
        pytest.param(
            KILLED, ("pachyderm.oom_kills_container=false",), id="the datum fails, its container lives"
        ),
        pytest.param(Constraint("pods_lost", 0.0), (), id="a count that much can move"),
    ],
)
def test_what_has_no_formula_is_left_to_the_replications(
    tmp_path: Path, constraint: Constraint, sets: tuple[str, ...]
) -> None:
    assert math.isnan(known(nightly(tmp_path, *sets), constraint, NONE))


def test_what_cannot_happen_is_known(tmp_path: Path) -> None:
    more = "pipelines[p].resourceLimits.memory=6Gi"
    assert known(nightly(tmp_path, more), KILLED, NONE) == 1.0
    stuck = Constraint("pods_stuck", 0.0)
    replayed = loaded(tmp_path, REPLAY, rows_csv=ROWS)
    assert known(replayed, stuck, NONE) == 1.0
    assert math.isnan(known(replayed, stuck, [replace(NONE[0], longest_wait_s=1000.0)]))
    assert math.isnan(known(loaded(tmp_path, REPLAY, *SPOT, rows_csv=ROWS), stuck, NONE))


def test_results_of_earlier_versions_show_less() -> None:
    found = shown({"metrics": {"node_hours": 2.0, "tasks_oom_killed": 1.0, "pods_oom_killed": 2.0}})
    assert (found.node_hours, found.killed, found.datums_failed) == (2.0, 3.0, 0.0)
    assert math.isnan(found.longest_wait_s)
    tree: Tree = {"pipelines": {"p": {"datums_processed": 5.0}}, "longest": {"wait_s": 7.0}}
    assert (shown(tree).datums, shown(tree).longest_wait_s) == ({"p": 5.0}, 7.0)
