"""Chance, as far as upstream leaves an order to it: one source a look, made when first needed.

Whether a look draws at all changes no other look, so looks can be skipped.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

T = TypeVar("T")

FEW = 16  # items that are shuffled sooner one by one


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
        if len(items) > FEW:
            return [items[index] for index in self.permutation(len(items)).tolist()]
        shuffled = list(items)
        if len(shuffled) > 1:
            self.dice.shuffle(shuffled)
        return shuffled

    def permutation(self, count: int) -> NDArray[np.int64]:
        """Return the numbers below ``count`` in any order; quick for many."""
        return self._bits(count).argsort()

    def numbers(self, count: int) -> NDArray[np.float64]:
        """Return so many numbers from 0 to 1 at once."""
        return (self._bits(count) >> np.uint64(11)) * np.float64(2.0**-53)

    def _bits(self, count: int) -> NDArray[np.uint64]:
        return np.frombuffer(self.dice.randbytes(8 * count), dtype=np.uint64)

    def index(self, count: int) -> int:
        """Return any number below ``count``."""
        return int(self.dice.random() * count)

    def choice(self, items: Sequence[T]) -> T:
        """Return any of the items."""
        return items[self.index(len(items))]
