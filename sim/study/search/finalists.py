"""Finalists: whoever would be named has to stand the long run first, and what it showed.

Only what would win is looked at, in the order in which it would. Where stability is plain from the measured
windows nothing is simulated: in each of ten or more, of a hundred arrivals or more of each source, no source
is saturated for half of the last third; the windows are whole periods, nothing grows, and every constraint is
held with a fifth to spare. A walk that drifts upwards is not back so often, ten times out of ten.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from sim.model.scenario import Scenario
from sim.model.study import Study
from sim.report.metrics import Tree
from sim.study.ages import growing
from sim.study.evaluate import Evaluator, Task
from sim.study.long_run import (
    FIRST,
    STAGES,
    Plan,
    Stand,
    Trouble,
    drifts,
    flow_of,
    goes_on,
    held,
    plans,
    promise,
    when,
    whole_periods,
)
from sim.study.offered_load import arrival_rates, overload
from sim.study.search.exclusions import Exclusion, Kind
from sim.study.search.figures import Figures
from sim.study.search.samples import Samples
from sim.study.search.space import Point, Space
from sim.study.stability import Flow

PLAIN_WINDOWS = 10
PLAIN_ARRIVALS = 100
PLAIN_FREE = 0.5
PLAIN_MARGIN = 0.8
RIVALS = 3
KINDS = {
    Trouble.UNSTABLE: Kind.UNSTABLE,
    Trouble.DRIFTING: Kind.DRIFTING,
    Trouble.UNDECIDED: Kind.UNDECIDED,
}


class Finalists:
    """What configurations showed in the long run; each is simulated once."""

    def __init__(
        self, study: Study, figures: Figures, space: Space, samples: Samples, evaluate: Evaluator
    ) -> None:
        self._study = study
        self._figures = figures
        self._space = space
        self._samples = samples
        self._evaluate = evaluate
        self._stands: dict[Point, Stand] = {}
        self.replications = 0

    def __contains__(self, point: Point) -> bool:
        """Say whether a configuration stood the long run, or did not have to."""
        return point in self._stands

    def stand(self, point: Point) -> Stand:
        """Return how a configuration stands the long run, which simulates it unless that is known."""
        if point not in self._stands:
            scenario = self._space.built(point)
            assert scenario is not None
            plain = self._is_plain(point, scenario)
            self._stands[point] = self._promised(scenario) if plain else self._judged(point, scenario)
        return self._stands[point]

    def exclusion(self, point: Point, rivals: Sequence[Point]) -> Exclusion | None:
        """Return why a configuration may not be named, None where it may; cheap rivals in their order."""
        stand = self.stand(point)
        if stand.trouble is None:
            return self._dearer_in_the_long_run(point, rivals)
        return Exclusion(KINDS[stand.trouble], stand.reason)

    def overloaded(self, scenario: Scenario) -> Exclusion | None:
        """Return why a configuration surely does not keep up, known without simulating it."""
        reason = overload(scenario)
        return None if reason is None else Exclusion(Kind.UNSTABLE, reason)

    def _promised(self, scenario: Scenario, figures: tuple[tuple[float, ...], ...] = ()) -> Stand:
        bounded = bool(self._study.holds_at_us or scenario.age_us) and bool(growing(scenario))
        ages = tuple(self._study.holds_at_us or (scenario.age_us,))
        return Stand(ages_us=ages, promise=promise(scenario, ages, bounded=bounded), figures=figures)

    def _is_plain(self, point: Point, scenario: Scenario) -> bool:
        """Say whether the measured windows leave nothing to ask."""
        if not goes_on(scenario):
            return True
        flows = self._samples.flows(point)
        ages = self._study.holds_at_us or scenario.age_us
        if ages or growing(scenario) or not whole_periods(scenario) or len(flows) < PLAIN_WINDOWS:
            return False
        sources = [name for name, rate in arrival_rates(scenario).items() if rate > 0]
        if not all(name in flow for flow in flows for name in sources):
            return False
        free = all(
            _at(flow, name, "created") >= PLAIN_ARRIVALS and _at(flow, name, "free_last") >= PLAIN_FREE
            for flow in flows
            for name in sources
        )
        return free and self._has_room(point)

    def _has_room(self, point: Point) -> bool:
        for figure, constraint in zip(self._figures.constraints, self._study.constraints, strict=True):
            mean = float(np.mean(self._samples.values(figure, [point])[0]))
            limit = constraint.limit
            enough = mean >= limit / PLAIN_MARGIN if constraint.at_least else mean <= limit * PLAIN_MARGIN
            if not enough:
                return False
        return True

    def _judged(self, point: Point, scenario: Scenario) -> Stand:
        """Simulate over the long run until something is decided or the effort is spent."""
        stand = Stand()
        for stage in range(STAGES):
            stand = self._promised(scenario)
            for plan in plans(scenario, self._study.holds_at_us, self._study.replications, stage):
                found = self._simulated(point, plan, scenario.horizon_us - scenario.warmup_us)
                stand = replace(stand, figures=found.figures)
                if found.trouble is not None:
                    stand = found
                    break
            if stand.trouble is not Trouble.UNDECIDED:
                break
        return stand

    def _simulated(self, point: Point, plan: Plan, window_us: int) -> Stand:
        text = self._space.text(point)
        tasks = [Task(text, plan.scenario, self._study.seed, FIRST + n) for n in range(plan.replications)]
        trees = self._evaluate(tasks)
        self.replications += len(tasks)
        figures = tuple(self._figures.read(tree) for tree in trees)
        flow, sentence = flow_of(plan, trees)
        if flow is Flow.UNSTABLE:
            return Stand(Trouble.UNSTABLE, sentence, figures=figures)
        trouble, reason = self._constraints(plan, figures, window_us)
        if trouble is not None and trouble is not Trouble.UNDECIDED:
            return Stand(trouble, reason, figures=figures)
        if flow is Flow.UNDECIDED:
            return Stand(Trouble.UNDECIDED, sentence, figures=figures)
        return Stand(trouble, reason, figures=figures)

    def _constraints(
        self, plan: Plan, figures: Sequence[tuple[float, ...]], window_us: int
    ) -> tuple[Trouble | None, str]:
        """Return whether the constraints hold in a long run, and which does not: what is clear first."""
        windows = (plan.scenario.horizon_us - plan.scenario.warmup_us) / window_us
        found: list[tuple[Trouble, str]] = []
        for figure, constraint in zip(self._figures.constraints, self._study.constraints, strict=True):
            column = self._figures.all.index(figure)
            values = [each[column] for each in figures]
            trouble, mean = held(constraint, values, windows, self._study.indifference)
            if trouble is not None:
                bound = "at least" if constraint.at_least else "at most"
                sure = "is" if trouble is not Trouble.UNDECIDED else "may be"
                much = f"{mean:,.4g}" if math.isfinite(mean) else "endless"
                said = f"{constraint.metric} {sure} {much} {when(plan)}, where {bound}"
                found.append((trouble, f"{said} {constraint.limit:,.4g} is wanted"))
        found.sort(key=lambda each: each[0] is Trouble.UNDECIDED)
        if not found:
            return None, ""
        trouble, reason = found[0]
        why = drifts(plan.scenario) if plan.scenario.age_us else ""
        if why and trouble is Trouble.UNSTABLE:
            trouble = Trouble.DRIFTING
        return trouble, f"{reason}: {why}" if why else reason

    def _dearer_in_the_long_run(self, point: Point, rivals: Sequence[Point]) -> Exclusion | None:
        """Return that another is better over whole periods, where the windows are none."""
        scenario, stand = self._space.built(point), self.stand(point)
        if scenario is None or whole_periods(scenario) or not stand.figures:
            return None
        column = self._figures.all.index(self._samples.objective)
        mine = _mean(stand.figures, column)
        for rival in rivals[:RIVALS]:
            other = self.stand(rival)
            if other.trouble is None and other.figures:
                theirs = _mean(other.figures, column)
                if theirs < mine - self._study.indifference * abs(mine):
                    labels = ", ".join(self._space.labels(rival).values())
                    reason = f"over whole periods of what arrives, {labels} is better"
                    return Exclusion(Kind.UNDECIDED, reason)
        return None


def _mean(figures: Sequence[tuple[float, ...]], column: int) -> float:
    return sum(each[column] for each in figures) / len(figures)


def _at(flow: Tree, name: str, key: str) -> float:
    source = flow[name]
    assert not isinstance(source, float | int)
    value = source[key]
    assert isinstance(value, float | int)
    return value
