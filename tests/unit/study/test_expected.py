"""Expected arrivals against counts that can be done by hand, and against what is really drawn."""

from __future__ import annotations

from datetime import UTC, datetime
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
)
from sim.model.distributions import Constant
from sim.study.expected import expected, rate_per_s

HOUR = 3_600_000_000
DAY, WEEK = 24 * HOUR, 168 * HOUR
MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
SATURDAY = datetime(2026, 1, 10, tzinfo=UTC)
OFFICE = PoissonArrivals(24 / 3600, PROFILES["office-hours"])


@pytest.mark.parametrize(
    ("arrivals", "start", "span", "count"),
    [
        pytest.param(PoissonArrivals(0.5), MONDAY, HOUR, 1800, id="a rate times a span"),
        pytest.param(OFFICE, MONDAY, WEEK, 24 * 168, id="a profile moves arrivals within its week only"),
        pytest.param(
            OFFICE, SATURDAY, 2 * DAY, 24 * 48 * 168 / 633, id="a weekend of weight 1; all weigh 633"
        ),
        pytest.param(CronArrivals("*/5 19 * * *"), MONDAY, DAY, 12, id="twelve of an evening"),
        pytest.param(CronArrivals("0 0 * * *"), MONDAY, DAY, 0, id="a tick at the start is not after it"),
        pytest.param(CronArrivals("0 6 * * 1-5"), MONDAY, 10 * WEEK, 50, id="fifty working days"),
        pytest.param(CronArrivals("@every 10m"), MONDAY, HOUR, 5, id="the sixth is at the end"),
        pytest.param(CronArrivals("30 6 1 * *"), MONDAY, 60 * DAY, 2, id="two firsts of a month"),
        pytest.param(BatchArrivals(CronArrivals("0 20 * * *"), Constant(40)), MONDAY, DAY, 40, id="a batch"),
        pytest.param(
            BurstArrivals(1.0, 11.0, 900.0, 100.0), MONDAY, HOUR, 7200, id="nine tenths of 1, one of 11"
        ),
        pytest.param(TimesArrivals((5, HOUR)), MONDAY, HOUR, 1, id="what is listed"),
    ],
)
def test_counts(arrivals: Arrivals, start: datetime, span: int, count: float) -> None:
    assert expected(arrivals, start, 0, span) == pytest.approx(count)


@pytest.mark.parametrize("spec", ["*/7 3-9 * * 1,4", "15 */5 * * *", "@hourly", "0 0 * * 0"])
@pytest.mark.parametrize(("begin", "end"), [(0, 3 * WEEK), (3 * WEEK + 5 * HOUR, 11 * WEEK + 7 * HOUR)])
def test_ticks_of_long_spans_are_those_that_come(spec: str, begin: int, end: int) -> None:
    rng = np.random.default_rng(0)
    ticks = takewhile(lambda at: at < end, arrival_times(CronArrivals(spec), rng, MONDAY))
    assert expected(CronArrivals(spec), MONDAY, begin, end) == sum(at >= begin for at in ticks)


def test_hours_of_a_profile_are_local() -> None:
    """In New York it is five hours earlier: the office opens at 13:00 UTC."""
    local = MONDAY.astimezone(ZoneInfo("America/New_York"))
    assert expected(OFFICE, local, 13 * HOUR, 14 * HOUR) == pytest.approx(24 * 6 * 168 / 633)
    assert expected(OFFICE, MONDAY, 13 * HOUR, 14 * HOUR) == pytest.approx(24 * 11 * 168 / 633)


@pytest.mark.parametrize(
    ("arrivals", "per_day"),
    [
        (OFFICE, 24 * 24),
        (CronArrivals("*/5 19 * * *"), 12),
        (CronArrivals("0 6 * * 1-5"), 5 / 7),
        (CronArrivals("@every 10m"), 144),
        (TimesArrivals((1, 2)), 0),
    ],
)
def test_rates(arrivals: Arrivals, per_day: float) -> None:
    assert rate_per_s(arrivals, MONDAY) * 86_400 == pytest.approx(per_day)
