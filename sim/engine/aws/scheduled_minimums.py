"""Scheduled minimum sizes: a group kept warm in office hours, by cron expressions.

Each tick sets the group's minimum, and launches what is missing at once, as a scheduled action of an
Auto Scaling group does. Lowering the minimum removes nothing: that is left to the autoscaler. The tick before
the start holds from the start on, and its nodes are there.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sim.engine.clock import Phase
from sim.model.cron import cron_times, parse_recurrence

if TYPE_CHECKING:
    from sim.engine.aws.ec2 import NodeGroups
    from sim.engine.clock import Call, Clock
    from sim.model.cluster import NodeGroup

Schedule = tuple[int, int, Iterator[int]]
"""Group, minimum size, and when it is set."""


class ScheduledMinimums:
    """Sets minimum sizes of node groups when their schedules say so."""

    def __init__(
        self, clock: Clock, node_groups: NodeGroups, groups: tuple[NodeGroup, ...], start: datetime
    ) -> None:
        """Put the last tick before the start in force, and wait for the first tick of each schedule."""
        self.clock = clock
        self.node_groups = node_groups
        for index, group in enumerate(groups):
            min_size = _in_force(group, start)
            if min_size is not None:
                node_groups.begin_with_minimum(index, min_size)
            for minimum in group.scheduled_minimums:
                self._await_next((index, minimum.min_size, cron_times(parse_recurrence(minimum.cron), start)))

    def _await_next(self, schedule: Schedule) -> None:
        time_us = next(schedule[2], None)
        if time_us is not None:
            self.clock.at(time_us, Phase.CONTROLLERS, self._set, schedule)

    def _set(self, call: Call[Schedule]) -> None:
        group, min_size, _ = call.argument
        self.node_groups.set_min_size(group, min_size)
        self._await_next(call.argument)


def _in_force(group: NodeGroup, start: datetime) -> int | None:
    """Return the minimum that the last tick up to the start has set, None where there was none."""
    ticks = [
        (parse_recurrence(minimum.cron).last_until(start), minimum.min_size)
        for minimum in group.scheduled_minimums
    ]
    set_at = [(tick.astimezone(UTC), min_size) for tick, min_size in ticks if tick is not None]
    return max(set_at, key=lambda setting: setting[0])[1] if set_at else None
