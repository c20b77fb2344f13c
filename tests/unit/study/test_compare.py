"""Comparisons with a made-up engine: what is run and said, and when it stops; one with the real engine."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

import sim
from sim.errors import InputError
from sim.model.cluster import Cluster
from sim.model.log import EventLog
from sim.model.scenario import Scenario, Slo
from sim.report.metrics import Tree, measure
from sim.study import replicate as module
from sim.study.compare import compare, precise_enough
from sim.study.replicate import ROUND
from tests.conftest import PROJECT

A = Scenario(
    "a", datetime(2026, 1, 5, tzinfo=UTC), 86_400_000_000, Cluster(), seed=7, slos=(Slo(0.95, 900.0),)
)
B = replace(A, name="b", seed=9)
C = replace(A, name="c")
Made = Callable[[str, int, int], tuple[float, float]]
NOTHING = measure(EventLog(horizon_us=A.horizon_us), A)


def put(monkeypatch: pytest.MonkeyPatch, made: Made) -> list[tuple[str, int, int]]:
    """Put ``made(name, seed, number)``, cost and latency, for engine and report; give the runs."""
    runs: list[tuple[str, int, int]] = []

    def simulated(scenario: Scenario, seed: int, number: int) -> EventLog:
        runs.append((scenario.name, seed, number))
        return EventLog(horizon_us=seed, warmup_us=number)

    def measured(log: EventLog, scenario: Scenario) -> Tree:
        cost, latency_s = made(scenario.name, log.horizon_us, log.warmup_us)
        figures = {"cost_usd_per_day": cost, "job_latency_p95_s": latency_s}
        metrics = NOTHING["metrics"]
        assert not isinstance(metrics, float)
        target = {"0": {"latency_s": latency_s, "share_within": 1.0}}
        return {**NOTHING, "metrics": {**metrics, **figures}, "slo": target}

    monkeypatch.setattr(module, "run_engine", simulated)
    monkeypatch.setattr(module, "measure", measured)
    return runs


def same_luck(name: str, seed: int, number: int) -> tuple[float, float]:
    luck = float(np.random.default_rng([seed, number]).normal())
    own = float(np.random.default_rng([seed, number, ord(name)]).normal())
    return 100 + luck + 0.1 * own + (name == "b"), 500 + luck


def test_all_scenarios_get_the_same_seed_and_replications(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = put(monkeypatch, same_luck)
    comparison = compare([A, B], 3)
    assert runs == [(name, 7, number) for number in range(3) for name in ("a", "b")]
    assert {name: list(each.replications) for name, each in comparison.results.items()} == {
        "a": [0, 1, 2],
        "b": [0, 1, 2],
    }


def test_what_a_comparison_says(monkeypatch: pytest.MonkeyPatch) -> None:
    put(monkeypatch, same_luck)
    document = compare([A, B, C], 20, seed=3).summary
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert document["scenarios"] == ["a", "b", "c"]
    assert document["seed"] == 3
    pairs = [
        (row["scenario"], row["minus"])
        for row in document["differences"]
        if row["figure"] == "cost_usd_per_day"
    ]
    assert pairs == [("b", "a"), ("c", "a"), ("c", "b")]
    row = document["differences"][0]
    assert row["verdict"] == "alike", "1 of 100 is within 2 %"
    low, high = row["difference"]["ci95"]
    assert low < 1.0 < high
    assert row["variance_reduction"] == pytest.approx(2.02 / 0.02, rel=0.8)
    cheapest, fastest, holds = document["best"]
    assert cheapest["chance"]["b"] == 0.0
    assert fastest["figure"] == "job_latency_p95_s"
    assert holds["answer"] == cheapest["answer"]
    assert sum(cheapest["chance"].values()) == pytest.approx(1.0)


def test_differences_as_a_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    put(monkeypatch, same_luck)
    frame = compare([A, B], 20).differences
    assert list(frame.columns[:7]) == ["figure", "pipeline", "scenario", "minus", "difference", "low", "high"]
    assert (frame.low <= frame.high).all()


def test_a_figure_that_one_of_them_never_has_is_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    put(monkeypatch, lambda name, seed, number: (float(number), math.nan if name == "a" else 1.0))
    document = compare([A, B], 3).summary
    assert {row["figure"] for row in document["differences"]} == {
        "cost_usd_per_day",
        "cost_usd_per_month",
        "work_cost_usd_per_day",
    }
    assert [row["question"] for row in document["best"]] == ["cheapest", "cheapest that holds its targets"]


def test_different_spans_and_targets_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    put(monkeypatch, same_luck)
    warnings = compare([A, replace(B, warmup_us=1, slos=())], 2).summary["warnings"]
    assert any("different spans" in warning for warning in warnings)
    assert any("different targets" in warning for warning in warnings)


def test_precision_is_that_of_the_differences(monkeypatch: pytest.MonkeyPatch) -> None:
    put(monkeypatch, same_luck)
    assert len(compare([A, B], 20, precision=0.001).results["a"].replications) == ROUND
    assert len(module.replicate(A, 20, precision=0.003).replications) > ROUND


def test_the_rule_for_differences_by_hand() -> None:
    def tree(cost: float) -> Tree:
        return {"metrics": {"cost_usd_per_day": cost, "job_latency_p95_s": math.nan}}

    apart = [(tree(10.0), tree(10.0 + difference)) for difference in (0.9, 1.0, 1.1)]
    half_width = 4.302653 * 0.1 / math.sqrt(3)
    assert precise_enough(apart, half_width / 10 * 1.05)
    assert not precise_enough(apart, half_width / 10)


def test_an_interrupt_keeps_what_all_have_done(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(name: str, seed: int, number: int) -> tuple[float, float]:
        if (name, number) == ("b", 3):
            raise KeyboardInterrupt
        return same_luck(name, seed, number)

    put(monkeypatch, interrupted)
    comparison = compare([A, B], 20)
    assert comparison.interrupted
    assert [len(each.replications) for each in comparison.results.values()] == [3, 3]
    assert comparison.summary["warnings"][0] == "interrupted after 3 of 20 replications"


@pytest.mark.parametrize(
    ("scenarios", "options", "message"),
    [
        pytest.param([A], {}, "scenarios is 1; allowed: two or more", id="one"),
        pytest.param([A, A], {}, "two scenarios are called a", id="one twice"),
        pytest.param([A, B], {"replications": 0}, "replications is 0", id="no replications"),
        pytest.param([A, B], {"indifference": 2.0}, "indifference is 2.0", id="200 %"),
    ],
)
def test_what_cannot_be_asked(scenarios: list[Scenario], options: dict[str, float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        compare(scenarios, **options)  # type: ignore[arg-type]  # the options differ in type


def test_common_random_numbers_cut_the_variance_of_the_real_engine() -> None:
    files = [PROJECT / "scenarios" / f"edges-{kind}.yaml" for kind in ("autoscaled", "fargate")]
    scenarios = [sim.load(file, ["horizon=12h", "warmup=0s"]) for file in files]
    rows = sim.compare(scenarios, 6).summary["differences"]
    cut = {row["figure"]: row["variance_reduction"] for row in rows}
    assert cut["job_latency_p95_s"] > 5
    assert cut["cost_usd_per_day"] > 1
