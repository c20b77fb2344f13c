"""The cluster: node groups, Fargate profiles, DaemonSets, and how pods are placed.

A ``NodeGroup`` says what one of its nodes is (real allocatable), what the Cluster Autoscaler
believes it to be before it has seen one (``template``), what it costs and how it comes and goes.
Prices and instance facts are resolved by the loader, so a cluster stands on its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from sim.model.autoscaler import AutoscalerOptions
from sim.model.distributions import Distribution
from sim.model.machines import FargateSize
from sim.model.pods import Pairs, PodClass, Taint
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
class NodeGroup:
    """A group of like nodes behind one Auto Scaling group.

    ``capacity`` is what the node object reports, ``allocatable`` what pods may request of it.
    ``template`` and ``template_pods`` describe the node that scale-from-zero assumes; None means
    the real one. ``provision_s`` (request to Ready) replaces the scenario's EC2 latency when given,
    ``deletion_s`` (terminate call to gone) likewise. ``nvme_raid``: local disks are made a RAID at boot.
    ``asg_name`` is the Auto Scaling group's, by which the autoscaler knows it; empty: the same name.
    """

    name: str
    capacity: Resources
    allocatable: Resources
    max_pods: int
    min_size: int = 0
    max_size: int = 1
    initial: int = 0
    instance_type: str = ""
    labels: Pairs = ()
    taints: tuple[Taint, ...] = ()
    zone: str = ""
    template: Resources | None = None
    template_pods: int | None = None
    spot: bool = False
    interruptions_per_hour: float = 0.0
    usd_per_hour: float = 0.0
    volume_gib: int = 80
    provision_s: Distribution | None = None
    deletion_s: Distribution | None = None
    nvme_raid: bool = False
    fail_windows: tuple[FailWindow, ...] = ()
    scheduled_minimums: tuple[ScheduledMinimum, ...] = ()
    asg_name: str = ""

    def lets_in(self, pod_class: PodClass) -> bool:
        """Say whether labels and taints of the nodes let pods of a class in, room aside."""
        labels = dict(self.labels)
        if self.zone:
            labels.setdefault("topology.kubernetes.io/zone", self.zone)
        return pod_class.selects(labels) and all(pod_class.tolerates(taint) for taint in self.taints)


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
    """Where pods can run; ``fargate_sizes`` are those on sale, in the catalog's order."""

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
