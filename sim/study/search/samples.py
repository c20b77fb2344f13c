"""Samples: what has been simulated so far, in the order in which configurations were first asked for.

Replications of a configuration are numbered from 0 and shared by all: the n-th of any two saw the same day,
so their difference is paired (common random numbers).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, cast

import numpy as np

from sim.report.durations import AT_LEAST, ENDLESS
from sim.report.metrics import Tree
from sim.report.summary import OverReplications, branch, judged
from sim.report.work_cost import differs
from sim.study.evaluate import Evaluator, Task
from sim.study.hazards import Doubt, Event, Shown, doubts, known, shown, unseen
from sim.study.search.figures import BILLED, WORK, Figure, Figures
from sim.study.search.space import Point, Space
from sim.study.statistics import Float

if TYPE_CHECKING:
    from sim.model.study import Constraint

BRANCHES = ("pipelines", "pods", "slo")
"""Of a replication's metrics, those besides ``metrics`` that hold numbers which may not be known."""


class Samples:
    """The figures of every replication of every configuration that was simulated."""

    def __init__(self, space: Space, figures: Figures, evaluate: Evaluator, seed: int) -> None:
        self.figures = figures
        self._space = space
        self._evaluate = evaluate
        self._seed = seed
        self._rows: dict[Point, list[tuple[float, ...]]] = {}
        self._metrics: dict[Point, list[Mapping[str, float]]] = {}
        self._unknown: dict[Point, list[Tree]] = {}
        self._drained = False
        self._flows: dict[Point, list[Tree]] = {}
        self._shown: dict[Point, list[Shown]] = {}

    @property
    def points(self) -> list[Point]:
        """The configurations, which are the rows of every array."""
        return list(self._rows)

    @property
    def replications(self) -> int:
        """How many replications there are of all configurations."""
        return sum(map(len, self._rows.values()))

    def __contains__(self, point: Point) -> bool:
        """Say whether a configuration was simulated."""
        return point in self._rows

    def count(self, point: Point) -> int:
        """Return how many replications of a configuration there are."""
        return len(self._rows.get(point, ()))

    def add(self, wanted: Iterable[tuple[Point, int]]) -> None:
        """Simulate so many more replications of each configuration, those left out excepted."""
        tasks = [(point, task) for point, more in wanted for task in self._tasks(point, more)]
        self._drained |= any(task.scenario.last_us > task.scenario.horizon_us for _, task in tasks)
        trees = self._evaluate([task for _, task in tasks])
        for (point, _), tree in zip(tasks, trees, strict=True):
            self._rows.setdefault(point, []).append(self.figures.read(tree))
            self._metrics.setdefault(point, []).append(_metrics(tree))
            self._unknown.setdefault(point, []).append(
                {key: branch(tree, key) for key in (AT_LEAST, ENDLESS)}
            )
            self._flows.setdefault(point, []).append(_flow(tree))
            self._shown.setdefault(point, []).append(shown(tree))

    @property
    def objective(self) -> Figure:
        """Return what decides: the first objective, or the cost of the window's work in place of its bill.

        That is where the two differ for some configuration by more than the indifference.
        """
        first = self.figures.objectives[0]
        if first != BILLED or not self._drained:
            return first
        bills, works = (np.nanmean(self.values(figure), axis=1) for figure in (BILLED, WORK))
        pairs = zip(works.tolist(), bills.tolist(), strict=True)
        return WORK if any(differs(*pair, self.figures.indifference) for pair in pairs) else first

    def values(self, figure: Figure, points: Sequence[Point] | None = None) -> Float:
        """Return a figure, shape ``(configurations, replications)``, NaN where there is none."""
        column = self.figures.all.index(figure)
        rows = [self._rows[point] for point in (self.points if points is None else points)]
        padded = np.full((len(rows), max(map(len, rows), default=0)), np.nan)
        for n, row in enumerate(rows):
            padded[n, : len(row)] = [each[column] for each in row]
        return padded

    def metrics(self, point: Point) -> dict[str, list[float]]:
        """Return every metric of a configuration's replications."""
        done = self._metrics[point]
        return {name: [each[name] for each in done] for name in done[0]}

    def unseen_hazards(self) -> Float:
        """Return the mean numbers of rare events not seen, a replication, shape ``(events, points)``."""
        none = dict.fromkeys(Event, 0.0)
        scenarios = [(self._space.scenario(point), self._shown[point]) for point in self.points]
        found = [none if each is None else unseen(each, of) for each, of in scenarios]
        return np.array([list(each.values()) for each in found]).T

    def doubts(self, point: Point) -> list[Doubt]:
        """Return the rare events that a configuration's replications have missed."""
        scenario = self._space.scenario(point)
        return [] if scenario is None else doubts(scenario, self._shown[point])

    def known(self, constraint: Constraint) -> Float:
        """Return what each configuration's scenario says of a constraint (`sim.study.hazards.known`)."""
        scenarios = [(self._space.scenario(point), self._shown[point]) for point in self.points]
        return np.array([np.nan if each is None else known(each, constraint, of) for each, of in scenarios])

    def over_replications(self, point: Point, metric: str) -> OverReplications:
        """Return mean and interval of a figure, or of any metric, or what is known of it."""
        column = next((n for n, each in enumerate(self.figures.all) if each.metric == metric), None)
        if column is None:
            values = [each[metric] for each in self._metrics[point]]
        else:
            values = [row[column] for row in self._rows[point]]
        path = metric if metric.partition(".")[0] in BRANCHES else f"metrics.{metric}"
        known = [(branch(tree, AT_LEAST), branch(tree, ENDLESS)) for tree in self._unknown[point]]
        least = [cast("float", bounds.get(path, x)) for x, (bounds, _) in zip(values, known, strict=True)]
        return judged(path, values, least, endless=any(path in endless for _, endless in known))

    def flows(self, point: Point) -> list[Tree]:
        """Return the flow of each source in a configuration's replications."""
        return self._flows[point]

    def _tasks(self, point: Point, more: int) -> list[Task]:
        scenario = self._space.scenario(point)
        if scenario is None:
            return []
        first, text = self.count(point), self._space.text(point)
        return [Task(text, scenario, self._seed, n) for n in range(first, first + more)]


def _metrics(tree: Tree) -> Mapping[str, float]:
    branch = tree["metrics"]
    assert isinstance(branch, Mapping)
    return {name: value for name, value in branch.items() if not isinstance(value, Mapping)}


def _flow(tree: Tree) -> Tree:
    branch = tree.get("flow", {})
    assert isinstance(branch, Mapping)
    return branch
