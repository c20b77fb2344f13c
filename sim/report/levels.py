"""Levels over time: how much work is in progress and how much capacity is paid, in equal bins of the horizon.

What a warm-up is looked for in. Work is jobs from their commit to their end, or plain pods from creation to
their end where no job ever comes; capacity is nodes while they are paid, and Fargate pods.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sim.report.arrays import Float, Int
from sim.report.intervals import SourceKind, lives, source_kinds

if TYPE_CHECKING:
    from sim.model.log import EventLog
    from sim.model.scenario import Scenario

GROWTH_PARTS = 4


@dataclass(frozen=True, slots=True)
class Levels:
    """Time averages of one replication, shape ``(bins,)``, and by how much repositories grew in it.

    ``growth`` is, of the pipeline where it is largest, the mean number of datums of the jobs of the last
    quarter over that of the quarter before, less 1; a job's datums are those of all that its inputs hold.
    """

    work: Float
    capacity: Float
    growth: float


def levels(log: EventLog, scenario: Scenario, edges_us: Int) -> Levels:
    """Return the levels between ``edges_us``, shape ``(bins + 1,)``."""
    lived = lives(log)
    pods, nodes, jobs = lived.pods, lived.nodes, lived.jobs
    if len(jobs):
        work = mean_at_once(jobs.created_us, jobs.ended_us, edges_us)
    else:
        kinds = source_kinds(log, [load.name for load in scenario.pods])
        plain = kinds[pods.source] == SourceKind.PLAIN
        work = mean_at_once(pods.created_us[plain], pods.ended_us[plain], edges_us)
    paid = nodes.launched
    capacity = mean_at_once(nodes.launched_us[paid], nodes.terminated_us[paid], edges_us)
    capacity += mean_at_once(pods.ready_us[pods.fargate], pods.ended_us[pods.fargate], edges_us)
    return Levels(work, capacity, _growth(log))


def mean_at_once(from_us: Int, to_us: Int, edges_us: Int) -> Float:
    """Return how many of the spans ``[from, to)`` hold at once, averaged over each bin.

    >>> mean_at_once(np.array([0, 5]), np.array([10, 20]), np.array([0, 10, 20])).tolist()
    [1.5, 1.0]
    """
    total = _time_since(from_us, edges_us) - _time_since(np.maximum(from_us, to_us), edges_us)
    return np.asarray(np.diff(total) / np.diff(edges_us), np.float64)


def _time_since(instants_us: Int, edges_us: Int) -> Float:
    """Return the time that has passed at each edge since all instants before it, summed."""
    ordered = np.sort(instants_us)
    before = np.searchsorted(ordered, edges_us)
    sums = np.concatenate(([0.0], np.cumsum(ordered, dtype=np.float64)))
    return np.asarray(before.astype(np.float64) * edges_us - sums[before], np.float64)


def _growth(log: EventLog) -> float:
    """Return by how much the datums of jobs grew from the third to the fourth quarter of the jobs."""
    rows = log["job_datums"].rows()
    pipelines = log["jobs"].column("pipeline")[rows[:, 0]]
    totals = rows[:, log["job_datums"].columns.index("total")]
    found = [0.0]
    for pipeline in np.unique(pipelines):
        parts = np.array_split(totals[pipelines == pipeline], GROWTH_PARTS)
        if parts[0].size and parts[-2].mean() > 0:
            found.append(float(parts[-1].mean() / parts[-2].mean() - 1))
    return max(found)
