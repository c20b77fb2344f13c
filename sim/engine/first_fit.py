"""First-fit scheduling: each pending pod goes to the first node, in node order, that takes it.

The queue is ordered by (time the pod became pending, order of creation); a pod that does not fit
does not block later ones. No scores, no preemption, no back-off: the scheduler of the recorded
autoscaler runs (oracle README §3), and a true first-come-first-served queue for theory.

A pass costs what changed since the last one. A class with a pod that fits nowhere is blocked: from then
on only nodes on which room appears are looked at for it. For other classes, nodes are searched in blocks
of about sqrt(nodes), each with an upper bound of the room on any of its nodes: raised as room appears,
tightened when a search of the block was in vain.
"""

from __future__ import annotations

from heapq import heapify, heappop, heapreplace
from math import isqrt
from typing import TYPE_CHECKING

from sim.engine.clock import Phase
from sim.engine.state import PodState

if TYPE_CHECKING:
    from sim.engine.clock import Call, Clock
    from sim.engine.state import ClassState, ClusterState, Node, Pod

SMALLEST_BLOCK = 8


class Block:
    """Nodes next to each other in node order, and bounds of the room on any one of them."""

    __slots__ = ("cpu_m", "groups", "memory_mib", "nodes")

    def __init__(self) -> None:
        """Start with no nodes."""
        self.nodes: list[Node] = []
        self.groups = 0  # one bit per node group that has a node here
        self.cpu_m = -1
        self.memory_mib = -1

    def append(self, node: Node) -> None:
        """Add a node behind the others."""
        self.nodes.append(node)
        self.groups |= 1 << node.group
        self.raise_bounds(node)

    def raise_bounds(self, node: Node) -> None:
        """Note that room appeared on a node."""
        if node.free_cpu_m > self.cpu_m:  # noqa: PLR1730  # a call of max() costs more than the rest
            self.cpu_m = node.free_cpu_m
        if node.free_memory_mib > self.memory_mib:  # noqa: PLR1730  # as above
            self.memory_mib = node.free_memory_mib

    def tighten(self) -> None:
        """Bring the bounds down to the room there is."""
        self.cpu_m = max([node.free_cpu_m for node in self.nodes])
        self.memory_mib = max([node.free_memory_mib for node in self.nodes])


class FirstFitScheduler:
    """Holds the pending queue, by class, and runs a pass when something relevant changed."""

    def __init__(self, clock: Clock, state: ClusterState) -> None:
        """Take charge of scheduling for ``state``."""
        self.clock = clock
        self.state = state
        self._fresh: dict[int, ClassState] = {}  # classes to try in the next pass
        self._blocked: dict[int, ClassState] = {}  # fit at most where room appeared since the last pass
        self._room: list[Node] = []  # where that is
        self._room_now: list[Node] = []  # the same for the pass under way, in node order
        self._inserted: list[Pod] = []  # queued ahead of others and not tried yet
        self._blocks: list[Block] = []
        self._block_size = SMALLEST_BLOCK
        self._pass_due_us = -1
        state.scheduler = self
        state.on_release = self.released
        state.on_node_ready = self._node_ready
        state.on_node_removed = lambda _: self._blocks.clear()

    def add(self, pod: Pod) -> None:
        """Queue a new pod."""
        pod.cls.enqueue(pod)
        if pod.cls.pending[-1] is not pod:
            self._inserted.append(pod)
        self._fresh[pod.cls.index] = pod.cls
        self.wake()

    def forget(self, pod: Pod) -> None:
        """Drop a pod that was deleted while pending."""
        pod.cls.dequeue(pod)

    def released(self, node: Node) -> None:
        """Note that room appeared on a node: freed, new, or open again."""
        if not node.open:
            return
        if self._blocks:
            self._blocks[node.position // self._block_size].raise_bounds(node)
        if self._blocked:
            woken = [cls for cls in self._blocked.values() if cls.fits(node)]
            if woken:
                self._fresh.update((cls.index, cls) for cls in woken)
                self._room.append(node)
                self.wake()

    def wake(self) -> None:
        """Have a pass run at this instant, behind the autoscaler's look if that has been."""
        now_us = self.clock.now_us
        if self._pass_due_us != now_us:
            self._pass_due_us = now_us
            phase = self.clock.before_or_after_look(Phase.SCHEDULE, Phase.SCHEDULE_AFTER_LOOK)
            self.clock.at(now_us, phase, self._pass, None)

    def _pass(self, _: Call[None]) -> None:
        self._pass_due_us = -1
        fresh, self._fresh = list(self._fresh.values()), {}
        self._room_now, self._room = sorted(self._room, key=lambda node: node.position), []
        if len(fresh) == 1:
            while self._place_head(fresh[0]):
                pass
        else:
            self._place_in_order(fresh)

    def _place_in_order(self, classes: list[ClassState]) -> None:
        heads = [
            (cls.pending[0].pending_us, cls.pending[0].order, cls.index, cls)
            for cls in classes
            if cls.pending or self._unblock(cls)
        ]
        heapify(heads)
        while heads:
            cls = heads[0][3]
            if self._place_head(cls):
                head = cls.pending[0]
                heapreplace(heads, (head.pending_us, head.order, cls.index, cls))
            else:
                heappop(heads)

    def _place_head(self, cls: ClassState) -> bool:
        """Place the first pod of a class; return whether another of the class may be tried."""
        pending = cls.pending
        if not pending:
            return self._unblock(cls)
        node = self._first_with_room(cls) if cls.index in self._blocked else self._first_feasible(cls)
        if node is None:
            self._block(cls)
            return False
        self.state.bind(pending.popleft(), node)
        return bool(pending) or self._unblock(cls)

    def _unblock(self, cls: ClassState) -> bool:
        """Have all nodes looked at for the next pod of a class of which none waits; return False."""
        self._blocked.pop(cls.index, None)
        return False

    def _block(self, cls: ClassState) -> None:
        self._blocked[cls.index] = cls
        for pod in reversed(cls.pending):
            if pod.unschedulable:
                break
            self.state.refuse(pod)
        if self._inserted:
            for pod in self._inserted:
                if pod.cls is cls and pod.state is PodState.PENDING:
                    self.state.refuse(pod)
            self._inserted = [pod for pod in self._inserted if pod.cls is not cls]

    def _first_with_room(self, cls: ClassState) -> Node | None:
        for node in self._room_now:
            if node.position >= 0 and cls.fits(node):
                return node
        return None

    def _first_feasible(self, cls: ClassState) -> Node | None:
        cpu_m = cls.cpu_m
        memory_mib = cls.memory_mib
        for block in self._blocks or self._cut_blocks():
            if cpu_m <= block.cpu_m and memory_mib <= block.memory_mib and cls.groups & block.groups:
                for node in block.nodes:
                    if cpu_m <= node.free_cpu_m and memory_mib <= node.free_memory_mib and cls.fits(node):
                        return node
                block.tighten()
        return None

    def _node_ready(self, node: Node) -> None:
        if self._blocks:
            if len(self._blocks[-1].nodes) == self._block_size:
                self._blocks.append(Block())
            self._blocks[-1].append(node)
        self.released(node)

    def _cut_blocks(self) -> list[Block]:
        nodes = self.state.nodes
        self._block_size = max(SMALLEST_BLOCK, isqrt(len(nodes)))
        for start in range(0, len(nodes), self._block_size):
            block = Block()
            for node in nodes[start : start + self._block_size]:
                block.append(node)
            self._blocks.append(block)
        return self._blocks
