"""Amounts of resources as Karpenter compares them: pods are one of them.

Source: sigs.k8s.io/karpenter v1.14.1 pkg/utils/resources/resources.go.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Amounts(NamedTuple):
    """How much of each resource; of a pod, ``pods`` is 1."""

    cpu_m: int = 0
    memory_mib: int = 0
    pods: int = 0
    gpu: int = 0
    ephemeral_mib: int = 0

    def plus(self, other: Amounts) -> Amounts:
        """Return the sum."""
        return Amounts(
            self[0] + other[0], self[1] + other[1], self[2] + other[2], self[3] + other[3], self[4] + other[4]
        )

    def minus(self, other: Amounts) -> Amounts:
        """Return the difference, below zero where ``other`` is more."""
        return Amounts(*(mine - its for mine, its in zip(self, other, strict=True)))

    def at_least_zero(self) -> Amounts:
        """Return it with zero for what is below."""
        return Amounts(*(max(mine, 0) for mine in self))

    def fits(self, room: Amounts) -> bool:
        """Say whether it is at most ``room``, resource by resource; what is not asked for may be short."""
        return (
            (self[0] <= room[0] or self[0] == 0)
            and (self[1] <= room[1] or self[1] == 0)
            and (self[2] <= room[2] or self[2] == 0)
            and (self[3] <= room[3] or self[3] == 0)
            and (self[4] <= room[4] or self[4] == 0)
        )


ZERO = Amounts()


def total(parts: Iterable[Amounts]) -> Amounts:
    """Return the sum of all parts."""
    amount = ZERO
    for part in parts:
        amount = amount.plus(part)
    return amount


def largest(parts: Iterable[Amounts]) -> Amounts:
    """Return the maximum of each resource on its own."""
    return Amounts(*(max(column) for column in zip(*parts, strict=True)))
