"""Metrics: one replication as a small tree of numbers, which pickles and is all that a summary needs.

What counts: jobs and pods created in ``[warmup, horizon)``, wherever they end; time averages, peaks,
datums and money of that span. A job that ended in SUCCESS has a latency; FAILURE, KILLED and
UNRUNNABLE count as failed and what goes on at the horizon as unfinished, both without a latency.
Percentiles are linear between order statistics (Hyndman and Fan's type 7, numpy's default). A number
that nothing was there to make, such as a latency without jobs, is NaN. ``docs/json.md`` has every key.

A target's percentile is stricter, so that no configuration holds it by not finishing: a failed job
counts as endless, an unfinished one that is older than the target with its age, a younger one not at
all, because it may hold it yet.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from sim.model.log import PodEnd, TaskEnd
from sim.model.machines import HOURS_PER_MONTH
from sim.model.units import HOUR
from sim.report.bill import Use, make_bill
from sim.report.intervals import lives, source_kinds
from sim.report.job_numbers import JobNumbers
from sim.report.pod_numbers import PodNumbers, at_once

if TYPE_CHECKING:
    from sim.model.log import EventLog
    from sim.model.scenario import Scenario
    from sim.report.arrays import Float, Int
    from sim.report.bill import Bill
    from sim.report.intervals import Lives
    from sim.report.meters import Window

Tree: TypeAlias = "Mapping[str, float | Tree]"

HOURS_PER_DAY = 24
SHARED = "shared"


def measure(log: EventLog, scenario: Scenario) -> Tree:
    """Return the metrics of one replication, grouped as in the JSON document."""
    lived = lives(log)
    bill = make_bill(log, scenario, lived, log.warmup_us)
    jobs = JobNumbers(log, lived)
    kinds = source_kinds(log, [load.name for load in scenario.pods])
    pods = PodNumbers(log, lived, kinds, bill.window)
    sources = log.names["source"]
    sources_usd = {name: _uses(row) for name, row in zip([*sources, SHARED], bill.by_source, strict=True)}
    return {
        "metrics": {
            **_costs(bill, jobs.datums_processed()),
            **jobs.numbers(),
            **pods.numbers(),
            **_capacity(log, lived, bill.window),
            "backlog_growth": _backlog_growth(lived, bill.window),
            "tasks_oom_killed": float((lived.claims.outcome == TaskEnd.OOM_KILLED).sum()),
            "pods_oom_killed": float((lived.pods.reason == PodEnd.OOM_KILLED).sum()),
        },
        "pipelines": {
            name: {
                "cost_usd": sources_usd[name]["total"] if name in sources else 0.0,
                **jobs.numbers(jobs.of(row)),
                **pods.numbers(pods.of(sources.index(name) if name in sources else len(sources))),
                "waits_s": jobs.waits_s(jobs.of(row)),
            }
            for row, name in enumerate(log.names["pipeline"])
        },
        "bill_usd": {"total": bill.total_usd, **bill.items},
        "waste_usd": _uses(bill.by_use),
        "sources_usd": sources_usd,
        "waits_s": jobs.waits_s(),
        "pod_waits_s": pods.waits_s(),
        "refused": _refused(log),
        "slo": {str(n): jobs.target(slo) for n, slo in enumerate(scenario.slos)},
    }


def _costs(bill: Bill, datums: float) -> dict[str, float]:
    """Return what the window cost per day, per month of 730 hours and per 1,000 datums."""
    per_hour = bill.total_usd / bill.window.hours
    return {
        "cost_usd_per_day": per_hour * HOURS_PER_DAY,
        "cost_usd_per_month": per_hour * HOURS_PER_MONTH,
        "cost_usd_per_1000_datums": bill.total_usd / datums * 1000 if datums else np.nan,
    }


def _uses(usd: Float) -> dict[str, float]:
    """Return amounts by use, and their total."""
    return {**{use.name.lower(): float(usd[use]) for use in Use}, "total": float(usd.sum())}


def _capacity(log: EventLog, lived: Lives, window: Window) -> dict[str, float]:
    """Return how many nodes and Fargate pods there were, and for how long they were paid."""
    nodes, pods = lived.nodes, lived.pods
    mean_nodes, peak_nodes = at_once(nodes.ready_us[nodes.came_up], nodes.gone_us[nodes.came_up], window)
    on_fargate = np.flatnonzero(pods.fargate)
    mean_pods, peak_pods = at_once(pods.ready_us[on_fargate], pods.ended_us[on_fargate], window)
    sizes = log["fargate_pods"].rows()
    granted = pods.granted_us[sizes[:, 1]]
    return {
        "mean_nodes": mean_nodes,
        "peak_nodes": peak_nodes,
        "node_hours": _hours(nodes.launched_us[nodes.launched], nodes.terminated_us[nodes.launched], window),
        "mean_fargate_pods": mean_pods,
        "peak_fargate_pods": peak_pods,
        "fargate_pod_hours": _hours(pods.ready_us[on_fargate], pods.ended_us[on_fargate], window),
        "peak_fargate_vcpu": _peak_sum(granted, pods.ended_us[sizes[:, 1]], sizes[:, 2]) / 1000,
        "largest_fargate_vcpu": float(sizes[:, 2].max(initial=0)) / 1000,
    }


def _refused(log: EventLog) -> dict[str, float]:
    """Return how many pods Fargate refused, by source and reason."""
    rows = log["fargate_refusals"].rows()
    sources = log["pods"].column("source")[rows[:, 1]]
    counted = Counter(zip(sources.tolist(), rows[:, 2].tolist(), strict=True))
    names = log.names
    return {
        f"{names['source'][source]}: {names['reason'][reason]}": float(pods)
        for (source, reason), pods in counted.items()
    }


def _hours(from_us: Int, to_us: Int, window: Window) -> float:
    return float((window.clip(to_us) - window.clip(from_us)).sum() / HOUR)


def _peak_sum(from_us: Int, to_us: Int, amount: Int) -> float:
    """Return the largest sum of the amounts that hold at once; what ends makes room first."""
    times, changes = np.concatenate((from_us, to_us)), np.concatenate((amount, -amount))
    return float(np.cumsum(changes[np.lexsort((changes, times))]).max(initial=0))


def _backlog_growth(lived: Lives, window: Window) -> float:
    """Return by how many the jobs in progress grew over the window, per job created in it.

    Plain pods that wait for a place count where there are no jobs. A system that keeps up ends with
    about as many as it began with; one loaded beyond what it can do gains the excess of each arrival.
    """
    if len(lived.jobs):
        created_us, left_us = lived.jobs.created_us, lived.jobs.ended_us
        going_on = lived.jobs.state < 0
    else:
        created_us, left_us = lived.pods.created_us, lived.pods.running_us
        going_on = ~lived.pods.ran & (lived.pods.reason < 0)
    before = (created_us < window.from_us) & ((left_us > window.from_us) | going_on)
    return float((going_on.sum() - before.sum()) / max((created_us >= window.from_us).sum(), 1))
