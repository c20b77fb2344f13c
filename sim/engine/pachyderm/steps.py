"""Steps: when a pipeline's controller looks next, exactly, without simulating looks that change nothing.

Below its parallelism every step arms a timer of 30 s, and that step another. So the instants are those of row
changes and of the poller's visits since the pipeline woke up, each repeated every 30 s.

Source: pachyderm/pachyderm v2.11.6, src/server/pps/server/pipeline_controller.go scaleUpPipeline, poller.go
pollPipelines; pachyderm.md §2.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd


@dataclass(frozen=True, slots=True)
class Poll:
    """The poller's visits to one pipeline: at ``first_us`` and every ``period_us``."""

    first_us: int
    period_us: int

    def next_us(self, at_least_us: int) -> int:
        """Return the first visit not before an instant."""
        rounds = -((self.first_us - at_least_us) // self.period_us)
        return self.first_us + max(rounds, 0) * self.period_us


class Steps:
    """The steps of one pipeline since it woke up."""

    __slots__ = ("_echo_us", "_poll", "_residues", "_rows_us", "_woken_us")

    def __init__(self, poll: Poll, echo_us: int) -> None:
        """Hold the poller's visits; no row has changed yet."""
        self._poll = poll
        self._echo_us = echo_us
        self._residues = poll.period_us // gcd(poll.period_us, echo_us)  # echoes until visits repeat
        self._woken_us = 0
        self._rows_us: list[int] = []

    def wake(self, now_us: int) -> None:
        """Forget the steps before now."""
        self._woken_us = now_us
        self._rows_us.clear()

    def add(self, time_us: int) -> None:
        """Add the step that a row change causes."""
        if time_us not in self._rows_us:
            self._rows_us.append(time_us)

    def next_us(self, now_us: int) -> int:
        """Return the first step not before now."""
        echo_us, woken_us = self._echo_us, self._woken_us
        nearest = self._poll.next_us(max(now_us, woken_us))
        for row_us in self._rows_us:
            step_us = row_us if row_us >= now_us else now_us + (row_us - now_us) % echo_us
            nearest = min(nearest, step_us)
        sooner = (nearest - 1 - woken_us) // echo_us  # no visit's later echo comes before the nearest
        for echo in range(1, min(sooner, self._residues) + 1):
            visit_us = self._poll.next_us(max(now_us - echo * echo_us, woken_us))
            nearest = min(nearest, visit_us + echo * echo_us)
            if nearest == now_us:
                break
        return nearest
