"""Backoff: how long a node group is left alone after a failed scale-up.

The first failure blocks the group for the initial duration. A failure inside a block restarts it
at the same length; one after it doubles the length, up to the maximum. Once the reset timeout has
passed without a failure the history is forgotten. A success changes nothing.

Source: Cluster Autoscaler 1.31.5, utils/backoff/exponential_backoff.go.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sim.model.autoscaler import AutoscalerOptions


@dataclass(frozen=True, slots=True)
class Backoff:
    """What a node group remembers of its last failed scale-up."""

    duration_us: int
    failed_at_us: int

    @property
    def until_us(self) -> int:
        """The last instant at which the group may not grow."""
        return self.failed_at_us + self.duration_us

    def blocks(self, now_us: int) -> bool:
        """Say whether the group may not grow now."""
        return now_us <= self.until_us


def after_failure(previous: Backoff | None, now_us: int, options: AutoscalerOptions) -> Backoff:
    """Return the block that starts with a scale-up failing now."""
    if previous is None or is_stale(previous, now_us, options):
        return Backoff(options.initial_node_group_backoff_duration_us, now_us)
    if previous.blocks(now_us):
        return Backoff(previous.duration_us, now_us)
    longest_us = options.max_node_group_backoff_duration_us
    return Backoff(min(2 * previous.duration_us, longest_us), now_us)


def is_stale(backoff: Backoff, now_us: int, options: AutoscalerOptions) -> bool:
    """Say whether a failure is so long ago that it is forgotten."""
    return backoff.failed_at_us + options.node_group_backoff_reset_timeout_us < now_us
