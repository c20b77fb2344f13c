"""Luck: what of a scenario differs from replication to replication, and which of it can move a count.

What replications never showed may have been luck. Where the scenario fixes all that could make a count
something other than 0, nothing was left to luck and a clean replication proves it:

- No datum is killed for memory, and none fails, where none can be above its limit, and no attempt fails.
- No pod waits half an hour for a place where arrivals, work and the cluster are given, and the longest wait
  of every replication was a quarter of that (`ROOM_S`). What is left is how long nodes and microVMs take to
  start, and that one takes as long as `ROOM_S` has a chance of less than `NEVER`.

What a rare pod, an interruption or a datum's memory would do, nobody knows who has not seen it. That includes
any quantity whose distribution has no end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from enum import Enum

from sim.decisions.aws.fargate import fargate_size, usable_memory_mib
from sim.decisions.aws.fargate_admission import profile_of
from sim.model.arrivals import Arrivals, BatchArrivals, BurstArrivals, PoissonArrivals
from sim.model.cluster import Cluster
from sim.model.distributions import Constant, Counts, Distribution, Empirical
from sim.model.metrics import asked
from sim.model.scenario import PipelineLoad, Scenario
from sim.study.tails import above

ROOM_S = 1800 / 4  # of the half hour from which a pod counts as stuck
NEVER = 1e-6  # of one start; a replication has some thousands at most


class Luck(Enum):
    """What may differ between replications, start-up times that are far from half an hour excepted."""

    ARRIVALS = "when something arrives, and how much"
    WORK = "how long work takes"
    MEMORY = "datums above their memory limit"
    FAILURES = "attempts of datums that fail"
    TIMEOUTS = "work that a timeout ends"
    INTERRUPTIONS = "Spot interruptions"
    LAUNCHES = "spans in which launches fail"
    GROUPS = "which node group the autoscaler draws"
    STARTS = "starts that may take very long"


LOST_DATUMS = frozenset({Luck.MEMORY, Luck.FAILURES, Luck.TIMEOUTS})
MOVED_BY = {
    "tasks_oom_killed": frozenset({Luck.MEMORY}),
    "pods_oom_killed": frozenset({Luck.MEMORY}),
    "datums_failed": LOST_DATUMS,
    "jobs_failed": LOST_DATUMS,
    "rows_dropped": frozenset[Luck](),
    "pods_stuck": frozenset(Luck),
    "pods_waited_30m": frozenset(Luck),
}
"""Counts by what can make them more than 0; of others that is not known."""
OF_WAITS = ("pods_stuck", "pods_waited_30m")


def is_fixed(metric: str, scenario: Scenario, longest_waits_s: Sequence[float]) -> bool:
    """Say whether a count that was 0 in every replication is 0 in all others, too.

    ``longest_waits_s`` is each replication's longest wait of a pod for a place, NaN where that is not known.
    """
    found = asked(metric)
    name = "" if found is None else found.metric.name
    if name not in MOVED_BY or MOVED_BY[name] & luck(scenario):
        return False
    return name not in OF_WAITS or all(wait_s <= ROOM_S for wait_s in longest_waits_s)


def luck(scenario: Scenario) -> frozenset[Luck]:
    """Return what of a scenario is left to luck."""
    return frozenset(kind for kind, is_there in IS_THERE.items() if is_there(scenario))


def memory_mib(load: PipelineLoad, cluster: Cluster) -> tuple[float, float]:
    """Return between what and what a worker's user container may use (`sim.engine.pachyderm.memory`).

    They are equal where the spec or Fargate says it. Pods that never run have no limit.
    """
    pods, limit = load.pod_class, load.memory_limit_mib
    if profile_of(pods.namespace, dict(pods.labels), cluster.fargate_profiles) is not None:
        size = fargate_size(pods.requests, cluster.fargate_sizes)
        has = float("inf") if size is None else usable_memory_mib(size) - load.sidecar_memory_mib
        least = has if limit is None else min(limit, has)
        return least, least
    if limit is not None:
        return limit, limit
    return pods.requests.memory_mib - load.sidecar_memory_mib, float("inf")


def _arrivals(scenario: Scenario) -> bool:
    sources = [*(repo.commits for repo in scenario.repos), *(pods.arrivals for pods in scenario.pods)]
    counts = [c for repo in scenario.repos for c in (repo.new_per_commit, repo.changed_per_commit)]
    return any(each is not None and _is_drawn(each) for each in sources) or any(map(_varies, counts))


def _is_drawn(arrivals: Arrivals) -> bool:
    if isinstance(arrivals, BatchArrivals):
        return _is_drawn(arrivals.at) or _varies(arrivals.size)
    return isinstance(arrivals, PoissonArrivals | BurstArrivals)


def _work(scenario: Scenario) -> bool:
    parts = [
        *(part for p in scenario.pipelines for part in (p.datum_s, p.download_bytes, p.upload_bytes)),
        *(pods.duration_s for pods in scenario.pods),
    ]
    return any(part is not None and _varies(part) for part in parts)


def _memory(scenario: Scenario) -> bool:
    return any(
        load.memory_peak_mib is not None
        and above(load.memory_peak_mib, memory_mib(load, scenario.cluster)[0]) > 0
        for load in scenario.pipelines
    )


def _failures(scenario: Scenario) -> bool:
    return any(load.failure > 0 for load in scenario.pipelines)


def _timeouts(scenario: Scenario) -> bool:
    specs = [load.pipeline for load in scenario.pipelines]
    return any(spec.datum_timeout_us is not None or spec.job_timeout_us is not None for spec in specs)


def _interruptions(scenario: Scenario) -> bool:
    return any(shape.spot and shape.interruptions_per_hour > 0 for shape in scenario.cluster.shapes)


def _launches(scenario: Scenario) -> bool:
    return any(group.fail_windows for group in scenario.cluster.node_groups)


def _groups(scenario: Scenario) -> bool:
    scaler = scenario.cluster.autoscaler
    return scaler.enabled and scaler.expander == ("random",) and len(scenario.cluster.node_groups) > 1


def _starts(scenario: Scenario) -> bool:
    return any(above(each, ROOM_S / scale) > NEVER for each, scale in _start_times(scenario))


def _start_times(scenario: Scenario) -> Iterator[tuple[Distribution, float]]:
    """Yield what a place for a pod waits for, with the factor by which it may take longer."""
    latency, cluster = scenario.latency.ec2, scenario.cluster
    if cluster.fargate_profiles:
        yield scenario.latency.fargate.ready_s, 1.0
    own = [group.provision_s for group in cluster.node_groups]
    yield from ((each, 1.0) for each in own if each is not None)
    if cluster.loose_shapes or None in own:
        yield latency.launch_s, 1.0
        yield latency.ready_s, latency.metal_factor
        if any(shape.allocatable.gpu for shape in cluster.shapes):
            yield latency.gpu_total_s, 1.0


def _varies(part: Distribution | Counts) -> bool:
    if isinstance(part, Empirical):
        return len(set(part.values)) > 1
    return not isinstance(part, Constant)


IS_THERE: dict[Luck, Callable[[Scenario], bool]] = {
    Luck.ARRIVALS: _arrivals,
    Luck.WORK: _work,
    Luck.MEMORY: _memory,
    Luck.FAILURES: _failures,
    Luck.TIMEOUTS: _timeouts,
    Luck.INTERRUPTIONS: _interruptions,
    Luck.LAUNCHES: _launches,
    Luck.GROUPS: _groups,
    Luck.STARTS: _starts,
}
"""Each kind with what says whether a scenario has it."""
