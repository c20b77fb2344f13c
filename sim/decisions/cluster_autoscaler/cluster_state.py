"""The cluster state registry: what the autoscaler knows of its groups from one look to the next.

It compares what the cloud says (targets, instances) with the nodes that are there. What is missing
is upcoming, until the group's scale-up request times out; an instance that never becomes a node is
unregistered, and long so after the provision time. Failures back the group off.

Source: Cluster Autoscaler 1.31.5, clusterstate/clusterstate.go,
clusterstate/utils/node_instances_cache.go; cluster-autoscaler.md §1.3, §1.4.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from sim.decisions.cluster_autoscaler.backoff import Backoff, after_failure, is_stale
from sim.decisions.cluster_autoscaler.readiness import (
    Cloud,
    Failure,
    Listing,
    Readiness,
    RegisteredNodes,
    ScaleUpRequest,
    fetch,
)
from sim.model.log import BackoffReason, Reason

if TYPE_CHECKING:
    from sim.model.autoscaler import AutoscalerOptions

MAX_NODE_STARTUP_TIME_US = 15 * 60_000_000


class ClusterStateRegistry:
    """Memory of requests, failures, unregistered instances and sizes, by group."""

    def __init__(self, groups: int, options: AutoscalerOptions) -> None:
        """Know nothing yet."""
        self.options = options
        self.readiness = [Readiness() for _ in range(groups)]
        self.total_unready = 0
        self.total_nodes = 0
        self.requests: dict[int, ScaleUpRequest] = {}
        self.backoffs: dict[int, Backoff] = {}
        self.targets = [0] * groups
        self._min_nodes = [0] * groups
        self._updated = False
        self._startup_us: list[int] = []  # until when nodes that are starting may do so
        self._instances: dict[int, Listing] = {}
        self._listed: dict[int, Listing] = {}  # as of the last update
        self.fetches = 0  # of lists; the next update may find something in one
        self._fetched: set[int] = set()  # of these groups, in the last update
        self.unregistered_since: dict[int, tuple[int, int]] = {}  # instance -> group, since
        self._incorrect: dict[int, tuple[int, int, int]] = {}  # group -> size, target, first seen

    # -- what the cloud lists, through CA's own cache ---------------------------------------

    def refresh_instances(self, cloud: Cloud) -> bool:
        """Fetch all lists anew, as the background refresh does every two minutes; say whether any changed."""
        self.fetches += 1
        before, self._instances = self._instances, {g: fetch(cloud, g) for g in range(len(self.targets))}
        return before != self._instances

    def invalidate_instances(self, group: int) -> None:
        """Forget one list, so that the next update fetches it."""
        self.fetches += 1
        self._instances.pop(group, None)

    # -- updates ----------------------------------------------------------------------------

    def register_scale_up(self, group: int, delta: int, now_us: int) -> None:
        """Add to, or take from, the group's request."""
        request = self.requests.get(group)
        deadline_us = now_us + self.options.max_node_provision_time_us
        if request is None:
            if delta > 0:
                self.requests[group] = ScaleUpRequest(delta, deadline_us)
        elif request.increase + delta <= 0:
            del self.requests[group]
        else:
            request.increase += delta
            if delta > 0:
                request.expected_add_us = deadline_us

    def update_nodes(self, nodes: RegisteredNodes, cloud: Cloud, now_us: int) -> list[Failure]:
        """Take in one look's nodes and instances; return the failures found."""
        previous = self._listed
        self._list_instances(cloud)
        self._update_unregistered(nodes.ids, now_us)
        self._update_readiness(nodes, now_us)
        self._updated = True
        self.targets = [size.target for size in cloud.sizes()]
        failures = self._update_scale_requests(now_us)
        failures += self._handle_creation_errors(previous, now_us)
        self._update_acceptable_ranges(self.targets)
        self._update_incorrect_sizes(now_us)
        return failures

    def recalculate(self, cloud: Cloud) -> None:
        """Take in the targets after a scale-up or scale-down."""
        self._update_acceptable_ranges([size.target for size in cloud.sizes()])

    def _list_instances(self, cloud: Cloud) -> None:
        self._fetched.clear()
        for group in range(len(self.targets)):
            known = self._instances.get(group)
            if known is None or self.is_scaling_up(group):
                self._instances[group] = listing = fetch(cloud, group)
                self.fetches += known is not None and known != listing
                self._fetched.add(group)
        self._listed = dict(self._instances)

    def _update_unregistered(self, registered: Collection[int], now_us: int) -> None:
        known = self.unregistered_since
        self.unregistered_since = {
            instance: known.get(instance, (group, now_us))
            for group, listing in self._listed.items()
            for instance in listing.instances.difference(registered)
            if instance not in listing.failed
        }

    def _update_readiness(self, nodes: RegisteredNodes, now_us: int) -> None:
        readiness = [Readiness(ready) for ready in nodes.ready]
        self.total_unready = 0
        self.total_nodes = len(nodes.ids)
        self._startup_us = [
            created_us + MAX_NODE_STARTUP_TIME_US for _, created_us in nodes.starting.values()
        ]
        for node, (group_index, created_us) in nodes.starting.items():
            if created_us + MAX_NODE_STARTUP_TIME_US > now_us:
                readiness[group_index].not_started.append(node)
            else:
                readiness[group_index].unready += 1
                self.total_unready += 1
        for instance, (group_index, since_us) in self.unregistered_since.items():
            if since_us + self.options.max_node_provision_time_us < now_us:
                readiness[group_index].long_unregistered.append(instance)
            else:
                readiness[group_index].unregistered += 1
        self.readiness = readiness

    def _update_acceptable_ranges(self, targets: list[int]) -> None:
        self.targets = targets
        self._min_nodes = [
            target
            - len(self.readiness[group].long_unregistered)
            - (self.requests[group].increase if group in self.requests else 0)
            for group, target in enumerate(targets)
        ]

    def _update_scale_requests(self, now_us: int) -> list[Failure]:
        for group in [g for g, backoff in self.backoffs.items() if is_stale(backoff, now_us, self.options)]:
            del self.backoffs[group]
        failures = []
        for group in sorted(self.requests):
            if not self._has_upcoming(group):
                del self.requests[group]
            elif self.requests[group].expected_add_us < now_us:
                failures.append(self._fail(group, BackoffReason.TIMEOUT, now_us))
                del self.requests[group]
        return failures

    def _handle_creation_errors(self, previous: dict[int, Listing], now_us: int) -> list[Failure]:
        """Fail the scale-up of a group that lists instances newly seen to have failed."""
        failures = []
        for group, listing in self._listed.items():
            unseen = listing.failed - (previous[group].failed if group in previous else frozenset())
            if unseen and self.is_scaling_up(group):
                self.register_scale_up(group, -len(unseen), now_us)
                failures.append(self._fail(group, BackoffReason.OUT_OF_RESOURCES, now_us))
        return failures

    def _fail(self, group: int, reason: BackoffReason, now_us: int) -> Failure:
        backoff = after_failure(self.backoffs.get(group), now_us, self.options)
        self.backoffs[group] = backoff
        return Failure(group, backoff.until_us, reason)

    def _update_incorrect_sizes(self, now_us: int) -> None:
        incorrect = {}
        for group, (state, target) in enumerate(zip(self.readiness, self.targets, strict=True)):
            missing = state.unregistered + len(state.long_unregistered)
            if not missing and not state.registered:
                continue
            if state.registered > target or state.registered < target - missing:
                before = self._incorrect.get(group)
                same = before is not None and before[:2] == (state.registered, target)
                incorrect[group] = before if same and before else (state.registered, target, now_us)
        self._incorrect = incorrect

    # -- questions --------------------------------------------------------------------------

    def _has_upcoming(self, group: int) -> bool:
        state = self.readiness[group]
        provisioned = state.registered - len(state.not_started)
        return self._updated and self.targets[group] > provisioned

    def is_scaling_up(self, group: int) -> bool:
        """Say whether nodes that a scale-up asked for are still missing."""
        return group in self.requests and self._has_upcoming(group)

    def is_cluster_healthy(self) -> bool:
        """Say whether few enough nodes have broken down."""
        return not self._too_many(self.total_unready, self.total_nodes)

    def scale_up_refusal(self, group: int, now_us: int) -> Reason:
        """Say why a group may not grow now, if it may not."""
        if not self._is_healthy(group):
            return Reason.NotReadyReason
        backoff = self.backoffs.get(group)
        if backoff is not None and backoff.blocks(now_us):
            return Reason.BackoffReason
        return Reason.NoReason

    def _is_healthy(self, group: int) -> bool:
        state = self.readiness[group]
        if not (state.registered or state.unregistered or state.long_unregistered):
            return self.targets[group] == 0 or self._min_nodes[group] == 0
        missing = max(self._min_nodes[group] - state.ready, 0)
        return not self._too_many(missing, state.registered)

    def _too_many(self, bad: int, nodes: int) -> bool:
        options = self.options
        return (
            bad > options.ok_total_unready_count
            and bad > options.max_total_unready_percentage / 100.0 * nodes
        )

    def upcoming_nodes(self) -> list[int]:
        """Return how many nodes of each group are asked for and not there yet.

        A node whose deletion was accepted is out of the target but still counts as there.
        """
        return [
            max(target - (state.ready + state.unready + len(state.long_unregistered)), 0)
            for target, state in zip(self.targets, self.readiness, strict=True)
        ]

    def old_unregistered(self, group: int, now_us: int) -> list[int]:
        """Return instances that have not become nodes within the provision time, in order of creation."""
        timeout_us = self.options.max_node_provision_time_us
        return sorted(
            instance
            for instance, (of, since_us) in self.unregistered_since.items()
            if of == group and since_us + timeout_us < now_us
        )

    def created_with_errors(self, group: int) -> list[int]:
        """Return the failed instances that were listed at this look."""
        return sorted(self._listed[group].failed)

    @property
    def is_idle(self) -> bool:
        """Whether nothing is asked for, missing, failed or of a wrong size: time changes nothing here."""
        return not (
            self.requests
            or self.unregistered_since
            or self._incorrect
            or any(state.not_started or state.unready for state in self.readiness)
            or any(listing.failed for listing in self._listed.values())
            or any(self.upcoming_nodes())
        )

    @property
    def is_steady(self) -> bool:
        """Whether the same update again would change nothing, before a timer runs out."""
        return not any(listing.failed for listing in self._listed.values()) and all(
            group in self._fetched or not self._has_upcoming(group) for group in self.requests
        )

    def memory(self) -> tuple[object, ...] | None:
        """Return what the next update depends on besides the cluster and the time; None: it will act."""
        if any(listing.failed for listing in self._listed.values()):
            return None
        requests = [
            (group, request.increase, request.expected_add_us) for group, request in self.requests.items()
        ]
        readiness = [
            (
                state.ready,
                state.unready,
                tuple(state.not_started),
                state.unregistered,
                tuple(state.long_unregistered),
            )
            for state in self.readiness
        ]
        unregistered, incorrect = self.unregistered_since.items(), self._incorrect.items()
        return tuple(requests), tuple(readiness), tuple(unregistered), tuple(incorrect), tuple(self.targets)

    def timers(self) -> Iterator[int]:
        """Yield when an update finds something that was in time before to be late."""
        timeout_us = self.options.max_node_provision_time_us
        for request in self.requests.values():
            yield request.expected_add_us + 1
        for _, since_us in self.unregistered_since.values():
            yield since_us + timeout_us + 1
        for _, _, first_us in self._incorrect.values():
            yield first_us + timeout_us + 1
        yield from self._startup_us

    def size_to_fix(self, group: int, now_us: int) -> int:
        """Return by how much (negative) a target exceeds what has been there for the provision time."""
        incorrect = self._incorrect.get(group)
        if incorrect is None:
            return 0
        size, target, first_us = incorrect
        overdue = first_us + self.options.max_node_provision_time_us < now_us
        return min(size - target, 0) if overdue else 0
