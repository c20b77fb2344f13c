"""The scheduling queue: active, backing off, unschedulable; identical pods wait as one cohort.

A cohort is pods of one class that failed at the same instant after as many attempts: they back off,
come back and fail together, so a thousand of them cost as much as one. A cohort that failed is
unschedulable until an event that could help it. If its back-off is over by then it becomes active at
once, otherwise it waits in the back-off queue, which is flushed every second; from 1.33 on an idle
scheduler takes it out of there at once. Without any node there is nothing to wait for: pods go to
the back-off queue by themselves, and stay there. Retried pods go behind newer arrivals of their
priority, because their place in the queue counts from their last failure.

As long as a class is known to fit nowhere, its cohorts sleep: no attempt of theirs could succeed, so
none is made, and when room appears they catch up on what would have become of them meanwhile (an
attempt due at that very instant is still to come, even if pods were already tried in it).

Source: Kubernetes v1.31.13 pkg/scheduler/internal/queue/scheduling_queue.go; v1.33.5
pkg/scheduler/backend/queue (backoff_queue.go, active_queue.go); cluster-autoscaler.md §5.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections import deque
from heapq import heappop, heappush
from itertools import count
from typing import TYPE_CHECKING

from sim.decisions.kubernetes.scheduling import (
    SchedulerRules,
    attempts_that_matter,
    backoff_us,
    flushed_us,
    is_backing_off,
    leftover_flushed_us,
    retry_us,
)
from sim.engine.clock import Phase
from sim.engine.kubernetes.cohort import (
    ACTIVE,
    RANKED,
    Cohort,
    History,
    Key,
    Place,
    Rejector,
    Turn,
    alike,
    history_of,
    merged_pods,
)
from sim.model.units import SECOND

if TYPE_CHECKING:
    from collections.abc import Callable

    from sim.engine.clock import Call, Clock
    from sim.engine.entities import ClassState, Pod
    from sim.model.cluster import SchedulerOptions


class SchedulingQueue:
    """All pods that wait for the scheduler; calls ``wake`` when a cohort's turn has come."""

    def __init__(
        self,
        clock: Clock,
        options: SchedulerOptions,
        rules: SchedulerRules,
        wake: Callable[[], None],
        call_on: Callable[[Cohort], None],
    ) -> None:
        """Start empty; ``call_on`` is told when the turn of a sleeping cohort has come."""
        self.clock = clock
        self.rules = rules
        self.pods_gone = 0
        most = attempts_that_matter(options.initial_backoff_us, options.max_backoff_us)
        self._backoffs_us = [
            backoff_us(n, options.initial_backoff_us, options.max_backoff_us) for n in range(1, most + 1)
        ]
        self._wake = wake
        self._call_on = call_on
        self._number = count()
        self._active: list[tuple[Turn, int, Cohort]] = []
        self._backing_off: list[tuple[int, Turn, int, Cohort]] = []  # those an idle scheduler may take
        self._fresh: dict[int, Cohort] = {}  # by class: pods not tried yet
        self._unschedulable: list[Cohort] = []
        self._asleep: dict[int, list[Cohort]] = {}  # by class
        self._hopeful: list[tuple[Key, int, Cohort]] = []  # asleep, and called on when their turn comes
        self._gone_us = array("q")  # when pods left nodes, while any cohort sleeps
        self._gone_before = 0  # how many had left before
        self._shared: dict[History, History] = {}  # what became of sleeping cohorts, at one instant
        self._shared_of = (-1, -1, -1)
        self._moved_us: dict[int, list[int]] = {}  # by class: when else its sleeping cohorts were moved

    def add(self, pod: Pod) -> None:
        """Queue a new pod."""
        cls = pod.cls
        cohort = self._fresh.get(cls.index)
        if cohort is None:
            cohort = self._fresh[cls.index] = Cohort(cls, deque())
        cohort.pods.append(pod)
        if cohort.place is not Place.ACTIVE:
            self._activate(cohort)

    # -- turns ------------------------------------------------------------------------------

    def next(self) -> Cohort | None:
        """Return the cohort whose turn it is, which is no longer queued; its head is pending."""
        while self._active or self._hopeful or self._backing_off:
            if self._hopeful and self._is_first_of_all(self._hopeful[0][0]):
                self._call_hopeful()
                continue
            if not self._active:
                if (cohort := self._pop_from_backoff()) is not None:
                    return cohort
                continue
            turn, _, cohort = heappop(self._active)
            if cohort.head() is None:
                cohort.place = Place.NOWHERE
            elif cohort.turn() > turn:
                self._push(cohort)  # its first pods were deleted
            else:
                cohort.place = Place.NOWHERE
                cohort.taken_from = ACTIVE
                return cohort
        return None

    def _pop_from_backoff(self) -> Cohort | None:
        """Take the first out of the back-off queue; None if nothing is left of it."""
        over_s, _, _, cohort = heappop(self._backing_off)
        if cohort.place is not Place.BACKING_OFF:
            return None
        cohort.place = Place.NOWHERE
        cohort.taken_from = over_s
        return None if cohort.head() is None else cohort

    def goes_on(self, cohort: Cohort) -> bool:
        """Say whether a cohort that was taken and has pods left is next again; otherwise queue it."""
        if cohort.place is not Place.NOWHERE:  # pods of a class came while others were placed
            return False
        if not (self._active or self._hopeful) or cohort.head() is None:
            return True
        turn = cohort.turn()
        while self._hopeful and self._hopeful[0][0] < (ACTIVE, turn):
            self._call_hopeful()
        if self._active and turn > self._active[0][0]:
            self._push(cohort)
            return False
        return True

    # -- failures ---------------------------------------------------------------------------

    def fail(self, cohort: Cohort, refused_by: int, *, asleep: bool) -> None:
        """Put back all pods of a cohort that was tried, to sleep until the class is roused or not."""
        failed = self._failed(cohort, cohort.pods, refused_by)
        cohort.pods = deque()  # a class's fresh cohort goes on with new pods
        if asleep:
            self._sleep(failed)
        else:
            self._await_event(failed)

    def fail_without_nodes(self, cohort: Cohort) -> None:
        """Put back all pods of a cohort because there is no node at all."""
        failed = self._failed(cohort, cohort.pods, Rejector.NONE)
        cohort.pods = deque()
        self._back_off(failed, takes_part=False)

    def fail_alone(self, cohort: Cohort, refused_by: int, *, moved: bool) -> None:
        """Put back the head of a cohort by itself: it made room for itself, and may be moved by that."""
        failed = self._failed(cohort, deque([cohort.pods.popleft()]), refused_by)
        if moved:
            self._requeue(failed)
        else:
            self._await_event(failed)

    def _failed(self, cohort: Cohort, pods: deque[Pod], refused_by: int) -> Cohort:
        failed = Cohort(cohort.cls, pods)
        failed.attempts = self._counted(cohort.attempts + 1)
        failed.failed_us = self.clock.now_us
        failed.rank = cohort.rank_after(pods[0], cohort.taken_from)
        failed.pods_gone = self.pods_gone
        failed.refused_by = refused_by
        return failed

    def _counted(self, attempts: int) -> int:
        """Return the number of attempts, as far as it makes a difference."""
        return min(attempts, len(self._backoffs_us))

    def _over_us(self, cohort: Cohort) -> int:
        return cohort.failed_us + self._backoffs_us[cohort.attempts - 1]

    def _is_held_back(self, cohort: Cohort, time_us: int) -> bool:
        if not self._backoffs_us[-1]:  # no back-off at all
            return False
        return is_backing_off(self._over_us(cohort), time_us, self.rules)

    def _requeue(self, cohort: Cohort) -> None:
        """Let a cohort that an event moves try again, behind its back-off if that is not over."""
        if self._is_held_back(cohort, self.clock.now_us):
            self._back_off(cohort, takes_part=True)
        else:
            self._activate(cohort)

    def _back_off(self, cohort: Cohort, *, takes_part: bool) -> None:
        """Queue for the flush; one that ``takes_part`` may be taken before by an idle scheduler."""
        over_us, now_us = self._over_us(cohort), self.clock.now_us
        cohort.place = Place.BACKING_OFF
        if takes_part and self.rules.pops_from_backoff:
            heappush(self._backing_off, (over_us // SECOND, cohort.turn(), next(self._number), cohort))
            self._wake()
        flush_us = flushed_us(cohort.failed_us, over_us, self.rules)
        if flush_us <= now_us:
            self._activate(cohort)
        else:
            self.clock.at(flush_us, Phase.REQUEUE, self._flush, cohort)

    def _await_event(self, cohort: Cohort) -> None:
        if self._unschedulable and self._joins(self._unschedulable[-1], cohort):
            return
        cohort.place = Place.UNSCHEDULABLE
        self._unschedulable.append(cohort)
        leftover_us = max(leftover_flushed_us(cohort.failed_us), self.clock.now_us)
        self.clock.at(leftover_us, Phase.REQUEUE, self._left_over, cohort)

    def _joins(self, last: Cohort, cohort: Cohort) -> bool:
        """Let the pods of a cohort join those that failed just before, if nothing tells them apart."""
        if last.cls is not cohort.cls or not alike(last, cohort) or last.pods[0].nominated is not None:
            return False
        if cohort.pods[0].nominated is not None:
            return False
        last.pods = merged_pods(last.pods, cohort.pods)
        return True

    def _flush(self, call: Call[Cohort]) -> None:
        if call.argument.place is Place.BACKING_OFF:
            self._activate(call.argument)

    def _left_over(self, call: Call[Cohort]) -> None:
        cohort = call.argument
        if cohort.place is Place.UNSCHEDULABLE:
            self._unschedulable.remove(cohort)
            self._activate(cohort)

    def _activate(self, cohort: Cohort) -> None:
        if cohort.head() is None:
            cohort.place = Place.NOWHERE
            return
        self._push(cohort)
        self._wake()

    def _push(self, cohort: Cohort) -> None:
        cohort.place = Place.ACTIVE
        heappush(self._active, (cohort.turn(), next(self._number), cohort))

    # -- sleep ------------------------------------------------------------------------------

    def _sleep(self, cohort: Cohort) -> None:
        if not self._asleep:
            del self._gone_us[:]
            self._gone_before = self.pods_gone
        cohort.place = Place.ASLEEP
        sleeping = self._asleep.setdefault(cohort.cls.index, [])
        if sleeping and alike(sleeping[-1], cohort):
            sleeping[-1].pods = merged_pods(sleeping[-1].pods, cohort.pods)
        else:
            sleeping.append(cohort)

    def rouse(self, cls: ClassState) -> None:
        """Let a class try again as upstream would: room may have appeared for it."""
        sleeping = self._asleep.pop(cls.index, None)
        if sleeping is None:
            return
        moved_us = self._moved_us.pop(cls.index, [])
        for cohort in self._caught_up(sleeping, moved_us):
            cohort.place = Place.NOWHERE
            self._resume(cohort, moved_us)

    def _caught_up(self, sleeping: list[Cohort], moved_us: list[int]) -> list[Cohort]:
        """Bring cohorts of a class up to this instant; those that have one history by now become one."""
        sleeping = [cohort for cohort in sleeping if cohort.head() is not None]
        for cohort in sleeping:
            self._catch_up(cohort, moved_us)
        if len(sleeping) < 2:  # noqa: PLR2004
            return sleeping
        sleeping.sort(key=lambda cohort: (cohort.failed_us, cohort.rank, cohort.attempts))
        merged: list[Cohort] = []
        for cohort in sleeping:
            if merged and alike(merged[-1], cohort):
                merged[-1].pods = merged_pods(merged[-1].pods, cohort.pods)
                cohort.place = Place.NOWHERE
            else:
                merged.append(cohort)
        return merged

    def _catch_up(self, cohort: Cohort, moved_us: list[int]) -> None:
        """Bring a cohort up to this instant; those of one history share what becomes of it."""
        if moved_us and moved_us[-1] > cohort.failed_us:  # by events of its class alone
            self._try_in_vain(cohort, moved_us)
            return
        if self._shared_of != (known := (self.clock.now_us, len(self._gone_us), self._gone_before)):
            self._shared_of = known
            self._shared.clear()
        before = history_of(cohort)
        after = self._shared.get(before)
        if after is None:
            self._try_in_vain(cohort, moved_us)
            self._shared[before] = history_of(cohort)
        else:
            cohort.failed_us, cohort.attempts, cohort.pods_gone, cohort.refused_by, cohort.rank = after

    def _try_in_vain(self, cohort: Cohort, moved_us: list[int]) -> None:
        """Go through the attempts that would have been made, and failed, before this instant."""
        while True:
            self._skip_most(cohort)
            event_us = self._event_us(cohort, moved_us)
            tried_us = retry_us(cohort.failed_us, self._over_us(cohort), event_us, self.rules)
            if tried_us >= self.clock.now_us:
                return
            taken_from = self._taken_from(cohort, tried_us) if self.rules.pops_from_backoff else ACTIVE
            cohort.rank = (taken_from, cohort.failed_us, *cohort.rank[:RANKED])
            cohort.attempts = self._counted(cohort.attempts + 1)
            cohort.failed_us = tried_us
            cohort.pods_gone = self._gone_before + bisect_right(self._gone_us, tried_us)

    def _skip_most(self, cohort: Cohort) -> None:
        """Leave out attempts that change nothing but what came before, once the back-off is the longest."""
        if not self.rules.pops_from_backoff or cohort.attempts < len(self._backoffs_us):
            return
        gone = cohort.pods_gone - self._gone_before
        skipped = bisect_left(self._gone_us, self.clock.now_us) - RANKED
        if cohort.refused_by & Rejector.FIT and skipped > gone:
            cohort.failed_us = self._gone_us[skipped]
            cohort.pods_gone = self._gone_before + bisect_right(self._gone_us, cohort.failed_us)

    def _event_us(self, cohort: Cohort, moved_us: list[int]) -> int | None:
        """Return the first event that moved a sleeping cohort after its last attempt, if any did."""
        gone = cohort.pods_gone - self._gone_before
        left = cohort.refused_by & Rejector.FIT and gone < len(self._gone_us)
        times = [self._gone_us[gone]] if left else []
        later = bisect_right(moved_us, cohort.failed_us)
        times += moved_us[later : later + 1]
        return min(times, default=None)

    def _resume(self, cohort: Cohort, moved_us: list[int]) -> None:
        """Have a cohort that slept wait as if it had not."""
        event_us = self._event_us(cohort, moved_us)
        if event_us is None:
            self._await_event(cohort)
        elif self._is_held_back(cohort, event_us):
            self._back_off(cohort, takes_part=True)
        else:
            self._activate(cohort)

    # -- hope -------------------------------------------------------------------------------

    def let_hope(self, cls: ClassState) -> bool:
        """Call on the sleeping cohorts of a class when their turn comes, if a pod gone makes them active.

        They sleep on until then, and for good if others were first to take the room: that leaves out the
        attempt, which would fail, and which they catch up on when they are roused. Return whether they can.
        """
        sleeping = self._asleep.get(cls.index)
        if sleeping is None or not all(cohort.refused_by & Rejector.FIT for cohort in sleeping):
            return False
        sleeping = self._caught_up(sleeping, self._moved_us.get(cls.index, []))
        if not sleeping:
            return False
        self._asleep[cls.index] = sleeping
        for cohort in sleeping:
            if cohort.place is Place.ASLEEP:
                cohort.place = Place.HOPEFUL
                taken_from = self._taken_from(cohort, self.clock.now_us)
                heappush(self._hopeful, ((taken_from, cohort.turn()), next(self._number), cohort))
        self._wake()
        return True

    def _taken_from(self, cohort: Cohort, time_us: int) -> int:
        """Return the second in which a back-off ends out of which a moved cohort is taken, or ACTIVE."""
        return self._over_us(cohort) // SECOND if self._is_held_back(cohort, time_us) else ACTIVE

    def _is_first_of_all(self, key: Key) -> bool:
        if self._active:
            return key < (ACTIVE, self._active[0][0])
        return not self._backing_off or key < self._backing_off[0][:2]

    def _call_hopeful(self) -> None:
        cohort = heappop(self._hopeful)[2]
        if cohort.place is Place.HOPEFUL:
            cohort.place = Place.ASLEEP
            if cohort.head() is not None:
                self._call_on(cohort)

    # -- events -----------------------------------------------------------------------------

    def pod_gone(self, helps: Callable[[Cohort], bool]) -> None:
        """Note that a pod left a node; ``helps`` says whom that may help, besides those without room."""
        self.pods_gone += 1
        if self._asleep:
            self._gone_us.append(self.clock.now_us)
        if self._unschedulable:
            self.move(lambda cohort: bool(cohort.refused_by & Rejector.FIT) or helps(cohort))

    def move(self, helps: Callable[[Cohort], bool]) -> None:
        """Let those that an event ``helps`` try again, if they are not waiting for their turn anyway."""
        unschedulable, self._unschedulable = self._unschedulable, []
        for cohort in unschedulable:
            if helps(cohort):
                self._requeue(cohort)
            else:
                self._unschedulable.append(cohort)

    def move_sleeping(self, helps: Callable[[Cohort], bool]) -> None:
        """Note that an event moves those of the sleeping cohorts that it ``helps``, though in vain."""
        now_us = self.clock.now_us
        for index, cohorts in self._asleep.items():
            times = self._moved_us.setdefault(index, [])
            if (not times or times[-1] != now_us) and helps(cohorts[-1]):
                times.append(now_us)
