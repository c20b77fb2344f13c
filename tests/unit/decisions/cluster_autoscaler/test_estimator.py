"""Source: estimator/binpacking_estimator.go, estimator/binpacking_estimator_test.go (1.31.5)."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.decisions.cluster_autoscaler.chance import Chance
from sim.decisions.cluster_autoscaler.equivalence import PodGroup
from sim.decisions.cluster_autoscaler.estimator import (
    NO_NODES,
    decreasing_order,
    estimate,
    node_limit,
    round_robin,
)
from sim.decisions.cluster_autoscaler.snapshot import Pointer
from sim.decisions.cluster_autoscaler.snapshot_node import ClassView
from tests.unit.decisions.cluster_autoscaler.autoscaling import Classes, a_group, a_template

FEW = Classes()


def estimated(asked: list[tuple[int, int, int]], limit: int = 0, **group: Any) -> tuple[int, list[int]]:
    """Estimate (cpu_m, memory_mib, count) on nodes of a group."""
    spec = a_group(**group)
    classes = Classes(spec)
    groups = [PodGroup(classes.a_class(cpu_m, mib), count) for cpu_m, mib, count in asked]
    return estimate(groups, a_template(spec), Pointer(), limit=limit)


@pytest.mark.parametrize(
    ("asked", "group", "expected"),
    [
        pytest.param(
            [(350, 1000, 10)], {"cpu_m": 1050, "memory_mib": 5000}, (4, [10]), id="cpu binds: 3 a node"
        ),
        pytest.param(
            [(20, 1000, 10)], {"cpu_m": 1000, "memory_mib": 5000}, (2, [10]), id="memory binds: 5 a node"
        ),
        pytest.param(
            [(20, 20, 10)], {"cpu_m": 1000, "memory_mib": 5000, "pods": 3}, (4, [10]), id="pods bind"
        ),
        pytest.param([(20, 100, 0)], {}, (0, [0]), id="nothing to place"),
        pytest.param(
            [(50, 100, 50_000), (95, 190, 1_000)],
            {"cpu_m": 1000, "memory_mib": 5000, "pods": 100},
            (2_595, [50_000, 1_000]),
            id="upstream's own benchmark",
        ),
        pytest.param(
            [(600, 10, 2), (1500, 10, 2)],
            {},
            (3, [2, 2]),
            id="larger pods first, smaller ones fill what they leave",
        ),
    ],
)
def test_nodes_and_pods(
    asked: list[tuple[int, int, int]], group: dict[str, int], expected: tuple[int, list[int]]
) -> None:
    assert estimated(asked, limit=3_000, **group) == expected


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        pytest.param(0, (5, [10]), id="no limit"),
        pytest.param(3, (3, [6]), id="cut at three nodes, with the pods that these hold"),
        pytest.param(NO_NODES, (0, [0]), id="no permission at all"),
    ],
)
def test_limit_cuts_the_estimate(limit: int, expected: tuple[int, list[int]]) -> None:
    assert estimated([(1000, 100, 10)], limit=limit) == expected


def test_a_group_behind_the_limit_still_uses_room_on_added_nodes() -> None:
    assert estimated([(1500, 100, 3), (400, 10, 5)], limit=2) == (2, [2, 2])


def test_pods_that_must_not_share_a_node_take_one_each_and_leave_the_gaps_to_others() -> None:
    classes = Classes()
    apart = PodGroup(classes.a_class(1000, 100, anti_affinity=True), 3)
    assert estimate([apart, PodGroup(classes.a_class(500, 10), 6)], a_template(), Pointer(), limit=9) == (
        3,
        [3, 6],
    )


def test_order_is_by_share_of_the_node() -> None:
    sizes = [(100, 4000), (1900, 10), (900, 2000)]  # 1.03, 0.95, 0.94 of a 2000m / 4096 MiB node
    groups = [PodGroup(FEW.a_class(*size), 1) for size in sizes]
    assert decreasing_order(groups, a_template()) == [0, 1, 2]
    assert decreasing_order(groups[::-1], a_template()) == [2, 1, 0]


@pytest.mark.parametrize(
    ("per_scaleup", "room", "total", "nodes", "expected"),
    [
        pytest.param(1_000, [5], 0, 0, 5, id="room in the group"),
        pytest.param(3, [5], 0, 0, 3, id="max-nodes-per-scaleup"),
        pytest.param(1_000, [5, 4], 0, 0, 9, id="similar groups add their room"),
        pytest.param(1_000, [5, -2], 0, 0, 5, id="a group over its maximum adds none"),
        pytest.param(1_000, [5], 10, 8, 2, id="max-nodes-total less what is there and coming"),
        pytest.param(1_000, [5], 10, 10, NO_NODES, id="max-nodes-total reached"),
        pytest.param(1_000, [0], 0, 0, NO_NODES, id="no room"),
    ],
)
def test_node_limit(per_scaleup: int, room: list[int], total: int, nodes: int, expected: int) -> None:
    assert node_limit(per_scaleup, room, total, nodes) == expected


@pytest.mark.parametrize(
    ("room", "pods", "start", "taken", "last"),
    [
        pytest.param([2, 2, 2], 4, 1, [1, 2, 1], 1, id="rounds begin behind the pointer"),
        pytest.param([1, 3, 1], 9, 0, [1, 3, 1], 1, id="more than all: the roomiest node comes last"),
        pytest.param([0, 2, 0, 2], 2, 2, [0, 1, 0, 1], 1, id="full nodes are passed over"),
    ],
)
def test_round_robin(room: list[int], pods: int, start: int, taken: list[int], last: int) -> None:
    result, node = round_robin(np.array(room), pods, start)
    assert (result.tolist(), node) == (taken, last)


@given(st.lists(st.integers(0, 5), min_size=1, max_size=9), st.integers(1, 30), st.integers(0, 8))
def test_round_robin_is_one_pod_after_the_other(room: list[int], pods: int, start: int) -> None:
    if not sum(room):
        return
    start %= len(room)
    left, node = list(room), start - 1
    for _ in range(min(pods, sum(room))):
        node = next(n % len(room) for n in range(node + 1, node + 1 + len(room)) if left[n % len(room)])
        left[node] -= 1
    taken, last = round_robin(np.array(room), pods, start)
    assert ([before - after for before, after in zip(room, left, strict=True)], node) == (
        taken.tolist(),
        last,
    )


@given(
    st.lists(st.tuples(st.integers(1, 30), st.integers(1, 30), st.integers(1, 12)), min_size=1, max_size=6),
    st.integers(0, 12),
    st.integers(0, 5),
    st.integers(0, 9),
)
def test_counts_place_like_upstream_places_pods(
    asked: list[tuple[int, int, int]], limit: int, known: int, start: int
) -> None:
    """The estimate by count against a plain copy of the algorithm, pod by pod."""
    spec = a_group(cpu_m=30, memory_mib=30, pods=7)
    classes = Classes(spec)
    groups = [PodGroup(classes.a_class(cpu_m, mib), count) for cpu_m, mib, count in asked]
    pointer = Pointer()
    pointer.index = start
    nodes, placed = estimate(groups, a_template(spec), pointer, limit=limit, known_nodes=known)
    assert (nodes, placed, pointer.index) == pod_by_pod(groups, limit, known, start)


def pod_by_pod(groups: list[PodGroup], limit: int, known: int, start: int) -> tuple[int, list[int], int]:
    """Follow binpacking_estimator.go, pod after pod."""
    plain = Plain(limit, known, start)
    placed = [0] * len(groups)
    for index in decreasing_order(groups, a_template(a_group(cpu_m=30, memory_mib=30, pods=7))):
        cls, count = groups[index].cls, groups[index].count
        while placed[index] < count and plain.try_on_added_nodes(cls):
            placed[index] += 1
        while placed[index] < count and plain.try_on_newest_node(cls):
            placed[index] += 1
    return len(plain.used), placed, plain.pointer


class Plain:
    """The estimator's simulation, with a list for each node."""

    def __init__(self, limit: int, known: int, pointer: int) -> None:
        self.limit = limit
        self.known = known
        self.pointer = pointer
        self.nodes: list[list[int]] = []
        self.used: set[int] = set()

    def fits(self, node: int, cls: ClassView) -> bool:
        cpu_m, mib, count = self.nodes[node]
        return cls.cpu_m <= cpu_m and cls.memory_mib <= mib and count > 0

    def put(self, node: int, cls: ClassView) -> bool:
        cpu_m, mib, count = self.nodes[node]
        self.nodes[node] = [cpu_m - cls.cpu_m, mib - cls.memory_mib, count - 1]
        self.used.add(node)
        return True

    def try_on_added_nodes(self, cls: ClassView) -> bool:
        length = self.known + len(self.nodes)
        for position in (n % length for n in range(self.pointer, self.pointer + length)):
            if position >= self.known and self.fits(position - self.known, cls):
                self.pointer = (position + 1) % length
                return self.put(position - self.known, cls)
        return False

    def try_on_newest_node(self, cls: ClassView) -> bool:
        last = len(self.nodes) - 1
        if self.nodes and self.fits(last, cls):
            return self.put(last, cls)
        if (self.nodes and last not in self.used) or (self.limit and len(self.nodes) >= self.limit):
            return False
        self.nodes.append([30, 30, 7])
        return self.fits(last + 1, cls) and self.put(last + 1, cls)


def test_random_orders_place_all_pods_on_as_many_nodes() -> None:
    groups = [PodGroup(FEW.a_class(900, 100), 40), PodGroup(FEW.a_class(200, 10), 7)]
    for seed in range(5):
        chance = Chance(lambda seed=seed: Random(seed))  # type: ignore[misc]
        assert estimate(groups, a_template(), Pointer(), chance, limit=99) == (20, [40, 7])
