"""Placement: filter the nodes for one pod, score those that fit, take the best.

Source: Kubernetes v1.31.13 pkg/scheduler/schedule_one.go (findNodesThatFitPod, prioritizeNodes,
selectHost); cluster-autoscaler.md §5.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sim.decisions import scores
from sim.decisions.scheduling import sample
from sim.engine import node_table
from sim.engine.node_table import NodeTable, requests_column
from sim.model.pods import Effect, Taint

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from sim.engine.node_table import Column
    from sim.engine.state import ClassState, ClusterState, Node

    Mask = NDArray[np.bool_]
    Positions = NDArray[np.intp]

DELETION_CANDIDATE = Taint("DeletionCandidateOfClusterAutoscaler", effect=Effect.PREFER_NO_SCHEDULE)
TIES_DRAWN = 256


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
    """What placing a pod reads of its class, and what it remembers until nodes or images change."""

    __slots__ = (
        "allowed", "cls", "image_rows", "image_score", "minds_candidates", "minds_groups", "owner_row",
        "request", "requests", "seen", "ties",
    )  # fmt: skip

    def __init__(self, cls: ClassState, state: ClusterState, table: NodeTable, ties: Ties) -> None:
        """Derive everything static."""
        spec = cls.spec
        self.cls = cls
        self.requests = requests_column(cls)
        self.request = self.requests[:, None]
        tracked = spec.spread or spec.anti_affinity
        self.owner_row = (
            table.owner_row(spec.namespace, spec.owner) if tracked else table.known_owner_row(cls)
        )
        self.image_rows = [(table.image_row(image.name), float(image.size_bytes)) for image in spec.images]
        minded = [sum(_minds(cls, taint) for taint in group.taints) for group in state.cluster.node_groups]
        self.minds_groups = np.array(minded, dtype=np.float64) if any(minded) else None
        self.minds_candidates = _minds(cls, DELETION_CANDIDATE)
        self.allowed: Mask | None = None  # None when every node is
        self.image_score: Column | None = None  # None when all nodes are alike
        self.seen = -1
        self.ties = ties


def _minds(cls: ClassState, taint: Taint) -> bool:
    tolerated = any(toleration.tolerates(taint) for toleration in cls.spec.tolerations)
    return taint.effect is Effect.PREFER_NO_SCHEDULE and not tolerated


class Placement:
    """Chooses nodes; remembers where the last search stopped."""

    def __init__(self, table: NodeTable) -> None:
        """Start searching at the first node."""
        self.table = table
        self.start = 0

    def choose(self, view: ClassView, taken: Iterable[Node] = ()) -> Node | None:
        """Return the best node for a pod, or None when it fits nowhere; ``taken`` ones are left out."""
        table = self.table
        if view.seen != table.changes:
            self._look_again(view)
        load = (table.requested + view.request) / table.allocatable
        fits = np.maximum(load[2], load[3]) <= 1.0
        if view.allowed is not None:
            fits &= view.allowed
        cls = view.cls
        if cls.gpu:
            fits &= table.row(node_table.FREE_GPU) >= cls.gpu
        if cls.ephemeral_mib:
            fits &= table.row(node_table.FREE_EPHEMERAL) >= cls.ephemeral_mib
        if cls.anti_affinity:
            fits &= table.row(view.owner_row) == 0
        for node in taken:
            fits[node.position] = False
        feasible = fits.nonzero()[0]
        if not len(feasible):
            return None
        sampled, self.start = sample(feasible, len(table), self.start)
        return table.nodes[self._best(view, load, sampled)]

    def _best(self, view: ClassView, load: NDArray[np.float64], sampled: Positions) -> int:
        total = scores.least_allocated(load[0], load[1])
        total += scores.balanced_allocation(load[2], load[3])
        if view.image_score is not None:
            total += view.image_score
        total = total.take(sampled)
        if view.minds_groups is not None or (self.table.avoided and view.minds_candidates):
            total += scores.TAINT_TOLERATION * scores.taint_toleration(self._intolerable(view, sampled))
        if view.cls.spec.spread:
            total += scores.POD_TOPOLOGY_SPREAD * self._spread(view, sampled)
        best = (total == total[total.argmax()]).nonzero()[0]
        return int(sampled[best[view.ties.below(len(best))]])

    def _intolerable(self, view: ClassView, sampled: Positions) -> Column:
        table = self.table
        count = np.zeros(len(sampled))
        if view.minds_groups is not None:
            count += view.minds_groups[table.row(node_table.GROUP)[sampled].astype(np.intp)]
        if view.minds_candidates:
            count += table.row(node_table.AVOID)[sampled]
        return count

    def _spread(self, view: ClassView, sampled: Positions) -> Column:
        table = self.table
        crowd = table.row(view.owner_row)
        if len(table.zones) == 1:
            return scores.topology_spread(crowd[sampled], crowd[sampled], 0)
        zone = table.row(node_table.ZONE).astype(np.intp)
        zone_of = zone[sampled]
        in_zone = np.zeros(len(table.zones))
        np.add.at(in_zone, zone, crowd)
        return scores.topology_spread(crowd[sampled], in_zone[zone_of], len(np.unique(zone_of)))

    def _look_again(self, view: ClassView) -> None:
        """Read anew what depends on which nodes there are and what images they hold."""
        table = self.table
        view.seen = table.changes
        view.allowed = None
        if not all(view.cls.allowed):
            view.allowed = np.array(view.cls.allowed)[table.row(node_table.GROUP).astype(np.intp)]
        present = np.zeros(len(table))
        for row, size_bytes in view.image_rows:
            on_node = table.row(row)
            present += on_node * np.floor(size_bytes * on_node.mean())
        view.image_score = None
        if present.any():
            view.image_score = scores.image_locality(present, len(view.image_rows))
