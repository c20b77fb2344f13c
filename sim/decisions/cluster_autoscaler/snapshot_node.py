"""A node of the autoscaler's snapshot: what it has left, and which pods stand on it.

Decisions read pods and classes through two protocols, which the engine's own entities satisfy.

Source: Cluster Autoscaler 1.31.5, simulator/predicatechecker/schedulerbased.go (CheckPredicates).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from sim.model.log import Reason
    from sim.model.pods import PodClass

Room = tuple[int, int, int, int, int]
"""cpu_m, memory_mib, ephemeral_mib, gpu and pods that a node has left."""


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


def placeholder_id(template: int, index: int) -> int:
    """Return the id of the nth upcoming node of a template, by the template's name (Templates.name)."""
    return -1 - (template << 20 | index)


class SnapshotNode:
    """A node of the snapshot: its group and shape, the room on it and the pods on it.

    ``id`` is the log's row of a real node, negative for a placeholder. ``moved`` are pods that a
    simulation has put here. ``blocked`` is why the real pods keep the node, for as long as they are
    the same; None: it must be asked.
    """

    __slots__ = (
        "blocked", "cpu_m", "ephemeral_mib", "gpu", "group", "id", "memory_mib", "moved", "open", "pods_left",
        "position", "shape",
    )  # fmt: skip

    def __init__(self, node_id: int, group: int, shape: int, room: Room) -> None:
        """Describe an open node with ``room`` on it."""
        self.id = node_id
        self.group = group
        self.shape = shape
        self.cpu_m, self.memory_mib, self.ephemeral_mib, self.gpu, self.pods_left = room
        self.open = True
        self.position = -1
        self.moved: list[PodView] = []
        self.blocked: Reason | None = None

    def real_pods(self) -> Sequence[PodView]:
        """Return the pods that are there, in order of creation; DaemonSets' are left out."""
        return ()

    @property
    def pods(self) -> list[PodView]:
        """The pods there, then those moved here, in that order."""
        return [*self.real_pods(), *self.moved]

    def fits(self, cls: ClassView) -> bool:
        """Say whether a pod of the class passes every filter here (CheckPredicates)."""
        return (
            cls.cpu_m <= self.cpu_m
            and cls.memory_mib <= self.memory_mib
            and self.pods_left > 0
            and self.open
            and cls.allowed[self.shape]
            and cls.ephemeral_mib <= self.ephemeral_mib
            and cls.gpu <= self.gpu
            and not (cls.anti_affinity and any(p.cls.spec.owner == cls.spec.owner for p in self.pods))
        )
