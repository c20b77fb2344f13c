"""kube-scheduler: one pod at a time onto the best node that fits, with back-off and preemption.

Pods come in order of priority, then of the time they were queued. A pod that fits nowhere is marked
unschedulable, which is when the autoscaler sees it; if others of lower priority could make way, they
are preempted and the pod keeps that node as nominated, which takes its room for all pods that are
not more important. As long as no room appears, what failed for one pod fails for its like.

Source: Kubernetes v1.31.13 pkg/scheduler/schedule_one.go; cluster-autoscaler.md §5. Binding takes no
time, and the scheduler's own throughput is not modelled.
"""

from __future__ import annotations

from bisect import insort
from heapq import heapify, heappop, heapreplace
from typing import TYPE_CHECKING

from sim.engine.clock import Call, Phase
from sim.engine.entities import PodState
from sim.engine.kubernetes.node_table import NodeTable
from sim.engine.kubernetes.placement import ClassView, Placement, Ties
from sim.engine.kubernetes.preemptor import Preemptor
from sim.engine.kubernetes.scheduling_queue import SchedulingQueue

if TYPE_CHECKING:
    from sim.engine.clock import Clock
    from sim.engine.entities import ClassState, Node, Pod
    from sim.engine.kubernetes.scheduling_queue import Cohort
    from sim.engine.state import ClusterState
    from sim.engine.streams import Streams
    from sim.model.cluster import SchedulerOptions

SCHEDULE, SCHEDULE_AFTER_LOOK = Phase.SCHEDULE, Phase.SCHEDULE_AFTER_LOOK  # looked up for every pod


class KubeScheduler:
    """Runs a pass over the active queue at each instant at which there is something in it."""

    def __init__(
        self, clock: Clock, state: ClusterState, options: SchedulerOptions, streams: Streams
    ) -> None:
        """Schedule for ``state``."""
        self.clock = clock
        self.state = state
        self.streams = streams
        self.queue = SchedulingQueue(clock, options, self.wake)
        self.table = NodeTable(state)
        self.placement = Placement(self.table)
        self.preemptor = Preemptor(clock, state, streams)
        self._views: dict[ClassState, ClassView] = {}
        self._ties: dict[str, Ties] = {}
        self._lowest_priority = 2**31
        self._hopeless: list[tuple[int, int, ClassView]] = []  # fitting nowhere, by cpu asked for
        self._pass_due_us = -1
        self._next_pass = Call(self._pass, None)

    def add(self, pod: Pod) -> None:
        """Queue a new pod."""
        pod.cls.enqueue(pod)
        self.queue.add(pod)

    def forget(self, pod: Pod) -> None:
        """Drop a pod that was deleted while pending."""
        pod.cls.dequeue(pod)
        if pod.nominated is not None:
            self.preemptor.release(pod)
            self._claim_given_up()

    def wake(self) -> None:
        """Have a pass run at this instant, behind the autoscaler's look if that has been."""
        clock = self.clock
        now_us = clock.now_us
        if self._pass_due_us != now_us:
            self._pass_due_us = now_us
            clock.put(self._next_pass, now_us, SCHEDULE_AFTER_LOOK if clock.looked_us == now_us else SCHEDULE)

    # -- the pass ---------------------------------------------------------------------------

    def _pass(self, _: Call[None]) -> None:
        self._pass_due_us = -1
        active = self.queue.take_active()
        if len(active) == 1:
            cohort = active[0]
            while self._schedule_head(cohort):
                pass
            return
        heads = [(cohort.turn(), number, cohort) for number, cohort in enumerate(active) if cohort.pods]
        heapify(heads)
        while heads:
            number, cohort = heads[0][1:]
            if self._schedule_head(cohort):
                heapreplace(heads, (cohort.turn(), number, cohort))
            else:
                heappop(heads)

    def _schedule_head(self, cohort: Cohort) -> bool:
        """Place the first pod of a cohort, or put pods back; return whether the cohort goes on."""
        pod = cohort.head()
        if pod is None:
            return False
        pods_gone = self.queue.pods_gone
        view = self._views.get(pod.cls) or self._view(pod.cls)
        node = self._node_for(pod, view)
        if node is not None:
            cohort.pods.popleft()
            pod.cls.dequeue(pod)
            kept = pod.nominated
            if kept is not None:
                self.preemptor.release(pod)
            self.state.bind(pod, node)
            if view.is_counted:
                self.table.count(node, view.owner_row, view.unset, 1)
            self.table.load(node)
            if kept is not None and kept is not node:
                self._room_appeared(kept)
        elif self._may_preempt(pod.cls) and self._preempt(pod):
            self.state.refuse(pod)
            self.queue.fail_alone(cohort, pods_gone)
        else:
            self._fail(cohort)
        return bool(cohort.pods)

    def _fail(self, cohort: Cohort) -> None:
        if cohort.attempts == 0:
            for pod in cohort.pods:
                if pod.state is PodState.PENDING:
                    self.state.refuse(pod)
        cls = cohort.cls
        room = any(node.open and cls.allowed[node.shape] for node in self.state.nodes)
        self.queue.fail(cohort, room=room, asleep=not self._may_preempt(cls))

    def _node_for(self, pod: Pod, view: ClassView) -> Node | None:
        if pod.nominated is not None:
            node = self.preemptor.nominated_node_for(pod)
            if node is not None:
                return node
        if view.hopeless:
            return None
        taken = self.preemptor.kept_for_others(pod) if self.preemptor.nominated else ()
        node = self.placement.choose(view, taken)
        if node is None:
            view.hopeless = True
            insort(self._hopeless, (view.cls.cpu_m, view.cls.index, view))
        return node

    def _preempt(self, pod: Pod) -> bool:
        before = pod.nominated
        preempting = self.preemptor.preempt(pod)
        if before is not None and pod.nominated is not before:
            self._claim_given_up()
        return preempting

    def _may_preempt(self, cls: ClassState) -> bool:
        return cls.spec.priority > self._lowest_priority

    def _claim_given_up(self) -> None:
        self.queue.pod_gone()
        self._give_hope([view for _, _, view in self._hopeless])

    def _view(self, cls: ClassState) -> ClassView:
        """Make the view of a class, on first use."""
        ties = self._ties.get(cls.spec.name)
        if ties is None:
            ties = self._ties[cls.spec.name] = Ties(self.streams.stream(f"scheduler-ties/{cls.spec.name}"))
        view = self._views[cls] = ClassView(cls, self.state, self.table, ties)
        if cls.spec.priority < self._lowest_priority:
            self._lowest_priority = cls.spec.priority
            self._give_hope([view for _, _, view in self._hopeless])
        if cls.spec.spread or cls.anti_affinity:
            for other in self._views.values():
                other.count_by(self.table.known_owner_row(other.cls))
        return view

    # -- what the state tells ---------------------------------------------------------------

    def node_ready(self, node: Node) -> None:
        """Let pods try a new node."""
        self.table.add(node)
        self._node_usable(node)

    def node_removed(self, node: Node) -> None:
        """Forget a node, and what was nominated to it."""
        self.table.remove(node)
        self.preemptor.node_gone(node)

    def node_changed(self, node: Node) -> None:
        """Read a node anew, and let pods try it if it is open."""
        if node.position >= 0:
            self.table.refresh(node)
            if node.open:
                self._node_usable(node)

    def _node_usable(self, node: Node) -> None:
        refused = self.state.refused.values()  # pods of other classes were not tried yet
        self.queue.node_usable([cls for cls in refused if cls.pending and cls.fits(node)])
        self._room_appeared(node)

    def pod_gone(self, pod: Pod, node: Node) -> None:
        """Let pods try the room that a pod has left."""
        view = self._views[pod.cls]
        if view.is_counted:
            self.table.count(node, view.owner_row, view.unset, -1)
        self.table.load(node)
        self.queue.pod_gone()
        if self._hopeless:
            self._room_appeared(node)

    def _room_appeared(self, node: Node) -> None:
        """Let those classes try again that were refused everywhere and now fit on a node."""
        free_cpu_m, free_memory_mib = node.free_cpu_m, node.free_memory_mib
        fitting = []
        for cpu_m, _, view in self._hopeless:
            if cpu_m > free_cpu_m:
                break
            if view.cls.memory_mib <= free_memory_mib and view.cls.fits(node):
                fitting.append(view)
        if fitting:
            self._give_hope(fitting)

    def _give_hope(self, views: list[ClassView]) -> None:
        for view in views:
            view.hopeless = False
        self._hopeless = [entry for entry in self._hopeless if entry[2].hopeless]
        for view in views:
            self.queue.rouse(view.cls)

    def images_changed(self, node: Node) -> None:
        """Score the images that are on a node by now."""
        self.table.images_changed(node, self.clock.now_us)
