"""How full a node is: requests over allocatable, the larger of cpu and memory, or GPUs alone.

DaemonSets count, unless ``--ignore-daemonsets-utilization`` takes them out of both sides.

Source: Cluster Autoscaler 1.31.5, simulator/utilization/info.go; cluster-autoscaler.md §4.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sim.model.resources import Resources

if TYPE_CHECKING:
    from sim.decisions.snapshot import ClassView, SnapshotNode


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


def _share(total: int, left: int, ignored: int) -> float:
    return (total - left - ignored) / (total - ignored)
