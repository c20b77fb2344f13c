"""Taking stock: what the autoscaler's registry makes of nodes, instances and targets, look by look.

What is wrong is put right: instances that never become nodes are deleted, targets that nothing came of are
lowered. What is asked for and not there yet stands in the snapshot as placeholders. As long as nothing
changes there is no stock to take; where something is missing, until a timer of the registry runs out.

Source: Cluster Autoscaler 1.31.5, core/static_autoscaler.go (updateClusterState, removeOldUnregisteredNodes,
deleteCreatedNodesWithErrors, fixNodeGroupSize), clusterstate/utils/node_instances_cache.go.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import TYPE_CHECKING

from sim.decisions.cluster_autoscaler.cluster_state import ClusterStateRegistry
from sim.decisions.cluster_autoscaler.quiet import earliest_after
from sim.decisions.cluster_autoscaler.readiness import RegisteredNodes
from sim.decisions.cluster_autoscaler.snapshot_node import SnapshotNode, placeholder_id

if TYPE_CHECKING:
    from sim.engine.cluster_autoscaler.aws_view import AwsView
    from sim.engine.cluster_autoscaler.cluster_view import ClusterView
    from sim.engine.cluster_autoscaler.decision_log import DecisionLog
    from sim.engine.cluster_autoscaler.templates import Templates
    from sim.model.autoscaler import AutoscalerOptions


class Stock:
    """The registry, and what it is compared with."""

    def __init__(
        self,
        view: ClusterView,
        cloud: AwsView,
        templates: Templates,
        log: DecisionLog,
        options: AutoscalerOptions,
    ) -> None:
        """Know nothing yet."""
        self.view = view
        self.cloud = cloud
        self.templates = templates
        self.log = log
        self.registry = ClusterStateRegistry(len(templates.by_group), options)
        self.is_settled = False  # the last look found nothing missing, failed or of a wrong size
        self._settled: tuple[int, ...] | None = None  # what was seen when there was nothing to do
        self._steady: tuple[int, ...] | None = None  # what was seen when the same again would change nothing
        self._due_us: int | None = None  # until then
        self._fetched = (-1, -1)  # the same when all instances were fetched
        self._ready: list[int] = []  # Ready nodes by group, as of these changes
        self._ready_as_of = (-1, -1)

    # -- between looks ----------------------------------------------------------------------

    def refresh_instances(self) -> bool:
        """Fetch all lists anew; return whether any is another one now."""
        changed = False
        if self._fetched != (self.cloud.changes, self.registry.fetches):
            changed = self.registry.refresh_instances(self.cloud)
            self._fetched = (self.cloud.changes, self.registry.fetches)
        return changed

    def memory(self) -> Hashable:
        """Return what the next stock depends on besides the cluster and the time; None: it will differ."""
        return () if self.is_settled else self.registry.memory()

    def timers(self) -> Iterator[int]:
        """Yield when it comes out differently even so."""
        if self.is_settled:
            return
        yield from self.registry.timers()
        for group, upcoming in enumerate(self.registry.upcoming_nodes()):
            if upcoming:
                yield from self.templates.naming_timers(group)

    # -- one look ---------------------------------------------------------------------------

    def take(self, now_us: int) -> bool:
        """Compare, put right, and add what is upcoming; return whether the look goes on."""
        seen = (self.view.changes, self.cloud.changes, self.cloud.retargets, self.registry.fetches)
        if seen == self._settled:
            return True
        is_steady = seen == self._steady and (self._due_us is None or now_us < self._due_us)
        if not is_steady and not self._compare(seen, now_us):
            return False
        self._add_upcoming(now_us)
        return True

    def _compare(self, seen: tuple[int, ...], now_us: int) -> bool:
        """Bring the registry up to date and put right what is wrong; return whether the look goes on."""
        registry = self.registry
        self.log.failures(registry.update_nodes(self._registered(), self.cloud, now_us))
        self.is_settled = registry.is_idle
        self._settled = seen if self.is_settled and not registry.backoffs else None
        self._steady = None
        self._remove_old_unregistered(now_us)
        if not registry.is_cluster_healthy():
            return False
        self._delete_created_with_errors()
        if self._fix_sizes(now_us):
            return False
        if registry.is_steady:
            self._steady, self._due_us = seen, earliest_after(now_us, registry.timers())
        return True

    def _registered(self) -> RegisteredNodes:
        as_of = (self.view.changes, self.cloud.changes)
        if self._ready_as_of != as_of:
            self._ready_as_of = as_of
            self._ready = [
                len(self.cloud.list_instances(group).intersection(nodes))
                for group, nodes in enumerate(self.view.by_group)
            ]
        starting = {
            node.id: (node.group, node.ready_us)
            for node in self.view.starting.values()
            if self.cloud.knows(node.id, node.group)
        }
        return RegisteredNodes(self.view.registered, self._ready, starting)

    def _remove_old_unregistered(self, now_us: int) -> None:
        if not self.registry.unregistered_since:
            return
        for group, size in enumerate(self.cloud.sizes()):
            old = self.registry.old_unregistered(group, now_us)
            old = old[: max(size.target - size.min_size, 0)]
            if old:
                self.cloud.delete(group, old)
                self.registry.invalidate_instances(group)

    def _delete_created_with_errors(self) -> None:
        for group in range(len(self.templates.by_group)):
            failed = self.registry.created_with_errors(group)
            if failed and self.cloud.delete(group, failed):
                self.registry.invalidate_instances(group)
                self.registry.recalculate(self.cloud)

    def _fix_sizes(self, now_us: int) -> bool:
        """Lower targets that nothing came of; return whether any was, or failed to be."""
        excess = [self.registry.size_to_fix(g, now_us) for g in range(len(self.templates.by_group))]
        for group, delta in enumerate(excess):
            if delta < 0 and not self.cloud.decrease_target(group, -delta):
                break
        return any(excess)

    def _add_upcoming(self, now_us: int) -> None:
        placeholders = [
            SnapshotNode(placeholder_id(name, index), group, template.shape, template.room)
            for group, count in enumerate(self.registry.upcoming_nodes())
            if count
            for name, template in [(self.templates.name(group, now_us), self.templates.by_group[group])]
            for index in range(count)
        ]
        self.view.snapshot.add_placeholders(placeholders)
