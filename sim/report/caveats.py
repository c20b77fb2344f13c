"""Caveats: what a reader must know before believing the numbers, one sentence each, worst first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from sim.model.metrics import COST, WORK_COST
from sim.model.scenario import WarmUp
from sim.model.units import print_duration
from sim.report.work_cost import differs

if TYPE_CHECKING:
    from sim.model.scenario import Scenario
    from sim.report.metrics import Tree

GROWTH = 0.05
MATTERS = 0.02  # share of the bill
ROUNDING = 1e-9
LEAST_GROWTH = 5  # jobs; below that, growth is chance
NOT_MODELLED = (
    "Karpenter and EKS Auto Mode are not modelled: nodes come from Auto Scaling groups, scaled by"
    " Cluster Autoscaler or not at all"
)


def caveats(scenario: Scenario, replications: Sequence[Tree]) -> list[str]:
    """Return the warnings of a scenario and of what its replications showed."""
    return [
        *scenario.warnings,
        *_warm_up(scenario),
        *_nothing(scenario, replications),
        *_jobs(scenario, replications),
        *_work_cost(replications),
        *_memory(replications),
        *_places(replications),
        *_quota(scenario, replications),
        *_steady(replications),
        *_few_jobs(scenario, replications),
        *_prices(scenario),
        *([NOT_MODELLED] if scenario.cluster.node_groups else []),
    ]


def _warm_up(scenario: Scenario) -> Iterator[str]:
    if scenario.warmup_is is WarmUp.AUTO:
        yield "the warm-up was not looked for: nothing is left out"


def _nothing(scenario: Scenario, replications: Sequence[Tree]) -> Iterator[str]:
    counts = (
        "jobs_completed",
        "jobs_failed",
        "jobs_unfinished",
        "pods_stuck",
        "pods_started",
        "peak_fargate_vcpu",
    )
    if (scenario.pipelines or scenario.pods) and not any(_mean(replications, name) for name in counts):
        yield "nothing happened: no job was made and no pod ran between warm-up and horizon"


def _jobs(scenario: Scenario, replications: Sequence[Tree]) -> Iterator[str]:
    drained_us = scenario.last_us - scenario.horizon_us
    drained = f" {print_duration(drained_us)} after the horizon" if drained_us else " at the horizon"
    for name, what in (
        ("jobs_failed", "jobs failed, were killed or could not run: their latency has no end"),
        ("jobs_unfinished", "jobs were not finished{drained}: their latency is at least their age"),
    ):
        mean = _mean(replications, name)
        if mean:
            yield f"{mean:,.4g} {what.format(drained=drained)} (mean per replication)"


def _work_cost(replications: Sequence[Tree]) -> Iterator[str]:
    bill, work = (_mean(replications, name) for name in (COST, WORK_COST))
    if differs(work, bill, MATTERS):
        yield (
            f"the window was billed {bill:,.4g} USD a day, its work costs {work:,.4g}: work goes on across"
            " the ends of the window, so compare by work_cost_usd_per_day, or measure whole periods"
        )


def _memory(replications: Sequence[Tree]) -> Iterator[str]:
    tasks, pods = _mean(replications, "tasks_oom_killed"), _mean(replications, "pods_oom_killed")
    datums = _mean(replications, "datums_failed")
    if tasks or pods:
        yield (
            f"out of memory: {tasks:,.4g} datum sets were killed and {pods:,.4g} pods evicted for memory"
            " (mean per replication); the datums' peak is above what their containers may use"
        )
    if datums:
        yield f"{datums:,.4g} datums failed all their tries (mean per replication)"


def _places(replications: Sequence[Tree]) -> Iterator[str]:
    refused = {
        reason for tree in replications if isinstance(tree["refused"], Mapping) for reason in tree["refused"]
    }
    yield from (f"Fargate cannot run {reason}" for reason in sorted(refused))
    stuck = _mean(replications, "pods_stuck")
    if stuck:
        yield (
            f"{stuck:,.4g} pods had been waiting for a place for over half an hour at the horizon (mean per"
            " replication): nothing admits them, or there is too little room"
        )


def _quota(scenario: Scenario, replications: Sequence[Tree]) -> Iterator[str]:
    quota = scenario.cluster.fargate_quotas.vcpu
    peak = max(_figures(replications, "peak_fargate_vcpu"))
    largest = max(_figures(replications, "largest_fargate_vcpu"))
    if largest and peak + largest > quota:
        yield (
            f"the Fargate quota of {quota:g} vCPU is met: {peak:g} vCPU were in use at once, no further pod"
            f" of {largest:g} fits; ask AWS to raise it, and set it in the scenario"
        )


def _steady(replications: Sequence[Tree]) -> Iterator[str]:
    growth = _mean(replications, "backlog_growth")
    jobs = sum(_mean(replications, f"jobs_{name}") for name in ("completed", "failed", "unfinished"))
    count = jobs or _mean(replications, "pods_started")
    if growth >= GROWTH and growth * count >= LEAST_GROWTH:
        yield (
            f"no steady state: the backlog grew by {growth:.0%} of what arrived, so latencies depend on the"
            " horizon"
        )


def _few_jobs(scenario: Scenario, replications: Sequence[Tree]) -> Iterator[str]:
    """Yield which targets are of a percentile beyond all but the longest of so few jobs."""
    for slo in scenario.slos:
        jobs = _jobs_of(slo.pipeline, replications)
        if 0 < jobs * (1 - slo.quantile) < 1 - ROUNDING:
            whose = slo.pipeline or "all jobs"
            yield (
                f"p{100 * slo.quantile:g} of {whose} is of {jobs:,.3g} jobs a replication:"
                " nearly the longest of them, which says little of longer spans"
            )


def _jobs_of(pipeline: str, replications: Sequence[Tree]) -> float:
    """Return the jobs completed a replication, 0 where that is not known."""
    if not pipeline:
        return _mean(replications, "jobs_completed")
    found = [
        branch["jobs_completed"]
        for tree in replications
        for pipelines in [tree.get("pipelines")]
        if isinstance(pipelines, Mapping) and isinstance(branch := pipelines.get(pipeline), Mapping)
    ]
    return sum(each for each in found if not isinstance(each, Mapping)) / max(len(found), 1)


def _prices(scenario: Scenario) -> Iterator[str]:
    said = "\n".join(scenario.warnings)
    for note in scenario.prices.notes:
        if note not in said:
            yield f"low-confidence price: {note}"


def _mean(replications: Sequence[Tree], name: str) -> float:
    figures = _figures(replications, name)
    return sum(figures) / len(figures)


def _figures(replications: Sequence[Tree], name: str) -> list[float]:
    figures = []
    for tree in replications:
        metrics = tree["metrics"]
        assert isinstance(metrics, Mapping)
        figure = metrics[name]
        assert not isinstance(figure, Mapping)
        figures.append(figure)
    return figures
