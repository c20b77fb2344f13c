"""Requirements: what values of a label are left, and whether two sets of them agree.

A requirement is a set of values, or everything but a set, with whole-number bounds where it is the latter.
Adding one to another is the intersection; the least number of different values is the larger of both.
*Compatible* asks more than *intersects*: a label that only the second names must be one that may be left
open, or be asked not to be there.

Source: sigs.k8s.io/karpenter v1.14.1 pkg/scheduling/requirement.go, requirements.go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from sim.decisions.karpenter.labels import WELL_KNOWN

NOTHING: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class LabelRequirement:
    """Which values a label may have: ``values``, or as ``complement`` all others within the inclusive bounds.

    ``min_values`` is how many different values a claim's instance types must offer at least.
    """

    values: frozenset[str] = NOTHING
    complement: bool = False
    gte: int | None = None
    lte: int | None = None
    min_values: int | None = None

    @property
    def operator(self) -> str:
        """Return In, NotIn, Exists or DoesNotExist; bounds alone count as Exists."""
        if self.complement:
            return "NotIn" if self.values else "Exists"
        return "In" if self.values else "DoesNotExist"

    @property
    def denies(self) -> bool:
        """Say whether a node without the label meets it."""
        return self.operator in {"NotIn", "DoesNotExist"}

    @property
    def only(self) -> str | None:
        """Return the one value that is left, if it has come down to one."""
        return next(iter(self.values)) if not self.complement and len(self.values) == 1 else None

    def has(self, value: str) -> bool:
        """Say whether a value is left."""
        if self.complement:
            return value not in self.values and self._within(value)
        return value in self.values

    def _within(self, value: str) -> bool:
        if self.gte is None and self.lte is None:
            return True
        try:
            number = int(value)
        except ValueError:
            return False
        return (self.gte is None or number >= self.gte) and (self.lte is None or number <= self.lte)

    def intersection(self, other: LabelRequirement) -> LabelRequirement:
        """Return what both leave."""
        least = _largest(self.min_values, other.min_values)
        gte, lte = _largest(self.gte, other.gte), _smallest(self.lte, other.lte)
        if gte is not None and lte is not None and gte > lte:
            return LabelRequirement(min_values=least)
        if self.complement and other.complement:
            bounded = LabelRequirement(NOTHING, True, gte, lte, least)
            return replace(
                bounded, values=frozenset(v for v in self.values | other.values if bounded._within(v))
            )
        known, filtering = (other, self) if self.complement else (self, other)
        return LabelRequirement(frozenset(filter(filtering.has, known.values)), min_values=least)

    def intersects(self, other: LabelRequirement) -> bool:
        """Say whether any value is left by both."""
        if self.complement and other.complement:
            both = self.intersection(other)
            return both.complement
        if self.complement:
            return any(map(self.has, other.values))
        if other.complement:
            return any(map(other.has, self.values))
        return not self.values.isdisjoint(other.values)


LabelRequirements = Mapping[str, LabelRequirement]
"""By label; a label that is not in it may have any value."""

EXISTS = LabelRequirement(complement=True)
OPEN: LabelRequirements = {}


def requirement(operator: str, values: Iterable[str] = (), min_values: int | None = None) -> LabelRequirement:
    """Return the requirement of a node selector's operator; raise ValueError where there is none such."""
    listed = frozenset(values)
    if operator in {"In", "NotIn"}:
        return LabelRequirement(listed, operator == "NotIn", min_values=min_values)
    if operator in {"Exists", "DoesNotExist"}:
        return LabelRequirement(complement=operator == "Exists", min_values=min_values)
    if operator not in BOUNDS:
        raise ValueError(f"operator {operator}")
    gte, lte = BOUNDS[operator](int(next(iter(listed))))
    return LabelRequirement(NOTHING, True, gte, lte, min_values)


BOUNDS: dict[str, Callable[[int], tuple[int | None, int | None]]] = {
    "Gt": lambda bound: (bound + 1, None),
    "Gte": lambda bound: (bound, None),
    "Lt": lambda bound: (None, bound - 1),
    "Lte": lambda bound: (None, bound),
}


def of_labels(labels: Mapping[str, str]) -> dict[str, LabelRequirement]:
    """Return requirements that exactly these labels meet."""
    return {key: LabelRequirement(frozenset((value,))) for key, value in labels.items()}


def added(*parts: LabelRequirements) -> dict[str, LabelRequirement]:
    """Return requirements that meet all parts: label by label their intersection."""
    total: dict[str, LabelRequirement] = {}
    for part in parts:
        for key, incoming in part.items():
            existing = total.get(key)
            total[key] = incoming if existing is None else existing.intersection(incoming)
    return total


def conflict(existing: LabelRequirements, incoming: LabelRequirements) -> str | None:
    """Return a label on which both have no value in common, None if they intersect everywhere.

    Two that are content without the label agree, whatever values they have.
    """
    for key, wanted in incoming.items():
        present = existing.get(key)
        if present is None or present.intersects(wanted):
            continue
        if not (wanted.denies and present.denies):
            return key
    return None


def incompatible(
    existing: LabelRequirements, incoming: LabelRequirements, may_be_open: frozenset[str] = WELL_KNOWN
) -> str | None:
    """Return a label on which ``existing`` does not do for ``incoming``, None if it does.

    A label that only ``incoming`` names must be one that may be left open, or be denied.
    """
    for key, wanted in incoming.items():
        if key not in existing and key not in may_be_open and not wanted.denies:
            return key
    return conflict(existing, incoming)


def least_values(requirements: LabelRequirements) -> dict[str, int]:
    """Return the labels with ``minValues``, and how many values each needs."""
    return {key: one.min_values for key, one in requirements.items() if one.min_values is not None}


def _largest(first: int | None, second: int | None) -> int | None:
    given = [bound for bound in (first, second) if bound is not None]
    return max(given) if given else None


def _smallest(first: int | None, second: int | None) -> int | None:
    given = [bound for bound in (first, second) if bound is not None]
    return min(given) if given else None
