"""The drain: past the horizon until counted work is done, and not a step further than it has to be."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sim.engine.drain import LOOKS
from sim.engine.run import simulate
from sim.model.arrivals import PoissonArrivals, TimesArrivals
from sim.model.distributions import Constant
from sim.model.log import JobState
from sim.model.pipelines import Kind
from sim.model.scenario import PodLoad, Scenario
from sim.model.units import HOUR, MINUTE, SECOND
from tests.unit.engine.rig import a_load, a_repo, a_scenario

WINDOW = 10 * HOUR
STEP = -(-WINDOW // LOOKS)


def pods(*times_us: int, duration_s: float, name: str = "report") -> PodLoad:
    return PodLoad(name, TimesArrivals(times_us), a_load("any").pod_class, Constant(duration_s))


def a_night(*loads: PodLoad, **changes: object) -> Scenario:
    night = on_one_node(a_scenario((), (), horizon_s=WINDOW / SECOND))
    return replace(night, pods=loads, **changes)  # type: ignore[arg-type]  # fields of a Scenario


def on_one_node(scenario: Scenario) -> Scenario:
    cluster = replace(scenario.cluster, autoscaler=replace(scenario.cluster.autoscaler, enabled=False))
    return replace(scenario, cluster=cluster, drain_us=None)


def test_it_goes_on_until_the_last_counted_pod_is_done_and_what_comes_meanwhile_runs_as_ever() -> None:
    """A pod of 3 h comes an hour before the horizon, another at it: the first ends 2 h and a minute after."""
    log = simulate(a_night(pods(9 * HOUR, 10 * HOUR, duration_s=3 * 3600)), seed=1, checks=True)
    assert log["pod_ended"].column("time_us").tolist() == [12 * HOUR + MINUTE], "not the other's, at 13 h"
    assert 12 * HOUR + MINUTE < log.end_us <= 12 * HOUR + MINUTE + STEP
    assert len(log["pods"]) == 2


@pytest.mark.parametrize("drain_us", [None, 0])
def test_a_run_whose_counted_work_is_done_ends_at_the_horizon(drain_us: int | None) -> None:
    early, late = pods(HOUR, duration_s=60), pods(WINDOW, duration_s=60, name="next night")
    log = simulate(a_night(early, late, drain_us=drain_us), seed=1)
    assert log.end_us == log.horizon_us == WINDOW


def test_work_of_the_warm_up_is_not_waited_for() -> None:
    log = simulate(a_night(pods(HOUR, duration_s=15 * 3600), warmup_us=2 * HOUR), seed=1)
    assert log.end_us == WINDOW


@pytest.mark.parametrize(("drain_us", "end_us"), [(None, 2 * WINDOW), (HOUR, 11 * HOUR), (0, WINDOW)])
def test_it_ends_at_the_longest_where_work_does_not(drain_us: int | None, end_us: int) -> None:
    log = simulate(a_night(pods(HOUR, duration_s=10**6), drain_us=drain_us), seed=1)
    assert log.end_us == end_us
    assert not len(log["pod_ended"])


def test_the_longest_is_the_window_unless_said() -> None:
    log = simulate(a_night(pods(3 * HOUR, duration_s=10**6), warmup_us=2 * HOUR), seed=1)
    assert log.end_us == WINDOW + 8 * HOUR


def test_jobs_are_waited_for_under_the_same_arrivals() -> None:
    """At one job in 10 min that takes 15, the last of the window waits for all before it."""
    repo = a_repo(commits=PoissonArrivals(1 / 600))
    scenario = a_scenario((repo,), (a_load(datum_s=Constant(900), parallelism=1),), horizon_s=WINDOW / SECOND)
    log = simulate(on_one_node(scenario), seed=1, checks=True)
    created_us = log["jobs"].column("time_us")
    done = {row[1]: row[0] for row in log["job_states"].rows().tolist() if row[2] == JobState.SUCCESS}
    counted = [job for job, time_us in enumerate(created_us.tolist()) if time_us < WINDOW]
    last_us = max(done[job] for job in counted)
    assert WINDOW < last_us < log.end_us <= last_us + STEP
    assert len(created_us) > len(counted), "jobs go on coming"


def test_services_are_not_waited_for() -> None:
    service = a_load(autoscaling=False, spec={"kind": Kind.SERVICE})
    log = simulate(on_one_node(a_scenario((a_repo(),), (service,))), seed=1)
    assert len(log["pods"])
    assert log.end_us == log.horizon_us
