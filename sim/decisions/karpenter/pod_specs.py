"""A pod as Karpenter's scheduler and disruption read it, and what it requires of a node's labels.

The heaviest preference counts as required until it is relaxed, and of the required terms, any of which would
do, the first one.

Source: sigs.k8s.io/karpenter v1.14.1 pkg/scheduling/requirements.go (NewPodRequirements), taints.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sim.decisions.karpenter.amounts import Amounts
from sim.decisions.karpenter.requirements import LabelRequirement, added, of_labels, requirement
from sim.model.pods import NodePreference, Pairs, PodTerm, Requirements, SpreadConstraint, Taint, Toleration


@dataclass(frozen=True, slots=True)
class WeightedTerm:
    """Pods that a pod would rather have in, or out of, its domain."""

    weight: int
    term: PodTerm


@dataclass(frozen=True, slots=True, eq=False)
class PodSpec:
    """One pod; the least ``uid`` is first among equals, ``created_s`` is in whole seconds.

    It has run for ``running_s`` if it is bound; ``daemon_set`` names its owner. A disruption reads the
    annotation ``do_not_disrupt``, ``priority`` and ``deletion_cost``.
    """

    name: str
    requests: Amounts
    uid: int = 0
    labels: Mapping[str, str] = field(default_factory=dict)
    created_s: float = 0
    node_selector: Pairs = ()
    node_affinity: tuple[Requirements, ...] = ()
    node_preferences: tuple[NodePreference, ...] = ()
    tolerations: tuple[Toleration, ...] = ()
    spread_constraints: tuple[SpreadConstraint, ...] = ()
    terms_together: tuple[PodTerm, ...] = ()
    terms_apart: tuple[PodTerm, ...] = ()
    preferred_together: tuple[WeightedTerm, ...] = ()
    preferred_apart: tuple[WeightedTerm, ...] = ()
    host_ports: frozenset[int] = frozenset()
    daemon_set: str | None = None
    running_s: float = 0
    do_not_disrupt: str | None = None
    priority: int = 0
    deletion_cost: int = 0


def of_term(term: Requirements) -> dict[str, LabelRequirement]:
    """Return one term of node affinity as requirements."""
    return added(*({one.key: requirement(one.operator.value, one.values)} for one in term))


def strict_requirements(pod: PodSpec) -> dict[str, LabelRequirement]:
    """Return what a pod requires, its preferences left out: node selector and first required term."""
    required = pod.node_affinity[:1]
    return added(of_labels(dict(pod.node_selector)), *map(of_term, required))


def pod_requirements(pod: PodSpec) -> dict[str, LabelRequirement]:
    """Return what a pod requires, its heaviest preference with it."""
    heaviest = sorted(pod.node_preferences, key=lambda one: -one.weight)[:1]
    return added(
        of_labels(dict(pod.node_selector)),
        *(of_term(preference.requirements) for preference in heaviest),
        *map(of_term, pod.node_affinity[:1]),
    )


def not_tolerated(taints: Iterable[Taint], pod: PodSpec) -> Taint | None:
    """Return the first taint that a pod does not tolerate; PreferNoSchedule counts until it is relaxed."""
    return next((t for t in taints if not any(one.tolerates(t) for one in pod.tolerations)), None)
