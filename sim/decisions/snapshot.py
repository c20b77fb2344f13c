"""The cluster as the autoscaler simulates it in one look: nodes with room, in order, and an undo log.

Existing nodes come first, in node order, then one placeholder per upcoming node. A search for room
starts one past the node that the last successful search found, and that pointer lives as long as
the autoscaler: simulated packing is round-robin, not first-fit.

With ``Orders.RANDOM`` the list is reshuffled after almost every simulated placement, as the real
one is (it is rebuilt from a hash map), so a search finds any feasible node with equal chance.

Source: Cluster Autoscaler 1.31.5, simulator/clustersnapshot/delta.go and
simulator/predicatechecker/schedulerbased.go (FitsAnyNodeMatching, CheckPredicates).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np

    from sim.model.pods import PodClass


class ClassView(Protocol):
    """What a decision reads of a pod class; the engine's class states are such."""

    index: int
    spec: PodClass
    cpu_m: int
    memory_mib: int
    ephemeral_mib: int
    gpu: int
    anti_affinity: bool
    allowed: list[bool]


class PodView(Protocol):
    """What a decision reads of one pod; ``id`` is in order of creation."""

    id: int
    created_us: int

    @property
    def cls(self) -> ClassView:
        """The class."""

    @property
    def terminating(self) -> bool:
        """Whether it was evicted and only holds its room."""


class SnapshotNode:
    """A node of the snapshot: the group it is shaped like, the room on it and the pods on it.

    ``id`` is the log's row of a real node and -1 for a placeholder. Pods stand in order of
    creation, simulated ones behind in order of placement; they are listed only when asked for.
    """

    __slots__ = (
        "_list_pods", "_pods", "cpu_m", "ephemeral_mib", "gpu", "group", "id", "memory_mib", "open",
        "pods_left", "position",
    )  # fmt: skip

    def __init__(
        self,
        node_id: int,
        group: int,
        room: Room,
        *,
        is_open: bool = True,
        list_pods: Callable[[], Iterable[PodView]] = tuple,
    ) -> None:
        """Describe a node with ``room`` on it."""
        self.id = node_id
        self.group = group
        self.cpu_m, self.memory_mib, self.ephemeral_mib, self.gpu, self.pods_left = room
        self.open = is_open
        self.position = -1
        self._list_pods = list_pods
        self._pods: list[PodView] | None = None

    @property
    def pods(self) -> list[PodView]:
        """The pods on the node that the autoscaler counts; DaemonSets' are left out."""
        if self._pods is None:
            self._pods = sorted(self._list_pods(), key=lambda pod: pod.id)
        return self._pods

    def fits(self, cls: ClassView) -> bool:
        """Say whether a pod of the class passes every filter here."""
        return (
            cls.cpu_m <= self.cpu_m
            and cls.memory_mib <= self.memory_mib
            and self.pods_left > 0
            and self.open
            and cls.allowed[self.group]
            and cls.ephemeral_mib <= self.ephemeral_mib
            and cls.gpu <= self.gpu
            and not (cls.anti_affinity and any(p.cls.spec.owner == cls.spec.owner for p in self.pods))
        )


Room = tuple[int, int, int, int, int]
"""cpu_m, memory_mib, ephemeral_mib, gpu and pods that a node has left."""


class Pointer:
    """Where the next search starts; shared by all simulations, kept for the life of the process."""

    __slots__ = ("index",)

    def __init__(self) -> None:
        """Start at the first node."""
        self.index = 0


class Snapshot:
    """The nodes of one look, and what was placed on them since."""

    def __init__(
        self, nodes: list[SnapshotNode], pointer: Pointer, rng: np.random.Generator | None = None
    ) -> None:
        """Take over ``nodes``; with ``rng``, searches find any feasible node alike."""
        self.nodes = nodes
        self.pointer = pointer
        self.rng = rng
        self.by_id = {node.id: node for node in nodes}
        for position, node in enumerate(nodes):
            node.position = position
        self._placed: list[tuple[PodView, SnapshotNode]] = []

    def add_placeholders(self, placeholders: Sequence[SnapshotNode]) -> None:
        """Append upcoming nodes."""
        for node in placeholders:
            node.position = len(self.nodes)
            self.nodes.append(node)

    def fits_any_node(
        self, cls: ClassView, acceptable: Collection[int] | None = None, but: SnapshotNode | None = None
    ) -> SnapshotNode | None:
        """Return the next node that takes a pod of the class, and move the pointer past it.

        ``acceptable`` holds ids of nodes to consider, None for all; ``but`` is left out.
        """
        if self.rng is not None:
            return self._any_feasible(cls, acceptable, but)
        nodes = self.nodes
        if not nodes:
            return None
        start = self.pointer.index % len(nodes)
        cpu_m = cls.cpu_m
        memory_mib = cls.memory_mib
        for part in (range(start, len(nodes)), range(start)):
            for position in part:
                node = nodes[position]
                if (
                    cpu_m <= node.cpu_m
                    and memory_mib <= node.memory_mib
                    and node.fits(cls)
                    and node is not but
                    and (acceptable is None or node.id in acceptable)
                ):
                    self.pointer.index = (position + 1) % len(nodes)
                    return node
        return None

    def _any_feasible(
        self, cls: ClassView, acceptable: Collection[int] | None, but: SnapshotNode | None
    ) -> SnapshotNode | None:
        assert self.rng is not None
        feasible = [
            node
            for node in self.nodes
            if node.fits(cls) and node is not but and (acceptable is None or node.id in acceptable)
        ]
        return feasible[int(self.rng.integers(len(feasible)))] if feasible else None

    def place(self, pod: PodView, node: SnapshotNode) -> None:
        """Put a pod on a node."""
        cls = pod.cls
        node.cpu_m -= cls.cpu_m
        node.memory_mib -= cls.memory_mib
        node.ephemeral_mib -= cls.ephemeral_mib
        node.gpu -= cls.gpu
        node.pods_left -= 1
        node.pods.append(pod)
        self._placed.append((pod, node))

    def fork(self) -> int:
        """Return a mark to revert to."""
        return len(self._placed)

    def revert(self, mark: int) -> None:
        """Take back everything placed since the mark."""
        while len(self._placed) > mark:
            pod, node = self._placed.pop()
            cls = pod.cls
            node.cpu_m += cls.cpu_m
            node.memory_mib += cls.memory_mib
            node.ephemeral_mib += cls.ephemeral_mib
            node.gpu += cls.gpu
            node.pods_left += 1
            node.pods.pop()
