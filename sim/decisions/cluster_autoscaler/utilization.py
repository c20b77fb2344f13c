"""How full a node is: requests over allocatable, the larger of cpu and memory, or GPUs alone.

DaemonSets count, unless ``--ignore-daemonsets-utilization`` takes them out of both sides.

Source: Cluster Autoscaler 1.31.5, simulator/utilization/info.go; later patches, PR 8975;
cluster-autoscaler.md §4.2 and §11.
"""

from __future__ import annotations

import operator
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sim.model.resources import Resources

if TYPE_CHECKING:
    from sim.decisions.cluster_autoscaler.snapshot_node import ClassView, SnapshotNode
    from sim.model.autoscaler import AutoscalerOptions


@dataclass(frozen=True, slots=True)
class NodeCapacity:
    """What every node of a group has, and what its DaemonSets ask for."""

    allocatable: Resources
    daemons: Resources


def node_capacity(allocatable: Resources, daemons: Sequence[ClassView]) -> NodeCapacity:
    """Sum up the daemons of a group's nodes."""
    return NodeCapacity(allocatable, sum((daemon.spec.requests for daemon in daemons), Resources()))


def utilization(
    node: SnapshotNode, capacity: NodeCapacity, *, ignore_daemonsets: bool = False, gpu: bool = False
) -> float:
    """Return the share of a node that is requested; ``gpu``: it is a GPU node, whose GPUs count."""
    total = capacity.allocatable
    ignored = capacity.daemons if ignore_daemonsets else Resources()
    if gpu:
        return _share(total.gpu, node.gpu, ignored.gpu)
    return max(
        _share(total.cpu_m, node.cpu_m, ignored.cpu_m),
        _share(total.memory_mib, node.memory_mib, ignored.memory_mib),
    )


def underused_room(capacity: NodeCapacity, options: AutoscalerOptions) -> Resources:
    """Return the least room of a node whose utilization is below the threshold, or, since a patch, at it.

    A node is judged in every look in which it changed, so this turns the division into a comparison.
    """
    total = capacity.allocatable
    ignored = capacity.daemons if options.ignore_daemonsets_utilization else Resources()
    threshold = options.scale_down_utilization_threshold
    gpu_threshold = options.scale_down_gpu_utilization_threshold
    is_low = operator.le if options.threshold_is_unneeded else operator.lt
    return Resources(
        cpu_m=_least_left(total.cpu_m, ignored.cpu_m, threshold, is_low),
        memory_mib=_least_left(total.memory_mib, ignored.memory_mib, threshold, is_low),
        gpu=_least_left(total.gpu, ignored.gpu, gpu_threshold, is_low),
    )


def _least_left(total: int, ignored: int, threshold: float, is_low: Callable[[float, float], bool]) -> int:
    """Search for the first amount left whose share is low enough; ``total`` + 1: none is."""
    if total <= ignored:
        return 0
    left = range(total + 1)
    return bisect_left(left, True, key=lambda amount: is_low(_share(total, amount, ignored), threshold))


def _share(total: int, left: int, ignored: int) -> float:
    return (total - left - ignored) / (total - ignored)
