"""Memory: what a worker's user container may use, and what happens to the datum that needs more.

A limit in the spec binds everywhere. A Fargate pod never has more than its size less 256 MiB and the sidecar;
without a limit a pod on a node has what the node's allocatable leaves beside the requests of its other pods.
Above a limit, or on Fargate, the kernel kills: the container from Kubernetes 1.28 on, before that the user's
process, which costs one of the datum's tries. Without a limit on a node the kubelet evicts the pod for memory
pressure.

Sources: pachyderm.md §4; aws.md §1; Kubernetes, "Node-pressure Eviction" and pull request 117793
(memory.oom.group, 1.28).
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sim.engine.entities import ClassState, Pod
    from sim.model.scenario import PipelineLoad, Scenario

FargateMemory = Callable[["ClassState"], int]
FIRST_MINOR_KILLING_CONTAINERS = 28


class Excess(Enum):
    """What a datum with too much memory costs."""

    ATTEMPT = "the user's process is killed: one try"
    CONTAINER = "the container is killed and starts again in place"
    EVICTION = "the pod is evicted"


class MemoryRule:
    """The memory of one pipeline's workers."""

    __slots__ = ("_fargate_mib", "_killed", "_limit_mib", "_sidecar_mib")

    def __init__(self, load: PipelineLoad, fargate_mib: FargateMemory, *, container_killed: bool) -> None:
        """Take the pipeline's limit; ``fargate_mib`` says what a Fargate pod's containers have together."""
        self._limit_mib = load.memory_limit_mib
        self._sidecar_mib = load.sidecar_memory_mib
        self._fargate_mib = fargate_mib
        self._killed = Excess.CONTAINER if container_killed else Excess.ATTEMPT

    def limit_mib(self, pod: Pod) -> int:
        """Return what the user container of a running pod may use now."""
        if pod.node is None:
            has_mib = self._fargate_mib(pod.cls) - self._sidecar_mib
            return has_mib if self._limit_mib is None else min(self._limit_mib, has_mib)
        if self._limit_mib is not None:
            return self._limit_mib
        return pod.node.free_memory_mib + pod.cls.memory_mib - self._sidecar_mib

    def excess(self, pod: Pod) -> Excess:
        """Return what happens to a datum above the limit."""
        unlimited = self._limit_mib is None and pod.node is not None
        return Excess.EVICTION if unlimited else self._killed


def container_killed(scenario: Scenario) -> bool:
    """Say whether an OOM kills the whole container in a scenario."""
    option = scenario.pachyderm.oom_kills_container
    return kills_containers(scenario.cluster.kubernetes_version) if option is None else option


def kills_containers(kubernetes_version: str) -> bool:
    """Say whether an OOM kills the whole container in this version, such as ``1.33``."""
    major, minor = kubernetes_version.removeprefix("v").split(".")[:2]
    return (int(major), int(minor)) >= (1, FIRST_MINOR_KILLING_CONTAINERS)
