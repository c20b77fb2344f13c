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
from operator import attrgetter
from typing import TYPE_CHECKING

from sim.engine.clock import Call, Phase
from sim.engine.entities import PENDING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sim.engine.clock import Clock
    from sim.engine.entities import ClassState, Node, Pod
    from sim.engine.state import ClusterState

SMALLEST_BLOCK = 8
SCHEDULE, SCHEDULE_AFTER_LOOK = Phase.SCHEDULE, Phase.SCHEDULE_AFTER_LOOK  # looked up for every pod

Head = tuple[int, int, int, "ClassState"]
"""Whose turn it is: when the first pod of a class began to wait, its order, and the class."""


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
        self._fresh: dict[int, ClassState] = {}  # classes with pods that were not tried yet
        self._blocked: dict[int, Head] = {}  # fit at most where room appeared since the last pass
        self._room: dict[Node, None] = {}  # where that is
        self._room_now: list[Node] = []  # the same for the pass under way, in node order
        self._inserted: list[Pod] = []  # queued ahead of others and not tried yet
        self._blocks: list[Block] = []
        self._block_size = SMALLEST_BLOCK
        self._pass_due_us = -1
        self._next_pass = Call(self._pass, None)
        state.scheduler = self
        state.on_pod_gone = self._room_appeared
        state.on_node_changed = lambda node: self._room_appeared(None, node)
        state.on_node_ready = self._node_ready
        state.on_node_removed = lambda _: self._blocks.clear()

    def add(self, pod: Pod) -> None:
        """Queue a new pod."""
        cls = pod.cls
        if not cls.pending:
            cls.pending.append(pod)
        elif cls.enqueue(pod):
            self._inserted.append(pod)
            self._head_changed(cls)
        self._fresh[cls.index] = cls
        if self._pass_due_us != self.clock.now_us:
            self._wake()

    def forget(self, pod: Pod) -> None:
        """Drop a pod that was deleted while pending."""
        pod.cls.dequeue(pod)
        self._head_changed(pod.cls)

    def _head_changed(self, cls: ClassState) -> None:
        """Bring up to date whose turn it is; with no pod left, all nodes are looked at for the next."""
        if cls.index in self._blocked:
            if cls.pending:
                self._blocked[cls.index] = _head(cls)
            else:
                del self._blocked[cls.index]

    def _wake(self) -> None:
        """Have a pass run at this instant, behind the autoscaler's look if that has been."""
        clock = self.clock
        self._pass_due_us = now_us = clock.now_us
        clock.put(self._next_pass, now_us, SCHEDULE_AFTER_LOOK if clock.looked_us == now_us else SCHEDULE)

    # -- room -------------------------------------------------------------------------------

    def _room_appeared(self, _: Pod | None, node: Node) -> None:
        """Note that room may have appeared on a node: freed, new, or open again."""
        if not node.open or node.position < 0:
            return
        if self._blocks:
            self._blocks[node.position // self._block_size].raise_bounds(node)
        if self._blocked:
            self._room[node] = None
            if self._pass_due_us != self.clock.now_us:
                self._wake()

    def _bounds(self) -> tuple[int, int]:
        """Return the most cpu and memory on any one node where room appeared."""
        nodes = self._room_now
        cpu_m = max([node.free_cpu_m for node in nodes], default=-1)
        return cpu_m, max([node.free_memory_mib for node in nodes], default=-1)

    # -- the pass ---------------------------------------------------------------------------

    def _pass(self, _: Call[None]) -> None:
        self._pass_due_us = -1
        fresh = self._fresh
        if len(fresh) == 1 and not self._room:
            self._place_all(fresh.popitem()[1])
            return
        self._fresh = {}
        if self._room:
            self._room_now = [node for node in self._room if node.open and node.position >= 0]
            self._room_now.sort(key=attrgetter("position"))
            self._room.clear()
            self._place_in_order(fresh)
            self._room_now.clear()
        else:
            self._place_in_order(fresh)

    def _place_all(self, cls: ClassState) -> None:
        """Place the pods of the one class that has any to try; no room appeared for a blocked one."""
        pending = cls.pending
        while pending:
            node = None if cls.index in self._blocked else self._first_feasible(cls)
            if node is None:
                self._block(cls)
                return
            self.state.bind(pending.popleft(), node)

    def _place_in_order(self, fresh: dict[int, ClassState]) -> None:
        """Place pods of fresh classes, and of blocked ones where room appeared, in order of their turn."""
        blocked, bounds = self._blocked, self._bounds()
        heads = _may_fit(blocked.values(), fresh, *bounds)
        heads += [_head(cls) for cls in fresh.values() if cls.pending and cls.index not in blocked]
        heapify(heads)
        while heads:
            cls = heads[0][3]
            node = self._first_with_room(cls) if cls.index in blocked else self._first_feasible(cls)
            if node is not None:
                self.state.bind(cls.pending.popleft(), node)
                if cls.pending:
                    heapreplace(heads, _head(cls))
                else:
                    heappop(heads)
                if cls.index in blocked:
                    self._head_changed(cls)
                continue
            heappop(heads)
            if cls.index in fresh:
                self._block(cls)
            elif bounds != self._bounds():
                bounds = self._bounds()
                heads = _may_fit(heads, fresh, *bounds)
                heapify(heads)

    def _block(self, cls: ClassState) -> None:
        self._blocked[cls.index] = _head(cls)
        for pod in reversed(cls.pending):
            if pod.unschedulable:
                break
            self.state.refuse(pod)
        if self._inserted:
            for pod in self._inserted:
                if pod.cls is cls and pod.state is PENDING:
                    self.state.refuse(pod)
            self._inserted = [pod for pod in self._inserted if pod.cls is not cls]

    def _first_with_room(self, cls: ClassState) -> Node | None:
        for node in self._room_now:
            if cls.fits(node):
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
        self._room_appeared(None, node)

    def _cut_blocks(self) -> list[Block]:
        nodes = self.state.nodes
        self._block_size = max(SMALLEST_BLOCK, isqrt(len(nodes)))
        for start in range(0, len(nodes), self._block_size):
            block = Block()
            for node in nodes[start : start + self._block_size]:
                block.append(node)
            self._blocks.append(block)
        return self._blocks


def _head(cls: ClassState) -> Head:
    pod = cls.pending[0]
    return pod.created_us, pod.order, cls.index, cls


def _may_fit(heads: Iterable[Head], fresh: dict[int, ClassState], cpu_m: int, memory_mib: int) -> list[Head]:
    """Return the fresh classes, and those that ask for no more than there is."""
    return [
        head
        for head in heads
        if head[2] in fresh or (head[3].cpu_m <= cpu_m and head[3].memory_mib <= memory_mib)
    ]
