"""Pods per second through each scheduler alone: 200 nodes, 100 classes, random arrivals, no autoscaler.

    python -m benchmarks.scheduler [pods] [load]

``load`` is the share of the nodes' cpu asked for; from about 0.9 on pods wait and are retried.
"""

from __future__ import annotations

import sys
from time import perf_counter

import numpy as np

from benchmarks.yardstick import pods_per_s
from sim.engine.clock import Clock
from sim.engine.entities import Node
from sim.engine.kubernetes.first_fit import FirstFitScheduler
from sim.engine.kubernetes.kube_scheduler import KubeScheduler
from sim.engine.kubernetes.kubelet import Kubelets
from sim.engine.kubernetes.plain_pods import PlainPods
from sim.engine.ports import Ports
from sim.engine.state import ClusterState
from sim.engine.streams import Streams
from sim.model.cluster import Cluster, NodeGroup, SchedulerKind
from sim.model.distributions import Constant
from sim.model.latency import Latencies
from sim.model.log import EventLog
from sim.model.pods import PodClass
from sim.model.resources import Resources

NODES, CLASSES = 200, 100
CPU_M, MEMORY_MIB = 3_920, 14_162
MEAN_RUN_US = 60_000_000
MEAN_REQUEST_M = 550


def scheduled_per_s(kind: SchedulerKind, pods: int, load: float) -> tuple[float, int]:
    """Return the speed of one run, and how many pods had to wait for room."""
    rng = np.random.default_rng(1)
    room = Resources(CPU_M, MEMORY_MIB)
    group = NodeGroup.alike("m5", room, room, max_pods=58, max_size=NODES, initial=NODES)
    cluster = Cluster(node_groups=(group,))
    clock, log, streams = Clock(), EventLog(), Streams(1)
    state = ClusterState(clock, log, cluster, checks=False)
    kubelet = Kubelets(clock, state, Latencies(container_start_s=Constant(0.0)), streams)
    if kind is SchedulerKind.UPSTREAM:
        state.connect(Ports(KubeScheduler(clock, state, cluster.scheduler, streams), kubelet))
    else:
        state.connect(Ports(FirstFitScheduler(clock, state), kubelet))
    for number in range(NODES):
        log["nodes"].add((0, 0, number, 0))
        state.add_node(Node(number, f"m5-{number}", 0, group.shape, 0, group=0))
    asked = [Resources(100 + 9 * n, 500 + 30 * n) for n in range(CLASSES)]
    classes = [state.pod_class(PodClass(f"class-{n}", r, r, f"owner-{n}")) for n, r in enumerate(asked)]
    gap_us = MEAN_RUN_US * MEAN_REQUEST_M / (NODES * CPU_M * load)
    times = np.cumsum(rng.exponential(gap_us, pods)).astype(np.int64).tolist()
    which = rng.integers(0, CLASSES, pods).tolist()
    runs = rng.exponential(MEAN_RUN_US, pods).astype(np.int64).tolist()
    PlainPods(clock, state, "pods", ((t, classes[c], r) for t, c, r in zip(times, which, runs, strict=True)))
    start = perf_counter()
    clock.run_until(times[-1] + 100 * MEAN_RUN_US)
    elapsed_s = perf_counter() - start
    state.check()
    assert len(log["pod_running"]) == pods
    return pods / elapsed_s, len(log["pod_unschedulable"])


if __name__ == "__main__":
    pods = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    load = float(sys.argv[2]) if len(sys.argv) > 2 else 0.8
    print(f"empty SimPy loop {pods_per_s(pods):12,.0f} pods/s")
    for kind in SchedulerKind:
        speed, waited = scheduled_per_s(kind, pods, load)
        print(f"{kind.value:16s} {speed:12,.0f} pods/s, {waited / pods:.0%} of them waited")
