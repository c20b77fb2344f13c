"""Pods that sleep on while others take the room are scheduled as if each had tried: log for log."""

from __future__ import annotations

from unittest.mock import patch

import pytest

from benchmarks import worlds
from sim.engine.kubernetes.scheduling_queue import SchedulingQueue
from sim.engine.run import simulate
from sim.model.cluster import SchedulerKind


@pytest.mark.parametrize("seed", [1, 2])
def test_attempts_that_would_fail_are_left_out_without_a_trace(seed: int) -> None:
    """A hundred classes on a full cluster: many want the room of each pod that ends, one gets it."""
    world = worlds.pods(6_000, SchedulerKind.UPSTREAM)
    sparing = simulate(world, seed)
    with patch.object(SchedulingQueue, "let_hope", lambda *_: False):
        plain = simulate(world, seed)
    for name, table in plain.tables.items():
        assert sparing[name].rows().tolist() == table.rows().tolist(), name
