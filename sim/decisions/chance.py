"""Chance, as far as upstream leaves an order to it: one generator a look, made when first needed.

Whether a look draws at all changes no other look, so looks can be skipped.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import numpy as np

T = TypeVar("T")


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

    def draws(self, count: int) -> list[float]:
        """Draw numbers in [0, 1)."""
        drawn: list[float] = self.rng.random(count).tolist()
        return drawn

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """Return the items in any order."""
        if len(items) < 2:  # noqa: PLR2004  # nothing to shuffle
            return list(items)
        return [items[index] for index in self.rng.permutation(len(items)).tolist()]

    def choice(self, items: Sequence[T]) -> T:
        """Return any of the items."""
        return items[int(self.rng.random() * len(items))]
