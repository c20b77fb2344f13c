"""All resources of a node, and of a pod class, side by side in one number.

Above each resource is a guard: a bit that is set in what nodes have left. It is still set when what fits is
taken away, so one subtraction compares all resources. Then comes a bit for each shape that not all
classes may go to, set in nodes of other shapes.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sim.decisions.cluster_autoscaler.snapshot_node import ClassView

    Ints = NDArray[np.int64]

RESOURCES = 5
WIDEST = 62  # bits of a number that can be compiled for; above, numbers are Python's own, of any length


class SideBySide:
    """Where each resource has its place, for nodes and classes met so far.

    ``need`` is by class index what a pod takes, ``wanted`` the bits that must be set when it is taken away;
    ``least`` is what any class needs at least of each resource, and ``guards`` are the bits that all want.
    """

    def __init__(self) -> None:
        """Have met nobody."""
        self.bits = self.guards = self.least = 0
        self.need: Any = None
        self.wanted: Any = None
        self.asked: Ints = np.zeros((RESOURCES, 0), dtype=np.int64)
        self._lets_in: NDArray[np.bool_] = np.ones((0, 0), dtype=np.bool_)
        self._met: set[ClassView] = set()
        self._most: Ints = np.zeros(RESOURCES, dtype=np.int64)
        self._factors: Any = None
        self._by_shape: Any = None

    def meet(self, classes: Collection[ClassView], left: Ints) -> None:
        """Make room for these classes, and for nodes that have so much left."""
        most = left.max(axis=1)
        if not self._met.issuperset(classes) or (most > self._most).any():
            self._met.update(classes)
            self._tabulate()
            self._most = np.maximum.reduce((self._most, most, self.asked.max(axis=1)))
            self._lay_out()

    def _tabulate(self) -> None:
        """List by class what a pod asks for, and by shape whether it lets the class in."""
        size = 1 + max(cls.index for cls in self._met)
        shapes = max(len(cls.allowed) for cls in self._met)
        self.asked = np.zeros((RESOURCES, size), dtype=np.int64)
        self._lets_in = np.ones((shapes, size), dtype=np.bool_)
        for cls in self._met:
            self.asked[:, cls.index] = cls.cpu_m, cls.memory_mib, cls.ephemeral_mib, cls.gpu, 1
            self._lets_in[:, cls.index] = cls.allowed

    def _lay_out(self) -> None:
        """Give each resource that is asked for its bits."""
        choosy = np.flatnonzero(~self._lets_in.all(axis=1)).tolist()
        factors, shift, self.guards = [], 0, 0
        for most, asked in zip(self._most.tolist(), self.asked, strict=True):
            factors.append(1 << shift if asked.any() else 0)
            if asked.any():
                shift += most.bit_length()
                self.guards |= 1 << shift
                shift += 1
        self.bits = shift + len(choosy)
        kind: Any = np.int64 if self.bits <= WIDEST else object
        self._factors = np.array(factors, dtype=kind)
        self.need = self._factors @ self.asked.astype(kind)
        self.least = int(self._factors @ self.asked[:, self.asked[-1] > 0].min(axis=1))
        self.wanted = np.full(self.need.shape, self.guards, dtype=kind)
        self._by_shape = np.full(len(self._lets_in), self.guards, dtype=kind)
        for bit, shape in enumerate(choosy, shift):
            self.wanted[~self._lets_in[shape]] |= 1 << bit
            self._by_shape[np.arange(len(self._by_shape)) != shape] |= 1 << bit

    def room(self, left: Ints, shape: Ints) -> Any:
        """Return by node what it has left; a node with less than nothing of anything takes no pod."""
        left = np.where((left < 0).any(axis=0), 0, left)
        return self._factors @ left + self._by_shape[shape]
