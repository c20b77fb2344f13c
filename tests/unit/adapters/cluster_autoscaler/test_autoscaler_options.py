"""The autoscaler's flags: defaults of 1.31.5, and what changed later (cluster-autoscaler.md §9, §11)."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest

from sim.model.autoscaler import VERSIONS, AutoscalerOptions, options_for
from sim.model.units import HOUR, MINUTE, SECOND

SHEET: dict[str, Any] = {
    "scan_interval_us": 10 * SECOND,
    "frequent_loops_enabled": False,
    "new_pod_scale_up_delay_us": 0,
    "expander": ("random",),
    "balance_similar_node_groups": False,
    "balancing_ignore_label": (),
    "balancing_label": (),
    "max_nodes_total": 0,
    "cores_total": (0, 320_000),
    "memory_total_gib": (0, 6_400_000),
    "enforce_node_group_min_size": False,
    "max_nodes_per_scaleup": 1_000,
    "max_node_provision_time_us": 15 * MINUTE,
    "initial_node_group_backoff_duration_us": 5 * MINUTE,
    "max_node_group_backoff_duration_us": 30 * MINUTE,
    "node_group_backoff_reset_timeout_us": 3 * HOUR,
    "max_total_unready_percentage": 45,
    "ok_total_unready_count": 3,
    "scale_down_enabled": True,
    "scale_down_unneeded_time_us": 10 * MINUTE,
    "scale_down_unready_time_us": 20 * MINUTE,
    "scale_down_utilization_threshold": 0.5,
    "scale_down_gpu_utilization_threshold": 0.5,
    "scale_down_delay_after_add_us": 10 * MINUTE,
    "scale_down_delay_after_delete_us": 0,
    "scale_down_delay_after_failure_us": 3 * MINUTE,
    "scale_down_delay_type_local": False,
    "ignore_daemonsets_utilization": False,
    "max_scale_down_parallelism": 10,
    "max_drain_parallelism": 1,
    "unremovable_node_recheck_timeout_us": 5 * MINUTE,
    "node_delete_delay_after_taint_us": 5 * SECOND,
    "node_deletion_batcher_interval_us": 0,
    "max_graceful_termination_us": 600 * SECOND,
    "max_pod_eviction_time_us": 2 * MINUTE,
    "skip_nodes_with_local_storage": True,
    "skip_nodes_with_system_pods": True,
    "skip_nodes_with_custom_controller_pods": True,
    "expendable_pods_priority_cutoff": -10,
    "cordon_node_before_terminating": False,
    "max_bulk_soft_taint_count": 10,
    "aws_refresh_interval_us": MINUTE,
}
NEWEST = dict(tag.rsplit(".", 1) for tag in ("1.31.5", "1.32.7", "1.33.6", "1.34.5", "1.35.2", "1.36.1"))
LATER: list[tuple[str, str, Any]] = [
    ("1.33", "expander", ("least-waste",)),
    ("1.33", "blocking_system_pod_disruption_timeout_us", HOUR),
    ("1.34", "cordon_node_before_terminating", True),
    ("1.35", "frequent_loops_enabled", True),
]


@pytest.mark.parametrize("flag", SHEET)
def test_defaults_of_1_31_5(flag: str) -> None:
    assert getattr(options_for("1.31"), flag) == SHEET[flag]
    assert getattr(AutoscalerOptions(), flag) == SHEET[flag]


@pytest.mark.parametrize("version", VERSIONS)
def test_what_later_versions_changed(version: str) -> None:
    changed = {flag: value for since, flag, value in LATER if version >= since}
    first, now = options_for("1.31"), options_for(version)
    said = {
        f.name: getattr(now, f.name) for f in fields(now) if getattr(now, f.name) != getattr(first, f.name)
    }
    patch = int(NEWEST[version])
    assert (said.pop("version", "1.31"), said.pop("patch", 5)) == (version, patch)
    assert said == changed


@pytest.mark.parametrize(
    ("before", "after"),
    [("1.32.5", "1.32.6"), ("1.33.3", "1.33.4"), ("1.34.2", "1.34.3"), ("1.31.99", "1.35.0")],
)
def test_a_node_at_the_threshold_is_unneeded_since_a_patch_of_each_minor(before: str, after: str) -> None:
    """Release notes of kubernetes/autoscaler PR 8975: `>=` until the first, `>` since the second."""
    for release, unneeded in ((before, False), (after, True)):
        version, _, patch = release.rpartition(".")
        options = replace(options_for(version), patch=int(patch))
        assert (options.release, options.threshold_is_unneeded) == (release, unneeded)


def test_other_versions_are_refused() -> None:
    with pytest.raises(ValueError, match=r"allowed: 1\.31"):
        options_for("1.20")
