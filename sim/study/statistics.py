"""Statistics: what samples of many configurations say of their means.

Arrays have shape ``(configurations, replications)`` and end in NaN where a configuration has fewer
replications; so does a figure that was not there. Chances are those of Student's t about the sample mean,
which is the posterior under Jeffreys' prior. Where ten configurations or more were sampled, variances of
few replications borrow from the others: the moderated t of G. K. Smyth, Linear models and empirical Bayes
methods (Statistical Applications in Genetics and Molecular Biology 3, 2004, §6.2). Without it, two degrees
of freedom would give each of a thousand hopeless configurations a chance of winning that adds up.

Percentiles of latency are skewed, and a sample that missed the long tail looks surer than it is. Chances are
therefore those of the transformed mean of P. Hall (On the removal of skewness by transformation, Journal of
the Royal Statistical Society B 54, 1992), under the skewness that intervals are shifted for: a chance here is
97.5 % where the interval of `sim.report.summary` ends.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, digamma, polygamma, stdtr

from sim.report.summary import AS_IF_SEEN, MOST_CV, SKEWED_FROM, SKEWNESS_PER_CV

Float = NDArray[np.float64]
ENOUGH_TO_BORROW = 10


@dataclass(frozen=True, slots=True)
class Estimates:
    """Means with what is known of them, shape ``(configurations,)``; ``variance`` is of one replication."""

    mean: Float
    variance: Float
    count: Float
    freedom: Float
    skewness: Float

    def below(self, limit: float | Float, *, or_equal: bool = False) -> Float:
        """Return the chance that each true mean is below a limit; one half where nothing is known."""
        gap = np.broadcast_to(np.asarray(limit, np.float64), self.mean.shape) - self.mean
        sure = (gap >= 0 if or_equal else gap > 0).astype(np.float64)
        g = self.skewness
        with np.errstate(divide="ignore", invalid="ignore"):
            off = -gap / np.sqrt(self.variance)
            hall = off + g * off**2 / 3 + g**2 * off**3 / 27 + g / (6 * self.count)
            chance = np.asarray(stdtr(self.freedom, -np.sqrt(self.count) * hall))
            chance = np.where(self.variance > 0, chance, sure)
        chance = np.where(np.isfinite(chance) & (self.freedom > 0), chance, 0.5)
        return np.where(self.mean == np.inf, 0.0, chance)

    def after(self, replications: int | None) -> Estimates:
        """Return what would be known after so many replications, were means and variances as they are."""
        if replications is None:
            return self
        counts = np.where(self.count > 0, float(replications), 0.0)
        return replace(self, count=counts, freedom=self.freedom + counts - self.count)

    def upper(self, errors: float) -> Float:
        """Return the means and so many standard errors more."""
        return np.asarray(self.mean + errors * np.sqrt(self.variance / np.maximum(self.count, 1)))


def estimates(values: Float, *, signed: bool = False) -> Estimates:
    """Return the estimates of each row; endless figures make an endless mean.

    ``signed`` says that the values are differences, of which no skewness is expected.
    """
    endless = np.isposinf(values).any(axis=1)
    known = np.isfinite(values)
    count = known.sum(axis=1).astype(np.float64)
    filled = np.where(known, values, 0.0)
    mean = np.divide(filled.sum(axis=1), count, out=np.full(len(count), np.nan), where=count > 0)
    off = np.where(known, filled - np.nan_to_num(mean)[:, None], 0.0)
    freedom = np.maximum(count - 1, 0)
    variance = np.divide((off**2).sum(axis=1), freedom, out=np.full(len(count), np.nan), where=freedom > 0)
    variance = np.where(variance <= (1e-9 * np.abs(np.nan_to_num(mean))) ** 2, 0.0, variance)  # rounding
    one_sided = np.full(len(count), not signed) & ((filled >= 0).all(axis=1) | (filled <= 0).all(axis=1))
    skewed = _skewness(off, mean, variance, count, one_sided)
    variance, freedom = _borrowed(variance, freedom)
    return Estimates(np.where(endless, np.inf, mean), variance, count, freedom, skewed)


def _skewness(off: Float, mean: Float, variance: Float, count: Float, one_sided: NDArray[np.bool_]) -> Float:
    """Return the skewness of each row, as `sim.report.summary.skewness` does."""
    with np.errstate(divide="ignore", invalid="ignore"):
        seen = (off**3).sum(axis=1) / variance**1.5 * count / ((count - 1) * (count - 2))
        expected = SKEWNESS_PER_CV * np.clip(np.sqrt(variance) / mean, -MOST_CV, MOST_CV)
        seen = np.where(count > 2, seen, 0.0)  # noqa: PLR2004  # two have none
        together = (count * seen + AS_IF_SEEN * expected) / (count + AS_IF_SEEN)
    alone = np.where(count >= SKEWED_FROM, seen, 0.0)
    return np.where(variance > 0, np.where(one_sided, together, alone), 0.0)


def shares(values: Float, limit: float, *, at_least: bool) -> tuple[Float, Float]:
    """Return how many replications of each row hold a limit, and how many there are."""
    known = ~np.isnan(values)
    with np.errstate(invalid="ignore"):
        held = (values >= limit) if at_least else (values <= limit)
    return (held & known).sum(axis=1).astype(np.float64), known.sum(axis=1).astype(np.float64)


def share_above(held: Float, count: Float, share: float) -> Float:
    """Return the chance that each true share is at least ``share``, by Jeffreys' beta posterior."""
    return np.asarray(1.0 - betainc(held + 0.5, count - held + 0.5, share))


def _borrowed(variance: Float, freedom: Float) -> tuple[Float, Float]:
    """Return variances and degrees of freedom with those of the prior that all of them suggest."""
    usable = (freedom > 0) & (variance > 0)
    if usable.sum() < ENOUGH_TO_BORROW:
        return variance, freedom
    half = freedom[usable] / 2
    logs = np.log(variance[usable]) - digamma(half) + np.log(half)
    spread = float(logs.var(ddof=1) - polygamma(1, half).mean())
    if spread <= 0:
        return variance, freedom  # as if all were one; borrowing everything would be too sure
    prior = 2 * _trigamma_inverse(spread)
    typical = float(np.exp(logs.mean() + digamma(prior / 2) - np.log(prior / 2)))
    pooled = (prior * typical + freedom * np.nan_to_num(variance)) / (prior + freedom)
    return np.where(usable, pooled, variance), np.where(usable, freedom + prior, freedom)


def _trigamma_inverse(value: float) -> float:
    """Return the x whose trigamma is ``value``, by Newton's method (Smyth 2004, appendix)."""
    x = 0.5 + 1 / value
    for _ in range(50):
        trigamma = float(polygamma(1, x))
        step = trigamma * (1 - trigamma / value) / float(polygamma(2, x))
        x += step
        if abs(step) < 1e-8 * x:  # far below what sampling error leaves
            break
    return x
