"""Pods elsewhere: what topology spread and inter-pod (anti-)affinity make of the nodes for one pod.

The rules are ``sim.decisions.kubernetes.topology`` and ``scores.topology_spread``; here their columns are
read off the table of nodes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sim.decisions.kubernetes import scores
from sim.decisions.kubernetes.topology import in_domain, room_by_spread
from sim.engine.kubernetes.class_view import term_row
from sim.kernels.choice import ZONE as ZONE_ROW
from sim.model.pods import HOSTNAME, meets

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sim.engine.kubernetes.class_view import ClassView
    from sim.engine.kubernetes.node_table import Floats, NodeTable
    from sim.model.pods import PodTerm

    Flags = NDArray[np.bool_]
    Positions = NDArray[np.intp]


class Domains:
    """Reads counts by domain off the table of nodes."""

    def __init__(self, table: NodeTable) -> None:
        """Know no nodes yet."""
        self.table = table
        self._shape = self._zone = np.zeros(0, dtype=np.intp)

    def look_again(self, shape: Positions) -> None:
        """Take in which nodes there are."""
        self._shape = shape
        self._zone = self.table.row(ZONE_ROW).astype(np.intp)

    # -- filters ----------------------------------------------------------------------------

    def open_to(self, view: ClassView) -> Flags:
        """Say of every node whether pods elsewhere let a pod of this class in."""
        ok = np.ones(len(self.table.nodes), dtype=np.bool_)
        for _, room, asked in self.hard_spread(view):
            ok &= room >= asked
        for row, key in self.apart_rows(view):
            domain, domains = self.table.domains(key)
            ok &= in_domain(self.table.row(row), domain, domains) == 0
        for term in view.cls.spec.terms_together:
            ok &= self.together(view, term)
        return ok

    def hard_spread(self, view: ClassView) -> list[tuple[int, Floats, int]]:
        """Return for each hard constraint its row, how many more pods each node may take, and what one is."""
        spec = view.cls.spec
        hard = [index for index, constraint in enumerate(spec.spread_constraints) if constraint.hard]
        if not hard:
            return []
        counted = self._selected(view)
        for index in hard:
            counted &= self.table.domains(spec.spread_constraints[index].topology_key)[0] >= 0
        found = []
        for index in hard:
            constraint = spec.spread_constraints[index]
            domain, domains = self.table.domains(constraint.topology_key)
            on_node = self.table.row(view.spread_rows[index])
            room = room_by_spread(
                on_node, domain, domains, counted, constraint.max_skew, constraint.min_domains
            )
            row = view.spread_rows[index]
            found.append((row, room, int(meets(constraint.selector, dict(spec.labels)))))
        return found

    def apart_rows(self, view: ClassView) -> list[tuple[int, str]]:
        """Return the rows that must be empty in a node's domain by a label: anti-affinity of either side."""
        spec = view.cls.spec
        own = [(term_row(self.table, spec, term), term.topology_key) for term in spec.terms_apart]
        return own + view.refusing

    def together(self, view: ClassView, term: PodTerm) -> Flags:
        """Say where a required pod affinity holds; the first of its own kind may start anywhere."""
        domain, domains = self.table.domains(term.topology_key)
        on_node = self.table.row(term_row(self.table, view.cls.spec, term))
        here: Flags = in_domain(on_node, domain, domains) > 0
        if not here.any() and meets(term.selector, dict(view.cls.spec.labels)):
            here = domain >= 0
        return here

    # -- scores -----------------------------------------------------------------------------

    def default_spread(self, view: ClassView, feasible: Positions) -> Floats:
        """Score the cluster's default spread: by host, and by zone where the node has one."""
        table = self.table
        on_node = table.row(view.owner_row)
        crowd = scores.spread_crowd(on_node.take(feasible), len(feasible), scores.HOSTNAME_MAX_SKEW)
        if len(table.zones) > 1:
            zone_of = self._zone.take(feasible)
            counted = on_node * self._selected(view)
            in_zone = np.bincount(self._zone, counted).astype(np.float64, copy=False).take(zone_of)
            zones = int(np.count_nonzero(np.bincount(zone_of)))  # no zone at all is one of them
            by_zone = scores.spread_crowd(in_zone, zones, scores.ZONE_MAX_SKEW)
            crowd += np.where(zone_of > 0, by_zone, 0.0)
        return scores.topology_spread(crowd)

    def own_spread(self, view: ClassView, feasible: Positions) -> Floats:
        """Score the soft constraints of a pod; nodes without one of their labels are ignored."""
        constraints = view.cls.spec.spread_constraints
        soft = [index for index, constraint in enumerate(constraints) if not constraint.hard]
        if not soft:
            return np.zeros(len(feasible))
        labelled = np.ones(len(self.table.nodes), dtype=np.bool_)
        for index in soft:
            labelled &= self.table.domains(constraints[index].topology_key)[0] >= 0
        counted = labelled & self._selected(view)
        ignored = ~labelled.take(feasible)
        crowd = np.zeros(len(feasible))
        for index in soft:
            key, row = constraints[index].topology_key, self.table.row(view.spread_rows[index])
            domain, domains = self.table.domains(key)
            if key == HOSTNAME:
                held, size = row.take(feasible), len(feasible) - int(np.count_nonzero(ignored))
            else:
                held = in_domain(row, domain, domains, counted).take(feasible)
                size = len(np.unique(domain.take(feasible)[~ignored]))
            crowd += scores.spread_crowd(held, size, constraints[index].max_skew)
        return scores.topology_spread(crowd, ignored)

    def _selected(self, view: ClassView) -> Flags:
        """Say which nodes selector and affinity let the pod use, whatever their taints."""
        if view.selected is None:
            return np.ones(len(self.table.nodes), dtype=np.bool_)
        return view.selected.take(self._shape)
