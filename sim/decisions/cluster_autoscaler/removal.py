"""Simulating the removal of a node: may its pods leave, and is there room for them elsewhere.

A success stays in the snapshot: moved pods take room on other nodes, and the node is no longer a
destination for those simulated after it.

Source: Cluster Autoscaler 1.31.5, simulator/cluster.go (SimulateNodeRemoval, findPlaceFor),
core/scaledown/pdb/basic.go.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sim.decisions.cluster_autoscaler.drain_rules import blocking_reason, is_system
from sim.decisions.cluster_autoscaler.snapshot_node import SnapshotNode
from sim.model.log import Reason

if TYPE_CHECKING:
    from sim.decisions.cluster_autoscaler.hinting_simulator import HintingSimulator
    from sim.decisions.cluster_autoscaler.snapshot import Snapshot
    from sim.decisions.cluster_autoscaler.snapshot_node import PodView
    from sim.model.autoscaler import AutoscalerOptions


@dataclass(frozen=True, slots=True)
class NodeToBeRemoved:
    """A node that can go; ``risky``: its PodDisruptionBudgets do not allow all pods at once."""

    node: SnapshotNode
    pods: int
    risky: bool = False


class DisruptionRules:
    """What blocks a pod: the rules, and what PodDisruptionBudgets still allow in one look.

    There is one budget for each owner that has any.
    """

    def __init__(self, options: AutoscalerOptions) -> None:
        """Know no class yet."""
        self._options = options
        self._now_us = 0
        self._used: Counter[tuple[str, str]] = Counter()
        self._known: dict[int, Reason] = {}  # by class, where it depends on nothing else
        self.budgets = False  # whether any pod asked about has a budget

    def begin_look(self, now_us: int) -> None:
        """Nothing has been disrupted."""
        self._now_us = now_us
        self._used.clear()

    def blocks_node(self, node: SnapshotNode) -> Reason:
        """Return why a node's pods keep it, or NoReason; the first pod that does so counts."""
        reason = node.blocked
        if reason is None:
            reason, lasting = self._first_block(node.real_pods())
            if lasting:
                node.blocked = reason
        return self._first_block(node.moved)[0] if not reason and node.moved else reason

    def _first_block(self, pods: Iterable[PodView]) -> tuple[Reason, bool]:
        """Return why the first of the pods that blocks does, and whether that holds in other looks."""
        lasting = True
        for pod in pods:
            reason = self._known.get(pod.cls.index)
            if reason is None:
                reason = self._blocks(pod)
                lasting &= pod.cls.index in self._known
            if reason:
                return reason, lasting
        return Reason.NoReason, lasting

    def _blocks(self, pod: PodView) -> Reason:
        """Return why a pod keeps its node, or NoReason."""
        index = pod.cls.index
        spec = pod.cls.spec
        left = self._left(pod)
        reason = blocking_reason(spec, left, self._options, self._now_us - pod.created_us)
        if left is None and not is_system(spec):
            self._known[index] = reason
        self.budgets |= left is not None
        return reason

    def _left(self, pod: PodView) -> int | None:
        spec = pod.cls.spec
        if spec.disruptions_allowed is None:
            return None
        return spec.disruptions_allowed - self._used[spec.namespace, spec.owner]

    def allow_in_parallel(self, pods: Collection[PodView]) -> bool:
        """Say whether the budgets allow all these pods to go at once."""
        if not self.budgets:
            return True
        asked: Counter[tuple[str, str]] = Counter()
        for pod in pods:
            left = self._left(pod)
            if left is not None:
                owner = (pod.cls.spec.namespace, pod.cls.spec.owner)
                asked[owner] += 1
                if left < asked[owner]:
                    return False
        return True

    def remove(self, pods: Collection[PodView]) -> None:
        """Count pods as disrupted."""
        for pod in pods if self.budgets else ():
            if pod.cls.spec.disruptions_allowed is not None:
                self._used[pod.cls.spec.namespace, pod.cls.spec.owner] += 1


def simulate_node_removal(
    node: SnapshotNode,
    snapshot: Snapshot,
    destinations: bytearray,
    simulator: HintingSimulator,
    rules: DisruptionRules,
) -> NodeToBeRemoved | Reason:
    """Return the node to be removed, its pods moved in the snapshot, or why it cannot go.

    ``destinations`` marks the nodes that pods may go to; one that can be removed is taken off.
    """
    reason = rules.blocks_node(node)
    if reason is not Reason.NoReason:
        return reason
    moving = node.pods
    if snapshot.chance is not None and len(moving) > 1:
        # the pod list is in any order; moved pods stand behind
        moving = [*snapshot.chance.shuffled(node.real_pods()), *node.moved]
    destinations[node.position] = False
    mark = snapshot.fork()
    placed = simulator.try_schedule_pods(snapshot, moving, destinations, break_on_failure=True)
    if len(placed) < len(moving):
        snapshot.revert(mark)
        destinations[node.position] = True
        return Reason.NoPlaceToMovePods
    parallel = rules.allow_in_parallel(moving)
    rules.remove(moving)
    return NodeToBeRemoved(node, len(moving), risky=not parallel)
