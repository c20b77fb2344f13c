"""The launch of one claim on AWS: six filters, sixty types, one capacity type, one override a type and zone.

Filters in order: compatible, large enough and available; reservations of one kind, if any can be used; of
capacity blocks the one cheapest type; per type and zone the reservation with most left; no metal and no
accelerators if anything generic is left; no spot dearer than the cheapest on-demand. The last two are off
where ``minValues`` asks for variety. A filter that leaves nothing is insufficient capacity.

Source: karpenter-provider-aws v1.14.1 pkg/providers/instance/filter/filter.go, instance.go, types.go.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from sim.decisions.karpenter.amounts import Amounts
from sim.decisions.karpenter.instance_options import InstanceOption, Offering, cheapest_usd, truncated
from sim.decisions.karpenter.labels import CAPACITY_TYPE, CHEAPEST_FIRST, ON_DEMAND, RESERVED, SIZE, SPOT
from sim.decisions.karpenter.requirements import EXISTS, LabelRequirements, incompatible, least_values

MAX_LAUNCH_TYPES = 60
"""How many types one call lists at most (instance.go, maxInstanceTypes)."""

Options = tuple[InstanceOption, ...]


@dataclass(frozen=True, slots=True)
class Override:
    """One place where the call may start an instance."""

    option: str
    zone: str
    usd_per_hour: float
    reservation: str | None


@dataclass(frozen=True, slots=True)
class FleetRequest:
    """What is asked of CreateFleet; or at which filter nothing was left."""

    left_after: tuple[tuple[str, int], ...]
    options: tuple[str, ...] = ()
    capacity_type: str = ""
    overrides: tuple[Override, ...] = ()
    insufficient_at: str | None = None


def decide_launch(
    options: Sequence[InstanceOption], claim: LabelRequirements, requests: Amounts
) -> FleetRequest:
    """Return the call for a claim, with how many types each filter left."""
    kept, left_after = tuple(options), list[tuple[str, int]]()
    for name, keep in FILTERS:
        kept = keep(kept, claim, requests)
        left_after.append((name, len(kept)))
        if not kept:
            return FleetRequest(tuple(left_after), insufficient_at=name)
    kept = truncated(kept, claim, MAX_LAUNCH_TYPES)
    if not kept:
        return FleetRequest(tuple(left_after), insufficient_at="truncate")
    capacity_type = capacity_type_of(kept, claim)
    names = tuple(option.name for option in kept)
    return FleetRequest(tuple(left_after), names, capacity_type, overrides(kept, claim, capacity_type))


def capacity_type_of(options: Options, claim: LabelRequirements) -> str:
    """Return the first of reserved, spot and on-demand that any type offers; one call never mixes them."""
    offered = {offering.capacity_type for option in options for offering in option.open_to(claim)}
    return next(capacity_type for capacity_type in CHEAPEST_FIRST if capacity_type in offered)


def overrides(options: Options, claim: LabelRequirements, capacity_type: str) -> tuple[Override, ...]:
    """Return the offered types and zones of a capacity type by price, type and zone."""
    found = [
        Override(option.name, offering.zone, offering.usd_per_hour, offering.reservation)
        for option in options
        for offering in option.open_to(claim)
        if offering.capacity_type == capacity_type
    ]
    return tuple(sorted(found, key=lambda one: (one.usd_per_hour, one.option, one.zone)))


def compatible_available(options: Options, claim: LabelRequirements, requests: Amounts) -> Options:
    """Keep types that agree with the claim, hold its requests and are offered."""
    return tuple(
        option
        for option in options
        if incompatible(claim, option.requirements) is None
        and requests.fits(option.allocatable)
        and option.open_to(claim)
    )


def one_kind_of_reservation(options: Options, claim: LabelRequirements, requests: Amounts) -> Options:
    """Keep the reservations of the kind with the cheapest one, if the claim may use any."""
    if not claim.get(CAPACITY_TYPE, EXISTS).has(RESERVED):
        return options
    usable = [one for option in options for one in option.open_to(claim) if one.capacity_type == RESERVED]
    if not usable:
        return options
    cheapest = min(usable, key=lambda one: (one.usd_per_hour, kind(one)))
    return _with(options, lambda one: one in usable and kind(one) == kind(cheapest))


def kind(reservation: Offering) -> int:
    """Return the rank of a reservation's kind among equal prices: default, capacity block, interruptible."""
    return 2 if reservation.interruptible else int(reservation.block)


def one_capacity_block(options: Options, claim: LabelRequirements, requests: Amounts) -> Options:
    """Keep the one cheapest type, if what is left are capacity blocks."""
    if not any(offering.block for option in options for offering in option.open_to(claim)):
        return options
    return (min(options, key=lambda option: cheapest_usd(option, claim)),)


def fullest_reservations(options: Options, claim: LabelRequirements, requests: Amounts) -> Options:
    """Keep of a type's reservations in one zone the one with most left."""
    kept = []
    for option in options:
        fullest: dict[str, Offering] = {}
        for one in option.reserved():
            if one.zone not in fullest or one.left > fullest[one.zone].left:
                fullest[one.zone] = one
        stay = [one for one in option.offerings if one.capacity_type != RESERVED or one in fullest.values()]
        kept.append(replace(option, offerings=tuple(stay)))
    return tuple(kept)


def generic(options: Options, claim: LabelRequirements, requests: Amounts) -> Options:
    """Drop metal and accelerated types if any other is left and variety is not asked for."""
    if least_values(claim):
        return options
    return tuple(option for option in options if not is_exotic(option)) or options


def is_exotic(option: InstanceOption) -> bool:
    """Say whether a type is bare metal or has accelerators."""
    size = option.requirements.get(SIZE, EXISTS).only or ""
    return "metal" in size or option.capacity.gpu > 0


def no_dear_spot(options: Options, claim: LabelRequirements, requests: Amounts) -> Options:
    """Drop spot offerings dearer than the cheapest on-demand one, if both may be used."""
    capacity_types = claim.get(CAPACITY_TYPE, EXISTS)
    if least_values(claim) or not (capacity_types.has(SPOT) and capacity_types.has(ON_DEMAND)):
        return options
    on_demand = (
        one.usd_per_hour
        for option in options
        for one in option.open_to(claim)
        if one.capacity_type == ON_DEMAND
    )
    dearest = min(on_demand, default=math.inf)
    return _with(options, lambda one: one.capacity_type != SPOT or one.usd_per_hour <= dearest)


def _with(options: Options, stays: Callable[[Offering], bool]) -> Options:
    """Return types with the offerings that stay, without those that have none."""
    kept = (replace(option, offerings=tuple(filter(stays, option.offerings))) for option in options)
    return tuple(option for option in kept if option.offerings)


FILTERS = (
    ("compatible-available-filter", compatible_available),
    ("capacity-reservation-type-filter", one_kind_of_reservation),
    ("capacity-block-filter", one_capacity_block),
    ("reserved-offering-filter", fullest_reservations),
    ("exotic-instance-filter", generic),
    ("spot-offering-filter", no_dear_spot),
)
"""Upstream's names of the filters, in the order in which they run."""
