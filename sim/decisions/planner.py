"""The scale-down planner: which nodes are unneeded at this look.

Candidates are simulated one after the other in one snapshot, so the plan is jointly feasible. One
that cannot be removed is not looked at again for ``--unremovable-node-recheck-timeout``.

Source: Cluster Autoscaler 1.31.5, core/scaledown/planner/planner.go (UpdateClusterState,
categorizeNodes), core/scaledown/unremovable/nodes.go.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Sequence
from typing import TYPE_CHECKING

from sim.decisions.hinting_simulator import HintingSimulator
from sim.decisions.removal import DisruptionRules, NodeToBeRemoved, simulate_node_removal
from sim.decisions.unneeded import Unneeded, still_unneeded, unneeded_nodes_limit
from sim.model.log import Reason

if TYPE_CHECKING:
    from sim.decisions.snapshot import Snapshot
    from sim.decisions.snapshot_node import SnapshotNode
    from sim.model.autoscaler import AutoscalerOptions


class Planner:
    """Remembers unneeded nodes, recent failures, and where pods were last moved to.

    ``refusals`` says for each candidate of the last update why it is not unneeded.
    """

    def __init__(self, options: AutoscalerOptions) -> None:
        """Start with nothing known."""
        self.options = options
        self.unneeded: dict[int, Unneeded] = {}
        self.refusals: dict[int, Reason] = {}
        self.unremovable_until_us: dict[int, int] = {}
        self.latest_update_us: int | None = None
        self._simulator = HintingSimulator()
        self._rules = DisruptionRules(options)
        self._min_update_interval_us = max(options.scale_down_unneeded_time_us, 1)

    def update_cluster_state(
        self,
        snapshot: Snapshot,
        candidates: Sequence[SnapshotNode],
        destinations: bytearray,
        deleted: Collection[int],
        now_us: int,
    ) -> None:
        """Find the nodes that are unneeded now; leaves the snapshot as it was.

        ``candidates`` are below the threshold, in the order to look at them; ``destinations`` marks
        the nodes that pods may move to; ``deleted`` are the ids of nodes that are, by their taint.
        """
        if self.latest_update_us is not None:
            interval_us = now_us - self.latest_update_us
            self._min_update_interval_us = min(self._min_update_interval_us, interval_us)
        self.latest_update_us = now_us
        self._forget_old_failures(snapshot, now_us)
        mark = snapshot.plan()
        self._categorize(snapshot, self._eligible(candidates, deleted), destinations, now_us)
        snapshot.revert(mark)
        self._simulator.drop_old_hints()

    def _forget_old_failures(self, snapshot: Snapshot, now_us: int) -> None:
        if self.unremovable_until_us:
            self.unremovable_until_us = {
                node: until_us
                for node, until_us in self.unremovable_until_us.items()
                if until_us > now_us and node in snapshot.by_id
            }

    def _eligible(self, candidates: Sequence[SnapshotNode], deleted: Collection[int]) -> list[SnapshotNode]:
        self.refusals = refusals = {}
        unremovable = self.unremovable_until_us
        eligible = []
        for node in candidates:
            if node.id in unremovable:
                refusals[node.id] = Reason.RecentlyUnremovable
            elif node.id in deleted:
                refusals[node.id] = Reason.CurrentlyBeingDeleted
            else:
                eligible.append(node)
        return eligible

    def _categorize(
        self, snapshot: Snapshot, eligible: list[SnapshotNode], destinations: bytearray, now_us: int
    ) -> None:
        options = self.options
        limit = unneeded_nodes_limit(len(self.unneeded), self._min_update_interval_us, options)
        self._rules.begin_look(now_us)
        before = self.unneeded
        unneeded: dict[int, Unneeded] = {}
        for index, node in enumerate(eligible):
            if len(unneeded) >= limit:
                for skipped in eligible[index:]:
                    self.refusals[skipped.id] = Reason.NotUnneededOtherReason
                break
            known = before.get(node.id)
            if known is not None and not (known.removal.pods or node.moved or node.real_pods()):
                unneeded[node.id] = known  # still empty
                destinations[node.position] = False
                continue
            outcome = simulate_node_removal(node, snapshot, destinations, self._simulator, self._rules)
            if isinstance(outcome, NodeToBeRemoved):
                unneeded[node.id] = still_unneeded(known, outcome, now_us)
            else:
                self.refusals[node.id] = outcome
                self.unremovable_until_us[node.id] = now_us + options.unremovable_node_recheck_timeout_us
        self.unneeded = unneeded

    def order_matters(
        self,
        candidates: Sequence[SnapshotNode],
        deleted: Collection[int],
        now_us: int,
    ) -> bool:
        """Say whether the order of these candidates could make any difference at this look.

        It does not as long as pods block whatever is not empty, all the empty nodes will be unneeded, at
        most one of them newly so, and none may go yet.
        """
        empty = new = 0
        since_us = now_us - self.options.scale_down_unneeded_time_us
        unremovable, unneeded = self.unremovable_until_us, self.unneeded
        for node in candidates:
            if node.id in deleted or (node.id in unremovable and unremovable[node.id] > now_us):
                continue
            if node.moved:
                return True
            if node.real_pods():
                if node.blocked is None:
                    self._rules.blocks_node(node)
                if not node.blocked:
                    return True
                continue
            known = unneeded.get(node.id)
            empty += 1
            new += known is None
            if new > 1 or (known is not None and known.since_us < since_us):
                return True
        return empty >= 2 * self.options.max_scale_down_parallelism  # no limit is lower

    def memory(self, *, ordered: bool) -> Hashable:
        """Return what the next update depends on besides the cluster and the time, to compare.

        None if the next update would find something new even so: with random orders (not
        ``ordered``) a plan that moves pods comes out differently each time.
        """
        nodes = tuple(self.unneeded) if ordered else frozenset(self.unneeded)
        if not ordered and any(node.removal.pods for node in self.unneeded.values()):
            return None
        limit = unneeded_nodes_limit(len(nodes), self._min_update_interval_us, self.options)
        failures = tuple(self.unremovable_until_us.items())
        return nodes, limit, failures, self._simulator.memory()

    def clean_up_unneeded(self) -> None:
        """Forget all unneeded nodes, as when the cluster is unhealthy."""
        self.unneeded = {}
