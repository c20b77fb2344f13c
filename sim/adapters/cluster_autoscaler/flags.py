"""The Cluster Autoscaler's flags: what each takes, in which versions it exists, and which touch no decision.

Also the values of its Helm chart, which are read and which are kept.

Source: kubernetes/autoscaler 1.31.5, 1.32.7, 1.33.6, 1.34.5, 1.35.2 and 1.36.1, main.go and
config/flags/flags.go; klog and component-base (logs, leader election, feature gates) for the rest;
55c37cd5eb55, charts/cluster-autoscaler/values.yaml (9.59.0).
"""

from __future__ import annotations

from enum import Enum

FIRST, LAST = 31, 36  # minors of Kubernetes 1.x whose flags are known one by one


class Takes(Enum):
    """What may follow a flag, as Go's flag package reads it."""

    BOOL = "true or false"
    INT = "a whole number"
    FLOAT = "a number"
    TEXT = "a text"
    DURATION = "a duration such as 10m or 15m0s"
    MANY = "a text, the flag as often as needed"


_NAMES: dict[Takes, str] = {
    Takes.BOOL: """
        alsologtostderr async-node-groups aws-use-static-instance-list balance-similar-node-groups
        bulk-mig-instances-listing-enabled capacity-buffer-controller-enabled
        capacity-buffer-pod-dry-run-enabled capacity-buffer-pod-injection-enabled capacity-quotas-enabled
        check-capacity-batch-processing clusterapi-cloud-config-authoritative cordon-node-before-terminating
        daemonset-eviction-for-empty-nodes daemonset-eviction-for-occupied-nodes debugging-snapshot-enabled
        dynamic-node-delete-delay-after-taint-enabled emit-per-nodegroup-metrics
        enable-csi-node-aware-scheduling enable-dynamic-resource-allocation enable-proactive-scaleup
        enable-provisioning-requests enforce-node-group-min-size fastpath-binpacking-enabled
        force-delete-failed-nodes force-delete-unregistered-nodes force-ds frequent-loops-enabled
        gce-expander-ephemeral-storage-support ignore-daemonsets-utilization ignore-mirror-pods-utilization
        leader-elect legacy-stderr-threshold-behavior log-json-split-stream log-text-split-stream logtostderr
        max-node-skip-eval-time-tracker-enabled node-autoprovisioning-enabled
        node-removal-latency-tracking-enabled one-output parallel-drain parallel-scale-up profiling
        record-duplicated-events regional salvo-scale-up scale-down-delay-type-local scale-down-enabled
        scale-down-unready-enabled scale-from-unschedulable scale-up-from-zero
        scaleup-simulation-for-skipped-node-groups-enabled skip-headers skip-log-headers
        skip-nodes-with-custom-controller-pods skip-nodes-with-local-storage skip-nodes-with-system-pods
        add-dir-header write-status-configmap""",
    Takes.INT: """
        check-capacity-provisioning-request-max-batch-size cluster-snapshot-parallelism
        expendable-pods-priority-cutoff gce-concurrent-refreshes kube-client-burst log-file-max-size
        max-autoprovisioned-node-group-count max-bulk-soft-taint-count max-drain-parallelism
        max-empty-bulk-delete max-graceful-termination-sec max-nodes-per-scaleup max-nodes-total
        max-scale-down-parallelism min-replica-count ok-total-unready-count pod-injection-limit
        predicate-parallelism provisioning-request-max-backoff-cache-size
        scale-down-candidates-pool-min-count scale-down-non-empty-candidates-count v""",
    Takes.FLOAT: """
        kube-client-qps max-allocatable-difference-ratio max-free-difference-ratio
        max-total-unready-percentage memory-difference-ratio scale-down-candidates-pool-ratio
        scale-down-gpu-utilization-threshold scale-down-utilization-threshold""",
    Takes.TEXT: """
        address allowed-scheduler-names bypassed-scheduler-names check-capacity-processor-instance
        cloud-config cloud-provider cluster-name cores-total drain-priority-config estimator expander
        feature-gates grpc-expander-cert grpc-expander-url kube-api-content-type kubeconfig kubernetes
        leader-elect-resource-lock leader-elect-resource-name leader-elect-resource-namespace
        log-backtrace-at log-dir log-file log-json-info-buffer-size log-text-info-buffer-size logging-format
        memory-total namespace scheduler-config-file status-config-map-name stderrthreshold user-agent
        vmodule""",
    Takes.DURATION: """
        blocking-system-pod-distruption-timeout check-capacity-provisioning-request-batch-timebox
        gce-mig-instances-min-refresh-wait-time initial-node-group-backoff-duration
        leader-elect-lease-duration leader-elect-renew-deadline leader-elect-retry-period
        log-flush-frequency max-binpacking-time max-bulk-soft-taint-time max-failing-time max-inactivity
        max-node-group-backoff-duration max-node-provision-time max-node-startup-time
        max-nodegroup-binpacking-duration max-pod-eviction-time max-startup-time new-pod-scale-up-delay
        node-delete-delay-after-taint node-deletion-batcher-interval node-deletion-candidate-ttl
        node-deletion-delay-timeout node-group-backoff-reset-timeout node-info-cache-expire-time
        provisioning-request-initial-backoff-time provisioning-request-max-backoff-time
        salvo-scale-up-budget scale-down-delay-after-add scale-down-delay-after-delete
        scale-down-delay-after-failure scale-down-simulation-timeout scale-down-unneeded-time
        scale-down-unready-time scan-interval unremovable-node-recheck-timeout""",
    Takes.MANY: """
        balancing-ignore-label balancing-label gpu-total ignore-taint node-group-auto-discovery nodes
        startup-taint startup-taint-prefix status-taint""",
}
FLAGS: dict[str, Takes] = {name: takes for takes, names in _NAMES.items() for name in names.split()}

# The first and the last minor that knows a flag, where that is not all of them.
_SINCE: dict[int, str] = {
    32: """check-capacity-batch-processing check-capacity-provisioning-request-batch-timebox
        check-capacity-provisioning-request-max-batch-size enable-dynamic-resource-allocation
        force-delete-unregistered-nodes provisioning-request-initial-backoff-time
        provisioning-request-max-backoff-cache-size provisioning-request-max-backoff-time""",
    33: """blocking-system-pod-distruption-timeout check-capacity-processor-instance
        cluster-snapshot-parallelism""",
    34: """capacity-buffer-controller-enabled capacity-buffer-pod-injection-enabled
        node-deletion-candidate-ttl""",
    35: """allowed-scheduler-names enable-csi-node-aware-scheduling max-node-skip-eval-time-tracker-enabled
        max-node-startup-time node-removal-latency-tracking-enabled predicate-parallelism
        scale-from-unschedulable""",
    36: """capacity-buffer-pod-dry-run-enabled capacity-quotas-enabled fastpath-binpacking-enabled
        max-startup-time salvo-scale-up salvo-scale-up-budget
        scaleup-simulation-for-skipped-node-groups-enabled startup-taint-prefix""",
}
_UNTIL: dict[int, str] = {
    31: "parallel-drain",
    32: """gce-expander-ephemeral-storage-support max-autoprovisioned-node-group-count max-empty-bulk-delete
        node-autoprovisioning-enabled""",
}
SINCE: dict[str, int] = {name: minor for minor, names in _SINCE.items() for name in names.split()}
UNTIL: dict[str, int] = {name: minor for minor, names in _UNTIL.items() for name in names.split()}

# Logs, metrics, elections, credentials and limits on the process: nothing a simulated look decides by.
_OPERATIONAL = """
    add-dir-header address alsologtostderr aws-use-static-instance-list cloud-config cloud-provider
    cluster-name cluster-snapshot-parallelism debugging-snapshot-enabled emit-per-nodegroup-metrics
    kube-api-content-type kube-client-burst kube-client-qps kubeconfig kubernetes leader-elect
    leader-elect-lease-duration leader-elect-renew-deadline leader-elect-resource-lock
    leader-elect-resource-name leader-elect-resource-namespace leader-elect-retry-period
    legacy-stderr-threshold-behavior log-backtrace-at log-dir log-file log-file-max-size log-flush-frequency
    log-json-info-buffer-size log-json-split-stream log-text-info-buffer-size log-text-split-stream
    logging-format logtostderr max-failing-time max-inactivity max-node-skip-eval-time-tracker-enabled
    max-startup-time namespace node-info-cache-expire-time node-removal-latency-tracking-enabled one-output
    predicate-parallelism profiling record-duplicated-events skip-headers skip-log-headers
    status-config-map-name stderrthreshold user-agent v vmodule write-status-configmap"""
OPERATIONAL = frozenset(_OPERATIONAL.split())

# Values of flags the simulator does not follow that are what it does anyway.
AS_SIMULATED: dict[str, tuple[object, ...]] = {
    "estimator": ("binpacking",),
    "scale-up-from-zero": (True,),
    "scale-down-unready-enabled": (True, False),
    "daemonset-eviction-for-occupied-nodes": (True,),
    "parallel-scale-up": (False,),
    "parallel-drain": (True,),
    "ignore-mirror-pods-utilization": (False,),
    "force-ds": (False,),
    "min-replica-count": (0,),
}

# The chart's values that decide anything here, and the others it knows; Helm ignores unknown ones.
CHART_READ = (
    "autoDiscovery",
    "autoscalingGroups",
    "cloudProvider",
    "customArgs",
    "expanderPriorities",
    "extraArgs",
    "image",
)
_CHART_KEPT = """
    additionalLabels affinity autoscalingGroupsnamePrefix awsAccessKeyID awsRegion awsSecretAccessKey
    azureClientID azureClientSecret azureEnableForceDelete azureEnableVMSSEtag azureResourceGroup
    azureSubscriptionID azureTenantID azureUseManagedIdentityExtension azureUseWorkloadIdentityExtension
    azureUserAssignedIdentityID azureVMType civoApiKey civoApiUrl civoClusterID civoRegion cloudConfigPath
    clusterAPICloudConfigPath clusterAPIConfigMapsNamespace clusterAPIKubeconfigSecret clusterAPIMode
    clusterAPIWorkloadKubeconfigPath containerSecurityContext deployment dnsConfig dnsPolicy envFromConfigMap
    envFromSecret extraEnv extraEnvConfigMaps extraEnvSecrets extraObjects extraVolumeMounts
    extraVolumeSecrets extraVolumes fullnameOverride hostNetwork initContainers kubeTargetVersionOverride
    kwokConfigMapName magnumCABundlePath magnumClusterName nameOverride nodeSelector podAnnotations
    podDisruptionBudget podLabels priorityClassName priorityConfigMapAnnotations prometheusRule rbac
    replicaCount resources revisionHistoryLimit secretKeyRefNameOverride securityContext service
    serviceMonitor tolerations topologySpreadConstraints updateStrategy vpa"""
CHART_KEPT = frozenset(_CHART_KEPT.split())
