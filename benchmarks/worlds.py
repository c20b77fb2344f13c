"""The worlds that are timed: pods on an autoscaled cluster, datums of large and small jobs."""

from __future__ import annotations

from datetime import UTC, datetime

from sim.model.arrivals import PROFILES, BatchArrivals, PoissonArrivals, TimesArrivals
from sim.model.autoscaler import AutoscalerOptions
from sim.model.cluster import Cluster, NodeGroup, SchedulerKind, SchedulerOptions
from sim.model.distributions import Constant, Exponential, Lognormal
from sim.model.latency import Latencies
from sim.model.pipelines import DatumSetSpec, PfsInput, Pipeline
from sim.model.pods import PodClass
from sim.model.resources import Resources
from sim.model.scenario import PipelineLoad, PodLoad, Repo, Scenario

START = datetime(2026, 1, 5, tzinfo=UTC)
SECOND = 1_000_000
NO_START_LATENCY = Latencies(container_start_s=Constant(0))

NODES = 200
CLASSES = 100
BATCH_CLASSES = 30
PODS_PER_S = 8.0
FIRST_BATCH_US = 300 * SECOND
BATCH_PERIOD_US = 1_800 * SECOND
MEAN_RUN_S = 120.0


def pods(count: int, scheduler: SchedulerKind) -> Scenario:
    """Return a world of about ``count`` pods: 100 classes, at most 200 nodes, autoscaler on.

    70 classes arrive steadily; 30 come in a batch every half hour, too many for the nodes there are, so
    that 30 % of all pods wait for a node to boot, however few pods there are.
    """
    horizon_us = round(count / PODS_PER_S * SECOND)
    batches = range(FIRST_BATCH_US, horizon_us, BATCH_PERIOD_US)
    batch_of_class = round(0.3 * count / (len(batches) * BATCH_CLASSES))
    room = Resources(15_890, 60_000)
    group = NodeGroup.alike("m", room, room, max_pods=110, min_size=20, max_size=NODES, initial=20)
    loads = []
    for number in range(CLASSES):
        request = Resources(100 + 10 * number, 250 + 40 * (number * 7 % CLASSES))
        spec = PodClass(f"class-{number}", request, request, f"owner-{number}")
        steady = number >= BATCH_CLASSES
        arrivals = (
            PoissonArrivals(0.7 * PODS_PER_S / (CLASSES - BATCH_CLASSES))
            if steady
            else BatchArrivals(TimesArrivals(tuple(batches)), Constant(batch_of_class))
        )
        loads.append(PodLoad(spec.name, arrivals, spec, Exponential(MEAN_RUN_S)))
    return Scenario(
        name="pods",
        start=START,
        horizon_us=horizon_us,
        cluster=Cluster(
            node_groups=(group,),
            autoscaler=AutoscalerOptions(),
            scheduler=SchedulerOptions(scheduler),
        ),
        pods=tuple(loads),
        latency=NO_START_LATENCY,
    )


def datums(jobs: int, datums_per_job: int, workers: int, datums_per_set: int) -> Scenario:
    """Return a world of jobs one behind the other on workers that are always there."""
    request = Resources(1_000, 1_000)
    room = Resources(1_000 * workers, 1_000 * workers)
    median_s, p95_s = 18.0, 60.0
    service = Lognormal(median_s, p95_s)
    gap_s = 2 * service.mean * datums_per_job / workers + 60
    pipeline = Pipeline(
        "pipeline",
        input=PfsInput("repo", "/*"),
        parallelism=workers,
        datum_set_spec=DatumSetSpec(number=datums_per_set),
    )
    commits = TimesArrivals(tuple(round((1 + n * gap_s) * SECOND) for n in range(jobs)))
    return Scenario(
        name="datums",
        start=START,
        horizon_us=round((1 + jobs * gap_s) * SECOND),
        cluster=Cluster(
            node_groups=(NodeGroup.alike("always-on", room, room, workers, 1, 1, 1),),
            autoscaler=AutoscalerOptions(enabled=False),
            scheduler=SchedulerOptions(SchedulerKind.FIRST_FIT, 0),
        ),
        repos=(Repo("repo", commits=commits, new_per_commit=Constant(datums_per_job)),),
        pipelines=(PipelineLoad(pipeline, PodClass("worker", request, request, "pipeline"), service),),
        latency=NO_START_LATENCY,
    )


def week() -> Scenario:
    """Return a week of 50 pipelines, about a million datums, up to 500 nodes: minutes on 40 nodes, then none.

    Each pipeline gets 800 datums some five times a working day, and each of its 40 workers takes a node of
    its own. At the peak 480 nodes are there.
    """
    return _week(25, 800, 40, Resources(3_000, 12_000))


def busy_week() -> Scenario:
    """Return the same million datums in 25,000 small commits: 40 datums on 8 workers, two workers a node."""
    return _week(500, 40, 8, Resources(1_900, 7_000))


def _week(commits_per_week: int, datums_per_commit: int, workers: int, request: Resources) -> Scenario:
    """Return 50 pipelines that scale from zero in office hours.

    Each has its own repository, which starts empty, and its sets hold five datums, so that a commit needs
    all workers.
    """
    room = Resources(3_920, 14_162)
    repos, loads = [], []
    for number in range(50):
        name = f"pipeline-{number:02}"
        repos.append(
            Repo(
                f"repo-{number:02}",
                commits=PoissonArrivals(commits_per_week / (7 * 86_400), PROFILES["office-hours"]),
                new_per_commit=Constant(datums_per_commit),
            )
        )
        pipeline = Pipeline(
            name,
            input=PfsInput(f"repo-{number:02}", "/*"),
            parallelism=workers,
            autoscaling=True,
            datum_set_spec=DatumSetSpec(number=5),
        )
        worker = PodClass(name, request, request, name, local_storage=True)
        loads.append(PipelineLoad(pipeline, worker, Lognormal(18.0, 60.0)))
    return Scenario(
        name="week",
        start=START,
        horizon_us=7 * 86_400 * SECOND,
        cluster=Cluster(
            node_groups=(NodeGroup.alike("m5.xlarge", room, room, 58, 0, 500, 1),),
            autoscaler=AutoscalerOptions(),
        ),
        repos=tuple(repos),
        pipelines=tuple(loads),
    )
