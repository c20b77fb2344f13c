"""Tipping: how far load, start-up times and prices may change before the runner-up wins.

Winner and runner-up are simulated on common random numbers with an input changed further and further, up to a
quarter and to four times what the scenario says. Where the runner-up begins to win, bisection closes in from
both sides: on the largest change at which the winner still wins clearly, and on the smallest at which the
runner-up does. What lies between is the interval: the replications spent do not tell the two apart there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np

from sim.model.scenario import Scenario
from sim.model.study import Study
from sim.study.choice import held, holding, paired
from sim.study.evaluate import Evaluator, Task
from sim.study.search.figures import Figures
from sim.study.search.inputs import PRICES, World, inputs, unchanged
from sim.study.search.space import Point, Space
from sim.study.statistics import Float

UP = (math.sqrt(2), 2.0, 4.0)
DOWN = tuple(1 / factor for factor in UP)
STEPS = 4  # halvings of what lies between two of them
CLEARLY = 0.975  # on either side, so that 95 % lie between
FEWEST, MOST = 5, 30  # replications of each of the two


@dataclass(frozen=True, slots=True)
class Duel:
    """The winner and the runner-up, and what simulates them."""

    study: Study
    space: Space
    figures: Figures
    evaluate: Evaluator
    points: tuple[Point, Point]
    scenarios: tuple[Scenario, Scenario]
    replications: int

    def simulated(self, world: World, factor: float) -> Float:
        """Return figures with an input scaled, shape ``(2, replications, figures)``."""
        tasks = [
            Task(
                f"{self.space.text(point)}\n# {world.__name__} {factor:.6g}",
                world(scenario, factor),
                self.study.seed,
                n,
            )
            for point, scenario in zip(self.points, self.scenarios, strict=True)
            for n in range(self.replications)
        ]
        read = [self.figures.read(tree) for tree in self.evaluate(tasks)]
        return np.array(read).reshape(2, self.replications, -1)

    def chance(self, values: Float) -> float:
        """Return the chance that the runner-up is the better one, by the figures of both."""
        columns = {figure: values[:, :, n] for n, figure in enumerate(self.figures.all)}
        constraints = [
            held(columns[figure], constraint, self.study.indifference)
            for figure, constraint in zip(self.figures.constraints, self.study.constraints, strict=True)
        ]
        holds = holding(constraints, np.ones(2, np.bool_))
        better = self.cheaper(values)
        winner, other = (float(each) for each in holds)
        return other * (1 - winner) + other * winner * better + (1 - other) * (1 - winner) / 2

    def cheaper(self, values: Float) -> float:
        """Return the chance that the runner-up has the smaller objective."""
        column = self.figures.all.index(self.figures.objectives[0])
        return float(paired(values[:, :, column], 0).below(0.0)[1])


def tip(duel: Duel, words: str) -> Iterator[dict[str, Any]]:
    """Yield where each input tips the answer over, if it does; ``words`` say what the runner-up has."""
    as_it_is = cache(lambda: duel.simulated(unchanged, 1.0))
    for name, world in inputs(duel.scenarios[0]).items():
        if name in PRICES:
            chance = _chances(duel.cheaper, _priced(duel, world, as_it_is))
        else:
            chance = _chances(duel.chance, partial(duel.simulated, world))
        tips = False
        for factors in (UP, DOWN):
            loses = next((factor for factor in factors if chance(factor) >= CLEARLY), None)
            if loses is None:
                continue
            tips = True
            wins, loses = _bracket(chance, factors, loses)
            yield {
                "input": name,
                "factor": math.sqrt(wins * loses),
                "ci95": sorted((wins, loses)),
                "then": f"better with {words}",
            }
        if not tips:
            stays = all(chance(factor) <= 1 - CLEARLY for factor in (*UP, *DOWN))
            yield {"input": name, "factor": None, "ci95": None, "then": STAYS if stays else OPEN}


STAYS = "the winner stays better than the runner-up from a quarter to four times"
OPEN = "the runner-up is not clearly better from a quarter to four times"


def spread(replications: int, names: Iterable[str]) -> int:
    """Return how many replications of each of the two there may be, 0 where there are too few."""
    looks = 1 + sum(1 if name in PRICES else len(UP) + len(DOWN) + STEPS for name in names)
    each = replications // (2 * looks)
    return 0 if each < FEWEST else min(each, MOST)


def _priced(duel: Duel, world: World, as_it_is: Callable[[], Float]) -> Callable[[float], Float]:
    """Return figures by the factor of a price, in which they are linear: what is simulated knows none.

    So the constraints that both hold stay held, and the objective alone decides.
    """
    twice = cache(lambda: duel.simulated(world, 2.0))

    def figures(factor: float) -> Float:
        first, second = as_it_is(), twice()
        with np.errstate(invalid="ignore"):  # endless less endless
            return np.where(first == second, first, first + (factor - 1) * (second - first))

    return figures


def _chances(judge: Callable[[Float], float], figures: Callable[[float], Float]) -> Callable[[float], float]:
    return cache(lambda factor: judge(figures(factor)))


def _bracket(
    chance: Callable[[float], float], factors: tuple[float, ...], loses: float
) -> tuple[float, float]:
    """Return the last factor at which the winner clearly wins, and the first at which the runner-up does.

    ``loses`` is the first of ``factors``, which lead away from 1, at which the runner-up clearly wins.
    """
    tried = [factor for factor in factors if _far(factor) < _far(loses)]
    won = [factor for factor in tried if chance(factor) <= 1 - CLEARLY]
    wins = won[-1] if won else 1.0
    unclear = [factor for factor in tried if _far(factor) > _far(wins)]
    for _ in range(STEPS):
        gaps = [(wins, unclear[0]), (unclear[-1], loses)] if unclear else [(wins, loses)]
        near, far = max(gaps, key=lambda gap: abs(math.log(gap[1] / gap[0])))
        middle = math.sqrt(near * far)
        told = chance(middle)
        if told >= CLEARLY:
            loses = middle
        elif told <= 1 - CLEARLY:
            wins = middle
        else:
            unclear.append(middle)
        unclear = sorted((each for each in unclear if _far(wins) < _far(each) < _far(loses)), key=_far)
    return wins, loses


def _far(factor: float) -> float:
    return abs(math.log(factor))
