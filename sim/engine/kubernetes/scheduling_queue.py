"""The scheduling queue: active, backing off, unschedulable; identical pods wait as one cohort.

A cohort is pods of one class that failed at the same instant after as many attempts: they back off,
come back and fail together, so a thousand of them cost as much as one. Once its back-off is over, a
cohort waits for an event that could help: a pod gone from a node, or, if the class fits on it, a
node that became usable. An event during the back-off brings the cohort back at the first flush
after it. Retried pods go behind newer arrivals of their priority, because their place in the queue
counts from their last failure.

As long as a class is known to fit nowhere, its cohorts sleep: no attempt of theirs could succeed, so
none is made, and when room appears they catch up on what would have become of them meanwhile (an
attempt due at that very instant is still to come, even if pods were already tried in it).

Source: Kubernetes v1.31.13 pkg/scheduler/internal/queue/scheduling_queue.go and eventhandlers.go
(preCheckForNode), without queueing hints; cluster-autoscaler.md §5.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections import deque
from heapq import merge
from typing import TYPE_CHECKING

from sim.decisions.kubernetes.scheduling import (
    attempts_that_matter,
    backoff_us,
    flushed_us,
    leftover_flushed_us,
    retry_us,
)
from sim.engine.clock import Phase
from sim.engine.entities import PodState

if TYPE_CHECKING:
    from collections.abc import Callable

    from sim.engine.clock import Call, Clock
    from sim.engine.entities import ClassState, Pod
    from sim.model.cluster import SchedulerOptions


class Cohort:
    """Pods of one class with one history.

    ``pods_gone`` and ``nodes_usable`` are how many such events there had been when they failed. Only
    if some node lacked nothing but ``room`` does a pod that leaves one move them. The queue knows the
    cohort as ``active`` when its turn has come, as ``unmoved`` when only an event can bring it back.
    """

    __slots__ = (
        "active", "attempts", "cls", "failed_us", "nodes_usable", "pods", "pods_gone", "room", "unmoved",
    )  # fmt: skip

    def __init__(self, cls: ClassState, pods: deque[Pod]) -> None:
        """Let new pods wait together."""
        self.cls = cls
        self.pods = pods
        self.attempts = 0
        self.failed_us = -1
        self.pods_gone = 0
        self.nodes_usable = 0
        self.room = True
        self.active = False
        self.unmoved = False

    def head(self) -> Pod | None:
        """Return the next pod; those deleted in the meantime are dropped."""
        pods = self.pods
        while pods:
            pod = pods[0]
            if pod.state is PodState.PENDING:
                return pod
            pods.popleft()
        return None

    def turn(self) -> tuple[int, int, int]:
        """Return what decides whose turn it is: priority, then time in the queue, then creation."""
        pod = self.pods[0]
        queued_us = self.failed_us if self.attempts else pod.created_us
        return -self.cls.spec.priority, queued_us, pod.order


class SchedulingQueue:
    """All pods that wait for the scheduler; calls ``wake`` when a cohort's turn has come."""

    def __init__(self, clock: Clock, options: SchedulerOptions, wake: Callable[[], None]) -> None:
        """Start empty."""
        self.clock = clock
        self.pods_gone = 0
        self.nodes_usable = 0
        most = attempts_that_matter(options.initial_backoff_us, options.max_backoff_us)
        self._backoffs_us = [
            backoff_us(n, options.initial_backoff_us, options.max_backoff_us) for n in range(1, most + 1)
        ]
        self._wake = wake
        self._active: list[Cohort] = []
        self._fresh: dict[int, Cohort] = {}  # by class: pods not tried yet
        self._unmoved: list[Cohort] = []  # back-off over, waiting for an event
        self._usable: dict[int, int] = {}  # by class: the last node event that lets it try again
        self._asleep: dict[int, list[Cohort]] = {}  # by class
        self._gone_us = array("q")  # when pods left nodes, while any cohort sleeps
        self._gone_before = 0  # how many had left before

    def add(self, pod: Pod) -> None:
        """Queue a new pod."""
        cls = pod.cls
        cohort = self._fresh.get(cls.index)
        if cohort is None:
            cohort = self._fresh[cls.index] = Cohort(cls, deque())
        cohort.pods.append(pod)
        if not cohort.active:
            self._activate(cohort)

    def take_active(self) -> list[Cohort]:
        """Return the cohorts whose turn it is; they are no longer queued."""
        active, self._active = self._active, []
        for cohort in active:
            cohort.active = False
        return active

    # -- failures ---------------------------------------------------------------------------

    def fail(self, cohort: Cohort, *, room: bool, asleep: bool) -> None:
        """Put back all pods of a cohort that was tried, to sleep until the class is roused or not."""
        failed = self._failed(cohort, cohort.pods)
        failed.room = room
        cohort.pods = deque()  # a class's fresh cohort goes on with new pods
        if asleep:
            self._sleep(failed)
        else:
            self._back_off(failed)

    def fail_alone(self, cohort: Cohort, pods_gone: int) -> None:
        """Put back the head of a cohort by itself: it made room for itself, after ``pods_gone`` events."""
        failed = self._failed(cohort, deque([cohort.pods.popleft()]))
        failed.pods_gone = pods_gone
        self._back_off(failed)

    def _failed(self, cohort: Cohort, pods: deque[Pod]) -> Cohort:
        failed = Cohort(cohort.cls, pods)
        failed.attempts = self._counted(cohort.attempts + 1)
        failed.failed_us = self.clock.now_us
        failed.pods_gone = self.pods_gone
        failed.nodes_usable = self.nodes_usable
        return failed

    def _counted(self, attempts: int) -> int:
        """Return the number of attempts, as far as it makes a difference."""
        return min(attempts, len(self._backoffs_us))

    def _back_off(self, cohort: Cohort) -> None:
        over_us = cohort.failed_us + self._backoffs_us[cohort.attempts - 1]
        if over_us <= self.clock.now_us:
            self._backed_off(cohort)
        else:
            self.clock.at(over_us, Phase.REQUEUE, self._backoff_over, cohort)

    def _backoff_over(self, call: Call[Cohort]) -> None:
        self._backed_off(call.argument)

    def _backed_off(self, cohort: Cohort) -> None:
        if self._moved(cohort):
            self._await_turn(cohort, flushed_us(cohort.failed_us, self.clock.now_us))
        else:
            self._await_event(cohort)

    def _await_turn(self, cohort: Cohort, time_us: int) -> None:
        if time_us <= self.clock.now_us:
            self._activate(cohort)
        else:
            self.clock.at(time_us, Phase.REQUEUE, self._flush, cohort)

    def _await_event(self, cohort: Cohort) -> None:
        cohort.unmoved = True
        self._unmoved.append(cohort)
        leftover_us = max(leftover_flushed_us(cohort.failed_us), self.clock.now_us)
        self.clock.at(leftover_us, Phase.REQUEUE, self._left_over, cohort)

    def _moved(self, cohort: Cohort) -> bool:
        """Say whether an event since the failure lets the cohort try again."""
        return self._moved_by_pods(cohort) or self._moved_by_nodes(cohort)

    def _moved_by_pods(self, cohort: Cohort) -> bool:
        return cohort.room and self.pods_gone > cohort.pods_gone

    def _moved_by_nodes(self, cohort: Cohort) -> bool:
        return self._usable.get(cohort.cls.index, 0) > cohort.nodes_usable

    def _flush(self, call: Call[Cohort]) -> None:
        self._activate(call.argument)

    def _left_over(self, call: Call[Cohort]) -> None:
        cohort = call.argument
        if cohort.unmoved:
            self._unmoved.remove(cohort)
            self._activate(cohort)

    def _activate(self, cohort: Cohort) -> None:
        cohort.active = True
        cohort.unmoved = False
        self._active.append(cohort)
        self._wake()

    # -- sleep ------------------------------------------------------------------------------

    def _sleep(self, cohort: Cohort) -> None:
        if not self._asleep:
            del self._gone_us[:]
            self._gone_before = self.pods_gone
        sleeping = self._asleep.setdefault(cohort.cls.index, [])
        if sleeping and _alike(sleeping[-1], cohort):
            sleeping[-1].pods = _merged(sleeping[-1].pods, cohort.pods)
        else:
            sleeping.append(cohort)

    def rouse(self, cls: ClassState) -> None:
        """Let a class try again as upstream would: room may have appeared for it."""
        sleeping = self._asleep.pop(cls.index, None)
        if sleeping is None:
            return
        for cohort in sleeping:
            self._catch_up(cohort)
        sleeping.sort(key=lambda cohort: (cohort.failed_us, cohort.attempts))
        last = None
        for cohort in sleeping:
            if last is not None and _alike(last, cohort):
                last.pods = _merged(last.pods, cohort.pods)
                continue
            if last is not None:
                self._resume(last)
            last = cohort
        if last is not None:
            self._resume(last)

    def _catch_up(self, cohort: Cohort) -> None:
        """Go through the attempts that would have been made, and failed, before this instant."""
        while (tried_us := self._next_try_us(cohort)) < self.clock.now_us:
            cohort.attempts = self._counted(cohort.attempts + 1)
            cohort.failed_us = tried_us
            cohort.pods_gone = self._gone_before + bisect_right(self._gone_us, tried_us)

    def _next_try_us(self, cohort: Cohort) -> int:
        """Return when a cohort would be tried again, by what has happened up to now."""
        over_us = cohort.failed_us + self._backoffs_us[cohort.attempts - 1]
        gone = cohort.pods_gone - self._gone_before
        moved = cohort.room and gone < len(self._gone_us)
        return retry_us(cohort.failed_us, over_us, self._gone_us[gone] if moved else None)

    def _resume(self, cohort: Cohort) -> None:
        """Have a cohort that slept wait as if it had not."""
        if cohort.failed_us + self._backoffs_us[cohort.attempts - 1] > self.clock.now_us:
            self._back_off(cohort)
        elif self._moved_by_pods(cohort):
            self._await_turn(cohort, self._next_try_us(cohort))
        elif self._moved_by_nodes(cohort):
            self._activate(cohort)
        else:
            self._await_event(cohort)

    # -- events -----------------------------------------------------------------------------

    def pod_gone(self) -> None:
        """Note that a pod left a node, or gave up its claim to one."""
        self.pods_gone += 1
        if self._asleep:
            self._gone_us.append(self.clock.now_us)
        if self._unmoved:
            self._activate_moved()

    def node_usable(self, classes: list[ClassState]) -> None:
        """Note that a node became Ready, or open again, and that pods of ``classes`` fit on it."""
        self.nodes_usable += 1
        for cls in classes:
            self._usable[cls.index] = self.nodes_usable
        if self._unmoved:
            self._activate_moved()

    def _activate_moved(self) -> None:
        unmoved, self._unmoved = self._unmoved, []
        for cohort in unmoved:
            if self._moved(cohort):
                self._activate(cohort)
            else:
                self._unmoved.append(cohort)


def _alike(first: Cohort, second: Cohort) -> bool:
    """Say whether two cohorts of a class have the same history from now on."""
    return (
        first.failed_us == second.failed_us
        and first.attempts == second.attempts
        and first.pods_gone == second.pods_gone
        and first.room == second.room
    )


def _merged(first: deque[Pod], second: deque[Pod]) -> deque[Pod]:
    """Return the pods of both in order of creation; each is in that order already."""
    if first[-1].order <= second[0].order:
        first.extend(second)
        return first
    return deque(merge(first, second, key=lambda pod: pod.order))
