"""eksctl's keys and their Go types, message by message: the keys of each kind.

A kind is a scalar, ``any``, a message, a list of those in brackets, or a map of texts to them in braces.
``taints`` are a list of them, or a map such as ``{key: value:Effect}``.

Source: eksctl-io/eksctl 99984adb6164 (0.231.0-dev), pkg/apis/eksctl.io/v1alpha5, the json tags of types.go,
iam.go, vpc.go, addon.go, access_entry.go and the files beside them.
"""

from __future__ import annotations

_KEYS: dict[str, dict[str, str]] = {
    "NodeGroupBase": {
        "text": (
            "name amiFamily instanceType instancePrefix instanceName ami volumeType "
            "volumeName volumeKmsKeyID overrideBootstrapCommand outpostARN"
        ),
        "[text]": "availabilityZones subnets asgSuspendProcesses preBootstrapCommands",
        "int": ("desiredCapacity minSize maxSize volumeSize maxPodsPerNode volumeIOPS volumeThroughput"),
        "NodeGroupSSH": "ssh",
        "{text}": "labels tags",
        "bool": (
            "privateNetworking ebsOptimized volumeEncrypted propagateASGTags disableIMDSv1 "
            "disablePodIMDS efaEnabled enableDetailedMonitoring"
        ),
        "NodeGroupIAM": "iam",
        "NodeGroupSGs": "securityGroups",
        "[VolumeMapping]": "additionalVolumes",
        "Placement": "placement",
        "InstanceSelector": "instanceSelector",
        "NodeGroupBottlerocket": "bottlerocket",
        "CapacityReservation": "capacityReservation",
        "InstanceMarketOptions": "instanceMarketOptions",
        "NodeGroupUpdateConfig": "updateConfig",
    },
    "ClusterConfig": {
        "text": "apiVersion kind",
        "ClusterMeta": "metadata",
        "UpgradePolicy": "upgradePolicy",
        "KubernetesNetworkConfig": "kubernetesNetworkConfig",
        "AutoModeConfig": "autoModeConfig",
        "RemoteNetworkConfig": "remoteNetworkConfig",
        "ClusterIAM": "iam",
        "[IAMIdentityMapping]": "iamIdentityMappings",
        "[IdentityProvider]": "identityProviders",
        "AccessConfig": "accessConfig",
        "ClusterVPC": "vpc",
        "[Addon]": "addons",
        "AddonsConfig": "addonsConfig",
        "PrivateCluster": "privateCluster",
        "[NodeGroup]": "nodeGroups",
        "[ManagedNodeGroup]": "managedNodeGroups",
        "[FargateProfile]": "fargateProfiles",
        "[text]": "availabilityZones localZones",
        "ClusterCloudWatch": "cloudWatch",
        "SecretsEncryption": "secretsEncryption",
        "GitOps": "gitops",
        "Karpenter": "karpenter",
        "Outpost": "outpost",
        "ControlPlaneScalingConfig": "controlPlaneScalingConfig",
        "ZonalShiftConfig": "zonalShiftConfig",
        "KubeAPIServerConfig": "kubeAPIServerConfig",
        "KubeSchedulerConfig": "kubeSchedulerConfig",
        "KubeControllerManagerConfig": "kubeControllerManagerConfig",
        "[Capability]": "capabilities",
    },
    "ClusterMeta": {
        "text": "name region version",
        "bool": "forceUpdateVersion",
        "RollbackConfig": "rollbackConfig",
        "{text}": "tags annotations",
    },
    "UpgradePolicy": {"text": "supportType"},
    "KubernetesNetworkConfig": {"text": "ipFamily serviceIPv4CIDR serviceIPv6CIDR"},
    "AutoModeConfig": {
        "bool": "enabled",
        "arn": "nodeRoleARN permissionsBoundaryARN",
        "[text]": "nodePools",
    },
    "RemoteNetworkConfig": {
        "RemoteNodesIAM": "iam",
        "text": "vpcGatewayID",
        "[RemoteNetwork]": "remoteNodeNetworks remotePodNetworks",
    },
    "ClusterIAM": {
        "text": (
            "serviceRoleARN serviceRolePermissionsBoundary fargatePodExecutionRoleARN "
            "fargatePodExecutionRolePermissionsBoundary"
        ),
        "bool": "withOIDC vpcResourceControllerPolicy",
        "[ClusterIAMServiceAccount]": "serviceAccounts",
        "[PodIdentityAssociation]": "podIdentityAssociations",
    },
    "IAMIdentityMapping": {
        "text": "arn username account serviceName namespace",
        "[text]": "groups",
        "bool": "noDuplicateARNs",
    },
    "IdentityProvider": {
        "text": "type name issuerURL clientID usernameClaim usernamePrefix groupsClaim groupsPrefix",
        "{text}": "requiredClaims tags",
    },
    "AccessConfig": {
        "text": "authenticationMode",
        "bool": "bootstrapClusterCreatorAdminPermissions",
        "[AccessEntry]": "accessEntries",
    },
    "ClusterVPC": {
        "text": (
            "id ipv6Cidr ipv6Pool securityGroup hostnameType sharedNodeSecurityGroup controlPlaneEgressMode"
        ),
        "cidr": "cidr",
        "ClusterSubnets": "subnets",
        "[text]": (
            "extraCIDRs extraIPv6CIDRs publicAccessCIDRs controlPlaneSubnetIDs controlPlaneSecurityGroupIDs"
        ),
        "bool": "manageSharedNodeSecurityGroupRules autoAllocateIPv6 controlPlaneOnPrivateSubnets",
        "ClusterNAT": "nat",
        "ClusterEndpoints": "clusterEndpoints",
    },
    "Addon": {
        "text": (
            "name version serviceAccountRoleARN permissionsBoundary resolveConflicts configurationValues"
        ),
        "[text]": "attachPolicyARNs publishers types owners",
        "{any}": "attachPolicy",
        "WellKnownPolicies": "wellKnownPolicies",
        "{text}": "tags",
        "[PodIdentityAssociation]": "podIdentityAssociations",
        "bool": "useDefaultPodIdentityAssociations",
        "AddonNamespaceConfig": "namespaceConfig",
    },
    "AddonsConfig": {"bool": "autoApplyPodIdentityAssociations disableDefaultAddons"},
    "PrivateCluster": {"bool": "enabled skipEndpointCreation", "[text]": "additionalEndpointServices"},
    "NodeGroup": {
        "NodeGroupInstancesDistribution": "instancesDistribution",
        "[MetricsCollection]": "asgMetricsCollection",
        "text": "cpuCredits clusterDNS containerRuntime",
        "[text]": "classicLoadBalancerNames targetGroupARNs localZones",
        "taints": "taints",
        "{any}": "kubeletExtraConfig",
        "int": "maxInstanceLifetime",
        "bool": "enclaveEnabled",
    },
    "ManagedNodeGroup": {
        "[text]": "instanceTypes",
        "bool": "spot",
        "[NodeGroupTaint]": "taints",
        "LaunchTemplate": "launchTemplate",
        "text": "releaseVersion",
        "NodeGroupNodeRepairConfig": "nodeRepairConfig",
    },
    "FargateProfile": {
        "text": "name podExecutionRoleARN status",
        "[FargateProfileSelector]": "selectors",
        "[text]": "subnets",
        "{text}": "tags",
    },
    "ClusterCloudWatch": {"ClusterCloudWatchLogging": "clusterLogging"},
    "SecretsEncryption": {"text": "keyARN"},
    "GitOps": {"Flux": "flux"},
    "Karpenter": {
        "text": "version defaultInstanceProfile",
        "bool": "createServiceAccount withSpotInterruptionQueue",
    },
    "Outpost": {
        "text": "controlPlaneOutpostARN controlPlaneInstanceType etcdInstanceType",
        "Placement": "controlPlanePlacement etcdPlacement",
    },
    "ControlPlaneScalingConfig": {"text": "tier"},
    "ZonalShiftConfig": {"bool": "enabled"},
    "KubeAPIServerConfig": {"text": "eventTTL", "ServiceNodePortRange": "serviceNodePortRange"},
    "KubeSchedulerConfig": {"NodeResourcesFitConfig": "nodeResourcesFit"},
    "KubeControllerManagerConfig": {
        "HorizontalPodAutoscalerControllerConfig": "horizontalPodAutoscalerControllerConfig",
    },
    "Capability": {
        "text": "name type roleArn deletePropagationPolicy permissionsBoundary",
        "CapabilityConfiguration": "configuration",
        "{text}": "tags",
        "[AccessPolicy]": "accessPolicies",
        "[text]": "attachPolicyARNs",
        "{any}": "attachPolicy",
    },
    "RollbackConfig": {"int": "timeoutMinutes"},
    "RemoteNodesIAM": {"text": "provider roleARN caBundleCert"},
    "RemoteNetwork": {"[text]": "cidrs"},
    "ClusterIAMServiceAccount": {
        "ClusterIAMMeta": "metadata",
        "[text]": "attachPolicyARNs",
        "WellKnownPolicies": "wellKnownPolicies",
        "{any}": "attachPolicy",
        "text": "attachRoleARN permissionsBoundary roleName subjectPattern",
        "ClusterIAMServiceAccountStatus": "status",
        "bool": "roleOnly",
        "{text}": "tags",
    },
    "PodIdentityAssociation": {
        "text": (
            "namespace serviceAccountName roleARN roleName permissionsBoundaryARN "
            "permissionPolicyName targetRoleARN policy"
        ),
        "bool": "createServiceAccount disableSessionTags",
        "[text]": "permissionPolicyARNs",
        "{any}": "permissionPolicy",
        "WellKnownPolicies": "wellKnownPolicies",
        "{text}": "tags",
    },
    "AccessEntry": {
        "arn": "principalARN",
        "text": "type kubernetesUsername",
        "[text]": "kubernetesGroups",
        "[AccessPolicy]": "accessPolicies",
    },
    "ClusterSubnets": {"{AZSubnetSpec}": "private public"},
    "ClusterNAT": {"text": "gateway"},
    "ClusterEndpoints": {"bool": "privateAccess publicAccess"},
    "WellKnownPolicies": {
        "bool": (
            "imageBuilder autoScaler awsLoadBalancerController externalDNS certManager "
            "ebsCSIController efsCSIController"
        ),
    },
    "AddonNamespaceConfig": {"text": "namespace"},
    "NodeGroupSSH": {
        "bool": "allow enableSsm",
        "text": "publicKeyPath publicKey publicKeyName",
        "[text]": "sourceSecurityGroupIds",
    },
    "NodeGroupIAM": {
        "{any}": "attachPolicy",
        "[text]": "attachPolicyARNs",
        "text": ("instanceProfileARN instanceRoleARN instanceRoleName instanceRolePermissionsBoundary"),
        "NodeGroupIAMAddonPolicies": "withAddonPolicies",
    },
    "NodeGroupSGs": {"[text]": "attachIDs", "bool": "withShared withLocal"},
    "VolumeMapping": {
        "int": "volumeSize volumeIOPS volumeThroughput",
        "text": "volumeType volumeName volumeKmsKeyID snapshotID",
        "bool": "volumeEncrypted",
    },
    "Placement": {"text": "groupName spreadLevel"},
    "InstanceSelector": {
        "int": "vCPUs gpus neuron_devices",
        "text": "memory cpuArchitecture allow deny",
    },
    "NodeGroupBottlerocket": {"bool": "enableAdminContainer", "{any}": "settings"},
    "CapacityReservation": {
        "text": "capacityReservationPreference",
        "CapacityReservationTarget": "capacityReservationTarget",
    },
    "InstanceMarketOptions": {"text": "marketType"},
    "NodeGroupInstancesDistribution": {
        "[text]": "instanceTypes",
        "number": "maxPrice",
        "int": "onDemandBaseCapacity onDemandPercentageAboveBaseCapacity spotInstancePools",
        "text": "spotAllocationStrategy",
        "bool": "capacityRebalance",
    },
    "MetricsCollection": {"text": "granularity", "[text]": "metrics"},
    "NodeGroupTaint": {"text": "key value effect"},
    "NodeGroupUpdateConfig": {"int": "maxUnavailable maxUnavailablePercentage"},
    "LaunchTemplate": {"text": "id version"},
    "NodeGroupNodeRepairConfig": {
        "bool": "enabled",
        "int": (
            "maxUnhealthyNodeThresholdPercentage maxUnhealthyNodeThresholdCount "
            "maxParallelNodesRepairedPercentage maxParallelNodesRepairedCount"
        ),
        "[NodeRepairConfigOverride]": "nodeRepairConfigOverrides",
    },
    "FargateProfileSelector": {"text": "namespace", "{text}": "labels"},
    "ClusterCloudWatchLogging": {"[text]": "enableTypes", "int": "logRetentionInDays"},
    "Flux": {"text": "gitProvider", "{text}": "flags"},
    "ServiceNodePortRange": {"int": "minPort maxPort"},
    "NodeResourcesFitConfig": {"ScoringStrategy": "scoringStrategy"},
    "HorizontalPodAutoscalerControllerConfig": {"text": "horizontalPodAutoscalerSyncPeriod"},
    "CapabilityConfiguration": {"ArgoCDConfiguration": "argocd"},
    "AccessPolicy": {"arn": "policyARN", "AccessScope": "accessScope"},
    "ClusterIAMMeta": {"text": "name namespace", "{text}": "labels annotations"},
    "ClusterIAMServiceAccountStatus": {
        "text": "roleARN stackName",
        "{text}": "tags",
        "[text]": "capabilities",
    },
    "NodeGroupIAMAddonPolicies": {
        "bool": (
            "imageBuilder autoScaler externalDNS certManager appMesh appMeshPreview ebs fsx "
            "efs awsLoadBalancerController albIngress xRay cloudWatch"
        ),
    },
    "CapacityReservationTarget": {"text": "capacityReservationID capacityReservationResourceGroupARN"},
    "NodeRepairConfigOverride": {
        "text": "nodeMonitoringCondition nodeUnhealthyReason repairAction",
        "int": "minRepairWaitTimeMins",
    },
    "ScoringStrategy": {"text": "type", "[ResourceWeight]": "resources"},
    "ArgoCDConfiguration": {
        "text": "namespace",
        "ArgoCDNetworkAccess": "networkAccess",
        "[ArgoCDRoleMapping]": "rbacRoleMappings",
        "ArgoCDAWSIDC": "awsIdc",
    },
    "AccessScope": {"text": "type", "[text]": "namespaces"},
    "ResourceWeight": {"text": "name", "int": "weight"},
    "ArgoCDNetworkAccess": {"[text]": "vpceIds"},
    "ArgoCDRoleMapping": {"text": "role", "[SSOIdentity]": "identities"},
    "ArgoCDAWSIDC": {"text": "idcInstanceArn idcRegion"},
    "SSOIdentity": {"text": "id type"},
    "AZSubnetSpec": {"text": "id az", "cidr": "cidr"},
}
_BASED_ON = {"NodeGroup": "NodeGroupBase", "ManagedNodeGroup": "NodeGroupBase"}


def _kinds(message: str) -> dict[str, str]:
    base = _kinds(_BASED_ON[message]) if message in _BASED_ON else {}
    return base | {key: kind for kind, keys in _KEYS[message].items() for key in keys.split()}


MESSAGES: dict[str, dict[str, str]] = {message: _kinds(message) for message in _KEYS}
