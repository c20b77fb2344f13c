"""Simulating the removal of a node: may its pods leave, and is there room for them elsewhere.

A success stays in the snapshot: moved pods take room on other nodes, and the node is no longer a
destination for those simulated after it.

Source: Cluster Autoscaler 1.31.5, simulator/cluster.go (SimulateNodeRemoval, findPlaceFor),
core/scaledown/pdb/basic.go.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sim.decisions.drain_rules import blocking_reason, pods_to_move
from sim.decisions.snapshot import SnapshotNode
from sim.model.log import Reason

if TYPE_CHECKING:
    from sim.decisions.hinting_simulator import HintingSimulator
    from sim.decisions.snapshot import PodView, Snapshot
    from sim.model.autoscaler import AutoscalerOptions


@dataclass(frozen=True, slots=True)
class NodeToBeRemoved:
    """A node that can go; ``risky``: its PodDisruptionBudgets do not allow all pods at once."""

    node: SnapshotNode
    pods: int
    risky: bool = False


class DisruptionBudgets:
    """What the PodDisruptionBudgets still allow in one look; one budget for each owner."""

    def __init__(self) -> None:
        """Nothing has been disrupted."""
        self._used: Counter[tuple[str, str]] = Counter()

    def left(self, pod: PodView) -> int | None:
        """Return how many more pods may go, None if no budget matches."""
        spec = pod.cls.spec
        if spec.disruptions_allowed is None:
            return None
        return spec.disruptions_allowed - self._used[spec.namespace, spec.owner]

    def allow_in_parallel(self, pods: Collection[PodView]) -> bool:
        """Say whether all these pods may go at once."""
        asked: Counter[tuple[str, str]] = Counter()
        for pod in pods:
            left = self.left(pod)
            asked[pod.cls.spec.namespace, pod.cls.spec.owner] += 1
            if left is not None and left < asked[pod.cls.spec.namespace, pod.cls.spec.owner]:
                return False
        return True

    def remove(self, pods: Collection[PodView]) -> None:
        """Count pods as disrupted."""
        for pod in pods:
            self._used[pod.cls.spec.namespace, pod.cls.spec.owner] += 1


def simulate_node_removal(
    node: SnapshotNode,
    snapshot: Snapshot,
    destinations: Collection[int],
    options: AutoscalerOptions,
    *,
    simulator: HintingSimulator,
    budgets: DisruptionBudgets,
) -> NodeToBeRemoved | Reason:
    """Return the node to be removed, its pods moved in the snapshot, or why it cannot go."""
    moving, reason = pods_to_move(
        node.pods, lambda pod: blocking_reason(pod.cls.spec, budgets.left(pod), options)
    )
    if reason is not Reason.NoReason:
        return reason
    mark = snapshot.fork()
    placed = simulator.try_schedule_pods(snapshot, moving, destinations, node, break_on_failure=True)
    if len(placed) < len(moving):
        snapshot.revert(mark)
        return Reason.NoPlaceToMovePods
    parallel = budgets.allow_in_parallel(moving)
    budgets.remove(moving)
    return NodeToBeRemoved(node, len(moving), risky=not parallel)
