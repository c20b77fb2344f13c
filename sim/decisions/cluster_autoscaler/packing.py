"""Placing many pods at once: the same rules as one by one, on numbers instead of objects.

Pods that wait are packed into the snapshot, or the pods of nodes that may go are moved within it, by one
loop (``sim.kernels.pack``). Only what the rest of a look asks for is written down: pods that found no node,
pods on real nodes, hints, and where the next search starts. Few pods are placed sooner one by one.

Source: Cluster Autoscaler 1.31.5, simulator/scheduling/hinting_simulator.go, simulator/cluster.go
(FindNodesToRemove, findPlaceFor), simulator/predicatechecker/schedulerbased.go.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, compress
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from sim.decisions.cluster_autoscaler.side_by_side import RESOURCES, WIDEST
from sim.kernels.pack import NONE, PACK, STAYS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sim.decisions.cluster_autoscaler.hinting_simulator import HintingSimulator
    from sim.decisions.cluster_autoscaler.snapshot import Snapshot
    from sim.decisions.cluster_autoscaler.snapshot_node import PodView, SnapshotNode

    Ints = NDArray[np.int64]

FEWEST_PODS, NODES_A_POD = 20, 8  # for so many pods, and one more for so many nodes, preparing pays

P = TypeVar("P", bound="PodView")


def are_many(pods: int, snapshot: Snapshot) -> bool:
    """Say whether so many pods are placed sooner at once than one by one."""
    nodes = len(snapshot.nodes)
    return nodes > 0 and pods >= FEWEST_PODS + nodes // NODES_A_POD


def place_waiting(snapshot: Snapshot, pods: Sequence[P], simulator: HintingSimulator) -> list[P]:
    """Place pods, higher priorities first, otherwise in any order; return those that found no node.

    What upcoming nodes take is not written down: nobody asks them in the rest of a look.
    """
    packing = _Packing(snapshot, pods, destinations=None)
    order = np.arange(len(pods)) if snapshot.chance is None else snapshot.chance.permutation(len(pods))
    priorities = np.array([cls.spec.priority for cls in packing.classes])
    if (priorities != priorities[0]).any():
        order = order[np.argsort(-priorities[packing.rows][order], kind="stable")]
    behind_all = np.array([len(snapshot.nodes)])  # the list of no node
    packing.run(behind_all, np.array([len(pods)]), order, simulator, most=1, whole=False)
    real = (packing.positions < snapshot.real).tolist()
    left = []
    for index in order.tolist():
        if not packing.placed[index]:
            left.append(pods[index])
        elif real[packing.hints[index]]:
            snapshot.place(pods[index], snapshot.nodes[packing.positions[packing.hints[index]]])
    return left


def move_away(
    snapshot: Snapshot,
    nodes: Sequence[SnapshotNode],
    destinations: bytearray,
    simulator: HintingSimulator,
    most: int,
) -> list[int]:
    """Return for each node, one after the other, how many pods it could move elsewhere.

    It is -1 where one of them found no node, and from where ``most`` nodes could go on. The snapshot stays as
    it was. A node's pods come in the order of the autoscaler's pod list, which is any, those moved there
    behind them.
    """
    parts = [part for node in nodes for part in (node.real_pods(), node.moved)]
    pods = list(chain.from_iterable(parts))
    packing = _Packing(snapshot, pods, destinations)
    homes = packing.places[[node.position for node in nodes]]
    sizes = np.array(list(map(len, parts)))
    order = np.arange(len(pods))
    if snapshot.chance is not None:
        part = np.repeat(np.arange(len(parts)), sizes)
        order = (part + snapshot.chance.numbers(len(pods)) * (part % 2 == 0)).argsort(kind="stable")
    return packing.run(homes, sizes[::2] + sizes[1::2], order, simulator, most=most, whole=True)


class _Packing:
    """Pods, classes and nodes as numbers, the nodes by their place in the list that searches go round.

    After ``run``, ``placed`` marks the pods that found a node, or would have; ``hints`` has its place.
    """

    placed: list[bool]
    hints: list[int]

    def __init__(self, snapshot: Snapshot, pods: Sequence[PodView], destinations: bytearray | None) -> None:
        """Take in what there is; ``destinations`` marks positions, None: all."""
        self.snapshot = snapshot
        self.pods = pods
        self.positions, self.places = snapshot.walk()
        self.is_open = np.ones(len(self.positions) + 1, dtype=np.bool_)
        if destinations is not None:
            self.is_open[:-1] = np.frombuffer(destinations, dtype=np.bool_)[self.positions]
        kinds = [pod.cls for pod in pods]
        self.classes = list(dict.fromkeys(kinds))
        row_of = {cls: row for row, cls in enumerate(self.classes)}
        self.rows = np.fromiter(map(row_of.__getitem__, kinds), np.int64, len(kinds))
        table = snapshot.table()
        numbers = snapshot.numbers
        numbers.meet(self.classes, table[:RESOURCES])
        self.bits = numbers.bits
        self.room = numbers.room(table[:RESOURCES], table[RESOURCES])[self.positions]
        indices = [cls.index for cls in self.classes]
        self.need = self.take = numbers.need[indices]
        self.wanted = numbers.wanted[indices]
        self.may_do = (self.room - numbers.least) & numbers.guards == numbers.guards
        for owner in {cls.spec.owner: None for cls in self.classes if cls.anti_affinity}:
            self._keep_apart(owner)

    def _keep_apart(self, owner: str) -> None:
        """Count the owner's pods as a resource of which a pod with anti-affinity needs all there is."""
        nodes = self.snapshot.nodes
        alike = np.array([int(cls.spec.owner == owner) for cls in self.classes])
        apart = alike * np.array([cls.anti_affinity for cls in self.classes])
        there = np.array([
            sum(pod.cls.spec.owner == owner for pod in nodes[position].pods) for position in self.positions
        ])  # fmt: skip
        most = int(there.max()) + len(self.pods)
        shift, self.bits = self.bits, self.bits + most.bit_length() + 1
        kind = np.int64 if self.bits <= WIDEST else object
        guard = 1 << self.bits - 1
        self.room = self.room.astype(kind) + ((most - there).astype(kind) << shift) + guard
        self.need = self.need.astype(kind) + ((most * apart).astype(kind) << shift)
        self.take = self.take.astype(kind) + (alike.astype(kind) << shift)
        self.wanted = self.wanted.astype(kind) + guard

    def run(
        self,
        homes: Ints,
        counts: Ints,
        order: Ints,
        simulator: HintingSimulator,
        *,
        most: int,
        whole: bool,
    ) -> list[int]:
        """Pack lists of so many pods, these in their order; return what each list moved.

        Hints are read and renewed, and the next search starts where it would one by one.
        """
        pod_ids = [pod.id for pod in self.pods]
        nodes = self.snapshot.nodes
        node_ids = [nodes[position].id for position in self.positions.tolist()]
        known = simulator.recall(pod_ids, {node: place for place, node in enumerate(node_ids)})
        hints = np.full(len(pod_ids), -1) if known is None else np.array(known)
        placed = np.zeros(len(pod_ids), dtype=np.bool_)
        moved = np.full(len(homes), -1)
        chains = self._chains(homes, counts, order)
        numbers = self.room, self.need, self.take, self.wanted
        turns = self.snapshot.beginnings(len(pod_ids))
        arguments: list[Any] = [self.rows, homes, *chains, hints, placed, moved, *numbers]
        arguments += [self.is_open, turns, self._first_steps()]
        compiled = PACK.asked_for(len(pod_ids)) if self.bits <= WIDEST else None
        if compiled is None:
            arguments = [array.tolist() for array in arguments]
            arguments.append([[] for _ in self.classes])
        else:
            arguments.append(np.empty((len(self.classes), len(self.is_open)), dtype=np.int64))
        loop: Any = compiled or PACK.function  # knows arrays, or lists
        state = loop(*arguments, self.snapshot.pointer.index, most, whole)
        results = arguments[5:8]
        if compiled is not None:
            results = [array.tolist() for array in results]
        outcomes: list[int]
        self.hints, self.placed, outcomes = results
        self.snapshot.go_on(*state)
        found = map(node_ids.__getitem__, compress(self.hints, self.placed))
        simulator.remember(compress(pod_ids, self.placed), found)
        return outcomes

    def _first_steps(self) -> Ints:
        """Return by place the first from there on that has room for the least that any class asks for."""
        count = len(self.positions)
        steps = np.arange(count + 1)
        steps[:-1][~(self.may_do & self.is_open[:-1])] = count
        return np.minimum.accumulate(steps[::-1])[::-1].copy()

    def _chains(self, homes: Ints, counts: Ints, order: Ints) -> tuple[Ints, Ints, Ints]:
        """Return the first and the last pod by place, and by pod the one that follows."""
        first = np.full(len(self.is_open), NONE)
        last = np.full(len(self.is_open), STAYS)
        following = np.full(len(order), NONE)
        following[order[:-1]] = order[1:]
        ends = np.add.accumulate(counts)
        some = counts > 0
        last[homes] = NONE
        first[homes[some]] = order[(ends - counts)[some]]
        last[homes[some]] = order[ends[some] - 1]
        following[last[homes[some]]] = NONE
        return first, last, following
