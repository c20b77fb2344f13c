"""What an answer depends on: inputs of the world, screening, and where it tips over."""

from __future__ import annotations

from pathlib import Path

import pytest

from evidence.problems import queue
from sim.loader import load
from sim.model.arrivals import PoissonArrivals
from sim.model.distributions import Exponential
from sim.model.study import Constraint
from sim.study.evaluate import in_process
from sim.study.search import search
from sim.study.search.inputs import inputs
from sim.study.search.tipping import DOWN, UP, _bracket
from tests.conftest import PROJECT
from tests.oracle.queueing import mmc_wait_beyond
from tests.unit.study.search.queues import queue_study
from tests.unit.study.search.worlds import Drawn, a_study, factor


def test_the_world_has_the_inputs_that_it_has() -> None:
    assert list(inputs(queue(1, 1.0, Exponential(1.0), 10))) == [
        "arrival rate",
        "start-up time",
        "price of nodes",
    ]
    edges = load(Path(PROJECT / "scenarios" / "edges-fargate.yaml"))
    assert list(inputs(edges)) == ["arrival rate", "start-up time", "price of nodes", "price of Fargate"]
    faster = inputs(edges)["arrival rate"](edges, 2.0).repos[0].commits
    assert isinstance(faster, PoissonArrivals)
    assert isinstance(edges.repos[0].commits, PoissonArrivals)
    assert faster.per_s == 2 * edges.repos[0].commits.per_s
    slower = inputs(edges)["start-up time"](edges, 2.0).latency
    assert slower.fargate.ready_s.mean == pytest.approx(2 * edges.latency.fargate.ready_s.mean)
    assert slower.ec2.ready_s.mean == pytest.approx(2 * edges.latency.ec2.ready_s.mean)
    dearer = inputs(edges)["price of Fargate"](edges, 3.0).prices
    assert dearer.fargate_vcpu_hour == pytest.approx(3 * edges.prices.fargate_vcpu_hour)
    assert dearer.control_plane_hour == edges.prices.control_plane_hour


def test_screening_finds_the_effects_that_are_there() -> None:
    def sloped(chosen: dict[str, int]) -> dict[str, float]:
        return {"cost_usd_per_day": 50.0 + 4 * chosen["steep"] + chosen["gentle"]}

    study = a_study(factor("gentle", 4), factor("steep", 4), factor("idle", 2), budget=1_000, explain=0.5)
    rows = search(study, Drawn(sloped, own=0.1)).document["screening"]
    assert [row["input"] for row in rows] == ["steep", "gentle", "idle"]
    assert rows[0]["mean_effect"] == pytest.approx(12.0, rel=0.05)
    assert rows[1]["mean_effect"] == pytest.approx(3.0, rel=0.2)
    assert rows[2]["mean_effect"] < 0.2


@pytest.mark.parametrize("tips_at", [1.1, 1.3, 1.9, 3.5, 0.8, 0.3])
def test_bisection_closes_in_on_where_it_tips(tips_at: float) -> None:
    def chance(factor: float) -> float:
        return float((factor > tips_at) == (tips_at > 1))

    factors = UP if tips_at > 1 else DOWN
    loses = next(factor for factor in factors if chance(factor) == 1)
    wins, loses = _bracket(chance, factors, loses)
    assert min(wins, loses) <= tips_at <= max(wins, loses)
    assert max(wins, loses) / min(wins, loses) < 1.05


def test_what_cannot_be_told_apart_is_the_interval() -> None:
    def chance(factor: float) -> float:
        return 0.0 if factor < 1.2 else 1.0 if factor > 1.7 else 0.5

    wins, loses = _bracket(chance, UP, 2.0)
    assert 1.05 < wins < 1.2
    assert 1.7 < loses < 1.95


def test_more_customers_tip_a_queue_over_to_more_servers() -> None:
    """By Erlang's formula two servers hold the limit up to 1.247 times 0.1 customers a second.

    A short day that begins empty has shorter waits, so that it tips over somewhat later.
    """
    steady = 1.247
    assert mmc_wait_beyond(2, 0.1 * steady, 0.1, 30.0) == pytest.approx(0.05, abs=0.001)
    limit = Constraint("pod_start_p95_s", 30.0)
    study = queue_study(range(2, 4), 0.1, constraints=(limit,), budget=760, explain=0.8, horizon_s=500)
    rows = {row["input"]: row for row in search(study, in_process).document["tipping"]}
    low, high = rows["arrival rate"]["ci95"]
    assert low < steady * 1.3
    assert steady < high <= 2.0
    assert rows["arrival rate"]["then"] == "better with servers 3 instead of 2"
    assert rows["price of nodes"]["factor"] is None
