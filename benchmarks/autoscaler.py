"""What the autoscaler costs: estimates, looks that simulate scale-down, a day of 2,000 nodes at peak.

The estimator's first shape is upstream's own benchmark (estimator/binpacking_estimator_test.go,
BenchmarkBinpackingEstimate, 1.31.5), which the Go code takes about 4 s for: 51,000 pods on 2,595 nodes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from statistics import median
from time import perf_counter

import numpy as np

from benchmarks.measure import MIB, Figure, peak_over_start_bytes
from sim.decisions.cluster_autoscaler.equivalence import PodGroup
from sim.decisions.cluster_autoscaler.estimator import estimate
from sim.decisions.cluster_autoscaler.snapshot import Pointer
from sim.decisions.cluster_autoscaler.template import node_template
from sim.engine.aws.ec2 import NodeGroups
from sim.engine.clock import Clock
from sim.engine.cluster_autoscaler.autoscaler import Autoscaler
from sim.engine.entities import ClassState
from sim.engine.kubernetes.first_fit import FirstFitScheduler
from sim.engine.kubernetes.kubelet import Kubelets
from sim.engine.kubernetes.plain_pods import Arrival, PlainPods
from sim.engine.ports import Ports
from sim.engine.state import ClusterState
from sim.engine.streams import Streams
from sim.model.autoscaler import AutoscalerOptions
from sim.model.cluster import Cluster, NodeGroup
from sim.model.distributions import Constant
from sim.model.latency import Latencies
from sim.model.log import EventLog
from sim.model.pods import PodClass
from sim.model.resources import Resources
from sim.model.units import HOUR, SECOND

NODE, MAX_PODS = Resources(15_890, 58_000), 110  # a c5.4xlarge, roughly
GROUPS, CLASSES = 4, 100
LIVES, PEAK_NODES, RUN_S = 1_400_000, 2_000, 1_800.0
BUSY_CPU = 1.03  # of the nodes' cpu at the hour of most arrivals, which makes for the peak wanted


def figures(quick: bool) -> Iterator[Figure]:
    """Yield all figures of this file."""
    yield from estimator()
    for nodes, most_ms in ((100, 5), (1_000, 50), (5_000, 400)):
        milliseconds = looks(nodes)
        yield Figure(
            f"look over {nodes:,} nodes", milliseconds, "ms", f"<= {most_ms}", milliseconds <= most_ms
        )
    lives = LIVES // (10 if quick else 1)
    start = perf_counter()
    peak = peak_over_start_bytes(_quick_day if quick else _whole_day)
    seconds = perf_counter() - start
    yield Figure(f"a day of {lives:,} pods, {PEAK_NODES:,} nodes", seconds, "s", "<= 45", seconds <= 45)
    yield Figure("the same, peak memory", peak / MIB, "MiB", "<= 1024", peak <= 1024 * MIB)


def _quick_day() -> None:
    day(LIVES // 10)


def _whole_day() -> None:
    day(LIVES)


def estimator() -> Iterator[Figure]:
    """Time upstream's benchmark, and 10,000 pods of 1,000 shapes."""
    two = [(50, 100, 50_000), (95, 190, 1_000)]
    seconds, nodes, placed = _estimate(two, Resources(1_000, 5_000), 100, limit=3_000)
    right = (nodes, placed) == (2_595, 51_000)
    yield Figure("estimate of 51,000 pods in two classes", seconds, "s", "<= 0.2", right and seconds <= 0.2)
    rng = np.random.default_rng(1)
    sizes = zip(
        rng.integers(100, 8_000, 1_000).tolist(), rng.integers(100, 30_000, 1_000).tolist(), strict=True
    )
    many = [(cpu_m, memory_mib, 10) for cpu_m, memory_mib in sizes]
    seconds, _, placed = _estimate(many, NODE, MAX_PODS, limit=10_000)
    right = placed == 10_000
    yield Figure("estimate of 10,000 pods of 1,000 shapes", seconds, "s", "<= 2", right and seconds <= 2)


def _estimate(
    pods: list[tuple[int, int, int]], node: Resources, max_pods: int, limit: int
) -> tuple[float, int, int]:
    """Return the time that an estimate takes, its nodes and its pods."""
    group = NodeGroup.alike("g", node, node, max_pods, max_size=limit)
    groups = []
    for number, (cpu_m, memory_mib, count) in enumerate(pods):
        asked = Resources(cpu_m, memory_mib)
        spec = PodClass(f"c{number}", asked, asked, f"o{number}")
        groups.append(PodGroup(ClassState(number, spec, group.shapes), count))
    template = node_template(0, 0, group, [], real=True)
    start = perf_counter()
    nodes, placed = estimate(groups, template, Pointer(), limit=limit)
    return perf_counter() - start, nodes, sum(placed)


class TimedAutoscaler(Autoscaler):
    """An autoscaler that notes how long each look takes."""

    def __init__(self, *parts: object) -> None:
        """Take what an autoscaler takes."""
        super().__init__(*parts)  # type: ignore[arg-type]  # passed on as it is
        self.looks_s: list[float] = []

    def _look(self, now_us: int) -> bool:
        start = perf_counter()
        productive = super()._look(now_us)
        self.looks_s.append(perf_counter() - start)
        return productive


class World:
    """Node groups with an autoscaler, first-fit scheduling and containers that start at once."""

    def __init__(self, groups: tuple[NodeGroup, ...], options: AutoscalerOptions) -> None:
        """Bring up the initial nodes."""
        self.clock = Clock()
        self.log = EventLog()
        streams = Streams(1)
        self.state = ClusterState(self.clock, self.log, Cluster(node_groups=groups), checks=False)
        latency = Latencies(container_start_s=Constant(0.0))
        node_groups = NodeGroups(self.clock, self.state, latency.ec2, streams)
        self.autoscaler = TimedAutoscaler(self.clock, self.state, node_groups, options, streams)
        scheduler = FirstFitScheduler(self.clock, self.state)
        kubelet = Kubelets(self.clock, self.state, latency, streams)
        self.state.connect(Ports(scheduler, kubelet, autoscaler=self.autoscaler))
        node_groups.start()
        self.autoscaler.start()

    def pod_class(self, name: str, cpu_m: int, memory_mib: int) -> ClassState:
        """Return a class of pods of one controller."""
        asked = Resources(cpu_m, memory_mib)
        return self.state.pod_class(PodClass(name, asked, asked, owner=name))


def looks(nodes: int) -> float:
    """Return the median time in ms of looks over nodes that are nearly all underused, with pods."""
    group = NodeGroup.alike("g", NODE, NODE, MAX_PODS, max_size=nodes, initial=nodes)
    world = World((group,), AutoscalerOptions(scale_down_delay_after_add_us=24 * HOUR))
    filler = world.pod_class("filler", 12_000, 100)  # keeps the small pods apart, and goes
    small = [world.pod_class(f"small-{number}", 1_300, 4_000) for number in range(3)]
    arrivals: list[Arrival] = [(0, filler, SECOND)] * nodes
    arrivals += [(SECOND // 2, cls, -1) for cls in small for _ in range(nodes)]
    PlainPods(world.clock, world.state, "pods", iter(arrivals))
    rng = np.random.default_rng(3)
    churn = ((np.cumsum(rng.exponential(0.1, 3_000)) + 2) * SECOND).astype(np.int64).tolist()
    PlainPods(world.clock, world.state, "churn", ((at_us, small[0], 60 * SECOND) for at_us in churn))
    world.clock.run_until(300 * SECOND)
    return 1_000 * median(world.autoscaler.looks_s)


def day(lives: int) -> EventLog:
    """Run a day whose load swings 4:1; groups shrink to what the quiet hours need, and may reach 0."""
    groups = tuple(
        NodeGroup.alike(f"g{number}", NODE, NODE, MAX_PODS, max_size=PEAK_NODES, zone=f"z{number}")
        for number in range(GROUPS)
    )
    world = World(groups, AutoscalerOptions(expander=("least-waste",)))
    at_once = lives / (24 * 3_600) * 1.6 * RUN_S
    cpu_m = BUSY_CPU * NODE.cpu_m * PEAK_NODES / at_once
    rng = np.random.default_rng(2)
    sizes = [max(round(cpu_m * factor), 10) for factor in rng.uniform(0.2, 1.8, CLASSES).tolist()]
    classes = [world.pod_class(f"c{number}", size, 3 * size) for number, size in enumerate(sizes)]
    PlainPods(world.clock, world.state, "pods", _swinging_arrivals(classes, lives))
    world.clock.run_until(24 * HOUR)
    return world.log


def _swinging_arrivals(classes: list[ClassState], lives: int) -> Iterator[Arrival]:
    """Yield pods over a day, each hour's in one draw."""
    rng = np.random.default_rng(4)
    weights = 2.5 - 1.5 * np.cos(2 * math.pi * np.arange(24) / 24)
    counts = rng.poisson(lives * weights / weights.sum()).tolist()
    for hour, count in enumerate(counts):
        times = np.sort(rng.integers(hour * HOUR, (hour + 1) * HOUR, count)).tolist()
        which = rng.integers(0, len(classes), count).tolist()
        runs = (rng.exponential(RUN_S, count) * SECOND).astype(np.int64).tolist()
        yield from zip(times, (classes[number] for number in which), runs, strict=True)
