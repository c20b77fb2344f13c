"""A cohort: pods of one class with one history in the scheduling queue."""

from __future__ import annotations

from collections import deque
from enum import IntEnum, IntFlag
from typing import TYPE_CHECKING

from sim.engine.entities import PENDING

if TYPE_CHECKING:
    from sim.engine.entities import ClassState, Pod


Turn = tuple[int, int, tuple[int, ...], int]

ACTIVE = -1  # where a cohort is taken from that is not backing off
RANKED = 10  # numbers of a rank that are kept: five attempts


class Rejector(IntFlag):
    """The plugins that refused nodes, which decide what events may help: kept as bits."""

    NONE = 0
    FIT = 1
    TAINTS = 2
    UNSCHEDULABLE = 4
    AFFINITY = 8
    SPREAD = 16
    INTER_POD = 32


class Place(IntEnum):
    """Where the queue holds a cohort; NOWHERE while it is being tried, or sleeps."""

    NOWHERE = 0
    ACTIVE = 1
    BACKING_OFF = 2
    UNSCHEDULABLE = 3


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
        self.refused_by = Rejector.NONE
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


def alike(first: Cohort, second: Cohort) -> bool:
    """Say whether two cohorts of a class have the same history from now on."""
    return (
        first.failed_us == second.failed_us
        and first.attempts == second.attempts
        and first.pods_gone == second.pods_gone
        and first.refused_by == second.refused_by
        and first.rank == second.rank
    )
