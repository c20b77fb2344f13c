"""Metrics: one replication as a small tree of numbers, which pickles and is all that a summary needs.

What counts: all jobs and pods created in ``[warmup, horizon)``, wherever they end; time averages, peaks,
datums and money of that span. A latency or a start is that of every one of them: a job that ended in FAILURE,
KILLED or UNRUNNABLE has no end, and what still goes on when the drain ends took at least its age
(`sim.report.durations`). So a number may be known, NaN where nothing was there to make it, such as a latency
without jobs, or infinite to whoever judges by it. Of an infinite one ``at_least`` has, by the dotted path in
the tree, what it is at least, and ``endless`` has a 1 where that is because work failed or never starts.
`sim.model.metrics` has a row for each metric, ``docs/json.md`` every key.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from sim.model.log import PodEnd, TaskEnd
from sim.model.machines import HOURS_PER_MONTH
from sim.model.metrics import ALL, COST, PIPELINE, PODS, SOURCE, WORK_COST, Asked, not_usual, usual
from sim.model.units import HOUR
from sim.report import job_numbers, pod_numbers
from sim.report.bill import Use, make_bill
from sim.report.durations import AT_LEAST, ENDLESS, Measured
from sim.report.flow import flow
from sim.report.intervals import lives
from sim.report.job_numbers import JobNumbers
from sim.report.pod_numbers import PodNumbers, at_once
from sim.report.work_cost import work_usd

if TYPE_CHECKING:
    from sim.model.log import EventLog
    from sim.model.scenario import Scenario
    from sim.report.arrays import Float, Int
    from sim.report.bill import Bill
    from sim.report.durations import Durations
    from sim.report.intervals import Lives
    from sim.report.meters import Window

Tree: TypeAlias = "Mapping[str, float | Tree]"
Numbers: TypeAlias = "dict[str, float | Measured]"

HOURS_PER_DAY = 24
SHARED = "shared"
NOBODY = np.zeros(0, np.int64)
OF_PIPELINES = frozenset(usual(PIPELINE))


def measure(log: EventLog, scenario: Scenario) -> Tree:
    """Return the metrics of one replication, grouped as in the JSON document."""
    to_horizon = log.to_horizon()
    lived = lives(log)
    at_horizon = lived if to_horizon is log else lives(to_horizon)
    bill = make_bill(to_horizon, scenario, at_horizon, log.warmup_us)
    jobs = JobNumbers(log, lived, at_horizon)
    sources = log.names["source"]
    pods = PodNumbers(log, lived, at_horizon, bill.window, scenario.pods)
    sources_usd = {name: _uses(row) for name, row in zip([*sources, SHARED], bill.by_source, strict=True)}
    usd = {name: {"cost_usd": uses["total"]} for name, uses in sources_usd.items()}
    nothing = {"cost_usd": 0.0}
    tree = {
        "metrics": {
            **_costs(bill, work_usd(log, scenario, lived, bill), jobs.datums_processed()),
            **jobs.numbers(),
            **pods.numbers(),
            **_capacity(to_horizon, at_horizon, bill.window),
            "backlog_growth": _backlog_growth(at_horizon, bill.window),
            **_killed_for_memory(at_horizon, bill.window),
        },
        "pipelines": {
            name: {
                **usd.get(name, nothing),
                **jobs.numbers(jobs.of(row)),
                **_of_pipeline(pods.numbers(_row(sources, name))),
                "waits_s": jobs.waits_s(jobs.of(row)),
            }
            for row, name in enumerate(log.names["pipeline"])
        },
        PODS: {
            load.name: {**usd.get(load.name, nothing), **pods.numbers(_row(sources, load.name))}
            for load in scenario.pods
        },
        "bill_usd": {"total": bill.total_usd, **bill.items},
        "waste_usd": _uses(bill.by_use),
        "sources_usd": sources_usd,
        "waits_s": jobs.waits_s(),
        "pod_waits_s": pods.waits_s(),
        "refused": _refused(to_horizon),
        "flow": flow(log, scenario, lived),
        "longest": {"wait_s": pods.longest_wait_s()},
        "slo": {str(n): jobs.target(slo) for n, slo in enumerate(scenario.slos)},
    }
    for wanted in not_usual(scenario.measured):
        _branch(tree, wanted)[wanted.name] = _asked(wanted, log, jobs, pods)
    return _known(tree)


def _known(tree: Mapping[str, Any]) -> Tree:
    """Return the tree with plain numbers, and what is known of those that are not."""
    unknown = dict(_unknown("", tree))
    return {
        **_numbers(tree),
        AT_LEAST: {path: each.at_least for path, each in unknown.items()},
        ENDLESS: {path: 1.0 for path, each in unknown.items() if each.endless},
    }


def _unknown(path: str, branch: Mapping[str, Any]) -> Iterator[tuple[str, Measured]]:
    for key, twig in branch.items():
        if isinstance(twig, Mapping):
            yield from _unknown(f"{path}{key}.", twig)
        elif isinstance(twig, Measured):
            yield f"{path}{key}", twig


def _numbers(branch: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: _numbers(twig) if isinstance(twig, Mapping) else np.inf if isinstance(twig, Measured) else twig
        for key, twig in branch.items()
    }


def _row(sources: list[str], name: str) -> int:
    """Return the row of a source, one beyond all where it never was one."""
    return sources.index(name) if name in sources else len(sources)


def _of_pipeline(numbers: Numbers) -> Numbers:
    """Return the numbers of pods that a pipeline has: its pods are in no trace."""
    return {name: number for name, number in numbers.items() if name in OF_PIPELINES}


def _branch(tree: dict[str, Any], wanted: Asked) -> dict[str, Any]:
    """Return the branch in which a metric that was asked for belongs."""
    if wanted.part is ALL:
        found: dict[str, Any] = tree["metrics"]
    else:
        found = tree[PODS if wanted.part is SOURCE else "pipelines"].get(wanted.work, {})
    return found


def _asked(wanted: Asked, log: EventLog, jobs: JobNumbers, pods: PodNumbers) -> float | Measured:
    """Return a quantile, or the share within a limit, of job latency or pod start."""
    durations = _durations(wanted, log, jobs, pods)
    assert wanted.number is not None
    if wanted.metric.name in {job_numbers.SHARE_WITHIN, pod_numbers.SHARE_WITHIN}:
        return durations.share_within(wanted.number)
    return durations.quantiles([wanted.number / 100])[0]


def _durations(wanted: Asked, log: EventLog, jobs: JobNumbers, pods: PodNumbers) -> Durations:
    everything = wanted.part is ALL
    if wanted.metric.name in {job_numbers.LATENCY, job_numbers.SHARE_WITHIN}:
        pipelines = log.names["pipeline"]
        if everything:
            return jobs.latencies()
        return jobs.latencies(jobs.of(pipelines.index(wanted.work)) if wanted.work in pipelines else NOBODY)
    return pods.starts(None if everything else _row(log.names["source"], wanted.work))


def _killed_for_memory(lived: Lives, window: Window) -> dict[str, float]:
    """Return what was killed for memory in the window."""
    claims, pods = lived.claims, lived.pods
    tasks = (claims.outcome == TaskEnd.OOM_KILLED) & (claims.ended_us >= window.from_us)
    evicted = (pods.reason == PodEnd.OOM_KILLED) & (pods.ended_us >= window.from_us)
    return {"tasks_oom_killed": float(tasks.sum()), "pods_oom_killed": float(evicted.sum())}


def _costs(bill: Bill, work_usd: float, datums: float) -> dict[str, float]:
    """Return what the window cost per day, per month of 730 hours and per 1,000 datums, and what its work."""
    per_hour = bill.total_usd / bill.window.hours
    return {
        COST: per_hour * HOURS_PER_DAY,
        "cost_usd_per_month": per_hour * HOURS_PER_MONTH,
        "cost_usd_per_1000_datums": bill.total_usd / datums * 1000 if datums else np.nan,
        WORK_COST: work_usd / bill.window.hours * HOURS_PER_DAY,
        "work_cost_usd": work_usd,
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
