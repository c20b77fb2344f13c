"""The scheduling queue: active, backing off, unschedulable; identical pods wait as one cohort.

A cohort is pods of one class that failed at the same instant after as many attempts: they back off,
come back and fail together, so a thousand of them cost as much as one. A cohort whose back-off is
over waits for an event that could help: a pod gone from a node, for every class that may run on some
node; a node that became usable, for the classes that fit on it. An event during the back-off brings
the cohort back at the first flush after it. Retried pods go behind newer arrivals of their
priority, because their place in the queue counts from their last failure.

Source: Kubernetes v1.31.13 pkg/scheduler/internal/queue/scheduling_queue.go and eventhandlers.go
(preCheckForNode), without queueing hints; cluster-autoscaler.md §5.
"""

from __future__ import annotations

from collections import deque
from enum import Enum
from heapq import merge
from typing import TYPE_CHECKING

from sim.decisions.scheduling import attempts_that_matter, backoff_us, flushed_us, leftover_flushed_us
from sim.engine.clock import Phase
from sim.engine.state import PodState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sim.engine.clock import Call, Clock
    from sim.engine.state import ClassState, Node, Pod
    from sim.model.cluster import SchedulerOptions


class Wait(Enum):
    """What a cohort waits for: its turn, the end of its back-off, a flush, or an event."""

    TURN = "turn"
    BACKOFF = "backoff"
    FLUSH = "flush"
    EVENT = "event"
    NOTHING = "nothing"  # its pods are placed, or wait in another cohort


class Cohort:
    """Pods of one class with one history; ``seen`` is how many events there were before they failed."""

    __slots__ = ("attempts", "cls", "failed_us", "pods", "seen", "wait")

    def __init__(self, cls: ClassState, pods: deque[Pod], attempts: int, failed_us: int, seen: int) -> None:
        """Let pods wait together."""
        self.cls = cls
        self.pods = pods
        self.attempts = attempts
        self.failed_us = failed_us
        self.seen = seen
        self.wait = Wait.BACKOFF

    def head(self) -> Pod | None:
        """Return the next pod; those deleted in the meantime are dropped."""
        pods = self.pods
        while pods and pods[0].state is not PodState.PENDING:
            pods.popleft()
        return pods[0] if pods else None

    def turn(self) -> tuple[int, int, int]:
        """Return what decides whose turn it is: priority, then time in the queue, then creation."""
        pod = self.pods[0]
        queued_us = self.failed_us if self.attempts else pod.pending_us
        return -self.cls.spec.priority, queued_us, pod.order


class SchedulingQueue:
    """All pods that wait for the scheduler; calls ``wake`` when a cohort's turn has come."""

    def __init__(self, clock: Clock, options: SchedulerOptions, wake: Callable[[], None]) -> None:
        """Start empty."""
        self.clock = clock
        self.events = 0
        self._options = options
        self._most_attempts = attempts_that_matter(options.initial_backoff_us, options.max_backoff_us)
        self._wake = wake
        self._active: list[Cohort] = []
        self._fresh: dict[int, Cohort] = {}  # by class: pods not tried yet
        self._unmoved: list[Cohort] = []  # back-off over, waiting for an event
        self._pods_gone = 0  # the event that last let every class try again
        self._node_usable: dict[int, int] = {}  # by class: the event that last let it try again
        self._failed_now: dict[tuple[int, int, int], Cohort] = {}
        self._failed_now_us = -1

    def add(self, pod: Pod) -> None:
        """Queue a new pod."""
        cls = pod.cls
        cohort = self._fresh.get(cls.index)
        if cohort is None:
            cohort = self._fresh[cls.index] = Cohort(cls, deque(), 0, -1, -1)
        cohort.pods.append(pod)
        self._activate(cohort)

    def take_active(self) -> list[Cohort]:
        """Return the cohorts whose turn it is; they are no longer queued."""
        active, self._active = self._active, []
        for cohort in active:
            cohort.wait = Wait.NOTHING
        return active

    # -- failures ---------------------------------------------------------------------------

    def fail(self, cohort: Cohort, seen: int) -> None:
        """Put back all pods of a cohort that was tried; ``seen`` events had happened before."""
        pods, cohort.pods = cohort.pods, deque()  # a class's fresh cohort goes on with new pods
        self._put_back(cohort.cls, pods, cohort.attempts + 1, seen)

    def fail_alone(self, cohort: Cohort, seen: int) -> None:
        """Put back the head of a cohort by itself: it has a node of its own to wait for."""
        pod = cohort.pods.popleft()
        failed = Cohort(cohort.cls, deque([pod]), self._counted(cohort.attempts + 1), self.clock.now_us, seen)
        self._back_off(failed)

    def _put_back(self, cls: ClassState, pods: deque[Pod], attempts: int, seen: int) -> None:
        now_us = self.clock.now_us
        if self._failed_now_us != now_us:
            self._failed_now_us = now_us
            self._failed_now.clear()
        attempts = self._counted(attempts)
        key = (cls.index, attempts, seen)
        alike = self._failed_now.get(key)
        if alike is not None and alike.wait is Wait.BACKOFF:
            alike.pods = _merged(alike.pods, pods)
            return
        cohort = self._failed_now[key] = Cohort(cls, pods, attempts, now_us, seen)
        self._back_off(cohort)

    def _counted(self, attempts: int) -> int:
        return min(attempts, self._most_attempts)

    def _back_off(self, cohort: Cohort) -> None:
        options = self._options
        wait_us = backoff_us(cohort.attempts, options.initial_backoff_us, options.max_backoff_us)
        if wait_us == 0:
            self._backed_off(cohort)
        else:
            self.clock.at(self.clock.now_us + wait_us, Phase.REQUEUE, self._backoff_over, cohort)

    def _backoff_over(self, call: Call[Cohort]) -> None:
        self._backed_off(call.argument)

    def _backed_off(self, cohort: Cohort) -> None:
        if cohort.head() is None:
            cohort.wait = Wait.NOTHING
            return
        now_us = self.clock.now_us
        if not self._moved(cohort):
            cohort.wait = Wait.EVENT
            self._unmoved.append(cohort)
            self.clock.at(leftover_flushed_us(cohort.failed_us), Phase.REQUEUE, self._left_over, cohort)
        elif flushed_us(now_us) == now_us and now_us > cohort.failed_us:
            self._activate(cohort)
        else:
            cohort.wait = Wait.FLUSH
            self.clock.at(flushed_us(now_us + 1), Phase.REQUEUE, self._flush, cohort)

    def _moved(self, cohort: Cohort) -> bool:
        """Say whether an event since the failure lets the cohort try again."""
        usable = self._node_usable.get(cohort.cls.index, 0)
        return usable > cohort.seen or (self._pods_gone > cohort.seen and any(cohort.cls.allowed))

    def _flush(self, call: Call[Cohort]) -> None:
        self._activate(call.argument)

    def _left_over(self, call: Call[Cohort]) -> None:
        cohort = call.argument
        if cohort.wait is Wait.EVENT:
            self._unmoved.remove(cohort)
            self._activate(cohort)

    # -- events -----------------------------------------------------------------------------

    def pod_gone(self) -> None:
        """Note that a pod left a node, or gave up its claim to one."""
        self.events += 1
        self._pods_gone = self.events
        if self._unmoved:
            self._move_unmoved()

    def node_usable(self, node: Node, classes: Iterable[ClassState]) -> None:
        """Note that a node became Ready, or open again; ``classes`` are all there are."""
        self.events += 1
        for cls in classes:
            if cls.pending and cls.fits(node):
                self._node_usable[cls.index] = self.events
        self._move_unmoved()

    def _move_unmoved(self) -> None:
        moved = [cohort for cohort in self._unmoved if self._moved(cohort)]
        if moved:
            self._unmoved = [cohort for cohort in self._unmoved if not self._moved(cohort)]
            for cohort in moved:
                self._activate(cohort)

    def _activate(self, cohort: Cohort) -> None:
        if cohort.wait is not Wait.TURN:
            cohort.wait = Wait.TURN
            self._active.append(cohort)
            self._wake()


def _merged(first: deque[Pod], second: deque[Pod]) -> deque[Pod]:
    """Return the pods of both in order of creation; each is in that order already."""
    if first[-1].order <= second[0].order:
        first.extend(second)
        return first
    return deque(merge(first, second, key=lambda pod: pod.order))
