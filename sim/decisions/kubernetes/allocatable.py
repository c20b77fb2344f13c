"""Allocatable: what a node of an EC2 type has left for pods, and what the autoscaler first believes.

Three things come off the catalogue's figures: memory that the machine never shows (``overhead``),
what kubelet keeps for itself (kube-reserved), and the hard eviction threshold. kube-reserved memory
follows the pods that the type's network interfaces allow, whatever the group's own limit says.

A group that never had a node is planned with the catalogue's figures and 110 pods instead, so a pod
may buy a node that cannot hold it; tags of the group's Auto Scaling group correct that.

Sources: awslabs/amazon-eks-ami 81fec2e8 nodeadm/internal/kubelet/config.go; aws/karpenter-provider-aws
1d927085 pkg/providers/instancetype/types.go; kubernetes/autoscaler 55c37cd5 cloudprovider/aws/
aws_manager.go (buildNodeFromTemplate, extractAllocatableResourcesFromTags); aws.md §7.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sim.errors import InputError
from sim.model.machines import InstanceType
from sim.model.quantity import milli, whole
from sim.model.resources import MIB, Resources

KARPENTER_OVERHEAD = 0.075  # Karpenter's planning default (vmMemoryOverheadPercent), deliberately pessimistic
OBSERVED_OVERHEAD = 0.051  # an m5.xlarge on EKS shows 15 919 124 Ki of 16 GiB (aws.md §7.1)
ARM64_OVERHEAD_MIB = 64  # Karpenter takes this off arm64 types first
EVICTION_MEMORY_MIB = 100  # kubelet --eviction-hard memory.available
RESERVED_EPHEMERAL_MIB = 1024
DEFAULT_VOLUME_GIB = 80  # eksctl DefaultNodeVolumeSize

LARGE_VCPU = 30  # from here on EKS lets a managed group's node run 250 pods instead of 110
TEMPLATE_PODS = 110  # buildNodeFromTemplate
RESOURCE_TAG = "k8s.io/cluster-autoscaler/node-template/resources/"


@dataclass(frozen=True, slots=True)
class NodeRoom:
    """What a node holds: resources for pods, and how many pods."""

    resources: Resources
    max_pods: int


def allocatable(
    instance: InstanceType, overhead: float = KARPENTER_OVERHEAD, volume_gib: int = DEFAULT_VOLUME_GIB
) -> Resources:
    """Return what pods may request of a node; DaemonSets still take their part of it."""
    capacity = node_capacity(instance, overhead, volume_gib)
    return Resources(
        cpu_m=capacity.cpu_m - kube_reserved_cpu_m(instance.vcpu),
        memory_mib=capacity.memory_mib - kube_reserved_memory_mib(instance.max_pods) - EVICTION_MEMORY_MIB,
        ephemeral_mib=capacity.ephemeral_mib * 9 // 10 - RESERVED_EPHEMERAL_MIB,
        gpu=instance.gpu,
    )


def node_capacity(
    instance: InstanceType, overhead: float = KARPENTER_OVERHEAD, volume_gib: int = DEFAULT_VOLUME_GIB
) -> Resources:
    """Return what the node reports as its capacity: whole vCPUs, memory as the kernel sees it."""
    shown_mib = instance.memory_mib - (ARM64_OVERHEAD_MIB if instance.arch == "arm64" else 0)
    return Resources(
        cpu_m=1000 * instance.vcpu,
        memory_mib=shown_mib - math.ceil(shown_mib * overhead),
        ephemeral_mib=1024 * volume_gib,
        gpu=instance.gpu,
    )


def kube_reserved_cpu_m(vcpu: int) -> int:
    """Return 6 % of the first core, 1 % of the second, 0.5 % of the next two and 0.25 % of the rest.

    Each step is cut to whole millicores before it is added.
    """
    beyond_four = max(vcpu - 4, 0)
    return 60 * (vcpu > 0) + 10 * (vcpu > 1) + 5 * min(max(vcpu - 2, 0), 2) + 5 * beyond_four // 2


def kube_reserved_memory_mib(eni_max_pods: int) -> int:
    """Return 11 MiB for each pod the network interfaces allow, and 255 MiB."""
    return 11 * eni_max_pods + 255


def managed_max_pods(instance: InstanceType) -> int:
    """Return the pods of a managed node group's node: EKS caps at 110 below 30 vCPU, else at 250.

    Source: awsdocs/amazon-eks-user-guide eks-networking-add-ons.adoc; aws.md §7.1.
    """
    return min(instance.max_pods, 110 if instance.vcpu < LARGE_VCPU else 250)


def template_from_zero(instance: InstanceType, tags: Mapping[str, str]) -> NodeRoom:
    """Return the node that the autoscaler plans with before it has seen one of the group.

    ``tags`` are the Auto Scaling group's, or a managed group's own; ``RESOURCE_TAG`` + resource
    overrides a figure. There is no ephemeral storage without a tag, so a pod that requests some never
    wakes such a group (kubernetes/autoscaler #1869). A malformed quantity is skipped, as upstream does.
    """
    told = {key.removeprefix(RESOURCE_TAG): tags[key] for key in tags if key.startswith(RESOURCE_TAG)}
    resources = Resources(
        cpu_m=_told(told, "cpu", milli, 1000 * instance.vcpu),
        memory_mib=_told(told, "memory", _whole_mib, instance.memory_mib),
        ephemeral_mib=_told(told, "ephemeral-storage", _whole_mib, 0),
        gpu=_told(told, "nvidia.com/gpu", whole, instance.gpu),
    )
    return NodeRoom(resources, _told(told, "pods", whole, TEMPLATE_PODS))


def _told(told: Mapping[str, str], resource: str, amount: Callable[[str], int], otherwise: int) -> int:
    try:
        return amount(told[resource]) if resource in told else otherwise
    except InputError:
        return otherwise


def _whole_mib(quantity: str) -> int:
    return whole(quantity) // MIB
