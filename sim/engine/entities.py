"""Pods, their classes and nodes, as the engine moves them: plain integers, no transitions of their own.

``ClusterState`` alone changes them. Pods wait by class, so a question about one pending pod is answered
for all that are alike.
"""

from __future__ import annotations

from collections import deque
from enum import IntEnum
from typing import TYPE_CHECKING, Protocol

from sim.model.log import PodEnd
from sim.model.pods import CORDON, Taint

if TYPE_CHECKING:
    from sim.engine.clock import Call
    from sim.model.cluster import NodeShape
    from sim.model.pods import PodClass


class PodState(IntEnum):
    """Where a pod is in its life; TERMINATING pods keep their room until their grace is over."""

    PENDING = 0
    BOUND = 1
    RUNNING = 2
    TERMINATING = 3
    ENDED = 4


PENDING, BOUND, RUNNING, TERMINATING, ENDED = PodState  # looked up several times a pod

LEGAL: dict[PodState, tuple[PodState, ...]] = {
    PodState.PENDING: (PodState.BOUND, PodState.ENDED),
    PodState.BOUND: (PodState.RUNNING, PodState.TERMINATING, PodState.ENDED),
    PodState.RUNNING: (PodState.TERMINATING, PodState.ENDED),
    PodState.TERMINATING: (PodState.ENDED,),
    PodState.ENDED: (),
}


class PodOwner(Protocol):
    """Whoever created a pod hears what becomes of it."""

    def pod_running(self, pod: Pod) -> None:
        """Learn that the pod's containers run."""

    def pod_refused(self, pod: Pod) -> None:
        """Learn that the pod is Unschedulable: it was tried and there is no room."""

    def pod_lost(self, pod: Pod, reason: PodEnd) -> None:
        """Learn that the pod was taken away: its room may still be held for its grace."""


class Pod:
    """One pod: a class, a place, and a few instants.

    Pods wait in order of ``created_us``, then of ``order``, which a replacement inherits. ``bound_us`` and
    ``start_us``, the container start, are known once it is bound; ``work_us`` is the run time of a plain
    pod, drawn when it arrives, negative: for ever. ``call`` is the
    next thing due in this pod's life (start or end), cancelled when the pod is lost.
    """

    __slots__ = (
        "bound_us", "call", "cls", "created_us", "id", "node", "nominated", "order", "owner",
        "start_us", "state", "unschedulable", "work_us",
    )  # fmt: skip
    bound_us: int
    start_us: int
    work_us: int

    def __init__(self, pod_id: int, cls: ClassState, owner: PodOwner, now_us: int) -> None:
        """Create a pending pod."""
        self.id = pod_id
        self.cls = cls
        self.owner = owner
        self.order = pod_id
        self.created_us = now_us
        self.state = PENDING
        self.node: Node | None = None
        self.nominated: Node | None = None
        self.unschedulable = False
        self.call: Call[Pod] | None = None

    @property
    def terminating(self) -> bool:
        """Whether it was evicted and only holds its room."""
        return self.state is TERMINATING

    def __repr__(self) -> str:
        """Show what an error message needs."""
        return f"pod {self.id} of {self.cls.spec.name} ({self.state.name})"


class ClassState:
    """A pod class as the engine uses it: plain integers, and the pods of it that wait.

    ``allowed[s]`` says whether nodes of shape ``s`` pass selector and taints; ``shapes`` says it in bits.
    ``simple`` pods take nothing of a node but cpu, memory and a place, and mind no pod on it.
    """

    __slots__ = (
        "allowed", "anti_affinity", "cpu_m", "ephemeral_mib", "gpu", "index", "memory_mib",
        "pending", "profile", "runs_at_once", "shapes", "simple", "spec", "tolerates_cordon",
    )  # fmt: skip

    def __init__(self, index: int, spec: PodClass, shapes: tuple[NodeShape, ...]) -> None:
        """Derive everything static of one class."""
        self.index = index
        self.spec = spec
        self.cpu_m = spec.requests.cpu_m
        self.memory_mib = spec.requests.memory_mib
        self.ephemeral_mib = spec.requests.ephemeral_mib
        self.gpu = spec.requests.gpu
        self.anti_affinity = spec.anti_affinity
        self.allowed = [shape.lets_in(spec) for shape in shapes]
        self.shapes = sum(1 << index for index, allowed in enumerate(self.allowed) if allowed)
        self.simple = not (self.ephemeral_mib or self.gpu or self.anti_affinity)
        self.tolerates_cordon = spec.tolerates(Taint(CORDON))
        self.runs_at_once = False
        self.profile: int | None = None  # by which its pods get machines of their own
        self.pending: deque[Pod] = deque()

    def enqueue(self, pod: Pod) -> bool:
        """Let a pod wait, before those that come after it (a replacement keeps its place).

        Return whether there are any.
        """
        queue = self.pending
        later = []
        while queue and queue[-1].created_us == pod.created_us and queue[-1].order > pod.order:
            later.append(queue.pop())
        queue.append(pod)
        if later:
            queue.extend(reversed(later))
            return True
        return False

    def dequeue(self, pod: Pod) -> None:
        """Let a pod wait no longer."""
        if self.pending[0] is pod:
            self.pending.popleft()
        else:
            self.pending.remove(pod)

    def fits(self, node: Node) -> bool:
        """Say whether a pod of this class passes every filter on ``node`` now."""
        return (
            self.cpu_m <= node.free_cpu_m
            and self.memory_mib <= node.free_memory_mib
            and node.free_pods > 0
            and (node.open or (node.cordoned and self.tolerates_cordon))
            and self.allowed[node.shape]
            and (self.simple or self._rest_fits(node))
        )

    def has_room_on(self, node: Node) -> bool:
        """Say whether ``node`` has what a pod of this class asks for, whatever else keeps it away."""
        return (
            self.cpu_m <= node.free_cpu_m
            and self.memory_mib <= node.free_memory_mib
            and node.free_pods > 0
            and self.ephemeral_mib <= node.free_ephemeral_mib
            and self.gpu <= node.free_gpu
        )

    def _rest_fits(self, node: Node) -> bool:
        """Say whether a pod that is not simple passes the filters that matter to few."""
        return (
            self.ephemeral_mib <= node.free_ephemeral_mib
            and self.gpu <= node.free_gpu
            and not (self.anti_affinity and any(p.cls.spec.owner == self.spec.owner for p in node.pods))
        )


class Node:
    """One node that is or was Ready, with the room left on it.

    ``open`` is False while a dynamic NoSchedule taint (to be deleted, interruption notice) or the
    cloud keeps pods away; ``cordoned`` says that it is merely unschedulable, which pods may tolerate;
    ``avoid`` is True while a PreferNoSchedule taint asks the scheduler to look
    elsewhere first; ``gpu_ready`` becomes True when the device plugin has published the GPUs.
    ``ClusterState`` changes them. ``pods`` are in the order in which they were bound;
    ``images`` maps an image name to the instant at which it is on the node. ``spec`` is its shape, ``shape``
    that one's number; ``group`` is -1 for a node of no group.
    """

    __slots__ = (
        "avoid", "cordoned", "free_cpu_m", "free_ephemeral_mib", "free_gpu", "free_memory_mib", "free_pods",
        "gpu_ready", "group", "id", "images", "name", "open", "pods", "position", "ready_us", "shape",
        "spec",
    )  # fmt: skip

    def __init__(
        self, node_id: int, name: str, shape: int, spec: NodeShape, now_us: int, *, group: int = -1
    ) -> None:
        """Create an empty, open node."""
        self.id = node_id
        self.name = name
        self.shape = shape
        self.spec = spec
        self.group = group
        self.position = -1
        self.ready_us = now_us
        self.free_cpu_m = spec.allocatable.cpu_m
        self.free_memory_mib = spec.allocatable.memory_mib
        self.free_ephemeral_mib = spec.allocatable.ephemeral_mib
        self.free_gpu = spec.allocatable.gpu
        self.free_pods = spec.max_pods
        self.open = True
        self.cordoned = False
        self.avoid = False
        self.gpu_ready = True
        self.pods: dict[Pod, None] = {}
        self.images: dict[str, int] = {}

    def __repr__(self) -> str:
        """Show the name."""
        return f"node {self.name}"

    def take(self, cls: ClassState) -> None:
        """Take the room of one pod of a class."""
        self.free_cpu_m -= cls.cpu_m
        self.free_memory_mib -= cls.memory_mib
        self.free_pods -= 1
        if not cls.simple:
            self.take_rest(cls)

    def take_rest(self, cls: ClassState) -> None:
        """Take what a pod that is not simple asks for beyond."""
        self.free_ephemeral_mib -= cls.ephemeral_mib
        self.free_gpu -= cls.gpu

    def give_back_rest(self, cls: ClassState) -> None:
        """Return what ``take_rest`` took."""
        self.free_ephemeral_mib += cls.ephemeral_mib
        self.free_gpu += cls.gpu
