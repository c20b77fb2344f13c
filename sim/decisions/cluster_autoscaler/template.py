"""Template nodes: what the autoscaler believes the next node of a group to be.

A group that has, or ever had, a node Ready for more than a minute is planned with a copy of it:
its real allocatable less its DaemonSets. Before that the cloud provider's idealised template
counts: nominal vCPU and memory as both capacity and allocatable, 110 pods, and, on AWS, a
kube-proxy of 100m besides the DaemonSets that match. Its labels and taints are those that EKS tells of a
managed group, or that tags of the Auto Scaling group name.

Source: Cluster Autoscaler 1.31.5, processors/nodeinfosprovider/mixed_nodeinfos_processor.go,
cloudprovider/aws/aws_manager.go (buildNodeFromTemplate), cloudprovider/utils.go
(KubeProxyCpuRequestMillis); cluster-autoscaler.md §3.5.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sim.decisions.cluster_autoscaler.snapshot_node import Room
from sim.decisions.kubernetes.empty_node import EKS_DAEMONS, empty_node
from sim.model.cluster import NodeGroup, NodeShape
from sim.model.pods import Pairs
from sim.model.resources import Resources
from sim.model.units import SECOND

if TYPE_CHECKING:
    from sim.decisions.cluster_autoscaler.snapshot_node import ClassView

STABILIZATION_DELAY_US = 60 * SECOND


@dataclass(frozen=True, slots=True)
class NodeTemplate:
    """A node as planned: group, shape and labels, what it reports, and the room that its daemons leave."""

    group: int
    shape: int
    spec: NodeGroup
    capacity: Resources
    allocatable: Resources
    room: Room
    labels: Pairs
    max_pods: int
    real: bool

    def takes(self, cls: ClassView) -> bool:
        """Say whether one pod of the class fits an empty node."""
        cpu_m, memory_mib, ephemeral_mib, gpu, pods = self.room
        return (
            cls.allowed[self.shape]
            and pods > 0
            and cls.cpu_m <= cpu_m
            and cls.memory_mib <= memory_mib
            and cls.ephemeral_mib <= ephemeral_mib
            and cls.gpu <= gpu
        )


def is_good_template_candidate(ready_us: int, now_us: int) -> bool:
    """Say whether a node that became Ready then may stand for its group."""
    return ready_us + STABILIZATION_DELAY_US < now_us


def node_template(
    group: int,
    shape: int,
    spec: NodeGroup,
    daemons: Sequence[ClassView],
    *,
    real: bool,
    seen: NodeShape | None = None,
) -> NodeTemplate:
    """Return the template of a group; ``real``: a node of it, shaped as ``seen``, was Ready for a minute."""
    believed = seen or spec.shape if real else spec.template_shape or spec.shape
    if real or spec.template is None:
        capacity, allocatable, pods, mirrors = believed.capacity, believed.allocatable, believed.max_pods, []
    else:
        capacity = allocatable = spec.template
        pods = spec.template_pods or spec.max_pods
        mirrors = [EKS_DAEMONS["kube-proxy"]]
    left = empty_node(allocatable, pods, [*mirrors, *(daemon.spec.requests for daemon in daemons)])
    free = left.resources
    room = (free.cpu_m, free.memory_mib, free.ephemeral_mib, free.gpu, left.pods)
    return NodeTemplate(group, shape, spec, capacity, allocatable, room, believed.labels, pods, real)
