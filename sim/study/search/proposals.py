"""Proposals: which configurations of a large space to look at next.

Half of a round comes from optuna's tree-structured Parzen estimator, which learns where good configurations
are; half are neighbours of the best so far that nobody has looked at, so that the search ends in a
configuration without a better neighbour (L. J. Hong and B. L. Nelson, Discrete optimization via simulation
using COMPASS, 2006). The first round is a Latin hypercube.

A round's proposals depend on the study's seed, the round's number and the results so far, told in the order
of the configurations; never on who simulated what. So a search that is begun again proposes the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import optuna
from optuna.distributions import CategoricalDistribution, IntDistribution

from sim.study.search.space import Point, Space

TRIES = 3  # asks of the sampler for each proposal that is wanted; it likes what it knows
ELITE = 3
ENUMERABLE = 200_000


def first_round(space: Space, wanted: int, seed: int) -> list[Point]:
    """Return a Latin hypercube: every choice of every factor equally often."""
    rng = np.random.default_rng([seed, 0])
    columns = []
    for factor in space.factors:
        choices = len(factor.choices)
        columns.append(rng.permutation(np.arange(wanted) * choices // wanted))
    points = [tuple(int(column[n]) for column in columns) for n in range(wanted)]
    return list(_fresh(space, points, frozenset(), wanted))


def next_round(
    space: Space, ranked: Sequence[tuple[Point, float]], wanted: int, seed: int, number: int
) -> list[Point]:
    """Return up to ``wanted`` configurations to look at.

    Parameters
    ----------
    ranked
        Configurations looked at in order, each with its score: the smaller, the better.
    number
        The round's, from 1.
    """
    seen = {point for point, _ in ranked}
    best = [point for point, _ in sorted(ranked, key=lambda each: (each[1], each[0]))[:ELITE]]
    near = (neighbour for point in best for neighbour in space.neighbours(point))
    chosen = list(_fresh(space, near, seen, wanted // 2))
    for source in (_asked(space, ranked, wanted, seed, number), _anywhere(space, seed, number)):
        chosen += _fresh(space, source, seen.union(chosen), wanted - len(chosen))
    return chosen


def _fresh(space: Space, points: Iterable[Point], seen: Iterable[Point], wanted: int) -> Iterator[Point]:
    """Yield the first ``wanted`` points that are new and can be simulated."""
    known = set(seen)
    left = wanted
    for point in points:
        if left <= 0:
            return
        if point not in known and space.scenario(point) is not None:
            left -= 1
            yield point
        known.add(point)


def _asked(
    space: Space, ranked: Sequence[tuple[Point, float]], wanted: int, seed: int, number: int
) -> Iterator[Point]:
    """Yield what the sampler suggests."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    round_seed = int(np.random.default_rng([seed, number, 1]).integers(2**31))
    sampler = optuna.samplers.TPESampler(seed=round_seed, multivariate=True, constant_liar=True)
    asked = optuna.create_study(sampler=sampler)
    distributions = _distributions(space)
    names = list(distributions)
    asked.add_trials(
        optuna.trial.create_trial(
            params=dict(zip(names, point, strict=True)), distributions=distributions, value=score
        )
        for point, score in ranked
    )
    for _ in range(TRIES * wanted):
        params = asked.ask(distributions).params
        yield tuple(int(params[name]) for name in names)


def _distributions(space: Space) -> dict[str, Any]:
    """Return what the sampler may choose of each factor: a number of an ordered one, else any choice."""
    return {
        f"{n}": IntDistribution(0, len(factor.choices) - 1)
        if factor.ordered
        else CategoricalDistribution(list(range(len(factor.choices))))
        for n, factor in enumerate(space.factors)
    }


def _anywhere(space: Space, seed: int, number: int) -> Iterator[Point]:
    """Yield random points; of a space that can be listed, all of them in random order."""
    rng = np.random.default_rng([seed, number, 2])
    sizes = [len(factor.choices) for factor in space.factors]
    order = rng.permutation(space.size) if space.size <= ENUMERABLE else rng.integers(0, 2**62, ENUMERABLE)
    for code in order.tolist():
        rest, point = code, []
        for size in sizes:
            rest, choice = divmod(rest, size)
            point.append(choice)
        yield tuple(point)
