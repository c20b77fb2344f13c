"""NodeClaims that a pass opens: pods are packed into one while any type is left that would do for all.

The type is not chosen here: a claim keeps every type that fits, and the launch decides. Claims are tried with
the fewest pods first, so they are filled evenly.

Source: sigs.k8s.io/karpenter v1.14.1 pkg/controllers/provisioning/scheduling: nodeclaim.go,
nodeclaimtemplate.go.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from sim.decisions.karpenter.amounts import ZERO, Amounts
from sim.decisions.karpenter.daemon_sets import overheads
from sim.decisions.karpenter.instance_options import InstanceOption, Offering, truncated
from sim.decisions.karpenter.labels import CAPACITY_TYPE, RESERVATION_ID, RESERVED, WELL_KNOWN
from sim.decisions.karpenter.node_pools import NodePool
from sim.decisions.karpenter.option_filter import Filtered, filtered
from sim.decisions.karpenter.pod_specs import PodSpec, not_tolerated, pod_requirements
from sim.decisions.karpenter.refusals import ClaimRefusal, Refused
from sim.decisions.karpenter.requirements import LabelRequirement, LabelRequirements, added, incompatible
from sim.decisions.karpenter.reservations import Reservations
from sim.decisions.karpenter.topology import Topology
from sim.decisions.karpenter.topology_group import TopologyGroup
from sim.model.pods import HOSTNAME


@dataclass(frozen=True, slots=True)
class ClaimTemplate:
    """What claims of a pool start from; ``options`` is empty where no type does, and ``refused`` says why."""

    pool: NodePool
    options: tuple[InstanceOption, ...]
    requirements: LabelRequirements
    overheads: Mapping[str, Amounts]
    refused: Refused | None = None
    min_values_relaxed: bool = False


@dataclass(frozen=True, slots=True)
class NewClaim:
    """One claim of this pass; ``requests`` are without DaemonSets until it is ``finished``."""

    template: ClaimTemplate
    hostname: str
    requirements: LabelRequirements
    options: tuple[InstanceOption, ...]
    requests: Amounts = ZERO
    pods: tuple[PodSpec, ...] = ()
    reserved: tuple[Offering, ...] = ()
    host_ports: frozenset[int] = field(default_factory=frozenset)
    min_values_relaxed: bool = False

    @property
    def pool(self) -> NodePool:
        """Return the pool it is of."""
        return self.template.pool


def template_of(
    pool: NodePool, options: Sequence[InstanceOption], daemons: Sequence[PodSpec], relaxes_min_values: bool
) -> ClaimTemplate:
    """Return what claims of a pool start from."""
    found = filtered(pool.name, options, pool.requirements, ZERO, {}, relaxes_min_values)
    taken = overheads(pool, options, daemons)
    if isinstance(found, Refused):
        return ClaimTemplate(pool, (), pool.requirements, taken, found)
    return ClaimTemplate(
        pool, found.options, found.requirements, taken, min_values_relaxed=found.min_values_relaxed
    )


def opened(template: ClaimTemplate, options: tuple[InstanceOption, ...], number: int) -> NewClaim:
    """Return a claim without pods, on a host of its own."""
    hostname = f"hostname-placeholder-{number:04}"
    own = {HOSTNAME: LabelRequirement(frozenset((hostname,)))}
    requirements = {**template.requirements, **own}
    return NewClaim(template, hostname, requirements, options, min_values_relaxed=template.min_values_relaxed)


def with_pod(
    claim: NewClaim,
    pod: PodSpec,
    topology: Topology,
    reservations: Reservations,
    relaxes_min_values: bool = False,
) -> NewClaim | Refused:
    """Return a claim with a pod more in it, or why it does not take it."""
    left = _requirements(claim, pod, topology)
    if isinstance(left, Refused):
        return left
    requests = claim.requests.plus(pod.requests)
    found = filtered(
        claim.pool.name, claim.options, left, requests, claim.template.overheads, relaxes_min_values
    )
    if isinstance(found, Refused):
        return found
    reserved = reservations.usable(found.options, found.requirements, claim.reserved)
    if reserved is None:
        return Refused(claim.pool.name, ClaimRefusal.RESERVED_DEFERRED)
    return _grown(claim, pod, found, requests, reserved)


def _grown(
    claim: NewClaim, pod: PodSpec, found: Filtered, requests: Amounts, reserved: tuple[Offering, ...]
) -> NewClaim:
    return replace(
        claim,
        requirements=found.requirements,
        options=found.options,
        requests=requests,
        pods=(*claim.pods, pod),
        reserved=reserved,
        host_ports=claim.host_ports | pod.host_ports,
        min_values_relaxed=claim.min_values_relaxed or found.min_values_relaxed,
    )


def _requirements(claim: NewClaim, pod: PodSpec, topology: Topology) -> LabelRequirements | Refused:
    """Return a claim's requirements with a pod's and its topology's, or why they do not meet."""
    pool = claim.pool
    if taint := not_tolerated(pool.taints, pod):
        return Refused(pool.name, ClaimRefusal.TAINTS, taint.key)
    if not pod.host_ports.isdisjoint(claim.host_ports):
        return Refused(pool.name, ClaimRefusal.HOST_PORTS)
    own = pod_requirements(pod)
    if key := incompatible(claim.requirements, own):
        return Refused(pool.name, ClaimRefusal.REQUIREMENTS, key)
    asked = added(claim.requirements, own)
    left = topology.requirements(pod, asked, WELL_KNOWN)
    if isinstance(left, TopologyGroup):
        return Refused(pool.name, ClaimRefusal.TOPOLOGY, left.identity.key)
    if key := incompatible(asked, left):
        return Refused(pool.name, ClaimRefusal.TOPOLOGY, key)
    return left


def finished(claim: NewClaim) -> NewClaim:
    """Return a claim as it is created: types by price and cut, DaemonSets in its requests, no placeholder.

    One that holds reservations is of capacity type reserved. Without types left, ``minValues`` fails.
    """
    requirements = {key: one for key, one in claim.requirements.items() if key != HOSTNAME}
    if claim.reserved:
        held = frozenset(one.reservation for one in claim.reserved if one.reservation is not None)
        requirements[CAPACITY_TYPE] = LabelRequirement(frozenset((RESERVED,)))
        requirements[RESERVATION_ID] = LabelRequirement(held)
    return replace(
        claim,
        requirements=with_offered_capacity_types(requirements, claim.options),
        options=truncated(claim.options, requirements),
        requests=claim.requests.plus(_smallest_overhead(claim)),
    )


def _smallest_overhead(claim: NewClaim) -> Amounts:
    """Return what DaemonSets take at least of the types that get any; the others are in no group upstream."""
    taken = [claim.template.overheads[option.name] for option in claim.options]
    return min((one for one in taken if one.pods), default=ZERO)


def with_offered_capacity_types(
    requirements: LabelRequirements, options: Sequence[InstanceOption]
) -> LabelRequirements:
    """Return requirements with only the capacity types that the types are offered in."""
    asked = requirements.get(CAPACITY_TYPE)
    if asked is None:
        return requirements
    offered = frozenset(one.capacity_type for option in options for one in option.open_to(requirements))
    return {**requirements, CAPACITY_TYPE: asked.intersection(LabelRequirement(offered))}
