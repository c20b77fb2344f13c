"""Pods by class: everything that scheduling, scaling and eviction read of a pod.

All pods of one pipeline version are alike, so what they share is stated once, as a class, and a
pod is an instant, a class and a place. Two pods are of one class when their controller and their
spec are equal, which is also what the Cluster Autoscaler calls an equivalence group
(core/scaleup/equivalence/groups.go, 1.31.5).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from sim.model.resources import Resources

Pairs = tuple[tuple[str, str], ...]


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
    ``containers`` counts the regular ones: kube-scheduler scores a missing cpu or memory request
    as 100m / 200 MiB per container (``unset_cpu``, ``unset_memory`` count those).
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
    unset_cpu: int = 0
    unset_memory: int = 0

    def tolerates(self, taint: Taint) -> bool:
        """Say whether pods of this class may be placed despite ``taint``."""
        return taint.effect is Effect.PREFER_NO_SCHEDULE or any(t.tolerates(taint) for t in self.tolerations)

    def selects(self, labels: dict[str, str]) -> bool:
        """Say whether the node selector matches ``labels``."""
        return all(labels.get(key) == value for key, value in self.node_selector)
