"""Random streams: one generator per named source, so that adding a source moves no other.

Draws of one source are taken in order, one per entity (the n-th pod of a class, the n-th node of a
group), so two configurations that differ elsewhere see the same luck. Decisions that may or may
not be taken draw from a generator addressed by their look instead, so that looks can be skipped.
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, repeat

import numpy as np

from sim.model.distributions import Constant, Distribution
from sim.model.units import SECOND

BLOCK = 512


@dataclass(frozen=True, slots=True)
class Streams:
    """The random sources of one replication of one seed."""

    seed: int
    replication: int = 0

    def stream(self, name: str) -> np.random.Generator:
        """Return the generator of one source, whatever else is simulated."""
        return np.random.default_rng([self.seed, self.replication, zlib.crc32(name.encode())])

    def at(self, name: str, ordinal: int) -> np.random.Generator:
        """Return the generator of one decision of a source, whichever others were taken."""
        key = zlib.crc32(name.encode())
        return np.random.default_rng([self.seed, self.replication, key, ordinal])

    def dice(self, name: str, ordinal: int) -> random.Random:
        """Return what ``at`` returns, for single draws: quicker to make, and to ask for one number."""
        return random.Random(f"{self.seed}/{self.replication}/{name}/{ordinal}")

    def delays(self, name: str, distribution: Distribution) -> Delays:
        """Return the delays of one source, drawn in microseconds."""
        return Delays(self.stream(name), distribution)


class Delays:
    """Delays in whole microseconds, never negative, drawn in blocks of growing size."""

    __slots__ = ("_block", "_distribution", "_rng", "_size", "constant_us")

    def __init__(self, rng: np.random.Generator, distribution: Distribution) -> None:
        """Draw nothing yet."""
        self._rng = rng
        self._distribution = distribution
        self._block: list[int] = []
        self._size = 8
        self.constant_us = constant_us(distribution)

    def next_us(self) -> int:
        """Return the next delay."""
        if self.constant_us is not None:
            return self.constant_us
        if not self._block:
            self._refill()
        return self._block.pop()

    def __iter__(self) -> Iterator[int]:
        """Yield delay after delay, for ever; nobody else may draw from these delays."""
        if self.constant_us is not None:
            return repeat(self.constant_us)
        return chain.from_iterable(iter(self._whole_block, None))

    def _whole_block(self) -> list[int]:
        self._refill()
        self._block.reverse()
        block, self._block = self._block, []
        return block

    def _refill(self) -> None:
        seconds = self._distribution.sample(self._rng, self._size)
        delays: list[int] = np.maximum(np.rint(seconds * SECOND), 0).astype(np.int64).tolist()
        delays.reverse()
        self._block = delays
        self._size = min(2 * self._size, BLOCK)


def constant_us(distribution: Distribution) -> int | None:
    """Return the delay that a distribution always gives, if there is one."""
    return round(distribution.value * SECOND) if isinstance(distribution, Constant) else None
