"""The scale-down planner: which nodes are unneeded at this look.

Candidates are simulated one after the other in one snapshot, so the plan is jointly feasible. One
that cannot be removed is not looked at again for ``--unremovable-node-recheck-timeout``.

Source: Cluster Autoscaler 1.31.5, core/scaledown/planner/planner.go (UpdateClusterState,
categorizeNodes), core/scaledown/unremovable/nodes.go.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sim.decisions.eligibility import ineligible_reason
from sim.decisions.hinting_simulator import HintingSimulator
from sim.decisions.removal import DisruptionBudgets, NodeToBeRemoved, simulate_node_removal
from sim.decisions.snapshot import Snapshot, SnapshotNode
from sim.decisions.unneeded import Unneeded, unneeded_nodes_limit, update_unneeded
from sim.model.log import Reason

if TYPE_CHECKING:
    from sim.model.autoscaler import AutoscalerOptions


@dataclass(frozen=True, slots=True)
class PlannerView:
    """What the planner looks at.

    ``candidates`` in the order to look at them, without nodes in deletion; ``destinations`` are
    ids. ``utilization`` and ``is_deleted`` (by an old taint) are asked of candidates only.
    """

    snapshot: Snapshot
    candidates: Sequence[SnapshotNode]
    destinations: Collection[int]
    utilization: Callable[[SnapshotNode], float]
    threshold: Callable[[SnapshotNode], float]
    is_deleted: Callable[[SnapshotNode], bool]


class Planner:
    """Remembers unneeded nodes, recent failures, and where pods were last moved to."""

    def __init__(self, options: AutoscalerOptions) -> None:
        """Start with nothing known."""
        self.options = options
        self.unneeded: dict[int, Unneeded] = {}
        self.refusals: dict[int, Reason] = {}
        self._unremovable_until_us: dict[int, int] = {}
        self._simulator = HintingSimulator()
        self._latest_update_us: int | None = None
        self._min_update_interval_us = max(options.scale_down_unneeded_time_us, 1)

    def update_cluster_state(self, view: PlannerView, now_us: int) -> None:
        """Find the nodes that are unneeded now; leaves the snapshot as it was."""
        if self._latest_update_us is not None:
            interval_us = now_us - self._latest_update_us
            self._min_update_interval_us = min(self._min_update_interval_us, interval_us)
        self._latest_update_us = now_us
        mark = view.snapshot.fork()
        self._categorize(view, now_us)
        view.snapshot.revert(mark)
        self._simulator.drop_old_hints()

    def _categorize(self, view: PlannerView, now_us: int) -> None:
        options = self.options
        self._unremovable_until_us = {
            node: until_us
            for node, until_us in self._unremovable_until_us.items()
            if until_us > now_us and node in view.snapshot.by_id
        }
        eligible = self._eligible(view)
        limit = unneeded_nodes_limit(len(self.unneeded), self._min_update_interval_us, options)
        destinations = set(view.destinations)
        budgets = DisruptionBudgets()
        removable: list[NodeToBeRemoved] = []
        for index, node in enumerate(eligible):
            if len(removable) >= limit:
                for skipped in eligible[index:]:
                    self.refusals[skipped.id] = Reason.NotUnneededOtherReason
                break
            outcome = simulate_node_removal(
                node, view.snapshot, destinations, options, simulator=self._simulator, budgets=budgets
            )
            if isinstance(outcome, NodeToBeRemoved):
                destinations.discard(node.id)
                removable.append(outcome)
            else:
                self.refusals[node.id] = outcome
                self._unremovable_until_us[node.id] = now_us + options.unremovable_node_recheck_timeout_us
        self.unneeded = update_unneeded(self.unneeded, removable, now_us)

    def _eligible(self, view: PlannerView) -> list[SnapshotNode]:
        self.refusals = {}
        eligible = []
        for node in view.candidates:
            reason = ineligible_reason(
                view.utilization(node),
                view.threshold(node),
                recent=node.id in self._unremovable_until_us,
                deleted=view.is_deleted(node),
            )
            if reason is Reason.NoReason:
                eligible.append(node)
            else:
                self.refusals[node.id] = reason
        return eligible

    def clean_up_unneeded(self) -> None:
        """Forget all unneeded nodes, as when the cluster is unhealthy."""
        self.unneeded = {}
