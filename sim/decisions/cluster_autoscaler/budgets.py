"""How many of the nodes that may go are taken now.

At most ``--max-scale-down-parallelism`` nodes are in deletion, from taint to accepted delete call;
of these at most ``--max-drain-parallelism`` are drained. Empty nodes come first.

Source: Cluster Autoscaler 1.31.5, core/scaledown/budgets/budgets.go (CropNodes).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sim.decisions.cluster_autoscaler.snapshot_node import SnapshotNode
    from sim.model.autoscaler import AutoscalerOptions

Buckets = list[list["SnapshotNode"]]


def crop_nodes(
    empty: Sequence[SnapshotNode],
    drain: Sequence[SnapshotNode],
    empty_in_progress: int,
    drain_in_progress: int,
    options: AutoscalerOptions,
) -> tuple[Buckets, Buckets]:
    """Return the empty nodes and those to drain that fit the budgets, each bucketed by group."""
    total = options.max_scale_down_parallelism - empty_in_progress - drain_in_progress
    empty_now = _crop(empty, total)
    total -= sum(map(len, empty_now))
    drains = options.max_drain_parallelism - drain_in_progress
    return empty_now, _crop(drain, min(total, drains))


def _crop(nodes: Sequence[SnapshotNode], budget: int) -> Buckets:
    buckets: dict[int, list[SnapshotNode]] = {}
    for node in nodes:
        buckets.setdefault(node.group, []).append(node)
    cropped: Buckets = []
    for bucket in buckets.values():
        if budget < 1:
            break
        cropped.append(bucket[:budget])
        budget -= len(cropped[-1])
    return cropped
