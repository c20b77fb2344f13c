"""Placement: filter the nodes for one pod, score those that fit, take the best.

From 100 nodes on only some that fit are scored, beginning where the last search ended. The search goes
through nodes in the order in which they became Ready; upstream takes zones in turn.

Source: Kubernetes v1.31.13 pkg/scheduler/schedule_one.go (findNodesThatFitPod, prioritizeNodes,
selectHost); cluster-autoscaler.md §5.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sim.decisions import scores
from sim.decisions.scheduling import nodes_to_find, sample
from sim.engine.node_table import (
    AVOID,
    CPU,
    FREE_EPHEMERAL,
    FREE_GPU,
    FULL,
    GROUP,
    ZONE,
    NodeTable,
    unset_requests,
)
from sim.model.pods import Effect, Taint

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from sim.engine.entities import ClassState, Node
    from sim.engine.node_table import Floats
    from sim.engine.state import ClusterState

    Flags = NDArray[np.bool_]
    Positions = NDArray[np.intp]

DELETION_CANDIDATE = Taint("DeletionCandidateOfClusterAutoscaler", effect=Effect.PREFER_NO_SCHEDULE)
TIES_DRAWN = 256
MOST_TERMS = 512  # classes remembered at a time: a trace may have thousands


class Ties:
    """Draws between equals: the n-th pod of a name that is placed takes the n-th."""

    __slots__ = ("_block", "_rng")

    def __init__(self, rng: np.random.Generator) -> None:
        """Draw nothing yet."""
        self._rng = rng
        self._block: list[float] = []

    def below(self, count: int) -> int:
        """Return a number from 0 to ``count`` - 1, all alike."""
        if not self._block:
            self._block = self._rng.random(TIES_DRAWN).tolist()
        return int(self._block.pop() * count)


class ClassView:
    """What placing a pod reads of its class."""

    __slots__ = (
        "asked", "cls", "hopeless", "image_rows", "is_picky", "is_spread", "minds_candidates", "minds_groups",
        "owner_row", "ties", "unset",
    )  # fmt: skip

    def __init__(self, cls: ClassState, state: ClusterState, table: NodeTable, ties: Ties) -> None:
        """Derive everything static."""
        spec = cls.spec
        self.cls = cls
        self.unset = cpu_m, memory_mib = unset_requests(cls)
        asked = (cls.cpu_m + cpu_m, cls.memory_mib + memory_mib, cls.cpu_m, cls.memory_mib)
        self.asked = 100.0 * np.array(asked, dtype=np.float64).reshape(4, 1)  # in the order of PERCENT
        self.is_spread = spec.spread
        self.is_picky = bool(cls.gpu or cls.ephemeral_mib or cls.anti_affinity)
        tracked = spec.spread or spec.anti_affinity
        self.owner_row = (
            table.owner_row(spec.namespace, spec.owner) if tracked else table.known_owner_row(cls)
        )
        self.image_rows = [(table.image_row(image.name), float(image.size_bytes)) for image in spec.images]
        minded = [sum(_minds(cls, taint) for taint in group.taints) for group in state.cluster.node_groups]
        self.minds_groups = np.array(minded, dtype=np.float64) if any(minded) else None
        self.minds_candidates = _minds(cls, DELETION_CANDIDATE)
        self.hopeless = False  # known to fit nowhere, as long as no room appears
        self.ties = ties


class Terms:
    """What one more pod of a class adds to each node, until nodes change.

    ``percent`` is what it would take, and more than there is where selector and taints forbid it;
    ``image_score``, as of some change of images, is None when all nodes are alike.
    """

    __slots__ = ("image_score", "images", "percent")

    def __init__(self, percent: Floats) -> None:
        """Start without a score."""
        self.percent = percent
        self.image_score: Floats | None = None
        self.images = -1


def _minds(cls: ClassState, taint: Taint) -> bool:
    tolerated = any(toleration.tolerates(taint) for toleration in cls.spec.tolerations)
    return taint.effect is Effect.PREFER_NO_SCHEDULE and not tolerated


class Placement:
    """Chooses nodes; remembers where the last search stopped."""

    def __init__(self, table: NodeTable) -> None:
        """Start searching at the first node."""
        self.table = table
        self.start = 0
        self._terms: dict[int, Terms] = {}  # by class
        self._load = scores.Load(0)
        self._allocatable = self._load.percent
        self._zone = np.zeros(0, dtype=np.intp)
        self._wanted = 0
        self._seen = -1

    def choose(self, view: ClassView, taken: Iterable[Node] = ()) -> Node | None:
        """Return the best node for a pod, or None when it fits nowhere; ``taken`` ones are left out."""
        table = self.table
        if not table.nodes:
            return None
        terms = self._terms.get(view.cls.index)
        if terms is None or self._seen != table.changes:
            terms = self._look_again(view)
        if view.image_rows and terms.images != table.image_changes:
            terms.images = table.image_changes
            terms.image_score = self._image_score(view)
        load = self._load
        load.add(table.percent, terms.percent)
        if view.is_picky or taken:
            self._leave_out(load.fits, view.cls, view.owner_row, taken)
        (feasible,) = load.fits.nonzero()
        count = len(feasible)
        if not count:
            return None
        if count > self._wanted:
            feasible, self.start = sample(feasible, self._wanted, len(table.nodes), self.start)
        penalty = self._penalty(view, terms, feasible)
        (best,) = np.equal(penalty, penalty[penalty.argmin()]).nonzero()
        chosen: Node = table.nodes[feasible[best[view.ties.below(len(best))]]]
        return chosen

    def _leave_out(self, fits: Flags, cls: ClassState, owner_row: int, taken: Iterable[Node]) -> None:
        """Leave out nodes that a pod with special wishes cannot have, and those ``taken``."""
        if cls.gpu:
            fits &= self.table.row(FREE_GPU) >= cls.gpu
        if cls.ephemeral_mib:
            fits &= self.table.row(FREE_EPHEMERAL) >= cls.ephemeral_mib
        if cls.anti_affinity:
            fits &= self.table.row(owner_row) == 0
        for node in taken:
            fits[node.position] = False

    def _penalty(self, view: ClassView, terms: Terms, sampled: Positions) -> Floats:
        """Return what each node's weighted score lacks to the best there could be, up to a constant."""
        load, table = self._load, self.table
        if table.assumed:
            np.minimum(load.scored, scores.BEST, out=load.scored)
        penalty = load.resource_penalty()
        if terms.image_score is not None:
            penalty -= terms.image_score
        penalty = penalty.take(sampled)
        if view.minds_groups is not None:
            penalty -= scores.TAINT_TOLERATION * scores.taint_toleration(self._intolerable(view, sampled))
        elif table.avoided and view.minds_candidates:  # the same with at most one taint a node
            penalty += scores.TAINT_TOLERATION * scores.BEST * table.row(AVOID).take(sampled)
        if view.is_spread:
            penalty -= scores.POD_TOPOLOGY_SPREAD * self._spread(view, sampled)
        return penalty

    def _intolerable(self, view: ClassView, sampled: Positions) -> Floats:
        avoided = self.table.row(AVOID).take(sampled) if view.minds_candidates else np.zeros(len(sampled))
        if view.minds_groups is not None:
            avoided += view.minds_groups[self.table.row(GROUP)[sampled].astype(np.intp)]
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

    def _look_again(self, view: ClassView) -> Terms:
        """Work out what depends on which nodes there are."""
        table = self.table
        if self._seen != table.changes or len(self._terms) == MOST_TERMS:
            self._seen = table.changes
            self._terms.clear()
            self._load = scores.Load(len(table.nodes))
            self._wanted = nodes_to_find(len(table.nodes))
            self._zone = table.row(ZONE).astype(np.intp)
            self._allocatable = np.tile(table.allocatable(), (2, 1))
        cls = view.cls
        percent = view.asked / self._allocatable
        percent[:2] -= scores.HAIR
        if not all(cls.allowed):
            allowed = np.array(cls.allowed)[table.row(GROUP).astype(np.intp)]
            percent[CPU, ~allowed] = FULL
        terms = self._terms[cls.index] = Terms(percent)
        return terms

    def _image_score(self, view: ClassView) -> Floats | None:
        present = np.zeros(len(self.table.nodes))
        for row, size_bytes in view.image_rows:
            on_node = self.table.row(row)
            present += on_node * np.floor(size_bytes * on_node.mean())
        return scores.image_locality(present, len(view.image_rows)) if present.any() else None
