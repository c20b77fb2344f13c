"""Start-up times left to their defaults, against the table of aws.md §8.2."""

from __future__ import annotations

import numpy as np
import pytest

from sim.model.distributions import Distribution, Lognormal, Uniform
from sim.model.latency import Latencies

DEFAULTS = Latencies()
MB = 1e6


@pytest.mark.parametrize(
    ("distribution", "quantiles"),
    [
        pytest.param(DEFAULTS.fargate.ready_s, {0.05: 27, 0.5: 45, 0.95: 74}, id="Fargate: launch and boot"),
        pytest.param(DEFAULTS.ec2.ready_s, {0.5: 50, 0.95: 75}, id="EC2: boot"),
        pytest.param(DEFAULTS.ec2.gpu_total_s, {0.5: 150, 0.95: 330}, id="GPU node in all"),
        pytest.param(DEFAULTS.container_start_s, {0.5: 2}, id="container start"),
    ],
)
def test_defaults_are_those_of_the_sheet(distribution: Distribution, quantiles: dict[float, float]) -> None:
    """The sheet's figures are whole seconds; 200,000 draws leave less than that to chance."""
    drawn = distribution.sample(np.random.default_rng(1), 200_000)
    for share, seconds in quantiles.items():
        assert np.quantile(drawn, share) == pytest.approx(seconds, rel=0.02)


def test_launches_take_3_to_15_seconds() -> None:
    assert DEFAULTS.ec2.launch_s == Uniform(3, 15)


def test_pulls() -> None:
    """20 MB/s on Fargate, sigma 0.40; 413 MB take 21 s and 5 GB 250 s there, half of it on EC2."""
    rate = DEFAULTS.image_pull.bytes_per_s
    assert rate == Lognormal(median=20 * MB, sigma=0.40)
    assert isinstance(rate, Lognormal)
    assert 413 * MB / rate.median == pytest.approx(21, abs=0.5)
    assert 5_000 * MB / rate.median == 250
    assert DEFAULTS.image_pull.ec2_factor == 2
