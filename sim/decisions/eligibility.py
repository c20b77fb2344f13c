"""Which nodes may be considered for removal, and in which order.

Groups at their minimum have no candidates. Empty nodes come first, then those that were unneeded
before, then node order. A node is skipped while it is being deleted, for some minutes after a
removal simulation failed, and when it is used too much; skipped nodes lose their unneeded time.

Source: Cluster Autoscaler 1.31.5, core/scaledown/eligibility/eligibility.go,
processors/nodes/pre_filtering_processor.go, processors/scaledowncandidates/.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import TYPE_CHECKING

from sim.model.log import Reason

if TYPE_CHECKING:
    from sim.decisions.balancing import GroupSize
    from sim.decisions.snapshot import SnapshotNode

MAX_CLOUD_PROVIDER_NODE_DELETION_TIME_US = 300_000_000


def scale_down_candidates(
    nodes: Iterable[SnapshotNode],
    sizes: Sequence[GroupSize],
    is_empty: Callable[[SnapshotNode], bool],
    previous: Collection[int],
) -> list[SnapshotNode]:
    """Return the nodes of groups above their minimum, in the order to look at them."""
    above = [node for node in nodes if sizes[node.group].target > sizes[node.group].min_size]
    return sorted(above, key=lambda node: (not is_empty(node), node.id not in previous))


def is_being_deleted(tainted_us: int | None, now_us: int) -> bool:
    """Say whether the to-be-deleted taint is young enough to be believed (actuation.IsNodeBeingDeleted)."""
    return tainted_us is not None and now_us - tainted_us < MAX_CLOUD_PROVIDER_NODE_DELETION_TIME_US


def ineligible_reason(utilization: float, threshold: float, *, recent: bool, deleted: bool) -> Reason:
    """Return why a candidate is not simulated, or NoReason."""
    if recent:
        return Reason.RecentlyUnremovable
    if deleted:
        return Reason.CurrentlyBeingDeleted
    return Reason.NotUnderutilized if utilization >= threshold else Reason.NoReason
