"""What placing a pod reads of its class, derived once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sim.decisions.kubernetes import scores
from sim.engine.kubernetes.node_table import NOTHING, NodeTable, unset_requests
from sim.kernels.choice import BEST
from sim.model.pods import Effect, PodClass, PodTerm, Requirements, Taint, meets

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sim.decisions.kubernetes.scheduling import SchedulerRules
    from sim.engine.entities import ClassState
    from sim.engine.state import ClusterState

DELETION_CANDIDATE = Taint("DeletionCandidateOfClusterAutoscaler", effect=Effect.PREFER_NO_SCHEDULE)
TIES_DRAWN = 256


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

    ``allowed`` says by shape of node whether selector, affinity and taints let it in, ``selected`` the same
    without taints. ``is_bound_by_others``: whether it fits on a node depends on pods elsewhere.
    ``refusing`` are pods whose own anti-affinity keeps it out: the row that counts them, and the label.
    """

    __slots__ = (
        "allowed", "apart_row", "asks_less", "avoid", "cls", "counters", "has_few_wishes", "hopeless",
        "image_rows", "is_allowed", "is_balanced", "is_bound_by_others", "is_counted", "is_spread",
        "minds_shapes", "owner_row", "prefers_shapes", "refusing", "selected", "spread_rows", "ties", "unset",
    )  # fmt: skip

    def __init__(
        self, cls: ClassState, state: ClusterState, table: NodeTable, ties: Ties, rules: SchedulerRules
    ) -> None:
        """Derive everything static."""
        spec = cls.spec
        shapes = state.shapes
        self.cls = cls
        self.unset = unset_requests(cls)
        self.asks_less = self.unset != NOTHING
        self.allowed = np.array(cls.allowed, dtype=np.bool_)
        self.is_allowed = any(cls.allowed)
        selected = [spec.selects(shape.node_labels()) for shape in shapes]
        self.selected = None if all(selected) else np.array(selected, dtype=np.bool_)
        self.is_balanced = rules.balances_without_requests or bool(cls.cpu_m or cls.memory_mib)
        self.is_spread = spec.spread and not spec.spread_constraints
        self.owner_row = table.owner_row(spec.namespace, spec.owner) if self.is_spread else -1
        self.spread_rows = [
            _row_of(table, spec, constraint.selector, live=True) for constraint in spec.spread_constraints
        ]
        for term in (*spec.terms_apart, *spec.terms_together):
            term_row(table, spec, term)
        self.apart_row = -1
        self.refusing: list[tuple[int, str]] = []
        self.is_bound_by_others = bool(
            spec.terms_apart or spec.terms_together or any(c.hard for c in spec.spread_constraints)
        )
        self.image_rows = [(table.image_row(image.name), float(image.size_bytes)) for image in spec.images]
        minded = [sum(_minds(cls, taint) for taint in shape.taints) for shape in shapes]
        self.minds_shapes = np.array(minded, dtype=np.float64) if any(minded) else None
        wished = [
            sum(w.weight for w in spec.node_preferences if meets(w.requirements, shape.node_labels()))
            for shape in shapes
        ]
        self.prefers_shapes = np.array(wished, dtype=np.float64) if any(wished) else None
        minds_candidates = _minds(cls, DELETION_CANDIDATE)
        self.avoid = scores.TAINT_TOLERATION * BEST if minds_candidates else 0.0  # points such a taint costs
        self.hopeless = False  # known to fit nowhere, as long as no room appears
        self.ties = ties
        self.know(table, [cls.spec])

    def know(self, table: NodeTable, specs: Iterable[PodClass]) -> None:
        """Take in what classes of pods there are: whom their anti-affinity keeps out, and what is counted."""
        spec, cls = self.cls.spec, self.cls
        for other in specs:
            if other.anti_affinity and other.owner == spec.owner and self.apart_row < 0:
                self.apart_row = _apart_row(table, cls)
            for term in other.terms_apart:
                if other.namespace == spec.namespace and meets(term.selector, dict(spec.labels)):
                    self._refused_by(table, term)
        self.counters = table.counted_in(spec)
        counted = bool(self.counters) or self.asks_less or cls.gpu > 0 or cls.ephemeral_mib > 0
        self.is_counted = counted
        self.has_few_wishes = not (  # those that the kernel knows
            self.minds_shapes is not None
            or self.prefers_shapes is not None
            or self.is_spread
            or spec.spread_constraints
            or self.is_bound_by_others
            or cls.tolerates_cordon
        )

    def _refused_by(self, table: NodeTable, term: PodTerm) -> None:
        namespace = self.cls.spec.namespace
        row = table.counter_row(
            ("refusing", namespace, term),
            lambda spec: spec.namespace == namespace and term in spec.terms_apart,
            live=False,
        )
        if (row, term.topology_key) not in self.refusing:
            self.refusing.append((row, term.topology_key))
            self.is_bound_by_others = True


def _apart_row(table: NodeTable, cls: ClassState) -> int:
    """Return the row of pods that are not to be on one node with this class's, by anti-affinity of either."""
    spec = cls.spec
    if spec.anti_affinity:
        return table.owner_row(spec.namespace, spec.owner, live=False)
    namespace, owner = spec.namespace, spec.owner
    return table.counter_row(
        ("apart", namespace, owner),
        lambda other: other.anti_affinity and other.owner == owner and other.namespace == namespace,
        live=False,
    )


def _row_of(table: NodeTable, spec: PodClass, selector: Requirements, *, live: bool) -> int:
    namespace = spec.namespace
    return table.counter_row(
        ("selected", namespace, selector),
        lambda other: other.namespace == namespace and meets(selector, dict(other.labels)),
        live=live,
    )


def term_row(table: NodeTable, spec: PodClass, term: PodTerm) -> int:
    """Return the row of pods that a term of a class selects."""
    return _row_of(table, spec, term.selector, live=False)


def _minds(cls: ClassState, taint: Taint) -> bool:
    tolerated = any(toleration.tolerates(taint) for toleration in cls.spec.tolerations)
    return taint.effect is Effect.PREFER_NO_SCHEDULE and not tolerated
