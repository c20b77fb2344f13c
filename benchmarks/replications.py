"""Replications of the seed's scenario over one day: here, on one process and on two, and what a study adds.

Speeds are of warm pools, with a store, over five interleaved rounds of at least six seconds each; a day is
simulated with other luck every time. What the study layer adds is CPU time over calling engine and report,
replication by replication the same.
"""

from __future__ import annotations

import itertools
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median

import sim
from benchmarks.measure import PROJECT, ROUNDS, Figure, against
from sim.engine.run import simulate
from sim.model.scenario import Scenario
from sim.report.metrics import measure
from sim.study.evaluate import Evaluator, Task, evaluator
from sim.study.executors import process_pool

A_DAY = ("horizon=1d", "warmup=0s")
ROUND_S = 6.5
WIDTHS, UNNEEDED_MINUTES = range(1, 11), range(2, 22, 2)
REPLICATIONS = 20


def figures(quick: bool) -> Iterator[Figure]:
    """Yield all figures of this file."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        stores = (Path(folder) / f"{number}.db" for number in itertools.count())

        def on(workers: int) -> Evaluator:
            executor = stack.enter_context(process_pool(workers))
            return stack.enter_context(
                evaluator("bench", executor=executor, workers=workers, store=next(stores))
            )

        here = stack.enter_context(evaluator("bench", workers=1, store=next(stores)))
        yield from overhead(here, 25, 1 if quick else 20)
        one, two = on(1), on(2)
        yield from speeds(one, two, ROUND_S / 6 if quick else ROUND_S, 1 if quick else ROUNDS)
        yield hundred_configurations(two, 2 if quick else REPLICATIONS)


def day(*sets: str) -> Scenario:
    """Return the seed's scenario over one day."""
    return sim.load(PROJECT / "scenarios" / "edges-autoscaled.yaml", [*A_DAY, *sets])


class Days:
    """Days of the seed's scenario, each with other luck."""

    def __init__(self) -> None:
        """Begin with the first."""
        self.scenario = day()
        self.next = 0

    def tasks(self, count: int) -> list[Task]:
        """Return the next days."""
        first, self.next = self.next, self.next + count
        return [Task("", self.scenario, 1, number) for number in range(first, first + count)]


def overhead(here: Evaluator, count: int, rounds: int) -> Iterator[Figure]:
    """Measure what the study layer adds to the engine, in one process."""
    days = Days()

    def through_the_study() -> float:
        tasks = days.tasks(count)
        start = time.process_time()
        here(tasks)
        return (time.process_time() - start) / count

    def directly() -> float:
        days.next -= count
        tasks = days.tasks(count)
        start = time.process_time()
        for task in tasks:
            measure(simulate(task.scenario, task.seed, task.replication), task.scenario)
        return (time.process_time() - start) / count

    here(days.tasks(5))
    direct = against(through_the_study, directly, rounds)
    yield Figure("a day of edges-autoscaled, CPU", 1_000 * direct.value, "ms", "", True)
    added = 100 * (1 / direct.ratio - 1)
    yield Figure("overhead of the study layer", added, "%", "<= 5", added <= 5)


def speeds(one: Evaluator, two: Evaluator, round_s: float, rounds: int) -> Iterator[Figure]:
    """Measure replications per second on one process and on two."""
    days = Days()
    each_s = min(_seconds(evaluate, days.tasks(count)) / count for evaluate, count in ((one, 20), (two, 40)))
    single = round(round_s / each_s / 2)

    coordinator_s: list[float] = []

    def per_s(evaluate: Evaluator, count: int) -> float:
        tasks = days.tasks(count)
        before_s = time.process_time()
        seconds = _seconds(evaluate, tasks)
        coordinator_s.append((time.process_time() - before_s) / count)
        return count / seconds

    speed = against(lambda: per_s(one, single), lambda: per_s(two, 2 * single), rounds)
    yield Figure("replications/s, 1 process", speed.yardstick, "1/s", "", True)
    yield Figure("replications/s, 2 processes", speed.value, "1/s", "", True)
    efficiency = speed.ratio / 2
    yield Figure("parallel efficiency, 2 processes", efficiency, "", ">= 0.85", efficiency >= 0.85)
    yield Figure("CPU of the coordinator per replication", 1_000 * median(coordinator_s), "ms", "", True)


def hundred_configurations(evaluate: Evaluator, replications: int) -> Figure:
    """Time 100 configurations, from their texts to their metrics."""
    start = time.perf_counter()
    tasks = []
    for workers, minutes in itertools.product(WIDTHS, UNNEEDED_MINUTES):
        sets = (
            f"pipelines[edges].parallelismSpec.constant={workers}",
            f"cluster.autoscaler.scale-down-unneeded-time={minutes}m",
        )
        scenario = day(*sets)
        tasks += [Task("\n".join(sets), scenario, 1, number) for number in range(replications)]
    evaluate(tasks)
    seconds = time.perf_counter() - start
    name = f"{len(tasks) // replications} configurations x {replications}, 2 processes"
    return Figure(name, seconds, "s", "<= 60", seconds <= 60)


def _seconds(evaluate: Evaluator, tasks: Sequence[Task]) -> float:
    start = time.perf_counter()
    evaluate(tasks)
    return time.perf_counter() - start
