"""Chances of being above a limit, against scipy's distributions and against draws."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import stats

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
from sim.study.tails import above


@pytest.mark.parametrize(
    ("distribution", "theirs"),
    [
        pytest.param(Exponential(30.0), stats.expon(scale=30.0), id="exponential"),
        pytest.param(Gamma(30.0, 0.5), stats.gamma(4.0, scale=7.5), id="gamma"),
        pytest.param(Weibull(1.5, 30.0), stats.weibull_min(1.5, scale=30.0), id="Weibull"),
        pytest.param(Lognormal(30.0, sigma=0.4), stats.lognorm(0.4, scale=30.0), id="lognormal"),
        pytest.param(Uniform(20.0, 60.0), stats.uniform(20.0, 40.0), id="uniform"),
    ],
)
@pytest.mark.parametrize("limit", [-1.0, 0.0, 5.0, 30.0, 55.0, 200.0])
def test_the_tail_is_that_of_the_formula(distribution: Distribution, theirs: Any, limit: float) -> None:
    assert above(distribution, limit) == pytest.approx(float(theirs.sf(limit)), rel=1e-9)


@pytest.mark.parametrize(
    ("distribution", "limit", "chance"),
    [
        pytest.param(Constant(3.0), 3.0, 0.0, id="a value is not above itself"),
        pytest.param(Constant(3.0), 2.9, 1.0, id="always above"),
        pytest.param(Empirical((1.0, 2.0, 3.0, 3.0)), 2.0, 0.5, id="what was observed, with its share"),
        pytest.param(Uniform(1024, 3073), 3072, 1 / 2049, id="the last MiB of a uniform peak"),
        pytest.param(Uniform(5.0, 5.0), 4.0, 1.0, id="a uniform of no width"),
        pytest.param(Lognormal(10.0, sigma=0.0), 10.0, 0.0, id="a lognormal of no width"),
        pytest.param(Lognormal(100.0, p95=150.0), 150.0, 0.05, id="p95 is what 5 % are above"),
        pytest.param(Exponential(10.0), 10.0, math.exp(-1), id="one mean"),
    ],
)
def test_tails_by_hand(distribution: Distribution, limit: float, chance: float) -> None:
    assert above(distribution, limit) == pytest.approx(chance, abs=1e-12)


@pytest.mark.parametrize(
    "distribution",
    [Gamma(30.0, 1.4), Weibull(0.8, 20.0), Lognormal(20.0, p95=60.0), Uniform(1.0, 70.0), Exponential(30.0)],
)
def test_the_tail_is_that_of_what_is_drawn(distribution: Distribution) -> None:
    """Of 40,000 draws; four standard errors."""
    drawn = distribution.sample(np.random.default_rng(7), 40_000)
    chance = above(distribution, 45.0)
    error = math.sqrt(chance * (1 - chance) / len(drawn))
    assert (drawn > 45.0).mean() == pytest.approx(chance, abs=4 * error)
