"""eksctl's keys, by place: those the simulator reads, and those it keeps untouched.

Source: eksctl-io/eksctl 99984adb6164 (0.231.0-dev), pkg/apis/eksctl.io/v1alpha5/assets/schema.json.
"""

from __future__ import annotations

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
CLUSTER_KEPT = frozenset(
    {
        "accessConfig",
        "addons",
        "addonsConfig",
        "autoModeConfig",
        "capabilities",
        "cloudWatch",
        "controlPlaneScalingConfig",
        "gitops",
        "iam",
        "iamIdentityMappings",
        "identityProviders",
        "karpenter",
        "kubeAPIServerConfig",
        "kubeControllerManagerConfig",
        "kubeSchedulerConfig",
        "kubernetesNetworkConfig",
        "localZones",
        "outpost",
        "privateCluster",
        "remoteNetworkConfig",
        "secretsEncryption",
        "upgradePolicy",
        "vpc",
        "zonalShiftConfig",
    }
)

METADATA_READ = frozenset({"name", "region", "version", "tags"})
METADATA_KEPT = frozenset({"annotations", "forceUpdateVersion", "rollbackConfig"})

PROFILE_READ = frozenset({"name", "selectors"})
PROFILE_KEPT = frozenset({"podExecutionRoleARN", "status", "subnets", "tags"})
SELECTOR_READ = frozenset({"namespace", "labels"})

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
        "volumeSize",
        "volumeType",
    }
)
GROUP_KEPT = frozenset(
    {
        "additionalVolumes",
        "ami",
        "asgSuspendProcesses",
        "bottlerocket",
        "capacityReservation",
        "disableIMDSv1",
        "disablePodIMDS",
        "ebsOptimized",
        "efaEnabled",
        "enableDetailedMonitoring",
        "iam",
        "instanceMarketOptions",
        "instanceName",
        "instancePrefix",
        "outpostARN",
        "overrideBootstrapCommand",
        "placement",
        "preBootstrapCommands",
        "securityGroups",
        "ssh",
        "subnets",
        "updateConfig",
        "volumeEncrypted",
        "volumeIOPS",
        "volumeKmsKeyID",
        "volumeName",
        "volumeThroughput",
    }
)
MANAGED_READ = GROUP_READ | {"instanceTypes", "spot"}
MANAGED_KEPT = GROUP_KEPT | {"launchTemplate", "nodeRepairConfig", "releaseVersion"}
SELF_MANAGED_READ = GROUP_READ | {"instancesDistribution"}
SELF_MANAGED_KEPT = GROUP_KEPT | {
    "asgMetricsCollection",
    "classicLoadBalancerNames",
    "clusterDNS",
    "containerRuntime",
    "cpuCredits",
    "enclaveEnabled",
    "kubeletExtraConfig",
    "localZones",
    "maxInstanceLifetime",
    "targetGroupARNs",
}

INSTANCE_SELECTOR = frozenset(
    {"allow", "cpuArchitecture", "deny", "gpus", "memory", "neuron_devices", "vCPUs"}
)
INSTANCES_DISTRIBUTION = frozenset(
    {
        "capacityRebalance",
        "instanceTypes",
        "maxPrice",
        "onDemandBaseCapacity",
        "onDemandPercentageAboveBaseCapacity",
        "spotAllocationStrategy",
        "spotInstancePools",
    }
)
UPDATE_CONFIG = frozenset({"maxUnavailable", "maxUnavailablePercentage"})
TAINT = frozenset({"key", "value", "effect"})

VOLUME_TYPES = ("gp2", "gp3", "io1", "io2", "sc1", "st1")

# A launch template states these itself (validation.go, ValidateManagedNodeGroup).
NOT_WITH_LAUNCH_TEMPLATE = (
    "instanceType",
    "ami",
    "volumeSize",
    "maxPodsPerNode",
    "ssh",
    "securityGroups",
    "instancePrefix",
    "instanceName",
    "preBootstrapCommands",
    "overrideBootstrapCommand",
    "placement",
)

# Kept, and said, because the simulator does not follow it.
NOT_SIMULATED = {
    "karpenter": "is kept but not modelled: nodes come and go by the Cluster Autoscaler",
    "autoModeConfig": "is kept but not modelled: nodes come and go by the Cluster Autoscaler",
    "outpost": "is kept but not modelled: prices and capacity are the region's",
    "localZones": "is kept but not modelled: prices and capacity are the region's",
    "kubeletExtraConfig": "is kept but not read: allocatable follows the default reservations",
    "launchTemplate": "is kept but not read: state instanceTypes and volumeSize for the simulation",
    "bottlerocket": "is kept but not read: allocatable follows the default reservations",
}
