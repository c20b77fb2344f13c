"""Spot pools: which nodes go together, and how often one goes (aws.md §6)."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from sim.model.cluster import NodeGroup
from sim.model.log import NodeState
from tests.unit.engine.scenes import Scene, a_group


def a_pool(nodes: int, per_hour: float, together: float, zones: str = "a") -> NodeGroup:
    """Return a group of Spot nodes, evenly in some zones, that come back a minute after they go."""
    sizes: dict[str, Any] = {"initial": nodes, "min_size": nodes, "max_size": nodes}
    group = a_group(spot=True, interruptions_per_hour=per_hour, reclaimed_together=together, **sizes)
    return replace(group, shapes=tuple(replace(group.shape, zone=zone) for zone in zones))


def notices(group: NodeGroup, hours: float, seed: int = 1) -> list[tuple[float, int]]:
    """Return when which node got its notice."""
    scene = Scene([group], [], until_s=3_600 * hours, seed=seed)
    return scene.nodes(NodeState.INTERRUPTION_NOTICE)


def test_a_pool_goes_at_once_and_other_pools_stay() -> None:
    """Eight nodes over two zones: a notice is for the four of one zone, and both have their turns."""
    group = a_pool(8, 1.0, 1.0, zones="ab")
    scene = Scene([group], [], until_s=3_600 * 6)
    shapes = scene.log["nodes"].column("shape").tolist()
    at_once: dict[float, Counter[int]] = {}
    for at, node in scene.nodes(NodeState.INTERRUPTION_NOTICE):
        at_once.setdefault(at, Counter())[shapes[node]] += 1
    assert {shape for counts in at_once.values() for shape in counts} == {0, 1}
    assert all(len(counts) == 1 and set(counts.values()) <= {1, 2, 3, 4} for counts in at_once.values())
    assert Counter(n for counts in at_once.values() for n in counts.values()).most_common(1)[0][0] == 4


def test_without_a_share_each_goes_by_itself() -> None:
    times = [at for at, _ in notices(a_pool(8, 1.0, 0.0), 6)]
    assert len(set(times)) == len(times) > 20


@pytest.mark.parametrize("together", [0.0, 0.5, 1.0])
def test_the_hazard_of_a_node_is_the_same(together: float) -> None:
    """0.5 an hour on 10 nodes over 400 h, each 3 min of every loss not there: 2,000 losses less a fortieth.

    Pool events at 0.5 x share an hour take ten each: 4 standard errors are 40 sqrt(200 x share) or so.
    """
    losses = len(notices(a_pool(10, 0.5, together), 400))
    error = 4 * (10 * 2_000 * together + 2_000 * (1 - together)) ** 0.5
    assert losses == pytest.approx(2_000 / (1 + 0.5 * 3 / 60), abs=error)
