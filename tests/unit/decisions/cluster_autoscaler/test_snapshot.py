"""Source: simulator/predicatechecker/schedulerbased.go, simulator/scheduling/ (1.31.5).

Also §7.7 of the README of the recorded runs.
"""

from __future__ import annotations

from functools import partial
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.decisions.cluster_autoscaler.chance import Chance
from sim.decisions.cluster_autoscaler.hinting_simulator import HintingSimulator
from sim.decisions.cluster_autoscaler.names import natural
from sim.decisions.cluster_autoscaler.pending_pods import filter_out_schedulable
from sim.decisions.cluster_autoscaler.snapshot import Snapshot, any_beginning
from sim.decisions.cluster_autoscaler.snapshot_node import SnapshotNode, placeholder_id
from tests.unit.decisions.cluster_autoscaler.autoscaling import Classes, a_group, a_node, a_snapshot, pods


def found(snapshot: Snapshot, cls: object, destinations: bytearray | None = None) -> int | None:
    node = snapshot.fits_any_node(cls, destinations)  # type: ignore[arg-type]
    return None if node is None else node.position


def test_a_search_begins_one_behind_the_last_find_of_any_search() -> None:
    classes = Classes()
    small, large = classes.a_class(100), classes.a_class(1_500)
    snapshot = a_snapshot([a_node(n, cpu_m=cpu_m) for n, cpu_m in enumerate((2_000, 500, 2_000))])
    assert [found(snapshot, small), found(snapshot, large), found(snapshot, small)] == [0, 2, 0]
    assert found(snapshot, classes.a_class(9_000)) is None
    assert snapshot.pointer.index == 1  # a search in vain does not move it


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.booleans()), min_size=1, max_size=60),
    st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), min_size=1, max_size=20),
    st.integers(0, 99),
)
def test_searching_all_at_once_finds_what_one_by_one_finds(
    rooms: list[tuple[int, int, bool]], asked: list[tuple[int, int]], start: int
) -> None:
    classes = Classes(a_group("a"), a_group("b"))
    nodes = [a_node(n, cpu_m=cpu_m, memory_mib=mib, group=n % 2) for n, (cpu_m, mib, _) in enumerate(rooms)]
    snapshot = a_snapshot(nodes)
    destinations = bytearray(allowed for _, _, allowed in rooms)
    snapshot.pointer.index = pointer = start
    for number, (cpu_m, mib) in enumerate(asked):
        cls = classes.a_class(cpu_m, mib)
        cls.allowed = [True, number % 3 > 0]
        order = [(pointer + step) % len(nodes) for step in range(len(nodes))]
        feasible = (position for position in order if destinations[position] and nodes[position].fits(cls))
        expected = next(feasible, None)
        assert found(snapshot, cls, destinations) == expected
        if expected is not None:
            snapshot.place(pods(cls, number)[0], nodes[expected])
            pointer = (expected + 1) % len(nodes)
    snapshot.end_look()
    assert [(node.cpu_m, node.memory_mib) for node in nodes] == [(cpu_m, mib) for cpu_m, mib, _ in rooms]


def test_placeholders_stand_behind_and_are_no_destinations() -> None:
    cls = Classes().a_class()
    snapshot = a_snapshot([a_node(1, cpu_m=0)])
    snapshot.add_placeholders([SnapshotNode(-1, 0, 0, (2_000, 4_096, 0, 0, 29))])
    assert found(snapshot, cls, snapshot.destinations()) is None
    assert found(snapshot, cls) == 1
    snapshot.end_look()
    assert found(snapshot, cls) is None


@pytest.mark.parametrize(
    ("second_name", "expected"),
    [
        pytest.param(7, 0, id="a kept template keeps its placeholders' names, so the hint holds"),
        pytest.param(8, 1, id="a template made anew names them anew, so the pointer decides"),
    ],
)
def test_hints_to_placeholders_hold_while_their_template_keeps_its_name(
    second_name: int, expected: int
) -> None:
    """Source: processors/nodeinfosprovider/mixed_nodeinfos_processor.go, static_autoscaler.go (1.31.5)."""
    pod = pods(Classes().a_class(), 1)[0]
    snapshot, simulator = Snapshot(), HintingSimulator()
    for name in (7, second_name):
        room = (2_000, 4_096, 0, 0, 29)
        upcoming = [SnapshotNode(placeholder_id(name, index), 0, 0, room) for index in range(2)]
        snapshot.add_placeholders(upcoming)
        simulator.try_schedule_pods(snapshot, [pod])
        placed = next(index for index, node in enumerate(upcoming) if node.moved)
        snapshot.end_look()
    assert placed == expected


@pytest.mark.parametrize("few", [True, False])
def test_a_random_list_is_entered_anywhere_after_each_placement(few: bool) -> None:
    cls = Classes().a_class(1)
    nodes = 4 if few else 40
    hits = [0] * nodes
    for seed in range(200):
        snapshot = a_snapshot([a_node(n) for n in range(nodes)])
        snapshot.chance = Chance(lambda seed=seed: Random(seed))  # type: ignore[misc]
        for pod in pods(cls, *range(4)):
            node = snapshot.fits_any_node(cls)
            assert node is not None
            snapshot.place(pod, node)
            hits[node.position] += 1
        snapshot.end_look()
    assert min(hits) > 800 / nodes / 4  # every node is found, and often


@pytest.mark.parametrize(("count", "expected"), [(1, [8]), (3, [6, 1, 1]), (8, [1] * 8), (16, [0.5] * 16)])
def test_a_walk_over_a_hash_map_begins_at_any_of_its_slots(count: int, expected: list[float]) -> None:
    """Go 1.22 runtime/map.go (mapiterinit): up to eight entries lie in order, the first behind the gaps."""
    draws = [(n + 0.5) / 800 for n in range(800)]
    begun = [any_beginning(count, iter([draw]).__next__) for draw in draws]
    assert [begun.count(place) / 100 for place in range(count)] == expected


def test_a_random_search_takes_the_next_node_with_room() -> None:
    """Of 40 nodes in one order two have room: each is found as often as the way to it is long."""
    cls = Classes().a_class(1_500)
    found_first = 0
    for seed in range(100):
        snapshot = a_snapshot([a_node(n, cpu_m=2_000 if n in (3, 25) else 100) for n in range(40)])
        snapshot.chance = Chance(partial(Random, seed))
        node = snapshot.fits_any_node(cls)
        assert node is not None
        assert node.position in (3, 25)
        found_first += node.position == 3
        snapshot.end_look()
    assert 30 <= found_first <= 70  # within 4 standard deviations of 50


def test_nodes_can_join_and_leave_between_looks() -> None:
    cls = Classes().a_class(1_500)
    nodes = [a_node(n, cpu_m=2_000 if n in (3, 25) else 100) for n in range(30)]
    snapshot = a_snapshot(nodes)
    assert found(snapshot, cls) == 3
    snapshot.remove([nodes[3], nodes[0]])
    assert [node.position for node in (nodes[1], nodes[29])] == [0, 27]
    assert found(snapshot, cls) == 23
    snapshot.append(a_node(30))
    snapshot.remove([nodes[25]])
    assert found(snapshot, cls) == 27
    assert set(snapshot.by_id) == set(range(31)) - {0, 3, 25}


class TestHints:
    def test_a_pod_returns_to_its_node_and_the_pointer_stays(self) -> None:
        cls = Classes().a_class(100)
        snapshot = a_snapshot([a_node(n) for n in range(3)])
        simulator = HintingSimulator()
        for pointer in (1, 1):
            assert simulator.try_schedule_pods(snapshot, pods(cls, 5)) == {5}
            assert (snapshot.pointer.index, len(snapshot.nodes[0].moved)) == (pointer, 1)
            simulator.drop_old_hints()
            snapshot.end_look()

    def test_an_unused_hint_is_dropped_after_a_round(self) -> None:
        cls = Classes().a_class(100)
        snapshot = a_snapshot([a_node(n) for n in range(3)])
        simulator = HintingSimulator()
        simulator.try_schedule_pods(snapshot, pods(cls, 5))
        simulator.drop_old_hints()
        assert simulator.memory()
        simulator.drop_old_hints()
        assert not simulator.memory()

    def test_once_a_pod_found_no_node_its_like_are_not_searched_for(self) -> None:
        classes = Classes()
        large, small = classes.a_class(1_500), classes.a_class(100)
        snapshot = a_snapshot([a_node(1)])
        listed = [*pods(large, 1, 2), *pods(small, 3), *pods(large, 4)]
        assert HintingSimulator().try_schedule_pods(snapshot, listed) == {1, 3}


def test_higher_priorities_are_packed_first_then_in_list_order() -> None:
    classes = Classes()
    low, high = classes.a_class(1_500), classes.a_class(1_500, priority=10)
    snapshot = a_snapshot([a_node(1)])
    left = filter_out_schedulable(
        snapshot, [*pods(low, 1), *pods(high, 2), *pods(low, 3)], HintingSimulator()
    )
    assert [pod.id for pod in left] == [1, 3]


def test_pods_that_must_not_share_a_node() -> None:
    classes = Classes()
    apart = classes.a_class(100, anti_affinity=True, owner="one")
    node = a_node(1, *pods(classes.a_class(100, owner="one"), 1))
    assert not node.fits(apart)
    assert a_node(2).fits(apart)


def test_natural_order() -> None:
    assert sorted(["g-10", "g-2", "a-1"], key=natural) == ["a-1", "g-2", "g-10"]
