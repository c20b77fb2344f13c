"""Small clusters to try the engine's actors on: nodes that are there, and pods that come by the second."""

from __future__ import annotations

from collections.abc import Iterable

from sim.engine.clock import Call, Clock, Phase
from sim.engine.entities import Node, Pod
from sim.engine.kubernetes.first_fit import FirstFitScheduler
from sim.engine.kubernetes.kubelet import Kubelets
from sim.engine.kubernetes.plain_pods import PlainPods
from sim.engine.ports import Ports
from sim.engine.state import ClusterState
from sim.engine.streams import Streams
from sim.model.cluster import Cluster, NodeGroup
from sim.model.distributions import Constant
from sim.model.latency import Ec2Latency, FargateLatency, ImagePull, Latencies
from sim.model.log import EventLog
from sim.model.pods import Controller, PodClass
from sim.model.resources import Resources

SECOND = 1_000_000
FOR_EVER = -1

INSTANT = Latencies(
    ec2=Ec2Latency(),
    fargate=FargateLatency(ready_s=Constant(0.0)),
    image_pull=ImagePull(bytes_per_s=Constant(20e6), ec2_factor=2.0),
    container_start_s=Constant(0.0),
)


def a_class(name: str, cpu_m: int = 1000, memory_mib: int = 1000, **rest: object) -> PodClass:
    """Return a class of pods with one container and no images."""
    requests = Resources(cpu_m, memory_mib)
    options: dict[str, object] = {"owner": name, "controller": Controller.NONE, **rest}
    return PodClass(name, requests, requests, **options)  # type: ignore[arg-type]  # options are checked by the tests that use them


def a_group(name: str = "nodes", cpu_m: int = 4000, memory_mib: int = 4000, **rest: object) -> NodeGroup:
    """Return a group of nodes without DaemonSets."""
    room = Resources(cpu_m, memory_mib)
    options: dict[str, object] = {"max_pods": 10, **rest}
    return NodeGroup.alike(name, room, room, **options)  # type: ignore[arg-type]  # as above


class World:
    """A cluster's state with kubelets and first-fit scheduling; a test may connect others."""

    def __init__(self, cluster: Cluster, latency: Latencies = INSTANT, seed: int = 1) -> None:
        """Start without nodes."""
        self.cluster = cluster
        self.latency = latency
        self.clock = Clock()
        self.log = EventLog()
        self.streams = Streams(seed)
        self.state = ClusterState(self.clock, self.log, cluster)
        self.kubelet = Kubelets(self.clock, self.state, latency, self.streams)
        self.state.connect(Ports(FirstFitScheduler(self.clock, self.state), self.kubelet))

    def node(self, group: int = 0) -> Node:
        """Add a node now."""
        self.log["nodes"].add((self.clock.now_us, group, 0, group))
        number = len(self.log["nodes"])
        spec = self.cluster.node_groups[group]
        name = f"{spec.name}-{number}"
        node = Node(number - 1, name, group, spec.shape, self.clock.now_us, group=group)
        self.state.add_node(node)
        return node

    def node_at(self, time_s: float, group: int = 0) -> None:
        """Have a node become Ready later."""

        def ready(_: Call[None]) -> None:
            self.node(group)

        self.clock.at(round(time_s * SECOND), Phase.NODES_READY, ready, None)

    def pods(self, *pods: tuple[float, PodClass, float]) -> None:
        """Have pods come: when, of which class, running for how long (negative: for ever), in seconds."""
        arrivals = (
            (round(time_s * SECOND), self.state.pod_class(spec), round(run_s * SECOND))
            for time_s, spec, run_s in pods
        )
        PlainPods(self.clock, self.state, "pods", arrivals)

    def run(self, until_s: float) -> None:
        """Run, and see that the books balance."""
        self.clock.run_until(round(until_s * SECOND))
        self.state.check()

    def seconds(self, table: str, pods: Iterable[int] | None = None) -> list[float]:
        """Return when something happened to pods, in seconds, in order of pods."""
        rows = sorted((row[1], row[0] / SECOND) for row in self.log[table].rows().tolist())
        return [time_s for pod, time_s in rows if pods is None or pod in pods]

    def at(self, time_s: float, act: object) -> None:
        """Have something done later, before pods arrive."""
        assert callable(act)
        self.clock.at(round(time_s * SECOND), Phase.BACKGROUND, lambda _: act(), None)

    def nodes_of(self, *pods: Pod) -> list[str]:
        """Return the names of the nodes of pods."""
        return [pod.node.name if pod.node else "" for pod in pods]
