"""The figures: what is measured, and the target it is held against."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from benchmarks import autoscaler, replications, worlds
from benchmarks.measure import MIB, PROJECT, ROUNDS, Figure, against, peak_over_start_bytes
from benchmarks.yardstick import pods_per_s, pods_per_s_of_few
from sim.engine.run import simulate
from sim.model.cluster import SchedulerKind
from sim.model.scenario import Scenario
from sim.report.metrics import measure

MILLION = 1_000_000


def full_model(scenario: Scenario) -> float:
    """Return the seconds that a run takes with its log, bill and waits; state checking is off."""
    start = time.perf_counter()
    measure(simulate(scenario, 1), scenario)
    return time.perf_counter() - start


def pods_a_second(count: int, scheduler: SchedulerKind) -> float:
    """Return the speed of the full model in the world of pods."""
    return count / full_model(worlds.pods(count, scheduler))


def pods(quick: bool) -> Iterator[Figure]:
    """Measure the full model against the empty SimPy loop."""
    count, rounds = (MILLION // 10, 1) if quick else (MILLION, ROUNDS)
    for kind, target in ((SchedulerKind.FIRST_FIT, 0.5), (SchedulerKind.UPSTREAM, 0.2)):
        ratio = against(partial(pods_per_s, count), partial(pods_a_second, count, kind), rounds)
        yield Figure(f"pods/s, {kind.value}", ratio.value, "1/s", "", True)
        yield Figure(
            f"ratio to the yardstick, {kind.value}", ratio.ratio, "", f">= {target}", ratio.ratio >= target
        )
    yield Figure("yardstick", ratio.yardstick, "pods/s", "", True)
    few = against(partial(pods_per_s, count), partial(pods_per_s_of_few, count), rounds)
    yield Figure("the same loop with 32 pods in flight, against the yardstick", few.ratio, "", "", True)


def scaling(quick: bool) -> Iterator[Figure]:
    """Measure how the cost of a pod grows with their number; the longest run first, so that all are warm."""
    sizes = (MILLION // 10, 10_000) if quick else (MILLION, MILLION // 10, 10_000)
    for kind in SchedulerKind:
        cost = [statistics.median(_costs(size, kind)) for size in sizes]
        growth = max(cost) / min(cost) - 1
        name = f"cost per pod, {sizes[-1]:,} to {sizes[0]:,}, {kind.value}"
        yield Figure(name, 100 * growth, "% spread", "<= 25", growth <= 0.25)


def _costs(pods: int, kind: SchedulerKind) -> list[float]:
    """Return the cost of a pod in one run, or in several if they are short."""
    return [1 / pods_a_second(pods, kind) for _ in range(ROUNDS if pods < MILLION // 10 else 1)]


def memory(quick: bool) -> Iterator[Figure]:
    """Measure what a pod's life takes of log and of memory."""
    count = MILLION // 10 if quick else MILLION
    scenario = worlds.pods(count, SchedulerKind.FIRST_FIT)
    log = simulate(scenario, 1)
    lives = len(log["pods"])
    yield Figure("log", log.nbytes / lives, "bytes/pod", "<= 150", log.nbytes <= 150 * lives)
    peak = peak_over_start_bytes(partial(_run, scenario))
    yield Figure("peak memory over the start", peak / lives, "bytes/pod", "<= 400", peak <= 400 * lives)


def datums(quick: bool) -> Iterator[Figure]:
    """Measure datums in one job of many and in many jobs of few."""
    total = MILLION // 5 if quick else 2 * MILLION
    large = total / full_model(worlds.datums(1, total, 64, -(-total // 256)))
    yield Figure("datums/s, one job in 256 sets on 64 workers", large, "1/s", ">= 5e6", large >= 5e6)
    jobs = 500 if quick else 5_000
    small = 40 * jobs / full_model(worlds.datums(jobs, 40, 5, 2))
    yield Figure("datums/s, jobs of 40 on 5 workers", small, "1/s", ">= 3e5", small >= 3e5)


def week(quick: bool) -> Iterator[Figure]:
    """Measure a week of 50 pipelines, in commits of 800 datums and of 40; not scaled down."""
    del quick
    scenario = worlds.week()
    seconds = full_model(scenario)
    yield Figure("a week of 50 pipelines", seconds, "s", "<= 5", seconds <= 5)
    peak = peak_over_start_bytes(partial(_run, scenario)) / MIB
    yield Figure("a week of 50 pipelines, peak memory", peak, "MiB", "<= 500", peak <= 500)
    seconds = full_model(worlds.busy_week())
    yield Figure("the same in 25,000 small commits", seconds, "s", "", True)


def commands(quick: bool) -> Iterator[Figure]:
    """Measure what a user waits for at the prompt."""
    rounds = 1 if quick else ROUNDS
    python = sys.executable
    bare = (python, "-c", "import typer, rich")
    help_ = (str(Path(sys.executable).with_name("pachsim")), "--help")
    run = (
        str(Path(sys.executable).with_name("pachsim")),
        "run",
        "scenarios/edges-fargate.yaml",
        "--replications",
        "5",
    )
    ratio = against(partial(_seconds, bare), partial(_seconds, help_), rounds).ratio
    yield Figure("--help against importing typer and rich", ratio, "", "<= 1.3", ratio <= 1.3)
    seconds = sorted(_seconds(run) for _ in range(rounds))[rounds // 2]
    yield Figure("run edges-fargate.yaml --replications 5", seconds, "s", "<= 1.5", seconds <= 1.5)


def _seconds(command: tuple[str, ...]) -> float:
    start = time.perf_counter()
    subprocess.run(command, cwd=PROJECT, check=True, capture_output=True)
    return time.perf_counter() - start


def _run(scenario: Scenario) -> None:
    measure(simulate(scenario, 1), scenario)


SUITES: dict[str, Callable[[bool], Iterator[Figure]]] = {
    "pods": pods,
    "scaling": scaling,
    "memory": memory,
    "datums": datums,
    "week": week,
    "autoscaler": autoscaler.figures,
    "replications": replications.figures,
    "commands": commands,
}
