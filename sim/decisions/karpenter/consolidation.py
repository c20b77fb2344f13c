"""Whether a set of nodes can go: without a new node, or for one that is cheaper.

A replacement keeps the types whose *worst* launch, the dearest offering of the capacity type that would be
used, is below what the nodes cost together; where both Spot and on-demand are left it is restricted to Spot,
so that a failed launch leaves the node alone. Spot for Spot has a feature gate, and for one node needs
fifteen cheaper types, of which the cheapest fifteen are launched.

Source: sigs.k8s.io/karpenter v1.14.1 pkg/controllers/disruption/consolidation.go (computeConsolidation,
computeSpotToSpotConsolidation); pkg/cloudprovider/types.go (WorstLaunchPrice).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from sim.decisions.karpenter.balanced import pays_off
from sim.decisions.karpenter.candidates import Candidate, Disruptable
from sim.decisions.karpenter.commands import Command, Why, simulate, total_usd
from sim.decisions.karpenter.instance_options import (
    InstanceOption,
    by_price,
    lacking_values,
    needed_for_values,
)
from sim.decisions.karpenter.labels import CAPACITY_TYPE, CHEAPEST_FIRST, ON_DEMAND, SPOT
from sim.decisions.karpenter.new_claims import NewClaim
from sim.decisions.karpenter.node_pools import DisruptionReason
from sim.decisions.karpenter.requirements import (
    EXISTS,
    LabelRequirement,
    LabelRequirements,
    added,
    least_values,
)

SPOT_TYPES = 15
"""How many cheaper types Spot needs to be replaced by Spot (MinInstanceTypesForSpotToSpotConsolidation)."""

ONLY_SPOT: LabelRequirements = {CAPACITY_TYPE: LabelRequirement(frozenset((SPOT,)))}


def consolidated(view: Disruptable, going: Sequence[Candidate], method: str) -> Command | Why:
    """Return what is done about some nodes, or why nothing is."""
    result = simulate(view, going, DisruptionReason.UNDERUTILIZED)
    if isinstance(result, Why):
        return result
    if len(result.new_claims) > 1:
        return Why.SEVERAL_NODES
    command = Command(
        DisruptionReason.UNDERUTILIZED, method, tuple(going), result.new_claims, result.existing
    )
    if result.new_claims:
        cheaper = _replacement(view, going, result.new_claims[0])
        if isinstance(cheaper, Why):
            return cheaper
        command = replace(command, replacements=(cheaper,))
    return command if pays_off(view.world, command) else Why.SCORE


def _replacement(view: Disruptable, going: Sequence[Candidate], claim: NewClaim) -> NewClaim | Why:
    claim = replace(claim, options=by_price(claim.options, claim.requirements))
    all_spot = all(candidate.node.labels.get(CAPACITY_TYPE) == SPOT for candidate in going)
    if all_spot and claim.requirements.get(CAPACITY_TYPE, EXISTS).has(SPOT):
        return _spot_to_spot(view, going, claim)
    cheaper = below(claim, total_usd(going))
    if isinstance(cheaper, Why):
        return cheaper
    capacity_types = cheaper.requirements.get(CAPACITY_TYPE, EXISTS)
    if capacity_types.has(SPOT) and capacity_types.has(ON_DEMAND):
        return replace(cheaper, requirements=added(cheaper.requirements, ONLY_SPOT))
    return cheaper


def _spot_to_spot(view: Disruptable, going: Sequence[Candidate], claim: NewClaim) -> NewClaim | Why:
    if not view.spot_to_spot:
        return Why.SPOT_TO_SPOT_OFF
    requirements = added(claim.requirements, ONLY_SPOT)
    offered = tuple(option for option in claim.options if option.open_to(requirements))
    cheaper = below(replace(claim, requirements=requirements, options=offered), total_usd(going))
    if isinstance(cheaper, Why) or len(going) > 1:
        return cheaper
    if len(cheaper.options) < SPOT_TYPES:
        return Why.TOO_FEW_SPOT_TYPES
    most = SPOT_TYPES
    if least_values(requirements):
        most = max(most, needed_for_values(cheaper.options, requirements))
    return replace(cheaper, options=cheaper.options[:most])


def below(claim: NewClaim, usd_per_hour: float) -> NewClaim | Why:
    """Return a claim with the types whose worst launch is cheaper than a price."""
    kept = tuple(
        option for option in claim.options if worst_launch_usd(option, claim.requirements) < usd_per_hour
    )
    if not kept:
        return Why.NOT_CHEAPER
    if lacking_values(kept, claim.requirements):
        return Why.MIN_VALUES
    return replace(claim, options=kept)


def worst_launch_usd(option: InstanceOption, requirements: LabelRequirements) -> float:
    """Return the dearest offering of the capacity type that a launch would use, infinite without any."""
    offered = option.open_to(requirements)
    for capacity_type in CHEAPEST_FIRST:
        prices = [one.usd_per_hour for one in offered if one.capacity_type == capacity_type]
        if prices:
            return max(prices)
    return math.inf
