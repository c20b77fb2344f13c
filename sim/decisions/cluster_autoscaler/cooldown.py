"""When scale-down rests: after a scale-up, a failure to start a deletion, or a deletion.

Cluster-wide, unless ``--scale-down-delay-type-local`` makes it a filter on each group's nodes.

Source: Cluster Autoscaler 1.31.5, core/static_autoscaler.go (isScaleDownInCooldown),
processors/scaledowncandidates/scale_down_candidates_delay_processor.go.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sim.model.units import HOUR

if TYPE_CHECKING:
    from sim.model.autoscaler import AutoscalerOptions


@dataclass(slots=True)
class LastScaleTimes:
    """When things last happened; on start all count as an hour ago. By group for local delays."""

    scale_up_us: int = -HOUR
    scale_down_us: int = -HOUR
    failure_us: int = -HOUR
    group_scale_up_us: dict[int, int] = field(default_factory=dict)
    group_scale_down_us: dict[int, int] = field(default_factory=dict)
    group_failure_us: dict[int, int] = field(default_factory=dict)


def is_scale_down_in_cooldown(times: LastScaleTimes, now_us: int, options: AutoscalerOptions) -> bool:
    """Say whether no deletion may start now, anywhere; the end of a delay is outside it."""
    if options.scale_down_delay_type_local:
        return False
    return (
        times.scale_up_us + options.scale_down_delay_after_add_us > now_us
        or times.failure_us + options.scale_down_delay_after_failure_us > now_us
        or times.scale_down_us + options.scale_down_delay_after_delete_us > now_us
    )


def is_group_in_cooldown(group: int, times: LastScaleTimes, now_us: int, options: AutoscalerOptions) -> bool:
    """Say whether local delays take a group's nodes out of the candidates."""
    if not options.scale_down_delay_type_local:
        return False
    return any(
        group in last and last[group] + delay_us > now_us
        for last, delay_us in (
            (times.group_scale_up_us, options.scale_down_delay_after_add_us),
            (times.group_scale_down_us, options.scale_down_delay_after_delete_us),
            (times.group_failure_us, options.scale_down_delay_after_failure_us),
        )
    )
