"""Marks: what a reader must know of a scenario's window before taking it for what goes on for ever.

- *unstable*: the load by formula is 1 or more, or a source does not keep up in the window (`sim.study.
  stability`). *undecided*: it is loaded to about what it can do.
- *drift*: latency climbs in the window, by a paired test over replications of each one's slope, in a
  pipeline whose datum sets grow with what its repositories hold, and what ends it.
- *part of a period*: the window is no whole number of days or weeks of what arrives, so cost per day and
  month are those of the days that were measured.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any, cast

from sim.model.cron import WEEK
from sim.model.scenario import Scenario
from sim.model.units import DAY, HOUR, SECOND, print_duration
from sim.report.metrics import Tree
from sim.report.summary import interval
from sim.study.ages import cure, growing, settled_after_us
from sim.study.expected import expected
from sim.study.long_run import goes_on, whole_periods
from sim.study.offered_load import arrival_rates, overload
from sim.study.periods import period_us
from sim.study.stability import Flow, backlogs

PERIODS = 2  # of a window in which flow and slopes are looked at
LEAST_REPLICATIONS = 2
NOTHING = 1.0  # seconds a week: slower is no climb
DAYS_PER_WEEK = 7
AHEAD_DAYS = 30
LEAST_HOURS_S = 3600


@dataclass(frozen=True)
class Marks:
    """The marks of a scenario, from some replications of it."""

    scenario: Scenario
    replications: Sequence[Tree]

    @cached_property
    def unstable(self) -> list[str]:
        """What does not keep up, in sentences."""
        by_formula = overload(self.scenario)
        return [by_formula] if by_formula else self._flow(Flow.UNSTABLE)

    @cached_property
    def undecided(self) -> list[str]:
        """What may not keep up, in sentences."""
        return [] if self.unstable else self._flow(Flow.UNDECIDED)

    @cached_property
    def drift(self) -> list[dict[str, Any]]:
        """Pipelines whose latency climbs: by how much a week and in 30 days, and the cure."""
        return list(self._climbs()) if self._sees_periods() else []

    @cached_property
    def part_of_period(self) -> str | None:
        """What was measured of a period that the window is no whole number of, None where it is whole."""
        if not goes_on(self.scenario) or whole_periods(self.scenario):
            return None
        return "".join(self._part())

    @property
    def promise(self) -> str:
        """For when the figures of the window are a promise, in words."""
        scenario = self.scenario
        if not goes_on(scenario):
            return "for this span, which is the whole story"
        if self.unstable or self.undecided or self.drift:
            return f"for these {print_duration(scenario.horizon_us)} only: see the warnings"
        if growing(scenario):
            first, last = (print_duration(scenario.age_us + more) for more in (0, scenario.horizon_us))
            return f"while repositories hold what {first} to {last} of these arrivals bring, and not beyond"
        return "for as long as arrivals stay as they are"

    def document(self) -> dict[str, Any]:
        """Return the keys of JSON, each null where all is well."""
        return {
            "unstable": self.unstable or None,
            "undecided": self.undecided or None,
            "drift": self.drift or None,
            "part_of_period": self.part_of_period,
        }

    def beforehand(self) -> Iterator[str]:
        """Yield what is known without simulating anything."""
        if reason := overload(self.scenario):
            yield f"unstable: {reason}"
        if self.part_of_period:
            yield self.part_of_period

    def warnings(self) -> Iterator[str]:
        """Yield the same in sentences, worst first."""
        yield from (f"unstable: {each}, so latencies depend on the horizon" for each in self.unstable)
        yield from (f"undecided: {each}" for each in self.undecided)
        for each in self.drift:
            week, ahead = each["p95_s_per_week"], each["p95_s_in_30_days"]
            yield (
                f"drift: the p95 latency of {each['pipeline']} grows by about {_hours(week)} a week:"
                f" {_hours(ahead)} in {AHEAD_DAYS} days; its datum sets grow with what its repositories hold,"
                f" and {each['cure']} ends it"
            )
        if self.part_of_period:
            yield self.part_of_period

    def _flow(self, flow: Flow) -> list[str]:
        if not goes_on(self.scenario) or not self._sees_periods():
            return []
        span_s = (self.scenario.horizon_us - self.scenario.warmup_us) / SECOND
        found = backlogs(self.replications, arrival_rates(self.scenario), span_s)
        return [each.sentence(name) for name, each in found.items() if each.flow is flow]

    def _sees_periods(self) -> bool:
        """Say whether the window is long enough, and whole, for what goes on in it to tell of later ones."""
        period, span = period_us(self.scenario), self.scenario.horizon_us - self.scenario.warmup_us
        return period <= 0 or (span >= PERIODS * period and whole_periods(self.scenario))

    def _climbs(self) -> Iterator[dict[str, Any]]:
        for name in growing(self.scenario):
            slopes = [_slope(tree, name) for tree in self.replications]
            known = [each for each in slopes if not math.isnan(each)]
            if len(known) < LEAST_REPLICATIONS:
                continue
            found = interval(known, least=-math.inf)
            if found.low is None or found.mean is None or found.low * DAYS_PER_WEEK <= NOTHING:
                continue
            latency = interval([_latency(tree, name) for tree in self.replications]).mean
            days = (min(AHEAD_DAYS * DAY, settled_after_us(self.scenario)) - self.scenario.horizon_us) / DAY
            yield {
                "pipeline": name,
                "p95_s_per_week": found.mean * DAYS_PER_WEEK,
                "p95_s_in_30_days": None if latency is None else latency + max(0.0, found.mean * days),
                "cure": cure(self.scenario, [name]),
            }

    def _part(self) -> Iterator[str]:
        scenario = self.scenario
        period = period_us(scenario)
        last = scenario.start + timedelta(microseconds=scenario.horizon_us - 1)
        first = scenario.start + timedelta(microseconds=scenario.warmup_us)
        name = {DAY: "day", WEEK: "week"}.get(period, print_duration(period))
        yield (
            f"cost per day and month are those of the measured part, {first:%a %H:%M} to {last:%a %H:%M}, of"
            f" arrivals that repeat each {name}"
        )
        span = scenario.horizon_us - scenario.warmup_us
        for arrivals in [
            *(repo.commits for repo in scenario.repos if repo.commits is not None),
            *(pods.arrivals for pods in scenario.pods),
        ]:
            inside = expected(arrivals, scenario.start, scenario.warmup_us, scenario.horizon_us)
            whole = expected(arrivals, scenario.start, 0, period + 1)
            if whole and not math.isclose(inside / span, whole / period, rel_tol=0.01):
                here, mean = inside / span * HOUR, whole / period * HOUR
                yield f": {here:.3g} arrivals an hour in it, {mean:.3g} on average"
                return


def _slope(tree: Tree, name: str) -> float:
    flow = cast("dict[str, dict[str, float]]", tree.get("flow", {}))
    return flow.get(name, {}).get("climb_s_per_day", math.nan)


def _latency(tree: Tree, name: str) -> float:
    return cast("dict[str, dict[str, float]]", tree["pipelines"])[name]["job_latency_p95_s"]


def _hours(seconds: float | None) -> str:
    if seconds is None:
        return "more than is known"
    return f"{seconds / 3600:.2g} h" if seconds >= LEAST_HOURS_S else f"{seconds / 60:.2g} min"
