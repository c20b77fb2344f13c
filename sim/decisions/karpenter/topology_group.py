"""One topology constraint that pods share, its domains, and how many matching pods are in each.

Groups are the same if kind, key, selector, skew and node filter are; minDomains and whenUnsatisfiable are no
part of it, so the first pod's minDomains serves all. Among equals upstream takes any, here the first by name.

Source: sigs.k8s.io/karpenter v1.14.1 pkg/controllers/provisioning/scheduling/topologygroup.go,
topologynodefilter.go.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum

from sim.decisions.karpenter.pod_specs import PodSpec, of_term
from sim.decisions.karpenter.requirements import (
    LabelRequirement,
    LabelRequirements,
    added,
    incompatible,
    of_labels,
)
from sim.model.pods import HOSTNAME, Pairs, Requirements, meets


class TopologyKind(Enum):
    """What a group asks of domains."""

    SPREAD = "topology spread"
    TOGETHER = "pod affinity"
    APART = "pod anti-affinity"


@dataclass(frozen=True, slots=True)
class NodeFilter:
    """Which nodes a spread counts: those that node selector and any required term of its pods allow.

    Taints are ignored, and node affinity honoured: upstream's default policies.
    """

    node_selector: Pairs = ()
    terms: tuple[Requirements, ...] = ()

    def matches(self, requirements: LabelRequirements, may_be_open: frozenset[str] = frozenset()) -> bool:
        """Say whether a node with these labels, or a claim with these requirements, counts."""
        if not self.node_selector and not self.terms:
            return True
        selected = of_labels(dict(self.node_selector))
        alternatives = [added(selected, of_term(term)) for term in self.terms] or [selected]
        return any(incompatible(requirements, one, may_be_open) is None for one in alternatives)


@dataclass(frozen=True, slots=True)
class GroupIdentity:
    """What makes two constraints one group."""

    kind: TopologyKind
    key: str
    selector: Requirements
    max_skew: int = 0
    node_filter: NodeFilter = NodeFilter()

    def selects(self, pod: PodSpec) -> bool:
        """Say whether a pod is one of those that are counted."""
        return meets(self.selector, pod.labels)


@dataclass(slots=True)
class TopologyGroup:
    """A group within one pass: its counts grow as pods are placed."""

    identity: GroupIdentity
    min_domains: int = 1
    counts: dict[str, int] = field(default_factory=dict)
    owners: set[str] = field(default_factory=set)

    def register(self, domains: Iterable[str]) -> None:
        """Make domains known, empty unless they are already."""
        for domain in domains:
            self.counts.setdefault(domain, 0)

    def unregister(self, domain: str) -> None:
        """Forget the domain of a claim that was not opened."""
        self.counts.pop(domain, None)

    def record(self, domains: Iterable[str]) -> None:
        """Count a pod in each of the domains."""
        for domain in domains:
            self.counts[domain] = self.counts.get(domain, 0) + 1

    def concerns(self, pod: PodSpec, requirements: LabelRequirements, may_be_open: frozenset[str]) -> bool:
        """Say whether a pod placed on such a node counts here."""
        identity = self.identity
        return identity.selects(pod) and identity.node_filter.matches(requirements, may_be_open)

    def allowed(self, pod: PodSpec, of_pod: LabelRequirement, of_node: LabelRequirement) -> LabelRequirement:
        """Return the domains a pod may go to among those it and the node allow; none is DoesNotExist."""
        return LabelRequirement(frozenset(ASKED[self.identity.kind](self, pod, of_pod, of_node)))


def _spread(
    group: TopologyGroup, pod: PodSpec, of_pod: LabelRequirement, of_node: LabelRequirement
) -> list[str]:
    """Return the domain with the smallest count that keeps within the skew."""
    least = _least(group, of_pod)
    itself = int(group.identity.selects(pod))
    open_to = [
        (count, domain)
        for domain, count in group.counts.items()
        if of_node.has(domain) and count + itself - least <= group.identity.max_skew
    ]
    return [min(open_to)[1]] if open_to else []


def _least(group: TopologyGroup, of_pod: LabelRequirement) -> int:
    """Return the smallest count of the pod's own domains; 0 for hosts, or if there are too few of them."""
    if group.identity.key == HOSTNAME:
        return 0
    counts = [count for domain, count in group.counts.items() if of_pod.has(domain)]
    return 0 if len(counts) < group.min_domains else min(counts, default=0)


def _together(
    group: TopologyGroup, pod: PodSpec, of_pod: LabelRequirement, of_node: LabelRequirement
) -> list[str]:
    """Return all domains with matching pods; for the first of pods that want each other, any one."""
    mine = [domain for domain in sorted(group.counts) if of_pod.has(domain)]
    held = [domain for domain in mine if group.counts[domain] > 0]
    found = [domain for domain in held if of_node.has(domain)]
    is_first = not any(group.counts.values()) or not held
    if found or not (is_first and group.identity.selects(pod)):
        return found
    return [*[domain for domain in mine if of_node.has(domain)][:1], *mine[:1]]


def _apart(
    group: TopologyGroup, pod: PodSpec, of_pod: LabelRequirement, of_node: LabelRequirement
) -> list[str]:
    """Return all domains without matching pods."""
    return [
        domain
        for domain, count in group.counts.items()
        if count == 0 and of_pod.has(domain) and of_node.has(domain)
    ]


ASKED = {TopologyKind.SPREAD: _spread, TopologyKind.TOGETHER: _together, TopologyKind.APART: _apart}
