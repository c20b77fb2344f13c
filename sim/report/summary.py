"""Summary: the metrics of all replications as one JSON document, each number with its interval.

The estimand is the mean over replications: a percentile in the document is the mean of each
replication's own percentile. The 95 % interval is over replications, which are independent: Student's t,
both ends shifted for skewness by Hall's transformation, because percentiles of latency are skewed and
Student's t has the mean of skewed numbers beyond its upper end up to six times as often as below its lower
(``docs/evidence.md`` says what else was tried). The skewness of few numbers says little, so it is taken
together with what is expected of a quantity that cannot be below 0, as if twenty numbers had shown that:
three times the coefficient of variation, which is a lognormal's to first order. A difference has no such
expectation: its own skewness counts, from ten numbers on. Intervals end where the quantity does, and
without two numbers there is none.

A replication in which nothing was there to measure (NaN) is left out of the mean, and said to be. One in
which the figure is not known, because work failed or was not done when the drain ended, leaves no mean: then
the document says what the mean is at least, and whether it is endless. ``docs/json.md`` describes every key.

Source: Hall, On the removal of skewness by transformation, J. R. Stat. Soc. B 54 (1992) 221-228; Zhou and
Gao, One-sided confidence intervals for means of positively skewed distributions, American Statistician 54
(2000) 100-104; Joanes and Gill, Comparing measures of sample skewness, The Statistician 47 (1998) 183-189
(G1, of which this is the usual estimate).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from sim.model.metrics import PODS, bounds
from sim.model.scenario import WarmUp
from sim.report.caveats import caveats
from sim.report.durations import AT_LEAST, ENDLESS
from sim.version import VERSION

if TYPE_CHECKING:
    from sim.model.scenario import Scenario, Slo
    from sim.report.metrics import Tree

CONFIDENCE = 0.95
SKEWED_FROM = 10  # numbers; the skewness of fewer says nothing by itself
SKEWNESS_PER_CV = 3.0  # of a lognormal whose coefficient of variation is small
MOST_CV = 1.5  # beyond, a few numbers do not tell the coefficient
AS_IF_SEEN = 20  # numbers that had shown the skewness expected
SYMMETRIC = 1e-6
ESTIMAND = "mean over replications of each one's figure, with Student's t 95 % interval, shifted for skewness"
WARMUP_FOUND = {
    WarmUp.GIVEN: None,
    WarmUp.AUTO: False,
    WarmUp.FOUND: True,
    WarmUp.NOT_FOUND: False,
}
SHARE_WITHIN = "share_within"  # of a target
GROUPS = ("metrics", "pipelines", PODS, "bill_usd", "waste_usd", "sources_usd", "waits_s", "pod_waits_s")


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean over replications and its 95 % interval; None where there is too little to tell."""

    mean: float | None
    low: float | None = None
    high: float | None = None

    @property
    def half_width(self) -> float | None:
        """Return half the length of the interval."""
        return None if self.low is None or self.high is None else (self.high - self.low) / 2

    def document(self) -> dict[str, Any]:
        """Return the form that JSON has."""
        return {"mean": self.mean, "ci95": [self.low, self.high]}


def interval(
    values: Sequence[float], confidence: float = CONFIDENCE, least: float = 0.0, most: float = math.inf
) -> Interval:
    """Return mean and interval of one figure over replications; endless values have no mean.

    ``least`` and ``most`` are where the quantity ends: 0 for times, counts and money, 0 and 1 for shares,
    nowhere (-inf) for differences. Values below ``least`` show that it does not end there.
    """
    known = [value for value in values if not math.isnan(value)]
    count = len(known)
    if not known or math.inf in known:
        return Interval(None)
    mean = math.fsum(known) / count
    if count == 1:
        return Interval(mean)
    least = least if min(known) >= least else -math.inf
    deviation = math.sqrt(math.fsum((value - mean) ** 2 for value in known) / (count - 1))
    quantile = t_quantile(count - 1, (1 + confidence) / 2) / math.sqrt(count)
    skewed = skewness(known, mean, deviation, signed=least < 0)
    low = mean - deviation * _hall(quantile, skewed, count)
    high = mean - deviation * _hall(-quantile, skewed, count)
    return Interval(mean, max(low, least), min(high, most))


def skewness(values: Sequence[float], mean: float, deviation: float, *, signed: bool) -> float:
    """Return the skewness that an interval is shifted for; see the module."""
    count = len(values)
    if not deviation or (signed and count < SKEWED_FROM):
        return 0.0
    thirds = math.fsum(((value - mean) / deviation) ** 3 for value in values)
    seen = thirds * count / ((count - 1) * (count - 2)) if count > 2 else 0.0  # noqa: PLR2004  # two have none
    if signed:
        return seen
    expected = SKEWNESS_PER_CV * min(deviation / mean, MOST_CV)
    return (count * seen + AS_IF_SEEN * expected) / (count + AS_IF_SEEN)


def _hall(quantile: float, skewed: float, count: int) -> float:
    """Return by how many deviations the mean of a skewed sample exceeds its expectation at a quantile."""
    shifted = quantile - skewed / (6 * count)
    if abs(skewed) < SYMMETRIC:
        return shifted
    return 3 * (math.cbrt(1 + skewed * shifted) - 1) / skewed


def summarise(
    scenario: Scenario, seed: int, replications: Sequence[Tree], warnings: Sequence[str] = ()
) -> dict[str, Any]:
    """Return the document of some replications; ``warnings`` go before those found here."""
    return {
        "scenario": scenario.name,
        "version": VERSION,
        "seed": seed,
        "replications": len(replications),
        "start": scenario.start.isoformat(),
        "horizon_s": scenario.horizon_us / 1e6,
        "warmup_s": scenario.warmup_us / 1e6,
        "warmup_found": WARMUP_FOUND[scenario.warmup_is],
        "region": scenario.cluster.region,
        "price_date": scenario.prices.date,
        "estimand": ESTIMAND,
        **{group: _over(replications, group) for group in GROUPS},
        "slo": [_target(slo, replications, f"slo.{n}") for n, slo in enumerate(scenario.slos)],
        "warnings": [*warnings, *caveats(scenario, replications)],
    }


def _over(trees: Sequence[Tree], path: str) -> dict[str, Any]:
    """Return one document of a branch of equal trees: a figure for each number."""
    branch = at_path(trees[0], path)
    assert isinstance(branch, Mapping)
    return {
        key: _over(trees, f"{path}.{key}")
        if isinstance(twig, Mapping)
        else over_replications(trees, f"{path}.{key}").document()
        for key, twig in branch.items()
    }


@dataclass(frozen=True, slots=True)
class OverReplications:
    """A figure of several replications: mean and interval, or what is known where there is no mean.

    ``at_least`` is what the mean is at least, None where it is known; ``without`` counts the replications
    in which there was nothing to measure.
    """

    interval: Interval
    at_least: float | None
    endless: bool
    without: int

    def document(self) -> dict[str, Any]:
        """Return the form that JSON has; keys that have nothing to say are left out."""
        return {
            **self.interval.document(),
            **({} if self.at_least is None else {"at_least": self.at_least}),
            **({"endless": True} if self.endless else {}),
            **({"replications_without": self.without} if self.without else {}),
        }


def over_replications(trees: Sequence[Tree], path: str) -> OverReplications:
    """Return the figure at a dotted path of some replications."""
    values = [number(tree, path) for tree in trees]
    return judged(
        path,
        values,
        [least(tree, path) for tree in trees],
        endless=any(path in branch(tree, ENDLESS) for tree in trees),
    )


def judged(
    path: str, values: Sequence[float], at_least: Sequence[float], *, endless: bool
) -> OverReplications:
    """Return the figure of values with their lower bounds, both NaN where there is nothing."""
    known = [bound for bound in at_least if not math.isnan(bound)]
    unknown = math.inf in values
    lowest, highest = bounds(path.removeprefix("metrics."))
    return OverReplications(
        interval(values, least=lowest, most=highest),
        math.fsum(known) / len(known) if unknown and known else None,
        endless=endless,
        without=len(values) - len(known),
    )


def least(tree: Tree, path: str) -> float:
    """Return what the number at a dotted path is at least: itself where it is known."""
    value = number(tree, path)
    bound = branch(tree, AT_LEAST).get(path, value) if value == math.inf else value
    assert not isinstance(bound, Mapping)
    return bound


def number(tree: Tree, path: str) -> float:
    """Return the number at a dotted path."""
    found = at_path(tree, path)
    assert not isinstance(found, Mapping)
    return found


def at_path(tree: Tree, path: str) -> float | Tree:
    """Return what is at a dotted path; names of pipelines and pods may hold dots themselves."""
    found: float | Tree = tree
    while path:
        assert isinstance(found, Mapping)
        name = max((key for key in found if f"{path}.".startswith(f"{key}.")), key=len)
        found, path = found[name], path[len(name) + 1 :]
    return found


def branch(tree: Tree, name: str) -> Tree:
    """Return a branch of a tree, an empty one where there is none, as in results of earlier versions."""
    found = tree.get(name, {})
    assert isinstance(found, Mapping)
    return found


def _target(slo: Slo, trees: Sequence[Tree], path: str) -> dict[str, Any]:
    """Return a target with its figures and the verdict."""
    latency_s = over_replications(trees, f"{path}.latency_s")
    return {
        "pipeline": slo.pipeline,
        "quantile": slo.quantile,
        "at_most_s": slo.at_most_s,
        "latency_s": latency_s.document(),
        "share_within": over_replications(trees, f"{path}.{SHARE_WITHIN}").document(),
        "verdict": _verdict(slo.at_most_s, latency_s),
    }


def _verdict(at_most_s: float, latency_s: OverReplications) -> str:
    """Return held or missed if the whole interval says so, else undecided, as one replication is."""
    found = latency_s.interval
    if latency_s.at_least is not None:
        return "missed" if latency_s.endless or latency_s.at_least > at_most_s else "undecided"
    if found.mean is None:
        return "no jobs"
    if found.low is None or found.high is None:
        return "undecided"
    if found.high <= at_most_s:
        return "held"
    return "missed" if found.low > at_most_s else "undecided"


@cache
def t_quantile(freedom: int, probability: float = (1 + CONFIDENCE) / 2) -> float:
    """Return the quantile of Student's t above the median, exact to rounding.

    scipy.special would take longer to import than a small run to simulate. The distribution function
    has a closed form for whole degrees of freedom (Abramowitz and Stegun, 26.7.3 and 26.7.4), which
    is inverted by bisection over the angle whose tangent is t / sqrt(freedom).
    """
    low, high = 0.0, math.pi / 2
    for _ in range(100):
        angle = (low + high) / 2
        low, high = (angle, high) if _within(angle, freedom) < 2 * probability - 1 else (low, angle)
    return math.sqrt(freedom) * math.tan(high)


def t_probability(value: float, freedom: int) -> float:
    """Return the chance that Student's t is at most ``value``."""
    return (1 + math.copysign(_within(math.atan(abs(value) / math.sqrt(freedom)), freedom), value)) / 2


def _within(angle: float, freedom: int) -> float:
    """Return the chance that t lies within ± sqrt(freedom) tan(angle)."""
    cosine = math.cos(angle)
    odd = freedom % 2
    term = cosine if odd else 1.0
    total = term if freedom > 1 else 0.0
    for n in range(2 + odd, freedom - 1, 2):
        term *= cosine * cosine * (n - 1) / n
        total += term
    return 2 / math.pi * (angle + math.sin(angle) * total) if odd else math.sin(angle) * total
