"""Cron expressions: read, and walked through the calendar, in the dialect that pachd has.

Five fields (minute, hour, day of month, month, day of week with Sunday as 0), each a list of ``*``, ``?``,
``n``, ``a-b`` and steps of them; ``n/step`` runs on to the field's end, ``a-a/step`` is ``a`` alone. Where
both day fields are restricted, one of them is enough; where one has a star, both must match. A descriptor
stands for five fields, ``@every`` for a delay from wherever one is (whole seconds, at least one), ``@never``
for no tick at all.

An hour that the clocks leave out has no ticks, one that they repeat has each twice. Pachyderm itself reads
its cron inputs in UTC. Auto Scaling groups speak crontab instead: see ``parse_recurrence``.

Source: robfig/cron v1.2.0, parser.go ParseStandard, spec.go Next, constantdelay.go; pachyderm/pachyderm
v2.11.6, src/internal/cronutil/cronutil.go and src/server/pps/server/monitor.go makeCronCommits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import NamedTuple

from sim.errors import InputError
from sim.model.units import DAY, HOUR, SECOND, parse_go_duration

DESCRIPTORS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
NEVER = "@never"
EVERY = "@every "
CRON_ALLOWED = (
    "five fields such as '*/10 8-18 * * 1-5' with Sunday as 0, @every with a duration such as 90s or 24h, "
    "@hourly, @daily, @weekly, @monthly, @yearly or @never"
)
RECURRENCE_ALLOWED = "five fields such as '30 7 * * 1-5', or @hourly, @daily, @weekly, @monthly or @yearly"
WEEK, YEAR = 7 * DAY, 365 * DAY
SEARCHED_YEARS = 5
MICROSECOND = timedelta(microseconds=1)
ONE_DAY = timedelta(days=1)
STARS = ("*", "?")
_NUMBER = re.compile(r"\+?\d{1,9}", re.ASCII)


class Bounds(NamedTuple):
    """What one of the five fields may hold."""

    label: str
    least: int
    most: int
    names: tuple[str, ...] = ()


MINUTE, HOUR_OF_DAY = Bounds("minute", 0, 59), Bounds("hour", 0, 23)
DAY_OF_MONTH = Bounds("day of month", 1, 31)
MONTH = Bounds(
    "month", 1, 12, ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
)
DAY_OF_WEEK = Bounds("day of week", 0, 6, ("sun", "mon", "tue", "wed", "thu", "fri", "sat"))
FIELDS = (MINUTE, HOUR_OF_DAY, DAY_OF_MONTH, MONTH, DAY_OF_WEEK)


@dataclass(frozen=True, slots=True)
class CalendarSchedule:
    """The values that each field allows, sorted; ``either_day``: one of the day fields is enough."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: tuple[int, ...]
    months: tuple[int, ...]
    weekdays: tuple[int, ...]
    either_day: bool = False

    def ticks_after(self, start: datetime) -> Iterator[datetime]:
        """Yield the ticks after an instant in its zone, until there is none for five years."""
        day, last = start.date(), start
        while day.year <= last.year + SEARCHED_YEARS:
            for tick in self._on(day, start):
                if tick.astimezone(UTC) > start.astimezone(UTC):
                    yield tick
                    last = tick
            day += ONE_DAY

    def last_until(self, instant: datetime) -> datetime | None:
        """Return the last tick up to an instant, itself included; None if there is none for five years."""
        day = instant.date()
        while day.year >= instant.year - SEARCHED_YEARS:
            ticks = [
                tick for tick in self._on(day, instant) if tick.astimezone(UTC) <= instant.astimezone(UTC)
            ]
            if ticks:
                return ticks[-1]
            day -= ONE_DAY
        return None

    def period_us(self) -> int:
        """Return after how long it begins again, at the longest; 0 where it never ticks."""
        if not self.minutes:
            return 0
        if len(self.days) < DAY_OF_MONTH.most or len(self.months) < MONTH.most:
            return YEAR
        if len(self.weekdays) <= DAY_OF_WEEK.most:
            return WEEK
        return DAY if len(self.hours) <= HOUR_OF_DAY.most else HOUR

    def _on(self, day: date, like: datetime) -> list[datetime]:
        """Return the ticks of a day, in order, in the zone of ``like``."""
        if not self._takes(day):
            return []
        midnight = datetime(day.year, day.month, day.day, tzinfo=like.tzinfo)
        walls = [midnight.replace(hour=hour, minute=minute) for hour in self.hours for minute in self.minutes]
        if midnight.utcoffset() == (midnight + ONE_DAY).utcoffset():
            return walls
        return sorted(filter(_exists, _both_times(walls)), key=lambda tick: tick.astimezone(UTC))

    def _takes(self, day: date) -> bool:
        by_month_day, by_weekday = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        matches = by_month_day or by_weekday if self.either_day else by_month_day and by_weekday
        return matches and day.month in self.months


@dataclass(frozen=True, slots=True)
class DelaySchedule:
    """A tick after each delay, counted from wherever one starts."""

    delay_us: int

    def ticks_after(self, start: datetime, anchor: datetime) -> Iterator[datetime]:
        """Yield the ticks after an instant, counted from ``anchor`` and on whole seconds as upstream's."""
        first, delay = anchor.astimezone(UTC).replace(microsecond=0), timedelta(microseconds=self.delay_us)
        passed = max(0, (start.astimezone(UTC) - first) // delay)
        return (first + n * delay for n in count(passed + 1))

    def period_us(self) -> int:
        """Return the delay."""
        return self.delay_us


Schedule = CalendarSchedule | DelaySchedule


def parse_cron(text: str) -> Schedule:
    """Return the schedule of an expression as pachd reads it; raise InputError where it reads none.

    >>> parse_cron("@every 90s")
    DelaySchedule(delay_us=90000000)
    """
    if text.strip() == NEVER:
        return CalendarSchedule((), (), (), (), ())
    if text.startswith(EVERY):
        return DelaySchedule(_delay_us(text))
    if text.startswith("@") and text not in DESCRIPTORS:
        raise InputError(value=text, allowed=CRON_ALLOWED)
    return _calendar(text, FIELDS, CRON_ALLOWED)


def parse_recurrence(text: str) -> CalendarSchedule:
    """Return the schedule of a scheduled action of an Auto Scaling group; raise InputError where it is none.

    That is Unix crontab: Sunday is 0 or 7; there is no ``?``, no ``n/step``, no ``@every``, no ``@never``.
    The descriptors are ours to write; ``recurrence_fields`` says them in the five fields that AWS takes.

    Source: Amazon EC2 Auto Scaling User Guide, "Recurring schedules"; crontab(5) of Vixie cron 4.1.
    """
    fields = recurrence_fields(text).split()
    if "?" in text or any("/" in part and part[0] not in "*" and "-" not in part for part in _parts(fields)):
        raise InputError(value=text, allowed=RECURRENCE_ALLOWED)
    week = DAY_OF_WEEK._replace(most=7)
    found = _calendar(" ".join(fields), (*FIELDS[:-1], week), RECURRENCE_ALLOWED)
    return CalendarSchedule(
        found.minutes,
        found.hours,
        found.days,
        found.months,
        tuple(sorted({weekday % 7 for weekday in found.weekdays})),
        found.either_day,
    )


def recurrence_fields(text: str) -> str:
    """Return an expression in five fields, which is all that a scheduled action takes."""
    return DESCRIPTORS.get(text, text)


def cron_times(schedule: Schedule, start: datetime, anchor: datetime | None = None) -> Iterator[int]:
    """Return the ticks after ``start`` in microseconds since then; fields are read in its zone.

    A delay counts from ``anchor``, where that is not the start.
    """
    start_utc = start.astimezone(UTC)
    if isinstance(schedule, DelaySchedule):
        ticks = schedule.ticks_after(start, anchor or start)
    else:
        ticks = schedule.ticks_after(start)
    return ((tick.astimezone(UTC) - start_utc) // MICROSECOND for tick in ticks)


def _delay_us(text: str) -> int:
    try:
        delay_us = max(SECOND, parse_go_duration(text.removeprefix(EVERY)))
    except InputError:
        raise InputError(value=text, allowed=CRON_ALLOWED) from None
    return delay_us - delay_us % SECOND


def _calendar(text: str, bounds: tuple[Bounds, ...], allowed: str) -> CalendarSchedule:
    fields = DESCRIPTORS.get(text, text).split()
    if len(fields) != len(bounds):
        raise InputError(value=text, allowed=allowed)
    try:
        minutes, hours, days, months, weekdays = map(_values, fields, bounds)
    except ValueError as error:
        raise InputError(f"is {text!r}: {error}", allowed=allowed) from None
    starred = any(part[:1] in STARS for part in _parts([fields[2], fields[4]]))
    return CalendarSchedule(minutes, hours, days, months, weekdays, not starred)


def _parts(fields: list[str]) -> Iterator[str]:
    return (part for field in fields for part in field.split(",") if part)


def _values(field: str, bounds: Bounds) -> tuple[int, ...]:
    """Return what a field allows; empty parts of a list count for nothing, as upstream splits it."""
    return tuple(sorted({value for part in _parts([field]) for value in _range(part, bounds)}))


def _range(part: str, bounds: Bounds) -> range:
    """Return what one part of a field allows; raise ValueError where it is none."""
    span, *steps = part.split("/")
    ends = span.split("-")
    if len(steps) > 1 or (ends[0] not in STARS and len(ends) > 2):  # noqa: PLR2004  # two ends of a range
        raise ValueError(f"{part} is no {bounds.label}")
    if ends[0] in STARS:
        first, last = bounds.least, bounds.most
    else:
        first, last = _number(ends[0], bounds), _number(ends[-1], bounds)
    if steps and len(ends) == 1:
        last = bounds.most
    step = _whole(steps[0]) if steps else 1
    if not bounds.least <= first <= last <= bounds.most or step == 0:
        raise ValueError(f"{part} is no {bounds.label} from {bounds.least} to {bounds.most}")
    return range(first, last + 1, step)


def _number(text: str, bounds: Bounds) -> int:
    name = text.lower()
    return bounds.names.index(name) + bounds.least if name in bounds.names else _whole(text)


def _whole(text: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"{text or 'nothing'} is no number")
    return int(text)


def _both_times(walls: list[datetime]) -> Iterator[datetime]:
    """Yield each time of a day as often as the clocks may show it."""
    for wall in walls:
        yield wall
        if wall.replace(fold=1).utcoffset() != wall.utcoffset():
            yield wall.replace(fold=1)


def _exists(tick: datetime) -> bool:
    """Say whether the clocks ever show a time: they leave out an hour in spring."""
    return tick.astimezone(UTC).astimezone(tick.tzinfo).replace(fold=0) == tick.replace(fold=0)
