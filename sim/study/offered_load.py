"""Offered load: how much work arrives for ever, over what can be done of it at most.

A lower bound of the true load, so 1 or more is unstable with certainty: of a pipeline's work only the user
code of new datums is counted, once, over its workers (parallelism, and what nodes at maximum size and the
Fargate quota have room for, were nothing else on them); of plain pods their time, over the pods that fit.
Datums behind crosses, joins and groups depend on what repositories hold, and are left out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime

from sim.decisions.kubernetes.empty_node import empty_node_of
from sim.decisions.pachyderm.globs import read_glob
from sim.engine.pachyderm.repos import MASTER, BranchKey, branch_key, in_topological_order, output_key
from sim.model.arrivals import CronArrivals
from sim.model.cluster import Cluster, NodeGroup, NodeShape
from sim.model.layout import FLAT
from sim.model.pipelines import (
    SETS_PER_WORKER,
    Combine,
    CombinedInput,
    CronInput,
    Input,
    Kind,
    PfsInput,
    Pipeline,
    Trigger,
    leaves,
)
from sim.model.pods import PodClass
from sim.model.scenario import PipelineLoad, Scenario
from sim.study.expected import rate_per_s

LEAST_FARGATE_VCPU = 0.25
EVERYTHING = "/"
POD_EFFORT = 0.2
EVERY_NODE = "the cluster"
UTC_MONDAY = datetime(2026, 1, 5, tzinfo=UTC)

PerCommit = Mapping[BranchKey, float]
"""New files, or datums, that a commit to a source repository brings; of sources that bring none, nothing."""


def loads(scenario: Scenario) -> dict[str, float]:
    """Return the load of each pipeline and each source of plain pods, over its capacity; at least that."""
    rates = source_rates(scenario)
    brought = _new_datums(scenario)
    found: dict[str, float] = {}
    cpu_m = memory_mib = at_once = 0.0
    for load in scenario.pipelines:
        spec = load.pipeline
        if load.datum_s is None or spec.kind is not Kind.TRANSFORM or _cuts_work_short(load):
            continue
        datums_per_s = sum(rates.get(key, 0.0) * new for key, new in brought[spec.full_name].items())
        found[spec.shown_name] = _over(datums_per_s * load.datum_s.mean, workers_at_most(scenario, load))
    for pods in scenario.pods:
        if pods.duration_s is not None:
            work = rate_per_s(pods.arrivals, scenario.start) * pods.duration_s.mean
            found[pods.name] = _over(work, pods_at_most(scenario, pods.pod_class))
            asked = pods.pod_class.requests
            cpu_m, memory_mib, at_once = (
                cpu_m + work * asked.cpu_m,
                memory_mib + work * asked.memory_mib,
                at_once + work,
            )
    return found | {EVERY_NODE: _of_nodes(scenario, cpu_m, memory_mib, at_once)}


def overload(scenario: Scenario) -> str | None:
    """Return what is loaded beyond what it can do whatever luck brings, None where nothing surely is."""
    if scenario.finite:
        return None
    for name, load in loads(scenario).items():
        if load >= 1:
            much = "nothing of it can run" if math.isinf(load) else f"{load:.3g} times what it can do arrives"
            return f"{name} does not keep up: {much}"
    return None


def arrival_rates(scenario: Scenario) -> dict[str, float]:
    """Return how many jobs of each pipeline, and pods of each source, are made a second, for ever."""
    rates = source_rates(scenario)
    found: dict[str, float] = {}
    reached: dict[BranchKey, frozenset[BranchKey]] = {key: frozenset({key}) for key in rates}
    for spec in in_topological_order(load.pipeline for load in scenario.pipelines):
        if spec.kind is Kind.TRANSFORM:
            _follow_triggers(spec, rates, reached)
            read = [leaf for leaf in leaves(spec.input) if isinstance(leaf, CronInput) or leaf.propagates]
            keys = [branch_key(leaf, spec) for leaf in read]
            sources = frozenset[BranchKey]().union(*(reached.get(key, frozenset()) for key in keys))
            reached[output_key(spec)] = sources
            found[spec.shown_name] = sum(rates[key] for key in sources)
    pods = {load.name: rate_per_s(load.arrivals, scenario.start) for load in scenario.pods}
    return found | pods


def _follow_triggers(
    spec: Pipeline, rates: dict[BranchKey, float], reached: dict[BranchKey, frozenset[BranchKey]]
) -> None:
    """Add how often the triggers of a pipeline's inputs move their branches: about, but for those by time."""
    for leaf in leaves(spec.input):
        if isinstance(leaf, PfsInput) and leaf.trigger is not None:
            key, watched = branch_key(leaf, spec), (leaf.project, leaf.repo, leaf.trigger.branch)
            commits_per_s = sum(rates[source] for source in reached.get(watched, ()))
            rates[key] = min(commits_per_s, _moves_per_s(leaf.trigger, commits_per_s))
            reached[key] = frozenset({key})


def _moves_per_s(trigger: Trigger, commits_per_s: float) -> float:
    if trigger.cron:
        return _ticks_per_s(trigger.cron)
    each = [commits_per_s / trigger.commits] if trigger.commits else []
    if trigger.rate_limit:
        each.append(_ticks_per_s(trigger.rate_limit))
    if trigger.size_bytes is not None:
        each.append(commits_per_s)  # as if every commit were large enough
    return (min if trigger.all else max)(each, default=commits_per_s if trigger.all else 0.0)


def _ticks_per_s(spec: str) -> float:
    return rate_per_s(CronArrivals(spec), UTC_MONDAY)


def source_rates(scenario: Scenario) -> dict[BranchKey, float]:
    """Return the commits a second of each source repository, those of cron inputs among them."""
    rates = {
        (repo.project, repo.name, repo.branch): rate_per_s(repo.commits, scenario.start)
        for repo in scenario.repos
        if repo.commits is not None
    }
    for load in scenario.pipelines:
        for leaf in leaves(load.pipeline.input):
            if isinstance(leaf, CronInput):
                rates[branch_key(leaf, load.pipeline)] = cron_rate(leaf, scenario)
    return rates


def cron_rate(leaf: CronInput, scenario: Scenario) -> float:
    """Return how often a cron input ticks a second."""
    return rate_per_s(CronArrivals(leaf.spec), scenario.start)


def workers_at_most(scenario: Scenario, load: PipelineLoad) -> float:
    """Return how many workers of a pipeline can run at once at the most."""
    return min(load.pipeline.parallelism, pods_at_most(scenario, load.pod_class))


def pods_at_most(scenario: Scenario, pods: PodClass) -> float:
    """Return how many pods of a class can run at once at the most, were nothing else there."""
    cluster = scenario.cluster
    if cluster.loose_shapes:
        return math.inf
    room = float(sum(_on_group(pods, group, cluster) for group in cluster.node_groups))
    if cluster.fargate_profiles:
        room += cluster.fargate_quotas.vcpu // max(pods.requests.cpu_m / 1000, LEAST_FARGATE_VCPU)
    return room


def _on_group(pods: PodClass, group: NodeGroup, cluster: Cluster) -> int:
    """Return how many pods fit on all the nodes a group may have, with nothing but DaemonSets beside them."""
    open_to = [shape for shape in group.shapes if shape.lets_in(pods)]
    held = max((empty_node_of(shape, cluster).holds(pods.requests) for shape in open_to), default=0)
    return group.max_size * held


def _of_nodes(scenario: Scenario, cpu_m: float, memory_mib: float, pods: float) -> float:
    """Return the load of all nodes together by plain pods; 0 where Fargate takes some of them."""
    if scenario.cluster.fargate_profiles or scenario.cluster.loose_shapes:
        return 0.0

    def at_most(room: Callable[[NodeShape], int]) -> float:
        return sum(group.max_size * max(map(room, group.shapes)) for group in scenario.cluster.node_groups)

    return max(
        _over(cpu_m, at_most(lambda shape: shape.allocatable.cpu_m)),
        _over(memory_mib, at_most(lambda shape: shape.allocatable.memory_mib)),
        _over(pods, at_most(lambda shape: shape.max_pods)),
    )


def _cuts_work_short(load: PipelineLoad) -> bool:
    """Say whether some work may be given up, here or downstream of it."""
    spec = load.pipeline
    timeouts = spec.datum_timeout_us is not None or spec.job_timeout_us is not None
    return timeouts or load.failure > 0 or load.memory_peak_mib is not None


def _new_datums(scenario: Scenario) -> dict[str, PerCommit]:
    """Return the new datums of each pipeline, for each commit to a source."""
    files: dict[BranchKey, PerCommit] = {
        key: {key: repo.new_per_commit.mean}
        for repo in scenario.repos
        if repo.layout == FLAT
        for key in [(repo.project, repo.name, repo.branch)]
    }
    by_name = {load.pipeline.full_name: load for load in scenario.pipelines}
    found: dict[str, PerCommit] = {}
    for spec in in_topological_order(load.pipeline for load in scenario.pipelines):
        found[spec.full_name] = _sum(_of_input(spec.input, files, spec.name, spec.project))
        load = by_name[spec.full_name]
        outputs = load.outputs_per_datum
        passed_on = {} if _cuts_work_short(load) else found[spec.full_name]
        files[output_key(spec)] = {
            key: new * outputs for key, new in passed_on.items() if load.output_layout == FLAT
        }
    return found


def _of_input(
    node: Input | None, files: Mapping[BranchKey, PerCommit], name: str, project: str
) -> Iterator[PerCommit]:
    """Yield the new datums that the parts of an input bring side by side."""
    if isinstance(node, CronInput):
        yield {(node.project, node.repo or f"{name}_{node.name}", MASTER): 1.0}
    elif isinstance(node, PfsInput):
        brought = files.get((node.project, node.repo, node.branch), {})
        if node.glob == EVERYTHING:
            yield dict.fromkeys(brought, 1.0)
        elif read_glob(node.glob).paths is None:
            yield brought
    elif isinstance(node, CombinedInput) and node.combine is Combine.UNION:
        for each in node.inputs:
            yield from _of_input(each, files, name, project)


def _sum(parts: Iterator[PerCommit]) -> PerCommit:
    total: dict[BranchKey, float] = {}
    for part in parts:
        for key, new in part.items():
            total[key] = total.get(key, 0.0) + new
    return total


def _over(work: float, capacity: float) -> float:
    if not work:
        return 0.0
    return work / capacity if capacity else math.inf


def tasks_per_s(scenario: Scenario) -> float:
    """Return about how much there is to simulate a second: jobs, datum sets, and a fifth of the pods."""
    rates, brought, commits = arrival_rates(scenario), _new_datums(scenario), source_rates(scenario)
    total = sum(rates[load.name] for load in scenario.pods) * POD_EFFORT
    for load in scenario.pipelines:
        spec, cuts = load.pipeline, load.pipeline.datum_set_spec
        jobs = rates.get(spec.shown_name, 0.0)
        datums = sum(commits.get(key, 0.0) * new for key, new in brought[spec.full_name].items())
        most = datums / cuts.number if cuts and cuts.number else jobs * SETS_PER_WORKER * spec.parallelism
        total += jobs + max(jobs, min(datums, most))
    return total
