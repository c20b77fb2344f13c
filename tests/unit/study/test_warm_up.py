"""Warm-up: MSER-5 against its formula and on series with a known start, and what has no steady state."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

import sim
from sim.engine.run import simulate
from sim.errors import InputError
from sim.model.arrivals import (
    PROFILES,
    Arrivals,
    BatchArrivals,
    BurstArrivals,
    CronArrivals,
    PoissonArrivals,
    TimesArrivals,
)
from sim.model.cron import WEEK, YEAR
from sim.model.distributions import Exponential
from sim.model.scenario import WarmUp
from sim.model.units import DAY, HOUR
from sim.report.levels import levels, mean_at_once
from sim.study.periods import RECORDED, period_us
from sim.study.warm_up import find, mser, with_warm_up
from tests.conftest import PROJECT
from tests.queues import a_queue

if TYPE_CHECKING:
    from numpy.typing import NDArray

SEED = 20261123
FARGATE = PROJECT / "scenarios" / "edges-fargate.yaml"


def by_the_formula(series: list[float]) -> int:
    """Return the cut of White (1997) for batches of five, term by term."""
    means = [sum(series[first : first + 5]) / 5 for first in range(0, len(series) - 4, 5)]
    statistics = []
    for cut in range(len(means) - 4):
        left = means[cut:]
        mean = sum(left) / len(left)
        statistics.append(sum((value - mean) ** 2 for value in left) / len(left) ** 2)
    return 5 * statistics.index(min(statistics))


def biased(random: np.random.Generator, length: int = 500) -> NDArray[np.float64]:
    """Return an autoregressive series of mean 0 that starts ten deviations too high and forgets it slowly."""
    noise = random.normal(size=length)
    series = np.empty(length)
    now = 0.0
    for n in range(length):
        now = 0.5 * now + noise[n]
        series[n] = now
    start: NDArray[np.float64] = 12 * np.exp(-np.arange(length) / 20)
    return series + start


def test_mser_against_its_formula() -> None:
    random = np.random.default_rng(SEED)
    cuts = []
    for _ in range(20):
        series = biased(random)
        cuts.append(mser(series))
        assert cuts[-1] == by_the_formula(series.tolist())
    assert all(cut is not None and 30 <= cut <= 200 for cut in cuts)


def test_what_is_left_is_less_biased_and_known_better_than_the_whole() -> None:
    random = np.random.default_rng(SEED)
    whole, left = [], []
    for _ in range(100):
        series = biased(random)
        whole.append(series.mean())
        left.append(series[mser(series) or 0 :].mean())
    assert abs(np.mean(left)) < 0.2 * abs(np.mean(whole))
    assert np.mean(np.square(left)) < 0.25 * np.mean(np.square(whole))


def test_a_series_that_only_grows_has_no_steady_state() -> None:
    assert mser(np.arange(500.0)) is None


def test_levels_by_hand() -> None:
    from_us, to_us = np.array([0, 5, 5, 30]), np.array([10, 20, 5, 25])
    assert mean_at_once(from_us, to_us, np.array([0, 10, 20, 40])).tolist() == [1.5, 1.0, 0.0]


def test_levels_of_a_log_are_its_jobs_nodes_and_fargate_pods() -> None:
    scenario = sim.load(FARGATE, ["horizon=12h", "warmup=0s"])
    result = sim.simulate(scenario)
    edges = np.array([0, scenario.horizon_us])
    found = levels(simulate(scenario, scenario.seed), scenario, edges)
    metrics = result.summary["metrics"]
    assert found.capacity[0] == pytest.approx(
        metrics["mean_nodes"]["mean"] + metrics["mean_fargate_pods"]["mean"], rel=0.01
    )
    horizon_s = scenario.horizon_us / 1e6
    spent_s = result.jobs.ended_s.fillna(horizon_s).clip(upper=horizon_s) - result.jobs.created_s
    assert found.work[0] == pytest.approx(spent_s.sum() / (scenario.horizon_us / 1e6))
    assert found.growth > 0.05


def test_a_queue_that_starts_empty_is_warmed_up() -> None:
    queue = replace(a_queue(10, 0.9, Exponential(10.0), customers=1_500), warmup_is=WarmUp.AUTO)
    result = sim.replicate(queue, 2)
    assert result.summary["warmup_found"] is True
    assert 20 <= result.summary["warmup_s"] <= result.summary["horizon_s"] / 2
    again = replace(queue, warmup_us=round(result.summary["warmup_s"] * 1e6), warmup_is=WarmUp.GIVEN)
    assert sim.replicate(again, 2).summary["metrics"] == result.summary["metrics"]
    assert sim.replicate(again, 2).summary["warmup_found"] is None


def test_a_queue_that_is_loaded_beyond_what_it_can_do_has_no_steady_state() -> None:
    queue = a_queue(2, 1.2, Exponential(10.0), customers=600)
    assert "it is too short, or the backlog grows" in str(find(queue, SEED))


def test_a_repository_that_only_grows_has_no_steady_state() -> None:
    scenario = sim.load(FARGATE, ["horizon=12h", "warmup=auto"])
    assert scenario.warmup_is is WarmUp.AUTO
    document = sim.replicate(scenario, 2).summary
    assert (document["warmup_s"], document["warmup_found"]) == (0.0, False)
    assert any("a repository only grows" in warning for warning in document["warnings"])


def test_the_longest_warm_up_serves_all_scenarios_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    found: dict[str, int | str] = {"a": 60_000_000, "b": 90_000_000, "c": "it only grows"}
    monkeypatch.setattr("sim.study.warm_up.find", lambda scenario, *_: found[scenario.name])
    queue = a_queue(1, 0.5, Exponential(10.0), customers=10)
    sought = [replace(queue, name=name, warmup_is=WarmUp.AUTO) for name in "abc"]
    *ready, given = with_warm_up([*sought, replace(queue, name="d", warmup_us=5)], SEED)
    assert [each.warmup_us for each in ready] == [90_000_000] * 3
    assert [each.warmup_is for each in ready] == [WarmUp.FOUND, WarmUp.FOUND, WarmUp.NOT_FOUND]
    assert (given.warmup_us, given.warmup_is) == (5, WarmUp.GIVEN)


@pytest.mark.parametrize(
    ("arrivals", "period"),
    [
        (PoissonArrivals(1.0), 0),
        (PoissonArrivals(1.0, PROFILES["flat"]), 0),
        (PoissonArrivals(1.0, PROFILES["nightly"]), DAY),
        (PoissonArrivals(1.0, PROFILES["office-hours"]), WEEK),
        (PoissonArrivals(1.0, tuple(map(float, range(24)))), DAY),
        (BurstArrivals(0.1, 1.0, 60.0, 5.0), 0),
        (CronArrivals("@every 90m"), 90 * 60_000_000),
        (CronArrivals("*/5 * * * *"), HOUR),
        (CronArrivals("@daily"), DAY),
        (CronArrivals("0 8 * * 1-5"), WEEK),
        (CronArrivals("0 0 1 * *"), YEAR),
        (BatchArrivals(CronArrivals("@hourly")), HOUR),
        (TimesArrivals((1, 2)), RECORDED),
    ],
    ids=str,
)
def test_periods(arrivals: Arrivals, period: int) -> None:
    queue = a_queue(1, 0.5, Exponential(10.0), customers=10)
    assert period_us(replace(queue, pods=(replace(queue.pods[0], arrivals=arrivals),))) == period


def test_too_few_periods_are_said() -> None:
    queue = a_queue(1, 0.5, Exponential(10.0), customers=10)
    daily = replace(queue.pods[0], arrivals=CronArrivals("@daily"))
    scenario = replace(queue, pods=(daily,), horizon_us=3 * DAY)
    assert find(scenario, SEED) == "arrivals repeat each 1d; it takes a horizon of 10 times that"


def test_ten_periods_are_enough() -> None:
    queue = a_queue(1, 0.5, Exponential(10.0), customers=10)
    hourly = replace(queue.pods[0], arrivals=PoissonArrivals(0.01, PROFILES["nightly"]))
    assert isinstance(find(replace(queue, pods=(hourly,), horizon_us=12 * DAY), SEED), int)


def test_a_warm_up_that_is_neither_is_said() -> None:
    with pytest.raises(InputError, match="warmup is 'soon'; allowed: auto, or"):
        sim.load(FARGATE, ["warmup=soon"])
