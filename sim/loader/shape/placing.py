"""Where pods may and would rather stand, in the words of a Kubernetes PodSpec.

Only what the scheduler here knows has a key: the rest is an unknown key, which is an error and not left out
in silence. Source: Kubernetes v1.31 core/v1 Affinity, TopologySpreadConstraint.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sim.loader.values.kinds import Choice, ListOf, PairsOf, choice_of
from sim.loader.values.scalars import COUNT, LABEL
from sim.loader.values.sections import Key, section_of
from sim.model.pods import (
    NodePreference,
    Operator,
    Pairs,
    PodTerm,
    Requirement,
    Requirements,
    SpreadConstraint,
)

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
HEAVIEST = 100


@dataclass(frozen=True, slots=True)
class AffinityFile:
    """The affinity of a pod."""

    node_affinity: tuple[Requirements, ...] = ()
    node_preferences: tuple[NodePreference, ...] = ()
    terms_together: tuple[PodTerm, ...] = ()
    terms_apart: tuple[PodTerm, ...] = ()


NO_AFFINITY = AffinityFile()


def _requirement(key: str, operator: Operator, values: tuple[str, ...] = ()) -> Requirement:
    compares = operator in {Operator.GREATER, Operator.LESS}
    if operator in {Operator.EXISTS, Operator.DOES_NOT_EXIST}:
        if values:
            raise ValueError(f"has values; allowed: none with the operator {operator.value}")
    elif not values or (compares and len(values) != 1):
        allowed = "one whole number" if compares else "at least one"
        raise ValueError(f"has {len(values)} values; allowed: {allowed} with the operator {operator.value}")
    if compares and not values[0].lstrip("-").isdecimal():
        raise ValueError(f"compares with {values[0]!r}; allowed: a whole number")
    return Requirement(key, operator, values)


REQUIREMENT = section_of(
    _requirement,
    Key("key", LABEL, "label"),
    Key("operator", choice_of(Operator), "how it compares"),
    Key("values", ListOf(LABEL), "with what; none for Exists and DoesNotExist"),
)


def _selector(labels: Pairs = (), expressions: Requirements = ()) -> Requirements:
    return (*(Requirement(key, Operator.IN, (value,)) for key, value in labels), *expressions)


SELECTOR = section_of(
    _selector,
    Key("matchLabels", PairsOf(), "labels that the pods have", attribute="labels"),
    Key("matchExpressions", ListOf(REQUIREMENT), "what their labels must be", attribute="expressions"),
)


def _terms(terms: tuple[Any, ...]) -> tuple[Any, ...]:
    return terms


NODE_TERM = section_of(
    _terms,
    Key(
        "matchExpressions",
        ListOf(REQUIREMENT, 1),
        "what the node's labels must be, all of it",
        attribute="terms",
    ),
)
NODE_SELECTOR = section_of(
    _terms,
    Key("nodeSelectorTerms", ListOf(NODE_TERM, 1), "terms, any of which is enough", attribute="terms"),
)


def _preference(weight: int, preference: Requirements) -> NodePreference:
    if not 1 <= weight <= HEAVIEST:
        raise ValueError(f"has weight {weight}; allowed: 1 to {HEAVIEST}")
    return NodePreference(weight, preference)


PREFERENCE = section_of(
    _preference, Key("weight", COUNT, "how much, 1 to 100"), Key("preference", NODE_TERM, "which nodes")
)
POD_TERM = section_of(
    PodTerm,
    Key("topologyKey", LABEL, "node label whose values are the domains", attribute="topology_key"),
    Key("labelSelector", SELECTOR, "which pods of the same namespace", attribute="selector"),
)


def _spread(
    topology_key: str, selector: Requirements, max_skew: int, when: str, min_domains: int = 1
) -> SpreadConstraint:
    if max_skew < 1 or min_domains < 1:
        raise ValueError("has a maxSkew or minDomains of 0; allowed: at least 1")
    if when == "ScheduleAnyway" and min_domains != 1:
        raise ValueError("has minDomains; allowed: with DoNotSchedule only")
    return SpreadConstraint(topology_key, selector, max_skew, when == "DoNotSchedule", min_domains)


SPREAD = section_of(
    _spread,
    Key("maxSkew", COUNT, "by how much domains may differ", attribute="max_skew"),
    Key("topologyKey", LABEL, "node label whose values are the domains", attribute="topology_key"),
    Key(
        "whenUnsatisfiable",
        Choice(("DoNotSchedule", "ScheduleAnyway")),
        "whether it is a condition or a wish",
        attribute="when",
    ),
    Key("labelSelector", SELECTOR, "which pods of the same namespace count", attribute="selector"),
    Key("minDomains", COUNT, "domains below which the least counts as empty", attribute="min_domains"),
)
SPREADS = ListOf(SPREAD)


def _node_affinity(
    required: tuple[Requirements, ...] = (), preferred: tuple[NodePreference, ...] = ()
) -> Any:
    return required, preferred


NODE_AFFINITY = section_of(
    _node_affinity,
    Key(REQUIRED, NODE_SELECTOR, "nodes it must have", attribute="required"),
    Key(PREFERRED, ListOf(PREFERENCE), "nodes it would rather have", attribute="preferred"),
)
POD_AFFINITY = section_of(
    lambda required=(): required,
    Key(REQUIRED, ListOf(POD_TERM), "terms, all of which must hold", attribute="required"),
)
NEITHER: tuple[tuple[Requirements, ...], tuple[NodePreference, ...]] = ((), ())


def _affinity(
    node: tuple[tuple[Requirements, ...], tuple[NodePreference, ...]] = NEITHER,
    together: tuple[PodTerm, ...] = (),
    apart: tuple[PodTerm, ...] = (),
) -> AffinityFile:
    return AffinityFile(*node, together, apart)


AFFINITY = section_of(
    _affinity,
    Key("nodeAffinity", NODE_AFFINITY, "nodes by label", attribute="node"),
    Key("podAffinity", POD_AFFINITY, "pods it must be with", attribute="together"),
    Key("podAntiAffinity", POD_AFFINITY, "pods it must not be with", attribute="apart"),
)
PREEMPTION_POLICY = Choice(("PreemptLowerPriority", "Never"))


def placing(
    affinity: AffinityFile, spreads: tuple[SpreadConstraint, ...], preemption_policy: str = ""
) -> dict[str, Any]:
    """Return the arguments of a pod class that these are."""
    return {
        "node_affinity": affinity.node_affinity,
        "node_preferences": affinity.node_preferences,
        "terms_together": affinity.terms_together,
        "terms_apart": affinity.terms_apart,
        "spread_constraints": spreads,
        "preempts": preemption_policy != "Never",
    }
