"""The cluster's mutable state: nodes in order, pods and their legal transitions.

Everything that changes goes through here, is checked here and is logged here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.engine import histories
from sim.engine.entities import (
    BOUND,
    ENDED,
    LEGAL,
    PENDING,
    RUNNING,
    TERMINATING,
    ClassState,
    Node,
    Pod,
    PodOwner,
    PodState,
)
from sim.errors import SimulationError
from sim.model.log import EventLog, NodeState, PodEnd

if TYPE_CHECKING:
    from sim.engine.clock import Clock
    from sim.engine.ports import Kubelet, NodeAutoscaler, Ports, Scheduler, Serverless
    from sim.model.cluster import Cluster
    from sim.model.pods import PodClass

WITH_THE_NODE = frozenset({PodEnd.NODE_GONE, PodEnd.SPOT_INTERRUPTED})  # no grace: its machine is gone


class ClusterState:
    """Nodes, classes and pods of one simulation; every change is checked and logged.

    ``touched`` holds the nodes that changed, None for pending pods, since the autoscaler emptied it;
    ``refused`` the classes by index that had a pod refused: who reads it drops those without pending pods.
    """

    scheduler: Scheduler
    kubelet: Kubelet
    serverless: Serverless
    autoscaler: NodeAutoscaler

    def __init__(self, clock: Clock, log: EventLog, cluster: Cluster, *, checks: bool = True) -> None:
        """Start with no nodes and no pods; ``connect`` it before anything happens."""
        self.clock = clock
        self.log = log
        self.cluster = cluster
        self.checks = checks
        self.nodes: list[Node] = []  # in node order: that of becoming Ready
        self.classes: list[ClassState] = []
        self._class_index: dict[PodClass, ClassState] = {}
        self._pods = 0  # created so far
        created, refused, bound, running, ended = (
            log[table] for table in ("pods", "pod_unschedulable", "pod_bound", "pod_running", "pod_ended")
        )
        self._log_created, self._created = created.append, created.row
        self._log_refused, self._refused = refused.append, refused.row
        self._log_bound, self._bound = bound.append, bound.row
        self._log_running, self._running = running.append, running.row
        self._log_ended, self._ended = ended.append, ended.row
        self.touched: dict[Node | None, None] = {}
        self.refused: dict[int, ClassState] = {}
        log.names["group"].extend(group.name for group in cluster.node_groups)
        self.shapes = cluster.planned_shapes
        log.names["shape"].extend(shape.name for shape in cluster.shapes)
        self.daemons = [
            [self._add_class(daemon) for daemon in cluster.daemons_on(shape)] for shape in self.shapes
        ]  # by shape

    def connect(self, ports: Ports) -> None:
        """Have these actors hear of everything from now on."""
        self.scheduler = ports.scheduler
        self.kubelet = ports.kubelet
        self.serverless = ports.serverless
        self.autoscaler = ports.autoscaler

    # -- pods -------------------------------------------------------------------------------

    def pod_class(self, spec: PodClass) -> ClassState:
        """Return the state of a class, made on first use."""
        known = self._class_index.get(spec)
        if known is None:
            known = self._add_class(spec)
            known.profile = self.serverless.profile_of(spec)
            known.runs_at_once = self.kubelet.runs_at_once(spec)
        return known

    def _add_class(self, spec: PodClass) -> ClassState:
        """Return the state of a class whose pods stand on nodes: that of DaemonSets stays so."""
        known = self._class_index.get(spec)
        if known is None:
            known = ClassState(len(self.classes), spec, self.shapes)
            self._class_index[spec] = known
            self.classes.append(known)
            self.log.names["pod_class"].append(spec.name)
            self.log.tables["pod_classes"].add(
                (known.cpu_m, known.memory_mib, known.ephemeral_mib, known.gpu)
            )
        return known

    def create_pod(self, cls: ClassState, owner: PodOwner, source: int, replaces: Pod | None = None) -> Pod:
        """Create a pod, and hand it to the scheduler or to Fargate.

        ``source`` is a row of ``log.names["source"]``.
        """
        now_us = self.clock.now_us
        pod = Pod(self._pods, cls, owner, now_us)
        self._pods += 1
        if replaces is None:
            self._log_created(self._created(now_us, cls.index, source, -1))
        else:
            pod.order = replaces.order
            self._log_created(self._created(now_us, cls.index, source, replaces.id))
        if cls.profile is None:
            self.scheduler.add(pod)
        else:
            self.serverless.add(pod)
        return pod

    def bind(self, pod: Pod, node: Node) -> None:
        """Place a pending pod on a node."""
        cls = pod.cls
        if self.checks:
            if not cls.fits(node):
                raise SimulationError(f"{pod!r} does not fit {node!r}", histories.of_pod(self.log, pod.id))
            self._check_move(pod, BOUND)
        pod.state = BOUND
        pod.node = node
        pod.bound_us = now_us = self.clock.now_us
        pod.unschedulable = False
        node.pods[pod] = None
        # Node.take without the call, as its reverse in end: once a pod each
        node.free_cpu_m -= cls.cpu_m
        node.free_memory_mib -= cls.memory_mib
        node.free_pods -= 1
        if not cls.simple:
            node.take_rest(cls)
        if node not in self.touched:
            self._touch(node)
        self._log_bound(self._bound(now_us, pod.id, node.id))
        if cls.runs_at_once:
            self.run(pod)
        else:
            self.kubelet.bound(pod, node)

    def place_on_fargate(self, pod: Pod) -> None:
        """Say that the pod's own microVM is Ready; such a pod has no node of ours."""
        self._move(pod, BOUND)
        self.log.tables["fargate_ready"].add((self.clock.now_us, pod.id))

    def refuse(self, pod: Pod) -> None:
        """Say that the scheduler tried and failed; the condition stays until the pod is placed."""
        if not pod.unschedulable:
            pod.unschedulable = True
            self.refused[pod.cls.index] = pod.cls
            self._log_refused(self._refused(self.clock.now_us, pod.id))
            self._touch(None)
            self.autoscaler.pod_unschedulable()
            pod.owner.pod_refused(pod)

    def run(self, pod: Pod) -> None:
        """Say that the pod's containers run now."""
        if self.checks:
            self._check_move(pod, RUNNING)
        pod.state = RUNNING
        self._log_running(self._running(self.clock.now_us, pod.id))
        pod.owner.pod_running(pod)

    def end(self, pod: Pod, reason: PodEnd) -> None:
        """End a pod at once and free its room; its owner knows already, or caused it."""
        if pod.cls.profile is not None:
            self.serverless.forget(pod)
        elif pod.state is PENDING:
            self.scheduler.forget(pod)
        if self.checks:
            self._check_move(pod, ENDED)
        if pod.state is not TERMINATING:
            self._log_ended(self._ended(self.clock.now_us, pod.id, reason))
        pod.state = ENDED
        if pod.call is not None:
            pod.call.cancel()
            pod.call = None
        node = pod.node
        if node not in self.touched:
            self._touch(node)
        if node is not None:
            del node.pods[pod]
            cls = pod.cls
            node.free_cpu_m += cls.cpu_m
            node.free_memory_mib += cls.memory_mib
            node.free_pods += 1
            if not cls.simple:
                node.give_back_rest(cls)
            self.scheduler.pod_gone(pod, node)

    def evict(self, pod: Pod, reason: PodEnd) -> None:
        """Take a placed pod away: its work stops now, its room is held for its grace.

        Whoever evicts sees to it that ``end`` is called when the grace is over.
        """
        if pod.call is not None:
            pod.call.cancel()
            pod.call = None
        if pod.cls.spec.grace_us > 0 and reason not in WITH_THE_NODE:
            self._move(pod, TERMINATING)
            if pod.node is not None:
                self.scheduler.pod_leaving(pod, pod.node)
            self._log_ended(self._ended(self.clock.now_us, pod.id, reason))
        else:
            self.end(pod, reason)
        pod.owner.pod_lost(pod, reason)

    def _touch(self, node: Node | None) -> None:
        if not self.touched:
            self.autoscaler.cluster_changed()
        self.touched[node] = None

    def _move(self, pod: Pod, to: PodState) -> None:
        if self.checks:
            self._check_move(pod, to)
        pod.state = to

    def _check_move(self, pod: Pod, to: PodState) -> None:
        if to not in LEGAL[pod.state]:
            raise SimulationError(f"{pod!r} cannot become {to.name}", histories.of_pod(self.log, pod.id))

    # -- nodes ------------------------------------------------------------------------------

    def add_node(self, node: Node) -> None:
        """Add a node that has become Ready, last in node order, with its DaemonSet pods' room taken."""
        node.position = len(self.nodes)
        self.nodes.append(node)
        for cls in self.daemons[node.shape]:
            node.take(cls)
        self._touch(node)
        self.log_node(node.id, NodeState.READY)
        self.scheduler.node_ready(node)

    def remove_node(self, node: Node) -> None:
        """Remove an emptied node."""
        if self.checks and node.pods:
            problem = f"{node!r} is removed with {len(node.pods)} pods on it"
            raise SimulationError(problem, histories.of_node(self.log, node.id))
        self.nodes.pop(node.position)
        for position in range(node.position, len(self.nodes)):
            self.nodes[position].position = position
        node.position = -1
        self._touch(node)
        self.log_node(node.id, NodeState.GONE)
        self.scheduler.node_removed(node)

    def close(self, node: Node, *, cordon: bool = False) -> None:
        """Keep new pods off a node: a NoSchedule taint, or a ``cordon``, which some tolerate."""
        node.open = False
        node.cordoned = cordon
        self._touch(node)
        self.scheduler.node_changed(node)

    def reopen(self, node: Node) -> None:
        """Let pods onto a node again."""
        node.open = True
        node.cordoned = False
        self._touch(node)
        self.scheduler.node_changed(node)

    def set_avoid(self, node: Node, avoid: bool) -> None:
        """Put a PreferNoSchedule taint on a node, or take it off."""
        node.avoid = avoid
        self.scheduler.node_changed(node)

    def publish_gpus(self, node: Node) -> None:
        """Say that the device plugin has published the GPUs of a node that was added without them."""
        node.gpu_ready = True
        node.free_gpu += node.spec.allocatable.gpu
        self._touch(node)
        self.log_node(node.id, NodeState.GPU_READY)
        self.scheduler.node_changed(node)

    def log_node(self, node_id: int, state: NodeState) -> None:
        """Write one step of a node's life."""
        self.log.tables["node_states"].add((self.clock.now_us, node_id, state))

    # -- invariants -------------------------------------------------------------------------

    def check(self) -> None:
        """Raise if the books do not balance: room on each node equals allocatable less requests."""
        for node in self.nodes:
            classes = [pod.cls for pod in node.pods] + self.daemons[node.shape]
            free = node.spec.allocatable
            expected = (
                free.cpu_m - sum(c.cpu_m for c in classes),
                free.memory_mib - sum(c.memory_mib for c in classes),
                free.ephemeral_mib - sum(c.ephemeral_mib for c in classes),
                (free.gpu if node.gpu_ready else 0) - sum(c.gpu for c in classes),
                node.spec.max_pods - len(classes),
            )
            actual = (
                node.free_cpu_m, node.free_memory_mib, node.free_ephemeral_mib, node.free_gpu,
                node.free_pods,
            )  # fmt: skip
            if expected != actual or min(actual) < 0:
                problem = f"{node!r} has {actual} free, its pods leave {expected}"
                raise SimulationError(problem, histories.of_node(self.log, node.id))
            strays = [pod.id for pod in node.pods if pod.node is not node]
            if strays:
                problem = f"{node!r} holds pod {strays[0]}, which is elsewhere"
                raise SimulationError(problem, histories.of_pod(self.log, strays[0]))
