"""Waits of jobs and pods along stories told by hand: each second has the name the story gives it."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sim.model.log import PodEnd, Reason, RefusalKind, TaskEnd
from sim.report.intervals import lives
from sim.report.starts import STEPS, Wait, start_steps
from sim.report.waits import job_waits
from tests.unit.report.worlds import RandomWorld, World, a_class

EDGES = "default/edges"
WORKER = a_class("edges", 1000, 1000)
S = 1_000_000


def story(world: World, job: int = 0) -> list[tuple[str, float, float]]:
    """Return name, start and end of a job's waits; neighbours of one name are one."""
    log = world.log()
    waits = job_waits(log, lives(log))
    told: list[tuple[str, float, float]] = []
    for row in np.flatnonzero(waits.job == job):
        name = Wait(waits.wait[row]).name.lower()
        start, end = waits.from_us[row] / S, waits.to_us[row] / S
        if told and told[-1][0] == name:
            assert told[-1][2] == start
            told[-1] = (name, told[-1][1], end)
        else:
            told.append((name, start, end))
    return told


def tell(*steps: tuple[str, float]) -> list[tuple[str, float, float]]:
    """Return a story from names and ends; the first step begins at 0."""
    ends = [0.0, *(end for _, end in steps)]
    return [(name, start, end) for (name, end), start in zip(steps, ends, strict=False)]


def test_first_job_on_an_autoscaled_group() -> None:
    """Two cold starts in series (pachyderm.md §2.4): the first worker, then the second for the tail."""
    world = World(horizon_s=1000)
    world.add("scale_ups", 10, 1, 0, 1, 1)
    world.add("scale_ups", 140, 14, 0, 1, 2)
    first = world.node(requested=10, launched=15, ready=65)
    second = world.node(requested=140, launched=150, ready=200)
    w = world.pod(WORKER, EDGES, 1, first, bound=66, running=102, unschedulable=1.5, pulled=100)
    v = world.pod(WORKER, EDGES, 131, second, bound=201, running=240, unschedulable=131, pulled=238)
    job = world.job(
        EDGES, 0, inputs_ready=0, admitted=102, started=102, parallel_planned=103,
        parallel_done=300, parallel_collected=301, base_finished=301, serial_planned=302, serial_done=303,
        serial_collected=304, finishing=304, success=306,
    )  # fmt: skip
    world.add("masters", 102, 0, w)
    a, b, c = (world.task(job, 103) for _ in range(3))
    world.claim(a, w, 103, 290)
    world.claim(b, v, 240, 270)
    world.claim(c, v, 270, 300)
    world.claim(world.task(job, 302, phase=1), w, 302, 303)
    assert story(world) == tell(
        ("controller_step", 1), ("scheduling", 1.5), ("autoscaler_scan", 10), ("node_provisioning", 65),
        ("scheduling", 66), ("image_pull", 100), ("container_start", 102), ("preprocessing", 103),
        ("controller_step", 131), ("autoscaler_scan", 140), ("node_provisioning", 200), ("scheduling", 201),
        ("image_pull", 238), ("container_start", 240), ("processing", 300), ("task_overhead", 301),
        ("preprocessing", 302), ("serial_phase", 303), ("task_overhead", 304), ("compaction", 306),
    )  # fmt: skip


def test_fargate_worker_waits_for_quota_launch_and_pull() -> None:
    world = World(horizon_s=1000)
    w = world.fargate_pod(WORKER, EDGES, 1, granted=4, ready=50, pulled=80, running=83)
    world.job(EDGES, 0, inputs_ready=0, admitted=83, started=83, failure=90)
    world.add("masters", 83, 0, w)
    assert story(world) == tell(
        ("controller_step", 1), ("fargate_quota", 4), ("fargate_start", 50), ("image_pull", 80),
        ("container_start", 83), ("preprocessing", 90),
    )  # fmt: skip


def a_phase(world: World, planned: float, done: float) -> int:
    """Add a job that is admitted at once and whose parallel phase is what matters."""
    return world.job(
        EDGES, 0, inputs_ready=0, admitted=0, started=0, parallel_planned=planned,
        parallel_done=done, parallel_collected=done, failure=done,
    )  # fmt: skip


def test_a_worker_busy_with_another_job_is_a_queue() -> None:
    world = World()
    node = world.node(ready=0)
    w = world.pod(WORKER, EDGES, 0, node, bound=0, running=0)
    world.add("masters", 0, 0, w)
    job, other = a_phase(world, 5, 50), a_phase(world, 1, 30)
    theirs, mine = world.task(other, 1), [world.task(job, 5) for _ in range(2)]
    world.claim(theirs, w, 1, 20)
    world.claim(mine[0], w, 20, 40)
    world.claim(mine[1], w, 40, 50)
    assert story(world, job) == tell(("preprocessing", 5), ("queue_for_workers", 20), ("processing", 50))


def test_a_lost_worker_costs_its_work_the_lease_and_the_queue() -> None:
    world = World()
    node = world.node(ready=0)
    w, v = (world.pod(WORKER, EDGES, 0, node, 0, 0, ended, PodEnd.SPOT_INTERRUPTED) for ended in (30, None))
    world.add("masters", 0, 0, v)
    job = a_phase(world, 5, 100)
    mine = [world.task(job, 5) for _ in range(3)]
    world.claim(mine[0], w, 5, 10)
    world.claim(mine[1], w, 10, 30, TaskEnd.WORKER_LOST)
    world.claim(mine[2], v, 5, 60)
    world.add("task_requeues", 55, mine[1])
    world.claim(mine[1], v, 60, 100)
    assert story(world, job) == tell(
        ("preprocessing", 5), ("processing", 10), ("lost_work", 30), ("retry", 55), ("queue_for_workers", 60),
        ("processing", 100),
    )  # fmt: skip


def test_a_pod_that_replaces_a_lost_one_is_followed_through_it() -> None:
    world = World()
    node = world.node(ready=0)
    w = world.pod(WORKER, EDGES, 0, node, 0, 0, 30, PodEnd.DRAINED)
    v = world.pod(WORKER, EDGES, 30, node, 31, 35, replaces=w)
    world.add("masters", 0, 0, w)
    job = a_phase(world, 5, 70)
    mine = [world.task(job, 5) for _ in range(2)]
    world.claim(mine[0], w, 5, 30, TaskEnd.WORKER_LOST)
    world.claim(mine[1], v, 35, 70)
    assert story(world, job) == tell(
        ("preprocessing", 5),
        ("lost_work", 30),
        ("scheduling", 31),
        ("container_start", 35),
        ("processing", 70),
    )


def test_a_pod_that_was_lost_before_it_ran_is_followed_through_its_start() -> None:
    world = World()
    node = world.node(ready=0)
    w = world.pod(WORKER, EDGES, 0, node, 0, 0)
    world.add("masters", 0, 0, w)
    x = world.pod(WORKER, EDGES, 6, node, 10, None, 20, PodEnd.DRAINED, pulled=12)
    y = world.pod(WORKER, EDGES, 20, node, 22, 25, replaces=x)
    job = a_phase(world, 5, 70)
    world.claim(world.task(job, 5), y, 25, 70)
    assert story(world, job) == tell(
        ("preprocessing", 5),
        ("controller_step", 6),
        ("scheduling", 10),
        ("image_pull", 12),
        ("container_start", 20),
        ("scheduling", 22),
        ("container_start", 25),
        ("processing", 70),
    )


def test_a_lost_master_costs_the_lock_and_the_planning() -> None:
    world = World()
    node = world.node(ready=0)
    w, v = (world.pod(WORKER, EDGES, 0, node, 0, 0, ended, PodEnd.DRAINED) for ended in (40, None))
    world.add("masters", 0, 0, w)
    world.add("masters", 55, 0, v)
    job = world.job(EDGES, 0, inputs_ready=0, admitted=0, started=0, parallel_planned=5, restarted=40)
    for state, at_s in (("admitted", 55), ("started", 55), ("parallel_planned", 57), ("parallel_done", 90)):
        world.state(job, state, at_s)
    world.state(job, "killed", 90)
    mine = [world.task(job, 5) for _ in range(3)]
    world.claim(mine[0], w, 5, 20)
    world.claim(mine[1], w, 20, 40, TaskEnd.WORKER_LOST)
    world.claim(mine[2], v, 5, 60, TaskEnd.SUPERSEDED)
    world.add("task_requeues", 57, mine[1])
    world.add("task_requeues", 57, mine[2])
    world.claim(mine[1], v, 60, 75)
    world.claim(mine[2], v, 75, 90)
    assert story(world, job) == tell(
        ("preprocessing", 5), ("processing", 20), ("lost_work", 40), ("master_lock", 55),
        ("preprocessing", 57),
        ("queue_for_workers", 60), ("processing", 90),
    )  # fmt: skip


def test_a_container_killed_for_memory_waits_for_its_back_off() -> None:
    world = World()
    node = world.node(ready=0)
    w = world.pod(WORKER, EDGES, 0, node, bound=0, running=0)
    world.add("masters", 0, 0, w)
    job = a_phase(world, 5, 100)
    mine = world.task(job, 5)
    world.claim(mine, w, 5, 20, TaskEnd.OOM_KILLED)
    world.add("task_requeues", 45, mine)
    world.claim(mine, w, 45, 100)
    assert story(world, job) == tell(
        ("preprocessing", 5), ("lost_work", 20), ("retry", 45), ("processing", 100)
    )


def test_a_downstream_job_waits_for_inputs_then_for_a_place() -> None:
    world = World()
    node = world.node(ready=0)
    w = world.pod(WORKER, EDGES, 0, node, bound=0, running=0)
    world.add("masters", 2, 0, w)
    job = world.job(EDGES, 0, inputs_ready=50, admitted=60, started=60, failure=60)
    early = world.job(EDGES, 0, admitted=2, inputs_ready=50, started=50, failure=51)
    assert story(world, job) == tell(("inputs", 50), ("admission", 60))
    assert story(world, early) == tell(("inputs", 50), ("preprocessing", 51))


def test_a_job_kept_waiting_by_others_waits_for_admission_under_each_master() -> None:
    """Master w holds the lock 10-40 s and is lost, v takes over when the lock lapses at 55."""
    world = World()
    node = world.node(ready=0)
    w = world.pod(WORKER, EDGES, 2, node, 2, 10, 40, PodEnd.SPOT_INTERRUPTED)
    v = world.pod(WORKER, EDGES, 41, node, 42, 50, replaces=w)
    world.add("masters", 10, 0, w)
    world.add("masters", 55, 0, v)
    job = world.job(EDGES, 0, inputs_ready=0, admitted=80, started=80, failure=80)
    assert story(world, job) == tell(
        ("controller_step", 2), ("container_start", 10), ("admission", 40), ("controller_step", 41),
        ("scheduling", 42), ("container_start", 50), ("master_lock", 55), ("admission", 80),
    )  # fmt: skip


def test_a_master_killed_for_memory_leaves_the_lock_to_lapse() -> None:
    world = World()
    w = world.pod(WORKER, EDGES, 0, world.node(ready=0), bound=0, running=0)
    world.add("masters", 0, 0, w)
    world.add("masters", 35, 0, w)
    other = a_phase(world, 1, 90)
    world.claim(world.task(other, 1), w, 5, 20, TaskEnd.OOM_KILLED)
    job = world.job(EDGES, 2, inputs_ready=2, admitted=50, started=50, failure=50)
    assert story(world, job) == [("admission", 2, 20), ("master_lock", 20, 35), ("admission", 35, 50)]


def pod_story(world: World) -> dict[str, float]:
    """Return the seconds of each wait of the last pod's start."""
    log = world.log()
    lived = lives(log)
    steps = np.diff(start_steps(log, lived, np.array([len(lived.pods) - 1]))[:, 0])
    told: dict[str, float] = {}
    for name, span_us in zip(STEPS, steps, strict=True):
        if span_us:
            told[name.name.lower()] = told.get(name.name.lower(), 0) + span_us / S
    return told


def test_a_pod_placed_at_once_only_starts() -> None:
    world = World()
    world.pod(WORKER, "plain", 5, world.node(ready=0), bound=5, pulled=8, running=9)
    assert pod_story(world) == {"image_pull": 3, "container_start": 1}


def test_a_pod_that_gets_the_room_another_left_queues_for_room() -> None:
    world = World()
    world.pod(WORKER, "plain", 5, world.node(ready=0), unschedulable=6, bound=30, running=31)
    assert pod_story(world) == {"scheduling": 1, "queue_for_room": 24, "container_start": 1}


def test_a_pod_that_takes_an_upcoming_node_waits_for_it_alone() -> None:
    world = World()
    node = world.node(requested=1, launched=5, ready=50)
    world.pod(WORKER, "plain", 20, node, unschedulable=21, bound=51, running=52)
    assert pod_story(world) == {"scheduling": 2, "node_provisioning": 29, "container_start": 1}


def test_a_pod_waits_for_its_nodes_gpus_not_for_the_scheduler() -> None:
    world = World()
    node = world.node(requested=1, launched=5, ready=50, gpu_ready=130)
    world.pod(WORKER, "plain", 20, node, unschedulable=21, bound=131, running=132)
    assert pod_story(world) == {"scheduling": 2, "node_provisioning": 109, "container_start": 1}


def test_a_pod_whose_group_is_at_its_maximum_queues_for_room_not_for_the_autoscaler() -> None:
    world = World()
    world.add("refusals", 10, 1, 0, RefusalKind.SCALE_UP, Reason.MaxLimitReachedReason)
    world.add("refusals", 200, 20, 0, RefusalKind.SCALE_UP, Reason.NoReason)
    world.add("scale_ups", 200, 20, 0, 1, 1)
    node = world.node(requested=200, ready=260)
    world.pod(WORKER, "plain", 5, node, unschedulable=6, bound=260, running=261)
    assert pod_story(world) == {
        "scheduling": 1, "autoscaler_scan": 4, "queue_for_room": 190, "node_provisioning": 60,
        "container_start": 1,
    }  # fmt: skip


def test_a_pod_whose_node_was_asked_for_at_a_later_look_queues_for_room_in_between() -> None:
    world = World()
    world.add("scale_ups", 10, 1, 0, 1, 1)
    world.add("scale_ups", 40, 4, 0, 1, 2)
    world.node(requested=10, ready=60)
    node = world.node(requested=40, ready=90)
    world.pod(WORKER, "plain", 5, node, unschedulable=5, bound=90, running=91)
    assert pod_story(world) == {
        "autoscaler_scan": 5, "queue_for_room": 30, "node_provisioning": 50, "container_start": 1,
    }  # fmt: skip


@given(st.integers(0, 2**32))
def test_waits_of_a_pod_sum_to_its_time_to_running(seed: int) -> None:
    log = RandomWorld(seed).log()
    lived = lives(log)
    steps = start_steps(log, lived, np.arange(len(lived.pods)))
    assert (np.diff(steps, axis=0) >= 0).all()
    assert (steps[0] == lived.pods.created_us).all()
    assert (steps[-1] == lived.pods.running_us).all()


@given(st.integers(0, 2**32))
def test_waits_of_a_job_touch_and_sum_to_its_latency(seed: int) -> None:
    log = RandomWorld(seed).log()
    lived = lives(log)
    waits = job_waits(log, lived)
    for job in np.flatnonzero(lived.jobs.state >= 0):
        mine = waits.job == job
        ends = waits.to_us[mine]
        assert (waits.from_us[mine][1:] == ends[:-1]).all()
        latency_us = lived.jobs.ended_us[job] - lived.jobs.created_us[job]
        assert (ends - waits.from_us[mine]).sum() == latency_us
        assert waits.total_us(len(lived.jobs))[job].sum() == latency_us
