"""Chances against textbook cases, and what unequal and broken samples do to them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from sim.study.search.statistics import estimates, share_above, shares

# Extra hours of sleep by two drugs: Student, The probable error of a mean, Biometrika 6 (1908).
FIRST = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
SECOND = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]


def test_the_chance_is_students_where_nothing_is_skewed() -> None:
    nine = np.array([FIRST[:9]]) - np.array([SECOND[:9]])
    expected = 1 - stats.ttest_rel(FIRST[:9], SECOND[:9], alternative="less").pvalue
    assert estimates(nine).below(0.0)[0] == pytest.approx(expected)


def test_gossets_drugs_are_told_apart_and_skewness_makes_less_sure() -> None:
    difference = estimates(np.array([FIRST]) - np.array([SECOND]))
    plain = 1 - stats.ttest_rel(FIRST, SECOND, alternative="less").pvalue  # 0.9986; one pair is far out
    assert 0.95 < difference.below(0.0)[0] <= plain


def test_skewed_samples_keep_their_word_more_often_than_students() -> None:
    """Of 4,000 lognormal samples, how often the true mean is above a limit that was called 97.5 % sure."""
    values = np.random.default_rng(20261123).lognormal(0.0, 1.0, (4_000, 30))
    truth = float(np.exp(0.5))
    ours = 1 - estimates(values).below(truth)
    student = stats.t.cdf((values.mean(axis=1) - truth) / (values.std(axis=1, ddof=1) / np.sqrt(30)), 29)
    assert (ours < 0.025).mean() < 0.75 * (student < 0.025).mean()


def test_constants_are_certain_and_nothing_known_is_even() -> None:
    known = estimates(np.array([[1.0, 1.0, 1.0], [2.0, np.nan, np.nan], [np.nan] * 3, [1.0, np.inf, 1.0]]))
    assert known.below(1.0).tolist() == [0.0, 0.5, 0.5, 0.0]
    assert known.below(1.0, or_equal=True).tolist() == [1.0, 0.5, 0.5, 0.0]
    assert known.below(5.0)[3] == 0.0


def test_variances_of_two_replications_borrow_from_many_others() -> None:
    values = np.random.default_rng(7).normal(0.0, 1.0, (400, 3))
    alone, among = estimates(values[:1]), estimates(values)
    assert alone.freedom[0] == 2
    assert among.freedom[0] > 5
    spread = np.ptp(np.log(among.variance)) / np.ptp(np.log(values.var(axis=1, ddof=1)))
    assert spread < 0.8


def test_shares_are_jeffreys() -> None:
    values = np.array([[1.0, 2.0, 3.0, np.nan], [5.0, 5.0, 5.0, 5.0]])
    held, count = shares(values, 2.0, at_least=False)
    assert held.tolist() == [2.0, 0.0]
    assert count.tolist() == [3.0, 4.0]
    assert shares(values, 2.0, at_least=True)[0].tolist() == [2.0, 4.0]
    expected = [1 - stats.beta(2.5, 1.5).cdf(0.5), 1 - stats.beta(0.5, 4.5).cdf(0.5)]
    assert share_above(held, count, 0.5).tolist() == pytest.approx(expected)
