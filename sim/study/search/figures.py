"""Figures: the numbers of a replication that a study judges by.

A latency percentile is read as a target's is, so that no configuration wins by not finishing: a failed job
counts as endless, an unfinished one with its age (`sim.report.metrics`). Any other metric is read as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from sim.errors import InputError, nearest
from sim.model.scenario import Scenario, Slo
from sim.model.study import COST, LATENCY, Study, latency_of
from sim.report.metrics import Tree


@dataclass(frozen=True, slots=True)
class Figure:
    """One number to read: the metric, and the age from which an unfinished job counts."""

    metric: str
    at_most_s: float = 0.0


class Figures:
    """What a study reads of each replication: objectives, constraints, and the second axis."""

    def __init__(self, study: Study) -> None:
        limits = [Figure(c.metric, c.limit if latency_of(c.metric) else 0.0) for c in study.constraints]
        self.objectives = tuple(map(Figure, study.objectives))
        self.constraints = tuple(limits)
        axes = [*self.objectives, *self.constraints, Figure(LATENCY), Figure(COST)]
        self.axes = (axes[0], next(each for each in axes[1:] if each.metric != axes[0].metric))
        self.all = tuple(dict.fromkeys((*self.objectives, *self.constraints, *self.axes)))
        self._targets = [each for each in self.all if latency_of(each.metric)]

    def prepared(self, scenario: Scenario) -> Scenario:
        """Return the scenario with a target for each latency percentile, after its own."""
        slos = [
            Slo(latency.quantile, each.at_most_s, latency.pipeline)
            for each in self._targets
            if (latency := latency_of(each.metric)) is not None
        ]
        return replace(scenario, slos=(*scenario.slos, *slos))

    def read(self, tree: Tree) -> tuple[float, ...]:
        """Return the numbers of one replication of a prepared scenario, in the order of ``all``."""
        slos = tree["slo"]
        assert isinstance(slos, Mapping)
        first = len(slos) - len(self._targets)
        told = []
        for each in self.all:
            if each in self._targets:
                told.append(found(slos, f"{first + self._targets.index(each)}.latency_s"))
            else:
                told.append(found(tree, each.metric))
        return tuple(told)


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
