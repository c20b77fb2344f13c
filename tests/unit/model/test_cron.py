"""Cron expressions against upstream's own tables, and a scheduled action's against crontab(5).

Source of the tables: robfig/cron v1.2.0, spec_test.go and constantdelay_test.go, where there are five fields
or seconds say 0; pachyderm/pachyderm v2.11.6, src/internal/cronutil/cronutil_test.go.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.errors import InputError
from sim.model.cron import (
    WEEK,
    YEAR,
    CalendarSchedule,
    cron_times,
    parse_cron,
    parse_recurrence,
    recurrence_fields,
)
from sim.model.units import DAY, HOUR, MINUTE, SECOND

NEW_YORK = ZoneInfo("America/New_York")
SUNDAY = datetime(2026, 1, 4, tzinfo=UTC)


def at(text: str, zone: ZoneInfo | None = None) -> datetime:
    found = datetime.fromisoformat(text)
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(zone or UTC)


def following(spec: str, start: datetime, count: int = 1) -> list[datetime]:
    start_utc = start.astimezone(UTC)
    times = islice(cron_times(parse_cron(spec), start), count)
    return [start_utc + timedelta(microseconds=time_us) for time_us in times]


@pytest.mark.parametrize(
    ("time", "spec", "active"),
    [
        ("2012-07-09T15:00", "0/15 * * * *", True),
        ("2012-07-09T15:45", "0/15 * * * *", True),
        ("2012-07-09T15:40", "0/15 * * * *", False),
        ("2012-07-09T15:05", "5/15 * * * *", True),
        ("2012-07-09T15:20", "5/15 * * * *", True),
        ("2012-07-09T15:50", "5/15 * * * *", True),
        ("2012-07-15T15:00", "0/15 * * Jul *", True),
        ("2012-07-15T15:00", "0/15 * * Jun *", False),
        ("2012-07-15T08:30", "30 08 ? Jul Sun", True),
        ("2012-07-15T08:30", "30 08 15 Jul ?", True),
        ("2012-07-16T08:30", "30 08 ? Jul Sun", False),
        ("2012-07-16T08:30", "30 08 15 Jul ?", False),
        ("2012-07-09T15:00", "@hourly", True),
        ("2012-07-09T15:04", "@hourly", False),
        ("2012-07-09T15:00", "@daily", False),
        ("2012-07-09T00:00", "@daily", True),
        ("2012-07-09T00:00", "@weekly", False),
        ("2012-07-08T00:00", "@weekly", True),
        ("2012-07-08T01:00", "@weekly", False),
        ("2012-07-08T00:00", "@monthly", False),
        ("2012-07-01T00:00", "@monthly", True),
        ("2012-07-15T00:00", "* * 1,15 * Sun", True),
        ("2012-06-15T00:00", "* * 1,15 * Sun", True),
        ("2012-08-01T00:00", "* * 1,15 * Sun", True),
        ("2012-07-15T00:00", "* * * * Mon", False),
        ("2012-07-15T00:00", "* * */10 * Sun", False),
        ("2012-07-09T00:00", "* * 1,15 * *", False),
        ("2012-07-15T00:00", "* * 1,15 * *", True),
        ("2012-07-15T00:00", "* * */2 * Sun", True),
    ],
)
def test_upstreams_table_of_activations(time: str, spec: str, active: bool) -> None:
    assert (following(spec, at(time) - timedelta(seconds=1)) == [at(time)]) is active


@pytest.mark.parametrize(
    ("time", "spec", "expected"),
    [
        pytest.param("2012-07-09T14:45", "0/15 * * * *", "2012-07-09T15:00", id="a quarter"),
        pytest.param("2012-07-09T14:59:59", "0/15 * * * *", "2012-07-09T15:00", id="a second before it"),
        pytest.param("2012-07-09T15:45", "20-35/15 * * * *", "2012-07-09T16:20", id="the next hour"),
        pytest.param("2012-07-09T23:46", "*/15 * * * *", "2012-07-10T00:00", id="the next day"),
        ("2012-07-09T23:45", "20-35/15 * * * *", "2012-07-10T00:20"),  # the next day, in a range
        pytest.param("2012-07-09T23:35", "0 0 9 Apr-Oct ?", "2012-08-09T00:00", id="the next month"),
        ("2012-07-09T23:35", "0 0 */5 Apr,Aug,Oct Mon", "2012-08-06T00:00"),  # step and weekday
        pytest.param("2012-07-09T23:35", "0 0 */5 Oct Mon", "2012-10-01T00:00", id="October's first Monday"),
        pytest.param("2012-07-09T23:35", "0 0 * Feb Mon", "2013-02-04T00:00", id="the next year"),
        ("2012-07-09T23:35", "0 0 * Feb Mon/2", "2013-02-01T00:00"),  # Monday on by twos: not Sunday
        pytest.param("2012-12-31T23:59:45", "* * * * *", "2013-01-01T00:00", id="everything wraps"),
        pytest.param("2012-07-09T23:35", "0 0 29 Feb ?", "2016-02-29T00:00", id="a leap year"),
        pytest.param("2012-07-09T23:35", "0 0 30 Feb ?", None, id="no such day"),
        pytest.param("2012-07-09T23:35", "0 0 31 Apr ?", None, id="no such day either"),
        ("2016-01-03T13:09:03+05:30", "14 14 * * *", "2016-01-03T08:44"),  # another zone's in UTC
    ],
)  # fmt: skip
def test_upstreams_table_of_next_ticks(time: str, spec: str, expected: str | None) -> None:
    zone = ZoneInfo("Asia/Kolkata") if "+05:30" in time else None
    assert following(spec, at(time, zone)) == ([] if expected is None else [at(expected)])


@pytest.mark.parametrize(
    ("time", "spec", "expected"),
    [
        ("2012-03-11T00:00-05:00", "30 2 11 Mar ?", "2013-03-11T02:30-04:00"),  # an hour left out
        ("2012-03-11T00:00-05:00", "0 * * * ?", "2012-03-11T01:00-05:00"),  # hourly before it
        ("2012-03-11T01:00-05:00", "0 * * * ?", "2012-03-11T03:00-04:00"),  # hourly over it
        ("2012-03-11T03:00-04:00", "0 * * * ?", "2012-03-11T04:00-04:00"),  # hourly after it
        ("2012-03-11T01:00-05:00", "0 1 * * ?", "2012-03-12T01:00-04:00"),  # nightly beside it
        ("2012-03-11T00:00-05:00", "0 2 * * ?", "2012-03-12T02:00-04:00"),  # nightly in it: skipped
        ("2012-11-04T00:00-04:00", "30 2 04 Nov ?", "2012-11-04T02:30-05:00"),  # after the repeated
        ("2012-11-04T01:45-04:00", "30 1 04 Nov ?", "2012-11-04T01:30-05:00"),  # again in the repeated
        ("2012-11-04T00:00-04:00", "0 * * * ?", "2012-11-04T01:00-04:00"),  # hourly, the first 1:00
        ("2012-11-04T01:00-04:00", "0 * * * ?", "2012-11-04T01:00-05:00"),  # hourly, the second 1:00
        ("2012-11-04T01:00-05:00", "0 * * * ?", "2012-11-04T02:00-05:00"),  # hourly after both
        ("2012-11-04T01:00-04:00", "0 1 * * ?", "2012-11-04T01:00-05:00"),  # nightly runs twice
        ("2012-11-04T01:00-05:00", "0 1 * * ?", "2012-11-05T01:00-05:00"),  # and then the next night
        ("2012-11-04T02:00-05:00", "0 2 * * ?", "2012-11-05T02:00-05:00"),  # nightly after it
    ],
)  # fmt: skip
def test_upstreams_table_of_clock_changes(time: str, spec: str, expected: str) -> None:
    assert following(spec, at(time, NEW_YORK)) == [at(expected)]


@pytest.mark.parametrize(
    ("time", "delay", "expected"),
    [
        ("2012-07-09T14:59:59", "15m", "2012-07-09T15:14:59"),
        ("2012-07-09T23:35:51", "25h44m24s", "2012-07-11T01:20:15"),
        ("2012-07-09T23:35", "2184h25m", "2012-10-09T00:00"),
        ("2012-07-09T14:45", "15m50ns", "2012-07-09T15:00"),
        ("2012-07-09T14:45", "15ms", "2012-07-09T14:45:01"),
        ("2012-07-09T14:45:00.005", "15m", "2012-07-09T15:00"),
        ("2012-07-09T14:45", "-1h", "2012-07-09T14:45:01"),
    ],
)
def test_upstreams_table_of_delays(time: str, delay: str, expected: str) -> None:
    assert following(f"@every {delay}", at(time)) == [at(expected)]


@pytest.mark.parametrize(
    ("spec", "weekdays"),
    [
        pytest.param("* * * * 4/3", (4,), id="n/step runs on to Saturday, not to Sunday"),
        pytest.param("* * * * 2-2/3", (2,), id="a-a/step is a alone"),
        pytest.param("* * * * 1,5-6/2,3", (1, 3, 5), id="a list of all kinds"),
        pytest.param("* * * * ,1,", (1,), id="empty parts count for nothing"),
        pytest.param("* * * * *-9/3", (0, 3, 6), id="what follows a star's hyphen is not read"),
    ],
)
def test_fields(spec: str, weekdays: tuple[int, ...]) -> None:
    found = parse_cron(spec)
    assert isinstance(found, CalendarSchedule)
    assert found.weekdays == weekdays


@pytest.mark.parametrize(
    "spec",
    [
        "",
        "xyz",
        "* * * *",
        "* * * * * *",
        "60 * * * *",
        "* 24 * * *",
        "* * 0 * *",
        "* * 32 * *",
        "* * * 13 *",
        "* * * * 7",
        "* * * * 0-7",
        "* * * * XYZ",
        "* * * * 5L",
        "* * 15W * *",
        "* * L * *",
        "* * * * 1#2",
        "5-1 * * * *",
        "5--5 * * * *",
        "*//2 * * * *",
        "*/0 * * * *",
        "*/-12 * * * *",
        "*/ * * * *",
        "jan * * * *",
        "@reboot",
        "@Daily",
        " @daily ",
        "@every",
        "@every 1d",
        "@every Xm",
        "@every  1m",
        "TZ=UTC 0 0 * * *",
    ],
)
def test_what_upstream_refuses(spec: str) -> None:
    with pytest.raises(InputError, match="allowed: five fields such as"):
        parse_cron(spec)


@pytest.mark.parametrize("spec", ["@never", "   @never      ", "0 0 31 2 *", ", * * * *"])
def test_never(spec: str) -> None:
    assert following(spec, SUNDAY) == []


def test_the_reason_is_said() -> None:
    with pytest.raises(InputError, match=r"is '0 3 \* \* 7': 7 is no day of week from 0 to 6"):
        parse_cron("0 3 * * 7")


def test_a_delay_counts_from_its_anchor() -> None:
    times = cron_times(parse_cron("@every 90m"), SUNDAY, SUNDAY - timedelta(days=400, minutes=10))
    assert list(islice(times, 2)) == [80 * MINUTE, 170 * MINUTE]  # 384,010 minutes before: 10 into the 267th


@pytest.mark.parametrize(
    ("spec", "period_us"),
    [
        ("*/10 * * * *", HOUR),
        ("0 3 * * *", DAY),
        ("0 3 * * ?", DAY),
        ("0 3 */1 * 0-6", DAY),
        ("*/5 8-18 * * 1-5", WEEK),
        ("0 3 1 * *", YEAR),
        ("0 3 * 6 *", YEAR),
        ("@hourly", HOUR),
        ("@every 90s", 90 * SECOND),
        ("@never", 0),
    ],
)
def test_periods(spec: str, period_us: int) -> None:
    assert parse_cron(spec).period_us() == period_us


@pytest.mark.parametrize(
    ("spec", "weekdays"),
    [
        pytest.param("0 7 * * 7", (0,), id="Sunday as 7"),
        pytest.param("0 7 * * 5-7", (0, 5, 6), id="up to Sunday"),
        pytest.param("0 7 * * mon-fri", (1, 2, 3, 4, 5), id="names"),
        pytest.param("@weekly", (0,), id="what recurrence_fields says in five"),
    ],
)
def test_scheduled_actions_speak_crontab(spec: str, weekdays: tuple[int, ...]) -> None:
    assert parse_recurrence(spec).weekdays == weekdays
    assert len(recurrence_fields(spec).split()) == 5


@pytest.mark.parametrize("spec", ["0 7 ? * *", "5/15 * * * *", "@every 1h", "@never", "0 7 * * 8", "0 7 * *"])
def test_what_crontab_refuses(spec: str) -> None:
    with pytest.raises(InputError, match="allowed: five fields such as"):
        parse_recurrence(spec)


def test_the_last_tick_up_to_an_instant() -> None:
    weekdays = parse_recurrence("30 7 * * 1-5")
    assert weekdays.last_until(SUNDAY) == datetime(2026, 1, 2, 7, 30, tzinfo=UTC)
    monday = datetime(2026, 1, 5, 7, 30, tzinfo=UTC)
    assert weekdays.last_until(monday) == monday
    assert parse_recurrence("0 0 30 2 *").last_until(SUNDAY) is None


FIELD = st.sampled_from(["*", "?", "*/7", "1", "2-5", "3/2", "1,4", "5-6/3"])


@given(st.tuples(FIELD, FIELD, FIELD, FIELD, FIELD), st.datetimes(datetime(1999, 1, 1), datetime(2040, 1, 1)))
def test_ticks_are_the_minutes_that_match(fields: tuple[str, ...], start: datetime) -> None:
    """Hold the walk to the definition: every minute of two days, taken or not."""
    found = parse_cron(" ".join(fields))
    assert isinstance(found, CalendarSchedule)
    begin = start.replace(tzinfo=UTC, second=0, microsecond=0)
    minutes = [begin + timedelta(minutes=n) for n in range(1, 2 * 24 * 60)]
    starred = any(field[0] in "*?" for field in (fields[2], fields[4]))

    def matches(minute: datetime) -> bool:
        days = (minute.day in found.days, minute.isoweekday() % 7 in found.weekdays)
        return (
            minute.minute in found.minutes
            and minute.hour in found.hours
            and minute.month in found.months
            and (all(days) if starred else any(days))
        )

    expected = [minute for minute in minutes if matches(minute)]
    assert list(islice(found.ticks_after(begin), len(expected))) == expected
