"""Reservations during one pass: each claim takes a unit of every one that it could use.

In strict mode, when provisioning, a claim that could use one but gets none fails for this pass, and so does
one that would lose all it holds; when a disruption is simulated, it goes without.

Source: sigs.k8s.io/karpenter v1.14.1 pkg/controllers/provisioning/scheduling/reservationmanager.go,
nodeclaim.go (offeringsToReserve).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sim.decisions.karpenter.instance_options import InstanceOption, Offering
from sim.decisions.karpenter.requirements import LabelRequirements


class Reservations:
    """What is left of each reservation within one pass."""

    def __init__(self, options: Iterable[InstanceOption], strict: bool) -> None:
        self._left = {
            one.reservation: one.left
            for option in options
            for one in option.reserved()
            if one.reservation is not None
        }
        self._strict = strict

    def usable(
        self, options: Sequence[InstanceOption], claim: LabelRequirements, held: tuple[Offering, ...]
    ) -> tuple[Offering, ...] | None:
        """Return what a claim that holds some could hold with these types, None if it has to wait."""
        compatible = [one for option in options for one in option.reserved() if one.is_open_to(claim)]
        open_ids = _ids(held) | {one for one, left in self._left.items() if left > 0}
        usable = tuple(one for one in compatible if one.reservation in open_ids)
        if self._strict and not usable and (compatible or held):
            return None
        return usable

    def exchange(self, held: tuple[Offering, ...], taken: tuple[Offering, ...]) -> None:
        """Give back what a claim held, and take what it holds now."""
        for one in _ids(held):
            self._left[one] += 1
        for one in _ids(taken):
            self._left[one] -= 1


def _ids(offerings: Iterable[Offering]) -> frozenset[str]:
    return frozenset(one.reservation for one in offerings if one.reservation is not None)
