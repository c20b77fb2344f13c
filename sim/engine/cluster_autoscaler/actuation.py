"""Carrying out a scale-down: taint, wait, drain, delete.

Chosen nodes are tainted at once. After ``--node-delete-delay-after-taint`` an empty node that got a
pod is given up; a node to drain has its pods evicted and is polled every 5 s until they are gone.
Then the cloud is asked to delete it. Until that call is accepted or the attempt given up, the node
counts as in deletion.

Source: Cluster Autoscaler 1.31.5, core/scaledown/actuation/ (actuator.go, drain.go,
delete_in_batch.go, group_deletion_scheduler.go), core/scaledown/deletiontracker/;
cluster-autoscaler.md §4.5.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.decisions.cluster_autoscaler.drain_rules import blocking_reason
from sim.engine.clock import Phase
from sim.engine.entities import PodState
from sim.model.log import NodeState, PodEnd, Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from sim.engine.clock import Call, Clock
    from sim.engine.cluster_autoscaler.aws_view import AwsView
    from sim.engine.cluster_autoscaler.cluster_view import ClusterView
    from sim.engine.entities import Node, Pod
    from sim.engine.state import ClusterState
    from sim.model.autoscaler import AutoscalerOptions

DRAIN_POLL_US = 5_000_000
POD_EVICTION_HEADROOM_US = 30_000_000


class Deletion:
    """One attempt to remove a node; ``drained`` are the pods it waits for until ``deadline_us``."""

    __slots__ = ("deadline_us", "drain", "drained", "node")

    def __init__(self, node: Node, *, drain: bool) -> None:
        """Begin."""
        self.node = node
        self.drain = drain
        self.drained: list[Pod] = []
        self.deadline_us = 0


class Actuator:
    """Takes nodes from taint to delete call, and knows which are on the way."""

    def __init__(
        self,
        clock: Clock,
        state: ClusterState,
        cloud: AwsView,
        options: AutoscalerOptions,
        on_deleted: Callable[[int, bool], None],
    ) -> None:
        """Tell ``on_deleted`` of each delete call: its group, and whether it was accepted."""
        self.clock = clock
        self.state = state
        self.cloud = cloud
        self.options = options
        self.on_deleted = on_deleted
        self.deletions: dict[Node, Deletion] = {}
        self.tainted_us: dict[int, int] = {}  # node id -> when it got the to-be-deleted taint
        self.untainted = 0  # how often a node lost it, or went
        self._forgot = 0  # as of these changes of nodes
        self._batches: dict[int, list[Deletion]] = {}

    def in_progress(self) -> tuple[list[Node], list[Node]]:
        """Return the empty nodes in deletion, and those with drain."""
        empty = [node for node, deletion in self.deletions.items() if not deletion.drain]
        return empty, [node for node, deletion in self.deletions.items() if deletion.drain]

    def forget_all_but(self, view: ClusterView) -> None:
        """Forget the taints of nodes that are gone."""
        if self._forgot != view.changes:
            self._forgot = view.changes
            for node in [node for node in self.tainted_us if node not in view.nodes]:
                del self.tainted_us[node]
                self.untainted += 1

    def start_deletion(self, buckets: Iterable[Sequence[Node]], *, drain: bool) -> None:
        """Taint nodes and have them deleted; each bucket is of one group."""
        delay_us = self.options.node_delete_delay_after_taint_us
        phase = Phase.BACKGROUND if delay_us > 0 else Phase.AFTER_LOOK
        for bucket in buckets:
            begun = []
            for node in bucket:
                if node.id not in self.tainted_us:  # a taint that is there keeps its time (utils/taints)
                    self.state.close(node)
                    self.tainted_us[node.id] = self.clock.now_us
                    self.state.log_node(node.id, NodeState.TAINTED)
                self.deletions[node] = Deletion(node, drain=drain)
                begun.append(self.deletions[node])
            self.clock.at(self.clock.now_us + delay_us, phase, self._delete_bucket, begun)

    def _delete_bucket(self, call: Call[list[Deletion]]) -> None:
        for deletion in call.argument:
            node = deletion.node
            if node.position < 0:  # reclaimed meanwhile
                self._end(deletion)
                continue
            pods = [pod for pod in node.pods if not self._is_expendable(pod)]
            if (pods and not deletion.drain) or any(self._blocks(pod) for pod in pods):
                self._abort(deletion)
            else:
                self._evict(deletion, pods)
                self._await_drained(deletion)

    def _is_expendable(self, pod: Pod) -> bool:
        return pod.cls.spec.priority < self.options.expendable_pods_priority_cutoff

    def _blocks(self, pod: Pod) -> bool:
        spec = pod.cls.spec
        age_us = self.clock.now_us - pod.created_us
        reason = blocking_reason(spec, spec.disruptions_allowed, self.options, age_us)
        return reason is not Reason.NoReason

    def _evict(self, deletion: Deletion, pods: Iterable[Pod]) -> None:
        """Evict all at once; each keeps its room for its grace, within the autoscaler's maximum."""
        longest_us = self.options.max_graceful_termination_us
        deletion.deadline_us = self.clock.now_us + longest_us + POD_EVICTION_HEADROOM_US
        for pod in sorted(pods, key=lambda pod: pod.id):
            deletion.drained.append(pod)
            if pod.terminating:
                continue
            self.state.evict(pod, PodEnd.DRAINED)
            if pod.terminating:
                grace_us = min(pod.cls.spec.grace_us, longest_us)
                pod.call = self.clock.at(
                    self.clock.now_us + grace_us, Phase.PODS_ENDED, self._grace_over, pod
                )

    def _grace_over(self, call: Call[Pod]) -> None:
        call.argument.call = None
        self.state.end(call.argument, PodEnd.DRAINED)

    def _poll(self, call: Call[Deletion]) -> None:
        self._await_drained(call.argument)

    def _await_drained(self, deletion: Deletion) -> None:
        """Delete the node if its pods are gone, else look again in a while."""
        if deletion.node.position < 0:
            self._end(deletion)
        elif all(pod.state is PodState.ENDED for pod in deletion.drained):
            self._add_to_batch(deletion)
        elif self.clock.now_us + DRAIN_POLL_US < deletion.deadline_us:
            self.clock.at(self.clock.now_us + DRAIN_POLL_US, Phase.BACKGROUND, self._poll, deletion)
        else:
            self._abort(deletion)

    def _add_to_batch(self, deletion: Deletion) -> None:
        interval_us = self.options.node_deletion_batcher_interval_us
        group = deletion.node.group
        if interval_us == 0:
            self._delete(group, [deletion])
            return
        batch = self._batches.setdefault(group, [])
        batch.append(deletion)
        if len(batch) == 1:
            self.clock.at(self.clock.now_us + interval_us, Phase.BACKGROUND, self._delete_batch, group)

    def _delete_batch(self, call: Call[int]) -> None:
        self._delete(call.argument, self._batches.pop(call.argument))

    def _delete(self, group: int, deletions: list[Deletion]) -> None:
        accepted = self.cloud.delete(group, [deletion.node.id for deletion in deletions])
        self.on_deleted(group, accepted)
        for deletion in deletions:
            if accepted:
                self._end(deletion)
            else:
                self._abort(deletion)

    def _abort(self, deletion: Deletion) -> None:
        """Take the taint off again."""
        self._end(deletion)
        self.tainted_us.pop(deletion.node.id, None)
        self.untainted += 1
        self.state.log_node(deletion.node.id, NodeState.UNTAINTED)
        if not self.cloud.node_groups.is_leaving(deletion.node.id):
            self.state.reopen(deletion.node)

    def _end(self, deletion: Deletion) -> None:
        del self.deletions[deletion.node]
