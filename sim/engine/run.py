"""One simulation: the actors put together, run until all that counts is done, and the log they leave.

Everything random comes from (seed, replication), everything else from the scenario, so the same call
gives the same log, byte for byte.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import repeat
from typing import TYPE_CHECKING

from sim.engine.arrivals import arrival_times
from sim.engine.aws.ec2 import NodeGroups
from sim.engine.aws.fargate import Fargate
from sim.engine.aws.scheduled_minimums import ScheduledMinimums
from sim.engine.clock import Clock
from sim.engine.cluster_autoscaler.autoscaler import Autoscaler
from sim.engine.drain import drain
from sim.engine.kubernetes.first_fit import FirstFitScheduler
from sim.engine.kubernetes.kube_scheduler import KubeScheduler
from sim.engine.kubernetes.kubelet import Kubelets
from sim.engine.kubernetes.plain_pods import Arrival, PlainPods
from sim.engine.pachyderm.pachd import Pachd
from sim.engine.ports import NodeAutoscaler, Ports, Scheduler
from sim.engine.state import ClusterState
from sim.engine.streams import Streams
from sim.errors import SimulationError
from sim.model.arrivals import TraceArrivals
from sim.model.cluster import SchedulerKind
from sim.model.log import EventLog
from sim.model.units import SECOND

if TYPE_CHECKING:
    from sim.model.scenario import BaseLoad, PodLoad, Scenario


MakeAutoscaler = Callable[[Clock, ClusterState, NodeGroups, Streams], NodeAutoscaler]
"""Makes whoever decides which nodes there are; before it starts, the cluster is empty."""


def cluster_autoscaler(
    clock: Clock, state: ClusterState, node_groups: NodeGroups, streams: Streams
) -> NodeAutoscaler:
    """Return the Cluster Autoscaler with the options of the cluster."""
    return Autoscaler(clock, state, node_groups, state.cluster.autoscaler, streams)


def simulate(
    scenario: Scenario,
    seed: int,
    replication: int = 0,
    *,
    checks: bool = False,
    autoscaler: MakeAutoscaler = cluster_autoscaler,
) -> EventLog:
    """Simulate ``[0, horizon)``, and on until what counts is done (`sim.engine.drain`); return the event log.

    ``checks`` has every transition checked and the books balanced at the end; SimulationError then
    says what broke. It changes no result. ``autoscaler`` puts another one in place of the Cluster Autoscaler.
    """
    log = EventLog(horizon_us=scenario.horizon_us, warmup_us=scenario.warmup_us)
    streams = Streams(seed, replication)
    clock = Clock()
    state = ClusterState(clock, log, scenario.cluster, checks=checks)
    fargate = Fargate(clock, state, scenario.cluster, scenario.latency, streams)
    node_groups = NodeGroups(clock, state, scenario.latency.ec2, streams)
    ports = Ports(
        scheduler=_scheduler(clock, state, streams, other_nodes=bool(scenario.pipelines)),
        kubelet=Kubelets(clock, state, scenario.latency, streams),
        serverless=fargate,
        autoscaler=autoscaler(clock, state, node_groups, streams),
    )
    state.connect(ports)
    ScheduledMinimums(clock, node_groups, scenario.cluster.node_groups, scenario.start)
    node_groups.start()
    ports.autoscaler.start()
    for base in scenario.base_load:
        PlainPods(clock, state, base.pod_class.name, _base_arrivals(state, base))
    for load in scenario.pods:
        PlainPods(clock, state, load.name, _pod_arrivals(state, load, scenario, streams))
    Pachd(state, scenario, streams, fargate.usable_memory_mib)
    with _garbage_only_of_this_run():
        clock.run_until(scenario.horizon_us)
        drain(clock, log, scenario)
    if checks:
        state.check()
        check_times(log)
    return log


def _scheduler(clock: Clock, state: ClusterState, streams: Streams, *, other_nodes: bool) -> Scheduler:
    """Return the scheduler; pachd runs on a node somewhere, and a Fargate pod's machine is one too."""
    options = state.cluster.scheduler
    if options.kind is SchedulerKind.FIRST_FIT:
        return FirstFitScheduler(clock, state)
    other_nodes = other_nodes or bool(state.cluster.fargate_profiles)
    return KubeScheduler(clock, state, options, streams, other_nodes=other_nodes)


def check_times(log: EventLog) -> None:
    """Raise SimulationError for a row that is written before time zero."""
    for name, table in log.tables.items():
        if "time_us" in table.columns and (earliest := table.column("time_us").min(initial=0)) < 0:
            raise SimulationError(f"a row of {name} is at {earliest} us, before time zero")


@contextmanager
def _garbage_only_of_this_run() -> Iterator[None]:
    """Have Python's garbage collector leave alone whatever was there before.

    Imported modules are most of what it would go through, again and again, and a run leaves them as they are:
    a twenty-fifth of its time. Whoever froze objects on their own account keeps them frozen.
    """
    if gc.get_freeze_count():
        yield
        return
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _base_arrivals(state: ClusterState, base: BaseLoad) -> Iterator[Arrival]:
    """Return pods that are there from the start and run for ever."""
    return repeat((0, state.pod_class(base.pod_class), -1), base.replicas)


def _pod_arrivals(
    state: ClusterState, load: PodLoad, scenario: Scenario, streams: Streams
) -> Iterator[Arrival]:
    """Return when each pod arrives, of which class, and how long it will run."""
    if isinstance(load.arrivals, TraceArrivals):
        return _trace_arrivals(state, load, load.arrivals)
    times = arrival_times(load.arrivals, streams.stream(f"arrivals/{load.name}"), scenario.start)
    assert load.duration_s is not None, "the loader gives every load without a trace a duration"
    delays = streams.delays(f"duration/{load.name}", load.duration_s)
    return zip(times, repeat(state.pod_class(load.pod_class)), delays, strict=False)


def _trace_arrivals(state: ClusterState, load: PodLoad, trace: TraceArrivals) -> Iterator[Arrival]:
    """Return one pod for each datum of each row of a trace, with the row's requests and run time."""
    rows = zip(
        trace.times_us, trace.datums, trace.datum_s, trace.cpu_m, trace.memory_mib, trace.gpu, strict=True
    )
    for time_us, datums, datum_s, cpu_m, memory_mib, gpu in rows:
        asked = replace(load.pod_class.requests, cpu_m=cpu_m, memory_mib=memory_mib, gpu=gpu)
        cls = state.pod_class(replace(load.pod_class, requests=asked, container_requests=asked))
        yield from repeat((time_us, cls, round(datum_s * SECOND)), datums)
