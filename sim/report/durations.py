"""Durations: how long each of some jobs or starts took, where some are not over and some never will be.

What goes on when the log ends took at least its age; what failed has no end. So a mean or a quantile may be
known, known to be at least so much, or endless. A quantile is known if it comes out the same whether what
goes on ends at once or never.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sim.report.arrays import Flag, Float

AT_LEAST, ENDLESS = "at_least", "endless"
"""Branches of a replication's metrics that say of infinite ones, by dotted path, what is known of them."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A number that is not known, so infinite to whoever judges by it: at least so much, maybe endless."""

    at_least: float
    endless: bool


class Durations:
    """Durations in seconds, shape ``(count,)``: of what ended, else the age so far.

    ``goes_on`` says what goes on, ``failed`` what has no end; None: nothing.
    """

    def __init__(self, seconds: Float, goes_on: Flag | None = None, failed: Flag | None = None) -> None:
        self._seconds = seconds
        self._goes_on = goes_on if goes_on is not None and goes_on.any() else None
        self._failed = failed if failed is not None and failed.any() else None
        self._known = self._goes_on is None and self._failed is None

    def mean(self) -> float | Measured:
        """Return the mean; NaN of nothing."""
        if not len(self._seconds):
            return math.nan
        mean = float(self._seconds.mean())
        return mean if self._known else Measured(mean, endless=self._failed is not None)

    def quantiles(self, at: Sequence[float]) -> list[float | Measured]:
        """Return quantiles, linear between order statistics (Hyndman and Fan's type 7); NaN of nothing."""
        if not len(self._seconds):
            return [math.nan] * len(at)
        least: list[float] = np.quantile(self._seconds, at).tolist()
        if self._known:
            return [*least]
        now, never = (self._sorted(goes_on_for_ever=each) for each in (False, True))
        return [_judged(low, now, never, share) for low, share in zip(least, at, strict=True)]

    def share_within(self, limit_s: float) -> float:
        """Return the share that is known to have taken at most so long; NaN of nothing."""
        if not len(self._seconds):
            return math.nan
        return float((self._sorted(goes_on_for_ever=True) <= limit_s).mean())

    def _sorted(self, *, goes_on_for_ever: bool) -> Float:
        endless = np.zeros(len(self._seconds), np.bool_)
        if self._failed is not None:
            endless |= self._failed
        if goes_on_for_ever and self._goes_on is not None:
            endless |= self._goes_on
        return np.sort(np.where(endless, np.inf, self._seconds))


def _judged(low: float, now: Float, never: Float, share: float) -> float | Measured:
    """Return a quantile of which ``low`` is the least, and between which two it lies."""
    first, last = _quantile(now, share), _quantile(never, share)
    if first == last and math.isfinite(last):
        return last
    return Measured(low if math.isinf(first) else first, endless=math.isinf(first))


def _quantile(ordered: Float, share: float) -> float:
    at = share * (len(ordered) - 1)
    below, above = math.floor(at), math.ceil(at)
    if ordered[above] == np.inf:
        return math.inf
    return float(ordered[below] + (at - below) * (ordered[above] - ordered[below]))
