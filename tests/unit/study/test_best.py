"""Which scenario is best: cheapest, fastest, and the cheapest that holds its targets."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from scipy import stats

from sim.model.scenario import Slo
from sim.study.best import CHEAPEST, CHEAPEST_THAT_HOLDS, Best, Question
from sim.study.best import best as best_of

TARGET = Slo(0.95, 900.0)


def figures(mean: float, deviation: float = 1.0, count: int = 20) -> list[float]:
    """Return figures with exactly this mean and deviation; each mean and deviation has luck of its own."""
    drawn = np.random.default_rng([round(abs(mean) * 1000), round(deviation * 1000)]).normal(size=count)
    scaled = (drawn - drawn.mean()) / drawn.std(ddof=1)
    return [mean + deviation * float(each) for each in scaled]


def lowest(name: str, figure: str, seen: Mapping[str, Sequence[float]], indifference: float) -> Best:
    return best_of(Question(name, figure, seen, indifference))


def cheapest_that_holds(
    figure: str,
    costs: Mapping[str, Sequence[float]],
    targets: Mapping[str, Sequence[tuple[Slo, Sequence[float]]]],
    indifference: float,
) -> Best:
    return best_of(Question(CHEAPEST_THAT_HOLDS, figure, costs, indifference, targets))


def test_a_clear_answer() -> None:
    best = lowest(CHEAPEST, "cost_usd_per_day", {"a": figures(20), "b": figures(10)}, 0.02)
    assert (best.settled, best.answer, best.more_replications) == (True, "b", 0)
    assert best.chance == pytest.approx({"a": 0.0, "b": 1.0}, abs=1e-6)


def test_within_the_indifference_either_will_do() -> None:
    best = lowest(CHEAPEST, "cost_usd_per_day", {"a": figures(100.1), "b": figures(100.0)}, 0.02)
    assert best.chance is not None
    assert best.chance["b"] < 0.9
    assert best.chance_within == pytest.approx({"a": 1.0, "b": 1.0}, abs=0.01)
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


def test_of_the_same_scenario_twice_either_will_do() -> None:
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
    assert (*best.chance.values(), best.chance_none) == pytest.approx(chances, abs=1e-6)


def test_a_target_in_doubt_leaves_the_answer_open_with_the_chance_that_it_holds() -> None:
    latencies = figures(899.5, 2.0)
    costs = {"cheap": figures(10), "dear": figures(20)}
    targets = {"cheap": [(TARGET, latencies)], "dear": [(TARGET, figures(500))]}
    best = cheapest_that_holds("cost_usd_per_day", costs, targets, 0.0)
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


@pytest.mark.parametrize("bad", [math.inf, math.nan], ids=["endless", "nothing finished"])
def test_what_is_endless_or_never_there_is_never_the_fastest(bad: float) -> None:
    quick = [1.0] * 19 + [bad] if math.isinf(bad) else [bad] * 20
    best = lowest("fastest", "job_latency_p95_s", {"a": figures(100), "b": figures(200), "c": quick}, 0.02)
    if math.isnan(bad):
        assert best.chance is None
        return
    assert best.answer == "a"
    assert best.chance is not None
    assert best.chance["c"] == 0.0


def test_three_alike_share_the_chance_and_none_is_sure() -> None:
    """Bonferroni: the chances that either of the others is lower are summed, and each is even."""
    days = np.array([[0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2]], float) + 10
    best = lowest(CHEAPEST, "cost_usd_per_day", dict(zip("abc", days.tolist(), strict=True)), 0.0)
    assert best.chance == pytest.approx(dict.fromkeys("abc", 1 / 3))
    assert best.chance_within == pytest.approx(dict.fromkeys("abc", 0.0))
    assert not best.settled


def test_a_spot_group_that_was_never_interrupted_is_not_surely_the_cheapest() -> None:
    """exp(-20 x 0.1) = 0.135: so likely that luck alone kept the interruptions away."""
    seen = {"spot": figures(10), "on-demand": figures(20)}
    best = best_of(
        Question(
            CHEAPEST, "cost_usd_per_day", seen, 0.02, hazards={"spot": [0.1, 0.0], "on-demand": [0.0, 0.0]}
        )
    )
    assert (best.settled, best.answer) == (False, None)
    assert best.chance_within == pytest.approx({"spot": 1 - math.exp(-2.0), "on-demand": 0.0}, abs=1e-6)
    assert best.more_replications in {10, 11}, "30 x 0.1: three were to be expected"
