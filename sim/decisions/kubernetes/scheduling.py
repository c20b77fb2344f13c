"""How kube-scheduler paces itself: back-off of failed pods, and how many nodes it looks at.

A pod that failed ``n`` times waits min(initial · 2^(n−1), max) from its last failure; the back-off
queue is flushed every second, so a pod moved into it comes back at the first whole second. A pod
that no event moves is tried again once it has been unschedulable for more than 5 minutes, which is
checked every 30 s. Below 100 nodes all are scored; above, the search stops at a share of them that
shrinks as the cluster grows, and the next search starts where this one stopped. From 1.33 on back-offs
end at whole seconds, and one that ends in the running second is not over.

Source: Kubernetes v1.31.13 pkg/scheduler: internal/queue/scheduling_queue.go (calculateBackoffDuration,
flushUnschedulablePodsLeftover), schedule_one.go (numFeasibleNodesToFind); cluster-autoscaler.md §5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sim.model.units import SECOND

if TYPE_CHECKING:
    from numpy.typing import NDArray

FLUSH_BACKOFF_US = 1 * SECOND
FLUSH_UNSCHEDULABLE_US = 30 * SECOND
LONGEST_UNSCHEDULABLE_US = 300 * SECOND

FEWEST_SAMPLED = 100


@dataclass(frozen=True, slots=True)
class SchedulerRules:
    """What changed between versions of kube-scheduler, by the feature gates that are on by default.

    ``queueing_hints`` (1.32): plugins say which events may help a pod that they refused, and it is heard of
    when room is kept no longer. ``pops_from_backoff`` (1.33): an idle scheduler takes pods out of the
    back-off queue. ``balances_without_requests`` (up to 1.32): BalancedAllocation scores pods that ask for
    nothing. With ``asynchronous_preemption`` (1.33) a preemptor hears of the last of its victims only.

    Source: Kubernetes v1.31.13 and v1.33.5 pkg/features/kube_features.go.
    """

    queueing_hints: bool
    pops_from_backoff: bool
    asynchronous_preemption: bool
    balances_without_requests: bool


NEWEST_RULES = (1, 33)
"""The newest version whose rules are known; later ones follow them."""


def scheduler_rules(kubernetes_version: str) -> SchedulerRules:
    """Return the rules of a version such as ``1.33``; a version that says nothing known is the newest."""
    version = minor_version(kubernetes_version)
    since_33 = version >= NEWEST_RULES
    return SchedulerRules(
        queueing_hints=version >= (1, 32),
        pops_from_backoff=since_33,
        asynchronous_preemption=since_33,
        balances_without_requests=not since_33,
    )


def minor_version(text: str) -> tuple[int, int]:
    """Return major and minor of a version, such as ``v1.31.13``; the newest known if it has none."""
    major, _, rest = text.removeprefix("v").partition(".")
    minor = rest.partition(".")[0]
    return (int(major), int(minor)) if major.isdecimal() and minor.isdecimal() else NEWEST_RULES


def backoff_us(attempts: int, initial_us: int, max_us: int) -> int:
    """Return how long a pod waits after its n-th failure: 1, 2, 4, 8, 10, 10, … seconds by default."""
    duration_us = initial_us
    for _ in range(attempts - 1):
        if duration_us > max_us - duration_us:
            return max_us
        duration_us += duration_us
    return min(duration_us, max_us)


def attempts_that_matter(initial_us: int, max_us: int) -> int:
    """Return the number of failures after which the back-off grows no further."""
    attempts = 1
    while 0 < backoff_us(attempts, initial_us, max_us) < max_us:
        attempts += 1
    return attempts


def is_backing_off(over_us: int, now_us: int, rules: SchedulerRules) -> bool:
    """Say whether a back-off that ends at ``over_us`` still holds a pod back; its end does not."""
    if rules.pops_from_backoff:  # whole seconds (backoff_queue.go, isPodBackingoff)
        return over_us // FLUSH_BACKOFF_US >= now_us // FLUSH_BACKOFF_US
    return over_us > now_us


def flushed_us(failed_us: int, backoff_over_us: int, rules: SchedulerRules) -> int:
    """Return when a pod in the back-off queue comes back: at the first flush that finds it is over."""
    if rules.pops_from_backoff:
        return (backoff_over_us // FLUSH_BACKOFF_US + 1) * FLUSH_BACKOFF_US
    flush_us = -(-backoff_over_us // FLUSH_BACKOFF_US) * FLUSH_BACKOFF_US
    return flush_us if flush_us > failed_us else flush_us + FLUSH_BACKOFF_US


def leftover_flushed_us(failed_us: int) -> int:
    """Return the flush at which a pod counts as left over, if nothing has moved it until then."""
    due_us = failed_us + LONGEST_UNSCHEDULABLE_US
    return (due_us // FLUSH_UNSCHEDULABLE_US + 1) * FLUSH_UNSCHEDULABLE_US


def retry_us(failed_us: int, backoff_over_us: int, moved_us: int | None, rules: SchedulerRules) -> int:
    """Return when a pod is tried again; ``moved_us`` is the first event that moves it, if any.

    The scheduler is otherwise idle.
    """
    leftover_us = leftover_flushed_us(failed_us)
    if moved_us is None or moved_us > leftover_us:
        return leftover_us
    if rules.pops_from_backoff or not is_backing_off(backoff_over_us, moved_us, rules):
        return moved_us
    return flushed_us(failed_us, backoff_over_us, rules)


def nodes_to_find(nodes: int) -> int:
    """Return how many feasible nodes end the search: max(100, N · max(5, 50 − N/125) %)."""
    if nodes < FEWEST_SAMPLED:
        return nodes
    percentage = max(5, 50 - nodes // 125)
    return max(FEWEST_SAMPLED, nodes * percentage // 100)


def sample(feasible: NDArray[np.intp], wanted: int, nodes: int, start: int) -> tuple[NDArray[np.intp], int]:
    """Return the feasible nodes that are scored, and where the next search starts.

    ``feasible`` holds the places in the search, ascending, of more nodes than are ``wanted``; the search
    begins at ``start``, goes round, and ends at the first that fits and is not wanted any more, where the
    next one begins. With fewer it looks at all ``nodes`` and the next one begins where it began.
    """
    first = feasible.searchsorted(start if start < nodes else 0)
    found = np.roll(feasible, -int(first))[: wanted + 1] if first else feasible[: wanted + 1]
    return found[:wanted], int(found[wanted])
