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
    daemons_cpu_m: int = 0
    daemons_memory_mib: int = 0
    daemons_gpu: int = 0


def node_capacity(allocatable: Resources, daemons: Sequence[ClassView]) -> NodeCapacity:
    """Sum up the daemons of a group's nodes."""
    return NodeCapacity(
        allocatable,
        sum(daemon.cpu_m for daemon in daemons),
        sum(daemon.memory_mib for daemon in daemons),
        sum(daemon.gpu for daemon in daemons),
    )


def utilization(
    node: SnapshotNode, capacity: NodeCapacity, *, ignore_daemonsets: bool = False, gpu_ready: bool = True
) -> float:
    """Return the share of a node that is requested; a GPU node whose GPUs are not up is empty."""
    total = capacity.allocatable
    ignored = 1 if ignore_daemonsets else 0
    if total.gpu:
        if not gpu_ready:
            return 0.0
        return _share(total.gpu, node.gpu, ignored * capacity.daemons_gpu)
    return max(
        _share(total.cpu_m, node.cpu_m, ignored * capacity.daemons_cpu_m),
        _share(total.memory_mib, node.memory_mib, ignored * capacity.daemons_memory_mib),
    )


def _share(total: int, left: int, ignored: int) -> float:
    return (total - left - ignored) / (total - ignored)
