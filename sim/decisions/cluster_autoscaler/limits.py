"""Cluster-wide limits on cores and memory: how much may still be added, or taken away.

What is there is counted by target sizes and templates when adding, by existing nodes that are not
being deleted when taking away. Nodes count by capacity, cores rounded up, memory in bytes.

Source: Cluster Autoscaler 1.31.5, core/scaleup/resource/manager.go,
core/scaledown/resource/limits.go, core/utils/utils.go (GetNodeCoresAndMemory).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sim.model.autoscaler import AutoscalerOptions
    from sim.model.resources import Resources

MIB_PER_GIB = 1024


@dataclass(frozen=True, slots=True)
class CoresAndMemory:
    """An amount of both; None where no limit holds."""

    cores: int | None
    memory_mib: int | None

    def allows(self, node: Resources) -> bool:
        """Say whether one node is within what is left."""
        return (self.cores is None or cores(node) <= self.cores) and (
            self.memory_mib is None or node.memory_mib <= self.memory_mib
        )

    def less(self, node: Resources) -> CoresAndMemory:
        """Return what is left after one more node."""
        return CoresAndMemory(
            None if self.cores is None else self.cores - cores(node),
            None if self.memory_mib is None else self.memory_mib - node.memory_mib,
        )


def cores(node: Resources) -> int:
    """Return a node's cores as upstream counts them: whole ones, a fraction as one more."""
    return -(-node.cpu_m // 1000)


def left_to_add(planned: Iterable[tuple[int, Resources]], options: AutoscalerOptions) -> CoresAndMemory:
    """Return the distance to the maxima, from (target size, capacity of the template) of each group."""
    sizes = list(planned)
    _, most_cores = options.cores_total
    _, most_gib = options.memory_total_gib
    there = sum(count * cores(node) for count, node in sizes)
    there_mib = sum(count * node.memory_mib for count, node in sizes)
    return CoresAndMemory(
        max(most_cores - there, 0) if most_cores > 0 else None,
        max(most_gib * MIB_PER_GIB - there_mib, 0) if most_gib > 0 else None,
    )


def left_to_remove(nodes: Iterable[Resources], options: AutoscalerOptions) -> CoresAndMemory:
    """Return the distance to the minima, from the capacities of the nodes not being deleted."""
    least_cores, _ = options.cores_total
    least_gib, _ = options.memory_total_gib
    if least_cores <= 0 and least_gib <= 0:
        return CoresAndMemory(None, None)
    there = list(nodes)
    return CoresAndMemory(
        max(sum(map(cores, there)) - least_cores, 0) if least_cores > 0 else None,
        max(sum(n.memory_mib for n in there) - least_gib * MIB_PER_GIB, 0) if least_gib > 0 else None,
    )


def apply_limits(new_nodes: int, left: CoresAndMemory, node: Resources) -> int:
    """Return how many of the new nodes the maxima allow."""
    if left.cores is not None and new_nodes * cores(node) > left.cores:
        new_nodes = left.cores // cores(node)
    if left.memory_mib is not None and new_nodes * node.memory_mib > left.memory_mib:
        new_nodes = left.memory_mib // node.memory_mib
    return new_nodes
