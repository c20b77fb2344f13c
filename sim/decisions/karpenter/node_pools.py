"""A NodePool as it decides: what its nodes are, how much of them, and how freely they go.

Source: sigs.k8s.io/karpenter v1.14.1 pkg/apis/v1/nodepool.go.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property

from sim.decisions.karpenter.amounts import Amounts
from sim.decisions.karpenter.labels import NODE_POOL
from sim.decisions.karpenter.requirements import OPEN, LabelRequirements, added, of_labels
from sim.model.cron import CalendarSchedule
from sim.model.pods import Taint


class Policy(Enum):
    """Which nodes consolidation may touch (spec.disruption.consolidationPolicy)."""

    WHEN_EMPTY = "WhenEmpty"
    WHEN_EMPTY_OR_UNDERUTILIZED = "WhenEmptyOrUnderutilized"
    BALANCED = "Balanced"


class DisruptionReason(Enum):
    """Why a node goes (spec.disruption.budgets[].reasons)."""

    UNDERUTILIZED = "Underutilized"
    EMPTY = "Empty"
    DRIFTED = "Drifted"


@dataclass(frozen=True, slots=True)
class Budget:
    """How many nodes of a pool may be going: a number, or a share of them in percent.

    It holds for ``reasons``, all if none is named, always or for ``duration_s`` from each
    hit of ``schedule``.
    """

    nodes: str = "10%"
    reasons: frozenset[DisruptionReason] = frozenset()
    schedule: CalendarSchedule | None = None
    duration_s: float = 0


@dataclass(frozen=True)
class Limits:
    """The most that a pool's nodes may have in sum, by field of ``Amounts``; ``nodes`` counts them."""

    amounts: Mapping[str, int] = field(default_factory=dict)
    nodes: int | None = None

    def remaining(self, used: Sequence[Amounts]) -> Limits:
        """Return what nodes with these capacities leave; below zero where they are above."""
        left = {
            name: most - sum(getattr(amount, name) for amount in used) for name, most in self.amounts.items()
        }
        return Limits(left, None if self.nodes is None else self.nodes - len(used))

    def allows(self, capacity: Amounts) -> bool:
        """Say whether one more node of this capacity stays within them; how many there are is not asked."""
        return all(getattr(capacity, name) <= left for name, left in self.amounts.items())

    def after(self, capacity: Amounts) -> Limits:
        """Return what a new claim leaves; it does not count as a node until the next pass."""
        left = {name: most - getattr(capacity, name) for name, most in self.amounts.items()}
        return Limits(left, self.nodes)


@dataclass(frozen=True)
class NodePool:
    """One pool; ``consolidate_after_s`` is infinite for Never. Expiry is no decision of a pass."""

    name: str
    own_requirements: LabelRequirements = field(default_factory=lambda: OPEN)
    labels: Mapping[str, str] = field(default_factory=dict)
    taints: tuple[Taint, ...] = ()
    startup_taints: tuple[Taint, ...] = ()
    limits: Limits = Limits()
    weight: int = 0
    policy: Policy = Policy.WHEN_EMPTY_OR_UNDERUTILIZED
    consolidate_after_s: float = 0
    budgets: tuple[Budget, ...] = (Budget(),)

    @property
    def consolidates(self) -> bool:
        """Say whether consolidation is on at all."""
        return not math.isinf(self.consolidate_after_s)

    @cached_property
    def requirements(self) -> LabelRequirements:
        """Return what its claims start from: its requirements, labels and name."""
        return added(self.own_requirements, of_labels({**self.labels, NODE_POOL: self.name}))


def in_order(pools: Sequence[NodePool]) -> list[NodePool]:
    """Return pools as pods try them: by weight, then by name, both descending (OrderByWeight)."""
    return sorted(pools, key=lambda pool: (pool.weight, pool.name), reverse=True)
