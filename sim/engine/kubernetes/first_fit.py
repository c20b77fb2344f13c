"""First-fit scheduling: each pending pod goes to the first node, in node order, that takes it.

The queue is ordered by (time the pod became pending, order of creation); a pod that does not fit
does not block later ones. No scores, no preemption, no back-off: the scheduler of the recorded
autoscaler runs (oracle README §3), and a true first-come-first-served queue for theory.

A pass costs what changed since the last one. A class with a pod that fits nowhere is blocked: from then
on only nodes on which room appears are looked at for it. Blocked classes are kept in order of their turn,
with the least that any of them asks for: as a rule that ends a pass soon, because what room there was is
taken. For other classes, nodes are searched in blocks of about sqrt(nodes), each with an upper bound of the
room on any of its nodes: raised as room appears, lowered when a search of the block was in vain.
"""

from __future__ import annotations

from bisect import insort
from math import isqrt
from operator import attrgetter
from typing import TYPE_CHECKING

from sim.engine.clock import Phase
from sim.engine.entities import PENDING

if TYPE_CHECKING:
    from sim.engine.clock import Clock
    from sim.engine.entities import ClassState, Node, Pod
    from sim.engine.state import ClusterState

SMALLEST_BLOCK = 8
SCHEDULE, SCHEDULE_AFTER_LOOK = Phase.SCHEDULE, Phase.SCHEDULE_AFTER_LOOK  # looked up for every pod

Head = tuple[int, int, int, "ClassState"]
"""Whose turn it is: when the first pod of a class began to wait, its order, and the class."""


class Block:
    """Nodes next to each other in node order, and bounds of the room on any one of them."""

    __slots__ = ("cpu_m", "memory_mib", "nodes", "shapes")

    def __init__(self) -> None:
        """Start with no nodes."""
        self.nodes: list[Node] = []
        self.shapes = 0  # one bit per shape that a node here has
        self.cpu_m = -1
        self.memory_mib = -1

    def append(self, node: Node) -> None:
        """Add a node behind the others."""
        self.nodes.append(node)
        self.shapes |= 1 << node.shape
        self.raise_bounds(node)

    def raise_bounds(self, node: Node) -> None:
        """Note that room appeared on a node."""
        if node.free_cpu_m > self.cpu_m:  # noqa: PLR1730  # a call of max() costs more than the rest
            self.cpu_m = node.free_cpu_m
        if node.free_memory_mib > self.memory_mib:  # noqa: PLR1730  # as above
            self.memory_mib = node.free_memory_mib


class FirstFitScheduler:
    """Holds the pending queue, by class, and runs a pass when something relevant changed."""

    def __init__(self, clock: Clock, state: ClusterState) -> None:
        """Schedule for ``state``."""
        self.clock = clock
        self.state = state
        self._fresh: dict[int, ClassState] = {}  # classes with pods that were not tried yet
        self._blocked: set[int] = set()  # classes that fit at most where room appeared since the last pass
        self._turns: list[Head] = []  # the same, in order of their turn
        self._least: tuple[int, int] | None = None  # cpu and memory that any of them asks for at least
        self._room: dict[Node, None] = {}  # where that is
        self._room_now: list[Node] = []  # the same for the pass under way, in node order
        self._inserted: list[Pod] = []  # queued ahead of others and not tried yet
        self._blocks: list[Block] = []
        self._block_size = SMALLEST_BLOCK
        self._pass_due_us = -1
        self._run_pass = self._pass

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
            self._turns[:] = [head for head in self._turns if head[3] is not cls]
            if cls.pending:
                insort(self._turns, _head(cls))
            else:
                self._unblock(cls)

    def _block(self, cls: ClassState) -> None:
        """From now on, look only at nodes on which room appears for the pods of a class."""
        self._blocked.add(cls.index)
        insort(self._turns, _head(cls))
        if self._least is not None:
            cpu_m, memory_mib = self._least
            self._least = min(cpu_m, cls.cpu_m), min(memory_mib, cls.memory_mib)

    def _unblock(self, cls: ClassState) -> None:
        self._blocked.remove(cls.index)
        if self._least is not None and (cls.cpu_m == self._least[0] or cls.memory_mib == self._least[1]):
            self._least = None  # perhaps the only one that asks for so little

    def _wake(self) -> None:
        """Have a pass run at this instant, behind the autoscaler's look if that has been."""
        clock = self.clock
        self._pass_due_us = now_us = clock.now_us
        phase = SCHEDULE_AFTER_LOOK if clock.looked_us == now_us else SCHEDULE
        clock.call_at(now_us, phase, self._run_pass, None)

    # -- room -------------------------------------------------------------------------------

    def pod_gone(self, _: Pod | None, node: Node) -> None:
        """Note that room may have appeared on a node: freed, new, or open again."""
        if not node.open or node.position < 0:
            return
        if self._blocks:
            block = self._blocks[node.position // self._block_size]
            if node.free_cpu_m > block.cpu_m or node.free_memory_mib > block.memory_mib:
                block.raise_bounds(node)
        if self._blocked:
            self._room[node] = None
            if self._pass_due_us != self.clock.now_us:
                self._wake()

    def node_changed(self, node: Node) -> None:
        """Look at a node again."""
        self.pod_gone(None, node)

    def node_ready(self, node: Node) -> None:
        """Search a new node behind the others."""
        if self._blocks:
            if len(self._blocks[-1].nodes) == self._block_size:
                self._blocks.append(Block())
            self._blocks[-1].append(node)
        self.pod_gone(None, node)

    def node_removed(self, _: Node) -> None:
        """Cut the nodes into blocks anew."""
        self._blocks.clear()

    def pod_leaving(self, pod: Pod, node: Node) -> None:
        """Leave the room to the pod until its grace is over."""

    def images_changed(self, node: Node) -> None:
        """Place by room alone."""

    def _most_room(self) -> tuple[int, int]:
        """Return the most cpu and memory on any one node where room appeared."""
        nodes = self._room_now
        if len(nodes) == 1:  # as a rule
            return nodes[0].free_cpu_m, nodes[0].free_memory_mib
        cpu_m = max([node.free_cpu_m for node in nodes], default=-1)
        return cpu_m, max([node.free_memory_mib for node in nodes], default=-1)

    def _any_may_fit(self, cpu_m: int, memory_mib: int) -> bool:
        """Say whether some blocked class asks for no more cpu, and some for no more memory."""
        if not self._turns:
            return False
        if self._least is None:
            classes = [head[3] for head in self._turns]
            self._least = min([cls.cpu_m for cls in classes]), min([cls.memory_mib for cls in classes])
        return self._least[0] <= cpu_m and self._least[1] <= memory_mib

    # -- the pass ---------------------------------------------------------------------------

    def _pass(self, _: None) -> None:
        self._pass_due_us = -1
        fresh = self._fresh
        if len(fresh) == 1 and not self._room:
            self._place_all(fresh.popitem()[1])
            return
        if fresh:
            self._fresh = {}
        self._room_now = [node for node in self._room if node.open and node.position >= 0]
        if len(self._room_now) > 1:
            self._room_now.sort(key=attrgetter("position"))
        self._room.clear()
        self._place_in_order(fresh)
        self._room_now.clear()

    def _place_all(self, cls: ClassState) -> None:
        """Place the pods of the one class that has any to try; no room appeared for a blocked one."""
        pending = cls.pending
        if cls.index not in self._blocked:
            while pending:
                node = self._first_feasible(cls)
                if node is None:
                    self._block(cls)
                    break
                self.state.bind(pending.popleft(), node)
        if pending:
            self._refuse(cls)

    def _place_in_order(self, fresh: dict[int, ClassState]) -> None:
        """Place pods of fresh classes, and of blocked ones where room appeared, in order of their turn.

        Fresh classes count as blocked right away: when their turn comes, all nodes are looked at until a
        search is in vain, and pods that find no place are refused.
        """
        turns = self._turns
        anywhere = {index: cls for index, cls in fresh.items() if cls.pending and index not in self._blocked}
        for cls in anywhere.values():
            self._block(cls)
        cpu_m, memory_mib = self._most_room()
        start = 0
        while fresh or self._any_may_fit(cpu_m, memory_mib):
            for at in range(start, len(turns)):
                cls = turns[at][3]
                if (cls.cpu_m <= cpu_m and cls.memory_mib <= memory_mib) or cls.index in fresh:
                    break
            else:
                break
            node = self._first_feasible(cls) if cls.index in anywhere else self._first_with_room(cls)
            if node is None:
                anywhere.pop(cls.index, None)
                if cls.index in fresh:
                    self._refuse(cls)
                start = at + 1
                continue
            pod = cls.pending.popleft()
            del turns[at]
            if cls.pending:
                insort(turns, _head(cls), at)
            else:
                self._unblock(cls)
            self.state.bind(pod, node)
            start = at
            cpu_m, memory_mib = self._most_room()

    def _refuse(self, cls: ClassState) -> None:
        """Refuse the pods of a class that were not tried before."""
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
        """Return the first node that takes a pod of a class; searching a block in vain lowers its bounds."""
        cpu_m, memory_mib = cls.cpu_m, cls.memory_mib
        for block in self._blocks or self._cut_blocks():
            if cpu_m > block.cpu_m or memory_mib > block.memory_mib or not cls.shapes & block.shapes:
                continue
            most_cpu_m = most_memory_mib = -1
            for node in block.nodes:
                free_cpu_m, free_memory_mib = node.free_cpu_m, node.free_memory_mib
                if cpu_m <= free_cpu_m and memory_mib <= free_memory_mib and cls.fits(node):
                    return node
                if free_cpu_m > most_cpu_m:  # noqa: PLR1730  # a call of max() costs more than the rest
                    most_cpu_m = free_cpu_m
                if free_memory_mib > most_memory_mib:  # noqa: PLR1730  # as above
                    most_memory_mib = free_memory_mib
            block.cpu_m, block.memory_mib = most_cpu_m, most_memory_mib
        return None

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
