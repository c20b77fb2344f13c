"""Existing nodes as destinations: initialised ones first, then by name; the first that fits takes the pod.

Labels that a node does not have are not open here.

Source: sigs.k8s.io/karpenter v1.14.1 pkg/controllers/provisioning/scheduling/existingnode.go, scheduler.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from sim.decisions.karpenter.amounts import Amounts
from sim.decisions.karpenter.daemon_sets import still_to_come
from sim.decisions.karpenter.pod_specs import PodSpec, not_tolerated, pod_requirements
from sim.decisions.karpenter.requirements import LabelRequirements, added, incompatible, of_labels
from sim.decisions.karpenter.state_nodes import StateNode
from sim.decisions.karpenter.topology import Topology
from sim.decisions.karpenter.topology_group import TopologyGroup
from sim.model.pods import HOSTNAME, Taint

CLOSED: frozenset[str] = frozenset()
"""No label may be left open on a node that exists."""


@dataclass(frozen=True, slots=True)
class ExistingNode:
    """A destination within one pass: what is left of it, and the pods of this pass on it."""

    node: StateNode
    room: Amounts
    taints: tuple[Taint, ...]
    requirements: LabelRequirements
    host_ports: frozenset[int]
    pods: tuple[PodSpec, ...] = ()


def destinations(nodes: Iterable[StateNode], daemons: Sequence[PodSpec]) -> list[ExistingNode]:
    """Return nodes in the order in which pods try them."""
    in_order = sorted(nodes, key=lambda node: (not node.initialized, node.name))
    return [_destination(node, daemons) for node in in_order]


def _destination(node: StateNode, daemons: Sequence[PodSpec]) -> ExistingNode:
    room = node.available().minus(still_to_come(node, daemons))
    requirements = of_labels({**node.labels, HOSTNAME: node.hostname})
    ports = frozenset(port for pod in node.pods for port in pod.host_ports)
    return ExistingNode(node, room, node.lasting_taints(), requirements, ports)


def with_pod(existing: ExistingNode, pod: PodSpec, topology: Topology) -> ExistingNode | None:
    """Return a node with a pod more on it, None if it does not fit."""
    if not pod.requests.fits(existing.room) or not pod.host_ports.isdisjoint(existing.host_ports):
        return None
    own = pod_requirements(pod)
    if not_tolerated(existing.taints, pod) or incompatible(existing.requirements, own, CLOSED):
        return None
    left = topology.requirements(pod, added(existing.requirements, own), CLOSED)
    if isinstance(left, TopologyGroup) or incompatible(existing.requirements, left, CLOSED):
        return None
    return replace(
        existing,
        room=existing.room.minus(pod.requests),
        requirements=left,
        host_ports=existing.host_ports | pod.host_ports,
        pods=(*existing.pods, pod),
    )
