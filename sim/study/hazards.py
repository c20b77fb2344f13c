"""Hazards: rare events that a scenario names, and that replications may not have shown yet.

A Spot interruption once in sixty days is in none of twenty days three times out of four, and the next one
may break what held in all of them. So what was never seen, although the scenario says that it happens, counts
against being sure (`sim.study.choice.hazard`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sim.model.scenario import Scenario

NEGLIGIBLE = 1e-4  # events a replication; nobody plans for one in ten thousand


def unseen(scenario: Scenario, node_hours: Sequence[float], pods_lost: Sequence[float]) -> float:
    """Return the mean number of rare events a replication, 0 where one has been seen.

    ``node_hours`` and ``pods_lost`` are the metrics of each replication so far.
    """
    if any(lost > 0 for lost in pods_lost):
        return 0.0
    return interruptions(scenario, sum(node_hours) / max(len(node_hours), 1))


def interruptions(scenario: Scenario, node_hours: float) -> float:
    """Return the mean number of Spot interruptions a replication, 0 for less than anybody plans for.

    ``node_hours`` are those of all groups, of which a group that starts empty has at most all.
    """
    hours = (scenario.horizon_us - scenario.warmup_us) / 3.6e9
    events = 0.0
    for group in scenario.cluster.node_groups:
        standing = max(group.min_size, group.initial) * hours
        events += group.interruptions_per_hour * (standing or min(node_hours, group.max_size * hours))
    return events if events >= NEGLIGIBLE else 0.0
