"""Evaluate: the metrics of replications that a search or a comparison asks for, in the order asked.

What a task gives depends on its scenario, seed and replication alone; its configuration only names it. So
it does not matter where a task runs, in which order tasks end, or whether one ran in an earlier session.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Protocol

from sim.errors import InputError, SimError
from sim.model.scenario import Scenario
from sim.report.metrics import Tree
from sim.study.progress import Progress
from sim.study.replicate import outcome
from sim.study.store import Row, Store, scenario_hash
from sim.study.versions import said, versions
from sim.study.workers import Workers


@dataclass(frozen=True, slots=True)
class Task:
    """One replication of one configuration, whose text (sorted ``path=value`` lines) names it in a store."""

    configuration: str
    scenario: Scenario
    seed: int
    replication: int


class Evaluator(Protocol):
    """Whatever gives the metrics of tasks: here, on a pool of processes, from a store."""

    def __call__(self, tasks: Sequence[Task]) -> list[Tree]:
        """Return the metrics of each task, in the order of the tasks."""


def in_process(tasks: Sequence[Task]) -> list[Tree]:
    """Evaluate the tasks one after the other, here."""
    return [outcome(task.scenario, task.seed, task.replication) for task in tasks]


@contextmanager
def evaluator(
    study: str,
    question: str = "",
    *,
    workers: int | None = None,
    executor: Executor | None = None,
    dask: str | None = None,
    store: str | Path | None = None,
    resume: bool = False,
    progress: bool | None = None,
    total: int | None = None,
) -> Iterator[Evaluator]:
    """Give what evaluates the tasks of a study, for the time of a ``with``.

    Parameters
    ----------
    study, question
        What the store is for.
    workers
        How many processes; None: one per core, 1: none but this.
    executor
        Where to run instead.
    dask
        Address of a running Dask scheduler to run at instead.
    store
        File that keeps finished replications; those of an earlier run are taken from it with ``resume``.
    progress
        Whether to show progress on stderr; None: only on a terminal.
    total
        How many replications it will be at most, for the time left; None: those asked for so far.

    Ctrl-C leaves it as KeyboardInterrupt; what was finished is in the store.
    """
    if workers is not None and workers < 1:
        raise InputError(field="workers", value=workers, allowed="1 or more")
    if resume and store is None:
        raise InputError("needs a store", field="resume", allowed="with --store FILE")
    with ExitStack() as stack:
        rows = None if store is None else stack.enter_context(Store(store, study, question, resume=resume))
        if dask is not None:
            from sim.study.dask_cluster import dask_executor

            executor, workers = stack.enter_context(dask_executor(dask))
        shown = stack.enter_context(closing(Progress(progress)))
        yield Evaluation(stack.enter_context(Workers(executor, workers)), rows, shown, total)


class Evaluation:
    """An evaluator on workers, with or without a store; each call is a round of the study."""

    def __init__(self, workers: Workers, store: Store | None, shown: Progress, total: int | None) -> None:
        self._workers = workers
        self._store = store
        self._shown = shown
        self._total = total
        self._asked = self._done = self._stored = 0
        self._round = 0
        self._simulated: dict[str, tuple[Scenario, Scenario, bytes]] = {}

    def __call__(self, tasks: Sequence[Task]) -> list[Tree]:
        """Return the metrics of each task, in the order of the tasks."""
        self._asked += len(tasks)
        rows = [] if self._store is None else [self._row(task) for task in tasks]
        found = {} if self._store is None else dict(self._store.read(rows))
        self._stored += len(found)
        todo = [(place, self._lean(task)) for place, task in enumerate(tasks) if place not in found]
        for (place, _), tree in self._workers.run(partial(_metrics, versions()), todo):
            if self._store is not None:
                self._store.add(rows[place], tree)
            found[place] = tree
            self._done += 1
            self._shown.show(self._done + self._stored, max(self._total or 0, self._asked), self._stored)
        self._round += 1
        return [found[place] for place in range(len(tasks))]

    def _row(self, task: Task) -> Row:
        return Row(task.configuration, self._lean_and_hash(task)[1], task.seed, task.replication, self._round)

    def _lean(self, task: Task) -> Task:
        """Return the task as it goes to workers, without what is said about the scenario."""
        return replace(task, scenario=self._lean_and_hash(task)[0])

    def _lean_and_hash(self, task: Task) -> tuple[Scenario, bytes]:
        known = self._simulated.get(task.configuration)
        if known is None or known[0] is not task.scenario:
            lean = replace(task.scenario, question="", assumptions=(), warnings=(), origin=None)
            known = task.scenario, lean, b"" if self._store is None else scenario_hash(lean)
            self._simulated[task.configuration] = known
        return known[1:]


def _metrics(asked: tuple[str, str], item: tuple[int, Task]) -> Tree:
    """Return the metrics of a task; a worker of other versions would give others."""
    if versions() != asked:
        raise SimError(f"a worker runs {said(versions())}; allowed: {said(asked)}, as here")
    task = item[1]
    return outcome(task.scenario, task.seed, task.replication)
