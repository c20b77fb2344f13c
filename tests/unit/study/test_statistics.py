"""Chances against textbook cases, and what unequal and broken samples do to them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from sim.report.summary import interval
from sim.study.statistics import estimates, share_above, shares

# Extra hours of sleep by two drugs: Student, The probable error of a mean, Biometrika 6 (1908).
FIRST = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
SECOND = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]


def test_the_chance_is_students_where_too_few_show_skewness() -> None:
    nine = np.array([FIRST[:9]]) - np.array([SECOND[:9]])
    expected = 1 - stats.ttest_rel(FIRST[:9], SECOND[:9], alternative="less").pvalue
    assert estimates(nine, signed=True).below(0.0)[0] == pytest.approx(expected)


def test_the_chance_of_ten_differences_is_halls() -> None:
    apart = np.subtract(FIRST, SECOND)
    g, u = stats.skew(apart, bias=False), apart.mean() / apart.std(ddof=1)
    t = 10**0.5 * (u + g * u**2 / 3 + g**2 * u**3 / 27 + g / 60)
    assert estimates(apart[None], signed=True).below(0.0)[0] == pytest.approx(stats.t.cdf(-t, 9))


@pytest.mark.parametrize("count", [2, 3, 5, 9, 10, 40])
@pytest.mark.parametrize("signed", [False, True])
def test_a_chance_is_that_of_the_interval_which_ends_there(count: int, signed: bool) -> None:
    values = np.random.default_rng(count).lognormal(0.0, 0.5, count)
    found = interval(values.tolist(), least=-math.inf if signed else 0.0)
    assert found.low is not None
    assert found.high is not None
    known = estimates(values[None], signed=signed)
    assert known.below(found.high)[0] == pytest.approx(0.975)
    if found.low > 0 or signed:
        assert known.below(found.low)[0] == pytest.approx(0.025)
    mirrored = estimates(-values[None], signed=signed)
    assert mirrored.below(-found.high)[0] == pytest.approx(0.025)


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
