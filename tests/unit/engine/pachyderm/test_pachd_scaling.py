"""Worker counts over time against pachyderm.md §2 and the worked table of §3.3."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from sim.model.distributions import Constant
from sim.model.log import JobState, PipelineState, PodEnd
from sim.model.pipelines import CronInput, Kind
from sim.model.resources import Resources
from sim.model.scenario import PachydermOptions
from sim.model.units import SECOND
from tests.unit.engine.rig import PROMPT, a_load, a_repo, a_scenario, run, times

STANDBY, RUNNING, CRASHING = PipelineState.STANDBY, PipelineState.RUNNING, PipelineState.CRASHING


def test_seed_spec_needs_two_cold_starts_in_series() -> None:
    """One worker at the commit; four more when the first has made tasks of 40 datums; none at the end."""
    images = a_repo(commits=times(101), new_per_commit=Constant(40))
    found = run(a_scenario([images], [a_load()], cold_start_s=61.5))
    # tasks at 162.5: after the echo at 161 of the first step, before the poller's visit at 164
    assert found.replicas() == [(101, 1), (164, 5), (305.5, 0)]
    assert found.states() == [(0, STANDBY), (101, RUNNING), (305.5, STANDBY)]
    assert found.when(JobState.STARTED) == 162.5
    started = [time_us / SECOND for time_us, _ in found.table("pod_running")]
    assert started == [162.5, 225.5, 225.5, 225.5, 225.5]
    # 20 sets of 20 s: the first worker begins seven, the others three each, one of them a fourth at 285.5
    assert found.when(JobState.SUCCESS) == 305.5
    assert {reason for *_, reason in found.table("pod_ended")} == {PodEnd.SCALED_DOWN}


@pytest.mark.parametrize(
    ("parallelism", "total", "new", "tasks", "target"),
    [
        (5, 3, 3, 3, 3),
        (5, 39, 39, 39, 5),
        (5, 40, 40, 20, 5),
        (5, 103, 103, 21, 5),
        (5, 1_000, 1_000, 20, 5),
        (5, 1_010, 10, 1, 1),
        (5, 1_010, 60, 2, 2),
        (1, 10, 10, 5, 1),
    ],
)
def test_tasks_and_target(parallelism: int, total: int, new: int, tasks: int, target: int) -> None:
    images = a_repo(files=total - new, commits=times(10), new_per_commit=Constant(new))
    found = run(
        a_scenario([images], [a_load(datum_s=Constant(100), parallelism=parallelism)], horizon_s=10**5)
    )
    assert len(found.tasks()) == tasks
    assert max(replicas for _, replicas in found.replicas()) == target
    assert found.when(JobState.SUCCESS) > 0


@pytest.mark.parametrize(("pipelines", "longest_s"), [(2, 4), (40, 30)])
def test_scale_check_period(pipelines: int, longest_s: float) -> None:
    """The wait from tasks to the second wave is at most min(30 s, 2 s x pipelines), and can be that long."""
    others = [a_load(f"p{index}", reads=f"r{index}", parallelism=1) for index in range(pipelines - 1)]
    commits = times(*(1_000.1 * n for n in range(1, 61)))
    images = a_repo(commits=commits, files=100, new_per_commit=Constant(50))
    load = a_load(datum_s=Constant(1))
    found = run(a_scenario([images], [load, *others], cold_start_s=61.7, horizon_s=70_000))
    waits = [
        wide_s - planned_s
        for job in range(60)
        for planned_s in [found.when(JobState.PARALLEL_PLANNED, job)]
        for wide_s, target in found.replicas()
        if target > 1 and 0 <= wide_s - planned_s < 100
    ]
    assert waits
    assert max(waits) <= longest_s
    assert max(waits) > longest_s / 3  # echoes of the poller's own visits fill in between


def test_one_task_stays_on_one_worker() -> None:
    found = run(a_scenario([a_repo(commits=times(0.5))], [a_load(datum_s=Constant(3_000))]))
    assert [target for _, target in found.replicas()] == [1, 0]


def test_standby_at_once_and_a_cold_start_for_each_job() -> None:
    commits = times(100, 1_000)
    found = run(a_scenario([a_repo(commits=commits)], [a_load()]))
    assert [s for s, target in found.replicas() if target == 0] == [170, 1_070]
    assert found.when(JobState.STARTED, 1) == 1_060


def test_kept_alive_by_a_ready_commit() -> None:
    """The second commit is there when the first job is over: no standby between, no second cold start."""
    load = a_load(parallelism=1, datum_s=Constant(20))
    found = run(a_scenario([a_repo(commits=times(100, 165))], [load]))
    assert found.when(JobState.FINISHING) == found.when(JobState.STARTED, 1) == 180
    assert found.states() == [(0, STANDBY), (100, RUNNING), (200, STANDBY)]
    assert found.replicas() == [(100, 1), (200, 0)]


def test_never_fewer_workers_while_running() -> None:
    """A second job of one task finds the five workers of the first, which stay until both are over."""
    images = a_repo(commits=times(100, 250), new_per_commit=Constant(40))
    found = run(a_scenario([images], [a_load()]))
    assert [target for _, target in found.replicas()] == [1, 5, 0]


def test_standby_comes_at_finishing_not_after_compaction() -> None:
    slow = replace(PROMPT, compaction_s=Constant(500), standby_s=Constant(1))
    found = run(a_scenario([a_repo(commits=times(100))], [a_load()], options=slow))
    assert found.when(JobState.FINISHING) == 170
    assert found.replicas()[-1] == (171, 0)
    assert found.when(JobState.SUCCESS) == 670


def test_default_delays_only_add_to_upstreams_timers() -> None:
    found = run(a_scenario([a_repo(commits=times(100))], [a_load()], options=PachydermOptions()))
    assert found.replicas()[0][0] == 100  # the poller's visit at 100 s comes before the row change of 100.2 s
    later = run(a_scenario([a_repo(commits=times(101))], [a_load()], options=PachydermOptions()))
    assert later.replicas()[0][0] == pytest.approx(101.2)


def test_non_autoscaling_pipelines_hold_their_workers_for_ever() -> None:
    found = run(a_scenario([a_repo(commits=times(1_000))], [a_load(autoscaling=False)]))
    assert found.replicas() == [(0, 5)]
    assert found.when(JobState.STARTED) == 1_000
    assert found.table("pod_ended") == []


def test_services_and_spouts_run_workers_and_no_jobs() -> None:
    spout = a_load("feed", autoscaling=False, parallelism=1)
    spout = replace(spout, pipeline=replace(spout.pipeline, kind=Kind.SPOUT, input=None))
    found = run(a_scenario([], [spout]))
    assert found.replicas() == [(0, 1)]
    assert found.table("jobs") == []


def test_unschedulable_pods_make_it_crashing_which_stops_nothing() -> None:
    """Two of five workers find room: the job runs on two, CRASHING, and ends in standby."""
    images = a_repo(commits=times(100), new_per_commit=Constant(40))
    small = Resources(cpu_m=2_000, memory_mib=10**6)
    found = run(a_scenario([images], [a_load()], node=small))
    assert found.states() == [(0, STANDBY), (100, RUNNING), (160, CRASHING), (400, STANDBY)]
    assert found.replicas() == [(100, 1), (160, 5), (400, 0)]
    assert found.when(JobState.SUCCESS) == 400  # 20 sets of 20 s: 3 alone until 220, 17 by two


def test_crashing_ends_at_the_monitors_next_look_when_all_run() -> None:
    """The only worker waits for room until 1,005 s; the monitor looks every 15 s from 100 s on."""
    images = a_repo(commits=times(100))
    hog = a_load("hog", reads="other", autoscaling=True, datum_s=Constant(935))
    scenario = a_scenario(
        [images, a_repo("other", commits=times(10))],
        [a_load(datum_s=Constant(500)), hog],
        node=Resources(cpu_m=1_000, memory_mib=10**6),
    )
    found = run(scenario)
    assert found.replicas(1)[-1] == (1_005, 0)
    # room at 1,005, running at 1,065: the next look after that is 100 + 65 x 15 s = 1,075
    assert found.states(0)[:4] == [(0, STANDBY), (100, RUNNING), (100, CRASHING), (1_075, RUNNING)]


def test_cron_ticks_are_commits() -> None:
    tick = CronInput("tick", "@every 1000s", overwrite=True)
    found = run(a_scenario([], [a_load(reads=tick, parallelism=1)], horizon_s=3_500))
    assert [time_us / SECOND for time_us, *_ in found.table("jobs")] == [1_000, 2_000, 3_000]
    assert [row[1:6] for row in found.table("job_datums")] == [(1, 0, 0, 0, 1)] * 3


def test_a_cron_input_ticks_from_its_own_start_on() -> None:
    """src/server/pps/server/monitor.go: the next tick is that after the latest, which is first the start."""
    late = CronInput("tick", "@every 1000s", overwrite=True, start="2026-01-05T00:08:20Z")
    past = CronInput("tick", "@every 1000s", overwrite=True, start="2026-01-01T00:00:00Z")
    for leaf, ticks in ((late, [1_500, 2_500]), (past, [400, 1_400, 2_400, 3_400])):
        found = run(a_scenario([], [a_load(reads=leaf, parallelism=1)], horizon_s=3_500))
        assert [time_us / SECOND for time_us, *_ in found.table("jobs")] == ticks


def test_a_cron_input_ticks_in_utc_whatever_the_scenarios_zone() -> None:
    """src/server/pps/server/monitor.go: a next tick is asked for in UTC, as timestamps and file names are."""
    nightly = CronInput("tick", "0 2 * * *", overwrite=True)
    scenario = a_scenario([], [a_load(reads=nightly, parallelism=1)], horizon_s=86_400)
    midnight = datetime(2026, 1, 5, tzinfo=ZoneInfo("America/New_York"))
    found = run(replace(scenario, start=midnight))
    assert [time_us / SECOND for time_us, *_ in found.table("jobs")] == [21 * 3_600]
