"""DaemonSets: what they will take of a node that does not exist yet, and of one where they are still to come.

A DaemonSet counts for a type when its pod tolerates the pool's taints, PreferNoSchedule always, and both the
pool's requirements and the type's agree with it. Since 1.14 the sum differs from type to type.

Source: sigs.k8s.io/karpenter v1.14.1 pkg/controllers/provisioning/scheduling/scheduler.go (getDaemonOverhead,
isDaemonPodCompatible).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sim.decisions.karpenter.amounts import Amounts, total
from sim.decisions.karpenter.instance_options import InstanceOption
from sim.decisions.karpenter.labels import INITIALIZED, REGISTERED
from sim.decisions.karpenter.node_pools import NodePool
from sim.decisions.karpenter.pod_specs import PodSpec, not_tolerated, strict_requirements
from sim.decisions.karpenter.preferences import SOFT
from sim.decisions.karpenter.requirements import added, conflict, incompatible, of_labels
from sim.decisions.karpenter.state_nodes import StateNode

ASSUMED = of_labels({REGISTERED: "true", INITIALIZED: "true"})


def overheads(
    pool: NodePool, options: Sequence[InstanceOption], daemons: Sequence[PodSpec]
) -> dict[str, Amounts]:
    """Return what DaemonSets take of each type of a pool, by its name."""
    template = added(pool.requirements, ASSUMED)
    coming = []
    for daemon in daemons:
        own = strict_requirements(daemon)
        tolerant = replace(daemon, tolerations=(*daemon.tolerations, SOFT))
        if not_tolerated(pool.taints, tolerant) is None and incompatible(template, own) is None:
            coming.append((daemon.requests, own))
    return {
        option.name: total(requests for requests, own in coming if conflict(option.requirements, own) is None)
        for option in options
    }


def still_to_come(node: StateNode, daemons: Sequence[PodSpec]) -> Amounts:
    """Return what DaemonSets that a node lets in ask for beyond those that run there already."""
    labels = of_labels(node.labels)
    expected = total(
        daemon.requests
        for daemon in daemons
        if not_tolerated(node.lasting_taints(), daemon) is None
        and incompatible(labels, strict_requirements(daemon), frozenset()) is None
    )
    return expected.minus(node.daemon_requests()).at_least_zero()
