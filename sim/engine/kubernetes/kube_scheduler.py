"""kube-scheduler: one pod at a time onto the best node that fits, with back-off and preemption.

Pods come in order of priority, then of the time they were queued. A pod that fits nowhere is marked
unschedulable, which is when the autoscaler sees it; if others of lower priority could make way, they
are preempted and the pod keeps that node as nominated, which takes its room for all pods that are
not more important. As long as no room appears, what failed for one pod fails for its like.

Source: Kubernetes v1.31.13 and v1.33.5 pkg/scheduler/schedule_one.go, eventhandlers.go, by the cluster's
version; cluster-autoscaler.md §5. Binding takes no time, and the scheduler's own throughput is not
modelled.
"""

from __future__ import annotations

from bisect import insort
from typing import TYPE_CHECKING

from sim.decisions.kubernetes.scheduling import scheduler_rules
from sim.engine.clock import Call, Phase
from sim.engine.entities import PodState
from sim.engine.kubernetes.class_view import ClassView, Ties
from sim.engine.kubernetes.cohort import Rejector
from sim.engine.kubernetes.events import (
    helped_by_node,
    helped_by_pod,
    helped_by_pod_gone,
    kind_of,
    rejectors,
    taints_of,
)
from sim.engine.kubernetes.node_table import NodeTable
from sim.engine.kubernetes.placement import Placement
from sim.engine.kubernetes.preemptor import Preemptor
from sim.engine.kubernetes.scheduling_queue import SchedulingQueue

if TYPE_CHECKING:
    from sim.engine.clock import Clock
    from sim.engine.entities import ClassState, Node, Pod
    from sim.engine.kubernetes.cohort import Cohort
    from sim.engine.kubernetes.events import Kind, Known
    from sim.engine.state import ClusterState
    from sim.engine.streams import Streams
    from sim.model.cluster import SchedulerOptions

SCHEDULE, SCHEDULE_AFTER_LOOK = Phase.SCHEDULE, Phase.SCHEDULE_AFTER_LOOK  # looked up for every pod


class KubeScheduler:
    """Runs a pass over the active queue at each instant at which there is something in it.

    ``other_nodes``: the real cluster has nodes that are not simulated, such as Pachyderm's own, so that it
    is never without any.
    """

    def __init__(
        self,
        clock: Clock,
        state: ClusterState,
        options: SchedulerOptions,
        streams: Streams,
        *,
        other_nodes: bool = False,
    ) -> None:
        """Schedule for ``state``."""
        self.clock = clock
        self.state = state
        self.streams = streams
        self.other_nodes = other_nodes
        self.rules = scheduler_rules(state.cluster.kubernetes_version)
        self.queue = SchedulingQueue(clock, options, self.rules, self.wake, self._call_on)
        self.table = NodeTable(state)
        self.placement = Placement(self.table)
        self.preemptor = Preemptor(clock, state, streams, self.placement.domains, self._claim_given_up)
        self._views: dict[ClassState, ClassView] = {}
        self._ties: dict[str, Ties] = {}
        self._lowest_priority = 2**31
        self._hopeless: list[tuple[int, int, ClassView]] = []  # fitting nowhere, by cpu asked for
        self._rooms: list[Node] = []  # where room appeared since the last pass, and sleeping pods have hope
        self._known: dict[Node, Known] = {}  # the taints of each node
        self._leaving: set[Pod] = set()  # pods in their grace
        self._refused_by: dict[ClassView, int] = {}  # by nodes of these kinds
        self._kinds: set[Kind] = set()
        self._kinds_known = False
        self._minds_pods = False  # whether any class minds what pods are elsewhere
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
            self._claim_given_up(pod)

    def wake(self) -> None:
        """Have a pass run at this instant, behind the autoscaler's look if that has been."""
        clock = self.clock
        now_us = clock.now_us
        if self._pass_due_us != now_us:
            self._pass_due_us = now_us
            clock.put(self._next_pass, now_us, SCHEDULE_AFTER_LOOK if clock.looked_us == now_us else SCHEDULE)

    # -- the pass ---------------------------------------------------------------------------

    def _pass(self, _: Call[None]) -> None:
        queue = self.queue
        while (cohort := queue.next()) is not None:
            while self._schedule_head(cohort) and queue.goes_on(cohort):
                pass
        self._rooms.clear()
        self._pass_due_us = -1

    def _schedule_head(self, cohort: Cohort) -> bool:
        """Place the first pod of a cohort, or put pods back; return whether the cohort goes on."""
        pod = cohort.head()
        if pod is None:
            return False
        view = self._views.get(pod.cls) or self.view(pod.cls)
        node = self._node_for(pod, view)
        if node is not None:
            cohort.pods.popleft()
            pod.cls.dequeue(pod)
            self.place(pod, node, view)
        elif self._fails_without_nodes(cohort):
            pass
        elif self._may_preempt(pod.cls) and self._preempt(pod, view, cohort):
            self.state.refuse(pod)
        else:
            self._fail(cohort, view)
        return bool(cohort.pods)

    def place(self, pod: Pod, node: Node, view: ClassView) -> None:
        """Bind a pod to a node."""
        kept = pod.nominated
        if kept is not None:
            self.preemptor.release(pod)
        self.state.bind(pod, node)
        if view.is_counted:
            self.table.count(node, view.counters, view.unset, 1)
        self.table.load(node)
        if kept is not None and kept is not node:
            self._claim_given_up(pod)
        if self._minds_pods:
            self.queue.move(lambda cohort: helped_by_pod(cohort, pod.cls.spec))

    def _fails_without_nodes(self, cohort: Cohort) -> bool:
        if self.table.nodes or self.other_nodes:
            return False
        self._refuse(cohort)
        self.queue.fail_without_nodes(cohort)
        return True

    def _fail(self, cohort: Cohort, view: ClassView) -> None:
        self._refuse(cohort)
        refused_by = self._rejectors(view)
        by_others = refused_by & (Rejector.SPREAD | Rejector.INTER_POD)
        asleep = view.hopeless and not by_others and not self._may_preempt(cohort.cls)
        self.queue.fail(cohort, refused_by, asleep=asleep)

    def _refuse(self, cohort: Cohort) -> None:
        if cohort.attempts == 0:
            for pod in cohort.pods:
                if pod.state is PodState.PENDING:
                    self.state.refuse(pod)

    def _rejectors(self, view: ClassView) -> int:
        """Return who refuses a class; for what nodes are it is asked anew when one comes, goes or changes."""
        if view.is_bound_by_others or view.apart_row >= 0:
            return rejectors(view, self.state.nodes, self.placement.domains)
        if not self._kinds_known:
            self._kinds_known = True
            kinds = {kind_of(node) for node in self.state.nodes}
            if kinds != self._kinds:
                self._kinds = kinds
                self._refused_by.clear()
        known = self._refused_by.get(view)
        if known is None:
            known = self._refused_by[view] = rejectors(view, self.state.nodes, self.placement.domains)
        return known

    def _node_for(self, pod: Pod, view: ClassView) -> Node | None:
        if pod.nominated is not None and self.fits_where_nominated(pod, view):
            return pod.nominated
        if view.hopeless and not self._has_hope(view):
            return None
        taken = self.preemptor.kept_for_others(pod) if self.preemptor.nominated else ()
        node = self.placement.choose(view, taken)
        if node is None and not view.is_bound_by_others:
            view.hopeless = True
            insort(self._hopeless, (view.cls.cpu_m, view.cls.index, view))
        return node

    def _has_hope(self, view: ClassView) -> bool:
        """Let a class that fitted nowhere try again if it fits where room has appeared."""
        for node in self._rooms:
            if node.position >= 0 and view.cls.fits(node):
                self._give_hope([view])
                return True
        return False

    def _call_on(self, cohort: Cohort) -> None:
        """Rouse a class that sleeps when its turn has come, unless it would fail as it did before."""
        view = self._views[cohort.cls]
        if self._has_hope(view):
            return
        if cohort.refused_by != self._rejectors(view):
            self._give_hope([view])
        elif self.table.touched:
            self.table.take_snapshot()

    def fits_where_nominated(self, pod: Pod, view: ClassView) -> bool:
        """Say whether a pod fits on its nominated node, which it then takes unscored."""
        node = pod.nominated
        if node is None or not pod.cls.fits(node) or not self.preemptor.has_nominated_room(pod):
            return False
        if view.apart_row >= 0 and self.table.row(view.apart_row)[node.position]:
            return False
        return not view.is_bound_by_others or bool(self.placement.domains.open_to(view)[node.position])

    def _preempt(self, pod: Pod, view: ClassView, cohort: Cohort) -> bool:
        """Let a pod make room for itself, if it can; it is then put back by itself."""
        if pod.nominated is not None and not self.preemptor.is_eligible(pod):
            self.queue.fail_alone(cohort, self._rejectors(view), moved=False)
            return True
        refused_by = self._rejectors(view)
        pods_gone = self.queue.pods_gone
        last_gone = self.preemptor.preempt(pod, view)
        if pod.nominated is None:
            return False
        moved = last_gone if self.rules.asynchronous_preemption else self.queue.pods_gone > pods_gone
        self.queue.fail_alone(cohort, refused_by, moved=moved)
        return True

    def _may_preempt(self, cls: ClassState) -> bool:
        return cls.spec.priority > self._lowest_priority

    def _claim_given_up(self, pod: Pod) -> None:
        """Tell others that room is kept for a pod no longer: from 1.32 on the less important are moved.

        Source: v1.33.5 eventhandlers.go (getLEPriorityPreCheck).
        """
        if self.rules.queueing_hints:
            priority = pod.cls.spec.priority

            def helped(cohort: Cohort) -> bool:
                return cohort.cls.spec.priority <= priority and (
                    bool(cohort.refused_by & Rejector.FIT)
                    or helped_by_pod_gone(cohort, pod.cls.spec, self.rules)
                )

            self.queue.move(helped)
            self.queue.move_sleeping(helped)
        self._give_hope([view for _, _, view in self._hopeless])

    def view(self, cls: ClassState) -> ClassView:
        """Return the view of a class, made on first use."""
        known = self._views.get(cls)
        if known is not None:
            return known
        ties = self._ties.get(cls.spec.name)
        if ties is None:
            ties = self._ties[cls.spec.name] = Ties(self.streams.stream(f"scheduler-ties/{cls.spec.name}"))
        counters = len(self.table.counters)
        view = ClassView(cls, self.state, self.table, ties, self.rules)
        view.know(self.table, [other.spec for other in self._views])
        self._views[cls] = view
        if cls.spec.priority < self._lowest_priority:
            self._lowest_priority = cls.spec.priority
            self._give_hope([view for _, _, view in self._hopeless])
        if cls.anti_affinity or cls.spec.terms_apart or len(self.table.counters) > counters:
            for other in self._views.values():
                other.know(self.table, [cls.spec])
            for other in self._views.values():  # all counters are there now
                other.know(self.table, ())
        self._minds_pods = self._minds_pods or view.is_bound_by_others
        return view

    # -- what the state tells ---------------------------------------------------------------

    def node_ready(self, node: Node) -> None:
        """Let pods try a new node."""
        self.table.add(node)
        self._kinds_known = False
        self._node_usable(node, is_new=True)

    def node_removed(self, node: Node) -> None:
        """Forget a node, and what was nominated to it."""
        self.table.remove(node)
        self._kinds_known = False
        self.preemptor.node_gone(node)
        self._known.pop(node, None)
        if self._minds_pods:
            self.queue.move(lambda cohort: bool(cohort.refused_by & Rejector.SPREAD))

    def node_changed(self, node: Node) -> None:
        """Read a node anew, and let pods try it if it is open."""
        if node.position >= 0:
            self.table.refresh(node)
            self._kinds_known = False
            self._node_usable(node, is_new=False)

    def _node_usable(self, node: Node, *, is_new: bool) -> None:
        before = self._known.get(node)
        self._known[node] = taints_of(node)

        def helped(cohort: Cohort) -> bool:
            return helped_by_node(cohort, node, self.rules, before=None if is_new else before)

        self.queue.move(helped)
        self.queue.move_sleeping(helped)
        if node.open or node.cordoned:
            self._room_appeared(node)

    def pod_gone(self, pod: Pod, node: Node) -> None:
        """Let pods try the room that a pod has left."""
        view = self._views[pod.cls]
        leaving = pod in self._leaving
        if leaving:
            self._leaving.discard(pod)
            self.preemptor.gone(pod)
        if view.is_counted:
            self.table.count(node, view.counters, view.unset, -1, leaving=leaving)
        self.table.load(node)
        spec = pod.cls.spec
        self.queue.pod_gone(lambda cohort: helped_by_pod_gone(cohort, spec, self.rules))
        if self._hopeless:
            self._room_left(node)

    def pod_leaving(self, pod: Pod, node: Node) -> None:
        """Count a pod in its grace no longer where upstream does not."""
        self._leaving.add(pod)
        if node.position >= 0:
            self.table.leaves(node, self._views[pod.cls].counters)

    def _room_left(self, node: Node) -> None:
        """Let classes try the room that a pod has left: those that sleep, when their turn comes."""
        fitting = self._fitting(node)
        if fitting and self.rules.pops_from_backoff:
            self._rooms.append(node)
            fitting = [view for view in fitting if view.apart_row >= 0 or not self.queue.let_hope(view.cls)]
        if fitting:
            self._give_hope(fitting)

    def _room_appeared(self, node: Node) -> None:
        """Let those classes try again that were refused everywhere and now fit on a node."""
        fitting = self._fitting(node)
        if fitting:
            self._give_hope(fitting)

    def _fitting(self, node: Node) -> list[ClassView]:
        """Return the hopeless classes that fit on a node."""
        free_cpu_m, free_memory_mib = node.free_cpu_m, node.free_memory_mib
        fitting = []
        for cpu_m, _, view in self._hopeless:
            if cpu_m > free_cpu_m:
                break
            if view.cls.memory_mib <= free_memory_mib and view.cls.fits(node):
                fitting.append(view)
        return fitting

    def _give_hope(self, views: list[ClassView]) -> None:
        for view in views:
            view.hopeless = False
        self._hopeless = [entry for entry in self._hopeless if entry[2].hopeless]
        for view in views:
            self.queue.rouse(view.cls)

    def images_changed(self, node: Node) -> None:
        """Score the images that are on a node by now."""
        self.table.images_changed(node)
