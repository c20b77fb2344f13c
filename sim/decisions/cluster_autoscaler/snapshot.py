"""The cluster as the autoscaler simulates it in one look: nodes with room, in order, and an undo log.

Existing nodes come first, in node order, then one placeholder per upcoming node. A search for room
starts one past the node that the last successful search found, and that pointer lives as long as
the autoscaler: simulated packing is round-robin, not first-fit.

The real list is rebuilt from a hash map after each placement: in the map's order, which holds for a look,
but from any of its slots on. So with random orders a search begins anywhere and takes the next feasible node.
While a plan is simulated, which is forked off, the list keeps one beginning.

Source: Cluster Autoscaler 1.31.5, simulator/clustersnapshot/delta.go and
simulator/predicatechecker/schedulerbased.go (FitsAnyNodeMatching, CheckPredicates).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from operator import attrgetter
from typing import TYPE_CHECKING

import numpy as np

from sim.decisions.cluster_autoscaler.side_by_side import SideBySide

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sim.decisions.cluster_autoscaler.chance import Chance
    from sim.decisions.cluster_autoscaler.snapshot_node import ClassView, PodView, SnapshotNode

UNKNOWN = -1
NEAR = 128  # nodes that a search looks at one by one before it looks at all others at once
COLUMNS = attrgetter("cpu_m", "memory_mib", "ephemeral_mib", "gpu", "pods_left", "shape", "open")
SLOTS = 8  # of the smallest of Go's hash maps, which holds its entries in order

Search = Callable[["ClassView", "bytearray | None"], "SnapshotNode | None"]
"""Finds the node for one pod of a class, among destinations or all."""


class Pointer:
    """Where the next search starts; shared by all simulations, kept for the life of the process."""

    __slots__ = ("index",)

    def __init__(self) -> None:
        """Start at the first node."""
        self.index = 0


def any_beginning(count: int, draw: Callable[[], float]) -> int:
    """Return where a walk over a hash map begins: at any slot, or behind those that are empty."""
    slot = int(draw() * max(count, SLOTS))
    return slot if slot < count else 0


def any_beginnings(count: int, draws: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return ``any_beginning`` for each of the draws."""
    slots = (draws * max(count, SLOTS)).astype(np.int64)
    slots[slots >= count] = 0
    return slots


def _columns(nodes: Sequence[SnapshotNode]) -> NDArray[np.int64]:
    """Return what the table has of nodes."""
    values = chain.from_iterable(map(COLUMNS, nodes))
    columns = np.fromiter(values, np.int64, 7 * len(nodes)).reshape(-1, 7).T
    columns[:5, (columns[4] <= 0) | (columns[6] == 0)] = -1
    return columns


class Snapshot:
    """The nodes in their order, what was placed on them in this look, and the search pointer.

    Real nodes stay from look to look and are brought up to date by whoever owns them, between looks.
    ``chance`` is set in looks with random orders.
    """

    def __init__(self) -> None:
        """Start with no nodes."""
        self.nodes: list[SnapshotNode] = []
        self.real = 0
        self.by_id: dict[int, SnapshotNode] = {}
        self.pointer = Pointer()
        self.chance: Chance | None = None
        self._planning = False
        self._order: list[int] = []  # with chance, positions in the order of this look
        self._positions: NDArray[np.int64] = np.empty(0, dtype=np.int64)  # the same, as an array
        self._places: NDArray[np.int64] = np.empty(0, dtype=np.int64)  # the other way round
        self._turn = 0  # where in this order the list begins, since so many placements
        self._turned = -1
        self._listed = 0  # the placements that the list is behind
        self._placed: list[SnapshotNode] = []  # the node of each placement, in order
        self._tabled = UNKNOWN  # how many of these the table knows, in this look
        self._table: NDArray[np.int64] = np.empty((7, 0), dtype=np.int64)
        self._stale: set[int] = set()  # positions at which the table is behind, besides
        self.numbers = SideBySide()
        self._allowed: dict[int, NDArray[np.bool_] | None] = {}

    # -- nodes ------------------------------------------------------------------------------

    def set_nodes(self, nodes: Iterable[SnapshotNode]) -> None:
        """Replace all nodes by these real ones."""
        self.nodes = list(nodes)
        self.real = len(self.nodes)
        self.by_id = {node.id: node for node in self.nodes}
        for position, node in enumerate(self.nodes):
            node.position = position
        self._tabled = UNKNOWN

    def append(self, node: SnapshotNode) -> None:
        """Add a real node behind the others; there are no placeholders now."""
        node.position = self.real
        self.nodes.append(node)
        self.by_id[node.id] = node
        self.real += 1
        self._tabled = UNKNOWN

    def remove(self, nodes: Iterable[SnapshotNode]) -> None:
        """Take real nodes out and close the gaps; there are no placeholders now."""
        positions = sorted(node.position for node in nodes)
        for position in reversed(positions):
            del self.by_id[self.nodes.pop(position).id]
        self.real = len(self.nodes)
        for position in range(positions[0], self.real):
            self.nodes[position].position = position
        self._tabled = UNKNOWN

    def add_placeholders(self, placeholders: Sequence[SnapshotNode]) -> None:
        """Append upcoming nodes."""
        if not placeholders:
            return
        for node in placeholders:
            node.position = len(self.nodes)
            self.nodes.append(node)
            self.by_id[node.id] = node

    def end_look(self) -> None:
        """Take back all placements and drop the placeholders."""
        if self._placed:
            self._placed = [node for node in self._placed if node.id >= 0]  # placeholders go as they are
            self.revert(0)
        self._planning = False
        self._tabled = UNKNOWN
        self._order.clear()
        self._turn = 0
        if len(self.nodes) > self.real:
            for node in self.nodes[self.real :]:
                del self.by_id[node.id]
            del self.nodes[self.real :]

    def table(self) -> NDArray[np.int64]:
        """Return by position: cpu, memory, ephemeral storage, GPUs and pods that are left, and the shape.

        They are -1 where no pod may go. Stays right until the next placement.
        """
        if self._tabled == UNKNOWN or self._table.shape[1] != len(self.nodes):
            self._table = _columns(self.nodes)
            self._stale.clear()
        elif self._tabled < len(self._placed):
            self._stale.update([node.position for node in self._placed[self._tabled :]])
        self._tabled = len(self._placed)
        if self._stale:
            positions = list(self._stale)
            self._table[:, positions] = _columns([self.nodes[position] for position in positions])
            self._stale.clear()
        return self._table

    # -- searches ---------------------------------------------------------------------------

    def destinations(self) -> bytearray:
        """Return marks, by position, of the nodes that pods may be moved to: the real ones."""
        return bytearray(b"\1" * self.real + b"\0" * (len(self.nodes) - self.real))

    def fits_any_node(self, cls: ClassView, destinations: bytearray | None = None) -> SnapshotNode | None:
        """Return the next node that takes a pod of the class, and move the pointer past it.

        ``destinations`` marks the nodes to consider, None: all.
        """
        return self.search()(cls, destinations)

    def has_room(self, cls: ClassView, destinations: bytearray) -> bool:
        """Say whether any of the destinations takes a pod of the class."""
        return any(self.nodes[position].fits(cls) for position in self._roomy(cls, destinations).tolist())

    def search(self) -> Search:
        """Return what ``fits_any_node`` is at this point of the look, for many searches in a row."""
        if self.chance is not None and not self._planning:
            return self._any_feasible
        return self._next_feasible

    def _next_feasible(self, cls: ClassView, destinations: bytearray | None) -> SnapshotNode | None:
        """Go round the list, one node after the other as far as that is likely to do."""
        nodes = self.nodes
        count = len(nodes)
        if not count:
            return None
        if self.chance is not None and (self._turned != self._listed or len(self._order) != count):
            self._arrange(self.chance)
        order, turn = self._order, self._turn
        start = self.pointer.index % count
        first = (start + turn) % count
        for index in range(first, first + (NEAR if count > NEAR else count)):
            if index >= count:
                index -= count  # noqa: PLW2901  # round the list
            position = order[index] if order else index
            node = nodes[position]
            if (destinations is None or destinations[position]) and node.fits(cls):
                self.pointer.index = (index - turn + 1) % count
                return node
        if count > NEAR:
            for place, position in self._far(cls, destinations, start):
                if self.nodes[position].fits(cls):
                    self.pointer.index = (place + 1) % count
                    return self.nodes[position]
        return None

    def _any_feasible(self, cls: ClassView, destinations: bytearray | None) -> SnapshotNode | None:
        """Go round the list, which begins somewhere else after each placement."""
        self._listed = len(self._placed)
        return self._next_feasible(cls, destinations)

    def _arrange(self, chance: Chance) -> None:
        """Give the list its random order, once a look, and its random beginning."""
        if len(self._order) != len(self.nodes):
            self._draw_order(chance)
        if self._turned != self._listed:
            self._turned = self._listed
            self._turn = any_beginning(len(self.nodes), chance.dice.random)

    def _draw_order(self, chance: Chance) -> None:
        count = len(self.nodes)
        order = chance.permutation(count)
        if count <= SLOTS:
            order = np.concatenate((order[order < self.real], np.arange(self.real, count)))
        self._order = order.tolist()
        self._positions = order
        self._places = np.empty_like(order)
        self._places[order] = np.arange(count)
        self.pointer.index = chance.index(count)
        self._turned = -1

    def walk(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the list that searches go round: positions in their order, and the other way round."""
        if self.chance is None:
            positions = np.arange(len(self.nodes))
            return positions, positions
        if len(self._order) != len(self.nodes):
            self._draw_order(self.chance)
        return self._positions, self._places

    def beginnings(self, searches: int) -> NDArray[np.int64]:
        """Return where the list begins in so many searches, each behind another placement, or in all."""
        if self.chance is None:
            return np.zeros(1, dtype=np.int64)
        if self._planning:
            self._arrange(self.chance)
            return np.array([self._turn])
        self._listed = len(self._placed)
        return any_beginnings(len(self.nodes), self.chance.numbers(searches))

    def go_on(self, pointer: int, turn: int, behind: bool) -> None:
        """Have the next search begin where many have ended; ``behind`` a placement the list begins anew."""
        self.pointer.index = pointer
        if not self._planning:
            self._turn = turn
            self._turned = -1 if behind else self._listed

    def _far(self, cls: ClassView, destinations: bytearray | None, start: int) -> Iterator[tuple[int, int]]:
        """Yield places and positions of all other nodes that may fit, in the order of the search."""
        count = len(self.nodes)
        roomy = self._roomy(cls, destinations)
        places = self._places[roomy] - self._turn if self._order else roomy
        steps = (places - start) % count
        for index in np.argsort(steps).tolist():
            if steps[index] >= NEAR:
                yield (start + int(steps[index])) % count, int(roomy[index])

    def _roomy(self, cls: ClassView, destinations: bytearray | None) -> NDArray[np.int64]:
        """Return the positions of nodes with enough cpu and memory, of shapes that let the class in."""
        cpu_m, memory_mib, _, _, _, shape, _ = self.table()
        roomy = (cpu_m >= cls.cpu_m) & (memory_mib >= cls.memory_mib)
        if cls.index not in self._allowed:
            self._allowed[cls.index] = None if all(cls.allowed) else np.array(cls.allowed)
        allowed = self._allowed[cls.index]
        if allowed is not None:
            roomy &= allowed[shape]
        if destinations is not None:
            roomy &= np.frombuffer(destinations, dtype=np.bool_)
        return np.flatnonzero(roomy)

    # -- placements -------------------------------------------------------------------------

    def place(self, pod: PodView, node: SnapshotNode) -> None:
        """Put a pod on a node."""
        cls = pod.cls
        node.cpu_m -= cls.cpu_m
        node.memory_mib -= cls.memory_mib
        node.ephemeral_mib -= cls.ephemeral_mib
        node.gpu -= cls.gpu
        node.pods_left -= 1
        node.moved.append(pod)
        self._placed.append(node)

    def plan(self) -> int:
        """Begin to simulate a plan; return a mark to revert to."""
        self._planning = True
        self._listed = len(self._placed)
        return self._listed

    def fork(self) -> int:
        """Return a mark to revert to."""
        return len(self._placed)

    def revert(self, mark: int) -> None:
        """Take back everything placed since the mark."""
        placed = self._placed
        if self._tabled > mark:
            self._stale.update([node.position for node in placed[mark : self._tabled]])
            self._tabled = mark
        for node in reversed(placed[mark:]):
            cls = node.moved.pop().cls
            node.cpu_m += cls.cpu_m
            node.memory_mib += cls.memory_mib
            node.ephemeral_mib += cls.ephemeral_mib
            node.gpu += cls.gpu
            node.pods_left += 1
        del placed[mark:]
