"""What disruption decides to do: nodes that go together, and the claims that take their place.

Source: sigs.k8s.io/karpenter v1.14.1 pkg/controllers/disruption/types.go (Command).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from sim.decisions.karpenter.candidates import Candidate, Disruptable
from sim.decisions.karpenter.existing_nodes import ExistingNode
from sim.decisions.karpenter.instance_options import cheapest_usd
from sim.decisions.karpenter.new_claims import NewClaim
from sim.decisions.karpenter.node_pools import DisruptionReason
from sim.decisions.karpenter.rescheduling import to_be_placed
from sim.decisions.karpenter.scheduler import PassOptions, PassResult, schedule


class Why(Enum):
    """Why a set of nodes is left as it is."""

    PODS_UNPLACED = "not all pods would find a place"
    SEVERAL_NODES = "would need more than one new node"
    SPOT_TO_SPOT_OFF = "spot would be replaced by spot, whose feature gate is off"
    TOO_FEW_SPOT_TYPES = "fewer than 15 cheaper spot types"
    NOT_CHEAPER = "no type is cheaper"
    MIN_VALUES = "too few values would be left for minValues"
    SAME_TYPE = "no type is cheaper than the node of that type that goes"
    SCORE = "saves too little for what it disrupts"
    TOO_FEW = "fewer than two candidates"
    BUDGET = "held back by a budget"
    NO_CANDIDATE = "no candidate"


@dataclass(frozen=True, slots=True)
class Command:
    """Nodes that go for one reason; ``method`` is empty, multi, single, or nothing for drift."""

    reason: DisruptionReason
    method: str
    nodes: tuple[Candidate, ...]
    replacements: tuple[NewClaim, ...] = ()
    to_existing: tuple[ExistingNode, ...] = ()

    @property
    def saved_usd_per_hour(self) -> float:
        """Return what the nodes cost beyond the cheapest that could take their place."""
        return total_usd(self.nodes) - sum(
            cheapest_usd(claim.options[0], claim.requirements) for claim in self.replacements
        )


def total_usd(found: Iterable[Candidate]) -> float:
    """Return what candidates cost an hour."""
    return sum(candidate.usd_per_hour for candidate in found)


def simulate(view: Disruptable, going: Sequence[Candidate], reason: DisruptionReason) -> PassResult | Why:
    """Return the pass that would follow without some nodes; or that pods of theirs would be left.

    Pods of the candidates may not be placed on a node that is not initialised, nor, in a consolidation, use
    one that is within its ``consolidateAfter``; pods that wait, or whose node goes already, may (helpers.go,
    SimulateScheduling).
    """
    gone = {candidate.name for candidate in going}
    moving = [pod for candidate in going for pod in candidate.pods]
    moved = frozenset(pod.name for pod in moving)
    leaving = [
        pod for node in view.world.nodes if node.marked for pod in to_be_placed(node.pods, view.budgets)
    ]
    result = schedule(
        view.world.without(gone),
        [*view.pending, *leaving, *moving],
        PassOptions(waits_for_reservations=False),
        settled_only=frozenset() if reason is DisruptionReason.DRIFTED else moved,
    )
    unplaced = set(result.unschedulable) - {pod.name for pod in view.pending}
    early = {pod.name for one in result.existing if not one.node.initialized for pod in one.pods}
    return Why.PODS_UNPLACED if unplaced or early & moved else result
