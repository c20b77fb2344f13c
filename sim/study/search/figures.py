"""Figures: the numbers of a replication that a study judges by.

They are those of the report: of all jobs and pods created in the window, wherever they end, and infinite
where work failed or was not done, so that no configuration wins by not finishing (`sim.report.metrics`).
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, replace

from sim.errors import InputError, nearest
from sim.model.metrics import COST, LATENCY, WORK_COST
from sim.model.scenario import Scenario
from sim.model.study import Study
from sim.report.metrics import Tree


@dataclass(frozen=True, slots=True)
class Figure:
    """One number to read: the metric."""

    metric: str


BILLED, WORK = Figure(COST), Figure(WORK_COST)


class Figures:
    """What a study reads of each replication: objectives, constraints, and the second axis."""

    def __init__(self, study: Study) -> None:
        self.indifference = study.indifference
        self.objectives = tuple(map(Figure, study.objectives))
        self.constraints = tuple(Figure(each.metric) for each in study.constraints)
        axes = [*self.objectives, *self.constraints, Figure(LATENCY), Figure(COST)]
        self.axes = (axes[0], next(each for each in axes[1:] if each.metric != axes[0].metric))
        self.all = tuple(dict.fromkeys((*self.objectives, *self.constraints, *self.axes, BILLED, WORK)))

    def deciding_by(self, figure: Figure) -> Figures:
        """Return the same figures with another one to be small."""
        changed = copy(self)
        changed.objectives = (figure, *self.objectives[1:])
        return changed

    def prepared(self, scenario: Scenario) -> Scenario:
        """Return the scenario with what is to be measured besides the usual metrics."""
        return replace(scenario, measured=tuple(dict.fromkeys(each.metric for each in self.all)))

    def read(self, tree: Tree) -> tuple[float, ...]:
        """Return the numbers of one replication of a prepared scenario, in the order of ``all``."""
        return tuple(found(tree, each.metric) for each in self.all)


def found(tree: Tree, path: str) -> float:
    """Return the number at a dotted path of a tree, under ``metrics`` unless another branch is named."""
    value: float | Tree | None = tree
    known = [*_branch(tree, "metrics"), *tree]
    inside = path if path.split(".", maxsplit=1)[0] in tree else f"metrics.{path}"
    while inside:
        if not isinstance(value, Mapping):
            value = None
            break
        name = max((key for key in value if f"{inside}.".startswith(f"{key}.")), key=len, default=None)
        if name is None:
            known, value = [*value], None
            break
        value, inside = value[name], inside[len(name) + 1 :]
    if value is None or isinstance(value, Mapping):
        raise InputError(
            "is no metric of this scenario",
            field=path,
            allowed=", ".join(known[:12]),
            nearest=nearest(path.rpartition(".")[2], known),
        )
    return value


def _branch(tree: Tree, name: str) -> Tree:
    branch = tree.get(name, {})
    return branch if isinstance(branch, Mapping) else {}
