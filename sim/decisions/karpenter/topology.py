"""All topology constraints of one pass: which domains they leave to a pod, and what a placement adds to them.

Preferred terms and soft spreads are constraints like any other until they are relaxed. Groups begin with the
bound pods they match, without those that are placed anew in this pass. *Inverse* groups hold required
anti-affinity by who has it, so that others keep away.

Source: sigs.k8s.io/karpenter v1.14.1 pkg/controllers/provisioning/scheduling/topology.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from sim.decisions.karpenter.instance_options import InstanceOption
from sim.decisions.karpenter.node_pools import NodePool
from sim.decisions.karpenter.pod_specs import PodSpec, strict_requirements
from sim.decisions.karpenter.requirements import EXISTS, LabelRequirement, LabelRequirements, added, of_labels
from sim.decisions.karpenter.state_nodes import StateNode
from sim.decisions.karpenter.topology_group import GroupIdentity, NodeFilter, TopologyGroup, TopologyKind
from sim.model.pods import HOSTNAME, PodTerm


class Topology:
    """The groups of one pass; it lives and ends with the pass."""

    def __init__(
        self,
        pools: Sequence[NodePool],
        options: Sequence[InstanceOption],
        nodes: Sequence[StateNode],
        pods: Sequence[PodSpec],
    ) -> None:
        self._pools, self._options = pools, options
        self._placed_anew = {pod.name for pod in pods}
        self._nodes = [(node, of_labels(node.labels)) for node in nodes]
        self._universe: dict[str, set[str]] = {HOSTNAME: set()}
        self._groups: dict[GroupIdentity, TopologyGroup] = {}
        self._inverse: dict[GroupIdentity, TopologyGroup] = {}
        for pod, node in self._bound():
            self._note_inverse(pod, node)
        for pod in pods:
            self.update(pod)

    def update(self, pod: PodSpec) -> None:
        """Have a pod leave the groups it was in and join those of what it asks for now."""
        for group in self._groups.values():
            group.owners.discard(pod.name)
        self._note_inverse(pod, None)
        for identity, min_domains in _identities(pod):
            if identity not in self._groups:
                self._groups[identity] = self._counted(identity, min_domains)
            self._groups[identity].owners.add(pod.name)

    def register_host(self, hostname: str) -> None:
        """Make a host known to all groups over hosts, those to come as well."""
        self._universe[HOSTNAME].add(hostname)
        for group in self._over_hosts():
            group.register((hostname,))

    def unregister_host(self, hostname: str) -> None:
        """Forget the host of a claim that was not opened."""
        self._universe[HOSTNAME].discard(hostname)
        for group in self._over_hosts():
            group.unregister(hostname)

    def requirements(
        self, pod: PodSpec, node: LabelRequirements, may_be_open: frozenset[str]
    ) -> dict[str, LabelRequirement] | TopologyGroup:
        """Return what constraints leave to a pod on a node, or the group that leaves nothing.

        ``node`` are the node's or claim's requirements with the pod's own in them.
        """
        strict = strict_requirements(pod)
        left = dict(node)
        for group in self._asked(pod, node, may_be_open):
            key = group.identity.key
            allowed = group.allowed(pod, strict.get(key, EXISTS), node.get(key, EXISTS))
            if not allowed.values:
                return group
            left = added(left, {key: allowed})
        return left

    def record(self, pod: PodSpec, node: LabelRequirements, may_be_open: frozenset[str]) -> None:
        """Count a pod that was placed on a node with these requirements.

        Where the domain is still open, anti-affinity counts all that are possible, and others none.
        """
        for group in self._groups.values():
            if not group.concerns(pod, node, may_be_open):
                continue
            domain = node.get(group.identity.key, EXISTS)
            if group.identity.kind is TopologyKind.APART:
                group.record(domain.values)
            elif domain.only is not None:
                group.record((domain.only,))
        for group in self._inverse.values():
            if pod.name in group.owners:
                group.record(node.get(group.identity.key, EXISTS).values)

    def _asked(
        self, pod: PodSpec, node: LabelRequirements, may_be_open: frozenset[str]
    ) -> Iterator[TopologyGroup]:
        yield from (group for group in self._groups.values() if pod.name in group.owners)
        yield from (group for group in self._inverse.values() if group.concerns(pod, node, may_be_open))

    def _over_hosts(self) -> list[TopologyGroup]:
        groups = (*self._groups.values(), *self._inverse.values())
        return [group for group in groups if group.identity.key == HOSTNAME]

    def _note_inverse(self, pod: PodSpec, node: StateNode | None) -> None:
        """Have all others keep away from a pod's required anti-affinity, and from where it is already."""
        for term in pod.terms_apart:
            identity = _of_term(TopologyKind.APART, term)
            if identity not in self._inverse:
                self._inverse[identity] = TopologyGroup(identity)
                self._inverse[identity].register(self._domains(identity.key))
            group = self._inverse[identity]
            if node is not None and (domain := _domain(node, identity.key)) is not None:
                group.record((domain,))
            group.owners.add(pod.name)

    def _counted(self, identity: GroupIdentity, min_domains: int) -> TopologyGroup:
        """Return a new group with its domains and the bound pods in them."""
        group = TopologyGroup(identity, min_domains)
        group.register(self._domains(identity.key))
        for node, labels in self._nodes:
            domain = _domain(node, identity.key)
            if domain is None or not node.registered or not identity.node_filter.matches(labels):
                continue
            group.register((domain,))
            group.record(domain for pod in self._counting(node) if identity.selects(pod))
        return group

    def _bound(self) -> Iterator[tuple[PodSpec, StateNode]]:
        return ((pod, node) for node, _ in self._nodes for pod in self._counting(node))

    def _counting(self, node: StateNode) -> Iterable[PodSpec]:
        return (pod for pod in node.pods if pod.name not in self._placed_anew)

    def _domains(self, key: str) -> set[str]:
        """Return the values of a label that new nodes may have, of any pool and type."""
        if key not in self._universe:
            self._universe[key] = {
                value
                for pool in self._pools
                for option in self._options
                for value in _values(pool.requirements.get(key), option.requirements.get(key))
            }
        return self._universe[key]


def _values(of_pool: LabelRequirement | None, of_option: LabelRequirement | None) -> frozenset[str]:
    both = (of_pool or EXISTS).intersection(of_option or EXISTS)
    return frozenset() if both.complement else both.values


def _domain(node: StateNode, key: str) -> str | None:
    return node.hostname if key == HOSTNAME else node.labels.get(key)


def _of_term(kind: TopologyKind, term: PodTerm) -> GroupIdentity:
    return GroupIdentity(kind, term.topology_key, term.selector)


def _identities(pod: PodSpec) -> Iterator[tuple[GroupIdentity, int]]:
    """Yield the groups a pod belongs to, with its minDomains."""
    node_filter = NodeFilter(pod.node_selector, pod.node_affinity)
    for one in pod.spread_constraints:
        yield (
            GroupIdentity(TopologyKind.SPREAD, one.topology_key, one.selector, one.max_skew, node_filter),
            one.min_domains,
        )
    for kind, required, preferred in (
        (TopologyKind.TOGETHER, pod.terms_together, pod.preferred_together),
        (TopologyKind.APART, pod.terms_apart, pod.preferred_apart),
    ):
        for term in (*required, *(one.term for one in preferred)):
            yield _of_term(kind, term), 1
