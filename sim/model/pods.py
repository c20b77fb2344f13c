"""Pods by class: everything that scheduling, scaling and eviction read of a pod.

All pods of one pipeline version are alike, so what they share is stated once, as a class, and a
pod is an instant, a class and a place. Two pods are of one class when their controller and their
spec are equal, which is also what the Cluster Autoscaler calls an equivalence group
(core/scaleup/equivalence/groups.go, 1.31.5).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from sim.model.resources import Resources

Pairs = tuple[tuple[str, str], ...]

HOSTNAME = "kubernetes.io/hostname"
ZONE = "topology.kubernetes.io/zone"
CORDON = "node.kubernetes.io/unschedulable"


class Effect(Enum):
    """What a taint does to pods that do not tolerate it."""

    NO_SCHEDULE = "NoSchedule"
    PREFER_NO_SCHEDULE = "PreferNoSchedule"
    NO_EXECUTE = "NoExecute"


@dataclass(frozen=True, slots=True)
class Taint:
    """A mark on a node that keeps pods away unless they tolerate it."""

    key: str
    value: str = ""
    effect: Effect = Effect.NO_SCHEDULE


@dataclass(frozen=True, slots=True)
class Toleration:
    """What a pod puts up with; an empty key tolerates every key, no effect every effect.

    Source: Kubernetes v1.31 core/v1 Toleration.ToleratesTaint.
    """

    key: str = ""
    value: str = ""
    effect: Effect | None = None
    exists: bool = False

    def tolerates(self, taint: Taint) -> bool:
        """Say whether this toleration covers ``taint``."""
        if self.effect is not None and self.effect is not taint.effect:
            return False
        if self.key and self.key != taint.key:
            return False
        return self.exists or (bool(self.key) and self.value == taint.value)


class Operator(Enum):
    """How a requirement compares a label with its values."""

    IN = "In"
    NOT_IN = "NotIn"
    EXISTS = "Exists"
    DOES_NOT_EXIST = "DoesNotExist"
    GREATER = "Gt"
    LESS = "Lt"


@dataclass(frozen=True, slots=True)
class Requirement:
    """What a label must be; a list of them asks for all.

    ``Gt`` and ``Lt`` compare whole numbers, and refuse what is none. Source: Kubernetes v1.31
    apimachinery/pkg/labels/selector.go (Requirement.Matches).
    """

    key: str
    operator: Operator = Operator.EXISTS
    values: tuple[str, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Say whether ``labels`` meet it."""
        value = labels.get(self.key)
        if self.operator is Operator.IN:
            return value in self.values
        if self.operator is Operator.NOT_IN:
            return value not in self.values
        if self.operator is Operator.EXISTS:
            return value is not None
        if self.operator is Operator.DOES_NOT_EXIST:
            return value is None
        number, bound = _whole(value), _whole(self.values[0])
        if number is None or bound is None:
            return False
        return number > bound if self.operator is Operator.GREATER else number < bound


def _whole(text: str | None) -> int | None:
    try:
        return int(text or "")
    except ValueError:
        return None


Requirements = tuple[Requirement, ...]
"""All must be met; as a selector of pods, none at all matches every pod."""


def meets(requirements: Requirements, labels: Mapping[str, str]) -> bool:
    """Say whether ``labels`` meet all requirements."""
    return all(requirement.matches(labels) for requirement in requirements)


@dataclass(frozen=True, slots=True)
class NodePreference:
    """Nodes that a pod would rather have, and by how much, 1 to 100."""

    weight: int
    requirements: Requirements


@dataclass(frozen=True, slots=True)
class SpreadConstraint:
    """How evenly the pods that ``selector`` matches lie over the values of a node label.

    ``hard`` is DoNotSchedule, otherwise ScheduleAnyway. Node affinity is honoured and taints ignored when
    domains are counted, upstream's defaults.
    """

    topology_key: str
    selector: Requirements
    max_skew: int = 1
    hard: bool = True
    min_domains: int = 1


@dataclass(frozen=True, slots=True)
class PodTerm:
    """Pods of the same namespace that are to be, or not to be, in one domain of a node label."""

    topology_key: str
    selector: Requirements


class Controller(Enum):
    """The kind of object that re-creates a pod when it is lost."""

    NONE = "none"
    REPLICATION_CONTROLLER = "ReplicationController"
    REPLICA_SET = "ReplicaSet"
    STATEFUL_SET = "StatefulSet"
    JOB = "Job"
    DAEMON_SET = "DaemonSet"
    CUSTOM = "custom"


@dataclass(frozen=True, slots=True)
class Image:
    """A container image and what pulling it moves, compressed; with zstd it unpacks faster."""

    name: str
    size_bytes: int
    zstd: bool = False


@dataclass(frozen=True, slots=True)
class PodClass:
    """What all pods of one controller and one spec have in common.

    ``requests`` is the effective request (init containers included) that takes room on a node;
    ``container_requests`` leaves init containers out, as the estimator and least-waste do.
    kube-scheduler scores a missing cpu or memory request as 100m / 200 MiB per container: ``unset_cpu_m``
    and ``unset_memory_mib`` are what that adds to ``requests``.
    ``anti_affinity`` is against pods of the same owner on one host; ``spread`` is the cluster's default
    spread of them. ``node_affinity`` lists terms, any of which is enough; empty: no such wish.
    ``terms_apart`` and ``terms_together`` are required inter-pod (anti-)affinity; ``preempts`` is false for
    preemptionPolicy Never.
    """

    name: str
    requests: Resources
    container_requests: Resources
    owner: str
    controller: Controller = Controller.REPLICATION_CONTROLLER
    namespace: str = "default"
    labels: Pairs = ()
    node_selector: Pairs = ()
    tolerations: tuple[Toleration, ...] = ()
    priority: int = 0
    grace_us: int = 0
    safe_to_evict: bool | None = None
    local_storage: bool = False
    system: bool = False
    disruptions_allowed: int | None = None
    anti_affinity: bool = False
    spread: bool = False
    scale_up_delay_us: int = 0
    images: tuple[Image, ...] = ()
    unset_cpu_m: int = 0
    unset_memory_mib: int = 0
    node_affinity: tuple[Requirements, ...] = ()
    node_preferences: tuple[NodePreference, ...] = ()
    spread_constraints: tuple[SpreadConstraint, ...] = ()
    terms_apart: tuple[PodTerm, ...] = ()
    terms_together: tuple[PodTerm, ...] = ()
    preempts: bool = True

    def tolerates(self, taint: Taint) -> bool:
        """Say whether pods of this class may be placed despite ``taint``."""
        return taint.effect is Effect.PREFER_NO_SCHEDULE or any(t.tolerates(taint) for t in self.tolerations)

    def selects(self, labels: dict[str, str]) -> bool:
        """Say whether node selector and required node affinity match ``labels``."""
        if self.node_affinity and not any(meets(term, labels) for term in self.node_affinity):
            return False
        return all(labels.get(key) == value for key, value in self.node_selector)
