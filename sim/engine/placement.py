"""Placement: filter the nodes for one pod, score those that fit, take the best.

Source: Kubernetes v1.31.13 pkg/scheduler/schedule_one.go (findNodesThatFitPod, prioritizeNodes,
selectHost); cluster-autoscaler.md §5.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sim.decisions import scores
from sim.decisions.scheduling import sample
from sim.engine.node_table import (
    AVOID,
    CPU,
    FREE_EPHEMERAL,
    FREE_GPU,
    FULL,
    GROUP,
    MEMORY,
    ZONE,
    NodeTable,
    unset_requests,
)
from sim.model.pods import Effect, Taint

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from sim.engine.node_table import Floats
    from sim.engine.state import ClassState, ClusterState, Node

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
        "cls", "image_rows", "minds_candidates", "minds_groups", "owner_row", "ties", "unset",
    )  # fmt: skip

    def __init__(self, cls: ClassState, state: ClusterState, table: NodeTable, ties: Ties) -> None:
        """Derive everything static."""
        spec = cls.spec
        self.cls = cls
        self.unset = unset_requests(cls)
        tracked = spec.spread or spec.anti_affinity
        self.owner_row = (
            table.owner_row(spec.namespace, spec.owner) if tracked else table.known_owner_row(cls)
        )
        self.image_rows = [(table.image_row(image.name), float(image.size_bytes)) for image in spec.images]
        minded = [sum(_minds(cls, taint) for taint in group.taints) for group in state.cluster.node_groups]
        self.minds_groups = np.array(minded, dtype=np.float64) if any(minded) else None
        self.minds_candidates = _minds(cls, DELETION_CANDIDATE)
        self.ties = ties


class Terms:
    """What one more pod of a class adds to each node, until nodes or images change.

    ``percent`` is what it would take, and more than there is where selector and taints forbid it;
    ``image_score`` is None when all nodes are alike.
    """

    __slots__ = ("image_score", "percent")

    def __init__(self, percent: Floats, image_score: Floats | None) -> None:
        """Hold both."""
        self.percent = percent
        self.image_score = image_score


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
        self._seen = -1

    def choose(self, view: ClassView, taken: Iterable[Node] = ()) -> Node | None:
        """Return the best node for a pod, or None when it fits nowhere; ``taken`` ones are left out."""
        table = self.table
        cls = view.cls
        terms = self._terms.get(cls.index)
        if terms is None or self._seen != table.changes:
            terms = self._look_again(view)
        percent = table.percent + terms.percent
        fits = percent[CPU] <= scores.ALL
        fits &= percent[MEMORY] <= scores.ALL
        if cls.gpu:
            fits &= table.row(FREE_GPU) >= cls.gpu
        if cls.ephemeral_mib:
            fits &= table.row(FREE_EPHEMERAL) >= cls.ephemeral_mib
        if cls.anti_affinity:
            fits &= table.row(view.owner_row) == 0
        for node in taken:
            fits[node.position] = False
        feasible = fits.nonzero()[0]
        if not len(feasible):
            return None
        sampled, self.start = sample(feasible, len(table.nodes), self.start)
        total = scores.resource_scores(percent)
        if terms.image_score is not None:
            total += terms.image_score
        total = total.take(sampled)
        if view.minds_groups is not None or (table.avoided and view.minds_candidates):
            total += scores.TAINT_TOLERATION * scores.taint_toleration(self._intolerable(view, sampled))
        if cls.spec.spread:
            total += scores.POD_TOPOLOGY_SPREAD * self._spread(view, sampled)
        best = (total == total[total.argmax()]).nonzero()[0]
        chosen: Node = table.nodes[sampled[best[view.ties.below(len(best))]]]
        return chosen

    def _intolerable(self, view: ClassView, sampled: Positions) -> Floats:
        table = self.table
        count = np.zeros(len(sampled))
        if view.minds_groups is not None:
            count += view.minds_groups[table.row(GROUP)[sampled].astype(np.intp)]
        if view.minds_candidates:
            count += table.row(AVOID)[sampled]
        return count

    def _spread(self, view: ClassView, sampled: Positions) -> Floats:
        table = self.table
        crowd = table.row(view.owner_row)
        if len(table.zones) == 1:
            return scores.topology_spread(crowd[sampled], crowd[sampled], 0)
        zone = table.row(ZONE).astype(np.intp)
        zone_of = zone[sampled]
        in_zone = np.zeros(len(table.zones))
        np.add.at(in_zone, zone, crowd)
        return scores.topology_spread(crowd[sampled], in_zone[zone_of], len(np.unique(zone_of)))

    def _look_again(self, view: ClassView) -> Terms:
        """Work out what depends on which nodes there are and what images they hold."""
        table = self.table
        if self._seen != table.changes or len(self._terms) == MOST_TERMS:
            self._seen = table.changes
            self._terms.clear()
        cls = view.cls
        asked = np.array([[cls.cpu_m], [cls.memory_mib]], dtype=np.float64)
        unset = np.array([[view.unset[0]], [view.unset[1]]], dtype=np.float64)
        percent = np.concatenate((asked + unset, asked)) * 100.0 / np.tile(table.allocatable(), (2, 1))
        if not all(cls.allowed):
            allowed = np.array(cls.allowed)[table.row(GROUP).astype(np.intp)]
            percent[CPU, ~allowed] = FULL
        present = np.zeros(len(table.nodes))
        for row, size_bytes in view.image_rows:
            on_node = table.row(row)
            present += on_node * np.floor(size_bytes * on_node.mean())
        score = scores.image_locality(present, len(view.image_rows)) if present.any() else None
        terms = self._terms[cls.index] = Terms(percent, score)
        return terms
