"""What is lost when workers, masters and containers die, against pachyderm.md §4."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sim.engine.pachyderm.memory import Excess, MemoryRule
from sim.model.distributions import Constant, Empirical, Uniform
from sim.model.log import JobState, PodEnd, TaskEnd
from sim.model.pipelines import DatumSetSpec
from sim.model.resources import Resources
from sim.model.units import SECOND
from tests.unit.engine.rig import PROMPT, Run, a_load, a_repo, a_scenario, assemble, run, times

ONE_BY_ONE = {"datum_set_spec": DatumSetSpec(number=1)}


def ends(found: Run, outcome: TaskEnd) -> list[tuple[float, int, int]]:
    """Return (when, task, pod) of each task end of one kind."""
    rows = found.table("task_ends")
    return [(time_us / SECOND, task, pod) for time_us, task, pod, how in rows if how == outcome]


def claims(found: Run, task: int) -> list[tuple[float, int]]:
    return [(time_us / SECOND, pod) for time_us, of, pod in found.table("task_claims") if of == task]


def test_a_lost_workers_set_begins_again_after_20_to_30_seconds_of_silence() -> None:
    """Two workers, two sets of 100 s; the second worker is lost after 50 s."""
    options = replace(PROMPT, lease_silence_s=Uniform(20, 30))
    images = a_repo(commits=times(100), new_per_commit=Constant(2))
    load = a_load(parallelism=2, autoscaling=False, datum_s=Constant(100))
    rig = assemble(a_scenario([images], [load], options=options, cold_start_s=5))
    rig.at(150, lambda: rig.state.evict(rig.workers()[1], PodEnd.SPOT_INTERRUPTED))
    found = rig.run()
    assert ends(found, TaskEnd.WORKER_LOST) == [(150, 1, 1)]
    ((lapsed_us, task),) = found.table("task_requeues")
    assert task == 1
    assert 170 <= lapsed_us / SECOND <= 180
    # the replacement runs at 155 and is idle when the claim lapses: the whole set from the beginning
    assert claims(found, 1)[1] == (lapsed_us / SECOND, 2)
    assert found.when(JobState.PARALLEL_DONE) == lapsed_us / SECOND + 100
    assert [row[3] for row in found.table("pods")] == [-1, -1, 1]


def test_any_worker_may_claim_what_a_lost_one_left() -> None:
    """The replacement takes 200 s to start; the surviving worker claims when it is done with its own set."""
    images = a_repo(commits=times(300), new_per_commit=Constant(2))
    load = a_load(parallelism=2, autoscaling=False, datum_s=Constant(100))
    rig = assemble(a_scenario([images], [load], cold_start_s=200))
    rig.at(350, lambda: rig.state.evict(rig.workers()[1], PodEnd.NODE_GONE))
    found = rig.run()
    assert claims(found, 1) == [(300, 1), (400, 0)]
    assert found.when(JobState.PARALLEL_DONE) == 500


def test_a_lost_master_costs_15_seconds_and_the_sets_in_flight() -> None:
    """Three workers with sets of 40 s; the master is lost at 170, ten seconds into the second round."""
    images = a_repo(commits=times(120), new_per_commit=Constant(9))
    load = a_load(parallelism=3, autoscaling=False, datum_s=Constant(40), spec=ONE_BY_ONE)
    rig = assemble(a_scenario([images], [load], cold_start_s=5))
    rig.at(170, lambda: rig.state.evict(rig.workers()[0], PodEnd.DRAINED))
    found = rig.run()
    assert found.table("masters") == [(5 * SECOND, 0, 0), (185 * SECOND, 0, 1)]
    assert found.when(JobState.RESTARTED) == 170
    assert found.when(JobState.STARTED) == 185
    # three sets are done and stay done; the other six are issued again at 185
    assert len(ends(found, TaskEnd.DONE)) == 10
    assert [task for time_us, task in found.table("task_requeues")] == [3, 4, 5, 6, 7, 8]
    # copies on the two surviving workers run to their end at 200, into dead keys
    assert [when for when, *_ in ends(found, TaskEnd.SUPERSEDED)] == [200, 200]
    # the replacement works from 185; from 200 all three do: 185-225-265, 200-240-280 twice
    assert found.when(JobState.PARALLEL_DONE) == 280
    assert found.table("job_datums") == [(0, 9, 0, 0, 0, 9, -1)]


def test_if_the_only_worker_is_lost_everything_waits_for_its_replacement() -> None:
    images = a_repo(commits=times(100))
    rig = assemble(a_scenario([images], [a_load(datum_s=Constant(100))]))
    rig.at(200, lambda: rig.state.evict(rig.workers()[0], PodEnd.SPOT_INTERRUPTED))
    found = rig.run()
    assert found.when(JobState.STARTED) == 260
    assert found.when(JobState.SUCCESS) == 360
    assert found.replicas() == [(100, 1), (360, 0)]


def test_a_standbys_lock_delays_a_master_that_starts_within_15_seconds() -> None:
    images = a_repo(commits=times(100, 120))
    found = run(a_scenario([images], [a_load()], cold_start_s=2))
    assert found.replicas()[:3] == [(100, 1), (112, 0), (120, 1)]
    assert [row[0] / SECOND for row in found.table("masters")] == [102, 127]
    assert found.when(JobState.STARTED, 1) == 127


def test_pods_lost_before_they_run_are_replaced_too() -> None:
    rig = assemble(a_scenario([a_repo(commits=times(100))], [a_load()]))
    rig.at(130, lambda: rig.state.evict(rig.workers()[0], PodEnd.NODE_GONE))
    found = rig.run()
    assert found.when(JobState.STARTED) == 190


def out_of_memory(kubernetes: str, **fields: Any) -> Run:
    """One datum of 2,000 MiB in a set of two, one set per worker, in containers that may use 1,000 MiB."""
    images = a_repo(commits=times(100), new_per_commit=Constant(2))
    load = a_load(
        parallelism=1,
        autoscaling=False,
        datum_s=Constant(10),
        memory_peak_mib=Constant(2_000),
        spec={"datum_set_spec": DatumSetSpec(number=2), "job_timeout_us": 3_600 * SECOND},
        **fields,
    )
    node = Resources(cpu_m=1_000, memory_mib=1_500)
    return run(a_scenario([images], [load], node=node, cold_start_s=5, kubernetes_version=kubernetes))


def test_before_1_28_an_oom_kill_is_an_attempt() -> None:
    found = out_of_memory("1.27", memory_limit_mib=1_000)
    assert found.when(JobState.PARALLEL_DONE) == 100 + 2 * 3 * 10
    assert found.job()[-1][1] is JobState.FAILURE
    assert found.table("job_datums") == [(0, 2, 0, 0, 2, 2, -1)]


def test_from_1_28_on_the_container_restarts_and_the_set_is_retried_until_the_job_times_out() -> None:
    found = out_of_memory("1.28", memory_limit_mib=1_000)
    kills = [when for when, *_ in ends(found, TaskEnd.OOM_KILLED)]
    assert kills[0] == 110
    # it was the only worker and so the master: its lock is free after 15 s, the set issued again
    assert [row[0] / SECOND for row in found.table("masters")][:2] == [5, 125]
    # the container waits 0, 10, 20, 40 ... 300 s: killed at 135, back at 145, master at 150, and so on
    assert kills[:5] == [110, 135, 160, 190, 240]
    assert found.job()[-1] == (3_700, JobState.KILLED)
    assert found.table("job_datums")[0][4] == 0  # no failed datum


def test_without_a_limit_the_node_runs_out_and_the_pod_is_evicted() -> None:
    found = out_of_memory("1.33")
    evicted = [row for row in found.table("pod_ended") if row[2] == PodEnd.OOM_KILLED]
    assert [row[0] / SECOND for row in evicted[:2]] == [110, 135]  # 15 s of lock cover the 5 s of cold start
    assert found.job()[-1] == (3_700, JobState.KILLED)


def test_datums_that_fit_are_not_touched() -> None:
    """Peaks of 500 or 2,000 MiB: a set either dies, each time it is tried, or is done, once."""
    images = a_repo(commits=times(100), new_per_commit=Constant(20))
    load = a_load(
        parallelism=4,
        autoscaling=False,
        memory_peak_mib=Empirical((500.0, 500.0, 2_000.0)),
        memory_limit_mib=1_000,
        spec={"job_timeout_us": 3_000 * SECOND, **ONE_BY_ONE},
    )
    found = run(a_scenario([images], [load]))
    big = {task for _, task, _ in ends(found, TaskEnd.OOM_KILLED)}
    done = [task for _, task, _ in ends(found, TaskEnd.DONE)]
    assert done
    assert len(set(done)) == len(done)
    assert big.isdisjoint(done)
    assert max(len(claims(found, task)) for task in big) > 3


@pytest.mark.parametrize("pods", [0, 1])
def test_fargate_memory_counts_without_the_sidecar(pods: int) -> None:
    """The rig's Fargate gives a pod its request of 1,024 MiB; the sidecar takes 256 of them."""
    rig = assemble(a_scenario([], [load := a_load(sidecar_memory_mib=256, autoscaling=False)]))
    rig.clock.run_until(1)
    pod = rig.workers()[pods]
    rule = MemoryRule(load, lambda cls: cls.memory_mib, container_killed=True)
    assert pod.node is not None
    assert rule.limit_mib(pod) == pod.node.free_memory_mib + 1_024 - 256
    assert rule.excess(pod) is Excess.EVICTION
    pod.node = None
    assert rule.limit_mib(pod) == 768
    assert rule.excess(pod) is Excess.CONTAINER


@pytest.mark.parametrize(("limit_mib", "usable_mib"), [(500, 500), (8_192, 768)])
def test_a_limit_gives_a_fargate_pod_no_more_than_its_size(limit_mib: int, usable_mib: int) -> None:
    """aws.md §1.2: usable is the size less 256 MiB, never more; the sidecar takes 256 of the 1,024 left."""
    load = a_load(sidecar_memory_mib=256, autoscaling=False, memory_limit_mib=limit_mib)
    rig = assemble(a_scenario([], [load]))
    rig.clock.run_until(1)
    pod = rig.workers()[0]
    pod.node = None
    rule = MemoryRule(load, lambda cls: cls.memory_mib, container_killed=True)
    assert rule.limit_mib(pod) == usable_mib
