"""The cluster as eksctl's ClusterConfig states it, with eksctl's defaults filled in.

Sizes, labels and taints are final; instance types are names that the catalog resolves, or a selector it
searches with. ``kept`` holds what the schema knows and the simulator does not read, as (path, JSON).

Source: eksctl-io/eksctl 0.231.0-dev, pkg/apis/eksctl.io/v1alpha5; aws.md §9.
"""

from __future__ import annotations

from dataclasses import dataclass

from sim.model.cluster import FargateProfile
from sim.model.machines import Volume
from sim.model.pods import Pairs, Taint

DEFAULT_INSTANCE_TYPE = "m5.large"
DEFAULT_NODE_COUNT = 2
DEFAULT_VOLUME_GIB = 80
DEFAULT_VOLUME_TYPE = "gp3"
DEFAULT_AMI_FAMILY = "AmazonLinux2023"


@dataclass(frozen=True, slots=True)
class InstanceSelector:
    """What an instance type must have, instead of its name; memory as written, None is any."""

    vcpus: int | None = None
    memory: str | None = None
    gpus: int | None = None
    neuron_devices: int | None = None
    cpu_architecture: str = "x86_64"
    allow: str = ""
    deny: str = ""


@dataclass(frozen=True, slots=True)
class NodeGroupConfig:
    """One node group. ``on_demand_share`` is the part of its nodes bought On-Demand, 0 for all Spot.

    ``spot_strategy`` says of which types Spot nodes are, ``spot_pools`` of how many for ``lowest-price``.
    ``more_volumes`` are those beside the root volume.
    """

    name: str
    managed: bool = True
    instance_types: tuple[str, ...] = (DEFAULT_INSTANCE_TYPE,)
    instance_selector: InstanceSelector | None = None
    on_demand_base: int = 0
    on_demand_share: float = 1.0
    spot_strategy: str = "price-capacity-optimized"
    spot_pools: int = 2
    min_size: int = DEFAULT_NODE_COUNT
    desired_capacity: int = DEFAULT_NODE_COUNT
    max_size: int = DEFAULT_NODE_COUNT
    volume_gib: int = DEFAULT_VOLUME_GIB
    volume_type: str = DEFAULT_VOLUME_TYPE
    volume_iops: int = 0
    volume_throughput: int = 0
    more_volumes: tuple[Volume, ...] = ()
    ami_family: str = DEFAULT_AMI_FAMILY
    labels: Pairs = ()
    taints: tuple[Taint, ...] = ()
    availability_zones: tuple[str, ...] = ()
    tags: Pairs = ()
    private_networking: bool = False
    propagate_asg_tags: bool = False
    autoscaler_policy: bool = False
    max_pods_per_node: int | None = None
    kept: Pairs = ()

    @property
    def volumes(self) -> tuple[Volume, ...]:
        """Return what each of its nodes has of EBS, the root volume first."""
        root = Volume(self.volume_gib, self.volume_type, self.volume_iops, self.volume_throughput)
        return (root, *self.more_volumes)

    @property
    def spot(self) -> bool:
        """Say whether every node is Spot."""
        return self.on_demand_share == 0 and self.on_demand_base == 0


@dataclass(frozen=True, slots=True)
class ClusterConfig:
    """A cluster; ``version`` is the Kubernetes minor, None where the file leaves it to eksctl."""

    name: str
    region: str
    version: str | None = None
    node_groups: tuple[NodeGroupConfig, ...] = ()
    fargate_profiles: tuple[FargateProfile, ...] = ()
    availability_zones: tuple[str, ...] = ()
    tags: Pairs = ()
    kept: Pairs = ()
