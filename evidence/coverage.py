"""Coverage: of 2,000 nominal 95 % intervals, how many hold the long-run truth.

A study is 20 replications of two configurations on common random numbers. It gives three intervals, exactly
as `run` and `compare` do: of the first one's mean cost, of its p95 latency (of a pod's wait, which in these
worlds is a customer's), and of the difference of the p95s. Three worlds: M/M/c, M/G/1 with lognormal
service, and days with office hours, all on Fargate under a quota, where cost varies and no node is needed.

The truth is what the estimand says: the expectation of one replication's figure. It is the mean over all
40,000 replications of the 2,000 studies, of which a single study is 1/2,000; for the two queues the mean
cost is also known by formula, and reported against it. A correct rule holds the truth in 1,900 of 2,000 on
average and in fewer than 1,869 with chance 0.001 (binomial). How often the truth lies above and below
the interval is reported: 50 each would be even.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from statistics import NormalDist, fmean

from scipy.stats import binom

import sim
from evidence.record import WORLDS, Figure
from sim.report.summary import CONFIDENCE, Interval, interval
from sim.study.compare import numbers
from sim.study.paired import differ
from sim.study.replicate import REPLICATIONS, outcomes
from sim.study.workers import Workers

SEED = 202611230  # studies have SEED, SEED + 1, ...; written before the first run
STUDIES = 2_000
QUICK = 100
CHANCE = 0.001  # that a correct rule holds fewer than are asked for: 1,869 of 2,000
COST, LATENCY = "cost_usd_per_day", "pod_start_p95_s"

PAIRS = {
    "M/M/c": ("mmc", "cluster.fargate.vcpu_quota=1"),
    "M/G/1": ("mg1", "pods[customers].duration={lognormal: {median: 5m, p95: 16m}}"),
    "office hours": ("office", "cluster.fargate.vcpu_quota=1.75"),
}
"""The file of each world, and what the second configuration changes."""

USD_PER_HOUR = 0.25 * 0.04048 + 0.5 * 0.004445  # us-east-1, Linux on x86
LEAST_BILLED_S = 60.0


def figures(quick: bool) -> Iterator[Figure]:
    """Yield how many intervals hold the truth, world by world."""
    studies = QUICK if quick else STUDIES
    with Workers() as workers:
        for name, (world, change) in PAIRS.items():
            first, second = sim.load(WORLDS / f"{world}.yaml"), sim.load(WORLDS / f"{world}.yaml", [change])
            seeds = range(SEED, SEED + studies)
            done = [found for _, found in workers.run(partial(study, first, second), seeds)]
            yield from coverage(name, done)
            if world in BY_FORMULA:
                apart = abs(truth_of([each["cost"] for each in done]) / BY_FORMULA[world] - 1)
                yield Figure(f"{name}: cost, distance from the formula", 100 * apart, "%", studies, SEED)


def study(first: sim.Scenario, second: sim.Scenario, seed: int) -> dict[str, Interval]:
    """Return the three intervals of one study, by what they are of."""
    done = [outcomes((first, second), seed, number) for number in range(REPLICATIONS)]
    ours, theirs = zip(*done, strict=True)
    latency, other = (numbers(trees, "metrics", LATENCY) for trees in (ours, theirs))
    return {
        "cost": interval(numbers(ours, "metrics", COST)),
        "p95 latency": interval(latency),
        "difference of p95": differ(latency, other).mean,
    }


def coverage(name: str, studies: Sequence[Mapping[str, Interval]]) -> Iterator[Figure]:
    """Yield for each figure how many intervals hold the truth, and where it lies when they do not."""
    for figure in studies[0]:
        found = [each[figure] for each in studies]
        truth = truth_of(found)
        above = sum(each.high is not None and each.high < truth for each in found)
        below = sum(each.low is not None and each.low > truth for each in found)
        count = len(found)
        least = int(binom.ppf(CHANCE, count, CONFIDENCE))
        yield Figure(f"{name}: {figure}, held", count - above - below, "intervals", count, SEED, least)
        yield Figure(f"{name}: {figure}, truth above", above, "intervals", count, SEED)
        yield Figure(f"{name}: {figure}, truth below", below, "intervals", count, SEED)


def truth_of(found: Sequence[Interval]) -> float:
    """Return the mean over all studies."""
    return fmean(each.mean for each in found if each.mean is not None)


def usd_per_day(per_hour: float, mean_s: float, least: float) -> float:
    """Return the mean cost of customers by formula.

    ``mean_s`` is a customer's mean time, ``least`` what the 60 s billed at least add to it; seconds are
    rounded up, which adds half of one.
    """
    return 24 * per_hour * (mean_s + least + 0.5) / 3600 * USD_PER_HOUR


def lognormal_usd_per_day(per_hour: float, median_s: float, p95_s: float) -> float:
    """Return the mean cost of customers with lognormal service by formula."""
    sigma = math.log(p95_s / median_s) / NORMAL.inv_cdf(0.95)
    mean_s = median_s * math.exp(sigma**2 / 2)
    k = math.log(LEAST_BILLED_S / median_s) / sigma
    billed_s = LEAST_BILLED_S * NORMAL.cdf(k) + mean_s * NORMAL.cdf(sigma - k)
    return usd_per_day(per_hour, mean_s, billed_s - mean_s)


NORMAL = NormalDist()
BY_FORMULA = {
    "mmc": usd_per_day(12, 600.0, LEAST_BILLED_S - 600.0 * (1 - math.exp(-LEAST_BILLED_S / 600.0))),
    "mg1": lognormal_usd_per_day(4, 360.0, 1200.0),
}
"""Mean cost of a day of the first configuration, by world."""
