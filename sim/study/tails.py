"""Tails: the chance that a draw of a distribution is above a limit, by its formula.

Source: Johnson, Kotz and Balakrishnan, Continuous univariate distributions, volume 1 (1994), chapters 14, 17,
19 and 21.
"""

from __future__ import annotations

import math

from scipy.special import gammaincc

from sim.model.distributions import (
    Constant,
    Distribution,
    Empirical,
    Exponential,
    Gamma,
    Lognormal,
    Uniform,
    Weibull,
)


def above(distribution: Distribution, limit: float) -> float:
    """Return the chance that a value is above ``limit``, which is in the unit of the distribution.

    >>> above(Uniform(1024, 3073), 3072) == 1 / 2049
    True
    """
    match distribution:
        case Constant():
            return float(distribution.value > limit)
        case Empirical():
            return sum(value > limit for value in distribution.values) / len(distribution.values)
        case Uniform(low, high):
            return float(low > limit) if low >= high else min(1.0, max(0.0, (high - limit) / (high - low)))
    return 1.0 if limit <= 0 else _above_positive(distribution, limit)


def _above_positive(distribution: Exponential | Lognormal | Gamma | Weibull, limit: float) -> float:
    """Return the same of a distribution that has no end, for a limit above 0."""
    match distribution:
        case Exponential(mean):
            return math.exp(-limit / mean) if mean > 0 else 0.0
        case Weibull(shape, scale):
            return math.exp(-((limit / scale) ** shape))
        case Gamma(mean, cv):
            return float(gammaincc(1 / cv**2, limit / (mean * cv**2)))
        case Lognormal():
            sigma = distribution.log_sigma
            off = math.log(limit / distribution.median)
            return 0.5 * math.erfc(off / sigma / math.sqrt(2)) if sigma > 0 else float(off < 0)
