"""eksctl's keys, by place: those the simulator reads, and those it keeps untouched.

Source: eksctl-io/eksctl 99984adb6164 (0.231.0-dev), pkg/apis/eksctl.io/v1alpha5/assets/schema.json.
"""

from __future__ import annotations

from sim.adapters.eksctl.messages import MESSAGES

CLUSTER_READ = frozenset(
    {
        "apiVersion",
        "kind",
        "metadata",
        "availabilityZones",
        "fargateProfiles",
        "managedNodeGroups",
        "nodeGroups",
    }
)
CLUSTER_KEPT = frozenset(MESSAGES["ClusterConfig"]) - CLUSTER_READ

METADATA_READ = frozenset({"name", "region", "version", "tags"})
METADATA_KEPT = frozenset(MESSAGES["ClusterMeta"]) - METADATA_READ

GROUP_READ = frozenset(
    {
        "amiFamily",
        "availabilityZones",
        "desiredCapacity",
        "instanceSelector",
        "instanceType",
        "labels",
        "maxPodsPerNode",
        "maxSize",
        "minSize",
        "name",
        "privateNetworking",
        "propagateASGTags",
        "tags",
        "taints",
        "additionalVolumes",
        "volumeIOPS",
        "volumeSize",
        "volumeThroughput",
        "volumeType",
    }
)
MANAGED_KEPT = frozenset(MESSAGES["ManagedNodeGroup"]) - GROUP_READ - {"instanceTypes", "spot"}
SELF_MANAGED_KEPT = frozenset(MESSAGES["NodeGroup"]) - GROUP_READ - {"instancesDistribution"}

VOLUME_TYPES = ("gp2", "gp3", "io1", "io2", "sc1", "st1")

# pkg/apis/eksctl.io/v1alpha5/types.go SupportedRegions
REGIONS = frozenset(
    [
        "us-west-1",
        "us-west-2",
        "us-east-1",
        "us-east-2",
        "ca-central-1",
        "ca-west-1",
        "mx-central-1",
        "sa-east-1",
        "eu-west-1",
        "eu-west-2",
        "eu-west-3",
        "eu-north-1",
        "eu-central-1",
        "eu-central-2",
        "eu-south-1",
        "eu-south-2",
        "ap-northeast-1",
        "ap-northeast-2",
        "ap-northeast-3",
        "ap-southeast-1",
        "ap-southeast-2",
        "ap-southeast-3",
        "ap-southeast-4",
        "ap-southeast-5",
        "ap-southeast-6",
        "ap-southeast-7",
        "ap-south-1",
        "ap-south-2",
        "ap-east-1",
        "ap-east-2",
        "me-central-1",
        "me-south-1",
        "af-south-1",
        "il-central-1",
        "cn-northwest-1",
        "cn-north-1",
        "us-gov-west-1",
        "us-gov-east-1",
        "us-iso-east-1",
        "us-iso-west-1",
        "us-isob-east-1",
        "us-isob-west-1",
        "us-isof-south-1",
        "us-isof-east-1",
        "eu-isoe-west-1",
    ]
)

# Kept, and said, because the simulator does not follow it.
NOT_SIMULATED = {
    "karpenter": "is kept but not modelled: nodes come and go by the Cluster Autoscaler",
    "autoModeConfig": "is kept but not modelled: nodes come and go by the Cluster Autoscaler",
    "outpost": "is kept but not modelled: prices and capacity are the region's",
    "localZones": "is kept but not modelled: prices and capacity are the region's",
    "kubeletExtraConfig": "is kept but not read: allocatable follows the default reservations",
    "launchTemplate": "is kept but not read: state instanceTypes and volumeSize for the simulation",
    "instanceMarketOptions": "is a capacity block, paid in advance; simulated and billed as On-Demand",
    "bottlerocket": "is kept but not read: allocatable follows the default reservations",
}
