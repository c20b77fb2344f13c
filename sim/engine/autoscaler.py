"""The Cluster Autoscaler: look, decide, act, sleep.

Source: Cluster Autoscaler 1.31.5, core/static_autoscaler.go (RunOnce); cluster-autoscaler.md §1.2.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sim.decisions.budgets import crop_nodes
from sim.decisions.cluster_state import ClusterStateRegistry, Failure, RegisteredNode
from sim.decisions.cooldown import LastScaleTimes, is_group_in_cooldown, is_scale_down_in_cooldown
from sim.decisions.eligibility import is_being_deleted, scale_down_candidates
from sim.decisions.equivalence import pod_groups
from sim.decisions.hinting_simulator import HintingSimulator
from sim.decisions.limits import left_to_remove
from sim.decisions.pending_pods import all_pods_are_new, filter_out_schedulable, filter_out_young
from sim.decisions.planner import Planner, PlannerView
from sim.decisions.scale_up import ScaleUpDecision, ScaleUpView, decide_scale_up, enforce_min_sizes
from sim.decisions.snapshot import PodView, Pointer, Snapshot, SnapshotNode
from sim.decisions.template import is_good_template_candidate, node_template
from sim.decisions.unneeded import removable_at
from sim.decisions.utilization import node_capacity, utilization
from sim.engine.actuation import Actuator
from sim.engine.clock import Phase
from sim.model.autoscaler import Orders
from sim.model.log import NodeState, Reason, RefusalKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy as np

    from sim.decisions.balancing import Increase
    from sim.engine.clock import Call, Clock
    from sim.engine.ec2 import NodeGroups
    from sim.engine.state import ClusterState, Node
    from sim.engine.streams import Streams
    from sim.model.autoscaler import AutoscalerOptions

INSTANCES_REFRESH_US = 120_000_000


class Autoscaler:
    """One autoscaler over all node groups of a cluster."""

    def __init__(
        self,
        clock: Clock,
        state: ClusterState,
        node_groups: NodeGroups,
        options: AutoscalerOptions,
        streams: Streams,
    ) -> None:
        """Prepare; ``start`` begins."""
        self.clock = clock
        self.state = state
        self.node_groups = node_groups
        self.options = options
        self.streams = streams
        self.cloud = node_groups
        specs = state.cluster.node_groups
        self.registry = ClusterStateRegistry(len(specs), options)
        self.planner = Planner(options)
        self.actuator = Actuator(clock, state, node_groups, options, self._deleted)
        self.times = LastScaleTimes()
        self._pending_simulator = HintingSimulator()
        self._pointer = Pointer()
        self._templates = [
            node_template(g, spec, state.daemons[g], real=False) for g, spec in enumerate(specs)
        ]
        self._capacities = [node_capacity(spec.allocatable, state.daemons[g]) for g, spec in enumerate(specs)]
        self._refused: dict[tuple[RefusalKind, int], Reason] = {}
        self._look_number = 0

    def start(self) -> None:
        """Begin; the first look is one interval from now."""
        if self.options.enabled and self.state.cluster.node_groups:
            self.clock.at(self.clock.now_us, Phase.BACKGROUND, self._refresh_instances, None)
            self._sleep()

    def _refresh_instances(self, _: Call[None]) -> None:
        self.registry.refresh_instances(self.cloud)
        self.clock.at(
            self.clock.now_us + INSTANCES_REFRESH_US, Phase.BACKGROUND, self._refresh_instances, None
        )

    def _sleep(self) -> None:
        self._look_number += 1
        due_us = self._look_number * self.options.scan_interval_us
        self.clock.at(due_us, Phase.LOOK, self._wake, None)

    def _wake(self, _: Call[None]) -> None:
        self.clock.looked_us = self.clock.now_us
        self._look(self.clock.now_us)
        self._sleep()

    # -- one look ---------------------------------------------------------------------------

    def _look(self, now_us: int) -> None:
        rng = None
        if self.options.orders is Orders.RANDOM:
            rng = self.streams.at("autoscaler", self._look_number)
        snapshot = Snapshot([self._view(node) for node in self.state.nodes], self._pointer, rng)
        self._update_templates(now_us)
        for failure in self.registry.update_nodes(self._registered(), self.cloud, now_us):
            self._log_backoff(failure)
        self._remove_old_unregistered(now_us)
        if not self.registry.is_cluster_healthy():
            self.planner.clean_up_unneeded()
            return
        self._delete_created_with_errors()
        if self._fix_sizes(now_us):
            return
        self._add_upcoming(snapshot)
        pods = self._pods_to_help(snapshot, rng)
        pods = filter_out_young(pods, now_us, self.options.new_pod_scale_up_delay_us)
        all_new = False
        if pods and not self._max_nodes_reached():
            if all_pods_are_new(pods, now_us):
                all_new = True
            elif self._scale_up(pods, snapshot, rng):
                return
        if self.options.scale_down_enabled:
            self._scale_down(snapshot, now_us, forbidden=all_new)
        if self.options.enforce_node_group_min_size:
            self._increase(enforce_min_sizes(self._scale_up_view(snapshot), self.options))

    def _view(self, node: Node) -> SnapshotNode:
        """Return a node as the autoscaler sees it: expendable pods take no room."""
        cutoff = self.options.expendable_pods_priority_cutoff
        room = [
            node.free_cpu_m, node.free_memory_mib, node.free_ephemeral_mib, node.free_gpu, node.free_pods,
        ]  # fmt: skip
        for pod in node.pods:
            if pod.cls.spec.priority < cutoff:
                for index, amount in enumerate(
                    (pod.cls.cpu_m, pod.cls.memory_mib, pod.cls.ephemeral_mib, pod.cls.gpu, 1)
                ):
                    room[index] += amount
        cpu_m, memory_mib, ephemeral_mib, gpu, pods = room
        return SnapshotNode(
            node.id,
            node.group,
            (cpu_m, memory_mib, ephemeral_mib, gpu, pods),
            is_open=node.open,
            list_pods=lambda: [pod for pod in node.pods if pod.cls.spec.priority >= cutoff],
        )

    def _registered(self) -> list[RegisteredNode]:
        return [RegisteredNode(node.id, node.group, True, node.ready_us) for node in self.state.nodes]

    def _update_templates(self, now_us: int) -> None:
        """Plan a group by its real nodes once one of them has been Ready for a minute."""
        for node in self.state.nodes:
            if not self._templates[node.group].real and is_good_template_candidate(node.ready_us, now_us):
                self._templates[node.group] = node_template(
                    node.group, node.spec, self.state.daemons[node.group], real=True
                )

    def _remove_old_unregistered(self, now_us: int) -> None:
        for group in range(len(self._templates)):
            old = self.registry.old_unregistered(group, now_us)
            size = self.cloud.sizes()[group]
            old = old[: max(size.target - size.min_size, 0)]
            if old:
                self.node_groups.delete(group, old)
                self.registry.invalidate_instances(group)

    def _delete_created_with_errors(self) -> None:
        deleted = False
        for group in range(len(self._templates)):
            failed = self.registry.created_with_errors(group)
            if failed and self.node_groups.delete(group, failed):
                deleted = True
                self.registry.invalidate_instances(group)
        if deleted:
            self.registry.recalculate(self.cloud)

    def _fix_sizes(self, now_us: int) -> bool:
        fixed = False
        for group in range(len(self._templates)):
            delta = self.registry.size_to_fix(group, now_us)
            if delta < 0:
                if not self.node_groups.decrease_target(group, -delta):
                    return True
                fixed = True
        return fixed

    def _add_upcoming(self, snapshot: Snapshot) -> None:
        for group, count in enumerate(self.registry.upcoming_nodes()):
            room = self._templates[group].room
            snapshot.add_placeholders([SnapshotNode(-1, group, room) for _ in range(count)])

    # -- scale-up ---------------------------------------------------------------------------

    def _pods_to_help(self, snapshot: Snapshot, rng: np.random.Generator | None) -> list[PodView]:
        """Return pods that fit neither what is there nor what is coming, drained ones included."""
        cutoff = self.options.expendable_pods_priority_cutoff
        waiting: list[PodView] = []
        for cls in self.state.classes:
            if cls.pending and cls.spec.priority >= cutoff:
                for pod in cls.pending:
                    if pod.nominated is not None:
                        node = snapshot.by_id.get(pod.nominated.id)
                        if node is not None:
                            snapshot.place(pod, node)
                    elif pod.unschedulable:
                        waiting.append(pod)
        waiting.sort(key=lambda pod: pod.id)
        return filter_out_schedulable(
            snapshot, waiting + self._currently_drained(snapshot), self._pending_simulator, rng
        )

    def _currently_drained(self, snapshot: Snapshot) -> list[PodView]:
        _, draining = self.actuator.in_progress()
        pods: list[PodView] = []
        for node in sorted(draining, key=lambda node: natural(node.name)):
            if node.id in snapshot.by_id:
                pods += [p for p in snapshot.by_id[node.id].pods if not p.terminating]
        return pods

    def _max_nodes_reached(self) -> bool:
        return 0 < self.options.max_nodes_total <= len(self.state.nodes)

    def _scale_up_view(self, snapshot: Snapshot) -> ScaleUpView:
        now_us = self.clock.now_us
        return ScaleUpView(
            sizes=self.cloud.sizes(),
            templates=self._templates,
            refusal=lambda group: self.registry.scale_up_refusal(group, now_us),
            node_count=len(self.state.nodes) + sum(self.registry.upcoming_nodes()),
            listed_nodes=len(snapshot.nodes),
            pointer=self._pointer,
        )

    def _scale_up(self, pods: Sequence[PodView], snapshot: Snapshot, rng: np.random.Generator | None) -> bool:
        groups = pod_groups(pod.cls for pod in pods)
        decision = decide_scale_up(groups, self._scale_up_view(snapshot), self.options, rng)
        self._log_options(decision)
        return self._increase(decision.increases)

    def _increase(self, increases: Iterable[Increase]) -> bool:
        now_us = self.clock.now_us
        done = False
        for increase in increases:
            group = increase.group
            self.node_groups.increase(group, increase.delta)
            self.registry.register_scale_up(group, increase.delta, now_us)
            self.times.group_scale_up_us[group] = now_us
            self.state.log.tables["scale_ups"].add(
                (now_us, self._look_number, group, increase.delta, self.cloud.sizes()[group].target)
            )
            done = True
        if done:
            self.registry.recalculate(self.cloud)
            self.times.scale_up_us = now_us
        return done

    # -- scale-down -------------------------------------------------------------------------

    def _scale_down(self, snapshot: Snapshot, now_us: int, *, forbidden: bool) -> None:
        empty_in_progress, drain_in_progress = self.actuator.in_progress()
        deleting = {node.id for node in (*empty_in_progress, *drain_in_progress)}
        before = set(self.planner.unneeded)
        self.planner.update_cluster_state(self._planner_view(snapshot, deleting, now_us), now_us)
        self._log_unneeded(before)
        if not forbidden and not is_scale_down_in_cooldown(self.times, now_us, self.options):
            self._start_deletions(snapshot, empty_in_progress, drain_in_progress, now_us)
        self._update_soft_taints()
        self._log_refusals(RefusalKind.SCALE_DOWN, self.planner.refusals)

    def _planner_view(self, snapshot: Snapshot, deleting: set[int], now_us: int) -> PlannerView:
        options = self.options
        real = [node for node in snapshot.nodes if node.id >= 0]
        candidates = scale_down_candidates(
            real, self.cloud.sizes(), lambda node: not node.pods, self.planner.unneeded
        )
        return PlannerView(
            snapshot=snapshot,
            candidates=[
                node
                for node in candidates
                if node.id not in deleting
                and not is_group_in_cooldown(node.group, self.times, now_us, options)
            ],
            destinations=[node.id for node in real if node.id not in deleting],
            utilization=lambda node: utilization(
                node,
                self._capacities[node.group],
                ignore_daemonsets=options.ignore_daemonsets_utilization,
            ),
            threshold=lambda node: (
                options.scale_down_gpu_utilization_threshold
                if self._capacities[node.group].allocatable.gpu
                else options.scale_down_utilization_threshold
            ),
            is_deleted=lambda node: is_being_deleted(self.actuator.tainted_us.get(node.id), now_us),
        )

    def _start_deletions(
        self, snapshot: Snapshot, empty_in_progress: list[Node], drain_in_progress: list[Node], now_us: int
    ) -> None:
        specs = self.state.cluster.node_groups
        deletions = [0] * len(specs)
        for node in (*empty_in_progress, *drain_in_progress):
            deletions[node.group] += 1
        capacities = [spec.capacity for spec in specs]
        there = (
            capacities[node.group]
            for node in snapshot.nodes
            if not is_being_deleted(self.actuator.tainted_us.get(node.id), now_us)
        )
        empty, drain, reasons = removable_at(
            self.planner.unneeded,
            now_us,
            self.options,
            sizes=self.cloud.sizes(),
            deletions=deletions,
            left=left_to_remove(there, self.options),
            capacities=capacities,
        )
        self.planner.refusals.update(reasons)
        empty_now, drain_now = crop_nodes(
            empty, drain, len(empty_in_progress), len(drain_in_progress), self.options
        )
        if not empty_now and not drain_now:
            return
        nodes = {node.id: node for node in self.state.nodes}
        self.actuator.start_deletion([[nodes[n.id] for n in bucket] for bucket in empty_now], drain=False)
        self.actuator.start_deletion([[nodes[n.id] for n in bucket] for bucket in drain_now], drain=True)
        self.times.scale_down_us = now_us
        self.registry.recalculate(self.cloud)

    def _deleted(self, group: int, accepted: bool) -> None:
        """Learn that a delete call was accepted or refused."""
        last = self.times.group_scale_down_us if accepted else self.times.group_failure_us
        last[group] = self.clock.now_us

    def _update_soft_taints(self) -> None:
        """Mark unneeded nodes, and unmark needed ones, a few a look (actuation/softtaint.go)."""
        budget = self.options.max_bulk_soft_taint_count
        tainted = self.actuator.tainted_us
        for wanted in (False, True):
            for node in self.state.nodes:
                if budget <= 0:
                    return
                unneeded = node.id in self.planner.unneeded
                if unneeded is wanted and node.avoid is not wanted and node.id not in tainted:
                    self.state.set_avoid(node, wanted)
                    budget -= 1

    # -- log --------------------------------------------------------------------------------

    def _log_backoff(self, failure: Failure) -> None:
        self.state.log.tables["backoffs"].add(
            (self.clock.now_us, failure.group, failure.until_us, failure.reason)
        )

    def _log_options(self, decision: ScaleUpDecision) -> None:
        if decision.increases:
            table = self.state.log.tables["scale_up_options"]
            tied = {option.group for option in decision.tied}
            for option in decision.options:
                table.add(
                    (self.clock.now_us, self._look_number, option.group, option.nodes, option.pods,
                     int(option.group in tied))
                )  # fmt: skip
        self._log_refusals(RefusalKind.SCALE_UP, decision.refusals)

    def _log_unneeded(self, before: set[int]) -> None:
        now = self.planner.unneeded
        for node in now:
            if node not in before:
                self.state.log_node(node, NodeState.UNNEEDED)
        for node in sorted(before - set(now)):
            if node not in self.actuator.tainted_us and node in self.node_groups.instances:
                self.state.log_node(node, NodeState.NEEDED)

    def _log_refusals(self, kind: RefusalKind, reasons: dict[int, Reason]) -> None:
        table = self.state.log.tables["refusals"]
        for subject, reason in reasons.items():
            if self._refused.get((kind, subject), Reason.NoReason) is not reason:
                self._refused[kind, subject] = reason
                table.add((self.clock.now_us, self._look_number, subject, kind, reason))


def natural(name: str) -> list[tuple[int, str]]:
    """Return a key that sorts numbers within names by value."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]
