"""Cluster Autoscaler options: every flag that changes a decision, with upstream's default.

Field names are the flag names with underscores; durations are microseconds. Defaults are those of
1.31.5 (cluster-autoscaler.md §9); ``options_for`` applies the drift of later versions (§11).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from sim.model.units import HOUR, MINUTE, SECOND

PATCHES = {"1.31": 5, "1.32": 7, "1.33": 6, "1.34": 5, "1.35": 2, "1.36": 1}
"""The patch that is taken of each version where only its minor is known: the tags that were compared."""

VERSIONS = tuple(PATCHES)
THRESHOLD_IS_UNNEEDED_SINCE = {"1.32": 6, "1.33": 4, "1.34": 3, "1.35": 0, "1.36": 0}
"""The patch of each minor since which a node whose utilisation equals the threshold is unneeded too.

Source: kubernetes/autoscaler PR 8975 and its cherry-picks, core/scaledown/eligibility/eligibility.go.
"""


class Orders(Enum):
    """Where upstream leaves an order to chance: pinned as first-come, or drawn as in production."""

    PINNED = "pinned"
    RANDOM = "random"


@dataclass(frozen=True, slots=True)
class AutoscalerOptions:
    """Flags of the Cluster Autoscaler that the simulator honours; Kubernetes minor in ``version``."""

    version: str = "1.31"
    patch: int = 5
    enabled: bool = True
    scan_interval_us: int = 10 * SECOND
    frequent_loops_enabled: bool = False
    new_pod_scale_up_delay_us: int = 0
    expander: tuple[str, ...] = ("random",)
    expander_priorities: tuple[tuple[int, tuple[str, ...]], ...] = ()
    balance_similar_node_groups: bool = False
    balancing_ignore_label: tuple[str, ...] = ()
    balancing_label: tuple[str, ...] = ()
    max_nodes_total: int = 0
    cores_total: tuple[int, int] = (0, 320_000)
    memory_total_gib: tuple[int, int] = (0, 6_400_000)
    enforce_node_group_min_size: bool = False
    max_nodes_per_scaleup: int = 1_000
    max_node_provision_time_us: int = 15 * MINUTE
    initial_node_group_backoff_duration_us: int = 5 * MINUTE
    max_node_group_backoff_duration_us: int = 30 * MINUTE
    node_group_backoff_reset_timeout_us: int = 3 * HOUR
    max_total_unready_percentage: float = 45.0
    ok_total_unready_count: int = 3
    scale_down_enabled: bool = True
    scale_down_unneeded_time_us: int = 10 * MINUTE
    scale_down_unready_time_us: int = 20 * MINUTE
    scale_down_utilization_threshold: float = 0.5
    scale_down_gpu_utilization_threshold: float = 0.5
    scale_down_delay_after_add_us: int = 10 * MINUTE
    scale_down_delay_after_delete_us: int = 0
    scale_down_delay_after_failure_us: int = 3 * MINUTE
    scale_down_delay_type_local: bool = False
    ignore_daemonsets_utilization: bool = False
    max_scale_down_parallelism: int = 10
    max_drain_parallelism: int = 1
    unremovable_node_recheck_timeout_us: int = 5 * MINUTE
    node_delete_delay_after_taint_us: int = 5 * SECOND
    node_deletion_batcher_interval_us: int = 0
    max_graceful_termination_us: int = 600 * SECOND
    max_pod_eviction_time_us: int = 2 * MINUTE
    skip_nodes_with_local_storage: bool = True
    skip_nodes_with_system_pods: bool = True
    skip_nodes_with_custom_controller_pods: bool = True
    blocking_system_pod_disruption_timeout_us: int = 0
    expendable_pods_priority_cutoff: int = -10
    cordon_node_before_terminating: bool = False
    max_bulk_soft_taint_count: int = 10
    aws_refresh_interval_us: int = 1 * MINUTE
    orders: Orders = Orders.RANDOM

    @property
    def release(self) -> str:
        """Return version and patch, such as ``1.33.6``."""
        return f"{self.version}.{self.patch}"

    @property
    def threshold_is_unneeded(self) -> bool:
        """Say whether a node may go whose utilisation equals the threshold, not only one below it."""
        since = THRESHOLD_IS_UNNEEDED_SINCE.get(self.version)
        return since is not None and self.patch >= since


def options_for(version: str) -> AutoscalerOptions:
    """Return the defaults of one version, ``1.31`` to ``1.36``.

    Source: tag comparison 1.31.5 / 1.32.7 / 1.33.6 / 1.34.5 / 1.35.2 / 1.36.1,
    cluster-autoscaler.md §11.
    """
    if version not in VERSIONS:
        raise ValueError(f"version is {version!r}; allowed: {', '.join(VERSIONS)}")
    options = AutoscalerOptions(version=version, patch=PATCHES[version])
    if version >= "1.33":
        options = replace(
            options,
            expander=("least-waste",),
            blocking_system_pod_disruption_timeout_us=1 * HOUR,
        )
    if version >= "1.34":
        options = replace(options, cordon_node_before_terminating=True)
    if version >= "1.35":
        options = replace(options, frequent_loops_enabled=True)
    return options
