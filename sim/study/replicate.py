"""Replications: the same scenario with other luck, as often as asked or as a precision needs.

Replications are numbered and each draws from (seed, number) alone, so neither the executor nor the order
in which they end changes a result. Number 0 always runs here: it says how long the others will take, and
its log is the one that tables and pictures show. The rest runs here too when that is less than two
seconds' work, else on a pool of processes over the cores.

Precision is a sequential rule: it stops after the first round at which the 95 % interval of each of
``TARGETS`` has a half-width of at most g/(1+g) of its mean, which keeps the relative error below g. A
round is ``ROUND`` replications on every machine, the first one as many as were asked for if that is more:
stopping after fewer, at a variance that is small by luck, would cost coverage. A figure that the scenario
does not have, such as a latency without jobs, is left out.
Source: Law, Simulation Modeling and Analysis, 5th ed., §9.4.1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import closing
from dataclasses import replace
from functools import partial
from math import inf
from time import perf_counter
from typing import TypeAlias, cast

from sim.engine.run import simulate as run_engine
from sim.errors import InputError, SimulationError
from sim.model.log import EventLog
from sim.model.scenario import Scenario
from sim.report.metrics import Tree, measure
from sim.report.summary import Interval, interval
from sim.study.progress import Progress
from sim.study.result import Result
from sim.study.warm_up import with_warm_up
from sim.study.workers import Workers

REPLICATIONS = 20
ROUND = 20
MOST = 2_000  # replications; a precision they do not reach is said in the result
Trees: TypeAlias = tuple[Tree, ...]  # one replication of several scenarios
TARGETS = ("cost_usd_per_day", "job_latency_p95_s")


def simulate(scenario: Scenario, seed: int | None = None, replication: int = 0) -> Result:
    """Return the result of one replication; without ``seed`` the scenario's own."""
    seed = _seed(scenario, seed)
    (scenario,) = with_warm_up([scenario], seed)
    log = run(scenario, seed, replication)
    return Result(scenario, seed, {replication: measure(log, scenario)}, log)


def replicate(
    scenario: Scenario,
    replications: int = REPLICATIONS,
    seed: int | None = None,
    *,
    precision: float | None = None,
    executor: Executor | None = None,
    progress: bool | None = None,
) -> Result:
    """Return the result of ``replications`` replications, or of as many more as ``precision`` needs.

    Parameters
    ----------
    seed
        Without one the scenario's own.
    precision
        Largest relative error of cost per day and job latency p95, as a share: 0.05 for 5 %.
    executor
        Where to run all but the first; None: here or on a pool of processes, see the module.
    progress
        Whether to show progress on stderr; None: only on a terminal.

    Ctrl-C ends it early: the result then holds what is done, and warns.
    """

    def enough(done: Sequence[Trees], share: float) -> bool:
        return precise_enough((trees[0] for trees in done), share)

    together = replicate_together(
        (scenario,), replications, seed, enough, precision=precision, executor=executor, progress=progress
    )
    return together[0]


def replicate_together(
    scenarios: Sequence[Scenario],
    replications: int,
    seed: int | None,
    enough: Callable[[Sequence[Trees], float], bool],
    *,
    precision: float | None = None,
    executor: Executor | None = None,
    progress: bool | None = None,
) -> list[Result]:
    """Return a result of each scenario, all over the same replications under one seed.

    ``enough`` says whether replications, each with the metrics of every scenario, have the precision.
    A replication counts when all scenarios have done it; otherwise as `replicate`.
    """
    _check(replications, precision)
    seed = _seed(scenarios[0], seed)
    scenarios = with_warm_up(scenarios, seed, executor)
    started = perf_counter()
    logs = [run(scenario, seed, 0) for scenario in scenarios]
    done = {0: tuple(map(measure, logs, scenarios))}
    each_s = perf_counter() - started
    work = partial(outcomes, tuple(replace(scenario, origin=None) for scenario in scenarios), seed)
    warnings: list[str] = []
    interrupted = False
    try:
        with closing(Progress(progress)) as shown, Workers(executor, each_s=each_s) as workers:
            for target in rounds(replications, precision):
                for number, trees in workers.run(work, range(len(done), target)):
                    done[number] = trees
                    shown.show(len(done), target)
                if precision is None or enough([done[n] for n in sorted(done)], precision):
                    break
            else:
                warnings.append(f"{len(done)} replications do not reach the precision of {precision:.3g}")
    except KeyboardInterrupt:
        interrupted = True
        warnings.append(f"interrupted after {len(done)} of {target} replications")
    return [
        Result(
            scenario,
            seed,
            {number: trees[n] for number, trees in done.items()},
            log,
            tuple(warnings),
            interrupted=interrupted,
        )
        for n, (scenario, log) in enumerate(zip(scenarios, logs, strict=True))
    ]


def run(scenario: Scenario, seed: int, replication: int) -> EventLog:
    """Return the log of one replication; a broken invariant says how to see it again."""
    try:
        return run_engine(scenario, seed, replication)
    except SimulationError as error:
        again = f"{error.message} (seed {seed}, replication {replication})"
        raise SimulationError(again, error.history) from error


def outcome(scenario: Scenario, seed: int, replication: int) -> Tree:
    """Return the metrics of one replication: what crosses from a worker process."""
    return measure(run(scenario, seed, replication), scenario)


def outcomes(scenarios: Sequence[Scenario], seed: int, replication: int) -> Trees:
    """Return the metrics of one replication of each scenario."""
    return tuple(outcome(scenario, seed, replication) for scenario in scenarios)


def precise_enough(replications: Iterable[Tree], precision: float) -> bool:
    """Say whether each target is."""
    figures = [cast("Mapping[str, float]", each["metrics"]) for each in replications]
    return all(is_precise(interval([each[name] for each in figures]), precision) for name in TARGETS)


def is_precise(figure: Interval, precision: float) -> bool:
    """Say whether the relative half-width is at most g/(1+g), or there is nothing to be precise about."""
    return _relative_half_width(figure) <= precision / (1 + precision)


def rounds(replications: int, precision: float | None) -> Iterator[int]:
    """Yield how many replications there should be after each round."""
    if precision is None:
        yield replications
    else:
        first = max(replications, ROUND)
        yield from range(first, max(MOST, first) + 1, ROUND)


def _relative_half_width(figure: Interval) -> float:
    if figure.mean is None:
        return 0.0  # nothing there to be precise about
    if figure.half_width is None:
        return inf
    return figure.half_width / abs(figure.mean) if figure.mean else inf * figure.half_width


def _seed(scenario: Scenario, seed: int | None) -> int:
    if seed is not None and seed < 0:
        raise InputError(field="seed", value=seed, allowed="0 or more")
    return scenario.seed if seed is None else seed


def _check(replications: int, precision: float | None) -> None:
    if replications < 1:
        raise InputError(field="replications", value=replications, allowed="1 or more")
    if precision is not None and not 0.0 < precision < 1.0:
        raise InputError(
            field="precision", value=precision, allowed="above 0 and below 1, such as 0.05 or 5%"
        )
