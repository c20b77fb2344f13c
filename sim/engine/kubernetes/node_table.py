"""The nodes as columns of one matrix: what kube-scheduler filters and scores, for all in one go.

One column per node, in node order; one row per quantity, brought up to date when a pod comes or goes.
To look at two hundred nodes takes some twenty numpy calls, about eight microseconds, or one compiled one
(``sim.kernels.choice``); a loop of Python over them takes ten times as long.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sim.engine.entities import TERMINATING
from sim.kernels.choice import (
    ALL_CPU,
    ALL_MEMORY,
    AVOID,
    FREE_CPU,
    FREE_EPHEMERAL,
    FREE_GPU,
    FREE_MEMORY,
    MORE_CPU,
    MORE_MEMORY,
    SHAPE,
    ZONE,
)
from sim.model.pods import HOSTNAME, PodClass

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sim.engine.entities import ClassState, Node
    from sim.engine.state import ClusterState

    Floats = NDArray[np.float64]
    Positions = NDArray[np.intp]

FIXED_ROWS = 11  # then one per image, and per kind of pods that are counted
NOTHING = (0, 0)
FULL = -1e9  # free cpu of a node that takes no pods


@dataclass(frozen=True, slots=True)
class Counter:
    """A row that counts pods by class; ``live``: not those that only wait for the end of their grace."""

    row: int
    counts: Callable[[PodClass], bool]
    live: bool


class NodeTable:
    """The matrix, and how changes of the state reach it.

    The matrix and ``_flat`` are the same memory: one number is written faster to an array, all are read
    faster from numpy. ``counters`` say which rows count pods, and which. ``changes`` counts those of the set
    of nodes, ``image_changes`` those of the images on them.
    """

    def __init__(self, state: ClusterState) -> None:
        """Take in the nodes that are there."""
        self.nodes: list[Node] = []
        self.changes = 0
        self.image_changes = 0
        self.avoided = 0  # nodes with a PreferNoSchedule taint of the autoscaler
        self.zones: dict[str, int] = {"": 0}
        self._clock = state.clock
        self._daemons = state.daemons
        self.assumed = 0  # nodes with cpu or memory that stand in for missing requests
        self._assumed: list[tuple[int, int]] = []  # those, by node
        self.counters: dict[Hashable, Counter] = {}
        self._domains: dict[str, tuple[Positions, int]] = {}
        self._images: dict[str, int] = {}
        self._with_image: dict[str, int] = {}  # how many nodes have each
        self.touched: dict[Node, None] = {}  # nodes that changed since the last search, if images matter
        self._rows = FIXED_ROWS
        self.matrix = np.zeros((0, 0))
        self._allocate(2 * FIXED_ROWS, 64)
        for node in state.nodes:
            self.add(node)

    def row(self, index: int) -> Floats:
        """Return one row, an entry per node."""
        return self.matrix[index, : len(self.nodes)]

    def counter_row(self, key: Hashable, counts: Callable[[PodClass], bool], *, live: bool) -> int:
        """Return the row that counts some pods, made on first use of ``key``, which tells what they are."""
        known = self.counters.get((key, live))
        if known is None:
            known = self.counters[key, live] = Counter(self._new_row(), counts, live)
            for position, node in enumerate(self.nodes):
                self.matrix[known.row, position] = _counted(known, node)
        return known.row

    def owner_row(self, namespace: str, owner: str, *, live: bool = True) -> int:
        """Return the row that counts the pods of one owner."""
        return self.counter_row(
            (namespace, owner),
            lambda spec: spec.owner == owner and spec.namespace == namespace,
            live=live,
        )

    def counted_in(self, spec: PodClass) -> list[Counter]:
        """Return the counters of pods of a class, of those that somebody asked for."""
        return [counter for counter in self.counters.values() if counter.counts(spec)]

    def domains(self, key: str) -> tuple[Positions, int]:
        """Return the domain of each node by one of its labels, -1 without it, and how many there are."""
        known = self._domains.get(key)
        if known is None:
            values: dict[str, int] = {}
            indices = [
                -1 if value is None else values.setdefault(value, len(values))
                for value in (label_of(node, key) for node in self.nodes)
            ]
            known = self._domains[key] = np.array(indices, dtype=np.intp), len(values)
        return known

    def in_turns(self) -> list[int]:
        """Return the positions in the order of a search: zones in turn, as they first appeared.

        Source: Kubernetes v1.31.13 pkg/scheduler/internal/cache/node_tree.go (list).
        """
        by_zone: dict[str, list[int]] = {}
        for position, node in enumerate(self.nodes):
            by_zone.setdefault(node.spec.zone, []).append(position)
        return [
            positions[turn]
            for turn in range(max(map(len, by_zone.values()), default=0))
            for positions in by_zone.values()
            if turn < len(positions)
        ]

    def image_row(self, image: str) -> int:
        """Return the row that marks the nodes that have an image; the next says how many do."""
        known = self._images.get(image)
        if known is None:
            known = self._images[image] = self._new_row()
            self._new_row()
            self._with_image[image] = 0
            for node in self.nodes:
                self._mark(node, image, known)
        return known

    def _mark(self, node: Node, image: str, row: int) -> None:
        """Write whether an image is on a node by now."""
        ready_us = node.images.get(image)
        present = ready_us is not None and ready_us <= self._clock.now_us
        self._with_image[image] += int(present) - int(self.matrix[row, node.position])
        self.matrix[row, node.position] = present
        self.touched[node] = None

    def take_snapshot(self) -> None:
        """Tell nodes that changed since the last search how many nodes have each image.

        Upstream copies that number with the node's own entry, so that it is as old as the last change of the
        node. Source: Kubernetes v1.31.13 pkg/scheduler/internal/cache/cache.go (UpdateSnapshot).
        """
        for node in self.touched:
            if node.position >= 0:
                for image, row in self._images.items():
                    present = self.matrix[row, node.position]
                    number = present * self._with_image[image]
                    if self.matrix[row + 1, node.position] != number:
                        self.matrix[row + 1, node.position] = number
                        self.image_changes += 1
        self.touched.clear()

    # -- changes ----------------------------------------------------------------------------

    def add(self, node: Node) -> None:
        """Append a node that became Ready."""
        position = len(self.nodes)
        if position == self._columns:
            self._allocate(len(self.matrix), 2 * self._columns)
        self.nodes.append(node)
        self.matrix[:, position] = 0.0
        self.matrix[ZONE, position] = self.zones.setdefault(node.spec.zone, len(self.zones))
        for counter in self.counters.values():
            self.matrix[counter.row, position] = _counted(counter, node)
        for image, row in self._images.items():
            self._mark(node, image, row)
        unset = [unset_requests(cls) for cls in self._daemons[node.shape]]
        unset += [unset_requests(pod.cls) for pod in node.pods]
        assumed = sum(cpu_m for cpu_m, _ in unset), sum(memory_mib for _, memory_mib in unset)
        self._assumed.append(NOTHING)
        self._assume(node, assumed)
        self._slice()
        self.refresh(node)

    def remove(self, node: Node) -> None:
        """Take a node out, and close the gap."""
        position = self.nodes.index(node)
        last = len(self.nodes) - 1
        for image, row in self._images.items():
            self._with_image[image] -= int(self.matrix[row, position])
        self.avoided -= int(self.matrix[AVOID, position])
        self.matrix[:, position:last] = self.matrix[:, position + 1 : last + 1]
        self.assumed -= self._assumed[position] != NOTHING
        del self.nodes[position], self._assumed[position]
        self._slice()

    def load(self, node: Node) -> None:
        """Read anew what is taken of a node, which is all of it when it takes no pods."""
        position = node.position
        self._flat[position] = node.free_cpu_m if node.open and node.free_pods > 0 else FULL
        self._flat[self._columns + position] = node.free_memory_mib
        if self._images:
            self.touched[node] = None

    def count(
        self,
        node: Node,
        counters: Iterable[Counter],
        unset: tuple[int, int],
        times: int,
        *,
        leaving: bool = False,
    ) -> None:
        """Count a pod onto a node (``times`` 1) or off it (-1): what few pods have.

        ``counters`` are those of its class; one that is ``leaving`` is counted as live no more. ``unset``
        is cpu and memory that scores assume.
        """
        position = node.position
        for counter in counters:
            if not (leaving and counter.live):
                self.matrix[counter.row, position] += times
        if unset != NOTHING:
            cpu_m, memory_mib = self._assumed[position]
            self._assume(node, (cpu_m + times * unset[0], memory_mib + times * unset[1]))
        self.matrix[FREE_GPU, position] = node.free_gpu
        self.matrix[FREE_EPHEMERAL, position] = node.free_ephemeral_mib

    def leaves(self, node: Node, counters: Iterable[Counter]) -> None:
        """Count a pod that only waits for the end of its grace as live no longer."""
        for counter in counters:
            if counter.live:
                self.matrix[counter.row, node.position] -= 1

    def refresh(self, node: Node) -> None:
        """Read anew what a node is, has room for, whether it takes pods, and whether to avoid it."""
        matrix, position = self.matrix, node.position
        if matrix[SHAPE, position] != node.shape or not matrix[ALL_CPU, position]:
            matrix[SHAPE, position] = node.shape
            matrix[ALL_CPU, position] = node.spec.allocatable.cpu_m or 1
            matrix[ALL_MEMORY, position] = node.spec.allocatable.memory_mib or 1
            self._slice()
        matrix[FREE_GPU, position] = node.free_gpu
        matrix[FREE_EPHEMERAL, position] = node.free_ephemeral_mib
        if node.avoid != matrix[AVOID, position]:
            matrix[AVOID, position] = node.avoid
            self.avoided += 1 if node.avoid else -1
        self.load(node)

    def _assume(self, node: Node, assumed: tuple[int, int]) -> None:
        """Note how much cpu and memory stands in for missing requests on a node."""
        position = node.position
        self.assumed += (assumed != NOTHING) - (self._assumed[position] != NOTHING)
        self._assumed[position] = assumed
        self.matrix[MORE_CPU, position], self.matrix[MORE_MEMORY, position] = assumed

    def images_changed(self, node: Node) -> None:
        """Mark the images that are on a node by now."""
        for image in node.images:
            self.image_row(image)
        for image, row in self._images.items():
            self._mark(node, image, row)

    # -- memory -----------------------------------------------------------------------------

    def _new_row(self) -> int:
        if self._rows == len(self.matrix):
            self._allocate(2 * self._rows, self._columns)
        self._rows += 1
        return self._rows - 1

    def _allocate(self, rows: int, columns: int) -> None:
        kept = self.matrix[: self._rows, : len(self.nodes)]
        self._flat = array("d", bytes(8 * rows * columns))
        self.matrix = np.frombuffer(self._flat).reshape(rows, columns)
        self.matrix[: kept.shape[0], : kept.shape[1]] = kept
        self._columns = columns
        self._slice()

    def _slice(self) -> None:
        self.free = self.matrix[FREE_CPU : FREE_MEMORY + 1, : len(self.nodes)]
        self.scored = self.matrix[FREE_CPU : MORE_MEMORY + 1, : len(self.nodes)]
        self._domains.clear()
        self.changes += 1


def unset_requests(cls: ClassState) -> tuple[int, int]:
    """Return the cpu and memory that scores assume for a pod's containers without requests."""
    return cls.spec.unset_cpu_m, cls.spec.unset_memory_mib


def label_of(node: Node, key: str) -> str | None:
    """Return a label of a node; its host name is its own."""
    value = node.spec.node_labels().get(key)
    return node.name if value is None and key == HOSTNAME else value


def _counted(counter: Counter, node: Node) -> int:
    return sum(
        counter.counts(pod.cls.spec) and not (counter.live and pod.state is TERMINATING) for pod in node.pods
    )
