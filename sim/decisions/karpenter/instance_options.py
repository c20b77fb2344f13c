"""Instance types as a claim sees them: what each offers where, at what price, and in what order.

Source: sigs.k8s.io/karpenter v1.14.1 pkg/cloudprovider/types.go.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from sim.decisions.karpenter.amounts import Amounts
from sim.decisions.karpenter.labels import CAPACITY_TYPE, RESERVATION_ID, RESERVED
from sim.decisions.karpenter.requirements import (
    LabelRequirement,
    LabelRequirements,
    incompatible,
    least_values,
)
from sim.model.pods import ZONE

MAX_INSTANCE_TYPES = 600
"""How many types a claim lists at most (scheduling/scheduler.go, MaxInstanceTypes)."""


@dataclass(frozen=True)
class Offering:
    """One way to get a type: zone, capacity type, price in USD an hour, and whether it is to be had.

    Of a reservation: its id, how many instances are left, whether it is a block or may be interrupted.
    """

    zone: str
    capacity_type: str
    usd_per_hour: float
    available: bool = True
    reservation: str | None = None
    left: int = 0
    block: bool = False
    interruptible: bool = False

    @cached_property
    def requirements(self) -> LabelRequirements:
        """Return what a claim must agree with to get it."""
        own = {ZONE: self.zone, CAPACITY_TYPE: self.capacity_type}
        if self.reservation is not None:
            own[RESERVATION_ID] = self.reservation
        return {key: LabelRequirement(frozenset((value,))) for key, value in own.items()}

    def is_open_to(self, requirements: LabelRequirements) -> bool:
        """Say whether it is to be had and a claim with these requirements may use it."""
        return self.available and incompatible(requirements, self.requirements) is None


@dataclass(frozen=True)
class InstanceOption:
    """A type: the labels its nodes have, what it holds, what pods get of it, and its offerings."""

    name: str
    requirements: LabelRequirements
    capacity: Amounts
    allocatable: Amounts
    offerings: tuple[Offering, ...]

    def open_to(self, requirements: LabelRequirements) -> list[Offering]:
        """Return the offerings that are to be had and compatible."""
        return [offering for offering in self.offerings if offering.is_open_to(requirements)]

    def reserved(self) -> list[Offering]:
        """Return the offerings of reservations that have something left."""
        return [one for one in self.offerings if one.available and one.capacity_type == RESERVED]


def cheapest_usd(option: InstanceOption, requirements: LabelRequirements) -> float:
    """Return the least price a claim could get a type for, infinite if it cannot."""
    return min((offering.usd_per_hour for offering in option.open_to(requirements)), default=math.inf)


def by_price(
    options: Sequence[InstanceOption], requirements: LabelRequirements
) -> tuple[InstanceOption, ...]:
    """Return types by their cheapest compatible available offering; equals stay as they were."""
    return tuple(sorted(options, key=lambda option: cheapest_usd(option, requirements)))


def lacking_values(options: Sequence[InstanceOption], requirements: LabelRequirements) -> dict[str, int]:
    """Return the labels of which the types have fewer values than ``minValues``, and how many they have."""
    lacking = {}
    for key, least in least_values(requirements).items():
        offered = {
            value
            for option in options
            if key in option.requirements
            for value in option.requirements[key].values
        }
        if len(offered) < least:
            lacking[key] = len(offered)
    return lacking


def needed_for_values(options: Sequence[InstanceOption], requirements: LabelRequirements) -> int:
    """Return how many types, from the first on, have the values ``minValues`` asks for; all if none do."""
    return next(
        (count for count in range(1, len(options) + 1) if not lacking_values(options[:count], requirements)),
        len(options),
    )


def truncated(
    options: Sequence[InstanceOption], requirements: LabelRequirements, most: int = MAX_INSTANCE_TYPES
) -> tuple[InstanceOption, ...]:
    """Return the cheapest ``most`` types by price; none if those have too few values."""
    kept = by_price(options, requirements)[:most]
    return () if lacking_values(kept, requirements) else kept
