"""Small queues as studies: how many servers there should be."""

from __future__ import annotations

from typing import Any

from evidence.problems import queue, study
from sim.model.distributions import Exponential
from sim.model.scenario import Scenario
from sim.model.study import Study


def queue_study(servers: range, arrival_per_s: float, *, horizon_s: int = 1_000, **said: Any) -> Study:
    """Return a study of M/M/c with ten-second customers, by c."""

    def world(servers: int) -> Scenario:
        return queue(servers, arrival_per_s, Exponential(10.0), horizon_s)

    return study("queue", {"servers": servers}, world, **said)
