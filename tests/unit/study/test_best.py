"""Which scenario is best: cheapest, fastest, and the cheapest that holds its targets."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from sim.model.scenario import Slo
from sim.study.best import CHEAPEST, cheapest_that_holds, lowest

TARGET = Slo(0.95, 900.0)


def figures(mean: float, deviation: float = 1.0, count: int = 20) -> list[float]:
    """Return figures with exactly this mean and deviation; each mean and deviation has luck of its own."""
    drawn = np.random.default_rng([round(abs(mean) * 1000), round(deviation * 1000)]).normal(size=count)
    scaled = (drawn - drawn.mean()) / drawn.std(ddof=1)
    return [mean + deviation * float(each) for each in scaled]


def test_a_clear_answer() -> None:
    best = lowest(CHEAPEST, "cost_usd_per_day", {"a": figures(20), "b": figures(10)}, 0.02)
    assert (best.settled, best.answer, best.more_replications) == (True, "b", 0)
    assert best.chance == {"a": 0.0, "b": 1.0}


def test_within_the_indifference_either_will_do() -> None:
    best = lowest(CHEAPEST, "cost_usd_per_day", {"a": figures(100.1), "b": figures(100.0)}, 0.02)
    assert best.chance is not None
    assert best.chance["b"] < 0.9
    assert best.chance_within == {"a": 1.0, "b": 1.0}
    assert best.answer == "b"


def test_an_open_question_says_how_many_more_replications() -> None:
    seen = {"a": figures(10.0), "b": figures(10.25)}
    best = lowest(CHEAPEST, "cost_usd_per_day", seen, 0.0)
    assert (best.settled, best.answer) == (False, None)
    assert best.more_replications is not None
    assert best.chance is not None
    spread = float(np.std(np.subtract(seen["a"], seen["b"]), ddof=1))
    assert best.chance["a"] == pytest.approx(stats.t.cdf(0.25 / spread * 20**0.5, 19), abs=0.01)
    needed = (stats.norm.ppf(0.95) / 0.25 * spread) ** 2
    assert 20 + best.more_replications == pytest.approx(needed, rel=0.06)


def test_the_same_scenario_twice_is_settled_only_by_indifference() -> None:
    twice = {"a": figures(10), "b": figures(10)}
    assert lowest(CHEAPEST, "cost_usd_per_day", twice, 0.02).answer == "a"
    assert lowest(CHEAPEST, "cost_usd_per_day", twice, 0.0).chance == {"a": 0.5, "b": 0.5}


@pytest.mark.parametrize(
    ("latencies", "answer", "chances"),
    [
        pytest.param((800.0, 800.0), "cheap", (1.0, 0.0, 0.0), id="both hold"),
        pytest.param((1000.0, 800.0), "dear", (0.0, 1.0, 0.0), id="the cheap one misses"),
        pytest.param((1000.0, 1000.0), None, (0.0, 0.0, 1.0), id="both miss"),
    ],
)
def test_the_cheapest_that_holds(
    latencies: tuple[float, float], answer: str | None, chances: tuple[float, float, float]
) -> None:
    costs = {"cheap": figures(10), "dear": figures(20)}
    targets = {name: [(TARGET, figures(mean))] for name, mean in zip(costs, latencies, strict=True)}
    best = cheapest_that_holds("cost_usd_per_day", costs, targets, 0.02)
    assert (best.settled, best.answer) == (True, answer)
    assert best.chance is not None
    assert (*best.chance.values(), best.chance_none) == chances


def test_a_target_in_doubt_leaves_the_answer_open_with_the_chance_that_it_holds() -> None:
    latencies = figures(899.5, 2.0)
    costs = {"cheap": figures(10), "dear": figures(20)}
    targets = {"cheap": [(TARGET, latencies)], "dear": [(TARGET, figures(500))]}
    best = cheapest_that_holds("cost_usd_per_day", costs, targets, 0.02)
    assert best.chance is not None
    expected = stats.ttest_1samp(latencies, 900.0, alternative="greater").pvalue
    assert best.chance["cheap"] == pytest.approx(expected, abs=0.01)
    assert best.chance["dear"] == pytest.approx(1 - expected, abs=0.01)
    assert not best.settled
    assert best.more_replications == pytest.approx((stats.norm.ppf(0.95) * 2.0 / 0.5) ** 2 - 20, abs=3)


@pytest.mark.parametrize("bad", [math.inf, math.nan], ids=["a failed job", "no job to judge"])
def test_what_is_endless_or_unjudged_holds_nothing(bad: float) -> None:
    costs = {"a": figures(10), "b": figures(20)}
    without = [bad] * 20 if math.isnan(bad) else [*figures(100)[:-1], bad]
    targets = {"a": [(TARGET, without)], "b": [(TARGET, figures(500))]}
    assert cheapest_that_holds("cost_usd_per_day", costs, targets, 0.02).answer == "b"


def test_one_replication_says_nothing() -> None:
    best = lowest(CHEAPEST, "cost_usd_per_day", {"a": [1.0], "b": [2.0]}, 0.02)
    assert (best.chance, best.chance_none, best.settled, best.more_replications) == (None, None, False, None)
