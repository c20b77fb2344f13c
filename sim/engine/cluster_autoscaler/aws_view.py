"""What the autoscaler knows of AWS: Auto Scaling groups as of its last refresh.

The list of groups and instances is fetched at most once a minute, and at the next look after a
deletion. Its own increases and deletions change the cached target at once. An instance that is in
no list yet belongs to no group: its node is counted, and the upcoming one that it was as well.

Source: Cluster Autoscaler 1.31.5, cloudprovider/aws/aws_manager.go (Refresh),
auto_scaling_groups.go; cluster-autoscaler.md §3.9.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.decisions.cluster_autoscaler.balancing import GroupSize
from sim.decisions.cluster_autoscaler.quiet import look_at_or_after

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sim.engine.aws.ec2 import NodeGroups
    from sim.engine.clock import Clock


class AwsView:
    """A view of the node groups that is at most as old as the refresh interval, after a refresh."""

    def __init__(self, clock: Clock, node_groups: NodeGroups, refresh_interval_us: int) -> None:
        """Start with a fresh view."""
        self.clock = clock
        self.node_groups = node_groups
        self.refresh_interval_us = refresh_interval_us
        self.changes = 0  # of which instances are listed
        self.retargets = 0  # other changes
        self._sizes: list[GroupSize] = []
        self._listed: list[frozenset[int]] = []
        self._failed: list[frozenset[int]] = []
        self._seen = -1
        self._refreshed_us = 0
        self.regenerate()

    # -- refreshing -------------------------------------------------------------------------

    def refresh(self) -> None:
        """Fetch everything if it is time to."""
        if self._refreshed_us + self.refresh_interval_us <= self.clock.now_us:
            self.regenerate()

    def regenerate(self) -> None:
        """Fetch everything."""
        self._refreshed_us = self.clock.now_us
        if self._seen == self.node_groups.changes:
            return
        self._seen = self.node_groups.changes
        self.changes += 1
        groups = self.node_groups.groups
        self._sizes = [GroupSize(group.min_size, group.max_size, group.target) for group in groups]
        self._listed = [frozenset(group.instances) for group in groups]
        self._failed = [frozenset(group.failed) for group in groups]

    def skip_looks(self, last_look_us: int, skipped_us: int, interval_us: int) -> None:
        """Remember the refreshes of looks that were skipped because they brought nothing new.

        ``last_look_us`` is the look before the first of them, ``skipped_us`` the last one.
        """
        first_us = look_at_or_after(self._refreshed_us + self.refresh_interval_us, last_look_us, interval_us)
        if first_us <= skipped_us:
            period_us = max(-(-self.refresh_interval_us // interval_us), 1) * interval_us
            self._refreshed_us = first_us + (skipped_us - first_us) // period_us * period_us

    @property
    def is_current(self) -> bool:
        """Whether a refresh would bring nothing new."""
        return self._seen == self.node_groups.changes

    # -- what it says -----------------------------------------------------------------------

    def sizes(self) -> Sequence[GroupSize]:
        """Return bounds and target of each group."""
        return self._sizes

    def list_instances(self, group: int) -> frozenset[int]:
        """Return the instances of a group, placeholders included."""
        return self._listed[group]

    def failed_instances(self, group: int) -> frozenset[int]:
        """Return those of them that report that they cannot be launched."""
        return self._failed[group]

    def knows(self, instance: int, group: int) -> bool:
        """Say whether an instance is known to belong to a group."""
        return instance in self._listed[group]

    # -- what it does -----------------------------------------------------------------------

    def increase(self, group: int, delta: int) -> None:
        """Raise a target; SetDesiredCapacity names the size, which the group may have already."""
        missing = self._sizes[group].target + delta - self.node_groups.groups[group].target
        if missing > 0:
            self.node_groups.increase(group, missing)
        self._retarget(group, delta)

    def delete(self, group: int, instances: Sequence[int]) -> bool:
        """Delete instances; refused when the target is at the minimum, or one is of no known group."""
        size = self._sizes[group]
        if size.target <= size.min_size or not all(self.knows(i, group) for i in instances):
            return False
        before = self.node_groups.groups[group].target
        self.node_groups.delete(group, instances)
        self._retarget(group, self.node_groups.groups[group].target - before)
        self._refreshed_us = self.clock.now_us - self.refresh_interval_us
        return True

    def decrease_target(self, group: int, delta: int) -> bool:
        """Lower a target without deleting; refused below the number of listed instances."""
        if self._sizes[group].target - delta < len(self._listed[group]):
            return False
        self.node_groups.decrease_target(group, delta)
        self._retarget(group, -delta)
        return True

    def _retarget(self, group: int, delta: int) -> None:
        size = self._sizes[group]
        self.retargets += 1
        self._sizes[group] = GroupSize(size.min_size, size.max_size, size.target + delta)
        if self.refresh_interval_us == 0:
            self.regenerate()
