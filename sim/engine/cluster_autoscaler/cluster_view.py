"""The autoscaler's snapshot, kept in step with the cluster: only nodes that changed are read anew.

Expendable pods take no room in it. A node with a GPU label whose GPUs are not up yet counts as
starting: it is in no snapshot, a placeholder stands for it.

Source: Cluster Autoscaler 1.31.5, core/static_autoscaler.go (obtainNodeLists,
initializeClusterSnapshot), processors/customresources/gpu_processor.go.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING

from sim.decisions.cluster_autoscaler.snapshot import Snapshot
from sim.decisions.cluster_autoscaler.snapshot_node import SnapshotNode
from sim.decisions.cluster_autoscaler.utilization import node_capacity, underused_room
from sim.model.cluster import GPU_LABEL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sim.decisions.cluster_autoscaler.snapshot_node import PodView
    from sim.engine.entities import Node
    from sim.engine.state import ClusterState
    from sim.model.autoscaler import AutoscalerOptions


class NodeView(SnapshotNode):
    """A real node in the snapshot."""

    __slots__ = ("_expendable", "_real_pods", "cutoff", "empty", "node")

    def __init__(self, node: Node, cutoff: int) -> None:
        """Describe ``node``; pods below the priority ``cutoff`` are not seen."""
        super().__init__(node.id, node.group, node.shape, (0, 0, 0, 0, 0))
        self.node = node
        self.cutoff = cutoff
        self.empty = True
        self._real_pods: Sequence[PodView] | None = None
        self._expendable = False

    def real_pods(self) -> Sequence[PodView]:
        """Return the pods that are there, in order of creation; DaemonSets' are left out."""
        if self._real_pods is None:
            pods = sorted(self.node.pods, key=attrgetter("id"))
            if self._expendable:
                pods = [pod for pod in pods if pod.cls.spec.priority >= self.cutoff]
            self._real_pods = pods
        return self._real_pods

    def read(self, expendable: bool) -> None:
        """Take in what changed on the node; ``expendable``: there are pods that must not be seen."""
        node = self.node
        self.cpu_m = node.free_cpu_m
        self.memory_mib = node.free_memory_mib
        self.ephemeral_mib = node.free_ephemeral_mib
        self.gpu = node.free_gpu
        self.pods_left = node.free_pods
        self.open = node.open
        self.empty = not node.pods
        self.blocked = None
        self._real_pods = None
        self._expendable = expendable
        if expendable:
            for pod in node.pods:
                if pod.cls.spec.priority < self.cutoff:
                    self.cpu_m += pod.cls.cpu_m
                    self.memory_mib += pod.cls.memory_mib
                    self.ephemeral_mib += pod.cls.ephemeral_mib
                    self.gpu += pod.cls.gpu
                    self.pods_left += 1
            self.empty = not self.real_pods()


class ClusterView:
    """All nodes as the autoscaler sees them, and which of them are used little."""

    def __init__(self, state: ClusterState, options: AutoscalerOptions) -> None:
        """Follow ``state``."""
        self.state = state
        self.options = options
        self.snapshot = Snapshot()
        self.nodes: dict[int, NodeView] = {}
        self.by_group: list[dict[int, NodeView]] = [{} for _ in state.cluster.node_groups]
        self.registered: dict[int, None] = {}  # these, and those that are starting
        self.starting: dict[int, Node] = {}  # Ready, but their GPUs are not up yet
        self.low: dict[int, NodeView] = {}  # used less than the scale-down threshold
        self.no_longer_low: dict[int, None] = {}  # or never were; until somebody clears this
        self.awake: dict[int, NodeView] = {}  # of the low ones, those that somebody must look at again
        self.changes = 0  # of which nodes there are
        least = [
            underused_room(node_capacity(spec.allocatable, daemons), options)
            for spec, daemons in zip(state.shapes, state.daemons, strict=True)
        ]
        self._least = [
            (room.cpu_m, room.memory_mib, room.gpu, spec.allocatable.gpu > 0)
            for room, spec in zip(least, state.shapes, strict=True)
        ]
        self._gpu_labelled = [GPU_LABEL in dict(spec.labels) for spec in state.shapes]
        self._classes = 0
        self._expendable = False

    def update(self) -> None:
        """Read what changed since the last time."""
        touched = self.state.touched
        if not touched:
            return
        self._look_for_expendable()
        nodes, judge, expendable = self.nodes, self._judge, self._expendable
        come_or_gone = []
        for node in touched:
            if node is None or node.group < 0:  # of no group: another's
                continue
            view = nodes.get(node.id)
            if view is None or node.position < 0:
                come_or_gone.append(node)
            else:
                was_empty = view.empty
                view.read(expendable)
                judge(view, was_empty)
        touched.clear()
        if come_or_gone:
            self._count(come_or_gone)

    def _count(self, touched: list[Node]) -> None:
        """Take out nodes that are gone, and take in new ones."""
        gone = [node for node in touched if node.position < 0]
        if gone:
            self._take_out(gone)
        in_order = [self._add(node) for node in touched if node.position >= 0]
        if not all(in_order):
            self.snapshot.set_nodes(self.nodes[node.id] for node in self.state.nodes if node.id in self.nodes)

    def _look_for_expendable(self) -> None:
        classes = self.state.classes
        if len(classes) > self._classes:
            cutoff = self.options.expendable_pods_priority_cutoff
            self._expendable |= any(cls.spec.priority < cutoff for cls in classes[self._classes :])
            self._classes = len(classes)

    def _take_out(self, gone: list[Node]) -> None:
        views = [self.nodes.pop(node.id) for node in gone if node.id in self.nodes]
        if views:
            self.snapshot.remove(views)
        for node in gone:
            self.changes += 1
            self.registered.pop(node.id, None)
            self.by_group[node.group].pop(node.id, None)
            self.starting.pop(node.id, None)
            self.low.pop(node.id, None)
            self.awake.pop(node.id, None)
            self.no_longer_low.pop(node.id, None)

    def _add(self, node: Node) -> bool:
        """Take in a node; return whether it comes behind all others."""
        self.changes += 1
        self.registered[node.id] = None
        if self._gpu_labelled[node.shape] and not node.gpu_ready:
            self.starting[node.id] = node
            return True
        self.starting.pop(node.id, None)
        view = NodeView(node, self.options.expendable_pods_priority_cutoff)
        view.read(self._expendable)
        self.nodes[node.id] = view
        self.by_group[node.group][node.id] = view
        self.no_longer_low[node.id] = None
        self._judge(view, was_empty=False)
        if node.position != self.snapshot.real:
            return False
        self.snapshot.append(view)
        return True

    def _judge(self, view: NodeView, was_empty: bool) -> None:
        """Sort a node into those used little, or out of them."""
        if self.is_underutilized(view):
            if was_empty or view.id not in self.low:
                self.low[view.id] = self.awake[view.id] = view
                self.no_longer_low.pop(view.id, None)
        elif view.id in self.low:
            del self.low[view.id]
            self.awake.pop(view.id, None)
            self.no_longer_low[view.id] = None

    def is_underutilized(self, view: NodeView) -> bool:
        """Say whether a node, with what was moved onto it, is below the threshold."""
        cpu_m, memory_mib, gpu, has_gpus = self._least[view.shape]
        if has_gpus and (view.node.gpu_ready or self._gpu_labelled[view.shape]):
            return view.gpu >= gpu
        return view.cpu_m >= cpu_m and view.memory_mib >= memory_mib
