"""Preprocessing: listing and filtering datums, done by pachd one phase of a job at a time, in order.

It takes no worker and no more of them make it faster; it grows with all datums of the job.

Source: pachyderm/pachyderm v2.11.6, src/server/pps/server/worker.go; pachyderm.md §3.2.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heapreplace
from typing import TYPE_CHECKING, TypeVar

from sim.engine.clock import Phase
from sim.model.units import SECOND

if TYPE_CHECKING:
    from sim.engine.clock import Call, Clock
    from sim.engine.streams import Delays
    from sim.model.scenario import PachydermOptions

T = TypeVar("T")


class Preprocessing:
    """The queue of all pipelines' phases at pachd."""

    __slots__ = ("_clock", "_fixed", "_free_us", "_per_datum_us")

    def __init__(self, clock: Clock, options: PachydermOptions, fixed: Delays) -> None:
        """Start with every process free."""
        self._clock = clock
        self._fixed = fixed
        self._per_datum_us = options.preprocessing_per_datum_s * SECOND
        self._free_us = [0] * options.preprocessing_workers

    def submit(self, datums: int, callback: Callable[[Call[T]], None], argument: T) -> Call[T]:
        """Have ``callback`` called when a phase of a job with so many datums is planned."""
        begin_us = max(self._free_us[0], self._clock.now_us)
        end_us = begin_us + self._fixed.next_us() + round(datums * self._per_datum_us)
        heapreplace(self._free_us, end_us)
        return self._clock.at(end_us, Phase.CONTROLLERS, callback, argument)
