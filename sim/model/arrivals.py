"""Arrivals: when commits are made or pods appear.

Rates are per second, spans microseconds since the scenario's start. A weekly profile holds one
weight an hour, Monday 00:00 first, in local time of the scenario's zone; the mean rate stays as
stated, the weights only spread it over the week.
"""

from __future__ import annotations

from dataclasses import dataclass

from sim.model.distributions import Constant, Counts

HOURS_PER_WEEK = 168

_WORKDAY = (1,) * 8 + (6, 10, 12, 12, 8, 11, 12, 12, 11, 7, 3) + (1,) * 5
_WEEKEND = (1,) * 24
PROFILES: dict[str, tuple[float, ...]] = {
    "flat": (1.0,) * HOURS_PER_WEEK,
    "office-hours": tuple(map(float, 5 * _WORKDAY + 2 * _WEEKEND)),
    "working-day-only": (5 * ((0.0,) * 9 + (1.0,) * 8 + (0.0,) * 7) + 2 * (0.0,) * 24),
    "nightly": 7 * ((6.0,) * 6 + (1.0,) * 16 + (3.0,) * 2),
}
"""Named weekly profiles: shapes to start from, ours and not measured; give your own weights instead."""


@dataclass(frozen=True, slots=True)
class PoissonArrivals:
    """Independent arrivals; with weights, a non-homogeneous process of the same mean rate."""

    per_s: float
    weights: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        """Refuse what is no rate or no week."""
        if self.per_s <= 0:
            raise ValueError(f"rate is {self.per_s}; allowed: above 0")
        if self.weights is not None:
            if len(self.weights) not in {24, HOURS_PER_WEEK}:
                raise ValueError(f"{len(self.weights)} weights; allowed: 24 or {HOURS_PER_WEEK}")
            if min(self.weights) < 0 or sum(self.weights) <= 0:
                raise ValueError("weights must be at least 0 and not all 0")


@dataclass(frozen=True, slots=True)
class CronArrivals:
    """Arrivals when a cron expression (five fields, or ``@every 10m``, ``@daily`` …) says so."""

    spec: str


@dataclass(frozen=True, slots=True)
class BatchArrivals:
    """Several arrivals at one instant, at the instants of another process."""

    at: PoissonArrivals | CronArrivals | TimesArrivals
    size: Counts = Constant(1)


@dataclass(frozen=True, slots=True)
class BurstArrivals:
    """A two-state modulated Poisson process: long quiet spells, short bursts, both exponential."""

    quiet_per_s: float
    burst_per_s: float
    quiet_s: float
    burst_s: float


@dataclass(frozen=True, slots=True)
class TimesArrivals:
    """Arrivals at the instants listed, sorted, in microseconds since the start."""

    times_us: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TraceArrivals:
    """Arrivals of a recorded trace, with what each brings; columns of equal length.

    ``datums`` items of ``datum_s`` seconds each; requests per datum, used by plain pods.
    """

    source: str
    times_us: tuple[int, ...]
    datums: tuple[int, ...]
    datum_s: tuple[float, ...]
    cpu_m: tuple[int, ...]
    memory_mib: tuple[int, ...]
    gpu: tuple[int, ...]


Arrivals = PoissonArrivals | CronArrivals | BatchArrivals | BurstArrivals | TimesArrivals | TraceArrivals
