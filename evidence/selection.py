"""Selection: how often a search that says it is 95 % sure is right, where the right answer is known.

Three problems, 200 searches each, at confidence 0.95 and an indifference of 2 %. An answer is right if it is
the one known to be best: no other is within the indifference of it. A correct rule is right in at least 190
on average, and in fewer than 182 with chance 0.005 (binomial).

- *Servers*: M/M/c with 5 to 11 servers, the fewest with which nineteen of twenty customers wait at most 14 s.
  Erlang's formula says 7, with 9.4 s; 6 servers have 24.6 s.
- *Sizes*: pods on Fargate in eight sizes, the cheapest a day. By Little's law a day costs arrival rate times
  price times mean work: the third is 3.4 % dearer than the second, the first 6.2 %.
- *Slippage*: ten normal costs alike but for one, which is cheaper by 2.5 %: the hardest there is for a
  selection procedure (R. E. Bechhofer, A single-sample multiple decision procedure for ranking means of
  normal populations with known variances, Annals of Mathematical Statistics 25, 1954). Nothing is simulated,
  so that the selection alone is tried.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from evidence.problems import queue, servers, sizes, study, usd_per_day_of_size
from evidence.record import Figure
from sim.model.distributions import Constant
from sim.model.metrics import ALL, COST, WORK_COST, usual
from sim.model.scenario import Scenario
from sim.model.study import Study
from sim.report.metrics import Tree
from sim.study.evaluate import Evaluator, Task, in_process
from sim.study.search import search
from sim.study.workers import Workers

SEED = 20261201  # searches have SEED, SEED + 1, ...; written before the first run
RUNS, QUICK_RUNS = 200, 10
LEAST = 182
BUDGET = 4_000
BEST_SIZE = min(range(1, 9), key=usd_per_day_of_size)
SHARED, OWN = 3.0, 2.0  # standard deviations of a day's luck and of each configuration's own


def figures(quick: bool) -> Iterator[Figure]:
    """Yield for each problem how many of the searches were right, and the replications that they took."""
    runs = QUICK_RUNS if quick else RUNS
    with Workers() as workers:
        for name, (problem, evaluate, best) in PROBLEMS.items():
            work = partial(_searched, problem, evaluate)
            found = dict(workers.run(work, range(SEED, SEED + runs)))
            right = sum(label == best for label, _, _ in found.values())
            sure = sum(stop != "budget" for _, _, stop in found.values())
            spent = sum(replications for _, replications, _ in found.values()) / runs
            least = LEAST * runs / RUNS
            yield Figure(f"{name}: right", right, "searches", runs, SEED, least)
            yield Figure(f"{name}: ended sure", sure, "searches", runs, SEED)
            yield Figure(f"{name}: replications of a search", spent, "", runs, SEED)


def _searched(problem: Callable[..., Study], evaluate: Evaluator, seed: int) -> tuple[str | None, int, str]:
    """Return what a search finds, the replications it took, and why it ended."""
    document = search(problem(seed=seed, budget=BUDGET, explain=0.0), evaluate).document
    winner = document["winner"]
    label = None if winner is None else next(iter(winner["configuration"].values()))
    return label, document["evaluated"]["replications"], document["stopped_because"]


def slippage(**said: int | float) -> Study:
    """Return ten configurations without a world of their own."""
    return study("slippage", {"system": range(10)}, _blank, **said)


def drawn(tasks: Sequence[Task]) -> list[Tree]:
    """Return normal costs: the day's luck, which all share, and each configuration's own."""
    return [_drawn(task) for task in tasks]


def _drawn(task: Task) -> Tree:
    best = task.scenario.name == "system 3"
    day = np.random.default_rng([task.seed, task.replication]).normal(0.0, SHARED)
    own = zlib.crc32(task.configuration.encode())
    luck = np.random.default_rng([task.seed, task.replication, own]).normal(0.0, OWN)
    metrics = dict.fromkeys(usual(ALL), 0.0)
    metrics[COST] = metrics[WORK_COST] = (50.0 if best else 51.25) + float(day + luck)
    return {"metrics": metrics, "slo": {f"{n}": {"latency_s": 0.0} for n in range(len(task.scenario.slos))}}


def _blank(system: int) -> Scenario:
    return replace(queue(1, 1.0, Constant(1), 1), name=f"system {system}", finite=True)


PROBLEMS: dict[str, tuple[Callable[..., Study], Evaluator, str]] = {
    "servers": (servers, in_process, "7"),
    "sizes": (sizes, in_process, f"{BEST_SIZE}"),
    "slippage": (slippage, drawn, "3"),
}
