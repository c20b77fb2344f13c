"""An empty node: what its DaemonSets leave of it, and how many pods of a kind it holds.

Whatever asks before a pod is placed (a check, a size, a bound, an exported file, the autoscaler's template)
asks here. Which DaemonSets land on a group is ``Cluster.daemons_on``.

Source: Kubernetes v1.31, pkg/scheduler/framework/plugins/noderesources/fit.go; cluster-autoscaler.md §3.5
and §5.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sim.model.cluster import Cluster, NodeShape
from sim.model.resources import Resources

EKS_DAEMONS = {"aws-node": Resources(cpu_m=50), "kube-proxy": Resources(cpu_m=100)}
"""What EKS itself puts on every node, and what it asks for (cluster-autoscaler.md §6.3)."""


@dataclass(frozen=True, slots=True)
class EmptyNode:
    """What a node leaves to pods once its DaemonSets are on it: resources, and places for pods."""

    resources: Resources
    pods: int

    def amounts(self, asked: Resources) -> Iterator[tuple[str, int, int]]:
        """Yield what a pod with these requests takes: the name of it, what is left, and what it asks."""
        left = self.resources
        yield "cpu", left.cpu_m, asked.cpu_m
        yield "memory", left.memory_mib, asked.memory_mib
        yield "ephemeral storage", left.ephemeral_mib, asked.ephemeral_mib
        yield "gpu", left.gpu, asked.gpu
        yield "max pods", self.pods, 1

    def bottleneck(self, asked: Resources) -> tuple[int, str]:
        """Return how many pods with these requests fit, and what runs out first."""
        return min((max(0, left // wants), name) for name, left, wants in self.amounts(asked) if wants)

    def holds(self, asked: Resources) -> int:
        """Return how many pods with these requests fit."""
        return self.bottleneck(asked)[0]


def empty_node(allocatable: Resources, max_pods: int, daemons: Iterable[Resources]) -> EmptyNode:
    """Return what a node leaves to pods once its DaemonSets are on it, given what each of them asks for."""
    requests = list(daemons)
    taken = sum(requests, Resources())
    left = Resources(
        cpu_m=allocatable.cpu_m - taken.cpu_m,
        memory_mib=allocatable.memory_mib - taken.memory_mib,
        ephemeral_mib=allocatable.ephemeral_mib - taken.ephemeral_mib,
        gpu=allocatable.gpu - taken.gpu,
    )
    return EmptyNode(left, max_pods - len(requests))


def empty_node_of(shape: NodeShape, cluster: Cluster) -> EmptyNode:
    """Return what a node of a shape leaves to pods."""
    daemons = (daemon.requests for daemon in cluster.daemons_on(shape))
    return empty_node(shape.allocatable, shape.max_pods, daemons)
