"""How kube-scheduler paces itself: back-off of failed pods, and how many nodes it looks at.

A pod that failed ``n`` times waits min(initial · 2^(n−1), max) from its last failure; the back-off
queue is flushed every second, so a pod moved into it comes back at the first whole second. A pod
that no event moves is tried again once it has been unschedulable for more than 5 minutes, which is
checked every 30 s. Below 100 nodes all are scored; above, the search stops at a share of them that
shrinks as the cluster grows, and the next search starts where this one stopped.

Source: Kubernetes v1.31.13 pkg/scheduler: internal/queue/scheduling_queue.go (calculateBackoffDuration,
flushUnschedulablePodsLeftover), schedule_one.go (numFeasibleNodesToFind); cluster-autoscaler.md §5.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sim.model.units import SECOND

if TYPE_CHECKING:
    from numpy.typing import NDArray

FLUSH_BACKOFF_US = 1 * SECOND
FLUSH_UNSCHEDULABLE_US = 30 * SECOND
LONGEST_UNSCHEDULABLE_US = 300 * SECOND

FEWEST_SAMPLED = 100


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


def flushed_us(failed_us: int, backoff_over_us: int) -> int:
    """Return when a pod that was moved during its back-off comes back: the first flush after it."""
    flush_us = -(-backoff_over_us // FLUSH_BACKOFF_US) * FLUSH_BACKOFF_US
    return flush_us if flush_us > failed_us else flush_us + FLUSH_BACKOFF_US


def leftover_flushed_us(failed_us: int) -> int:
    """Return the flush at which a pod counts as left over, if nothing has moved it until then."""
    due_us = failed_us + LONGEST_UNSCHEDULABLE_US
    return (due_us // FLUSH_UNSCHEDULABLE_US + 1) * FLUSH_UNSCHEDULABLE_US


def retry_us(failed_us: int, backoff_over_us: int, moved_us: int | None) -> int:
    """Return when a pod is tried again; ``moved_us`` is the first event that moves it, if any."""
    if moved_us is not None and moved_us <= backoff_over_us:
        return flushed_us(failed_us, backoff_over_us)
    leftover_us = leftover_flushed_us(failed_us)
    return leftover_us if moved_us is None else min(moved_us, leftover_us)


def nodes_to_find(nodes: int) -> int:
    """Return how many feasible nodes end the search: max(100, N · max(5, 50 − N/125) %)."""
    if nodes < FEWEST_SAMPLED:
        return nodes
    percentage = max(5, 50 - nodes // 125)
    return max(FEWEST_SAMPLED, nodes * percentage // 100)


def sample(feasible: NDArray[np.intp], wanted: int, nodes: int, start: int) -> tuple[NDArray[np.intp], int]:
    """Return the feasible nodes that are scored, and where the next search starts.

    ``feasible`` holds the positions, ascending, of more nodes than are ``wanted``; the search begins
    at ``start``, goes round, and ends when it has found enough. With fewer it looks at all ``nodes``
    and ends where it began.
    """
    first = feasible.searchsorted(start)
    found = feasible[first : first + wanted]
    if len(found) < wanted:
        found = np.concatenate((found, feasible[: wanted - len(found)]))
    return found, (int(found[-1]) + 1) % nodes
