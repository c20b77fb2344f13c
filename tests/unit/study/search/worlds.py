"""Studies without a simulator: metrics are drawn from what each configuration truly is."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np

from sim.errors import InputError
from sim.model.cluster import Cluster
from sim.model.metrics import ALL, usual
from sim.model.scenario import Scenario
from sim.model.study import Choice, Factor, Study
from sim.report.metrics import Tree
from sim.study.evaluate import Task

BLANK = Scenario("blank", datetime(2026, 1, 5, tzinfo=UTC), 1, Cluster())
Truth = Callable[[dict[str, int]], dict[str, float]]


def factor(name: str, choices: int, *, ordered: bool = True) -> Factor:
    return Factor(name, tuple(Choice(f"{n}", (f"{name}={n}",)) for n in range(choices)), ordered)


def a_study(*factors: Factor, invalid: str = "", **said: Any) -> Study:
    """Return a study whose scenarios only carry their configuration, in the name."""

    def configure(sets: tuple[str, ...]) -> Scenario:
        if invalid and invalid in sets:
            raise InputError(f"cannot have {invalid}")
        return replace(BLANK, name=" ".join(sets))

    return Study("a study", factors, configure, **{"explain": 0.0, **said})


METRICS = usual(ALL)


@dataclass
class Drawn:
    """Normal figures about the true ones: a day's luck that all share, and each one's own."""

    truth: Truth
    shared: float = 1.0
    own: float = 0.5
    asked: list[Task] = field(default_factory=list)

    def __call__(self, tasks: Sequence[Task]) -> list[Tree]:
        self.asked += tasks
        return [self._tree(task) for task in tasks]

    def _tree(self, task: Task) -> Tree:
        chosen = {
            name: int(value) for name, value in (each.split("=") for each in task.scenario.name.split())
        }
        day = np.random.default_rng([task.seed, task.replication])
        own = np.random.default_rng([task.seed, task.replication, zlib.crc32(task.configuration.encode())])
        common = day.normal(0, self.shared, len(METRICS))
        metrics = dict.fromkeys(METRICS, 0.0)
        for name, value in self.truth(chosen).items():
            noise = common[METRICS.index(name)] + own.normal(0, self.own)
            metrics[name] = value + float(noise)
        return {
            "metrics": metrics,
            "slo": {
                f"{n}": {"latency_s": metrics["job_latency_p95_s"]} for n in range(len(task.scenario.slos))
            },
        }
