"""Triggers: when a branch moves to the head of the branch that it watches.

A trigger with a cron expression moves its branch at each tick, in UTC, whatever else it says. Any other is
looked at when a commit of the watched branch is finished without an error: by size, by number of commits and
by a rate limit, of which one is enough, or with ``all`` every one that is stated. What moved may move others.

Source: pachyderm/pachyderm v2.11.6, src/server/pfs/server/trigger.go and master.go runCronTrigger;
pachyderm.md §3.7.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sim.model.cron import cron_times, parse_cron
from sim.model.pipelines import Trigger


@dataclass(frozen=True, slots=True)
class Since:
    """What lies between the head of a branch and the commit it may move to."""

    commits: int
    size_bytes: float
    old_finishing: datetime
    new_finishing: datetime


def is_triggered(trigger: Trigger, since: Since) -> bool:
    """Say whether a branch moves; one without any condition does with ``all`` and does not without."""
    conditions = []
    if trigger.size_bytes is not None:
        conditions.append(since.size_bytes >= trigger.size_bytes)
    if trigger.rate_limit:
        conditions.append(_has_ticked(trigger.rate_limit, since.old_finishing, since.new_finishing))
    if trigger.commits:
        conditions.append(since.commits >= trigger.commits)
    return all(conditions) if trigger.all else any(conditions)


def _has_ticked(spec: str, old: datetime, new: datetime) -> bool:
    """Say whether the first tick after one instant is before another; what never ticks lets all pass."""
    first_us = next(cron_times(parse_cron(spec), old), None)
    return first_us is None or old + timedelta(microseconds=first_us) < new
