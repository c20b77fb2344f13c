"""Scale-down in one look: find what is unneeded, and start what is due.

A look costs what changed. A node that would be judged as at the last look sleeps: it is left out until pods
come or go, its time is up, or circumstances change that it depends on. All are looked at again, in an order
that is drawn, only where that order decides something. Soft taints go by the order in which nodes became
unneeded, which is drawn too: any few of those left come next, as if all were drawn again.

Source: Cluster Autoscaler 1.31.5, core/static_autoscaler.go (RunOnce, updateSoftDeletionTaints),
core/scaledown/actuation/softtaint.go.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING

from sim.decisions.cluster_autoscaler.budgets import crop_nodes
from sim.decisions.cluster_autoscaler.cooldown import is_group_in_cooldown, is_scale_down_in_cooldown
from sim.decisions.cluster_autoscaler.eligibility import is_being_deleted, scale_down_order
from sim.decisions.cluster_autoscaler.limits import left_to_remove
from sim.decisions.cluster_autoscaler.planner import Planner
from sim.decisions.cluster_autoscaler.unneeded import removable_at
from sim.model.log import Reason, RefusalKind

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sim.decisions.cluster_autoscaler.budgets import Buckets
    from sim.decisions.cluster_autoscaler.cooldown import LastScaleTimes
    from sim.decisions.cluster_autoscaler.snapshot_node import SnapshotNode
    from sim.engine.cluster_autoscaler.actuation import Actuator
    from sim.engine.cluster_autoscaler.aws_view import AwsView
    from sim.engine.cluster_autoscaler.cluster_view import ClusterView, NodeView
    from sim.engine.cluster_autoscaler.decision_log import DecisionLog
    from sim.model.autoscaler import AutoscalerOptions

LASTING = frozenset({Reason.RecentlyUnremovable, Reason.NodeGroupMinSizeReached})


class ScaleDown:
    """Plans and starts deletions, look by look."""

    def __init__(
        self,
        view: ClusterView,
        cloud: AwsView,
        actuator: Actuator,
        times: LastScaleTimes,
        log: DecisionLog,
    ) -> None:
        """Work on what ``view`` shows."""
        self.view = view
        self.cloud = cloud
        self.actuator = actuator
        self.times = times
        self.log = log
        self.options: AutoscalerOptions = view.options
        self.planner = Planner(self.options)
        self._circumstances: tuple[object, ...] = ()  # of the last look, as far as all nodes depend on them
        self._cloud_seen = (-1, -1)
        self._listed: list[frozenset[int]] = []  # by group: its instances, as far as they are known
        self._at_minimum: list[bool] = []
        self._resting = [False] * len(view.by_group)
        self._soft_tainted: dict[int, NodeView] = {}
        self._seen: tuple[object, int] = ({}, 0)  # when put right: unneeded nodes, and untaintings
        self.soft_taints_left = False  # for the next look to set or take off
        self._capacities = [shape.capacity for shape in view.state.shapes]

    def look(self, now_us: int, *, forbidden: bool) -> bool:
        """Update the plan and, unless ``forbidden`` or resting, act; return whether deletions started."""
        view, planner = self.view, self.planner
        acts = not forbidden and not is_scale_down_in_cooldown(self.times, now_us, self.options)
        before = planner.unneeded
        refusals = dict.fromkeys(view.no_longer_low, Reason.NotUnderutilized)
        view.no_longer_low.clear()
        self._wake(acts, now_us)
        self._plan(refusals, now_us)
        self.log.unneeded(before, planner.unneeded, self._leaves)
        refusals.update(planner.refusals)
        due = acts and planner.is_any_due(now_us)
        reason = Reason.NotUnneededLongEnough if acts and not due else Reason.NoReason
        refusals.update(dict.fromkeys(planner.unneeded.keys() & view.awake.keys(), reason))
        started = due and self._start(refusals, now_us)
        self._update_soft_taints()
        self.log.refusals(RefusalKind.SCALE_DOWN, refusals)
        if started:
            view.awake.update(view.low)
        else:
            self._let_sleep(refusals)
        return started

    def forget(self) -> None:
        """Forget all unneeded nodes, as when the cluster is unhealthy."""
        self.planner.clean_up_unneeded()
        self.view.awake.update(self.view.low)

    # -- which nodes to look at -------------------------------------------------------------

    def _wake(self, acts: bool, now_us: int) -> None:
        """Have nodes looked at again that would no longer be found as the last look left them."""
        low, awake = self.view.low, self.view.awake
        for node_id in self.planner.forget_old_failures(now_us):
            if node_id in low:
                awake[node_id] = low[node_id]
        if self.view.snapshot.fork():  # pending pods are on nodes, in this look
            awake.update({node.id: node for node in low.values() if node.moved})
        if self._cloud_seen != (self.cloud.changes, self.cloud.retargets):
            self._cloud_seen = self.cloud.changes, self.cloud.retargets
            self._listed = listed = [self.cloud.list_instances(group) for group in range(len(self._resting))]
            self._at_minimum = [size.target <= size.min_size for size in self.cloud.sizes()]
            awake.update({node.id: node for node in low.values() if node.id not in listed[node.group]})
        if self.options.scale_down_delay_type_local:
            groups = range(len(self._resting))
            self._resting = [is_group_in_cooldown(g, self.times, now_us, self.options) for g in groups]
        circumstances = (acts, self._at_minimum, self._resting)
        if circumstances != self._circumstances:
            self._circumstances = circumstances
            awake.update(low)

    def _let_sleep(self, refusals: Mapping[int, Reason]) -> None:
        """Leave nodes alone until they, or circumstances, change: these reasons stay what they are."""
        awake, unneeded = self.view.awake, self.planner.unneeded
        for node in [node for node, reason in refusals.items() if reason in LASTING]:
            awake.pop(node, None)
        for node in unneeded.keys() & awake.keys():
            if not unneeded[node].removal.pods:
                del awake[node]

    def _plan(self, refusals: dict[int, Reason], now_us: int) -> None:
        """Update the plan: by what is new, or by all nodes in order."""
        view, planner, tainted_us = self.view, self.planner, self.actuator.tainted_us
        awake, low = view.awake, view.low
        deleted: Collection[int] = ()
        if tainted_us:
            deleted = {node for node in tainted_us if is_being_deleted(tainted_us[node], now_us)}
        known = planner.unneeded.keys()
        doubtful = (known & awake.keys()) | (known - low.keys()) if known else known
        candidates = self._candidates(list(awake.values()), refusals)
        chance = view.snapshot.chance
        pinned_taints = self.soft_taints_left and chance is None  # which come first depends on the order
        if pinned_taints or not planner.update_in_any_order(candidates, doubtful, deleted, chance, now_us):
            asleep = [node for node in low.values() if node.id not in awake]
            awake.update(low)
            ordered = self._in_order(candidates + self._candidates(asleep, refusals))
            planner.update_cluster_state(view.snapshot, ordered, self._destinations(), deleted, now_us)

    def _candidates(self, nodes: list[NodeView], refusals: dict[int, Reason]) -> list[NodeView]:
        """Return those of the nodes to look at, and say why not the others."""
        listed, at_minimum, resting = self._listed, self._at_minimum, self._resting
        deletions = self.actuator.deletions
        if not (True in at_minimum or True in resting or deletions or self.view.snapshot.fork()):
            candidates = [node for node in nodes if node.id in listed[node.group]]
            if len(candidates) == len(nodes):
                return candidates
        candidates = []
        for node in nodes:
            if node.id not in listed[node.group]:
                refusals[node.id] = Reason.NotAutoscaled
            elif at_minimum[node.group]:
                refusals[node.id] = Reason.NodeGroupMinSizeReached
            elif node.moved and not self.view.is_underutilized(node):
                refusals[node.id] = Reason.NotUnderutilized
            elif not resting[node.group] and node.node not in deletions:
                candidates.append(node)
        return candidates

    def _in_order(self, candidates: list[NodeView]) -> Sequence[SnapshotNode]:
        """Return candidates in the order to look at them."""
        candidates.sort(key=attrgetter("position"))
        if self.view.snapshot.chance is not None:
            candidates = self.view.snapshot.chance.shuffled(candidates)
        empty = {node.id for node in candidates if node.empty and not node.moved}
        return scale_down_order(candidates, empty, self.planner.unneeded)

    def _destinations(self) -> bytearray:
        destinations = self.view.snapshot.destinations()
        for node in self.actuator.deletions:
            if node.id in self.view.nodes:
                destinations[self.view.nodes[node.id].position] = False
        return destinations

    def _leaves(self, node: int) -> bool:
        """Say whether a node is gone or being deleted."""
        return node in self.actuator.tainted_us or node not in self.view.nodes

    def _start(self, refusals: dict[int, Reason], now_us: int) -> bool:
        unneeded = self.planner.unneeded
        empty, draining = map(len, self.actuator.in_progress())
        deletions = [0] * len(self._resting)
        for node in self.actuator.deletions:
            deletions[node.group] += 1
        chance = self.view.snapshot.chance
        if chance is not None:
            unneeded = dict(chance.shuffled(list(unneeded.items())))
        there = (
            self._capacities[node.shape]
            for node in self.view.snapshot.nodes
            if not is_being_deleted(self.actuator.tainted_us.get(node.id), now_us)
        )
        now_empty, now_drain, reasons = removable_at(
            unneeded,
            now_us,
            self.options,
            sizes=self.cloud.sizes(),
            deletions=deletions,
            left=left_to_remove(there, self.options),
            capacities=self._capacities,
        )
        refusals.update(reasons)
        buckets = crop_nodes(now_empty, now_drain, empty, draining, self.options)
        for part, drain in zip(buckets, (False, True), strict=True):
            self._delete(part, drain=drain)
        return any(buckets)

    def _delete(self, buckets: Buckets, *, drain: bool) -> None:
        nodes = self.view.nodes
        self.actuator.start_deletion([[nodes[n.id].node for n in bucket] for bucket in buckets], drain=drain)

    def _update_soft_taints(self) -> None:
        """Unmark needed nodes, then mark unneeded ones, a few a look."""
        budget = self.options.max_bulk_soft_taint_count
        unneeded, tainted = self.planner.unneeded, self.actuator.tainted_us
        seen, untainted = self._seen
        if unneeded is seen and untainted == self.actuator.untainted and not self.soft_taints_left:
            return
        self._seen = unneeded, self.actuator.untainted
        self.soft_taints_left = False
        if unneeded.keys() == self._soft_tainted.keys():
            return
        self.soft_taints_left = True
        for node_id in [node_id for node_id in self._soft_tainted if node_id not in unneeded]:
            if node_id not in self.view.nodes:
                del self._soft_tainted[node_id]
            elif node_id not in tainted and budget > 0:
                self.view.state.set_avoid(self._soft_tainted.pop(node_id).node, avoid=False)
                budget -= 1
        for node_id in unneeded:
            if budget <= 0:
                return
            if node_id not in self._soft_tainted and node_id not in tainted:
                self._soft_tainted[node_id] = self.view.nodes[node_id]
                self.view.state.set_avoid(self.view.nodes[node_id].node, avoid=True)
                budget -= 1
        self.soft_taints_left = budget <= 0
