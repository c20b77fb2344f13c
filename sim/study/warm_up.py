"""Warm-up: how much of the start to leave out, found where a scenario says ``warmup: auto``.

Pilot replications, numbered beyond those that are measured, are averaged in bins of time, and MSER-5 says
from which bin on the average is known best: batches of five, and the cut that makes the variance of what is
left, over its length, the least. It is found for the work in progress and for the capacity paid, and
the later cut counts. Arrivals that repeat (a weekly profile, a cron expression) make bins of whole
periods, since within one nothing is ever steady.

There may be no steady state to warm up to: a repository that only grows, since Pachyderm plans each job for
all it holds (pachyderm.md §3.3); recorded arrivals; a cut beyond the middle, which is MSER's own sign of
too short a horizon or of a backlog that grows. Then nothing is cut off, and the result says why.

Source: White, An effective truncation heuristic for bias reduction in simulation output, Simulation 69
(1997) 323-334; Franklin and White, Stationarity tests and MSER-5, Winter Simulation Conference 2008; on
averages of replications: Hoad, Robinson and Davies, Automating warm-up length estimation, J. Oper. Res.
Soc. 61 (2010) 1389-1403.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from sim.engine.run import simulate
from sim.model.scenario import Scenario, WarmUp
from sim.model.units import print_duration
from sim.report.levels import Levels, levels
from sim.study.periods import RECORDED, period_us
from sim.study.workers import Workers

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

PILOTS = 10
FIRST_PILOT = 1_000_000
BINS = 500
BATCH = 5
LEAST_BATCHES = 10
LAST_BATCHES = 5  # the variance of fewer would be small by luck
GROWTH = 0.05


def with_warm_up(
    scenarios: Sequence[Scenario], seed: int, executor: Executor | None = None
) -> list[Scenario]:
    """Return the scenarios with the warm-ups found that are to be found; the longest serves them all."""
    sought = [each for each in scenarios if each.warmup_is is WarmUp.AUTO]
    found = {each.name: find(each, seed, executor) for each in sought}
    longest_us = max((cut for cut in found.values() if isinstance(cut, int)), default=0)
    return [_settled(each, longest_us, found[each.name]) if each in sought else each for each in scenarios]


def find(scenario: Scenario, seed: int, executor: Executor | None = None) -> int | str:
    """Return the warm-up in microseconds, or why there is none."""
    period = period_us(scenario)
    if period == RECORDED:
        return "arrivals are recorded, which have no steady state"
    periods = scenario.horizon_us // period if period else BINS
    edges = np.arange(0, scenario.horizon_us + 1, max(period, scenario.horizon_us // BINS))
    with Workers(executor) as workers:
        numbers = range(FIRST_PILOT, FIRST_PILOT + PILOTS)
        work = partial(pilot, replace(scenario, origin=None, drain_us=0), seed, edges)
        pilots = [found for _, found in sorted(workers.run(work, numbers), key=lambda item: item[0])]
    if np.mean([each.growth for each in pilots]) >= GROWTH:
        return "a repository only grows, and Pachyderm plans each job for all it holds"
    if periods < LEAST_BATCHES:
        return (
            f"arrivals repeat each {print_duration(period)}; it takes a horizon of {LEAST_BATCHES} times that"
        )
    batch = BATCH if len(edges) > BATCH * LEAST_BATCHES else 1
    cuts = [
        mser(np.mean([each.work for each in pilots], axis=0), batch),
        mser(np.mean([each.capacity for each in pilots], axis=0), batch),
    ]
    if None in cuts:
        return "what it settles to is not seen in this horizon: it is too short, or the backlog grows"
    return int(edges[max(cut for cut in cuts if cut is not None)])


def pilot(scenario: Scenario, seed: int, edges_us: NDArray[np.int64], number: int) -> Levels:
    """Return the levels of one pilot replication."""
    return levels(simulate(scenario, seed, number), scenario, edges_us)


def mser(series: Floats, batch: int = BATCH) -> int | None:
    """Return how many of the first values to leave out; None where it would be more than half.

    >>> mser(np.array([9.0] * 20 + [1.0, 2.0] * 90))
    20
    """
    count = len(series) // batch
    means = series[: count * batch].reshape(count, batch).mean(axis=1)
    left = np.arange(count, 0, -1)
    sums, squares = (np.cumsum(values[::-1])[::-1] for values in (means, means**2))
    statistic = (squares - sums**2 / left) / left**2
    cut = int(np.argmin(statistic[: count - LAST_BATCHES + 1]))
    return cut * batch if 2 * cut <= count else None


def _settled(scenario: Scenario, longest_us: int, found: int | str) -> Scenario:
    if isinstance(found, int):
        return replace(scenario, warmup_us=longest_us, warmup_is=WarmUp.FOUND)
    warning = f"no warm-up was found, so figures may depend on the horizon: {found}"
    warnings = (*scenario.warnings, warning)
    return replace(scenario, warmup_us=longest_us, warmup_is=WarmUp.NOT_FOUND, warnings=warnings)
