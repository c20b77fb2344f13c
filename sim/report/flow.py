"""Flow: whether what comes in goes out again, source by source, and whether latency climbs in the window.

A source of jobs (a pipeline) or of plain pods has a *backlog*: its jobs from commit to end, its pods from
creation to a place. It is *saturated* while its backlog is larger than what can be under way at once: jobs of
a pipeline beyond its parallelism (that many are admitted), pods that wait beside another one. What leaves
while a source is saturated, over that time, is what it can do at most, whatever arrives; in blocks, so that
the scatter of that rate is seen in one replication. Growth is the difference of the mean backlogs of the last
and the middle third of the window.

``climb_s_per_day`` is the slope of the 95th percentile of a pipeline's latency over equal blocks of the
window: its days, or eighths of a window of less than three. A job that goes on counts with its age.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from sim.report.intervals import SourceKind, source_kinds

if TYPE_CHECKING:
    from sim.model.log import EventLog
    from sim.model.scenario import Scenario
    from sim.report.arrays import Float, Int
    from sim.report.intervals import Lives

Numbers: TypeAlias = "Mapping[str, float | Mapping[str, float]]"

BLOCKS = 12
SECOND_US = 1_000_000
DAY_US = 86_400 * SECOND_US
LEAST_DAYS = 3
EIGHTHS = 8
CROWD = 2  # pods that wait at once: one alone may only be on its way to a place


def flow(log: EventLog, scenario: Scenario, lived: Lives) -> Mapping[str, Numbers]:
    """Return the flow of each pipeline and of each source of plain pods between warm-up and horizon."""
    found: dict[str, Numbers] = {}
    jobs, pods = lived.jobs, lived.pods
    parallelism = [load.pipeline.parallelism for load in scenario.pipelines]
    for row, name in enumerate(log.names["pipeline"]):
        mine = jobs.pipeline == row
        created_us, ended_us = jobs.created_us[mine], jobs.ended_us[mine]
        found[name] = {
            **backlog(created_us, ended_us, parallelism[row] + 1, log.warmup_us, log.horizon_us),
            **climb(created_us, (ended_us - created_us) / SECOND_US, log.warmup_us, log.horizon_us),
        }
    kinds = source_kinds(log, [load.name for load in scenario.pods])
    placed_us = np.where(pods.fargate, pods.granted_us, pods.ready_us)
    for row, name in enumerate(log.names["source"]):
        if kinds[row] == SourceKind.PLAIN:
            mine = pods.source == row
            found[name] = backlog(
                pods.created_us[mine], placed_us[mine], CROWD, log.warmup_us, log.horizon_us
            )
    return found


def backlog(created_us: Int, left_us: Int, crowd: int, from_us: int, to_us: int) -> Numbers:
    """Return the numbers of one backlog in ``[from_us, to_us)``; it is saturated from ``crowd`` on.

    Keys: ``created`` how many came; ``middle`` and ``last`` the mean backlog of those thirds; ``free_last``
    the share of the last third in which it is not saturated; ``saturated_s`` and ``done`` by block.
    """
    stays = left_us > created_us
    came_us, left_us = created_us[stays], left_us[stays]
    left_us = left_us[left_us < to_us]
    times = np.concatenate((came_us, left_us))
    steps = np.concatenate((np.ones(len(came_us), np.int64), np.full(len(left_us), -1)))
    order = np.lexsort((-steps, times))
    times, steps = times[order], steps[order]
    level = np.cumsum(steps)
    edges = np.linspace(from_us, to_us, BLOCKS + 1)
    many = _over(times, (level >= crowd).astype(np.float64), edges)
    mean = _over(times, level.astype(np.float64), edges) / np.diff(edges)
    done_us = times[(steps < 0) & (level - steps >= crowd)]
    third = BLOCKS // 3
    return {
        "created": float(np.count_nonzero((created_us >= from_us) & (created_us < to_us))),
        "middle": float(mean[third : 2 * third].mean()),
        "last": float(mean[2 * third :].mean()),
        "free_last": float(1 - many[2 * third :].sum() / np.diff(edges)[2 * third :].sum()),
        "saturated_s": _by_block(many / SECOND_US),
        "done": _by_block(np.histogram(done_us, edges)[0].astype(np.float64)),
    }


def climb(created_us: Int, latency_s: Float, from_us: int, to_us: int) -> dict[str, float]:
    """Return by how much the p95 of latency climbs a day, NaN where fewer than three blocks have jobs."""
    days = (to_us - from_us) // DAY_US
    count = days if days >= LEAST_DAYS else EIGHTHS
    edges = from_us + np.arange(count + 1) * (DAY_US if days >= LEAST_DAYS else (to_us - from_us) / EIGHTHS)
    at = np.searchsorted(edges, created_us, side="right") - 1
    inside = (at >= 0) & (at < count)
    blocks = np.unique(at[inside])
    if len(blocks) < LEAST_DAYS:
        return {"climb_s_per_day": np.nan}
    p95 = np.array([np.percentile(latency_s[at == block], 95) for block in blocks])
    middle_days = (edges[blocks] + edges[blocks + 1]) / 2 / DAY_US
    off = middle_days - middle_days.mean()
    return {"climb_s_per_day": float((off * p95).sum() / (off**2).sum())}


def _over(times: Int, value: Float, edges: Float) -> Float:
    """Return the integral of a step function over each block; it has ``value[n]`` from ``times[n]`` on."""
    if not len(times):
        return np.zeros(len(edges) - 1)
    sums = np.concatenate(([0.0], np.cumsum(value[:-1] * np.diff(times))))
    at = np.searchsorted(times, edges, side="right") - 1
    known = np.maximum(at, 0)
    until = np.where(at < 0, 0.0, sums[known] + value[known] * (edges - times[known]))
    return np.diff(until)


def _by_block(values: Float) -> dict[str, float]:
    return {str(block): value for block, value in enumerate(values.tolist())}
