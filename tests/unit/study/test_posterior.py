"""The chance to be best against what is known: the paired t test, symmetry, and an integral."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate, stats

from sim.study.posterior import DRAWS, Posterior, chances_lowest

NEAR = 4 * 0.5 / DRAWS**0.5  # four standard errors of a share


@pytest.mark.parametrize("count", [2, 5, 20])
def test_of_two_it_is_the_paired_t_test(count: int) -> None:
    random = np.random.default_rng(count)
    seen = random.normal(10, 2, (count, 1)) + random.normal([0.0, 0.4], 1, (count, 2))
    best, _ = chances_lowest(Posterior(seen).draws())
    expected = stats.ttest_rel(seen[:, 0], seen[:, 1], alternative="greater").pvalue
    assert best[0] == pytest.approx(expected, abs=NEAR)
    assert sum(best) == pytest.approx(1.0)


def test_of_many_replications_it_is_the_normal_integral() -> None:
    random = np.random.default_rng(4)
    means, deviation, count = np.array([0.0, 0.05, 0.08]), 1.0, 1_000
    seen = random.normal(means, deviation, (count, 3))
    seen += means - seen.mean(axis=0)
    spread = seen.std(axis=0, ddof=1) / count**0.5

    def first_is_lowest(x: float) -> float:
        others = np.prod(stats.norm.sf(x, means[1:], spread[1:]))
        return float(stats.norm.pdf(x, means[0], spread[0]) * others)

    expected, _ = integrate.quad(first_is_lowest, -0.3, 0.3)
    best, _ = chances_lowest(Posterior(seen).draws())
    assert best[0] == pytest.approx(expected, abs=0.01), "the sample is not quite uncorrelated"


def test_scenarios_that_do_the_same_share_the_chance() -> None:
    column = np.random.default_rng(1).normal(10, 1, (20, 1))
    best, within = chances_lowest(Posterior(np.hstack([column, column, column + 5])).draws(), None, 0.02)
    assert best == pytest.approx([0.5, 0.5, 0.0])
    assert within == [1.0, 1.0, 0.0]


def test_more_scenarios_than_replications_still_have_chances() -> None:
    seen = np.random.default_rng(1).normal(range(6), 0.1, (3, 6))
    best, _ = chances_lowest(Posterior(seen).draws())
    assert best[0] > 0.9
    assert sum(best) == pytest.approx(1.0)


def test_as_if_there_were_more_replications() -> None:
    random = np.random.default_rng(2)
    seen = random.normal([0.0, 0.3], 1.0, (20, 2))
    few, many = (chances_lowest(Posterior(seen).draws(n))[0][0] for n in (20, 400))
    difference = seen[:, 0] - seen[:, 1]
    t = difference.mean() / difference.std(ddof=1)
    assert few == pytest.approx(stats.t.cdf(-t * 20**0.5, 19), abs=NEAR)
    assert many == pytest.approx(stats.t.cdf(-t * 400**0.5, 399), abs=NEAR)


def test_only_what_holds_can_be_lowest() -> None:
    means = np.array([[1.0, 2.0, 3.0], [1.0, 2.0, 2.02], [1.0, 2.0, 3.0]])
    holds = np.array([[False, True, True], [False, True, True], [False, False, False]])
    best, within = chances_lowest(means, holds, within=0.02)
    assert best == pytest.approx([0, 2 / 3, 0])
    assert within == pytest.approx([0, 2 / 3, 1 / 3])
