"""Stability against queues of known load: how often a verdict is false, and how often there is one.

Queues are made by Lindley's recursion (first come first served; Kleinrock, Queueing Systems I, §8.1), not by
the simulator. M/M/c and M/D/1 are stable exactly where the load is below 1.
"""

from __future__ import annotations

import heapq
from collections import Counter

import numpy as np
import pytest

from sim.report.flow import backlog
from sim.study.stability import Flow, judged

SECOND = 1_000_000
REPLICATIONS = 4
QUEUES = 40


def queue(
    load: float, jobs: int, servers: int, rng: np.random.Generator, *, fixed: bool
) -> tuple[np.ndarray, np.ndarray, int]:
    """Return when jobs come and leave, in microseconds, and the end; a service takes a second on average."""
    end_s = jobs / (load * servers)
    came = np.cumsum(rng.exponential(1 / (load * servers), round(1.3 * jobs) + 100))
    came = came[came < end_s]
    service = np.ones(len(came)) if fixed else rng.exponential(1.0, len(came))
    free, left = [0.0] * servers, np.empty(len(came))
    for n, (at, takes) in enumerate(zip(came.tolist(), service.tolist(), strict=True)):
        left[n] = max(at, heapq.heappop(free)) + takes
        heapq.heappush(free, left[n])
    return (came * SECOND).astype(np.int64), (left * SECOND).astype(np.int64), round(end_s * SECOND)


def verdicts(load: float, jobs: int, servers: int = 1, *, fixed: bool = False) -> Counter[Flow]:
    """Return what is said of so many queues, each of four replications, the first eighth left out."""
    rng = np.random.default_rng([round(1000 * load), jobs, servers])
    found: Counter[Flow] = Counter()
    for _ in range(QUEUES):
        seen = []
        for _ in range(REPLICATIONS):
            came, left, end_us = queue(load, jobs, servers, rng, fixed=fixed)
            seen.append(backlog(came, left, servers + 1, end_us // 8, end_us))
        found[judged(seen, load * servers, (end_us - end_us // 8) / SECOND).flow] += 1
    return found


@pytest.mark.parametrize(
    ("load", "jobs", "servers", "fixed"),
    [
        pytest.param(0.5, 500, 1, False, id="M/M/1 at 0.5"),
        pytest.param(0.9, 2_000, 1, False, id="M/M/1 at 0.9"),
        pytest.param(0.9, 4_000, 12, False, id="M/M/12 at 0.9"),
        pytest.param(0.95, 4_000, 1, True, id="M/D/1 at 0.95"),
    ],
)
def test_busy_queues_are_stable(load: float, jobs: int, servers: int, fixed: bool) -> None:
    found = verdicts(load, jobs, servers, fixed=fixed)
    assert found[Flow.UNSTABLE] == 0
    assert found[Flow.STABLE] >= QUEUES - 1


@pytest.mark.parametrize(
    ("load", "jobs", "servers", "fixed"),
    [
        pytest.param(1.02, 10_000, 1, False, id="M/M/1 at 1.02"),
        pytest.param(1.05, 4_000, 1, False, id="M/M/1 at 1.05"),
        pytest.param(1.1, 2_000, 4, False, id="M/M/4 at 1.1"),
        pytest.param(1.02, 3_000, 1, True, id="M/D/1 at 1.02"),
    ],
)
def test_overloaded_queues_are_unstable(load: float, jobs: int, servers: int, fixed: bool) -> None:
    """At the least loads in three of four, and never said to be stable."""
    found = verdicts(load, jobs, servers, fixed=fixed)
    assert found[Flow.STABLE] == 0
    assert found[Flow.UNSTABLE] >= QUEUES * 3 // 4


def test_at_a_load_of_one_nothing_is_said() -> None:
    found = verdicts(1.0, 3_000)
    assert found[Flow.UNSTABLE] <= 1
    assert found[Flow.STABLE] <= 1
