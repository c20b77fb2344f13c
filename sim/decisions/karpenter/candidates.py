"""Candidates: nodes that may be disrupted at all, what they cost, and what moving their pods costs.

A pod's eviction costs clamp(1 + deletion cost / 2^27 + priority / 2^25, -10, 10); a node costs 1 and what its
pods cost above zero, so that a node whose pods all cost nothing counts as empty. Candidates go by price over
cost, descending (1.14).

Source: sigs.k8s.io/karpenter v1.14.1 pkg/controllers/disruption/types.go (NewCandidate), helpers.go;
pkg/controllers/state/statenode.go (ValidateNodeDisruptable, ValidatePodsDisruptable);
pkg/utils/disruption/disruption.go (EvictionCost).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from sim.decisions.karpenter.instance_options import InstanceOption
from sim.decisions.karpenter.node_pools import NodePool
from sim.decisions.karpenter.pod_specs import PodSpec
from sim.decisions.karpenter.requirements import incompatible, of_labels
from sim.decisions.karpenter.rescheduling import (
    DisruptionBudget,
    is_evictable,
    may_not_be_disrupted,
    reschedulable,
)
from sim.decisions.karpenter.scheduler import Surroundings
from sim.decisions.karpenter.state_nodes import StateNode

DO_NOT_DISRUPT = "karpenter.sh/do-not-disrupt"
MOST_COST = 10.0


class Blocked(Enum):
    """Why a node is no candidate."""

    NOT_MANAGED = "not managed"
    NOT_INITIALIZED = "not initialized"
    BEING_DELETED = "being deleted"
    NOMINATED = "nominated for pods"
    NODE_DO_NOT_DISRUPT = "node has do-not-disrupt"
    POD_DO_NOT_DISRUPT = "a pod has do-not-disrupt"
    PDB_BLOCKS = "a PodDisruptionBudget allows no disruption"
    TWO_PDBS = "a pod has two PodDisruptionBudgets"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A node that may go: its pool and type, its own offering's price, and what its pods cost."""

    node: StateNode
    pool: NodePool
    option: InstanceOption
    usd_per_hour: float
    pods: tuple[PodSpec, ...]
    disruption_cost: float

    @property
    def name(self) -> str:
        """Return the node's name."""
        return self.node.name

    @property
    def is_empty(self) -> bool:
        """Say whether nothing on it costs anything to move."""
        return self.disruption_cost <= 1

    @property
    def savings_ratio(self) -> float:
        """Return what it costs an hour for each unit of disruption."""
        return self.usd_per_hour / self.disruption_cost


@dataclass(frozen=True, slots=True)
class Disruptable:
    """What disruption looks at: a pass's surroundings, pods that wait, and PodDisruptionBudgets.

    ``spot_to_spot`` is the feature gate SpotToSpotConsolidation, off by default.
    """

    world: Surroundings
    pending: tuple[PodSpec, ...] = ()
    budgets: tuple[DisruptionBudget, ...] = ()
    spot_to_spot: bool = False


def candidates(view: Disruptable) -> tuple[list[Candidate], dict[str, Blocked]]:
    """Return the nodes that may be disrupted, by name, and why the others may not."""
    pools = {pool.name: pool for pool in view.world.pools}
    options = {option.name: option for option in view.world.options}
    found, blocked = [], {}
    for node in sorted(view.world.nodes, key=lambda node: node.name):
        why = blocked_by(node, pools, options, view.budgets)
        if why is not None:
            blocked[node.name] = why
        else:
            found.append(_candidate(node, pools[node.pool or ""], options[node.option]))
    return found, blocked


def blocked_by(
    node: StateNode,
    pools: Mapping[str, NodePool],
    options: Mapping[str, InstanceOption],
    budgets: Sequence[DisruptionBudget],
) -> Blocked | None:
    """Return the first thing that keeps a node from being a candidate."""
    tests = (
        (node.pool not in pools or node.option not in options, Blocked.NOT_MANAGED),
        (not (node.registered and node.initialized), Blocked.NOT_INITIALIZED),
        (node.marked, Blocked.BEING_DELETED),
        (node.nominated, Blocked.NOMINATED),
        (node.annotations.get(DO_NOT_DISRUPT) == "true", Blocked.NODE_DO_NOT_DISRUPT),
        (any(map(may_not_be_disrupted, node.pods)), Blocked.POD_DO_NOT_DISRUPT),
    )
    return next((why for holds, why in tests if holds), None) or _blocked_by_budget(node, budgets)


def _blocked_by_budget(node: StateNode, budgets: Sequence[DisruptionBudget]) -> Blocked | None:
    for pod in filter(is_evictable, node.pods):
        covering = [budget for budget in budgets if budget.covers(pod)]
        if len(covering) > 1:
            return Blocked.TWO_PDBS
        if any(budget.disruptions_allowed == 0 for budget in covering):
            return Blocked.PDB_BLOCKS
    return None


def _candidate(node: StateNode, pool: NodePool, option: InstanceOption) -> Candidate:
    pods = reschedulable(node.pods)
    return Candidate(node, pool, option, node_usd(node, option), pods, disruption_cost(pods))


def node_usd(node: StateNode, option: InstanceOption) -> float:
    """Return the price of a node's own offering, available or not; 0 where it is not known."""
    labels = of_labels(node.labels)
    own = (one.usd_per_hour for one in option.offerings if incompatible(labels, one.requirements) is None)
    return min(own, default=0.0)


def eviction_cost(pod: PodSpec) -> float:
    """Return what evicting a pod costs, -10 to 10."""
    cost = 1.0 + pod.deletion_cost / 2**27 + pod.priority / 2**25
    return max(-MOST_COST, min(cost, MOST_COST))


def disruption_cost(pods: Iterable[PodSpec]) -> float:
    """Return what disrupting a node with these pods costs."""
    return 1.0 + sum(max(0.0, eviction_cost(pod)) for pod in pods)


def by_savings(found: Iterable[Candidate]) -> list[Candidate]:
    """Return candidates with the most saved for the least disruption first; equals stay as they were."""
    return sorted(found, key=lambda one: -one.savings_ratio)
