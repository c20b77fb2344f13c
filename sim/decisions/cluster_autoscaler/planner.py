"""The scale-down planner: which nodes are unneeded at this look.

Candidates are simulated one after the other in one snapshot, so the plan is jointly feasible. One
that cannot be removed is not looked at again for ``--unremovable-node-recheck-timeout``.

Source: Cluster Autoscaler 1.31.5, core/scaledown/planner/planner.go (UpdateClusterState,
categorizeNodes), core/scaledown/unremovable/nodes.go.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from operator import attrgetter
from typing import TYPE_CHECKING

from sim.decisions.cluster_autoscaler.hinting_simulator import HintingSimulator
from sim.decisions.cluster_autoscaler.packing import are_many, move_away
from sim.decisions.cluster_autoscaler.removal import DisruptionRules, NodeToBeRemoved, simulate_node_removal
from sim.decisions.cluster_autoscaler.unneeded import Unneeded, still_unneeded, unneeded_nodes_limit
from sim.model.log import Reason

if TYPE_CHECKING:
    from sim.decisions.cluster_autoscaler.chance import Chance
    from sim.decisions.cluster_autoscaler.snapshot import Snapshot
    from sim.decisions.cluster_autoscaler.snapshot_node import SnapshotNode
    from sim.model.autoscaler import AutoscalerOptions

NEVER_US = 1 << 62


class Planner:
    """Remembers unneeded nodes, recent failures, and where pods were last moved to.

    ``refusals`` says for each candidate of the last update why it is not unneeded. ``changes`` counts updates
    that left something else than was there before.
    """

    def __init__(self, options: AutoscalerOptions) -> None:
        """Start with nothing known."""
        self.options = options
        self.unneeded: dict[int, Unneeded] = {}
        self.refusals: dict[int, Reason] = {}
        self.unremovable_until_us: dict[int, int] = {}  # the first to come first
        self.latest_update_us: int | None = None
        self.changes = 0
        self._known: tuple[object, int, bool] = (None, 0, False)  # of the nodes of a plan, see _survey
        self._simulator = HintingSimulator()
        self._rules = DisruptionRules(options)
        self._min_update_interval_us = max(options.scale_down_unneeded_time_us, 1)

    def forget_old_failures(self, now_us: int) -> list[int]:
        """Forget, before an update, failures that are no longer recent; return the nodes."""
        old = []
        for node, until_us in self.unremovable_until_us.items():
            if until_us > now_us:
                break
            old.append(node)
        for node in old:
            del self.unremovable_until_us[node]
        self.changes += bool(old)
        return old

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
        before, failures = self.unneeded, len(self.unremovable_until_us)
        self._begin_update(now_us)
        mark = snapshot.plan()
        self._categorize(snapshot, list(self._eligible(candidates, deleted)), destinations, now_us)
        snapshot.revert(mark)
        self._simulator.drop_old_hints()
        same = before.keys() == self.unneeded.keys()
        if same and snapshot.chance is None:
            same = list(before) == list(self.unneeded)
        if not same or len(self.unremovable_until_us) > failures:
            self.changes += 1

    def update_in_any_order(
        self,
        candidates: Iterable[SnapshotNode],
        doubtful: AbstractSet[int],
        deleted: Collection[int],
        chance: Chance | None,
        now_us: int,
    ) -> bool:
        """Do the same where the order to look at nodes decides nothing; return whether that is so.

        It is as long as pods block whatever is not empty, all the empty nodes will be unneeded, and none may
        go yet. Nodes newly so come in an order that is drawn; without ``chance``, one at a time. Nodes found
        unneeded before, and empty, remain so unless they are ``doubtful``, as candidates among them are.
        """
        empty: list[SnapshotNode] = []
        blocked: list[SnapshotNode] = []
        for node in self._eligible(candidates, deleted):
            if not (node.moved or node.real_pods()):
                empty.append(node)
            elif self._is_blocked(node):
                blocked.append(node)
            else:
                return False
        unneeded = self.unneeded
        if empty or doubtful:
            new = [node for node in empty if node.id not in unneeded]
            if len(new) > 1:
                if chance is None:
                    return False
                new = chance.shuffled(sorted(new, key=attrgetter("id")))
            unneeded = self._with(new, doubtful - {node.id for node in empty}, now_us)
        if self._order_matters(unneeded, now_us):
            return False
        self._begin_update(now_us)
        self._simulator.drop_old_hints()
        for node in blocked:
            self._refuse(node, node.blocked or Reason.NoReason, now_us)
        self.changes += len(blocked) + (unneeded is not self.unneeded)
        self.unneeded = unneeded
        return True

    def _with(self, new: Iterable[SnapshotNode], gone: Collection[int], now_us: int) -> dict[int, Unneeded]:
        """Return what is unneeded, all of it empty, with new nodes and without those that are gone."""
        unneeded = {node: entry for node, entry in self.unneeded.items() if node not in gone}
        for node_id in [node_id for node_id, entry in unneeded.items() if entry.removal.pods]:
            entry = unneeded[node_id]
            unneeded[node_id] = Unneeded(NodeToBeRemoved(entry.removal.node, 0), entry.since_us)
        unneeded.update({node.id: Unneeded(NodeToBeRemoved(node, 0), now_us) for node in new})
        return self.unneeded if unneeded == self.unneeded else unneeded

    def _order_matters(self, unneeded: dict[int, Unneeded], now_us: int) -> bool:
        """Say whether the order of the empty nodes shows in what is removed or refused."""
        if now_us > self._survey(unneeded)[1]:
            return True
        if len(unneeded) < 2 * self.options.max_scale_down_parallelism:  # no limit is lower
            return False
        return len(unneeded) >= unneeded_nodes_limit(
            len(self.unneeded), self._update_interval_us(now_us), self.options
        )

    def is_any_due(self, now_us: int) -> bool:
        """Say whether any unneeded node has been so for long enough to go."""
        return now_us > self._survey(self.unneeded)[1]

    def _survey(self, unneeded: dict[int, Unneeded]) -> tuple[object, int, bool]:
        """Return a plan, until when none of its nodes may go, and whether pods move in it."""
        if self._known[0] is not unneeded:
            first_us = min([node.since_us for node in unneeded.values()], default=NEVER_US)
            moves = any(node.removal.pods for node in unneeded.values())
            self._known = unneeded, first_us + self.options.scale_down_unneeded_time_us, moves
        return self._known

    def _is_blocked(self, node: SnapshotNode) -> bool:
        """Say whether pods that are there keep a node, in whatever order nodes are looked at."""
        if node.blocked is None:
            self._rules.blocks_node(node)
        return bool(node.blocked) and not node.moved

    def _refuse(self, node: SnapshotNode, reason: Reason, now_us: int) -> None:
        """Note why a node cannot be removed, and leave it alone for a while."""
        self.refusals[node.id] = reason
        self.unremovable_until_us[node.id] = now_us + self.options.unremovable_node_recheck_timeout_us

    def _begin_update(self, now_us: int) -> None:
        interval_us = self._update_interval_us(now_us)
        self.changes += interval_us != self._min_update_interval_us
        self._min_update_interval_us = interval_us
        self.latest_update_us = now_us

    def _update_interval_us(self, now_us: int) -> int:
        """Return the shortest time between two updates, with one that is made now."""
        if self.latest_update_us is None:
            return self._min_update_interval_us
        return min(self._min_update_interval_us, now_us - self.latest_update_us)

    def _eligible(
        self, candidates: Iterable[SnapshotNode], deleted: Collection[int]
    ) -> Iterator[SnapshotNode]:
        """Yield the candidates that are worth a simulation; refuse the others."""
        self.refusals = refusals = {}
        unremovable, recently = self.unremovable_until_us, Reason.RecentlyUnremovable
        for node in candidates:
            if node.id in unremovable:
                refusals[node.id] = recently
            elif node.id in deleted:
                refusals[node.id] = Reason.CurrentlyBeingDeleted
            else:
                yield node

    def _categorize(
        self, snapshot: Snapshot, eligible: list[SnapshotNode], destinations: bytearray, now_us: int
    ) -> None:
        options = self.options
        limit = unneeded_nodes_limit(len(self.unneeded), self._min_update_interval_us, options)
        self._rules.begin_look(now_us)
        moves = self._move_many(snapshot, eligible, destinations, limit)
        before = self.unneeded
        unneeded: dict[int, Unneeded] = {}
        for index, node in enumerate(eligible):
            if len(unneeded) >= limit:
                for skipped in eligible[index:]:
                    self.refusals[skipped.id] = Reason.NotUnneededOtherReason
                break
            known = before.get(node.id)
            pods = moves.get(node.id)
            outcome: NodeToBeRemoved | Reason
            if pods is None:
                if known is not None and not (known.removal.pods or node.moved or node.real_pods()):
                    unneeded[node.id] = known  # still empty
                    destinations[node.position] = False
                    continue
                outcome = simulate_node_removal(node, snapshot, destinations, self._simulator, self._rules)
            elif pods < 0:
                outcome = Reason.NoPlaceToMovePods
            elif known is not None and known.removal.pods == pods and not known.removal.risky:
                unneeded[node.id] = known
                continue
            else:
                outcome = NodeToBeRemoved(node, pods)
            if isinstance(outcome, NodeToBeRemoved):
                unneeded[node.id] = still_unneeded(known, outcome, now_us)
            else:
                self.refusals[node.id] = outcome
                self.unremovable_until_us[node.id] = now_us + options.unremovable_node_recheck_timeout_us
        self.unneeded = unneeded

    def _move_many(
        self, snapshot: Snapshot, eligible: list[SnapshotNode], destinations: bytearray, most: int
    ) -> dict[int, int]:
        """Simulate removals at once, if that pays and nothing but room decides.

        Return by node id how many pods would move, -1 where one found no room; blocked nodes are left out.
        """
        if not are_many(sum([len(node.real_pods()) for node in eligible]), snapshot):
            return {}
        free = [node for node in eligible if not self._rules.blocks_node(node)]
        if self._rules.budgets or not any(node.real_pods() for node in free):
            return {}
        moves = move_away(snapshot, free, destinations, self._simulator, most)
        return {node.id: pods for node, pods in zip(free, moves, strict=True)}

    def memory(self, *, ordered: bool) -> Hashable:
        """Return what the next update depends on besides the cluster and the time, to compare with the last.

        None if the next update would find something new even so: with random orders (not
        ``ordered``) a plan that moves pods comes out differently each time.
        """
        if not ordered and self._survey(self.unneeded)[2]:
            return None
        return self.changes, self._simulator.memory()

    def clean_up_unneeded(self) -> None:
        """Forget all unneeded nodes, as when the cluster is unhealthy."""
        self.unneeded = {}
