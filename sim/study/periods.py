"""Periods: after how long a scenario's arrivals, and the schedules of its node groups, begin again."""

from __future__ import annotations

from collections.abc import Iterator

from sim.engine.arrivals import EVERY, NICKNAMES
from sim.model.arrivals import (
    Arrivals,
    BatchArrivals,
    CronArrivals,
    PoissonArrivals,
    TimesArrivals,
    TraceArrivals,
)
from sim.model.scenario import Scenario
from sim.model.units import parse_duration

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
WEEK_US = 7 * DAY_US
YEAR_US = 365 * DAY_US
RECORDED = -1


def period_us(scenario: Scenario) -> int:
    """Return the longest period, 0 where nothing repeats, RECORDED where something happens but once."""
    sources = [repo.commits for repo in scenario.repos if repo.commits is not None]
    sources += [load.arrivals for load in scenario.pods]
    found = [*map(_of_arrivals, sources), *_schedules(scenario)]
    return RECORDED if RECORDED in found else max(found, default=0)


def _of_arrivals(arrivals: Arrivals) -> int:
    if isinstance(arrivals, TimesArrivals | TraceArrivals):
        return RECORDED
    if isinstance(arrivals, BatchArrivals):
        return _of_arrivals(arrivals.at)
    if isinstance(arrivals, CronArrivals):
        return cron_period_us(arrivals.spec)
    if isinstance(arrivals, PoissonArrivals) and arrivals.weights is not None:
        return _of_weights(arrivals.weights)
    return 0


def _of_weights(weights: tuple[float, ...]) -> int:
    if len(set(weights)) == 1:
        return 0
    days = {weights[first : first + 24] for first in range(0, len(weights), 24)}
    return DAY_US if len(days) == 1 else WEEK_US


def cron_period_us(spec: str) -> int:
    """Return after how long a cron expression begins again; a year where it names days or months.

    >>> cron_period_us("*/10 * * * *") == HOUR_US
    True
    """
    text = NICKNAMES.get(spec.strip().lower(), spec.strip())
    if text.startswith(EVERY):
        return parse_duration(text.removeprefix(EVERY).strip())
    _, hour, day, month, weekday = text.split()
    if (day, month) != ("*", "*"):
        return YEAR_US
    if weekday != "*":
        return WEEK_US
    return HOUR_US if hour == "*" else DAY_US


def _schedules(scenario: Scenario) -> Iterator[int]:
    return (
        cron_period_us(scheduled.cron)
        for group in scenario.cluster.node_groups
        for scheduled in group.scheduled_minimums
    )
