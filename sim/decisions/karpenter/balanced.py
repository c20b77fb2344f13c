"""The policy Balanced: a move is made if what it saves is worth what it disrupts.

Both are shares of the pool: (saved / what the pool costs) / (cost of the nodes that go / cost of all its
nodes) is to be 1/2 at least, over all nodes of the pool, candidates or not. Other policies ask nothing. A
move of several pools' nodes is scored for each that is Balanced, with its share of what is saved: that of its
nodes in what all that go cost. (No recording has such a move.)

Source: sigs.k8s.io/karpenter v1.14.1 pkg/controllers/disruption/balanced.go; the shares: 06a011d620.
"""

from __future__ import annotations

from sim.decisions.karpenter.candidates import disruption_cost, node_usd
from sim.decisions.karpenter.commands import Command, total_usd
from sim.decisions.karpenter.node_pools import NodePool, Policy
from sim.decisions.karpenter.rescheduling import reschedulable
from sim.decisions.karpenter.scheduler import Surroundings

LEAST_SCORE = 0.5


def pays_off(world: Surroundings, command: Command) -> bool:
    """Say whether a move does enough for every Balanced pool that it takes nodes of."""
    pools = {candidate.pool.name: candidate.pool for candidate in command.nodes}
    return all(
        score(world, command, pool) >= LEAST_SCORE
        for pool in pools.values()
        if pool.policy is Policy.BALANCED
    )


def score(world: Surroundings, command: Command, pool: NodePool) -> float:
    """Return what a move saves of a pool for each share of it that is disrupted."""
    nodes = [node for node in world.nodes if node.pool == pool.name]
    options = {option.name: option for option in world.options}
    pool_usd = sum(node_usd(node, options[node.option]) for node in nodes)
    pool_cost = sum(disruption_cost(reschedulable(node.pods)) for node in nodes)
    going = [candidate for candidate in command.nodes if candidate.pool.name == pool.name]
    if not pool_usd:
        return 0.0
    saved_usd = command.saved_usd_per_hour * total_usd(going) / (total_usd(command.nodes) or 1.0)
    moved = sum(candidate.disruption_cost for candidate in going)
    return (saved_usd / pool_usd) / (moved / pool_cost)
