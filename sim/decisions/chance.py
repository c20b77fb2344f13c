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


class Chance:
    """Random orders and choices of one look."""

    __slots__ = ("_dice", "_make", "_skipped")

    def __init__(self, make: Callable[[], Random]) -> None:
        """Have ``make`` build the source when the first draw is asked for."""
        self._make = make
        self._dice: Random | None = None
        self._skipped: list[int] = []

    @property
    def dice(self) -> Random:
        """The source of this look."""
        if self._dice is None:
            self._dice = self._make()
        if self._skipped:
            skipped, self._skipped = self._skipped, []
            for count in skipped:
                self.shuffled(range(count))
        return self._dice

    def skip_shuffle(self, count: int) -> None:
        """Leave out a shuffle whose outcome nobody would see; it is made up for if more is drawn."""
        self._skipped.append(count)

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """Return the items in any order."""
        shuffled = list(items)
        if len(shuffled) > 1:
            getrandbits = self.dice.getrandbits
            bits = len(shuffled).bit_length()
            for last in range(len(shuffled) - 1, 0, -1):  # as Random.shuffle, without a call per item
                if last + 1 < 1 << bits - 1:
                    bits -= 1
                other = getrandbits(bits)
                while other > last:
                    other = getrandbits(bits)
                shuffled[last], shuffled[other] = shuffled[other], shuffled[last]
        return shuffled

    def permutation(self, count: int) -> NDArray[np.int64]:
        """Return the numbers below ``count`` in any order; quick for many."""
        return np.random.default_rng(self.dice.getrandbits(64)).permutation(count)

    def index(self, count: int) -> int:
        """Return any number below ``count``."""
        return int(self.dice.random() * count)

    def choice(self, items: Sequence[T]) -> T:
        """Return any of the items."""
        return items[self.index(len(items))]
