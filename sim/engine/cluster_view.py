"""The autoscaler's snapshot, kept in step with the cluster: only nodes that changed are read anew.

Expendable pods take no room in it. A node with a GPU label whose GPUs are not up yet counts as
starting: it is in no snapshot, a placeholder stands for it.

Source: Cluster Autoscaler 1.31.5, core/static_autoscaler.go (obtainNodeLists,
initializeClusterSnapshot), processors/customresources/gpu_processor.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.decisions.eligibility import is_underutilized
from sim.decisions.snapshot import Snapshot, SnapshotNode
from sim.decisions.utilization import node_capacity, utilization

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sim.decisions.snapshot import PodView
    from sim.engine.state import ClusterState, Node
    from sim.model.autoscaler import AutoscalerOptions

GPU_LABEL = "k8s.amazonaws.com/accelerator"


class NodeView(SnapshotNode):
    """A real node in the snapshot."""

    __slots__ = ("_real_pods", "cutoff", "empty", "node")

    def __init__(self, node: Node, cutoff: int) -> None:
        """Describe ``node``; pods below the priority ``cutoff`` are not seen."""
        super().__init__(node.id, node.group, (0, 0, 0, 0, 0))
        self.node = node
        self.cutoff = cutoff
        self.empty = True
        self._real_pods: Sequence[PodView] | None = None

    def real_pods(self) -> Sequence[PodView]:
        """Return the pods that are there, in order of creation; DaemonSets' are left out."""
        if self._real_pods is None:
            seen = [pod for pod in self.node.pods if pod.cls.spec.priority >= self.cutoff]
            self._real_pods = sorted(seen, key=lambda pod: pod.id)
        return self._real_pods

    def read(self, *, expendable: bool) -> None:
        """Take in what changed on the node; ``expendable``: there are pods that must not be seen."""
        node = self.node
        self.cpu_m = node.free_cpu_m
        self.memory_mib = node.free_memory_mib
        self.ephemeral_mib = node.free_ephemeral_mib
        self.gpu = node.free_gpu
        self.pods_left = node.free_pods
        self.open = node.open
        self.empty = not node.pods
        self._real_pods = None
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
        self.low: dict[int, NodeView] = {}  # below the scale-down threshold
        self.now_high: dict[int, None] = {}  # nodes seen at or above it since somebody cleared this
        self.starting: dict[int, Node] = {}  # Ready, but their GPUs are not up yet
        self.changes = 0  # of which nodes there are
        specs = state.cluster.node_groups
        self._capacities = [node_capacity(spec.allocatable, state.daemons[g]) for g, spec in enumerate(specs)]
        self._gpu_labelled = [GPU_LABEL in dict(spec.labels) for spec in specs]
        self._classes = 0
        self._expendable = False
        state.touched = dict.fromkeys(state.nodes)

    def update(self) -> bool:
        """Read what changed since the last time; return whether anything did."""
        touched = self.state.touched
        if not touched:
            return False
        self._look_for_expendable()
        gone = [
            self.nodes[node.id]
            for node in touched
            if node is not None and node.position < 0 and node.id in self.nodes
        ]
        if gone:
            self.snapshot.remove(gone)
        late = False
        for node in touched:
            if node is not None:
                late |= self._update_node(node)
        touched.clear()
        if late:
            self.snapshot.set_nodes(self.nodes[node.id] for node in self.state.nodes if node.id in self.nodes)
        return True

    def _look_for_expendable(self) -> None:
        classes = self.state.classes
        cutoff = self.options.expendable_pods_priority_cutoff
        self._expendable |= any(cls.spec.priority < cutoff for cls in classes[self._classes :])
        self._classes = len(classes)

    def _update_node(self, node: Node) -> bool:
        """Take in a node; return whether it joins the snapshot before nodes that are there."""
        if node.position < 0:
            self.registered.pop(node.id, None)
            self.nodes.pop(node.id, None)
            self.by_group[node.group].pop(node.id, None)
            self.low.pop(node.id, None)
            self.now_high.pop(node.id, None)
            self.starting.pop(node.id, None)
            self.changes += 1
            return False
        self.registered[node.id] = None
        if self._gpu_labelled[node.group] and not node.gpu_ready:
            self.starting[node.id] = node
            self.changes += 1
            return False
        view = self.nodes.get(node.id)
        late = False
        if view is None:
            view = NodeView(node, self.options.expendable_pods_priority_cutoff)
            view.read(expendable=self._expendable)
            late = self.starting.pop(node.id, None) is not None or node.position != self.snapshot.real
            self.nodes[node.id] = view
            self.by_group[node.group][node.id] = view
            self.changes += 1
            if not late:
                self.snapshot.append(view)
        else:
            view.read(expendable=self._expendable)
            self.snapshot.touch(view)
        if self.is_underutilized(view):
            self.low[view.id] = view
            self.now_high.pop(view.id, None)
        else:
            self.low.pop(view.id, None)
            self.now_high[view.id] = None
        return late

    def is_underutilized(self, view: NodeView) -> bool:
        """Say whether a node, with what was moved onto it, is below the threshold."""
        capacity = self._capacities[view.group]
        gpu = capacity.allocatable.gpu > 0 and (view.node.gpu_ready or self._gpu_labelled[view.group])
        share = utilization(
            view, capacity, ignore_daemonsets=self.options.ignore_daemonsets_utilization, gpu=gpu
        )
        return is_underutilized(share, self.options, gpu=gpu)
