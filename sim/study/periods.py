"""Periods: after how long a scenario's arrivals, and the schedules of its node groups, begin again."""

from __future__ import annotations

from collections.abc import Iterator

from sim.model.arrivals import (
    Arrivals,
    BatchArrivals,
    CronArrivals,
    PoissonArrivals,
    TimesArrivals,
    TraceArrivals,
)
from sim.model.cron import WEEK, parse_cron, parse_recurrence
from sim.model.pipelines import CronInput, Leaf, leaves
from sim.model.scenario import Scenario
from sim.model.units import DAY

RECORDED = -1


def period_us(scenario: Scenario) -> int:
    """Return the longest period, 0 where nothing repeats, RECORDED where something happens but once."""
    sources = [repo.commits for repo in scenario.repos if repo.commits is not None]
    sources += [load.arrivals for load in scenario.pods]
    found = [*map(_of_arrivals, sources), *_schedules(scenario), *_cron_inputs(scenario)]
    return RECORDED if RECORDED in found else max(found, default=0)


def _of_arrivals(arrivals: Arrivals) -> int:
    if isinstance(arrivals, TimesArrivals | TraceArrivals):
        return RECORDED
    if isinstance(arrivals, BatchArrivals):
        return _of_arrivals(arrivals.at)
    if isinstance(arrivals, CronArrivals):
        return parse_cron(arrivals.spec).period_us()
    if isinstance(arrivals, PoissonArrivals) and arrivals.weights is not None:
        return _of_weights(arrivals.weights)
    return 0


def _of_weights(weights: tuple[float, ...]) -> int:
    if len(set(weights)) == 1:
        return 0
    days = {weights[first : first + 24] for first in range(0, len(weights), 24)}
    return DAY if len(days) == 1 else WEEK


def _schedules(scenario: Scenario) -> Iterator[int]:
    return (
        parse_recurrence(minimum.cron).period_us()
        for group in scenario.cluster.node_groups
        for minimum in group.scheduled_minimums
    )


def _cron_inputs(scenario: Scenario) -> Iterator[int]:
    return (
        parse_cron(spec).period_us()
        for load in scenario.pipelines
        for leaf in leaves(load.pipeline.input)
        if (spec := _expression(leaf))
    )


def _expression(leaf: Leaf) -> str:
    """Return the cron expression that starts an input's jobs, if there is one."""
    if isinstance(leaf, CronInput):
        return leaf.spec
    return leaf.trigger.cron if leaf.trigger else ""
