"""What keeps a pod off a node besides room, counted like room, so that victims can make way for it too.

Anti-affinity leaves a node room for one pod less those that are not wanted in its domain; a hard spread
constraint as much as its skew allows. A victim gives back what it counts for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sim.decisions.kubernetes.topology import in_domain
from sim.engine.entities import TERMINATING
from sim.model.pods import PodClass

if TYPE_CHECKING:
    from sim.engine.entities import Node, Pod
    from sim.engine.kubernetes.class_view import ClassView
    from sim.engine.kubernetes.domains import Domains


@dataclass(frozen=True, slots=True)
class Bound:
    """One such limit: the room it leaves on each node, what the pod takes of it, and which pods count."""

    rooms: NDArray[np.float64]
    asked: int
    selects: Callable[[PodClass], bool]
    live: bool

    def room(self, node: Node) -> float:
        """Return what is left on a node."""
        return float(self.rooms[node.position])

    def counts(self, pod: Pod) -> int:
        """Return what a pod there would give back."""
        return int(self.selects(pod.cls.spec) and not (self.live and pod.state is TERMINATING))


def bounds_of(view: ClassView, domains: Domains) -> list[Bound]:
    """Return the limits for pods of a class as things are."""
    table = domains.table
    selects = {counter.row: counter.counts for counter in table.counters.values()}
    found = []
    if view.apart_row >= 0:
        row = view.apart_row
        found.append(Bound(1 - table.row(row), 1, selects[row], live=False))
    if view.is_bound_by_others:
        for row, key in domains.apart_rows(view):
            held = in_domain(table.row(row), *table.domains(key))
            found.append(Bound(1 - held, 1, selects[row], live=False))
        for row, room, asked in domains.hard_spread(view):
            found.append(Bound(room, asked, selects[row], live=True))
        for term in view.cls.spec.terms_together:
            here = np.where(domains.together(view, term), np.inf, -np.inf)
            found.append(Bound(here, 0, _nobody, live=False))
    return found


def _nobody(_: PodClass) -> bool:
    return False
