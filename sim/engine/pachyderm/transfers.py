"""Transfers: bytes over a rate of each worker's own, and under a cap that all workers of a cluster share.

Without a cap a set's bytes take as long as they take, so one event ends it. Under a cap the set is followed
datum by datum, as a worker downloads, computes and uploads strictly by turns, and those that move at an
instant share the cap evenly, none faster than its own rate. All of them then move equally fast, so a running
count of the bytes that each has moved orders their ends.

Source: pachyderm.md §3.4; even shares are the model of processor sharing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from heapq import heapify, heappop, heappush
from typing import Any, Generic, TypeVar

from sim.engine.clock import Call, Clock, Phase
from sim.model.units import SECOND

T = TypeVar("T")
Turn = tuple[float, int]
"""Bytes to move, then microseconds of user code."""


class Trip(Generic[T]):
    """A set under way over a link; ``finish`` is called at the end of its last turn, unless cancelled."""

    __slots__ = ("_argument", "_call", "_finish", "_link", "_turns")

    def __init__(
        self, link: Link, turns: Iterable[Turn], finish: Callable[[Call[T]], None], argument: T
    ) -> None:
        """Begin the first turn."""
        self._link = link
        self._turns = [*turns][::-1]
        self._finish = finish
        self._argument = argument
        self._call: Call[Any] | None = None
        self._move(None)

    def cancel(self) -> None:
        """Stop, wherever it is; harmless after the end."""
        self._link.leave(self)
        if self._call is not None:
            self._call.cancel()

    def _move(self, _: Call[None] | None) -> None:
        self._call = None
        self._link.enter(self, self._turns[-1][0])

    def moved(self) -> None:
        """Go on with user code: the bytes of this turn are there."""
        _, compute_us = self._turns.pop()
        clock = self._link.clock
        due_us = clock.now_us + compute_us
        if self._turns:
            self._call = clock.at(due_us, Phase.WORK_ENDED, self._move, None)
        else:
            self._call = clock.at(due_us, Phase.WORK_ENDED, self._finish, self._argument)


class Link:
    """A cap, and the trips that move bytes now."""

    def __init__(self, clock: Clock, own_bytes_per_s: float, cap_bytes_per_s: float) -> None:
        """Start with nothing moving."""
        self.clock = clock
        self._own = own_bytes_per_s
        self._cap = cap_bytes_per_s
        self._moving: list[tuple[float, int, Trip[Any]]] = []  # a heap: count at the end, order, trip
        self._entered = 0
        self._count = 0.0  # bytes that a trip there all along would have moved
        self._counted_us = 0
        self._call: Call[None] | None = None

    def enter(self, trip: Trip[Any], size_bytes: float) -> None:
        """Have a trip move bytes; it hears when they are there."""
        self._advance()
        self._entered += 1
        heappush(self._moving, (self._count + size_bytes, self._entered, trip))
        self._plan()

    def leave(self, trip: Trip[Any]) -> None:
        """Leave more of the cap to the others, if the trip was moving."""
        staying = [each for each in self._moving if each[2] is not trip]
        if len(staying) < len(self._moving):
            self._advance()
            self._moving = staying
            heapify(self._moving)
            self._plan()

    def _bytes_per_s(self) -> float:
        return min(self._own, self._cap / len(self._moving))

    def _advance(self) -> None:
        now_us = self.clock.now_us
        if self._moving:
            self._count += self._bytes_per_s() * (now_us - self._counted_us) / SECOND
        else:
            self._count = 0.0
        self._counted_us = now_us

    def _plan(self) -> None:
        """Put the next end on the clock."""
        if self._call is not None:
            self._call.cancel()
            self._call = None
        if self._moving:
            left_bytes = max(self._moving[0][0] - self._count, 0.0)
            due_us = self.clock.now_us + round(left_bytes / self._bytes_per_s() * SECOND)
            self._call = self.clock.at(due_us, Phase.WORK_ENDED, self._arrived, None)

    def _arrived(self, _: Call[None]) -> None:
        self._call = None
        self._advance()
        self._count = max(self._count, self._moving[0][0])  # it is due now, whatever rounding says
        there = []
        while self._moving and self._moving[0][0] <= self._count:
            there.append(heappop(self._moving)[2])
        self._plan()
        for trip in there:
            trip.moved()
