"""Start times and latency targets as a scenario spells them.

``2026-01-05T00:00-05:00``, or with the zone's name ``2026-01-05T00:00 America/New_York``, which keeps
cron and weekly profiles right across daylight saving. A target is a quantile: ``{p95: 15m}``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sim.documents.fields import Field
from sim.errors import InputError
from sim.loader.values.kinds import Json, MapOf, Scalar
from sim.loader.values.scalars import (
    SECONDS,
)

START_ALLOWED = "a date, time and zone such as 2026-01-05T00:00-05:00 or 2026-01-05T00:00 America/New_York"
_QUANTILE = re.compile(r"p(\d{1,2}(?:\.\d{1,4})?)", re.ASCII)


def _start(raw: object) -> datetime:
    text = raw.strip() if isinstance(raw, str) else ""
    moment, _, zone = text.partition(" ")
    try:
        if zone and not re.fullmatch(r"\d{2}:.*", zone):
            start = datetime.fromisoformat(moment)
            start = (
                start.replace(tzinfo=ZoneInfo(zone)) if start.tzinfo is None else start.replace(tzinfo=None)
            )
        else:
            start = datetime.fromisoformat(text)
    except (ValueError, KeyError, OSError):
        raise InputError(value=raw, allowed=START_ALLOWED) from None
    if start.tzinfo is None or not 1970 <= start.year <= 9000:  # noqa: PLR2004  # what cron and the log can hold
        raise InputError(value=raw, allowed=START_ALLOWED)
    return start


def _start_printed(start: datetime) -> str:
    if isinstance(start.tzinfo, ZoneInfo):
        return f"{start.replace(tzinfo=None).isoformat()} {start.tzinfo.key}"
    return start.isoformat()


START = Scalar("date, time and zone", START_ALLOWED, _start, _start_printed)


@dataclass(frozen=True, slots=True)
class Quantiles:
    """Durations by quantile: ``{p95: 15m}``, read to pairs of (0.95, seconds)."""

    unit: str = "duration by quantile"

    def read(self, at: Field) -> tuple[tuple[float, float], ...]:
        """Read them, lowest quantile first."""
        said: dict[str, float] = MapOf(SECONDS, "quantile").read(at)
        return tuple(sorted((self._quantile(word, at), seconds) for word, seconds in said.items()))

    def _quantile(self, word: str, at: Field) -> float:
        match = _QUANTILE.fullmatch(word)
        if match is None or float(match[1]) == 0:
            raise at.error(f"has the quantile {word}", allowed="p50, p95, p99.9 and the like")
        return float(match[1]) / 100

    def schema(self) -> Json:
        """Return a mapping with quantiles as keys."""
        pattern = r"^p[0-9]{1,2}(\.[0-9]{1,4})?$"
        return {
            "type": "object",
            "patternProperties": {pattern: SECONDS.schema()},
            "additionalProperties": False,
        }
