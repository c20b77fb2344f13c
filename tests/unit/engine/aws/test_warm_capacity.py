"""Placeholder pods of priority -10 keep a node warm (cluster-autoscaler.md §3.8 and §5)."""

from __future__ import annotations

import pytest

from sim.model.cluster import SchedulerOptions
from sim.model.log import NodeState, PodEnd
from tests.unit.engine.scenes import FOR_EVER, Scene, a_class, a_group

WORKER = a_class("worker", cpu_m=3_000)
PLACEHOLDER = a_class("placeholder", cpu_m=3_000, priority=-10)
UPSTREAM = SchedulerOptions()


def test_a_placeholder_makes_way_and_buys_the_next_node() -> None:
    """The worker of 102.5 runs within 2 s; the placeholder is refused, seen at 110, and has a node at 170."""
    pods = [(0.0, PLACEHOLDER, FOR_EVER), (102.5, WORKER, FOR_EVER)]
    scene = Scene([a_group(initial=1, min_size=1)], pods, until_s=600, scheduler=UPSTREAM)
    assert scene.ends(PodEnd.PREEMPTED) == [(102.5, 0)]
    assert scene.bound()[1] == pytest.approx(102.5, abs=2)
    assert scene.scale_ups() == [(110, "nodes", 1)]
    assert scene.when(NodeState.READY) == [0, 170]
    assert scene.on() == {0: 0, 1: 0, 2: 1}


def test_without_one_the_worker_waits_for_a_node() -> None:
    pods = [(0.0, a_class("other", cpu_m=3_000), FOR_EVER), (102.5, WORKER, FOR_EVER)]
    scene = Scene([a_group(initial=1, min_size=1)], pods, until_s=600, scheduler=UPSTREAM)
    assert scene.bound()[1] == pytest.approx(170, abs=1)
