"""Chance, as far as upstream leaves an order to it: one source a look, made when first needed.

Whether a look draws at all changes no other look, so looks can be skipped.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import TypeVar

T = TypeVar("T")

GO_BUCKET = 8  # Go 1.22, runtime/map.go: bucketCnt


class Chance:
    """Random orders and choices of one look."""

    __slots__ = ("_dice", "_make")

    def __init__(self, make: Callable[[], Random]) -> None:
        """Have ``make`` build the source when the first draw is asked for."""
        self._make = make
        self._dice: Random | None = None

    @property
    def dice(self) -> Random:
        """The source of this look."""
        if self._dice is None:
            self._dice = self._make()
        return self._dice

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """Return the items in any order."""
        shuffled = list(items)
        if len(shuffled) > 1:
            self.dice.shuffle(shuffled)
        return shuffled

    def rotation(self, entries: int) -> int:
        """Return at which entry a walk over a Go map of so many entries begins.

        Up to eight entries share one bucket, in order of insertion, and the walk begins at any of its
        eight slots; with more entries, where they stand is random already. A walk goes round.
        """
        if entries > GO_BUCKET:
            return int(self.dice.random() * entries)
        slot = int(self.dice.random() * GO_BUCKET)
        return slot if slot < entries else 0

    def choice(self, items: Sequence[T]) -> T:
        """Return any of the items."""
        return items[int(self.dice.random() * len(items))]
