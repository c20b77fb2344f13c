from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from sim.model.cluster import Cluster
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
from sim.model.latency import Latencies
from sim.model.scenario import Scenario
from sim.model.units import MB
from sim.study.sensitivity import scaled, with_node_pull, with_node_start

EMPTY = Scenario("s", datetime(2026, 1, 5, tzinfo=UTC), 3_600_000_000, Cluster())


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


@pytest.mark.parametrize("start_s", [35.0, 65.0, 150.0])
def test_nodes_are_typically_ready_after_what_was_measured(start_s: float) -> None:
    """aws.md §8.3: median of launch and boot together, 9 s and the rest."""
    ec2 = with_node_start(EMPTY, start_s).latency.ec2
    rng = np.random.default_rng(1)
    starts = ec2.launch_s.sample(rng, 20_001) + ec2.ready_s.sample(rng, 20_001)
    assert np.median(starts) == pytest.approx(start_s, rel=0.02)


def test_nodes_typically_pull_at_what_was_measured_and_fargate_as_before() -> None:
    pull, before = with_node_pull(EMPTY, 10.0).latency.image_pull, Latencies().image_pull
    rates = pull.bytes_per_s.sample(np.random.default_rng(1), 20_001)
    assert np.median(rates) * pull.ec2_factor == pytest.approx(10 * MB, rel=0.02)
    assert pull.bytes_per_s == before.bytes_per_s
