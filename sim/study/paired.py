"""Paired differences: what two scenarios differ by, on the same luck, and how sure that is.

Replication r of both draws the same commits, datums and start-up times, so their figures rise and fall
together and the difference of each pair varies less than the figures do. These differences are independent,
and their mean has the interval that figures have (`sim.report.summary`): Student's t, shifted for
skewness. (Welch's is for scenarios with luck of their own.) Where several pairs are compared, the
intervals of one figure hold together with 95 % (Bonferroni: each has 1 - 0.05 / pairs); different figures
are not corrected for each other. A replication without the figure, such as a latency without jobs, is left
out of the pair. A difference is settled when its interval excludes 0, or lies within the indifference: then
the two are alike for any purpose.

Source: Law, Simulation Modeling and Analysis, 5th ed., §10.2.1 (paired t), §10.3 (Bonferroni), §11.2
(common random numbers, and the variance they save).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import NormalDist

from sim.report.summary import CONFIDENCE, Interval, interval, t_probability, t_quantile

MOST = 100_000  # replications; a question that needs more is not going to be settled
LARGE = 1_000  # replications from which t quantiles are as good as normal ones


LEAST = 2  # replications; one difference has no spread
INDIFFERENCE = 0.02  # share of a figure below which a difference does not matter


class Verdict(StrEnum):
    """What the interval of a difference says."""

    LOWER = "lower"
    HIGHER = "higher"
    ALIKE = "alike"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Difference:
    """One figure of one scenario less that of another; None where there is too little to tell.

    ``relative`` is the difference over the other's mean, ``chance_below`` the chance that it is below 0,
    ``variance_reduction`` (Var A + Var B) / Var(A - B), and ``more_replications`` how many more would settle
    it if mean and spread stay as they are.
    """

    mean: Interval
    relative: float | None
    verdict: Verdict
    chance_below: float | None
    variance_reduction: float | None
    replications: int
    more_replications: int | None


def differ(
    first: Sequence[float], second: Sequence[float], pairs: int = 1, indifference: float = INDIFFERENCE
) -> Difference:
    """Return the difference of two scenarios' figures by replication, one of ``pairs`` in the comparison."""
    both = [(a, b) for a, b in zip(first, second, strict=True) if math.isfinite(a) and math.isfinite(b)]
    differences = [a - b for a, b in both]
    confidence = 1 - (1 - CONFIDENCE) / pairs
    found = interval(differences, confidence, least=-math.inf)
    other = interval([b for _, b in both]).mean
    relative = found.mean / abs(other) if found.mean is not None and other else None
    if found.mean is None or other is None or len(both) < LEAST:
        return Difference(found, relative, Verdict.OPEN, None, None, len(both), None)
    spread = _variance(differences)
    apart = _variance([a for a, _ in both]) + _variance([b for _, b in both])
    nearest = max(abs(found.mean), indifference * abs(other) - abs(found.mean))
    needed = replications_needed(nearest, spread, confidence)
    verdict = _verdict(found, indifference * abs(other))
    return Difference(
        found,
        relative,
        verdict,
        chance_below=_chance_below(found.mean, spread, len(both)),
        variance_reduction=apart / spread if spread else None,
        replications=len(both),
        more_replications=(
            0 if verdict is not Verdict.OPEN else None if needed is None else max(needed - len(both), 1)
        ),
    )


def replications_needed(half_width: float, variance: float, confidence: float) -> int | None:
    """Return how many replications have so short an interval; None for more than is worth asking.

    The variance is taken to stay as it is, so about half of all studies need fewer.
    """
    if not half_width:
        return None
    probability = (1 + confidence) / 2
    by_root_n = math.sqrt(variance) / half_width
    normal = (NormalDist().inv_cdf(probability) * by_root_n) ** 2
    if normal > MOST:
        return None
    needed = max(math.ceil(normal), 2)
    while needed < LARGE and t_quantile(needed - 1, probability) * by_root_n >= math.sqrt(needed):
        needed += 1
    return needed


def _verdict(found: Interval, indifferent: float) -> Verdict:
    assert found.low is not None
    assert found.high is not None
    if max(-found.low, found.high) <= indifferent:
        return Verdict.ALIKE
    if found.high < 0:
        return Verdict.LOWER
    return Verdict.HIGHER if found.low > 0 else Verdict.OPEN


def _chance_below(mean: float, variance: float, count: int) -> float:
    if not variance:
        return 0.5 if not mean else float(mean < 0)
    return t_probability(-mean / math.sqrt(variance / count), count - 1)


def _variance(values: Sequence[float]) -> float:
    mean = math.fsum(values) / len(values)
    return math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1)
