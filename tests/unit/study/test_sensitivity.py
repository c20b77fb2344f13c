from __future__ import annotations

import numpy as np
import pytest

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
from sim.study.sensitivity import scaled


@pytest.mark.parametrize(
    "distribution",
    [
        Constant(4.0),
        Uniform(1.0, 3.0),
        Exponential(2.0),
        Lognormal(median=50.0, sigma=0.25),
        Lognormal(median=50.0, p95=75.0),
        Gamma(mean=3.0, cv=0.5),
        Weibull(shape=1.5, scale=10.0),
        Empirical((1.0, 2.0, 7.0)),
    ],
    ids=str,
)
def test_the_same_draws_take_half_as_long_again(distribution: Distribution) -> None:
    before = distribution.sample(np.random.default_rng(1), 100)
    after = scaled(distribution, 1.5).sample(np.random.default_rng(1), 100)
    assert after == pytest.approx(1.5 * before)
    assert scaled(distribution, 1.5).mean == pytest.approx(1.5 * distribution.mean)
