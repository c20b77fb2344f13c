"""Where an Auto Scaling group launches its next instance: On-Demand or Spot, in which zone, of which type.

- On-Demand comes first up to a base, then by a percentage, rounded up in its favour.
- Zones are kept even: the one with the fewest instances is next. Which of several equal ones is AWS's to
  choose; here it is the first of ``zone_order``.
- On-Demand instances are of the first type (``prioritized``), as long as no pool of it runs dry.
- Spot instances are of the pools that the strategy takes, evenly. How much capacity a pool has is not
  published: the Spot Advisor's band of interruptions stands for it, calm ones being deep [A].

Weights are not modelled: neither eksctl nor EKS lets a node group say them.

Source: Amazon EC2 Auto Scaling User Guide, "Allocation strategies for multiple instance types", "Auto Scaling
benefits for application architecture" (instance distribution); EKS managed-node-groups.adoc; aws.md §6.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sim.model.cluster import NodeGroup


class SpotStrategy(Enum):
    """``spotAllocationStrategy``, as eksctl spells it."""

    LOWEST_PRICE = "lowest-price"
    DIVERSIFIED = "diversified"
    CAPACITY_OPTIMIZED = "capacity-optimized"
    CAPACITY_OPTIMIZED_PRIORITIZED = "capacity-optimized-prioritized"
    PRICE_CAPACITY_OPTIMIZED = "price-capacity-optimized"


@dataclass(frozen=True, slots=True)
class SpotPool:
    """One type on Spot: what an instance costs, and how often one is reclaimed."""

    instance_type: str
    usd_per_hour: float
    interruptions_per_hour: float


def pools_taken(pools: Sequence[SpotPool], strategy: SpotStrategy, most: int = 2) -> list[SpotPool]:
    """Return the pools that a strategy launches from, in the group's order; ``most``: lowest-price's."""
    if strategy is SpotStrategy.DIVERSIFIED:
        return list(pools)
    if strategy is SpotStrategy.LOWEST_PRICE:
        return sorted(pools, key=lambda pool: pool.usd_per_hour)[:most]
    calmest = min(pool.interruptions_per_hour for pool in pools)
    deep = [pool for pool in pools if pool.interruptions_per_hour == calmest]
    if strategy is SpotStrategy.PRICE_CAPACITY_OPTIMIZED:
        deep.sort(key=lambda pool: pool.usd_per_hour)
    return deep[:1]


def pool_of_next(group: NodeGroup, standing: Sequence[int]) -> int:
    """Return which of a group's shapes its next instance has; ``standing`` counts those of each."""
    shapes = group.shapes
    kinds = {shape.spot for shape in shapes}
    spot = kinds.pop() if len(kinds) == 1 else not _wants_on_demand(group, standing)
    zone_order = group.zone_order or tuple(dict.fromkeys(shape.zone for shape in shapes))
    in_zone = dict.fromkeys(zone_order, 0)
    for shape, number in zip(shapes, standing, strict=True):
        in_zone[shape.zone] += number
    zone = min(zone_order, key=in_zone.__getitem__)
    ours = [n for n, shape in enumerate(shapes) if shape.spot is spot and shape.zone == zone]
    return min(ours, key=standing.__getitem__)


def _wants_on_demand(group: NodeGroup, standing: Sequence[int]) -> bool:
    above = max(sum(standing) + 1 - group.on_demand_base, 0)
    wanted = min(group.on_demand_base, sum(standing) + 1) + math.ceil(above * group.on_demand_share)
    bought = sum(n for shape, n in zip(group.shapes, standing, strict=True) if not shape.spot)
    return bought < wanted
