"""Distributions of durations, sizes and counts, as users state them.

A value is stated in the unit of the field that holds it; sampling gives floats in that unit.
Lognormals are stated by median and p95 (or sigma of the logarithm), because those can be read
off a histogram; gamma, Weibull and the negative binomial by mean and coefficient of variation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Z95 = 1.6448536269514722  # 95 % quantile of the standard normal


@dataclass(frozen=True, slots=True)
class Constant:
    """Always the same value."""

    value: float

    @property
    def mean(self) -> float:
        """Return the value."""
        return self.value

    def sample(self, rng: np.random.Generator, count: int) -> NDArray[np.float64]:
        """Return ``count`` times the value."""
        return np.full(count, float(self.value))


@dataclass(frozen=True, slots=True)
class Uniform:
    """Any value between two bounds alike."""

    low: float
    high: float

    @property
    def mean(self) -> float:
        """Return the middle."""
        return (self.low + self.high) / 2

    def sample(self, rng: np.random.Generator, count: int) -> NDArray[np.float64]:
        """Draw ``count`` values."""
        return rng.uniform(self.low, self.high, count)


@dataclass(frozen=True, slots=True)
class Exponential:
    """Memoryless, by its mean."""

    mean: float

    def sample(self, rng: np.random.Generator, count: int) -> NDArray[np.float64]:
        """Draw ``count`` values."""
        return rng.exponential(self.mean, count)


@dataclass(frozen=True, slots=True)
class Lognormal:
    """The logarithm is normal; by median and either p95 or sigma."""

    median: float
    p95: float | None = None
    sigma: float | None = None

    def __post_init__(self) -> None:
        """Refuse what is no lognormal."""
        if self.median <= 0:
            raise ValueError(f"median is {self.median}; allowed: above 0")
        if (self.p95 is None) == (self.sigma is None):
            raise ValueError("says p95 and sigma, or neither; allowed: one of them")
        if self.p95 is not None and self.p95 < self.median:
            raise ValueError(f"p95 is {self.p95}; allowed: at least the median ({self.median})")

    @property
    def log_sigma(self) -> float:
        """Return the standard deviation of the logarithm."""
        if self.sigma is not None:
            return self.sigma
        assert self.p95 is not None
        return math.log(self.p95 / self.median) / Z95

    @property
    def mean(self) -> float:
        """Return median x exp(sigma^2 / 2)."""
        return self.median * math.exp(self.log_sigma**2 / 2)

    def sample(self, rng: np.random.Generator, count: int) -> NDArray[np.float64]:
        """Draw ``count`` values."""
        return rng.lognormal(math.log(self.median), self.log_sigma, count)


@dataclass(frozen=True, slots=True)
class Gamma:
    """By mean and coefficient of variation."""

    mean: float
    cv: float

    def sample(self, rng: np.random.Generator, count: int) -> NDArray[np.float64]:
        """Draw ``count`` values."""
        shape = 1 / self.cv**2
        return rng.gamma(shape, self.mean / shape, count)


@dataclass(frozen=True, slots=True)
class Weibull:
    """By shape and scale (the 63.2 % quantile)."""

    shape: float
    scale: float

    @property
    def mean(self) -> float:
        """Return scale x gamma(1 + 1/shape)."""
        return self.scale * math.gamma(1 + 1 / self.shape)

    def sample(self, rng: np.random.Generator, count: int) -> NDArray[np.float64]:
        """Draw ``count`` values."""
        return self.scale * rng.weibull(self.shape, count)


@dataclass(frozen=True, slots=True)
class Empirical:
    """Values that were observed, drawn with equal chance."""

    values: tuple[float, ...]

    def __post_init__(self) -> None:
        """Refuse an empty list."""
        if not self.values:
            raise ValueError("the list of values is empty; allowed: at least one value")

    @property
    def mean(self) -> float:
        """Return the mean of the values."""
        return sum(self.values) / len(self.values)

    def sample(self, rng: np.random.Generator, count: int) -> NDArray[np.float64]:
        """Draw ``count`` of the values, with replacement."""
        return np.asarray(self.values, dtype=np.float64)[rng.integers(len(self.values), size=count)]


@dataclass(frozen=True, slots=True)
class Poisson:
    """Counts with the variance of their mean."""

    mean: float

    def sample(self, rng: np.random.Generator, count: int) -> NDArray[np.float64]:
        """Draw ``count`` whole numbers, as floats."""
        return rng.poisson(self.mean, count).astype(np.float64)


@dataclass(frozen=True, slots=True)
class NegativeBinomial:
    """Counts that scatter more than Poisson; by mean and coefficient of variation."""

    mean: float
    cv: float

    def __post_init__(self) -> None:
        """Refuse a spread below that of Poisson."""
        if self.cv**2 <= 1 / self.mean:
            least = 1 / math.sqrt(self.mean)
            raise ValueError(f"cv is {self.cv}; allowed: above 1/sqrt(mean) ({least:.3g})")

    def sample(self, rng: np.random.Generator, count: int) -> NDArray[np.float64]:
        """Draw ``count`` whole numbers, as floats."""
        successes = 1 / (self.cv**2 - 1 / self.mean)
        chance = successes / (successes + self.mean)
        return rng.negative_binomial(successes, chance, count).astype(np.float64)


Distribution = Constant | Uniform | Exponential | Lognormal | Gamma | Weibull | Empirical
Counts = Constant | Poisson | NegativeBinomial | Empirical
