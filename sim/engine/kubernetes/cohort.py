"""A cohort: pods of one class with one history in the scheduling queue."""

from __future__ import annotations

from collections import deque
from enum import IntEnum
from heapq import merge
from typing import TYPE_CHECKING, Final

from sim.engine.entities import PENDING

if TYPE_CHECKING:
    from sim.engine.entities import ClassState, Pod


Turn = tuple[int, int, tuple[int, ...], int]
History = tuple[int, int, int, int, tuple[int, ...]]
Key = tuple[int, Turn]  # the second in which the back-off ends out of which it is taken, or ACTIVE

ACTIVE = -1  # where a cohort is taken from that is not backing off
RANKED = 10  # numbers of a rank that are kept: five attempts


class Rejector:
    """The plugins that refused nodes, which decide what events may help.

    Bits of plain integers: those of an ``IntFlag`` take ten times as long.
    """

    NONE: Final = 0
    FIT: Final = 1
    TAINTS: Final = 2
    UNSCHEDULABLE: Final = 4
    AFFINITY: Final = 8
    SPREAD: Final = 16
    INTER_POD: Final = 32


class Place(IntEnum):
    """Where the queue holds a cohort; NOWHERE while it is being tried, HOPEFUL if asleep and called on."""

    NOWHERE = 0
    ACTIVE = 1
    BACKING_OFF = 2
    UNSCHEDULABLE = 3
    ASLEEP = 4
    HOPEFUL = 5


class Cohort:
    """Pods of one class that failed at one instant, after as many attempts, refused by the same plugins.

    ``rank`` orders those that failed at one instant as they were tried: for each of the last attempts the
    second in which the back-off ended out of which it was taken, -1 if it was active, and the failure before.
    ``pods_gone`` is how many pods had left nodes by then.
    """

    __slots__ = (
        "attempts", "cls", "failed_us", "place", "pods", "pods_gone", "rank", "refused_by", "taken_from",
    )  # fmt: skip

    def __init__(self, cls: ClassState, pods: deque[Pod]) -> None:
        """Let new pods wait together."""
        self.cls = cls
        self.pods = pods
        self.attempts = 0
        self.failed_us = -1
        self.rank: tuple[int, ...] = ()
        self.taken_from = ACTIVE
        self.pods_gone = 0
        self.refused_by: int = Rejector.NONE
        self.place = Place.NOWHERE

    def head(self) -> Pod | None:
        """Return the next pod; those deleted in the meantime are dropped."""
        pods = self.pods
        while pods:
            pod = pods[0]
            if pod.state is PENDING:
                return pod
            pods.popleft()
        return None

    def turn(self) -> Turn:
        """Return what decides whose turn it is: priority, then time in the queue, then creation."""
        pod = self.pods[0]
        queued_us = self.failed_us if self.attempts else pod.created_us
        return -self.cls.spec.priority, queued_us, self.rank, pod.order

    def rank_after(self, pod: Pod, taken_from: int) -> tuple[int, ...]:
        """Return the rank after another failure of a pod."""
        before_us = self.failed_us if self.attempts else pod.created_us
        return (taken_from, before_us, *self.rank[:RANKED])


def history_of(cohort: Cohort) -> History:
    """Return what decides what becomes of a cohort, besides what pods it has and of what class."""
    return cohort.failed_us, cohort.attempts, cohort.pods_gone, cohort.refused_by, cohort.rank


def alike(first: Cohort, second: Cohort) -> bool:
    """Say whether two cohorts of a class have the same history from now on."""
    return history_of(first) == history_of(second)


def merged_pods(first: deque[Pod], second: deque[Pod]) -> deque[Pod]:
    """Return the pods of two cohorts that are alike in the order of their turn: of creation."""
    if not first or not second or first[-1].order < second[0].order:
        first.extend(second)
        return first
    return deque(merge(first, second, key=lambda pod: pod.order))
