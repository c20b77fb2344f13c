"""Search: how often it finds a configuration within 2 % of the best, and what it spends on that.

Three problems of at least 1,000 configurations (``problems``), each searched under 20 seeds with 2,000
replications, 2 % of what simulating every configuration a hundred times takes. That is done too, under a seed
of its own, and is the truth: the best is the smallest mean objective of those whose mean figures keep the
constraints. A search is right if its winner keeps them too and its own true mean is at most 2 % above the
best. Searches see other days than the truth does.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial

from evidence.problems import burst, fargate_quota, fargate_size, few, few_of
from evidence.record import Figure
from sim.model.study import Study
from sim.study.search import search
from sim.study.search.figures import Figures
from sim.study.search.space import Point, Space
from sim.study.workers import Workers

SEED = 20261130  # of the truth; written before the first run
SEEDS = range(1, 21)  # of the searches
REPLICATIONS = 100
BUDGET = 2_000
LEAST, MOST_SHARE = 18, 0.05
WITHIN = 1.02
PROBLEMS = (fargate_size, fargate_quota, burst)
QUICK_SEEDS, QUICK_REPLICATIONS = range(1, 3), 5

Truth = dict[Point, tuple[float, ...]]


def figures(quick: bool) -> Iterator[Figure]:
    """Yield for each problem how many searches were right, and the share of replications they took."""
    seeds, replications = (QUICK_SEEDS, QUICK_REPLICATIONS) if quick else (SEEDS, REPLICATIONS)
    with Workers() as workers:
        for problem in PROBLEMS:
            study = problem()
            space = Space(study, Figures(study).prepared)
            truth = dict(workers.run(partial(_true, problem, replications), list(space.points())))
            best = _best(truth, study)
            found = dict(workers.run(partial(_found, problem), list(seeds)))
            right = sum(
                point is not None and _is_right(truth[point], best, study) for point, _ in found.values()
            )
            share = max(spent for _, spent in found.values()) / (REPLICATIONS * space.size)
            yield Figure(f"{study.name}: configurations", space.size, "", replications, SEED, 1_000)
            least = LEAST * len(found) / len(SEEDS)
            yield Figure(f"{study.name}: searches within 2 %", right, "searches", len(found), seeds[0], least)
            yield Figure(
                f"{study.name}: replications not spent",
                1 - share,
                "of all",
                len(found),
                seeds[0],
                1 - MOST_SHARE,
            )


def _true(problem: Callable[..., Study], replications: int, point: Point) -> tuple[float, ...]:
    """Return the mean figures of a configuration; what nobody waited for is endless."""
    study = problem()
    read = Figures(study)
    scenario = Space(study, read.prepared).scenario(point)
    assert scenario is not None
    rows = [read.read(few(scenario, SEED, n)) for n in range(replications)]
    columns = ([value for value in column if not math.isnan(value)] for column in zip(*rows, strict=True))
    return tuple(math.fsum(column) / len(column) if column else math.inf for column in columns)


def _best(truth: Truth, study: Study) -> float:
    """Return the smallest mean objective of the configurations that keep the constraints."""
    return min(means[0] for means in truth.values() if _keeps(means, study))


def _is_right(means: tuple[float, ...], best: float, study: Study) -> bool:
    return means[0] <= WITHIN * best and _keeps(means, study)


def _keeps(means: tuple[float, ...], study: Study) -> bool:
    read = Figures(study)
    at = [read.all.index(figure) for figure in read.constraints]
    return all(means[n] <= each.limit for n, each in zip(at, study.constraints, strict=True))


def _found(problem: Callable[..., Study], seed: int) -> tuple[Point | None, int]:
    """Return what a search finds, and the replications it took."""
    study = problem(seed=seed, budget=BUDGET, explain=0.0)
    answer = search(study, few_of)
    spent: int = answer.document["evaluated"]["replications"]
    if answer.winner is None:
        return None, spent
    chosen = answer.winner["configuration"]
    labels = [[choice.label for choice in factor.choices] for factor in study.factors]
    return tuple(each.index(label) for each, label in zip(labels, chosen.values(), strict=True)), spent
