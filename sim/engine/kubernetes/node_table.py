"""The nodes as columns of one matrix: what kube-scheduler filters and scores, for all in one go.

One column per node, in node order; one row per quantity, brought up to date when a pod comes or goes.
To look at two hundred nodes takes some twenty numpy calls, about eight microseconds, or one compiled one
(``sim.kernels.choice``); a loop of Python over them takes ten times as long.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

import numpy as np

from sim.decisions.kubernetes.scores import UNSET_CPU_M, UNSET_MEMORY_MIB
from sim.kernels.choice import (
    AVOID,
    CPU,
    FREE_EPHEMERAL,
    FREE_GPU,
    MEMORY,
    MORE_CPU,
    MORE_MEMORY,
    SHAPE,
    ZONE,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sim.engine.entities import ClassState, Node
    from sim.engine.state import ClusterState

    Floats = NDArray[np.float64]

FIXED_ROWS = 9  # then one per owner and image
NOTHING = (0, 0)
FULL = 1e9  # per cent of cpu that a node claims to be taken when it takes no pods


class NodeTable:
    """The matrix, and how changes of the state reach it.

    The matrix and ``_flat`` are the same memory: one number is written faster to an array, all are
    read faster from numpy. ``changes`` counts those of the set of nodes, ``image_changes`` those of the
    images on them.
    """

    def __init__(self, state: ClusterState) -> None:
        """Take in the nodes that are there."""
        self.nodes: list[Node] = []
        self.changes = 0
        self.image_changes = 0
        self.avoided = 0  # nodes with a PreferNoSchedule taint of the autoscaler
        self.zones: dict[str, int] = {"": 0}
        self._daemons = state.daemons
        self.assumed = 0  # nodes with cpu or memory that stand in for missing requests
        self._assumed: list[tuple[int, int]] = []  # those, by node
        rooms = [shape.allocatable for shape in state.shapes]
        self.allocatable = [(room.cpu_m or 1, room.memory_mib or 1) for room in rooms]  # by shape
        self._owners: dict[tuple[str, str], int] = {}
        self._images: dict[str, int] = {}
        self._rows = FIXED_ROWS
        self.matrix = np.zeros((0, 0))
        self._allocate(2 * FIXED_ROWS, 64)
        for node in state.nodes:
            self.add(node)

    def row(self, index: int) -> Floats:
        """Return one row, an entry per node."""
        return self.matrix[index, : len(self.nodes)]

    def owner_row(self, namespace: str, owner: str) -> int:
        """Return the row that counts the pods of one owner, made on first use."""
        known = self._owners.get((namespace, owner))
        if known is None:
            known = self._owners[namespace, owner] = self._new_row()
            for position, node in enumerate(self.nodes):
                self.matrix[known, position] = _pods_of(node, namespace, owner)
        return known

    def known_owner_row(self, cls: ClassState) -> int:
        """Return the row that counts this class's pods, or -1 when nobody asked for one."""
        return self._owners.get((cls.spec.namespace, cls.spec.owner), -1)

    def image_row(self, image: str) -> int:
        """Return the row that marks the nodes that have an image, made on first use."""
        known = self._images.get(image)
        if known is None:
            known = self._images[image] = self._new_row()
        return known

    # -- changes ----------------------------------------------------------------------------

    def add(self, node: Node) -> None:
        """Append a node that became Ready."""
        position = len(self.nodes)
        if position == self._columns:
            self._allocate(len(self.matrix), 2 * self._columns)
        self.nodes.append(node)
        self.matrix[:, position] = 0.0
        self.matrix[ZONE, position] = self.zones.setdefault(node.spec.zone, len(self.zones))
        self.matrix[SHAPE, position] = node.shape
        for (namespace, owner), row in self._owners.items():
            self.matrix[row, position] = _pods_of(node, namespace, owner)
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
        self.avoided -= int(self.matrix[AVOID, position])
        self.matrix[:, position:last] = self.matrix[:, position + 1 : last + 1]
        self.assumed -= self._assumed[position] != NOTHING
        del self.nodes[position], self._assumed[position]
        self._slice()

    def load(self, node: Node) -> None:
        """Read anew what is taken of a node, which is all of it when it takes no pods."""
        position = node.position
        cpu_m, memory_mib = self.allocatable[node.shape]
        takes_pods = node.open and node.free_pods > 0
        self._flat[position] = 100.0 * (cpu_m - node.free_cpu_m) / cpu_m if takes_pods else FULL
        self._flat[self._columns + position] = 100.0 * (memory_mib - node.free_memory_mib) / memory_mib

    def count(self, node: Node, owner_row: int, unset: tuple[int, int], times: int) -> None:
        """Count a pod onto a node (``times`` 1) or off it (-1): what few pods have.

        ``owner_row`` counts its owner's pods, -1: none does; ``unset`` is cpu and memory that scores assume.
        """
        position = node.position
        if owner_row >= 0:
            self.matrix[owner_row, position] += times
        if unset != NOTHING:
            cpu_m, memory_mib = self._assumed[position]
            self._assume(node, (cpu_m + times * unset[0], memory_mib + times * unset[1]))
        self.matrix[FREE_GPU, position] = node.free_gpu
        self.matrix[FREE_EPHEMERAL, position] = node.free_ephemeral_mib

    def refresh(self, node: Node) -> None:
        """Read anew what a node has room for, whether it takes pods, and whether to avoid it."""
        matrix, position = self.matrix, node.position
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
        cpu_m, memory_mib = self.allocatable[node.shape]
        self.matrix[MORE_CPU, position] = 100.0 * assumed[0] / cpu_m
        self.matrix[MORE_MEMORY, position] = 100.0 * assumed[1] / memory_mib

    def images_changed(self, node: Node, now_us: int) -> None:
        """Mark the images that are on a node by now."""
        for image, row in self._images.items():
            ready_us = node.images.get(image)
            if ready_us is not None and ready_us <= now_us and not self.matrix[row, node.position]:
                self.matrix[row, node.position] = 1.0
                self.image_changes += 1

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
        self.percent = self.matrix[CPU : MEMORY + 1, : len(self.nodes)]
        self.more = self.matrix[MORE_CPU : MORE_MEMORY + 1, : len(self.nodes)]
        self.changes += 1


def unset_requests(cls: ClassState) -> tuple[int, int]:
    """Return the cpu and memory that scores assume for a pod's containers without requests."""
    return UNSET_CPU_M * cls.spec.unset_cpu, UNSET_MEMORY_MIB * cls.spec.unset_memory


def _pods_of(node: Node, namespace: str, owner: str) -> int:
    specs = (pod.cls.spec for pod in node.pods)
    return sum(spec.namespace == namespace and spec.owner == owner for spec in specs)
