"""Arrivals in a scenario: ``{poisson: {per_hour: 4, profile: office-hours}}``, cron, bursts or a trace.

Rates are means over a whole week whatever the profile; a cron expression is read in the zone of the
scenario's start; a list of times counts from the start.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from sim.documents.fields import Field
from sim.errors import InputError
from sim.loader.values.distributions import COUNT_VARYING
from sim.loader.values.kinds import Choice, Json, Kind, ListOf, Scalar
from sim.loader.values.scalars import (
    DURATION,
    INTERVAL,
    LEAST_PER_S,
    MOST_PER_S,
    NUMBER,
    POSITIVE,
    RATE,
    RATE_BETWEEN,
    SECONDS,
)
from sim.loader.values.sections import REQUIRED, Key, section_of
from sim.loader.values.tagged import Tagged
from sim.loader.values.traces import TraceKind
from sim.model.arrivals import (
    PROFILES,
    BatchArrivals,
    BurstArrivals,
    CronArrivals,
    PoissonArrivals,
    TimesArrivals,
)
from sim.model.cron import CRON_ALLOWED, RECURRENCE_ALLOWED, parse_cron, parse_recurrence
from sim.model.units import SECOND, print_go_duration

_SPANS_S = {
    "per_second": 1.0,
    "per_minute": 60.0,
    "per_hour": 3600.0,
    "per_day": 86400.0,
    "per_week": 604800.0,
}


def _expression(raw: object, parse: Callable[[str], object], allowed: str) -> str:
    """Return a cron expression once it is known to be one."""
    if not isinstance(raw, str):
        raise InputError(value=raw, allowed=allowed)
    parse(raw.strip())
    return raw.strip()


def _cron_of(parse: Callable[[str], object], allowed: str) -> Scalar:
    return Scalar("cron expression", allowed, partial(_expression, parse=parse, allowed=allowed), str)


CRON = _cron_of(parse_cron, CRON_ALLOWED)
RECURRENCE = _cron_of(parse_recurrence, RECURRENCE_ALLOWED)


def _every(raw: object) -> str:
    interval_us = INTERVAL.parse(raw)
    if interval_us % SECOND:
        raise InputError(value=raw, allowed=EVERY.allowed)
    return f"@every {print_go_duration(interval_us)}"


EVERY = Scalar(
    "duration",
    "whole seconds such as 90s, 10m or 24h, above 0",
    _every,
    lambda cron: cron.removeprefix("@every "),
)


def _poisson(
    rate: float | None = None,
    profile: str | None = None,
    weights: tuple[float, ...] | None = None,
    **per: float,
) -> PoissonArrivals:
    rates = [amount / _SPANS_S[span] for span, amount in per.items()] + ([rate] if rate is not None else [])
    if len(rates) != 1:
        raise ValueError(f"says {len(rates)} rates; allowed: one of rate, {', '.join(_SPANS_S)}")
    if not LEAST_PER_S <= rates[0] <= MOST_PER_S:
        raise ValueError(f"says {rates[0]:g} a second; allowed: {RATE_BETWEEN}")
    if profile is not None and weights is not None:
        raise ValueError("says both profile and weights; allowed: one of them")
    return PoissonArrivals(rates[0], PROFILES[profile] if profile is not None else weights)


POISSON = section_of(
    _poisson,
    Key("rate", RATE, "mean rate"),
    *(Key(span, POSITIVE, f"mean number {span.replace('_', ' ')}", default=None) for span in _SPANS_S),
    Key("profile", Choice(tuple(PROFILES)), "named weekly profile that spreads the mean"),
    Key("weights", ListOf(NUMBER, least=24), "24 or 168 hourly weights, Monday 00:00 first"),
)


class _CronKind:
    """A cron expression as arrivals."""

    unit = "cron expression"

    def __init__(self, text: Scalar) -> None:
        self.text = text

    def read(self, at: Field) -> CronArrivals:
        """Read it."""
        return CronArrivals(self.text.read(at))

    def schema(self) -> Json:
        """Return that of a text."""
        return self.text.schema()


class _TimesKind:
    """Instants since the start."""

    unit = "list of durations since the start"
    _list = ListOf(DURATION, least=1)

    def read(self, at: Field) -> TimesArrivals:
        """Read them, sorted."""
        return TimesArrivals(tuple(sorted(self._list.read(at))))

    def schema(self) -> Json:
        """Return that of a list."""
        return self._list.schema()


def _bursts(quiet: float, burst: float, quiet_for: float, burst_for: float) -> BurstArrivals:
    if min(quiet_for, burst_for) <= 0 or max(quiet, burst) <= 0:
        raise ValueError("never arrives; allowed: quiet_for and burst_for above 0, and a rate above 0")
    return BurstArrivals(quiet, burst, quiet_for, burst_for)


_CRON = _CronKind(CRON)
_EVERY = _CronKind(EVERY)
_ONCE: dict[str, Kind] = {"poisson": POISSON, "cron": _CRON, "every": _EVERY, "times": _TimesKind()}
_AT = Tagged("arrivals", _ONCE)


def arrivals_of(trace: TraceKind) -> Tagged:
    """Return the kind of arrivals whose traces have the columns that ``trace`` asks for."""
    return Tagged(
        "arrivals",
        {
            **_ONCE,
            "batches": section_of(
                BatchArrivals,
                Key("at", _AT, "when batches arrive"),
                Key("size", COUNT_VARYING, "how many arrive together", default=REQUIRED),
            ),
            "bursts": section_of(
                _bursts,
                Key("quiet", RATE, "rate in quiet spells"),
                Key("burst", RATE, "rate in bursts"),
                Key("quiet_for", SECONDS, "mean length of a quiet spell"),
                Key("burst_for", SECONDS, "mean length of a burst"),
            ),
            "trace": trace,
        },
    )


COMMITS = arrivals_of(TraceKind(("datums", "datum_seconds")))
PODS = arrivals_of(TraceKind(("datums", "datum_seconds", "cpu", "memory_gib", "gpu")))
