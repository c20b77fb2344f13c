"""Common luck: how much common random numbers cut the variance of a difference.

The cut is (Var A + Var B) / Var(A - B) over 150 replications of one day: what independent replications would
vary by, over what paired ones do. Two pairs were named beforehand, both of the edges pipeline on an
autoscaled group with a set per datum: at most 4 nodes against 5, and workers of 1.0 against 1.2 cpu (six and
five of which, with a small sidecar, fit on a node). Both of cost and of p95 latency shall be cut at least
five times. The shipped edges scenarios, which differ by more than a knob, are reported.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import combinations
from pathlib import Path

import sim
from evidence.record import Figure
from sim.study.compare import numbers
from sim.study.paired import differ
from sim.study.replicate import outcomes
from sim.study.workers import Workers

SEED = 20261201  # written before the first run
REPLICATIONS = 150
QUICK = 20
LEAST = 5.0
SCENARIOS = Path(__file__).parents[1] / "scenarios"
DAY = ("horizon=1d", "warmup=0s")
WORKERS = "cluster.eksctl.managedNodeGroups[workers]"
SET_PER_DATUM = "pipelines[edges].datumSetSpec={number: 1}"
SMALL_SIDECAR = "pipelines[edges].sidecarResourceRequests.cpu=0.2"
CPU = "pipelines[edges].resourceRequests.cpu"
NAMED = {
    "at most 4 nodes against 5": (
        [SET_PER_DATUM, "pipelines[edges].parallelismSpec.constant=16"],
        f"{WORKERS}.maxSize=4",
        f"{WORKERS}.maxSize=5",
    ),
    "1.0 against 1.2 cpu": (
        [SET_PER_DATUM, "pipelines[edges].parallelismSpec.constant=12", SMALL_SIDECAR],
        f"{CPU}=1.0",
        f"{CPU}=1.2",
    ),
}
ELSEWHERE = ("edges-static", "edges-autoscaled", "edges-fargate")
OF = {"cost": "cost_usd_per_day", "p95 latency": "job_latency_p95_s"}


def figures(quick: bool) -> Iterator[Figure]:
    """Yield the cut of each pair, of cost and of p95 latency."""
    count = QUICK if quick else REPLICATIONS
    autoscaled = SCENARIOS / "edges-autoscaled.yaml"
    with Workers() as workers:
        for name, (both, first, second) in NAMED.items():
            pair = tuple(sim.load(autoscaled, [*DAY, *both, each]) for each in (first, second))
            yield from _cuts(name, workers, pair, count, LEAST)
        for names in combinations(ELSEWHERE, 2):
            pair = tuple(sim.load(SCENARIOS / f"{name}.yaml", DAY) for name in names)
            yield from _cuts(" against ".join(names), workers, pair, count, None)


def _cuts(
    name: str, workers: Workers, pair: tuple[sim.Scenario, ...], count: int, least: float | None
) -> Iterator[Figure]:
    done = [trees for _, trees in workers.run(partial(outcomes, pair, SEED), range(count))]
    for label, figure in OF.items():
        first, second = ([*numbers([trees[n] for trees in done], "metrics", figure)] for n in (0, 1))
        cut = differ(first, second).variance_reduction
        yield Figure(f"{name}: {label}", float("inf") if cut is None else cut, "x", count, SEED, least)
