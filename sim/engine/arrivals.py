"""Arrivals: the instants, in microseconds since the scenario's start, at which a source acts.

Each kind of ``sim.model.arrivals`` becomes an endless or finite iterator in order of time, so that a source
needs one pending arrival only. Draws come in blocks from the source's own stream.

A weekly profile is applied by thinning (Lewis and Shedler 1979): candidates at the highest rate, each kept
with chance weight / highest weight of its local hour, so daylight saving shifts the pattern with the clocks.
Cron expressions are read in the scenario's time zone, ``@every`` counts from its start.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import chain, repeat

import numpy as np
import numpy.typing as npt

from sim.model.arrivals import (
    Arrivals,
    BatchArrivals,
    BurstArrivals,
    CronArrivals,
    PoissonArrivals,
    TimesArrivals,
    TraceArrivals,
)
from sim.model.cron import MICROSECOND, cron_times, parse_cron
from sim.model.units import SECOND

Times = npt.NDArray[np.int64]
BLOCK = 256
SLOT = timedelta(minutes=15)
SLOT_US = 900 * SECOND  # clocks are whole quarters of an hour apart: within one, the local hour is the same
HOURS_PER_DAY = 24


def arrival_times(spec: Arrivals, rng: np.random.Generator, start: datetime) -> Iterator[int]:
    """Return when a source acts; ``start`` is the scenario's and knows its time zone."""
    if isinstance(spec, TimesArrivals | TraceArrivals):
        return iter(spec.times_us)
    if isinstance(spec, CronArrivals):
        return cron_times(parse_cron(spec.spec), start)
    if isinstance(spec, BurstArrivals):
        return _bursts(spec, rng)
    if isinstance(spec, BatchArrivals):
        return _batches(spec, rng, start)
    return _poisson(spec, rng, start)


def _poisson(spec: PoissonArrivals, rng: np.random.Generator, start: datetime) -> Iterator[int]:
    if spec.weights is None:
        return chain.from_iterable(block.tolist() for block in _homogeneous(spec.per_s, rng))
    return _thinned(spec.per_s, spec.weights, rng, start)


def _homogeneous(per_s: float, rng: np.random.Generator) -> Iterator[Times]:
    """Yield blocks of instants."""
    now_s = 0.0
    while True:
        times = now_s + np.cumsum(rng.exponential(1.0 / per_s, BLOCK))
        now_s = float(times[-1])
        yield np.rint(times * SECOND).astype(np.int64)


def _thinned(
    per_s: float, weights: tuple[float, ...], rng: np.random.Generator, start: datetime
) -> Iterator[int]:
    highest = max(weights)
    by_day = len(weights) == HOURS_PER_DAY
    start_utc = start.astimezone(UTC)
    hour_utc = start_utc.replace(minute=0, second=0, microsecond=0)
    slot_begins_us = (hour_utc - start_utc) // MICROSECOND
    for times in _homogeneous(per_s * highest * len(weights) / sum(weights), rng):
        chances = rng.random(BLOCK)
        slots = (times - slot_begins_us) // SLOT_US
        firsts = np.flatnonzero(np.diff(slots, prepend=-1))
        locals_ = [(hour_utc + slot * SLOT).astimezone(start.tzinfo) for slot in slots[firsts].tolist()]
        of_slots = [weights[at.hour if by_day else at.weekday() * HOURS_PER_DAY + at.hour] for at in locals_]
        weight = np.repeat(of_slots, np.diff(firsts, append=len(slots)))
        yield from times[chances * highest < weight].tolist()


def _bursts(spec: BurstArrivals, rng: np.random.Generator) -> Iterator[int]:
    """Alternate quiet and burst spells; the first one is chosen by their shares of time."""
    bursting = bool(rng.random() < spec.burst_s / (spec.burst_s + spec.quiet_s))
    begin_s = 0.0
    while True:
        mean_s, per_s = (spec.burst_s, spec.burst_per_s) if bursting else (spec.quiet_s, spec.quiet_per_s)
        length_s = float(rng.exponential(mean_s))
        times = begin_s + np.sort(rng.random(rng.poisson(per_s * length_s))) * length_s
        yield from np.rint(times * SECOND).astype(np.int64).tolist()
        begin_s += length_s
        bursting = not bursting


def _batches(spec: BatchArrivals, rng: np.random.Generator, start: datetime) -> Iterator[int]:
    for time_us in arrival_times(spec.at, rng, start):
        yield from repeat(time_us, int(spec.size.sample(rng, 1)[0]))
