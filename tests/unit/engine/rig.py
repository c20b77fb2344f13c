"""A rig for pachd: pipelines on nodes with room for everything, and the log read back in seconds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sim.engine.clock import Call, Clock, Phase
from sim.engine.entities import Node, Pod
from sim.engine.kubernetes.first_fit import FirstFitScheduler
from sim.engine.kubernetes.kubelet import Kubelets
from sim.engine.pachyderm.pachd import Pachd
from sim.engine.ports import Ports
from sim.engine.state import ClusterState
from sim.engine.streams import Streams
from sim.model.arrivals import Arrivals, TimesArrivals
from sim.model.cluster import Cluster, NodeGroup
from sim.model.distributions import Constant, Distribution
from sim.model.latency import Latencies
from sim.model.log import EventLog, JobState
from sim.model.pipelines import Input, PfsInput, Pipeline
from sim.model.pods import PodClass
from sim.model.resources import Resources
from sim.model.scenario import PachydermOptions, PipelineLoad, Repo, Scenario
from sim.model.units import SECOND

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
PROMPT = PachydermOptions(
    state_change_s=Constant(0),
    standby_s=Constant(0),
    task_overhead_s=Constant(0),
    preprocessing_s=Constant(0),
    preprocessing_per_datum_s=0,
    compaction_s=Constant(0),
    lease_silence_s=Constant(25),
)
"""Pachd without any delay that is ours to calibrate: what is left are upstream's own timers."""


ROOMY = Resources(cpu_m=10**9, memory_mib=10**9, ephemeral_mib=10**9)


def times(*seconds: float) -> TimesArrivals:
    return TimesArrivals(tuple(round(second * SECOND) for second in seconds))


def a_repo(name: str = "images", commits: Arrivals | None = None, **fields: Any) -> Repo:
    return Repo(name=name, commits=commits, **fields)


def a_load(
    name: str = "edges",
    reads: Input | str = "images",
    datum_s: Distribution | None = Constant(10),
    *,
    cpu_m: int = 1_000,
    memory_mib: int = 1_024,
    parallelism: int = 5,
    autoscaling: bool = True,
    spec: dict[str, Any] | None = None,
    **fields: Any,
) -> PipelineLoad:
    """Return the seed's pipeline: /* of a repository, up to five workers, autoscaling."""
    node = PfsInput(repo=reads, glob="/*") if isinstance(reads, str) else reads
    pipeline = Pipeline(name, input=node, parallelism=parallelism, autoscaling=autoscaling, **(spec or {}))
    requests = Resources(cpu_m=cpu_m, memory_mib=memory_mib)
    pod_class = PodClass(f"{name}-v1", requests, requests, owner=f"{name}-v1")
    return PipelineLoad(pipeline, pod_class, datum_s, **fields)


def a_scenario(
    repos: Sequence[Repo],
    loads: Sequence[PipelineLoad],
    *,
    options: PachydermOptions = PROMPT,
    cold_start_s: float = 60.0,
    horizon_s: float = 4 * 3_600,
    node: Resources = ROOMY,
    nodes: int = 1,
    kubernetes_version: str = "1.33",
) -> Scenario:
    group = NodeGroup.alike("big", node, node, max_pods=10**6, max_size=nodes, initial=nodes)
    return Scenario(
        name="rig",
        start=MONDAY,
        horizon_us=round(horizon_s * SECOND),
        cluster=Cluster(node_groups=(group,), kubernetes_version=kubernetes_version),
        pachyderm=options,
        repos=tuple(repos),
        pipelines=tuple(loads),
        latency=replace(Latencies(), container_start_s=Constant(cold_start_s)),
    )


@dataclass(frozen=True)
class Rig:
    """A simulation put together by hand, before it runs."""

    clock: Clock
    state: ClusterState
    log: EventLog
    pachd: Pachd
    scenario: Scenario

    def run(self) -> Run:
        """Run to the horizon, with every check."""
        self.clock.run_until(self.scenario.horizon_us)
        self.state.check()
        return Run(self.log)

    def at(self, second: float, act: Callable[[], None]) -> None:
        """Have something happen from outside."""

        def callback(_: Call[None]) -> None:
            act()

        self.clock.at(round(second * SECOND), Phase.NODES_GONE, callback, None)

    def workers(self, pipeline: str = "default/edges") -> list[Pod]:
        """Return a pipeline's pods, oldest first."""
        return list(self.pachd.pipelines[pipeline].controller.pods)


def assemble(scenario: Scenario, seed: int = 1) -> Rig:
    clock = Clock()
    log = EventLog(horizon_us=scenario.horizon_us)
    streams = Streams(seed)
    state = ClusterState(clock, log, scenario.cluster)
    kubelet = Kubelets(clock, state, scenario.latency, streams)
    state.connect(Ports(FirstFitScheduler(clock, state), kubelet))
    for index, group in enumerate(scenario.cluster.node_groups):
        for number in range(1, group.initial + 1):
            log["nodes"].add((0, index, number, index))
            name = f"{group.name}-{number}"
            state.add_node(Node(len(log["nodes"]) - 1, name, index, group.shape, 0, group=index))
    return Rig(clock, state, log, Pachd(state, scenario, streams, lambda cls: cls.memory_mib), scenario)


@dataclass(frozen=True)
class Run:
    """A finished simulation, read from its log alone; times in seconds."""

    log: EventLog

    def replicas(self, pipeline: int = 0) -> list[tuple[float, int]]:
        """Return (when, how many) of each change of a pipeline's replicas."""
        rows = self.log["replicas"].rows().tolist()
        return [(time_us / SECOND, target) for time_us, index, target in rows if index == pipeline]

    def states(self, pipeline: int = 0) -> list[tuple[float, int]]:
        """Return (when, which) of each row of a pipeline's state."""
        rows = self.log["pipeline_states"].rows().tolist()
        return [(time_us / SECOND, state) for time_us, index, state in rows if index == pipeline]

    def job(self, job: int = 0) -> list[tuple[float, JobState]]:
        """Return (when, which) of each state of a job."""
        rows = self.log["job_states"].rows().tolist()
        return [(time_us / SECOND, JobState(state)) for time_us, index, state in rows if index == job]

    def when(self, state: JobState, job: int = 0) -> float:
        """Return when a job last reached a state."""
        return max(time_s for time_s, reached in self.job(job) if reached is state)

    def tasks(self, job: int = 0, phase: int = 0) -> list[int]:
        """Return the datums of each task of a job's phase."""
        rows = self.log["tasks"].rows().tolist()
        return [datums for _, of, in_phase, datums in rows if (of, in_phase) == (job, phase)]

    def table(self, name: str) -> list[tuple[int, ...]]:
        """Return a table's rows."""
        return [tuple(row) for row in self.log[name].rows().tolist()]


def run(scenario: Scenario, seed: int = 1) -> Run:
    return assemble(scenario, seed).run()
