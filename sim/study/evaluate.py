"""Evaluate: the metrics of replications that a search or a comparison asks for, in the order asked.

What a task gives depends on its scenario, seed and replication alone; its configuration only names it. So
it does not matter where a task runs, in which order tasks end, or whether one ran in an earlier session.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from sim.model.scenario import Scenario
from sim.report.metrics import Tree
from sim.study.replicate import outcome


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
