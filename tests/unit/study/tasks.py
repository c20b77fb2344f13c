"""Tasks of a small world: a queue of pods whose rate is the configuration, two milliseconds each."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from sim.model.arrivals import PoissonArrivals
from sim.model.autoscaler import AutoscalerOptions
from sim.model.cluster import Cluster, NodeGroup
from sim.model.distributions import Exponential
from sim.model.pods import PodClass
from sim.model.resources import Resources
from sim.model.scenario import PodLoad, Scenario
from sim.report.metrics import Tree
from sim.study.evaluate import Evaluator, Task

ROOM = Resources(1_000, 1_000)


def queue(per_s: float) -> Scenario:
    """Return ten minutes of one node that takes one pod at a time."""
    load = PodLoad("pods", PoissonArrivals(per_s), PodClass("pod", ROOM, ROOM, "pod"), Exponential(10.0))
    cluster = Cluster(
        node_groups=(NodeGroup.alike("node", ROOM, ROOM, 1, 1, 1, 1),),
        autoscaler=AutoscalerOptions(enabled=False),
    )
    return Scenario("queue", datetime(2026, 1, 5, tzinfo=UTC), 600_000_000, cluster, pods=(load,))


def tasks(configurations: int = 3, replications: Iterable[int] = range(4)) -> list[Task]:
    """Return replications of the queue at ``configurations`` rates."""
    rates = [0.01 * (n + 1) for n in range(configurations)]
    return [Task(f"per_s={rate}", queue(rate), 1, number) for rate in rates for number in replications]


def answer(evaluate: Evaluator, rounds: int = 6, configurations: int = 3) -> str:
    """Return what a study of some rounds finds, each of which depends on the one before, bit for bit."""
    found: list[Tree] = []
    first = 0
    for _ in range(rounds):
        found += evaluate(tasks(configurations, range(first, first + 4)))
        first += 4 + len(text(found[-1:])) % 2
    return text(found)


def text(trees: Sequence[Tree]) -> str:
    """Return metrics with every bit of every number."""
    return json.dumps(trees)
