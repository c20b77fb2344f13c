"""Bounds: what cannot win, known from arithmetic before anything is simulated.

Two bounds, each with room to spare, because a bound that is wrong once costs more than many that are idle:

- *Offered load.* Work arrives at a mean rate. Workers that cannot do the share of it that a latency
  percentile speaks of, between warm-up and horizon and the target's own length after it, break the target in
  whatever order they work, the smallest jobs first if need be. How many workers can be there at once is a
  matter of packing: the pipeline's parallelism, and what its pods' requests leave of nodes at maximum size
  and of the Fargate quota.
- *Standing cost.* The control plane, NAT gateways and each group's smallest size are paid whatever happens.
  Where that alone is above what a configuration that holds everything costs, there is no need to look.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cache

import numpy as np

from sim.model.arrivals import PoissonArrivals
from sim.model.billing import control_plane_usd, gateways_usd_per_hour, node_usd_per_hour
from sim.model.distributions import Counts, Distribution
from sim.model.layout import FLAT
from sim.model.metrics import COST
from sim.model.pipelines import PfsInput
from sim.model.scenario import PipelineLoad, Repo, Scenario
from sim.model.study import Constraint, Study, latency_of
from sim.model.units import HOUR
from sim.study.expected import expected
from sim.study.offered_load import workers_at_most

SPARE = 0.85  # luck may bring less work than the mean
SAMPLED_JOBS = 4_000


def overloaded(scenario: Scenario, study: Study) -> str | None:
    """Return why no luck would let a scenario hold the study's latency constraints, None where it might."""
    for share, load, constraint in _done_in_time(scenario, study):
        if share < SPARE:
            return (
                f"{load.pipeline.name} gets more work than its workers can do in time"
                f" ({constraint.metric} at most {constraint.limit:g})"
            )
    return None


def share_in_time(scenario: Scenario, study: Study) -> float:
    """Return how much of what has to be done in time can be, endless where nothing is known."""
    return min((share for share, *_ in _done_in_time(scenario, study)), default=math.inf)


def standing_usd_per_day(scenario: Scenario) -> float:
    """Return what a day costs at least, whatever arrives."""
    prices = scenario.prices
    plane_usd = control_plane_usd(prices, scenario.warmup_us, scenario.horizon_us)
    hourly = plane_usd * HOUR / scenario.window_us + sum(gateways_usd_per_hour(prices).values())
    for group in scenario.cluster.node_groups:
        if group.fail_windows or any(shape.interruptions_per_hour for shape in group.shapes):
            continue  # it may be below its smallest size for a while
        least = min([group.min_size, group.initial, *(each.min_size for each in group.scheduled_minimums)])
        hourly += least * min(node_usd_per_hour(shape, prices) for shape in group.shapes)
    return 24 * hourly


def too_dear(scenario: Scenario, study: Study, best_usd_per_day: float) -> str | None:
    """Return why a scenario cannot be cheaper than one that holds everything, None where it may."""
    if study.objectives[0] != COST or standing_usd_per_day(scenario) <= best_usd_per_day:
        return None
    return "what is always on costs more than the whole of a configuration that holds the constraints"


def _done_in_time(scenario: Scenario, study: Study) -> Iterator[tuple[float, PipelineLoad, Constraint]]:
    """Yield what share of the work a latency constraint speaks of can be done in time, at the most."""
    for constraint in study.constraints:
        latency = latency_of(constraint.metric)
        if latency is None or constraint.at_least:
            continue
        for load in _loads_of(scenario, latency.pipeline):
            repo = _source(scenario, load)
            if repo is None or load.datum_s is None:
                continue
            needed = _least_work(repo.new_per_commit, load.datum_s, latency.quantile)
            if needed > 0:
                yield _doable(scenario, repo, load, constraint) / needed, load, constraint


def _loads_of(scenario: Scenario, pipeline: str) -> list[PipelineLoad]:
    """Return the pipelines of which every job counts for a percentile: the one named, or the only one."""
    if pipeline:
        return [load for load in scenario.pipelines if load.pipeline.shown_name == pipeline]
    return list(scenario.pipelines) if len(scenario.pipelines) == 1 else []


def _source(scenario: Scenario, load: PipelineLoad) -> Repo | None:
    """Return the repository whose new files are a pipeline's datums, where its commits are Poisson."""
    read = load.pipeline.input
    if not isinstance(read, PfsInput) or read.glob != "/*" or read.trigger is not None:
        return None
    found = (
        repo
        for repo in scenario.repos
        if (repo.project, repo.name, repo.branch) == (read.project, read.repo, read.branch)
        and repo.layout == FLAT
    )
    return next((repo for repo in found if isinstance(repo.commits, PoissonArrivals)), None)


def _doable(scenario: Scenario, repo: Repo, load: PipelineLoad, constraint: Constraint) -> float:
    """Return the largest share of the work between warm-up and horizon that can be done in time."""
    assert isinstance(repo.commits, PoissonArrivals)
    assert load.datum_s is not None
    jobs = expected(repo.commits, scenario.start, scenario.warmup_us, scenario.horizon_us)
    work_s = jobs * repo.new_per_commit.mean * load.datum_s.mean
    span_s = (scenario.horizon_us - scenario.warmup_us) / 1e6 + constraint.limit
    return math.inf if work_s <= 0 else workers_at_most(scenario, load) * span_s / work_s


@cache
def _least_work(datums: Counts, datum_s: Distribution, quantile: float) -> float:
    """Return the share of all work that is in the smallest jobs, a share ``quantile`` of all jobs."""
    rng = np.random.default_rng(0)
    counts = np.maximum(datums.sample(rng, SAMPLED_JOBS), 0).astype(np.int64)
    ends = np.cumsum(counts)
    sums = np.concatenate(([0.0], np.cumsum(datum_s.sample(rng, int(ends[-1])))))
    work = np.sort(sums[ends] - sums[ends - counts])
    return float(work[: math.ceil(quantile * len(work))].sum() / work.sum()) if work.sum() > 0 else 0.0
