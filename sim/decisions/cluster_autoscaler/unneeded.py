"""The unneeded nodes: since when each has been one, how many there may be, and which may go now.

A node keeps its time while it is found unneeded at every evaluated look. More nodes than deletions
could keep up with are not looked for.

Source: Cluster Autoscaler 1.31.5, core/scaledown/unneeded/nodes.go (RemovableAt),
core/scaledown/planner/planner.go (unneededNodesLimit); cluster-autoscaler.md §4.1, §4.4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sim.decisions.cluster_autoscaler.removal import NodeToBeRemoved
from sim.model.log import Reason

if TYPE_CHECKING:
    from sim.decisions.cluster_autoscaler.balancing import GroupSize
    from sim.decisions.cluster_autoscaler.limits import CoresAndMemory
    from sim.decisions.cluster_autoscaler.snapshot_node import SnapshotNode
    from sim.model.autoscaler import AutoscalerOptions
    from sim.model.resources import Resources


@dataclass(frozen=True, slots=True)
class Unneeded:
    """A node that could be removed, and since when that has been so."""

    removal: NodeToBeRemoved
    since_us: int


def still_unneeded(known: Unneeded | None, removal: NodeToBeRemoved, now_us: int) -> Unneeded:
    """Return the entry of a node found unneeded at ``now_us``, and before if it is ``known``."""
    if known is None:
        return Unneeded(removal, now_us)
    return known if known.removal == removal else Unneeded(removal, known.since_us)


def unneeded_nodes_limit(unneeded: int, min_update_interval_us: int, options: AutoscalerOptions) -> int:
    """Return how many nodes are worth finding: min(unneeded + 2·P, P·⌊U/I⌋ + P)."""
    parallel = options.max_scale_down_parallelism
    unneeded_time_us = max(options.scale_down_unneeded_time_us, min_update_interval_us)
    return min(unneeded + 2 * parallel, parallel * (unneeded_time_us // min_update_interval_us) + parallel)


def removable_at(
    unneeded: dict[int, Unneeded],
    now_us: int,
    options: AutoscalerOptions,
    *,
    sizes: Sequence[GroupSize],
    deletions: Sequence[int],
    left: CoresAndMemory,
    capacities: Sequence[Resources],
) -> tuple[list[SnapshotNode], list[SnapshotNode], dict[int, Reason]]:
    """Return empty nodes and nodes to drain that may go now, and why the others may not.

    ``sizes`` and ``deletions`` (in progress) are by group, ``capacities`` of one node by shape.
    """
    above_min = [
        size.target - deleting - size.min_size for size, deleting in zip(sizes, deletions, strict=True)
    ]
    chosen: list[NodeToBeRemoved] = []
    reasons: dict[int, Reason] = {}
    empty_first = sorted(unneeded.values(), key=lambda node: node.removal.pods > 0)
    for entry in empty_first:
        node = entry.removal.node
        if entry.since_us + options.scale_down_unneeded_time_us >= now_us:
            reasons[node.id] = Reason.NotUnneededLongEnough
        elif above_min[node.group] <= 0:
            reasons[node.id] = Reason.NodeGroupMinSizeReached
        elif not left.allows(capacities[node.shape]):
            reasons[node.id] = Reason.MinimalResourceLimitExceeded
        else:
            left = left.less(capacities[node.shape])
            above_min[node.group] -= 1
            chosen.append(entry.removal)
    drains = sorted((r for r in chosen if r.pods), key=lambda removal: removal.risky)
    return [r.node for r in chosen if not r.pods], [r.node for r in drains], reasons
