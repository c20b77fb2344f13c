"""Long run: whether what a window shows goes on to be true in the windows after it, under the same arrivals.

The same configuration is simulated over eight windows, whole periods of its arrivals each, with luck that no
measured replication had. The first window is left out. Then its sources have to keep up (`sim.study.
stability`) and the constraints have to hold over the whole rest. Where datum sets grow with what repositories
hold, it begins at the age from which they no longer do (`sim.study.ages`), or is looked at, window by
window, at the ages that somebody named: then the promise is for these. What is not decided is simulated
once more, three times as long, as far as `EFFORT` goes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

from sim.model.cron import WEEK
from sim.model.scenario import Scenario
from sim.model.study import Constraint
from sim.model.units import SECOND, print_duration
from sim.report.summary import t_quantile
from sim.study.ages import aged, cure, growing, settled_after_us
from sim.study.offered_load import arrival_rates, tasks_per_s
from sim.study.periods import period_us
from sim.study.stability import Backlog, Flow, backlogs

if TYPE_CHECKING:
    from sim.report.metrics import Tree

WINDOWS = 8
REPLICATIONS = 4
FIRST = 2_000_000  # numbers of replications beyond those that are measured, and those of pilots
STAGES = 2
LONGER = 3
EFFORT = 120_000  # tasks and jobs of all replications at first: some seconds
LONGEST_PERIOD_US = 4 * WEEK
SURE = 0.975
ANY_SPAN = ("_s", "_usd_per_day", "_usd_per_month", "_usd_per_1000_datums")
RATES = ("mean_", "share_", "slo.")
COUNTS = frozenset(
    {
        *("cost_usd", "jobs_completed", "jobs_failed", "datums_processed", "datums_lost", "datums_failed"),
        *("pods_started", "pods_lost", "node_hours", "fargate_pod_hours", "tasks_oom_killed"),
        *("pods_oom_killed", "jobs_dropped", "rows_dropped"),
    }
)


class Trouble(Enum):
    """What is wrong with a configuration in the long run."""

    UNSTABLE = "unstable"
    DRIFTING = "drifting"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Stand:
    """How a configuration stands the long run; no trouble is a promise for the ages, and for how long."""

    trouble: Trouble | None = None
    reason: str = ""
    ages_us: tuple[int, ...] = (0,)
    promise: str = ""
    figures: tuple[tuple[float, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """One long run: what to simulate, whose luck, and whether it says what goes on for ever."""

    scenario: Scenario
    replications: int
    for_ever: bool


def goes_on(scenario: Scenario) -> bool:
    """Say whether anything arrives after the horizon that a promise could be about."""
    return not scenario.finite and any(rate > 0 for rate in arrival_rates(scenario).values())


def whole_periods(scenario: Scenario) -> bool:
    """Say whether the measured window is a whole number of periods of its arrivals."""
    period = period_us(scenario)
    return period <= 0 or (scenario.horizon_us - scenario.warmup_us) % period == 0


def plans(scenario: Scenario, holds_at_us: Sequence[int] | None, replications: int, stage: int) -> list[Plan]:
    """Return what to simulate to judge a configuration; empty where nothing goes on."""
    if not goes_on(scenario):
        return []
    grows = bool(growing(scenario))
    ages = holds_at_us or ([scenario.age_us] if scenario.age_us else None)
    if ages is not None and grows:
        return [Plan(aged(scenario, age), replications, for_ever=False) for age in ages]
    if ages is not None:
        return [Plan(_long(aged(scenario, age), stage), REPLICATIONS, for_ever=True) for age in ages[:1]]
    settled = aged(scenario, settled_after_us(scenario)) if grows else scenario
    return [Plan(_long(settled, stage), REPLICATIONS, for_ever=True)]


def _long(scenario: Scenario, stage: int) -> Scenario:
    """Return the scenario over more windows, the first one left out."""
    period = period_us(scenario)
    base_us = scenario.horizon_us
    if 0 < period <= LONGEST_PERIOD_US:
        base_us = math.ceil(base_us / period) * period
    effort = EFFORT * LONGER**stage
    each = tasks_per_s(scenario) * base_us / SECOND * REPLICATIONS
    windows = min((WINDOWS - 1) * LONGER**stage, max(1, int(effort / each) - 1)) if each else WINDOWS - 1
    drain_us = base_us if scenario.drain_us is None else min(scenario.drain_us, base_us)
    return replace(scenario, horizon_us=(1 + windows) * base_us, warmup_us=base_us, drain_us=drain_us)


def flow_of(plan: Plan, trees: Sequence[Tree]) -> tuple[Flow, str]:
    """Return whether everything keeps up in the replications of a plan, and what does not."""
    scenario = plan.scenario
    span_s = (scenario.horizon_us - scenario.warmup_us) / SECOND
    found = backlogs(trees, arrival_rates(scenario), span_s)
    for flow in (Flow.UNSTABLE, Flow.UNDECIDED):
        wrong = _first(found, flow)
        if wrong is not None and (flow is Flow.UNSTABLE or plan.for_ever):
            return flow, found[wrong].sentence(wrong)
    return Flow.STABLE, ""


def _first(found: Mapping[str, Backlog], flow: Flow) -> str | None:
    return next((name for name, each in found.items() if each.flow is flow), None)


def held(
    constraint: Constraint, values: Sequence[float], windows: float, indifference: float
) -> tuple[Trouble | None, float]:
    """Return whether a constraint holds over a span of so many windows, and its mean there.

    Counts are those of a window: more windows have more of them. Limits of 0 and levels at one instant say
    nothing over longer spans and are left to the measured windows.
    """
    limit = _limit(constraint, windows)
    known = [value for value in values if not math.isnan(value)]
    if limit is None or not known:
        return None, math.nan
    if any(map(math.isinf, known)):
        endless = sum(map(math.isinf, known)) * 2 > len(known)
        return (Trouble.UNSTABLE if endless else Trouble.UNDECIDED), math.inf
    sign = -1.0 if constraint.at_least else 1.0
    mean = sum(known) / len(known)
    off = sign * (mean - limit)
    if off <= 0:
        return None, mean
    clearly = off - _half_width(known) > indifference * abs(limit)
    return (Trouble.UNSTABLE if clearly else Trouble.UNDECIDED), mean


def _limit(constraint: Constraint, windows: float) -> float | None:
    """Return the limit over more windows, None where the metric cannot be judged over them."""
    name = constraint.metric.rpartition(".")[2]
    if name.endswith(ANY_SPAN) or name.startswith(RATES):
        return constraint.limit
    if name in COUNTS and constraint.limit > 0:
        return constraint.limit * windows
    return None


def _half_width(values: Sequence[float]) -> float:
    count = len(values)
    if count < 2:  # noqa: PLR2004  # one value has no spread
        return math.inf
    mean = sum(values) / count
    variance = sum((value - mean) ** 2 for value in values) / (count - 1)
    return math.sqrt(variance / count) * t_quantile(count - 1, SURE)


def when(plan: Plan) -> str:
    """Say of which time a plan tells."""
    scenario = plan.scenario
    age = f" once repositories hold {print_duration(scenario.age_us)} of it" if scenario.age_us else ""
    if not plan.for_ever:
        return age.strip() or "at the start"
    return f"in the {print_duration(scenario.horizon_us - scenario.warmup_us)} after the first window{age}"


def drifts(scenario: Scenario) -> str:
    """Say why latency climbs where sets grow, and what ends it; empty where they do not."""
    names = growing(scenario)
    if not names:
        return ""
    return f"datum sets grow with what repositories hold, which {cure(scenario, names)} would end"


def promise(scenario: Scenario, ages_us: Sequence[int], *, bounded: bool) -> str:
    """Say for when what was found holds."""
    if not goes_on(scenario):
        return "for this span, which is the whole story"
    if not bounded:
        return "for as long as arrivals stay as they are"
    ages = " and ".join(print_duration(age) for age in ages_us)
    return f"while repositories hold as much as after {ages} of these arrivals, and not beyond"
