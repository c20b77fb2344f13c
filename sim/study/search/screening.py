"""Screening: which inputs matter to the objective, by Morris' elementary effects.

Trajectories change one input at a time by a large step: the study's own factors from any choice to another,
the world's inputs between half and one and a half times what the scenario says. The mean of the absolute
effects tells what matters, their spread what depends on the rest (M. D. Morris, Factorial sampling plans for
preliminary computational experiments, Technometrics 33, 1991; F. Campolongo, J. Cariboni and A. Saltelli, An
effective screening design for sensitivity analysis of large models, 2007). SALib draws and analyses them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from sim.model.scenario import Scenario
from sim.model.study import Study
from sim.study.evaluate import Evaluator, Task
from sim.study.search.figures import Figures
from sim.study.search.inputs import inputs
from sim.study.search.space import Point, Space
from sim.study.statistics import Float

LEVELS = 4
REPLICATIONS = 3
FEWEST, MOST = 4, 10  # trajectories
LOW, HIGH = 0.5, 1.5  # times what the scenario says of the world


def screen(
    study: Study, space: Space, figures: Figures, evaluate: Evaluator, *, start: Scenario, budget: int
) -> tuple[dict[str, Any], ...]:
    """Return each input with its effect, the largest first; nothing where the budget is too small."""
    worlds = inputs(start)
    factors = [n for n, factor in enumerate(space.factors) if len(factor.choices) > 1]
    names = [*(space.factors[n].name for n in factors), *worlds]
    trajectories = min(MOST, budget // (REPLICATIONS * (len(names) + 1)))
    if trajectories < FEWEST or len(names) < 2:  # noqa: PLR2004  # one input needs no screening
        return ()
    from SALib.analyze import morris as analysis
    from SALib.sample import morris as sampling

    problem = {"num_vars": len(names), "names": names, "bounds": [[0.0, 1.0]] * len(names)}
    drawn: Float = sampling.sample(problem, trajectories, num_levels=LEVELS, seed=study.seed)
    values = _Screened(study, space, figures, evaluate, factors).values(drawn, list(worlds.values()))
    length = len(names) + 1
    whole = np.isfinite(values).reshape(-1, length).all(axis=1).repeat(length)
    if whole.sum() < FEWEST * length:
        return ()
    found = analysis.analyze(problem, drawn[whole], values[whole], num_levels=LEVELS, seed=study.seed)
    typical = float(np.abs(values[whole]).mean())
    rows = [
        {
            "input": name,
            "mean_effect": float(found["mu_star"][n]),
            "ci95_half_width": float(found["mu_star_conf"][n]),
            "relative": float(found["mu_star"][n]) / typical if typical else 0.0,
            "spread": float(found["sigma"][n]),
            **_range(space, factors, n),
        }
        for n, name in enumerate(names)
    ]
    return tuple(sorted(rows, key=lambda row: (-float(row["mean_effect"]), str(row["input"]))))


class _Screened:
    """The objective at points of the unit cube."""

    def __init__(
        self, study: Study, space: Space, figures: Figures, evaluate: Evaluator, factors: Sequence[int]
    ) -> None:
        self.study = study
        self.space = space
        self.figures = figures
        self.evaluate = evaluate
        self.factors = factors

    def values(self, drawn: Float, worlds: Sequence[Any]) -> Float:
        """Return the mean objective of each row, NaN where it makes no scenario."""
        scenarios = [self._scenario(row.tolist(), worlds) for row in drawn]
        tasks = [
            Task(text, scenario, self.study.seed, n)
            for text, scenario in dict(each for each in scenarios if each is not None).items()
            for n in range(REPLICATIONS)
        ]
        column = self.figures.all.index(self.figures.objectives[0])
        figures: dict[str, list[float]] = {}
        for task, tree in zip(tasks, self.evaluate(tasks), strict=True):
            figures.setdefault(task.configuration, []).append(self.figures.read(tree)[column])
        means = {text: math.fsum(each) / len(each) for text, each in figures.items()}
        return np.array([math.nan if each is None else means[each[0]] for each in scenarios])

    def _scenario(self, row: Sequence[float], worlds: Sequence[Any]) -> tuple[str, Scenario] | None:
        point: list[int] = [0] * len(self.space.factors)
        for place, n in enumerate(self.factors):
            point[n] = round(row[place] * (len(self.space.factors[n].choices) - 1))
        chosen: Point = tuple(point)
        scenario = self.space.built(chosen)
        if scenario is None:
            return None
        text = self.space.text(chosen)
        for place, world in enumerate(worlds, len(self.factors)):
            factor = LOW + (HIGH - LOW) * row[place]
            scenario = world(scenario, factor)
            text += f"\n# {world.__name__} {factor:.6g}"
        return text, scenario


def _range(space: Space, factors: Sequence[int], n: int) -> dict[str, str]:
    if n >= len(factors):
        return {"from": f"{LOW:g}x", "to": f"{HIGH:g}x"}
    choices = space.factors[factors[n]].choices
    return {"from": choices[0].label, "to": choices[-1].label}
