"""Arrivals against what their definitions promise: rates, shapes over the week, cron calendars, DST."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from sim.engine.arrivals import arrival_times
from sim.model.arrivals import (
    PROFILES,
    Arrivals,
    BatchArrivals,
    BurstArrivals,
    CronArrivals,
    PoissonArrivals,
    TimesArrivals,
    TraceArrivals,
)
from sim.model.distributions import Constant
from sim.model.units import DAY, HOUR, MINUTE, SECOND

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
NEW_YORK = ZoneInfo("America/New_York")


def times(spec: Arrivals, until_us: int, start: datetime = MONDAY, seed: int = 1) -> list[int]:
    rng = np.random.default_rng(seed)
    return list(takewhile(lambda time_us: time_us < until_us, arrival_times(spec, rng, start)))


def assert_poisson_count(count: int, mean: float) -> None:
    """Hold a Poisson count to four standard deviations: one in 16,000 seeds would fail, ours is fixed."""
    assert abs(count - mean) < 4 * mean**0.5


def test_poisson_keeps_its_rate_and_its_variance() -> None:
    found = times(PoissonArrivals(per_s=0.1), 100_000 * SECOND)
    assert_poisson_count(len(found), 10_000)
    assert found == sorted(found)
    gaps = np.diff(found)
    assert gaps.std() / gaps.mean() == pytest.approx(1.0, abs=0.05)  # exponential: CV 1


def test_same_generator_same_arrivals() -> None:
    spec = PoissonArrivals(per_s=1.0, weights=PROFILES["office-hours"])
    assert times(spec, DAY) == times(spec, DAY)


def test_weekly_profile_keeps_the_mean_rate_and_follows_the_weights() -> None:
    weights = PROFILES["office-hours"]
    found = times(PoissonArrivals(per_s=0.05, weights=weights), 28 * DAY)
    assert_poisson_count(len(found), 0.05 * 28 * 86_400)
    by_hour = np.bincount([time_us // HOUR % 168 for time_us in found], minlength=168)
    expected = 4 * 0.05 * 3600 * np.array(weights) * 168 / sum(weights)
    assert np.all(np.abs(by_hour - expected) < 5 * np.sqrt(expected))


def test_a_profile_of_24_hours_repeats_every_day_in_local_time() -> None:
    weights = tuple(float(hour == 9) for hour in range(24))
    start = datetime(2026, 3, 6, tzinfo=NEW_YORK)  # clocks go forward on Sunday the 8th
    found = times(PoissonArrivals(per_s=0.01, weights=weights), 5 * DAY, start)
    assert len(found) > 20
    for time_us in found:
        local = (start.astimezone(UTC) + timedelta(microseconds=time_us)).astimezone(NEW_YORK)
        assert local.hour == 9


def test_cron_expressions_are_read_in_the_zone_of_the_start() -> None:
    start = datetime(2026, 3, 7, 12, tzinfo=NEW_YORK)  # the next day has 23 hours
    assert times(CronArrivals("@daily"), 3 * DAY, start) == [12 * HOUR, 35 * HOUR, 59 * HOUR]


def test_batches_arrive_together() -> None:
    spec = BatchArrivals(at=CronArrivals("@every 1m"), size=Constant(3))
    assert times(spec, 3 * MINUTE) == [MINUTE] * 3 + [2 * MINUTE] * 3


def test_bursts_keep_the_mean_rate_and_scatter_more_than_poisson() -> None:
    spec = BurstArrivals(quiet_per_s=0.01, burst_per_s=1.0, quiet_s=3_000.0, burst_s=300.0)
    found = np.array(times(spec, 3_000_000 * SECOND))
    mean_per_s = (0.01 * 3_000 + 1.0 * 300) / 3_300
    assert len(found) / 3_000_000 == pytest.approx(mean_per_s, rel=0.1)
    hourly = np.bincount(found // HOUR)
    assert hourly.var() / hourly.mean() > 50


def test_lists_and_traces_are_taken_as_they_are() -> None:
    assert times(TimesArrivals((0, 5, 5, 9)), 9) == [0, 5, 5]
    trace = TraceArrivals("t", (1, 2), (3, 4), (1.0, 2.0), (0, 0), (0, 0), (0, 0))
    assert times(trace, 10) == [1, 2]
