"""Intervals: of several ways to make a 95 % interval of a mean, which holds it as often as said, and evenly.

Samples of 5, 10 and 20 are drawn from populations whose mean is known: of numbers by formula, and p95 waits
of the worlds of ``coverage``, of which 4,000 replications are simulated and drawn from again. Ways:

- *ours*: `sim.report.summary.interval`;
- *Student*: the t interval;
- *Hall*: both ends by Hall's transformation, with the skewness of the sample alone;
- *log*: the t interval of the mean's logarithm, by the delta method;
- *Cox*: of a lognormal mean, from the logarithms;
- *Johnson*: the t interval shifted by Johnson's modification (J. Am. Stat. Assoc. 73 (1978) 536-544);
- *bootstrap-t*: 399 resamples, each with its own deviation (Efron and Tibshirani, An Introduction to the
  Bootstrap, §12.5).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
from scipy import stats

import sim
from evidence.record import WORLDS, Figure
from sim.report.summary import interval
from sim.study.replicate import outcome
from sim.study.workers import Workers

SEED = 20261202  # of the samples, and of the worlds
SAMPLES, QUICK_SAMPLES = 4_000, 400
REPLICATIONS, QUICK_REPLICATIONS = 4_000, 200
COUNTS = (5, 10, 20)
RESAMPLES = 399
LEAST = 93.0
Array = Any
Ends = tuple[Array, Array]

FORMULA: dict[str, tuple[Callable[[np.random.Generator, tuple[int, int]], Array], float]] = {
    "normal, cv 0.1": (lambda random, shape: random.normal(10, 1, shape), 10.0),
    "gamma, shape 4": (lambda random, shape: random.gamma(4, 1, shape), 4.0),
    "exponential": (lambda random, shape: random.exponential(1, shape), 1.0),
    "lognormal, sigma 0.5": (lambda random, shape: random.lognormal(0, 0.5, shape), math.exp(0.125)),
    "lognormal, sigma 1": (lambda random, shape: random.lognormal(0, 1, shape), math.exp(0.5)),
    "10 + exponential": (lambda random, shape: 10 + random.exponential(1, shape), 11.0),
}


def figures(quick: bool) -> Iterator[Figure]:
    """Yield for each population, count and way how many intervals hold the mean, and what is above them."""
    samples, replications = (QUICK_SAMPLES, QUICK_REPLICATIONS) if quick else (SAMPLES, REPLICATIONS)
    random = np.random.default_rng(SEED)
    populations = dict(FORMULA)
    with Workers() as workers:
        for name, world in (("M/M/c p95", "mmc"), ("M/G/1 p95", "mg1"), ("office hours p95", "office")):
            work = partial(_p95, sim.load(WORLDS / f"{world}.yaml"))
            seen = np.array([value for _, value in workers.run(work, range(replications))])
            seen = seen[np.isfinite(seen)]
            populations[name] = (partial(_again, seen), float(seen.mean()))
    for name, (draw, mean) in populations.items():
        for count in COUNTS:
            drawn = draw(random, (samples, count))
            for way, ends in WAYS.items():
                low, high = ends(drawn)
                above, below = 100 * float((high < mean).mean()), 100 * float((low > mean).mean())
                least = LEAST if way == "ours" else None
                label = f"{name}, {count}, {way}"
                yield Figure(f"{label}: held", 100 - above - below, "%", samples, SEED, least)
                yield Figure(f"{label}: truth above", above, "%", samples, SEED)


def _p95(scenario: sim.Scenario, number: int) -> float:
    metrics = outcome(scenario, SEED, number)["metrics"]
    assert not isinstance(metrics, float)
    value = metrics["pod_start_p95_s"]
    assert not hasattr(value, "keys")
    return float(value)


def _again(seen: Array, random: np.random.Generator, shape: tuple[int, int]) -> Array:
    return random.choice(seen, shape)


def _of(x: Array) -> tuple[int, Array, Array, float]:
    """Return count, means, deviations, and the t quantile over the root of the count."""
    count = x.shape[1]
    quantile = float(stats.t.ppf(0.975, count - 1)) / math.sqrt(count)
    return count, x.mean(axis=1), x.std(axis=1, ddof=1), quantile


def _ours(x: Array) -> Ends:
    found = [interval(row) for row in x.tolist()]
    return np.array([each.low for each in found]), np.array([each.high for each in found])


def _student(x: Array) -> Ends:
    _, mean, deviation, t = _of(x)
    return mean - t * deviation, mean + t * deviation


def _hall(x: Array) -> Ends:
    count, mean, deviation, t = _of(x)
    skewness = stats.skew(x, axis=1, bias=False)
    low, high = (3 * (np.cbrt(1 + skewness * (q - skewness / (6 * count))) - 1) / skewness for q in (t, -t))
    return mean - deviation * low, mean - deviation * high


def _log(x: Array) -> Ends:
    _, mean, deviation, t = _of(x)
    return mean * np.exp(-t * deviation / mean), mean * np.exp(t * deviation / mean)


def _cox(x: Array) -> Ends:
    logs = np.log(np.maximum(x, 1e-9))
    count, mean, deviation, t = _of(logs)
    half = t * np.sqrt(deviation**2 + count * deviation**4 / (2 * (count - 1)))
    return np.exp(mean + deviation**2 / 2 - half), np.exp(mean + deviation**2 / 2 + half)


def _johnson(x: Array) -> Ends:
    count, mean, deviation, t = _of(x)
    shift = deviation * stats.skew(x, axis=1, bias=False) * (1 / (6 * count) + t**2 / 3)
    return mean + shift - t * deviation, mean + shift + t * deviation


def _bootstrap(x: Array) -> Ends:
    count, mean, deviation, _ = _of(x)
    picked = np.random.default_rng(SEED).integers(0, count, (RESAMPLES, count))
    ends = []
    for row, m in zip(x, mean, strict=True):
        again = row[picked]
        spread = again.std(axis=1, ddof=1)
        some = spread > 0
        ends.append(np.quantile((again.mean(axis=1)[some] - m) / spread[some], [0.025, 0.975]))
    low, high = np.array(ends).T
    return mean - deviation * high, mean - deviation * low


WAYS: dict[str, Callable[[Array], Ends]] = {
    "ours": _ours,
    "Student": _student,
    "Hall": _hall,
    "log": _log,
    "Cox": _cox,
    "Johnson": _johnson,
    "bootstrap-t": _bootstrap,
}
