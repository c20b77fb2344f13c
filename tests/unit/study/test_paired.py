"""Paired differences: intervals against scipy, the rest by hand, and the coverage of what they promise."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from sim.study.paired import INDIFFERENCE, Verdict, differ, replications_needed

SEED = 20261123
STUDIES = 400
LEAST = int(stats.binom.ppf(0.001, STUDIES, 0.95))  # fewer hold the truth with chance 0.001


def pairs(count: int, apart: float = 0.5) -> tuple[list[float], list[float]]:
    """Return two scenarios' figures with luck in common."""
    random = np.random.default_rng(SEED)
    common = random.normal(10, 2, count)
    first = common + random.normal(apart, 1, count)
    second = common + random.normal(0, 1, count)
    return first.tolist(), second.tolist()


def test_the_interval_is_the_paired_t_interval() -> None:
    first, second = pairs(9)
    test = stats.ttest_rel(first, second)
    expected = test.confidence_interval(0.95)
    found = differ(first, second)
    assert (found.mean.low, found.mean.high) == pytest.approx((expected.low, expected.high))
    assert found.chance_below == pytest.approx(stats.ttest_rel(first, second, alternative="greater").pvalue)


def test_the_intervals_of_three_pairs_hold_together_by_bonferroni() -> None:
    first, second = pairs(9)
    expected = stats.ttest_rel(first, second).confidence_interval(1 - 0.05 / 3)
    found = differ(first, second, pairs=3)
    assert (found.mean.low, found.mean.high) == pytest.approx((expected.low, expected.high))


def test_variance_reduction_and_relative_difference_by_hand() -> None:
    found = differ([1.0, 3.0, 5.0], [2.0, 3.0, 4.0])
    assert found.variance_reduction == pytest.approx((4.0 + 1.0) / 1.0)
    assert found.relative == 0.0
    assert differ([4.0, 5.0], [2.0, 2.5]).relative == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("first", "second", "verdict"),
    [
        pytest.param([1.0, 1.1, 0.9], [2.0, 2.2, 1.7], Verdict.LOWER, id="below 0"),
        pytest.param([2.0, 2.2, 1.7], [1.0, 1.1, 0.9], Verdict.HIGHER, id="above 0"),
        pytest.param([1.0, 3.0, 0.9], [2.0, 2.2, 1.7], Verdict.OPEN, id="around 0"),
        pytest.param([100.1, 90.1], [100.0, 90.0], Verdict.ALIKE, id="above 0 by less than matters"),
        pytest.param([1.0, 2.0], [1.0, 2.0], Verdict.ALIKE, id="the same"),
        pytest.param([1.0], [2.0], Verdict.OPEN, id="one replication"),
        pytest.param([math.nan, 1.0], [2.0, math.nan], Verdict.OPEN, id="none that both have"),
    ],
)
def test_verdicts(first: list[float], second: list[float], verdict: Verdict) -> None:
    found = differ(first, second)
    assert found.verdict is verdict
    assert (found.more_replications == 0) is (verdict is not Verdict.OPEN)


def test_a_replication_without_the_figure_is_left_out_of_the_pair() -> None:
    found = differ([1.0, math.nan, 3.0, 5.0], [2.0, 2.0, math.inf, 7.0])
    assert found.replications == 2
    assert found.mean.mean == pytest.approx(-1.5)


@pytest.mark.parametrize("half_width", [1.0, 0.4, 0.1, 0.02])
def test_replications_needed_are_the_fewest(half_width: float) -> None:
    needed = replications_needed(half_width, variance=1.0, confidence=0.95)
    assert needed is not None

    def wide(count: int) -> float:
        return float(stats.t.ppf(0.975, count - 1) / math.sqrt(count))

    assert wide(needed) < half_width * 1.001, "1.001: beyond 1,000 the normal quantile stands for t's"
    assert wide(needed - 1) > half_width * 0.999


def test_more_replications_than_are_worth_asking() -> None:
    assert replications_needed(1e-6, variance=1.0, confidence=0.95) is None
    assert replications_needed(0.0, variance=1.0, confidence=0.95) is None
    assert differ([1.0, 0.0], [0.0, 1.0], indifference=0.0).more_replications is None


def test_an_open_difference_says_how_many_more_would_settle_it() -> None:
    first, second = pairs(40, apart=0.2)
    found = differ(first, second, indifference=0.0)
    assert found.verdict is Verdict.OPEN
    assert found.more_replications is not None
    spread = np.std(np.subtract(first, second), ddof=1) * stats.t.ppf(0.975, 39 + found.more_replications)
    assert abs(found.mean.mean or 0.0) == pytest.approx(
        spread / (40 + found.more_replications) ** 0.5, rel=0.01
    )


def test_where_two_are_nearly_alike_it_says_how_many_more_would_show_that_they_are() -> None:
    first, second = pairs(9)
    off = float(np.mean(np.subtract(first, second))) - 0.05
    found = differ([each - off for each in first], second, indifference=0.02)
    assert found.verdict is Verdict.OPEN
    assert found.more_replications is not None
    count = 9 + found.more_replications
    spread = np.std(np.subtract(first, second), ddof=1) * stats.t.ppf(0.975, count - 1)
    assert spread / count**0.5 == pytest.approx(0.02 * np.mean(second) - 0.05, rel=0.01)


def test_three_intervals_hold_the_truth_together_as_often_as_said() -> None:
    random = np.random.default_rng(SEED)
    means = (1.0, 1.5, 2.0)
    held = 0
    for _ in range(STUDIES):
        luck = random.exponential(1.0, 20)
        figures = [(mean + luck + random.exponential(0.5, 20)).tolist() for mean in means]
        found = [differ(figures[b], figures[a], pairs=3).mean for a, b in combinations(range(3), 2)]
        truths = [means[b] - means[a] for a, b in combinations(range(3), 2)]
        held += all(
            each.low <= truth <= each.high
            for each, truth in zip(found, truths, strict=True)
            if each.low is not None and each.high is not None
        )
    assert held >= LEAST


def test_indifference_is_that_of_studies() -> None:
    assert INDIFFERENCE == 0.02
