"""Where an Auto Scaling group launches next: tables worked by the rules of its user guide (aws.md §6)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.decisions.aws.allocation import SpotPool, SpotStrategy, pool_of_next, pools_taken
from sim.model.cluster import NodeGroup, NodeShape
from sim.model.resources import Resources

POOLS = [
    SpotPool("m5.4xlarge", 0.30, 0.25),
    SpotPool("m5.xlarge", 0.09, 0.075),
    SpotPool("m4.xlarge", 0.08, 0.25),
    SpotPool("m5a.xlarge", 0.07, 0.075),
]


def a_group(*shapes: tuple[str, bool], **more: object) -> NodeGroup:
    """Return a group with shapes given as zone, and Spot or not."""
    room = Resources(4_000, 16_384)
    made = tuple(NodeShape(room, room, 58, zone=zone, spot=spot) for zone, spot in shapes)
    return NodeGroup("g", made, 0, 100, **more)  # type: ignore[arg-type]  # fields by name


def launches(group: NodeGroup, count: int) -> list[int]:
    """Return how many of each shape there are once ``count`` were launched."""
    standing = [0] * len(group.shapes)
    for _ in range(count):
        standing[pool_of_next(group, standing)] += 1
    return standing


@pytest.mark.parametrize(
    ("strategy", "taken"),
    [
        (SpotStrategy.LOWEST_PRICE, ["m5a.xlarge", "m4.xlarge"]),
        (SpotStrategy.DIVERSIFIED, ["m5.4xlarge", "m5.xlarge", "m4.xlarge", "m5a.xlarge"]),
        (SpotStrategy.CAPACITY_OPTIMIZED, ["m5.xlarge"]),
        (SpotStrategy.CAPACITY_OPTIMIZED_PRIORITIZED, ["m5.xlarge"]),
        (SpotStrategy.PRICE_CAPACITY_OPTIMIZED, ["m5a.xlarge"]),
    ],
)
def test_pools_of_a_strategy(strategy: SpotStrategy, taken: list[str]) -> None:
    assert [pool.instance_type for pool in pools_taken(POOLS, strategy)] == taken


def test_zones_are_kept_even_and_equal_ones_go_in_order() -> None:
    group = a_group(("a", False), ("b", False), ("c", False))
    assert [launches(group, count) for count in (1, 2, 3, 7)] == [[1, 0, 0], [1, 1, 0], [1, 1, 1], [3, 2, 2]]
    assert pool_of_next(group, [2, 1, 2]) == 1
    assert launches(a_group(("a", False), ("b", False), zone_order=("b", "a")), 1) == [0, 1]


@pytest.mark.parametrize(
    ("base", "share", "on_demand"),
    [
        pytest.param(0, 0.5, [1, 1, 2, 2, 3], id="half, rounded up in favour of On-Demand"),
        pytest.param(2, 0.0, [1, 2, 2, 2, 2], id="a base, then Spot alone"),
        pytest.param(1, 0.25, [1, 2, 2, 2, 2], id="a base, and a quarter above it"),
    ],
)
def test_on_demand_base_and_percentage(base: int, share: float, on_demand: list[int]) -> None:
    group = a_group(("a", False), ("a", True), on_demand_base=base, on_demand_share=share)
    assert [launches(group, count)[0] for count in range(1, 6)] == on_demand


@given(st.lists(st.integers(0, 9), min_size=6, max_size=6))
def test_the_next_one_is_never_where_there_are_more(standing: list[int]) -> None:
    group = a_group(*((zone, True) for zone in "abc" for _ in range(2)))
    zones = [sum(standing[n : n + 2]) for n in (0, 2, 4)]
    chosen = pool_of_next(group, standing)
    assert zones[chosen // 2] == min(zones)
    assert standing[chosen] == min(standing[chosen // 2 * 2 : chosen // 2 * 2 + 2])
