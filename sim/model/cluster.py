"""The cluster: node groups, Fargate profiles, DaemonSets, and how pods are placed.

A ``NodeShape`` says what a node is and costs. A ``NodeGroup`` says how many nodes there may be, which shapes
they may have, what the Cluster Autoscaler believes of them before it has seen one (``template``), and how
they come and go. Prices and instance facts are resolved by the loader, so a cluster stands on its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from itertools import accumulate, count
from typing import Any

from sim.model.autoscaler import AutoscalerOptions
from sim.model.distributions import Distribution
from sim.model.machines import FargateSize, Volume
from sim.model.pods import ZONE, Pairs, PodClass, Taint
from sim.model.resources import Resources

GPU_LABEL = "k8s.amazonaws.com/accelerator"
"""The label by which the autoscaler on AWS expects GPUs on a node (cluster-autoscaler.md §3.6)."""


class FailMode(Enum):
    """How a launch fails: silently, or with an out-of-capacity error the autoscaler can read."""

    NEVER = "never"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class FailWindow:
    """A span in which launches of a group fail after the first ``allow`` of each request."""

    from_us: int
    to_us: int
    mode: FailMode = FailMode.ERROR
    after_us: int = 0
    allow: int = 0


@dataclass(frozen=True, slots=True)
class ScheduledMinimum:
    """A minimum size that holds from each time the cron expression names until the next one."""

    cron: str
    min_size: int


@dataclass(frozen=True, slots=True)
class NodeShape:
    """What a node is: its room, type, zone, labels and taints, capacity type, price and volume.

    ``capacity`` is what the node object reports, ``allocatable`` what pods may request of it.
    ``interruptions_per_hour`` is a Spot node's hazard; its share ``reclaimed_together`` takes every node of
    the shape at once, the rest one node.
    ``usd_per_hour`` is the instance's price, without its disks: ``volumes``, or ``volume_gib`` of gp3 where
    there are none. ``nvme_raid``: local disks are made a RAID at boot. ``public_ip``: it has a public IPv4
    address, so its pulls go through no NAT gateway.
    """

    capacity: Resources
    allocatable: Resources
    max_pods: int
    instance_type: str = ""
    labels: Pairs = ()
    taints: tuple[Taint, ...] = ()
    zone: str = ""
    spot: bool = False
    interruptions_per_hour: float = 0.0
    usd_per_hour: float = 0.0
    volume_gib: int = 80
    nvme_raid: bool = False
    reclaimed_together: float = 0.0
    volumes: tuple[Volume, ...] = ()
    public_ip: bool = False

    @property
    def disks(self) -> tuple[Volume, ...]:
        """Return the volumes that are billed with it."""
        return self.volumes or (Volume(self.volume_gib),)

    @property
    def name(self) -> str:
        """Return what tells it from others, such as ``m5.xlarge us-east-1a spot``."""
        return " ".join(filter(None, (self.instance_type or "node", self.zone, "spot" if self.spot else "")))

    def node_labels(self) -> dict[str, str]:
        """Return the labels of its nodes that are known beforehand."""
        labels = dict(self.labels)
        if self.zone:
            labels.setdefault(ZONE, self.zone)
        return labels

    def lets_in(self, pod_class: PodClass) -> bool:
        """Say whether labels and taints of the nodes let pods of a class in, room aside."""
        return pod_class.selects(self.node_labels()) and all(
            pod_class.tolerates(taint) for taint in self.taints
        )


@dataclass(frozen=True, slots=True)
class NodeGroup:
    """Nodes behind one Auto Scaling group: bounds, a schedule, and the shapes a node may have, best first.

    ``template`` and ``template_pods`` describe the node that scale-from-zero assumes; None means
    the real one, and ``template_shape`` has the labels and taints that it assumes, where these are not the
    first shape's. ``provision_s`` (request to Ready) replaces the scenario's EC2 latency when given,
    ``deletion_s`` (terminate call to gone) likewise.
    ``on_demand_base`` nodes, and ``on_demand_share`` of those above, are not of Spot shapes, where there are
    both; ``zone_order`` is that of zones with equally few nodes, empty: as in the shapes.
    ``asg_name`` is the Auto Scaling group's, by which the autoscaler knows it; empty: the same name.
    """

    name: str
    shapes: tuple[NodeShape, ...]
    min_size: int = 0
    max_size: int = 1
    initial: int = 0
    template: Resources | None = None
    template_pods: int | None = None
    provision_s: Distribution | None = None
    deletion_s: Distribution | None = None
    fail_windows: tuple[FailWindow, ...] = ()
    scheduled_minimums: tuple[ScheduledMinimum, ...] = ()
    asg_name: str = ""
    template_shape: NodeShape | None = None
    on_demand_base: int = 0
    on_demand_share: float = 1.0
    zone_order: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a group whose nodes are nothing."""
        if not self.shapes:
            raise ValueError(f"node group {self.name} has no shape; allowed: at least one")

    @classmethod
    def alike(  # noqa: PLR0917  # short where there are many, as in tests and benchmarks
        cls,
        name: str,
        capacity: Resources,
        allocatable: Resources,
        max_pods: int,
        min_size: int = 0,
        max_size: int = 1,
        initial: int = 0,
        **more: Any,
    ) -> NodeGroup:
        """Return a group whose nodes are all alike; ``more`` are fields of the group and of their shape."""
        of_shape = {key: more.pop(key) for key in set(more) & set(NodeShape.__slots__)}
        shape = NodeShape(capacity, allocatable, max_pods, **of_shape)
        return cls(name, (shape,), min_size, max_size, initial, **more)

    # What is planned for the whole group goes by its first shape, as the autoscaler's template does. What is
    # about a node that is there asks the node's own shape.

    @property
    def shape(self) -> NodeShape:
        """Return the shape by which the group is planned."""
        return self.shapes[0]

    @property
    def capacity(self) -> Resources:
        """Return the first shape's."""
        return self.shape.capacity

    @property
    def allocatable(self) -> Resources:
        """Return the first shape's."""
        return self.shape.allocatable

    @property
    def max_pods(self) -> int:
        """Return the first shape's."""
        return self.shape.max_pods

    @property
    def instance_type(self) -> str:
        """Return the first shape's."""
        return self.shape.instance_type

    @property
    def labels(self) -> Pairs:
        """Return the first shape's."""
        return self.shape.labels

    @property
    def taints(self) -> tuple[Taint, ...]:
        """Return the first shape's."""
        return self.shape.taints

    @property
    def zone(self) -> str:
        """Return the first shape's."""
        return self.shape.zone

    @property
    def spot(self) -> bool:
        """Return the first shape's."""
        return self.shape.spot

    @property
    def interruptions_per_hour(self) -> float:
        """Return the first shape's."""
        return self.shape.interruptions_per_hour

    @property
    def usd_per_hour(self) -> float:
        """Return the first shape's."""
        return self.shape.usd_per_hour

    @property
    def volume_gib(self) -> int:
        """Return the first shape's."""
        return self.shape.volume_gib

    def lets_in(self, pod_class: PodClass) -> bool:
        """Say whether the first shape does."""
        return self.shape.lets_in(pod_class)


@dataclass(frozen=True, slots=True)
class Selector:
    """One way into a Fargate profile: a namespace and labels, each with ``*`` and ``?``."""

    namespace: str
    labels: Pairs = ()


@dataclass(frozen=True, slots=True)
class FargateProfile:
    """Pods that match any selector run on Fargate."""

    name: str
    selectors: tuple[Selector, ...]


@dataclass(frozen=True, slots=True)
class FargateQuotas:
    """Account limits of Fargate in one region (aws.md §3): vCPU in use, and launch rate."""

    vcpu: float = 6.0
    launch_burst: int = 100
    launch_per_s: float = 20.0


class SchedulerKind(Enum):
    """Place by upstream's filters and scores, or on the first node that fits."""

    UPSTREAM = "upstream"
    FIRST_FIT = "first-fit"


@dataclass(frozen=True, slots=True)
class SchedulerOptions:
    """kube-scheduler: how a node is chosen and how long a failed pod waits before it is retried."""

    kind: SchedulerKind = SchedulerKind.UPSTREAM
    initial_backoff_us: int = 1_000_000
    max_backoff_us: int = 10_000_000

    def __post_init__(self) -> None:
        """Refuse what kube-scheduler refuses (apis/config/validation)."""
        if self.initial_backoff_us > self.max_backoff_us:
            raise ValueError("initial_backoff is above max_backoff; allowed: at most that")


@dataclass(frozen=True, slots=True)
class DaemonSet:
    """A pod on every node whose group it selects; it is there from the moment the node is Ready."""

    pod_class: PodClass


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where pods can run; ``fargate_sizes`` are those on sale, in the catalog's order.

    ``loose_shapes`` are those of nodes that belong to no group: what an autoscaler without groups may launch.
    """

    name: str = "cluster"
    region: str = "us-east-1"
    kubernetes_version: str = "1.33"
    node_groups: tuple[NodeGroup, ...] = ()
    fargate_profiles: tuple[FargateProfile, ...] = ()
    fargate_quotas: FargateQuotas = FargateQuotas()
    fargate_sizes: tuple[FargateSize, ...] = ()
    daemon_sets: tuple[DaemonSet, ...] = ()
    autoscaler: AutoscalerOptions = field(default_factory=AutoscalerOptions)
    scheduler: SchedulerOptions = SchedulerOptions()
    loose_shapes: tuple[NodeShape, ...] = ()

    @property
    def shapes(self) -> tuple[NodeShape, ...]:
        """Return every shape a node may have, numbered as in the log: group by group, then the loose ones."""
        return (*(shape for group in self.node_groups for shape in group.shapes), *self.loose_shapes)

    @property
    def planned_shapes(self) -> tuple[NodeShape, ...]:
        """Return ``shapes``, and behind them those that only the autoscaler's templates have."""
        believed = (group.template_shape for group in self.node_groups)
        return (*self.shapes, *(shape for shape in believed if shape is not None))

    @property
    def template_shapes(self) -> tuple[int, ...]:
        """Return the number in ``planned_shapes`` of each group's template, which may be its first shape."""
        behind = count(len(self.shapes))
        return tuple(
            first if group.template_shape is None else next(behind)
            for first, group in zip(self.first_shapes, self.node_groups, strict=True)
        )

    @property
    def first_shapes(self) -> tuple[int, ...]:
        """Return the number of each group's first shape."""
        return tuple(accumulate((len(group.shapes) for group in self.node_groups), initial=0))[:-1]

    def daemons_on(self, shape: NodeShape) -> tuple[PodClass, ...]:
        """Return the DaemonSets that have a pod on every node of a shape."""
        return tuple(daemon.pod_class for daemon in self.daemon_sets if shape.lets_in(daemon.pod_class))
