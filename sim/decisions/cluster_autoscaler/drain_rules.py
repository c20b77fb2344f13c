"""What a pod means for the removal of its node: the first rule that answers wins.

Mirror pods do not exist here, controllers are never missing, and pods terminate and finish in time,
so upstream's rules 1, 2, 3 and 6 have no cases; DaemonSet pods are part of the node.

Source: Cluster Autoscaler 1.31.5, simulator/drainability/rules/rules.go, utils/drain/drain.go;
cluster-autoscaler.md §4.3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.model.log import Reason
from sim.model.pods import Controller

if TYPE_CHECKING:
    from sim.model.autoscaler import AutoscalerOptions
    from sim.model.pods import PodClass

KUBE_SYSTEM = "kube-system"

REPLICATED = frozenset({
    Controller.REPLICATION_CONTROLLER, Controller.JOB, Controller.REPLICA_SET, Controller.STATEFUL_SET,
})  # fmt: skip


def blocking_reason(
    pod: PodClass, disruptions_left: int | None, options: AutoscalerOptions, age_us: int = 0
) -> Reason:
    """Return why a pod keeps its node, or NoReason.

    ``disruptions_left`` is what the PodDisruptionBudget that matches it still allows, None if none
    does. From 1.33 on a system pod of more than an hour no longer blocks, whatever else holds.
    """
    replicated = (
        pod.controller in REPLICATED
        if options.skip_nodes_with_custom_controller_pods
        else pod.controller is not Controller.NONE
    )
    system = options.skip_nodes_with_system_pods and is_system(pod) and disruptions_left is None
    timeout_us = options.blocking_system_pod_disruption_timeout_us
    local_storage = options.skip_nodes_with_local_storage and pod.local_storage
    rules = (
        (pod.safe_to_evict is True, Reason.NoReason),
        (not replicated, Reason.NotReplicated),
        (system and 0 < timeout_us < age_us, Reason.NoReason),
        (system, Reason.UnmovableKubeSystemPod),
        (pod.safe_to_evict is False, Reason.NotSafeToEvictAnnotation),
        (local_storage, Reason.LocalStorageRequested),
        (disruptions_left is not None and disruptions_left < 1, Reason.NotEnoughPdb),
    )
    return next((reason for holds, reason in rules if holds), Reason.NoReason)


def is_system(pod: PodClass) -> bool:
    """Say whether a pod is of the kube-system namespace."""
    return pod.system or pod.namespace == KUBE_SYSTEM
