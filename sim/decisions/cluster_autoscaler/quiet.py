"""When the next look could differ from the last one, if nothing happens until then.

Looks of which nothing in the cluster and nothing in the autoscaler's memory has changed are alike,
until a timer runs out: an unneeded time, a cooldown, a recheck, a backoff. Looks before that need
not be simulated.

The timers are those of Cluster Autoscaler 1.31.5: core/scaledown/unneeded/nodes.go,
core/static_autoscaler.go, core/scaledown/unremovable/nodes.go, utils/backoff/exponential_backoff.go.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from sim.decisions.cluster_autoscaler.eligibility import MAX_CLOUD_PROVIDER_NODE_DELETION_TIME_US

if TYPE_CHECKING:
    from sim.decisions.cluster_autoscaler.backoff import Backoff
    from sim.decisions.cluster_autoscaler.cooldown import LastScaleTimes
    from sim.decisions.cluster_autoscaler.unneeded import Unneeded
    from sim.model.autoscaler import AutoscalerOptions


def earliest_after(now_us: int, instants_us: Iterable[int]) -> int | None:
    """Return the first of the instants that is still to come."""
    return min((instant for instant in instants_us if instant > now_us), default=None)


def removal_timers(
    unneeded: Collection[Unneeded], times: LastScaleTimes, options: AutoscalerOptions
) -> Iterable[int]:
    """Yield when an unneeded node may first go, and before: when the cooldown no longer forbids it."""
    rested_us = 0
    if not options.scale_down_delay_type_local:
        rested_us = max(
            times.scale_up_us + options.scale_down_delay_after_add_us,
            times.failure_us + options.scale_down_delay_after_failure_us,
            times.scale_down_us + options.scale_down_delay_after_delete_us,
        )
    if unneeded:
        yield rested_us
    for node in unneeded:
        yield max(node.since_us + options.scale_down_unneeded_time_us + 1, rested_us)


def candidate_timers(
    unremovable_until_us: Iterable[int],
    tainted_us: Iterable[int],
    times: LastScaleTimes,
    options: AutoscalerOptions,
) -> Iterable[int]:
    """Yield when a node becomes a candidate again."""
    yield from unremovable_until_us
    for instant_us in tainted_us:
        yield instant_us + MAX_CLOUD_PROVIDER_NODE_DELETION_TIME_US
    if options.scale_down_delay_type_local:
        for last, delay_us in (
            (times.group_scale_up_us, options.scale_down_delay_after_add_us),
            (times.group_scale_down_us, options.scale_down_delay_after_delete_us),
            (times.group_failure_us, options.scale_down_delay_after_failure_us),
        ):
            for instant_us in last.values():
                yield instant_us + delay_us


def backoff_timers(backoffs: Iterable[Backoff]) -> Iterable[int]:
    """Yield when a group may grow again."""
    for backoff in backoffs:
        yield backoff.until_us + 1


def look_at_or_after(instant_us: int, last_look_us: int, interval_us: int) -> int:
    """Return the first of the looks behind the last one that is not before an instant."""
    intervals = max(-(-(instant_us - last_look_us) // interval_us), 1)
    return last_look_us + intervals * interval_us
