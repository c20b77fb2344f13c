"""The nodes as columns of one matrix: what kube-scheduler filters and scores, for all in one go.

One column per node, in node order; one row per quantity, kept up to date as pods come and go. To
look at two hundred nodes takes some twenty numpy calls, about ten microseconds; a loop over them
takes ten times as long.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sim.decisions import scores

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sim.engine.placement import ClassView
    from sim.engine.state import ClassState, ClusterState, Node

    Column = NDArray[np.float64]

# Rows: requests and allocatable of (cpu, memory) with defaults for containers without a request, in
# hundredths, and of (cpu, memory) as they are; then single ones; then one per owner and per image.
REQUESTED = slice(0, 4)
ALLOCATABLE = slice(4, 8)
CPU = 2
FREE_GPU, FREE_EPHEMERAL, AVOID, ZONE, GROUP, CLOSED = range(8, 14)
FIXED_ROWS = 14

FULL = float(2**40)  # what a node that takes no pods pretends to hold, in millicores


def requests_column(cls: ClassState) -> Column:
    """Return what a pod of a class adds to the requested rows."""
    cpu_m = cls.cpu_m + scores.UNSET_CPU_M * cls.spec.unset_cpu
    memory_mib = cls.memory_mib + scores.UNSET_MEMORY_MIB * cls.spec.unset_memory
    return np.array([100.0 * cpu_m, 100.0 * memory_mib, cls.cpu_m, cls.memory_mib])


class NodeTable:
    """The matrix, and how changes of the state reach it."""

    def __init__(self, state: ClusterState) -> None:
        """Take in the nodes that are there."""
        self.nodes: list[Node] = []
        self.changes = 0  # of the set of nodes, or of the images on them
        self.avoided = 0  # nodes with a PreferNoSchedule taint of the autoscaler
        self.zones: dict[str, int] = {"": 0}
        self._daemons = state.daemons
        self._matrix = np.zeros((2 * FIXED_ROWS, 64))
        self._rows = FIXED_ROWS
        self._owners: dict[tuple[str, str], int] = {}
        self._images: dict[str, int] = {}
        self._slice()
        for node in state.nodes:
            self.add(node)

    def __len__(self) -> int:
        """Return the number of nodes."""
        return len(self.nodes)

    def row(self, index: int) -> Column:
        """Return one row, an entry per node."""
        return self._matrix[index, : len(self.nodes)]

    def owner_row(self, namespace: str, owner: str) -> int:
        """Return the row that counts the pods of one owner, made on first use."""
        known = self._owners.get((namespace, owner))
        if known is None:
            known = self._owners[namespace, owner] = self._new_row()
            for position, node in enumerate(self.nodes):
                pods = (pod.cls.spec for pod in node.pods)
                self._matrix[known, position] = sum(
                    pod.namespace == namespace and pod.owner == owner for pod in pods
                )
        return known

    def known_owner_row(self, cls: ClassState) -> int:
        """Return the row that counts this class's pods, or -1 when nobody asked for one."""
        return self._owners.get((cls.spec.namespace, cls.spec.owner), -1)

    def image_row(self, image: str) -> int:
        """Return the row that marks the nodes that have an image, made on first use."""
        known = self._images.get(image)
        if known is None:
            known = self._images[image] = self._new_row()
            self.changes += 1
        return known

    # -- changes ----------------------------------------------------------------------------

    def add(self, node: Node) -> None:
        """Append a node that became Ready."""
        position = len(self.nodes)
        if position == self._matrix.shape[1]:
            self._matrix = np.concatenate((self._matrix, np.zeros_like(self._matrix)), axis=1)
        self.nodes.append(node)
        self._slice()
        column = self._matrix[:, position]
        column[:] = 0.0
        cpu_m = max(node.spec.allocatable.cpu_m, 1)
        memory_mib = max(node.spec.allocatable.memory_mib, 1)
        column[ALLOCATABLE] = (cpu_m, memory_mib, cpu_m, memory_mib)
        for cls in [*self._daemons[node.group], *(pod.cls for pod in node.pods)]:
            column[REQUESTED] += requests_column(cls)
        column[ZONE] = self.zones.setdefault(node.spec.zone, len(self.zones))
        column[GROUP] = node.group
        for (namespace, owner), row in self._owners.items():
            pods = (pod.cls.spec for pod in node.pods)
            column[row] = sum(pod.namespace == namespace and pod.owner == owner for pod in pods)
        self.changes += 1
        self.refresh(node, position)

    def remove(self, node: Node) -> None:
        """Take a node out, and close the gap."""
        position = self.nodes.index(node)
        last = len(self.nodes) - 1
        self.avoided -= int(self._matrix[AVOID, position])
        self._matrix[:, position:last] = self._matrix[:, position + 1 : last + 1]
        self.nodes.pop(position)
        self.changes += 1
        self._slice()

    def count(self, node: Node, view: ClassView, times: int) -> None:
        """Put a pod on a node (``times`` 1) or take it off (-1), after the state has done so."""
        position = node.position
        self.requested[:, position] += times * view.requests
        if view.owner_row >= 0:
            self._matrix[view.owner_row, position] += times
        if node.free_pods <= 1 or view.cls.gpu or view.cls.ephemeral_mib:
            self.refresh(node, position)

    def refresh(self, node: Node, position: int) -> None:
        """Read anew whether a node takes pods, and whether it is to be avoided."""
        matrix = self._matrix
        closed = not node.open or node.free_pods <= 0
        if closed != matrix[CLOSED, position]:
            matrix[CLOSED, position] = closed
            matrix[CPU, position] += FULL if closed else -FULL
        if node.avoid != matrix[AVOID, position]:
            matrix[AVOID, position] = node.avoid
            self.avoided += 1 if node.avoid else -1
        matrix[FREE_GPU, position] = node.free_gpu
        matrix[FREE_EPHEMERAL, position] = node.free_ephemeral_mib

    def images_changed(self, node: Node, now_us: int) -> None:
        """Mark the images that are on a node by now."""
        for image, row in self._images.items():
            ready_us = node.images.get(image)
            if ready_us is not None and ready_us <= now_us and not self._matrix[row, node.position]:
                self._matrix[row, node.position] = 1.0
                self.changes += 1

    def _new_row(self) -> int:
        if self._rows == self._matrix.shape[0]:
            self._matrix = np.concatenate((self._matrix, np.zeros_like(self._matrix)))
            self._slice()
        self._rows += 1
        return self._rows - 1

    def _slice(self) -> None:
        self.requested = self._matrix[REQUESTED, : len(self.nodes)]
        self.allocatable = self._matrix[ALLOCATABLE, : len(self.nodes)]
