"""How many nodes of a pool may go now, for a reason.

Of the budgets that hold for the reason now the least counts, a share of the pool's initialised nodes rounded
up; nodes that are not ready or going already are taken off. A budget that is not active, or names other
reasons, restricts nothing.

Source: sigs.k8s.io/karpenter v1.14.1 pkg/controllers/disruption/helpers.go (BuildDisruptionBudgetMapping),
pkg/apis/v1/nodepool.go (GetAllowedDisruptionsByReason, IsActive).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sim.decisions.karpenter.candidates import Candidate
from sim.decisions.karpenter.node_pools import Budget, DisruptionReason, NodePool
from sim.decisions.karpenter.state_nodes import StateNode

UNBOUNDED = 2**31 - 1
PERCENT = 100


def allowed_disruptions(
    pool: NodePool, nodes: Sequence[StateNode], reason: DisruptionReason, now: datetime
) -> int:
    """Return how many nodes of a pool may go for a reason; ``now`` is in UTC."""
    mine = [node for node in nodes if node.pool == pool.name and node.registered and node.initialized]
    going = sum(node.marked or not node.ready for node in mine)
    return max(0, min(_bounds(pool.budgets, len(mine), reason, now), default=UNBOUNDED) - going)


def _bounds(budgets: Iterable[Budget], nodes: int, reason: DisruptionReason, now: datetime) -> list[int]:
    return [
        bound(budget, nodes)
        for budget in budgets
        if (not budget.reasons or reason in budget.reasons) and is_active(budget, now)
    ]


def bound(budget: Budget, nodes: int) -> int:
    """Return how many of a pool's nodes a budget lets go.

    >>> bound(Budget("10%"), 11)
    2
    """
    if not budget.nodes.endswith("%"):
        return int(budget.nodes)
    return -(-nodes * int(budget.nodes.removesuffix("%")) // PERCENT)


def is_active(budget: Budget, now: datetime) -> bool:
    """Say whether a budget holds now: a hit of its schedule lies in (now - duration, now]."""
    if budget.schedule is None:
        return True
    hit = budget.schedule.last_until(now)
    return hit is not None and hit > now - timedelta(seconds=budget.duration_s)


def within(
    found: Iterable[Candidate], allowed: dict[str, int], most: int | None = None
) -> tuple[list[Candidate], bool]:
    """Return the candidates that budgets let go, in order, and whether any was held back by one.

    ``allowed`` is by pool; ``most`` bounds how many are taken in all.
    """
    left, kept, held_back = dict(allowed), list[Candidate](), False
    for candidate in found:
        if left.get(candidate.pool.name, 0) <= 0:
            held_back = True
        elif most is None or len(kept) < most:
            left[candidate.pool.name] -= 1
            kept.append(candidate)
    return kept, held_back
