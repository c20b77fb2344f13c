"""The clock: SimPy's environment, counting integer microseconds, with an order within an instant.

Everything that happens at one instant happens in the order of ``Phase``, and within a phase in the
order in which it was scheduled. The phases are those of a second in the recorded autoscaler runs
(oracle README §2), refined where Pachyderm's controllers act.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from enum import IntEnum
from heapq import heappop, heappush, heappushpop
from typing import Any, Generic, TypeVar

import simpy
from simpy.core import StopSimulation

T = TypeVar("T")

Entry = tuple[int, int, int, Callable[[Any], None] | None, Any]
"""When, in which phase, in which order put; what to call, and with what."""


class Phase(IntEnum):
    """What comes first at one instant; SimPy's own stop event (priority 0) precedes them all."""

    BACKGROUND = 1
    NODES_GONE = 2
    WORK_ENDED = 3
    PODS_ENDED = 4
    NODES_READY = 5
    REQUEUE = 6
    ARRIVALS = 7
    CONTROLLERS = 8
    SCHEDULE = 9
    LOOK = 10
    AFTER_LOOK = 11
    REQUEUE_AFTER_LOOK = 12
    SCHEDULE_AFTER_LOOK = 13


BEFORE_ALL = -1  # sorts before every phase, and before what SimPy calls urgent


class Call(Generic[T]):
    """A callback at an instant; once it has run it may be put into the queue again."""

    __slots__ = ("argument", "callback")

    def __init__(self, callback: Callable[[Call[T]], None], argument: T) -> None:
        """Prepare to call ``callback`` with this object, which carries ``argument``."""
        self.callback = callback
        self.argument = argument

    def cancel(self) -> None:
        """Make the call do nothing when its time comes; harmless once it has run."""
        self.callback = _do_nothing


def _do_nothing(_: object) -> None:
    """Take the place of a cancelled callback."""


class Clock(simpy.Environment):
    """Simulated time, in whole microseconds since the start of the scenario.

    A SimPy environment, with SimPy's queue, events and processes. Its own ``run`` differs in four
    ways: the loop is one function instead of two per event; the current instant is a plain
    attribute, ``now_us``, which the engine reads several times an event; what was put last stays
    outside the queue until the next event is due, because often it is that event, or takes its place;
    and an entry of the queue says itself what to call and with what, so that no object need be made for
    it. ``callback`` is None in an entry for a ``Call``, which may be cancelled until it is due.
    """

    def __init__(self) -> None:
        """Start at zero."""
        super().__init__()
        self.now_us = 0
        self._latest: Entry | None = None  # put last, not in the queue yet
        self.looked_us = -1  # the last instant at which the autoscaler had its look

    def call_at(self, time_us: int, phase: Phase, callback: Callable[[T], None], argument: T) -> None:
        """Have ``callback`` called at an instant, in a phase, for certain: this cannot be cancelled."""
        if self._latest is not None:
            heappush(self._queue, self._latest)  # type: ignore[misc]  # SimPy's queue is of its own events
        self._latest = (time_us, phase, next(self._eid), callback, argument)

    def put(self, call: Call[Any], time_us: int, phase: Phase) -> None:
        """Queue a call for an instant and a phase; those alike run in the order they were put."""
        if self._latest is not None:
            heappush(self._queue, self._latest)  # type: ignore[misc]  # as above
        self._latest = (time_us, phase, next(self._eid), None, call)

    def at(self, time_us: int, phase: Phase, callback: Callable[[Call[T]], None], argument: T) -> Call[T]:
        """Have ``callback`` called at an instant, in a phase; return the call, to cancel it."""
        call = Call(callback, argument)
        if self._latest is not None:
            heappush(self._queue, self._latest)  # type: ignore[misc]  # as above
        self._latest = (time_us, phase, next(self._eid), None, call)
        return call

    def schedule(self, event: simpy.Event, priority: int = 1, delay: float = 0) -> None:
        """Queue an event of SimPy's own, as SimPy asks for it."""
        entry = (self.now_us + delay, priority, next(self._eid), _process, event)
        heappush(self._queue, entry)  # type: ignore[misc]  # as above

    def before_or_after_look(self, before: Phase, after: Phase) -> Phase:
        """Return the phase of this instant that is still to come: what a look sets off runs behind it."""
        return after if self.looked_us == self.now_us else before

    @property
    def now(self) -> int:
        """Return the current instant, as SimPy asks for it."""
        return self.now_us

    def run_until(self, until_us: int) -> None:
        """Run everything due before ``until_us``, which itself is left out."""
        queue: list[Entry] = self._queue  # type: ignore[assignment]  # as above
        heappush(queue, (until_us, BEFORE_ALL, 0, _stop, None))
        with suppress(StopSimulation):
            while True:
                if self._latest is None:
                    self.now_us, _, _, callback, argument = heappop(queue)
                else:
                    self.now_us, _, _, callback, argument = heappushpop(queue, self._latest)
                    self._latest = None
                if callback is None:
                    argument.callback(argument)
                else:
                    callback(argument)


def _stop(_: None) -> None:
    """End a run; nothing of this instant has been done yet."""
    raise StopSimulation


def _process(event: Any) -> None:
    """Do what SimPy does with an event of its own that is due."""
    callbacks = event.callbacks
    event.callbacks = None  # how SimPy marks an event as processed
    for callback in callbacks:
        callback(event)
    if not event._ok and not event.defused:  # noqa: SLF001  # the rest of SimPy's step
        raise event._value  # noqa: SLF001  # as above
