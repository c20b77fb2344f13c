"""The clock: SimPy's environment, counting integer microseconds, with an order within an instant.

Everything that happens at one instant happens in the order of ``Phase``, and within a phase in the
order in which it was scheduled. The phases are those of a second in the recorded autoscaler runs
(oracle README §2), refined where Pachyderm's controllers act.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import Generic, TypeVar

import simpy

T = TypeVar("T")


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


class Call(Generic[T]):
    """A callback at an instant: the part of a SimPy event that its loop touches, and no more."""

    __slots__ = ("_ok", "argument", "callbacks")

    def __init__(self, callback: Callable[[Call[T]], None], argument: T) -> None:
        """Prepare to call ``callback`` with this object, which carries ``argument``."""
        self.callbacks: tuple[Callable[[Call[T]], None], ...] | None = (callback,)
        self.argument = argument
        self._ok = True

    def cancel(self) -> None:
        """Make the call do nothing when its time comes; harmless once it has run."""
        self.callbacks = ()


class Moment(simpy.Event):
    """An event for a process to wait for: an instant and a phase within it."""

    def __init__(self, env: simpy.Environment, time_us: int, phase: Phase) -> None:
        """Schedule the moment on ``env``."""
        super().__init__(env)
        self._ok = True
        self._value = None
        env.schedule(self, phase, time_us - env.now)  # type: ignore[arg-type]  # SimPy types two priorities, takes any int


class Clock:
    """Simulated time, in microseconds since the start of the scenario."""

    def __init__(self) -> None:
        """Start at zero."""
        self.env = simpy.Environment()
        self._schedule: Callable[[object, int, int], None] = self.env.schedule  # type: ignore[assignment]  # see Moment

    @property
    def now_us(self) -> int:
        """Return the current instant."""
        return self.env.now  # type: ignore[return-value]  # all our delays are integers

    def at(self, time_us: int, phase: Phase, callback: Callable[[Call[T]], None], argument: T) -> Call[T]:
        """Have ``callback`` called at an instant, in a phase; return the call, to cancel it."""
        call = Call(callback, argument)
        self._schedule(call, phase, time_us - self.env.now)  # type: ignore[arg-type]  # integers, as above
        return call

    def moment(self, time_us: int, phase: Phase) -> Moment:
        """Return an event that a process can wait for."""
        return Moment(self.env, time_us, phase)

    def run(self, until_us: int) -> None:
        """Run everything due before ``until_us``, which itself is left out."""
        self.env.run(until=until_us)
