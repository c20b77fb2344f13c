"""Labels, taints and limits that Karpenter itself gives a meaning.

Source: sigs.k8s.io/karpenter and karpenter-provider-aws v1.14.1, pkg/apis/v1/labels.go of each.
"""

from __future__ import annotations

from sim.model.pods import ZONE, Effect, Taint

NODE_POOL = "karpenter.sh/nodepool"
CAPACITY_TYPE = "karpenter.sh/capacity-type"
ARCH = "kubernetes.io/arch"
OPERATING_SYSTEM = "kubernetes.io/os"
TYPE = "node.kubernetes.io/instance-type"
RESERVATION_ID = "karpenter.k8s.aws/capacity-reservation-id"
SIZE = "karpenter.k8s.aws/instance-size"
REGISTERED = "karpenter.sh/registered"
INITIALIZED = "karpenter.sh/initialized"

RESERVED, SPOT, ON_DEMAND = "reserved", "spot", "on-demand"
CHEAPEST_FIRST = (RESERVED, SPOT, ON_DEMAND)
"""The capacity types in the order in which a launch prefers them."""

DISRUPTED = Taint("karpenter.sh/disrupted", effect=Effect.NO_SCHEDULE)
READINESS_PREFIX = "readiness.k8s.io/"
EPHEMERAL = (
    Taint("node.kubernetes.io/not-ready", effect=Effect.NO_SCHEDULE),
    Taint("node.kubernetes.io/not-ready", effect=Effect.NO_EXECUTE),
    Taint("node.kubernetes.io/unreachable", effect=Effect.NO_SCHEDULE),
    Taint("node.cloudprovider.kubernetes.io/uninitialized", "true", Effect.NO_SCHEDULE),
    Taint("karpenter.sh/unregistered", effect=Effect.NO_EXECUTE),
)

_OF_AWS = (
    "capacity-reservation-id capacity-reservation-interruptible capacity-reservation-type "
    "instance-accelerator-count instance-accelerator-manufacturer instance-accelerator-name "
    "instance-category instance-cpu instance-cpu-manufacturer instance-cpu-sustained-clock-speed-mhz "
    "instance-ebs-bandwidth instance-encryption-in-transit-supported instance-family instance-generation "
    "instance-gpu-count instance-gpu-manufacturer instance-gpu-memory instance-gpu-name instance-hypervisor "
    "instance-local-nvme instance-memory instance-network-bandwidth instance-size instance-tenancy"
)
WELL_KNOWN = frozenset(
    {
        NODE_POOL,
        CAPACITY_TYPE,
        ARCH,
        OPERATING_SYSTEM,
        TYPE,
        ZONE,
        "topology.kubernetes.io/region",
        "topology.k8s.aws/zone-id",
        "node.kubernetes.io/windows-build",
        *(f"karpenter.k8s.aws/{name}" for name in _OF_AWS.split()),
    }
)
"""Labels that a claim may leave open: the instance that is launched will have some value of them."""
