"""First-fit scheduling: each pending pod goes to the first node, in node order, that takes it.

The queue is ordered by (time the pod became pending, order of creation); a pod that does not fit
does not block later ones. No scores, no preemption, no back-off: the scheduler of the recorded
autoscaler runs (oracle README §3), and a true first-come-first-served queue for theory.

A pass costs what changed since the last one. A class none of whose pods fit stays blocked until
room is released on a node that takes it; the first feasible node of a class is remembered together
with how much of the release history it has seen, and only releases after that are looked at.
"""

from __future__ import annotations

from heapq import heapify, heappop, heapreplace
from itertools import islice
from typing import TYPE_CHECKING

from sim.engine.clock import Phase

if TYPE_CHECKING:
    from sim.engine.clock import Call, Clock
    from sim.engine.state import ClassState, ClusterState, Node, Pod

LONGEST_HISTORY = 4_096


class FirstFitScheduler:
    """Holds the pending queue, by class, and runs a pass when something relevant changed."""

    def __init__(self, clock: Clock, state: ClusterState) -> None:
        """Take charge of scheduling for ``state``."""
        self.clock = clock
        self.state = state
        self._fresh: dict[int, ClassState] = {}  # classes to try in the next pass
        self._blocked: dict[int, ClassState] = {}  # classes with pods that fit nowhere
        self._released: list[Node] = []  # nodes on which room appeared, in order
        self._pass_due_us = -1
        state.scheduler = self
        state.on_release = self.released
        state.on_node_ready = self.released
        state.on_node_removed = lambda _: self._forget_positions()

    def add(self, pod: Pod) -> None:
        """Queue a new pod."""
        pod.cls.enqueue(pod)
        self._fresh[pod.cls.index] = pod.cls
        self.wake()

    def forget(self, pod: Pod) -> None:
        """Drop a pod that was deleted while pending."""
        pod.cls.dequeue(pod)

    def released(self, node: Node) -> None:
        """Note that room appeared on a node: freed, new, or open again."""
        if not node.open:
            return
        self._released.append(node)
        if self._blocked:
            woken = [cls for cls in self._blocked.values() if cls.fits(node)]
            for cls in woken:
                del self._blocked[cls.index]
                self._fresh[cls.index] = cls
            if woken:
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
        fresh = list(self._fresh.values())
        self._fresh.clear()
        if len(fresh) == 1:
            while self._place_head(fresh[0]):
                pass
            return
        heads = [
            (cls.pending[0].pending_us, cls.pending[0].order, cls.index, cls) for cls in fresh if cls.pending
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
            return False
        node = self._first_feasible(cls)
        if node is None:
            self._block(cls)
            return False
        self.state.bind(pending.popleft(), node)
        return bool(pending)

    def _block(self, cls: ClassState) -> None:
        self._blocked[cls.index] = cls
        for pod in reversed(cls.pending):
            self.state.refuse(pod)

    def _first_feasible(self, cls: ClassState) -> Node | None:
        nodes = self.state.nodes
        released = self._released
        if len(released) > LONGEST_HISTORY:
            self._forget_positions()
        start = cls.first_feasible
        if len(released) - cls.seen > len(nodes):
            start = 0
        else:
            for index in range(cls.seen, len(released)):
                node = released[index]
                if 0 <= node.position < start and cls.fits(node):
                    start = node.position
        cls.seen = len(released)
        cpu_m = cls.cpu_m
        memory_mib = cls.memory_mib
        for node in islice(nodes, start, None):
            if cpu_m <= node.free_cpu_m and memory_mib <= node.free_memory_mib and cls.fits(node):
                cls.first_feasible = node.position
                return node
        cls.first_feasible = len(nodes)
        return None

    def _forget_positions(self) -> None:
        self._released.clear()
        for cls in self.state.classes:
            cls.seen = 0
            cls.first_feasible = 0
