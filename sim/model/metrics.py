"""Metrics: what a replication is measured by, one row each, from which all who name one take it.

Documents, tables, targets, constraints and predictions follow from these rows. A row whose name has a
``{}`` is a family: any quantile of job latency or pod start, the share within any limit. The usual members
are always measured, others where a scenario asks for them (``Scenario.measured``). Of one pipeline a metric
is called ``pipelines.NAME.METRIC``, of one source of plain pods ``pods.NAME.METRIC``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum, StrEnum

PIPELINES, PODS = "pipelines", "pods"
COST, WORK_COST = "cost_usd_per_day", "work_cost_usd_per_day"
LATENCY, START = "job_latency_p95_s", "pod_start_p95_s"
_NUMBER = r"(\d+(?:\.\d+)?)"


class Quantity(StrEnum):
    """What kind of number it is, which says between which bounds it lives; a level need not be whole."""

    TIME = "time"
    MONEY = "money"
    COUNT = "count"
    LEVEL = "level"
    SHARE = "share"
    CHANGE = "change"

    @property
    def least(self) -> float:
        """Return the smallest value that there can be."""
        return -math.inf if self is Quantity.CHANGE else 0.0

    @property
    def most(self) -> float:
        """Return the largest value that there can be."""
        return 1.0 if self is Quantity.SHARE else math.inf


class Good(StrEnum):
    """Which way is better."""

    LOW = "low"
    HIGH = "high"
    NEITHER = "neither"


class Bounded(StrEnum):
    """What is said of work not done: nothing, that it takes at least its age, that it is not within."""

    WHOLE = "whole"
    AT_LEAST = "at least"
    NOT_WITHIN = "not within"


class Part(Enum):
    """Of whom a metric is."""

    ALL = "all"
    PIPELINE = "pipeline"
    SOURCE = "source of plain pods"


ALL, PIPELINE, SOURCE = Part
EVERYBODY = (ALL, PIPELINE, SOURCE)
LOW, HIGH, NEITHER = Good
TIME, MONEY, COUNT, LEVEL, SHARE, CHANGE = Quantity


OF_TARGETS = {"latency_s": TIME, "share_within": SHARE}
"""What the figures of a target are."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One row: a name, what people call it, and what it means.

    ``section`` is the part of a run's table that shows it, "" for none; ``promised`` says whether a
    prediction holds it; ``usual`` are the members of a family that are always measured.
    """

    name: str
    label: str
    meaning: str
    quantity: Quantity
    good: Good = NEITHER
    of: tuple[Part, ...] = (ALL,)
    section: str = ""
    promised: bool = False
    bounded: Bounded = Bounded.WHOLE
    usual: tuple[float, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Return what is always measured."""
        return tuple(self.name.format(f"{x:g}") for x in self.usual) if self.is_family else (self.name,)

    @property
    def is_family(self) -> bool:
        """Say whether a number is part of the name."""
        return "{}" in self.name

    def label_of(self, name: str) -> str:
        """Return what people call a member.

        >>> METRIC["job_latency_p95_s"].label_of("job_latency_p95_s")
        'job latency p95, s'
        """
        number = self.number(name)
        return self.label if number is None else self.label.format(f"{number:g}")

    def number(self, name: str) -> float | None:
        """Return the number in a member's name; None where it is no member."""
        pattern = re.escape(self.name).replace(r"\{\}", _NUMBER)
        found = re.fullmatch(pattern, name) if self.is_family else None
        return None if found is None else float(found[1])


METRICS = (
    Metric(COST, "USD a day", "the whole bill of the window, per 24 hours", MONEY, LOW, (ALL,), "Cost", True),
    Metric(
        "cost_usd_per_month",
        "USD a month (730 h)",
        "the same per 730 hours",
        MONEY,
        LOW,
        (ALL,),
        "Cost",
        True,
    ),
    Metric(
        "cost_usd_per_1000_datums",
        "USD per 1,000 datums",
        "the whole bill per 1,000 datums processed",
        MONEY,
        LOW,
        (ALL,),
        "Cost",
    ),
    Metric(
        WORK_COST,
        "USD a day for the window's work",
        "the cost of the window's work, below, per 24 hours of the window",
        MONEY,
        LOW,
        (ALL,),
        "Cost",
        True,
    ),
    Metric(
        "work_cost_usd",
        "USD for the window's work",
        "the bill of the window, less what it paid for jobs and plain pods created before it, plus what those"
        " created in it cost before and after it until they were done",
        MONEY,
        LOW,
    ),
    Metric(
        "cost_usd",
        "USD",
        "its row of `sources_usd`, of the whole window",
        MONEY,
        LOW,
        (PIPELINE, SOURCE),
        "",
        True,
    ),
    Metric(
        "jobs_completed",
        "jobs completed",
        "jobs that ended in SUCCESS",
        COUNT,
        HIGH,
        (ALL, PIPELINE),
        "Work",
        True,
    ),
    Metric(
        "jobs_unfinished",
        "jobs unfinished",
        "jobs that go on at the end of the drain",
        COUNT,
        LOW,
        (ALL, PIPELINE),
        "Work",
    ),
    Metric(
        "jobs_failed",
        "jobs failed",
        "jobs that ended in FAILURE, KILLED or UNRUNNABLE",
        COUNT,
        LOW,
        (ALL, PIPELINE),
        "Work",
        True,
    ),
    Metric(
        "job_latency_mean_s",
        "job latency mean, s",
        "from the opening of the source commit to the finished output commit, of all jobs; a job that failed"
        " has no end, one that goes on takes at least its age",
        TIME,
        LOW,
        (ALL, PIPELINE),
        "",
        True,
        Bounded.AT_LEAST,
    ),
    Metric(
        "job_latency_p{}_s",
        "job latency p{}, s",
        "a percentile of the same, linear between order statistics; any other where a study names it",
        TIME,
        LOW,
        (ALL, PIPELINE),
        "Latency",
        True,
        Bounded.AT_LEAST,
        (50, 95, 99),
    ),
    Metric(
        "job_share_within_{}_s",
        "jobs within {} s",
        "share of jobs that ended in SUCCESS so many seconds after their commit, where a study names it",
        SHARE,
        HIGH,
        (ALL, PIPELINE),
        bounded=Bounded.NOT_WITHIN,
    ),
    Metric(
        "datums_processed",
        "datums processed",
        "datums in sets that ended well",
        COUNT,
        HIGH,
        (ALL, PIPELINE),
        "Work",
        True,
    ),
    Metric(
        "datums_lost",
        "datums lost and done again",
        "datums in sets that were lost with their worker or thrown away, and so done again",
        COUNT,
        LOW,
        (ALL, PIPELINE),
        "Work",
    ),
    Metric(
        "datums_failed",
        "datums failed",
        "datums that failed all their tries, in jobs that ended",
        COUNT,
        LOW,
        (ALL, PIPELINE),
    ),
    Metric(
        "pods_started",
        "pods started",
        "pods that ran; base load is in none of the figures of pods",
        COUNT,
        NEITHER,
        EVERYBODY,
        "Work",
    ),
    Metric(
        "pods_lost",
        "pods lost",
        "pods drained, preempted, interrupted, killed for memory, or gone with their node",
        COUNT,
        LOW,
        EVERYBODY,
        "Work",
    ),
    Metric(
        "pods_withdrawn",
        "pods withdrawn",
        "pods that were taken away before they ran, such as workers of a pipeline that went into standby;"
        " they are in no figure of starts",
        COUNT,
        NEITHER,
        EVERYBODY,
    ),
    Metric(
        "pods_stuck",
        "pods stuck at the horizon",
        "pods without a place at the horizon for more than half an hour",
        COUNT,
        LOW,
        EVERYBODY,
        "Work",
    ),
    Metric(
        "pods_waited_30m",
        "pods that waited half an hour",
        "pods that ever waited more than half an hour for a place",
        COUNT,
        LOW,
        EVERYBODY,
        "Work",
    ),
    Metric(
        "rows_dropped",
        "trace rows that fit nowhere",
        "rows of traces that fit nowhere: their pods never start, and count so",
        COUNT,
        LOW,
        (ALL, SOURCE),
        "Work",
    ),
    Metric(
        "pod_start_mean_s",
        "pod to Running mean, s",
        "from a pod's creation to its containers running; one that goes on waiting takes at least its age",
        TIME,
        LOW,
        EVERYBODY,
        bounded=Bounded.AT_LEAST,
    ),
    Metric(
        "pod_start_p{}_s",
        "pod to Running p{}, s",
        "a percentile of the same; any other is measured where a study names it",
        TIME,
        LOW,
        EVERYBODY,
        "Capacity",
        True,
        Bounded.AT_LEAST,
        (50, 95),
    ),
    Metric(
        "pod_share_within_{}_s",
        "pods running within {} s",
        "share of pods that ran so many seconds after their creation, where a study names it",
        SHARE,
        HIGH,
        EVERYBODY,
        bounded=Bounded.NOT_WITHIN,
    ),
    Metric(
        "mean_workers",
        "workers, mean",
        "pods running at once, on average",
        LEVEL,
        NEITHER,
        EVERYBODY,
        "Capacity",
        True,
    ),
    Metric(
        "peak_workers",
        "workers, peak",
        "pods running at once, at most",
        COUNT,
        NEITHER,
        EVERYBODY,
        "Capacity",
        True,
    ),
    Metric(
        "mean_nodes",
        "nodes, mean",
        "EC2 nodes there at once, from Ready until they are gone, on average",
        LEVEL,
        section="Capacity",
        promised=True,
    ),
    Metric("peak_nodes", "nodes, peak", "the same, at most", COUNT, section="Capacity", promised=True),
    Metric(
        "node_hours",
        "node hours",
        "EC2 hours paid, before rounding",
        TIME,
        LOW,
        section="Capacity",
        promised=True,
    ),
    Metric(
        "mean_fargate_pods",
        "Fargate pods, mean",
        "Fargate pods at once, from the start of the image pull, on average",
        LEVEL,
        promised=True,
    ),
    Metric("peak_fargate_pods", "Fargate pods, peak", "the same, at most", COUNT, promised=True),
    Metric(
        "fargate_pod_hours",
        "Fargate pod hours",
        "Fargate hours paid, before rounding",
        TIME,
        LOW,
        section="Capacity",
        promised=True,
    ),
    Metric(
        "peak_fargate_vcpu",
        "Fargate vCPU, peak",
        "vCPU of Fargate in use at once, as the quota counts them: starting and running",
        LEVEL,
    ),
    Metric("largest_fargate_vcpu", "Fargate vCPU of a pod", "vCPU of the largest Fargate pod", LEVEL),
    Metric(
        "backlog_growth",
        "backlog growth",
        "jobs in progress at the horizon less those at the end of the warm-up, per job created in between"
        " (pods waiting, where there are no jobs)",
        CHANGE,
        LOW,
    ),
    Metric("tasks_oom_killed", "datum sets killed for memory", "datum sets killed for memory", COUNT, LOW),
    Metric("pods_oom_killed", "pods evicted for memory", "pods evicted for memory", COUNT, LOW),
)

METRIC = {name: metric for metric in METRICS for name in metric.names}
"""Rows by the names that are always measured."""

COMPARED_JOBS = tuple(name for name in METRIC if name.startswith("job_latency"))
COMPARED = (
    COST,
    "cost_usd_per_month",
    WORK_COST,
    *COMPARED_JOBS,
    *(name for name in METRIC if name.startswith("pod_start")),
)
"""What comparisons show of everything, and of each pipeline, in their order."""


def percentiles(name: str) -> list[tuple[str, float]]:
    """Return the usual members of the family of a metric, with their numbers."""
    metric = METRIC[name]
    return list(zip(metric.names, metric.usual, strict=True))


@dataclass(frozen=True, slots=True)
class Asked:
    """A metric by its whole name: whose it is ("" for all), and what number a member of a family has."""

    metric: Metric
    name: str
    part: Part = ALL
    work: str = ""
    number: float | None = None


def asked(path: str) -> Asked | None:
    """Return the metric that a name stands for; None where there is none, or none of such work.

    >>> asked("pods.large.pod_start_p99.5_s").number
    99.5
    >>> asked("pods.large.jobs_completed") is None
    True
    """
    branch, _, rest = path.partition(".")
    part = {PIPELINES: PIPELINE, PODS: SOURCE}.get(branch) if rest else None
    if part is None:
        return _member(path, ALL, "")
    splits = (rest[:at] for at, letter in enumerate(rest) if letter == ".")
    found = (_member(rest[len(work) + 1 :], part, work) for work in splits if work)
    return next((each for each in found if each is not None), None)


def _member(name: str, part: Part, work: str) -> Asked | None:
    for metric in METRICS:
        number = metric.number(name)
        if part in metric.of and (metric.name == name if not metric.is_family else _allowed(metric, number)):
            return Asked(metric, name, part, work, number)
    return None


def _allowed(metric: Metric, number: float | None) -> bool:
    return number is not None and (metric.quantity is SHARE or 0 < number < 100)  # noqa: PLR2004  # percent


def quantity(path: str) -> Quantity | None:
    """Return what kind of number a metric is, of a target too; None for the name of no metric.

    >>> quantity("pipelines.edges.jobs_failed"), quantity("slo.0.share_within")
    (<Quantity.COUNT: 'count'>, <Quantity.SHARE: 'share'>)
    """
    found = asked(path)
    if found is None:
        return OF_TARGETS.get(path.rpartition(".")[2])
    return found.metric.quantity


def bounds(path: str) -> tuple[float, float]:
    """Return between which bounds a number lives; of no metric (a wait, a bill) from 0 on."""
    found = quantity(path)
    return (0.0, math.inf) if found is None else (found.least, found.most)


def usual(part: Part) -> tuple[str, ...]:
    """Return the metrics of some work that are always measured."""
    return tuple(name for metric in METRICS if part in metric.of for name in metric.names)


def promised(part: Part) -> tuple[str, ...]:
    """Return those that a prediction holds."""
    return tuple(name for metric in METRICS if metric.promised and part in metric.of for name in metric.names)


def labels(section: str) -> dict[str, str]:
    """Return what people call the metrics of a section, by name."""
    return {
        name: metric.label_of(name)
        for metric in METRICS
        if metric.section == section
        for name in metric.names
    }


def not_usual(names: Iterable[str]) -> Iterator[Asked]:
    """Yield those of some metrics that are measured only where somebody asks."""
    for name in dict.fromkeys(names):
        found = asked(name)
        if found is not None and found.name not in METRIC:
            yield found
