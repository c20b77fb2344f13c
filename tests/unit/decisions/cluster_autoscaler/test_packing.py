"""Placing many pods at once, compiled or not, does what placing them one by one does, draw for draw."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.decisions.cluster_autoscaler import packing, pending_pods
from sim.decisions.cluster_autoscaler.hinting_simulator import HintingSimulator
from sim.decisions.cluster_autoscaler.packing import move_away
from sim.decisions.cluster_autoscaler.pending_pods import filter_out_schedulable
from sim.decisions.cluster_autoscaler.removal import NodeToBeRemoved, simulate_node_removal
from sim.decisions.cluster_autoscaler.side_by_side import WIDEST
from sim.decisions.cluster_autoscaler.snapshot_node import SnapshotNode
from sim.kernels.kernel import Kernel, Patience, compile_now
from sim.kernels.pack import pack
from sim.model.log import Reason
from tests.unit.decisions.cluster_autoscaler.autoscaling import (
    Classes,
    FakePod,
    a_group,
    a_node,
    a_snapshot,
    pods,
)

NEVER = Kernel(pack, 10**9, Patience())
GROUPS = a_group("a"), a_group("b"), a_group("c")


@pytest.fixture(scope="module")
def at_once() -> Kernel[..., Any]:
    kernel = Kernel(pack, 10**9, Patience())
    kernel.compiled = compile_now(pack) or pack
    return kernel


class Dealt:
    """The draws of a look, dealt by hand: those for one at a time, and those for many, are the same."""

    def __init__(self, seed: int, *, shuffle: bool) -> None:
        self.seed, self.shuffle = seed, shuffle
        self.dice, again = Random(seed), Random(seed)
        self.drawn = [again.random() for _ in range(100)]

    def permutation(self, count: int) -> Any:
        return np.array(Random(count).sample(range(count), count), dtype=np.int64)

    def shuffled(self, items: Any) -> list[Any]:
        return [items[index] for index in self.permutation(len(items))] if self.shuffle else list(items)

    def index(self, count: int) -> int:
        return self.seed % count

    def numbers(self, count: int) -> Any:
        return np.array(self.drawn[:count]) if self.shuffle else np.zeros(count)


class World:
    """Nodes with pods, some of which are remembered, and pods that wait."""

    def __init__(self, seed: int, *, pinned: bool, shuffle: bool) -> None:
        dice = self.dice = Random(seed)
        self.scale = dice.choice((1, 1, 1 << WIDEST // 2))
        self.classes = Classes(*GROUPS)
        kinds = [self._a_class() for _ in range(dice.randint(1, 6))]
        ids = iter(range(1_000))

        def some(fewest: int, most: int) -> list[FakePod]:
            return [pods(dice.choice(kinds), next(ids))[0] for _ in range(dice.randint(fewest, most))]

        real = [
            a_node(
                number,
                *some(0, 3),
                cpu_m=dice.randint(2, 14) * self.scale,
                memory_mib=dice.randint(2, 14) * self.scale,
                group=dice.randrange(3),
            )
            for number in range(dice.randint(1, 14))
        ]
        for node in real:
            node.gpu, node.open = dice.randrange(2), dice.random() < 0.9
        self.snapshot = a_snapshot(real)
        self.snapshot.pointer.index = dice.randrange(20)
        chance: Any = Dealt(seed, shuffle=shuffle)
        self.snapshot.chance = None if pinned else chance
        for pod in some(0, 3):
            self.snapshot.place(pod, dice.choice(real))
        self.waiting = some(1, 25)
        self.simulator = HintingSimulator()
        hints = {pod: dice.randint(-5, 14) for pod in range(next(ids)) if dice.random() < 0.5}
        self.simulator.remember(hints, hints.values())
        self.simulator.drop_old_hints()

    def _a_class(self) -> Any:
        dice = self.dice
        cls = self.classes.a_class(
            dice.randint(0, 4) * self.scale,
            dice.randint(0, 4) * self.scale,
            anti_affinity=dice.random() < 0.3,
            owner=dice.choice("xyz"),
            gpu=dice.random() < 0.2,
            priority=dice.choice((0, 0, 5)),
        )
        cls.allowed = [dice.random() < 0.9 for _ in GROUPS]
        return cls

    def state(self) -> tuple[object, ...]:
        nodes = self.snapshot.nodes[: self.snapshot.real]
        left = [(node.cpu_m, node.memory_mib, node.gpu, node.pods_left) for node in nodes]
        moved = [[pod.id for pod in node.moved] for node in nodes]
        return self.simulator._current, self.snapshot.pointer.index, left, moved


def check_waiting_pods(seed: int, kernel: Kernel[..., Any], *, pinned: bool) -> None:
    results = []
    for many in (False, True):
        world = World(seed, pinned=pinned, shuffle=True)
        room = (9 * world.scale, 9 * world.scale, 0, 1, 5)
        world.snapshot.add_placeholders([SnapshotNode(-1 - n, n % 3, n % 3, room) for n in range(seed % 5)])
        world.snapshot.walk()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(packing, "PACK", kernel)
            patch.setattr(pending_pods, "are_many", [lambda *_: False, lambda *_: True][many])
            patch.setattr(world.simulator, "drop_old_hints", lambda: None)
            left = filter_out_schedulable(
                world.snapshot, world.waiting, world.simulator, world.snapshot.chance
            )
        results.append(([pod.id for pod in left], world.state()))
    assert results[0] == results[1]


class NoRules:
    """Nothing blocks."""

    def blocks_node(self, _: SnapshotNode) -> Reason:
        return Reason.NoReason

    def allow_in_parallel(self, _: Any) -> bool:
        return True

    def remove(self, _: Any) -> None: ...


def check_removals(seed: int, kernel: Kernel[..., Any], *, pinned: bool) -> None:
    rules: Any = NoRules()
    results = []
    for many in (False, True):
        world = World(seed, pinned=pinned, shuffle=False)
        snapshot, dice = world.snapshot, Random(seed)
        nodes = dice.sample(snapshot.nodes, dice.randint(1, len(snapshot.nodes)))
        most = dice.randint(1, 10)
        destinations = bytearray(node in nodes or dice.random() < 0.8 for node in snapshot.nodes)
        mark = snapshot.plan()
        snapshot.walk()  # the order of nodes; one by one, it would only be drawn for the first search
        moved = [-1] * len(nodes)
        if not any(node.pods for node in nodes):
            return
        if many:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(packing, "PACK", kernel)
                moved = move_away(snapshot, nodes, destinations, world.simulator, most)
        else:
            for nth, node in enumerate(nodes):
                if sum(pods >= 0 for pods in moved) < most:
                    outcome = simulate_node_removal(node, snapshot, destinations, world.simulator, rules)
                    moved[nth] = outcome.pods if isinstance(outcome, NodeToBeRemoved) else -1
        snapshot.revert(mark)
        results.append((moved, world.state()))
    assert results[0] == results[1]


CHECKS = pytest.mark.parametrize("check", [check_waiting_pods, check_removals])


@CHECKS
@settings(max_examples=150)
@given(seed=st.integers(0, 2**32), pinned=st.booleans())
def test_many_at_once(check: Any, seed: int, pinned: bool) -> None:
    check(seed, NEVER, pinned=pinned)


@CHECKS
def test_many_at_once_compiled(check: Any, at_once: Kernel[..., Any]) -> None:
    for seed in range(150):
        check(seed, at_once, pinned=seed % 2 == 0)
