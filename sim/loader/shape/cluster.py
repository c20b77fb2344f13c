"""The cluster in a scenario: an eksctl ClusterConfig, and what no ClusterConfig says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sim.decisions.kubernetes.allocatable import KARPENTER_OVERHEAD, OBSERVED_OVERHEAD
from sim.documents.fields import Field
from sim.errors import InputError
from sim.loader.shape.pods import DAEMON_SET, DaemonSetFile
from sim.loader.values.arrivals import RECURRENCE
from sim.loader.values.distributions import SECONDS_VARYING
from sim.loader.values.flags import AUTOSCALER
from sim.loader.values.kinds import Either, ListOf, MapOf, Scalar, choice_of
from sim.loader.values.references import CLUSTER_CONFIG
from sim.loader.values.scalars import (
    COUNT,
    CPU,
    DURATION,
    FEW,
    FLAG,
    INTEGER,
    MEMBERS,
    MEMORY_MIB,
    ONE_OR_MORE,
    POSITIVE,
    SHARE,
    USD_PER_HOUR,
    VERSION,
)
from sim.loader.values.sections import Key, key, section_of
from sim.model.cluster import (
    FailMode,
    FailWindow,
    FargateQuotas,
    ScheduledMinimum,
    SchedulerKind,
    SchedulerOptions,
)
from sim.model.distributions import Distribution

SCHEDULER_SOURCE = "cluster-autoscaler.md §5 (Kubernetes v1.31.13 pkg/scheduler)"
QUOTA_SOURCE = "aws.md §3 (Amazon ECS endpoints and quotas; AWS Fargate throttling quotas)"
OVERHEAD_ALLOWED = "a share such as 0.075 or 0.051, or measured"


def _overhead(raw: object) -> float:
    if raw == "measured":
        return OBSERVED_OVERHEAD
    if isinstance(raw, bool) or not isinstance(raw, int | float) or not 0 <= raw < 1:
        raise InputError(value=raw, allowed=OVERHEAD_ALLOWED)
    return float(raw)


OVERHEAD = Scalar("share", OVERHEAD_ALLOWED, _overhead, float, ("number", "string"))

_KIND = choice_of(SchedulerKind)
_SCHEDULER = section_of(
    SchedulerOptions,
    Key("kind", _KIND, "by filters and scores, or the first node that fits"),
    Key(
        "initial_backoff",
        DURATION,
        "wait after the first failure",
        source=SCHEDULER_SOURCE,
        attribute="initial_backoff_us",
    ),
    Key("max_backoff", DURATION, "longest wait", source=SCHEDULER_SOURCE, attribute="max_backoff_us"),
)


class _SchedulerKindOnly:
    """The scheduler by its kind alone."""

    unit = _KIND.unit

    def read(self, at: Field) -> SchedulerOptions:
        """Read the word."""
        return SchedulerOptions(_KIND.read(at))

    def schema(self) -> dict[str, Any]:
        """Return the words."""
        return _KIND.schema()


SCHEDULER = Either(_SchedulerKindOnly(), _SCHEDULER)
FARGATE = section_of(
    FargateQuotas,
    Key(
        "vcpu_quota",
        POSITIVE,
        "vCPU of running and starting pods in the region",
        source=QUOTA_SOURCE,
        attribute="vcpu",
    ),
    Key("launch_burst", ONE_OR_MORE, "launches at once (20 in EKS-only accounts)", source=QUOTA_SOURCE),
    Key("launch_per_s", POSITIVE, "launches per second after that", source=QUOTA_SOURCE),
)


def _fail_window(from_us: int, to_us: int, **others: Any) -> FailWindow:
    if from_us >= to_us:
        raise ValueError("is empty; allowed: from before to")
    return FailWindow(from_us, to_us, **others)


_FAIL_WINDOW = section_of(
    _fail_window,
    Key("from", DURATION, "since the start", attribute="from_us"),
    Key("to", DURATION, "since the start", attribute="to_us"),
    Key("mode", choice_of(FailMode), "whether AWS says that it failed"),
    Key("after", DURATION, "when the failure shows", attribute="after_us"),
    Key("allow", COUNT, "launches of each request that still succeed"),
    of=FailWindow,
)
_SCHEDULED_MINIMUM = section_of(
    ScheduledMinimum,
    Key("cron", RECURRENCE, "when it begins"),
    Key("min_size", MEMBERS, "minimum size from then on"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShapeFile:
    """What a node holds, where the instance type should not say."""

    cpu: int = key(CPU, "cores")
    memory: int = key(MEMORY_MIB, "memory")
    ephemeral: int = key(MEMORY_MIB, "ephemeral storage", 80 * 1024)
    gpu: int = key(MEMBERS, "GPUs", 0)
    pods: int = key(ONE_OR_MORE, "most pods", 110)


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupFile:
    """What a ClusterConfig does not say of one node group."""

    initial: int | None = key(MEMBERS, "nodes at the start; left out: desiredCapacity, else minSize", None)
    scheduled_minimums: tuple[ScheduledMinimum, ...] = key(
        ListOf(_SCHEDULED_MINIMUM), "minimum sizes by the clock", ()
    )
    usd_per_hour: float | None = key(USD_PER_HOUR, "price of a node; left out: the price table", None)
    interruptions_per_hour: float | None = key(
        FEW, "Spot interruptions per node-hour; left out: the Spot Advisor's band", None
    )
    reclaimed_together: float = key(
        SHARE, "share of Spot interruptions that take every node of a type and zone at once", 0.0
    )
    provision: Distribution | None = key(
        SECONDS_VARYING, "launch request to Ready; left out: latency.ec2", None
    )
    deletion: Distribution | None = key(
        SECONDS_VARYING, "terminate call to gone; left out: latency.ec2", None
    )
    nvme_raid: bool = key(FLAG, "local NVMe disks are made a RAID at boot, see latency.ec2.nvme_raid", False)
    fail_windows: tuple[FailWindow, ...] = key(ListOf(_FAIL_WINDOW), "spans in which launches fail", ())
    allocatable: ShapeFile | None = key(
        section_of(ShapeFile), "what pods may request of a node; left out: from the instance type", None
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterFile:
    """The cluster: where pods can run, and who decides about it."""

    eksctl: tuple[Field, ...] | None = key(CLUSTER_CONFIG, "an eksctl ClusterConfig", None)
    autoscaler: dict[str, Any] | None = key(AUTOSCALER, "Cluster Autoscaler flags", None)
    scheduler: SchedulerOptions = key(SCHEDULER, "kube-scheduler", SchedulerOptions())
    fargate: FargateQuotas = key(FARGATE, "Fargate quotas of the account", FargateQuotas())
    groups: Mapping[str, GroupFile] | None = key(
        MapOf(section_of(GroupFile), "node group"), "more about each node group of the ClusterConfig", None
    )
    allocatable_overhead: float = key(
        OVERHEAD,
        "share of an instance's memory that the kernel never shows; measured is 0.051",
        KARPENTER_OVERHEAD,
        source="aws.md §7.1 (Karpenter vmMemoryOverheadPercent)",
    )
    daemonsets: tuple[DaemonSetFile, ...] | None = key(
        ListOf(DAEMON_SET), "pods on every node; left out: aws-node and kube-proxy", None
    )
    priority_classes: Mapping[str, int] | None = key(
        MapOf(INTEGER, "priority class"), "priorities by class, beside the two of Kubernetes", None
    )
    kubernetes_version: str = key(
        VERSION, "Kubernetes minor; left out: the ClusterConfig's metadata.version", ""
    )


CLUSTER = section_of(ClusterFile)
