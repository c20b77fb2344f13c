"""Placement: filter the nodes for one pod, score those that fit, take the best.

From 100 nodes on only some that fit are scored. The search goes through zones in turn and begins where the
last one ended: at the first node that fitted and was not taken.

Source: Kubernetes v1.31.13 pkg/scheduler/schedule_one.go (findNodesThatFitPod, prioritizeNodes,
selectHost), internal/cache/node_tree.go; cluster-autoscaler.md §5.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sim.decisions.kubernetes import scores
from sim.decisions.kubernetes.scheduling import nodes_to_find, sample
from sim.engine.kubernetes.domains import Domains
from sim.engine.kubernetes.node_table import NodeTable
from sim.kernels.choice import (
    ALL_CPU,
    AVOID,
    CHOICE,
    FREE_EPHEMERAL,
    FREE_GPU,
    MORE_CPU,
    SHAPE,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from sim.engine.entities import Node
    from sim.engine.kubernetes.class_view import ClassView
    from sim.engine.kubernetes.node_table import Floats

    Flags = NDArray[np.bool_]
    Positions = NDArray[np.intp]

ALIKE = np.zeros(0)  # the image score of nodes that are all alike
IN_ORDER = np.zeros(0, dtype=np.intp)  # a search in node order
MOST_CLASSES = 512  # remembered at a time: a trace may have thousands


class Placement:
    """Chooses nodes; remembers where the last search stopped."""

    def __init__(self, table: NodeTable) -> None:
        """Start searching at the first node."""
        self.table = table
        self.domains = Domains(table)
        self.start = 0
        self._seen = -1  # the table's changes that the following knows of
        self._wanted = 0
        self._order = IN_ORDER
        self._shape = np.zeros(0, dtype=np.intp)
        self._found = np.zeros((2, 0), dtype=np.intp)
        self._seen_images = -1
        self._image_scores: dict[int, Floats] = {}  # by class

    def choose(self, view: ClassView, taken: Iterable[Node] = ()) -> Node | None:
        """Return the best node for a pod, or None when it fits nowhere; ``taken`` ones are left out."""
        table = self.table
        if not table.nodes or not view.is_allowed:
            return None
        if self._seen != table.changes:
            self._look_again()
        if table.touched:
            table.take_snapshot()
        compiled = CHOICE.compiled or CHOICE.asked_for()
        if compiled is None or not view.has_few_wishes or taken:
            position = self._choose(view, taken)
        else:
            cls = view.cls
            position, self.start = compiled(
                table.matrix, view.allowed, self._image_score(view) if view.image_rows else ALIKE,
                self._found, self._order, len(table.nodes), self._wanted, self.start,
                cls.cpu_m, cls.memory_mib, view.unset[0], view.unset[1], cls.gpu, cls.ephemeral_mib,
                view.apart_row, view.avoid if table.avoided else 0.0, table.assumed > 0 or view.asks_less,
                view.is_balanced, view.ties.next,
            )  # fmt: skip
        if position < 0:
            return None
        view.ties.take()
        return table.nodes[position]

    def _choose(self, view: ClassView, taken: Iterable[Node]) -> int:
        """Return the position of the best node, -1 if there is none: the twin of ``sim.kernels.choice``."""
        feasible = self.feasible(view, taken)
        if not len(feasible):
            return -1
        score = self.score(view, feasible)
        (best,) = np.equal(score, score[score.argmax()]).nonzero()
        return int(feasible[best[int(view.ties.next * len(best))]])

    def feasible(self, view: ClassView, taken: Iterable[Node] = ()) -> Positions:
        """Return the positions of the nodes that are scored, in the order of the search, which goes on."""
        table = self.table
        if self._seen != table.changes:
            self._look_again()
        fits = self._fits(view, taken)
        if not len(self._order):
            (found,) = fits.nonzero()
            if len(found) > self._wanted:
                found, self.start = sample(found, self._wanted, len(table.nodes), self.start)
            return found
        (steps,) = fits.take(self._order).nonzero()
        if len(steps) > self._wanted:
            steps, self.start = sample(steps, self._wanted, len(table.nodes), self.start)
        return self._order.take(steps)

    def _fits(self, view: ClassView, taken: Iterable[Node]) -> Flags:
        """Say of every node whether it passes all filters."""
        cls, table = view.cls, self.table
        free = self._free(view)
        fits: Flags = np.logical_and(free[0] >= cls.cpu_m, free[1] >= cls.memory_mib)
        if len(view.allowed) > 1:
            fits &= view.allowed.take(self._shape)
        elif not view.is_allowed:
            fits[:] = False
        if cls.gpu:
            fits &= table.row(FREE_GPU) >= cls.gpu
        if cls.ephemeral_mib:
            fits &= table.row(FREE_EPHEMERAL) >= cls.ephemeral_mib
        if view.apart_row >= 0:
            fits &= table.row(view.apart_row) == 0
        for node in taken:
            fits[node.position] = False
        if view.is_bound_by_others:
            fits &= self.domains.open_to(view)
        return fits

    def _free(self, view: ClassView) -> Floats:
        """Return free cpu and memory; of cordoned nodes too, to those that tolerate that."""
        free = self.table.free
        if view.cls.tolerates_cordon:
            cordoned = [node for node in self.table.nodes if node.cordoned and node.free_pods > 0]
            if cordoned:
                free = free.copy()
                for node in cordoned:
                    free[0, node.position] = node.free_cpu_m
        return free

    def score(self, view: ClassView, feasible: Positions) -> Floats:
        """Return the weighted score of nodes that fit, up to a constant."""
        cls, table = view.cls, self.table
        rows = table.scored[:, feasible]
        left = rows[:2]
        if cls.tolerates_cordon:
            left[:] = self._free(view)[:, feasible]
        left[0] -= cls.cpu_m
        left[1] -= cls.memory_mib
        everything = rows[ALL_CPU : ALL_CPU + 2]
        score = scores.balanced_allocation(left, everything) if view.is_balanced else np.zeros(len(feasible))
        if table.assumed or view.asks_less:
            left -= rows[MORE_CPU : MORE_CPU + 2]
            left[0] -= view.unset[0]
            left[1] -= view.unset[1]
        score += scores.least_allocated(left, everything)
        if view.image_rows and (image_score := self._image_score(view)) is not ALIKE:
            score += image_score.take(feasible)
        if view.minds_shapes is not None:
            score += scores.TAINT_TOLERATION * scores.taint_toleration(self._intolerable(view, feasible))
        elif table.avoided and view.avoid:  # the same with at most one taint a node
            score -= view.avoid * table.row(AVOID).take(feasible)
        if view.prefers_shapes is not None:
            wished = view.prefers_shapes.take(self._shape.take(feasible))
            score += scores.NODE_AFFINITY * scores.node_affinity(wished)
        if view.is_spread:
            score += scores.POD_TOPOLOGY_SPREAD * self.domains.default_spread(view, feasible)
        elif view.spread_rows:
            score += scores.POD_TOPOLOGY_SPREAD * self.domains.own_spread(view, feasible)
        return score

    def _intolerable(self, view: ClassView, sampled: Positions) -> Floats:
        avoided = self.table.row(AVOID).take(sampled) if view.avoid else np.zeros(len(sampled))
        if view.minds_shapes is not None:
            avoided += view.minds_shapes[self._shape.take(sampled)]
        return avoided

    def _look_again(self) -> None:
        """Work out what depends on which nodes there are."""
        table = self.table
        nodes = len(table.nodes)
        self._seen = table.changes
        self._wanted = nodes_to_find(nodes)
        self._shape = table.row(SHAPE).astype(np.intp)
        in_turns = self._wanted < nodes and len(table.zones) > 2  # noqa: PLR2004  # one stands for no zone
        self._order = np.array(table.in_turns(), dtype=np.intp) if in_turns else IN_ORDER
        self._found = np.zeros((2, nodes), dtype=np.intp)
        self._seen_images = -1
        self.domains.look_again(self._shape)

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
            present += np.floor(size_bytes * (self.table.row(row + 1) / len(present)))
        return scores.image_locality(present, len(view.image_rows)) if present.any() else ALIKE
