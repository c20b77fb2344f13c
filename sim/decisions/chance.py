"""Chance, as far as upstream leaves an order to it: one generator a look, made when first needed.

Whether a look draws at all changes no other look, so looks can be skipped.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import numpy as np

T = TypeVar("T")

GO_BUCKET = 8  # Go 1.22, runtime/map.go: bucketCnt


class Chance:
    """Random orders and choices of one look."""

    __slots__ = ("_make", "_rng")

    def __init__(self, make: Callable[[], np.random.Generator]) -> None:
        """Have ``make`` build the generator when the first draw is asked for."""
        self._make = make
        self._rng: np.random.Generator | None = None

    @property
    def rng(self) -> np.random.Generator:
        """The generator of this look."""
        if self._rng is None:
            self._rng = self._make()
        return self._rng

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """Return the items in any order."""
        if len(items) <= 1:
            return list(items)
        return [items[index] for index in self.rng.permutation(len(items)).tolist()]

    def rotation(self, entries: int) -> int:
        """Return at which entry a walk over a Go map of so many entries begins.

        Up to eight entries share one bucket, in order of insertion, and the walk begins at any of its
        eight slots; with more entries, where they stand is random already. A walk goes round.
        """
        if entries > GO_BUCKET:
            return int(self.rng.random() * entries)
        slot = int(self.rng.random() * GO_BUCKET)
        return slot if slot < entries else 0

    def choice(self, items: Sequence[T]) -> T:
        """Return any of the items."""
        return items[int(self.rng.random() * len(items))]
