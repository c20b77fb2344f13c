"""Placement: filter the nodes for one pod, score those that fit, take the best.

From 100 nodes on only some that fit are scored, beginning where the last search ended. The search goes
through nodes in the order in which they became Ready; upstream takes zones in turn.

Source: Kubernetes v1.31.13 pkg/scheduler/schedule_one.go (findNodesThatFitPod, prioritizeNodes,
selectHost); cluster-autoscaler.md §5.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sim.decisions.kubernetes import scores
from sim.decisions.kubernetes.scheduling import nodes_to_find, sample
from sim.engine.kubernetes.node_table import FULL, NOTHING, NodeTable, unset_requests
from sim.kernels.choice import (
    ASKED_CPU,
    AVOID,
    BEST,
    CHOICE,
    FREE_EPHEMERAL,
    FREE_GPU,
    HAIR,
    SCORED_MEMORY,
    SHAPE,
    ZONE,
)
from sim.model.pods import Effect, Taint

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from sim.engine.entities import ClassState, Node
    from sim.engine.kubernetes.node_table import Floats
    from sim.engine.state import ClusterState

    Flags = NDArray[np.bool_]
    Positions = NDArray[np.intp]

DELETION_CANDIDATE = Taint("DeletionCandidateOfClusterAutoscaler", effect=Effect.PREFER_NO_SCHEDULE)
TIES_DRAWN = 256
ALIKE = np.zeros(0)  # the image score of nodes that are all alike
MOST_CLASSES = 512  # remembered at a time: a trace may have thousands


class Ties:
    """Draws between equals: the n-th pod of a name that is placed takes the n-th."""

    __slots__ = ("_block", "_rng", "next")

    def __init__(self, rng: np.random.Generator) -> None:
        """Draw the first ones."""
        self._rng = rng
        self._block: list[float] = []
        self.next: float  # from 0 to 1; whoever uses it takes it
        self.take()

    def take(self) -> None:
        """Go on to the next one."""
        if not self._block:
            self._block = self._rng.random(TIES_DRAWN).tolist()
        self.next = self._block.pop()


class ClassView:
    """What placing a pod reads of its class.

    ``asked`` says, by shape of node, what it takes there in per cent: cpu and memory with defaults for
    containers that ask for nothing, then as requested, and more cpu than there is where selector or taints
    forbid it.
    """

    __slots__ = (
        "apart_row", "asked", "asks_less", "avoid", "cls", "has_few_wishes", "hopeless", "image_rows",
        "is_counted", "is_spread", "minds_shapes", "owner_row", "ties", "unset",
    )  # fmt: skip

    def __init__(self, cls: ClassState, state: ClusterState, table: NodeTable, ties: Ties) -> None:
        """Derive everything static."""
        spec = cls.spec
        self.cls = cls
        self.unset = cpu_m, memory_mib = unset_requests(cls)
        self.asks_less = self.unset != NOTHING
        amounts = (cls.cpu_m + cpu_m, cls.memory_mib + memory_mib, cls.cpu_m, cls.memory_mib)
        allocatable = np.array(table.allocatable, dtype=np.float64).reshape(-1, 2)
        self.asked = 100.0 * np.array(amounts, dtype=np.float64) / np.tile(allocatable, 2)
        self.asked[:, : SCORED_MEMORY + 1] -= HAIR
        self.asked[~np.array(cls.allowed, dtype=np.bool_), ASKED_CPU] = FULL
        self.is_spread = spec.spread
        tracked = spec.spread or spec.anti_affinity
        self.count_by(table.owner_row(spec.namespace, spec.owner) if tracked else table.known_owner_row(cls))
        self.apart_row = self.owner_row if cls.anti_affinity else -1
        self.image_rows = [(table.image_row(image.name), float(image.size_bytes)) for image in spec.images]
        minded = [sum(_minds(cls, taint) for taint in shape.taints) for shape in state.shapes]
        self.minds_shapes = np.array(minded, dtype=np.float64) if any(minded) else None
        minds_candidates = _minds(cls, DELETION_CANDIDATE)
        self.avoid = scores.TAINT_TOLERATION * BEST if minds_candidates else 0.0  # points such a taint costs
        self.has_few_wishes = self.minds_shapes is None and not spec.spread  # those that the kernel knows
        self.hopeless = False  # known to fit nowhere, as long as no room appears
        self.ties = ties

    def count_by(self, owner_row: int) -> None:
        """Count pods in the row of their owner, if anybody asks for that (-1: no)."""
        self.owner_row = owner_row
        self.is_counted = owner_row >= 0 or self.asks_less or self.cls.gpu > 0 or self.cls.ephemeral_mib > 0


def _minds(cls: ClassState, taint: Taint) -> bool:
    tolerated = any(toleration.tolerates(taint) for toleration in cls.spec.tolerations)
    return taint.effect is Effect.PREFER_NO_SCHEDULE and not tolerated


class Placement:
    """Chooses nodes; remembers where the last search stopped."""

    def __init__(self, table: NodeTable) -> None:
        """Start searching at the first node."""
        self.table = table
        self.start = 0
        self._seen = -1  # the table's changes that the following knows of
        self._wanted = 0
        self._load = scores.Load(0)
        self._shape = self._zone = np.zeros(0, dtype=np.intp)
        self._asked: dict[int, Floats] = {}  # by class: what one more pod adds to each node
        self._found = np.zeros((2, 0), dtype=np.intp)
        self._seen_images = -1
        self._image_scores: dict[int, Floats] = {}  # by class

    def choose(self, view: ClassView, taken: Iterable[Node] = ()) -> Node | None:
        """Return the best node for a pod, or None when it fits nowhere; ``taken`` ones are left out."""
        table = self.table
        if not table.nodes:
            return None
        if self._seen != table.changes:
            self._look_again()
        image_score = self._image_score(view) if view.image_rows else ALIKE
        compiled = CHOICE.compiled or CHOICE.asked_for()
        if compiled is not None and view.has_few_wishes and not taken:
            cls = view.cls
            position, self.start = compiled(
                table.matrix, view.asked, image_score, self._found, len(table.nodes), self._wanted,
                self.start, cls.gpu, cls.ephemeral_mib, view.apart_row,
                view.avoid if table.avoided else 0.0, table.assumed > 0 or view.asks_less, view.ties.next,
            )  # fmt: skip
        else:
            position = self._choose(view, image_score, taken)
        if position < 0:
            return None
        view.ties.take()
        return table.nodes[position]

    def _choose(self, view: ClassView, image_score: Floats, taken: Iterable[Node]) -> int:
        """Return the position of the best node, -1 if there is none: the twin of ``sim.kernels.choice``."""
        table, load = self.table, self._load
        load.add(table.percent, self._asked_of(view))
        if taken or view.apart_row >= 0 or view.cls.gpu or view.cls.ephemeral_mib:
            self._leave_out(load.fits, view, taken)
        (feasible,) = load.fits.nonzero()
        count = len(feasible)
        if not count:
            return -1
        if count > self._wanted:
            feasible, self.start = sample(feasible, self._wanted, len(table.nodes), self.start)
        penalty = self._penalty(view, image_score, feasible)
        (best,) = np.equal(penalty, penalty[penalty.argmin()]).nonzero()
        return int(feasible[best[int(view.ties.next * len(best))]])

    def _leave_out(self, fits: Flags, view: ClassView, taken: Iterable[Node]) -> None:
        """Leave out nodes that a pod with special wishes cannot have, and those ``taken``."""
        cls = view.cls
        if cls.gpu:
            fits &= self.table.row(FREE_GPU) >= cls.gpu
        if cls.ephemeral_mib:
            fits &= self.table.row(FREE_EPHEMERAL) >= cls.ephemeral_mib
        if view.apart_row >= 0:
            fits &= self.table.row(view.apart_row) == 0
        for node in taken:
            fits[node.position] = False

    def _penalty(self, view: ClassView, image_score: Floats, sampled: Positions) -> Floats:
        """Return what each node's weighted score lacks to the best there could be, up to a constant."""
        load, table = self._load, self.table
        if table.assumed or view.asks_less:
            load.assume(table.more)
        penalty = load.resource_penalty()
        if image_score is not ALIKE:
            penalty -= image_score
        penalty = penalty.take(sampled)
        if view.minds_shapes is not None:
            penalty -= scores.TAINT_TOLERATION * scores.taint_toleration(self._intolerable(view, sampled))
        elif table.avoided and view.avoid:  # the same with at most one taint a node
            penalty += view.avoid * table.row(AVOID).take(sampled)
        if view.is_spread:
            penalty -= scores.POD_TOPOLOGY_SPREAD * self._spread(view, sampled)
        return penalty

    def _intolerable(self, view: ClassView, sampled: Positions) -> Floats:
        avoided = self.table.row(AVOID).take(sampled) if view.avoid else np.zeros(len(sampled))
        if view.minds_shapes is not None:
            avoided += view.minds_shapes[self._shape.take(sampled)]
        return avoided

    def _spread(self, view: ClassView, sampled: Positions) -> Floats:
        table = self.table
        crowd = table.row(view.owner_row)
        on_node = crowd.take(sampled)
        if len(table.zones) == 1:
            return scores.topology_spread(on_node)
        zone_of = self._zone.take(sampled)
        among = np.bincount(zone_of)
        in_zone = np.bincount(self._zone, crowd).astype(np.float64, copy=False)
        return scores.topology_spread(on_node, in_zone.take(zone_of), int(np.count_nonzero(among)))

    def _look_again(self) -> None:
        """Work out what depends on which nodes there are."""
        table = self.table
        nodes = len(table.nodes)
        self._seen = table.changes
        self._wanted = nodes_to_find(nodes)
        self._load = scores.Load(nodes)
        self._shape = table.row(SHAPE).astype(np.intp)
        self._zone = table.row(ZONE).astype(np.intp)
        self._asked.clear()
        self._found = np.zeros((2, nodes), dtype=np.intp)
        self._seen_images = -1

    def _asked_of(self, view: ClassView) -> Floats:
        """Return what one more pod of a class takes of each node, shape ``(2, 2, nodes)``."""
        known = self._asked.get(view.cls.index)
        if known is None:
            if len(self._asked) == MOST_CLASSES:
                self._asked.clear()
            by_node = np.ascontiguousarray(view.asked[self._shape].T).reshape(2, 2, -1)
            known = self._asked[view.cls.index] = by_node
        return known

    def _image_score(self, view: ClassView) -> Floats:
        """Return the score of each node's images for a class, for the images there are now."""
        table = self.table
        if self._seen_images != table.image_changes:
            self._seen_images = table.image_changes
            self._image_scores.clear()
        known = self._image_scores.get(view.cls.index)
        if known is None:
            if len(self._image_scores) == MOST_CLASSES:
                self._image_scores.clear()
            known = self._image_scores[view.cls.index] = self._score_images(view)
        return known

    def _score_images(self, view: ClassView) -> Floats:
        present = np.zeros(len(self.table.nodes))
        for row, size_bytes in view.image_rows:
            on_node = self.table.row(row)
            present += on_node * np.floor(size_bytes * on_node.mean())
        return scores.image_locality(present, len(view.image_rows)) if present.any() else ALIKE
