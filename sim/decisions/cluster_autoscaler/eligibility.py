"""Which nodes may be considered for removal, and in which order.

Groups at their minimum have no candidates. Empty nodes come first, then those that were unneeded
before, then node order. A node that is used too much is not simulated and loses its unneeded time.

Source: Cluster Autoscaler 1.31.5, core/scaledown/eligibility/eligibility.go,
processors/nodes/pre_filtering_processor.go, processors/scaledowncandidates/.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sim.decisions.cluster_autoscaler.snapshot_node import SnapshotNode

MAX_CLOUD_PROVIDER_NODE_DELETION_TIME_US = 300_000_000


def scale_down_order(
    nodes: Iterable[SnapshotNode],
    empty: Collection[int],
    previous: Collection[int],
) -> list[SnapshotNode]:
    """Return candidates in the order to look at them; those alike stay as they are.

    ``empty`` and ``previous`` are ids, of nodes without pods and of those that were unneeded.
    """
    ranks: tuple[list[SnapshotNode], ...] = ([], [], [], [])
    for node in nodes:
        ranks[2 * (node.id not in empty) + (node.id not in previous)].append(node)
    return [node for rank in ranks for node in rank]


def is_being_deleted(tainted_us: int | None, now_us: int) -> bool:
    """Say whether the to-be-deleted taint is young enough to be believed (actuation.IsNodeBeingDeleted)."""
    return tainted_us is not None and now_us - tainted_us < MAX_CLOUD_PROVIDER_NODE_DELETION_TIME_US
