"""Replications with a made-up engine: what is run, where, in which order it ends, and when it stops."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from time import sleep

import numpy as np
import pytest

from sim.errors import InputError, SimulationError
from sim.model.cluster import Cluster
from sim.model.log import EventLog
from sim.model.scenario import Scenario
from sim.report.metrics import Tree
from sim.report.summary import interval
from sim.study import replicate as module
from sim.study import workers
from sim.study.replicate import MOST, ROUND, precise_enough, replicate, simulate

SCENARIO = Scenario("made up", datetime(2026, 1, 5, tzinfo=UTC), 86_400_000_000, Cluster(), seed=7)


def figures(cost: float, latency: float = math.nan) -> Tree:
    return {"metrics": {"cost_usd_per_day": cost, "job_latency_p95_s": latency}}


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[int, int], Tree]], list[int]]:
    """Return what puts ``made(seed, number)`` in the place of engine and report; it gives the runs."""

    def put(made: Callable[[int, int], Tree]) -> list[int]:
        runs: list[int] = []

        def simulated(_: Scenario, seed: int, number: int) -> EventLog:
            runs.append(number)
            return EventLog(horizon_us=seed, warmup_us=number)

        def measured(log: EventLog, _: Scenario) -> Tree:
            return made(log.horizon_us, log.warmup_us)

        monkeypatch.setattr(module, "run_engine", simulated)
        monkeypatch.setattr(module, "measure", measured)
        return runs

    return put


Engine = Callable[[Callable[[int, int], Tree]], list[int]]


def test_each_replication_runs_once_and_the_seed_is_the_scenarios_own(engine: Engine) -> None:
    runs = engine(lambda seed, number: figures(seed + number / 10))
    result = replicate(SCENARIO, 4)
    assert runs == [0, 1, 2, 3]
    assert result.replications == {n: figures(7 + n / 10) for n in range(4)}
    assert result.log.warmup_us == 0
    assert simulate(SCENARIO, seed=3, replication=5).replications == {5: figures(3.5)}


def test_results_are_in_order_whichever_ends_first(engine: Engine) -> None:
    def later_ones_end_first(_: int, number: int) -> Tree:
        sleep(0.01 * (4 - number))
        return figures(number)

    engine(later_ones_end_first)
    with ThreadPoolExecutor(4) as threads:
        result = replicate(SCENARIO, 5, executor=threads)
    assert list(result.replications.items()) == [(n, figures(n)) for n in range(5)]


@pytest.mark.parametrize(("first_s", "pools"), [(0.1, 0), (0.2, 1)], ids=["1.9 s of work", "3.8 s of work"])
def test_a_pool_from_two_seconds_of_work(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, first_s: float, pools: int
) -> None:
    started = 0

    @contextmanager
    def pool(_: int) -> Iterator[Executor]:
        nonlocal started
        started += 1
        with ThreadPoolExecutor(2) as threads:
            yield threads

    clock = iter([10.0, 10.0 + first_s])
    monkeypatch.setattr(module, "perf_counter", lambda: next(clock))
    monkeypatch.setattr(workers, "process_pool", pool)
    engine(lambda _, number: figures(number))
    assert len(replicate(SCENARIO, 20).replications) == 20
    assert started == pools


def test_precision_ends_after_the_first_round_that_has_it(engine: Engine) -> None:
    costs = np.random.default_rng(5).gamma(4.0, 25.0, MOST)
    engine(lambda _, number: figures(float(costs[number])))
    count = len(replicate(SCENARIO, 20, precision=0.05).replications)

    def relative_half_width(n: int) -> float:
        half_width = interval(costs[:n].tolist()).half_width
        assert half_width is not None
        return half_width / float(costs[:n].mean())

    assert count > ROUND
    assert count % ROUND == 0
    assert relative_half_width(count) <= 0.05 / 1.05
    assert all(relative_half_width(n) > 0.05 / 1.05 for n in range(ROUND, count, ROUND))


def test_precision_holds_for_latency_too_where_there_are_jobs() -> None:
    noisy = [figures(10.0, latency) for latency in (100.0, 300.0, 200.0)]
    assert not precise_enough(noisy, 0.05)
    assert precise_enough([figures(10.0)] * 2, 0.05)
    assert not precise_enough([figures(10.0)], 0.05)


def test_a_precision_out_of_reach_is_said(engine: Engine) -> None:
    engine(lambda _, number: figures(float(number % 2)))
    result = replicate(SCENARIO, 20, precision=0.001)
    assert len(result.replications) == MOST
    assert result.warnings == ("2000 replications do not reach the precision of 0.001",)


def test_an_interrupt_keeps_what_is_done(engine: Engine) -> None:
    def interrupted(_: int, number: int) -> Tree:
        if number == 3:
            raise KeyboardInterrupt
        return figures(number)

    engine(interrupted)
    result = replicate(SCENARIO, 20)
    assert list(result.replications) == [0, 1, 2]
    assert result.warnings == ("interrupted after 3 of 20 replications",)


def test_a_broken_invariant_says_how_to_see_it_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> EventLog:
        raise SimulationError("pod 7 is on two nodes", ["created", "bound"])

    monkeypatch.setattr(module, "run_engine", broken)
    with pytest.raises(SimulationError, match=r"pod 7 is on two nodes \(seed 7, replication 2\)") as raised:
        simulate(SCENARIO, replication=2)
    assert raised.value.history == ("created", "bound")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"replications": 0}, "replications is 0; allowed: 1 or more"),
        ({"seed": -1}, "seed is -1; allowed: 0 or more"),
        ({"precision": 5.0}, "precision is 5.0; allowed: above 0 and below 1, such as 0.05 or 5%"),
    ],
    ids=str,
)
def test_what_cannot_be_asked(options: dict[str, float], message: str) -> None:
    with pytest.raises(InputError) as raised:
        replicate(SCENARIO, **options)  # type: ignore[arg-type] # the options differ in type
    assert str(raised.value) == message
