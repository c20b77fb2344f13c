"""Expected arrivals: how many commits or pods a source brings in a span, on average over all luck.

Known from the specification alone: the rate of a Poisson process, hour by hour where it has a profile; the
ticks of a cron expression; the mean size of a batch; the stationary rate of bursts. Recorded instants bring
what is recorded and nothing afterwards, so they have no rate.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import takewhile

from sim.model.arrivals import (
    Arrivals,
    BatchArrivals,
    BurstArrivals,
    CronArrivals,
    PoissonArrivals,
    TimesArrivals,
    TraceArrivals,
)
from sim.model.cron import WEEK, DelaySchedule, Schedule, cron_times, parse_cron
from sim.model.units import HOUR, SECOND


def expected(arrivals: Arrivals, start: datetime, from_us: int, to_us: int) -> float:
    """Return how many arrivals there are on average in ``[from_us, to_us)`` since ``start``.

    >>> expected(PoissonArrivals(0.5), datetime(2026, 1, 5, tzinfo=UTC), 0, 60_000_000)
    30.0
    """
    if isinstance(arrivals, TimesArrivals | TraceArrivals):
        return float(sum(from_us <= time_us < to_us for time_us in arrivals.times_us))
    if isinstance(arrivals, BatchArrivals):
        return expected(arrivals.at, start, from_us, to_us) * arrivals.size.mean
    if isinstance(arrivals, CronArrivals):
        return float(_ticks(arrivals.spec, start, from_us, to_us))
    if isinstance(arrivals, BurstArrivals):
        return rate_per_s(arrivals, start) * (to_us - from_us) / SECOND
    parts = weights(arrivals, start, from_us, to_us)
    return arrivals.per_s * sum(weight * part for weight, part in parts) * HOUR / SECOND


def rate_per_s(arrivals: Arrivals, start: datetime) -> float:
    """Return the mean rate for ever; 0 for recorded arrivals, which end."""
    if isinstance(arrivals, TimesArrivals | TraceArrivals):
        return 0.0
    if isinstance(arrivals, BatchArrivals):
        return rate_per_s(arrivals.at, start) * arrivals.size.mean
    if isinstance(arrivals, BurstArrivals):
        brought = arrivals.quiet_per_s * arrivals.quiet_s + arrivals.burst_per_s * arrivals.burst_s
        return brought / (arrivals.quiet_s + arrivals.burst_s)
    if isinstance(arrivals, CronArrivals):
        period_us = parse_cron(arrivals.spec).period_us()
        return _ticks(arrivals.spec, start, 0, period_us + 1) / (period_us / SECOND) if period_us else 0.0
    return arrivals.per_s


def weights(
    arrivals: PoissonArrivals, start: datetime, from_us: int, to_us: int
) -> Iterator[tuple[float, float]]:
    """Yield the rate over its mean, hour by hour of local time, with the part of the hour in the span."""
    if arrivals.weights is None:
        yield 1.0, (to_us - from_us) / HOUR
        return
    mean = sum(arrivals.weights) / len(arrivals.weights)
    utc = start.astimezone(UTC)
    past_us = (utc - utc.replace(minute=0, second=0, microsecond=0)) // timedelta(microseconds=1)
    first, last = (from_us + past_us) // HOUR, math.ceil((to_us + past_us) / HOUR)
    for hour in range(first, last):
        begin_us = hour * HOUR - past_us
        local = (utc + timedelta(microseconds=begin_us)).astimezone(start.tzinfo)
        at = (local.weekday() * 24 + local.hour) % len(arrivals.weights)
        inside_us = min(begin_us + HOUR, to_us) - max(begin_us, from_us)
        yield arrivals.weights[at] / mean, max(0, inside_us) / HOUR


def _ticks(spec: str, start: datetime, from_us: int, to_us: int) -> int:
    """Return how often a cron expression ticks after the start, in ``[from_us, to_us)``."""
    schedule = parse_cron(spec)
    return _until(schedule, start, to_us) - _until(schedule, start, from_us)


def _until(schedule: Schedule, start: datetime, until_us: int) -> int:
    """Return the ticks in ``(0, until_us)``: those of whole weeks at once, where they are all alike."""
    if isinstance(schedule, DelaySchedule):
        return max(0, until_us - 1) // schedule.delay_us
    if schedule.period_us() > WEEK or until_us <= WEEK:
        return _passed(schedule, start, until_us)
    weeks, rest_us = divmod(until_us - 1, WEEK)
    return weeks * _passed(schedule, start, WEEK + 1) + _passed(schedule, start, rest_us + 1)


def _passed(schedule: Schedule, start: datetime, until_us: int) -> int:
    return sum(1 for _ in takewhile(lambda at_us: at_us < until_us, cron_times(schedule, start)))
