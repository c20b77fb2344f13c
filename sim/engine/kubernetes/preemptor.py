"""Preemption as it happens: who makes way, and for whom room is kept.

A pod that preempted keeps its node as nominated until it is placed or the node is gone. Its requests
count there for all pods that are not more important.

Source: Kubernetes v1.31.13 pkg/scheduler/framework/preemption/preemption.go (prepareCandidate,
PodEligibleToPreemptOthers), framework/runtime/framework.go (RunFilterPluginsWithNominatedPods).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.decisions.kubernetes.preemption import (
    Amounts,
    Placed,
    Victims,
    candidates_to_find,
    choose_node,
    select_victims,
)
from sim.engine.clock import Phase
from sim.engine.entities import PodState
from sim.model.log import PodEnd

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.engine.clock import Call, Clock
    from sim.engine.entities import ClassState, Node, Pod
    from sim.engine.state import ClusterState
    from sim.engine.streams import Streams


class Preemptor:
    """Finds victims, takes them away, and keeps the nominations."""

    def __init__(self, clock: Clock, state: ClusterState, streams: Streams) -> None:
        """Start without nominations."""
        self.clock = clock
        self.state = state
        self.streams = streams
        self.nominated: dict[Node, list[Pod]] = {}

    # -- nominations ------------------------------------------------------------------------

    def nominate(self, pod: Pod, node: Node) -> None:
        """Keep room on a node for a pod."""
        pod.nominated = node
        self.nominated.setdefault(node, []).append(pod)

    def release(self, pod: Pod) -> None:
        """Keep room for a pod no longer: it is placed, deleted, or has no hope there."""
        node = pod.nominated
        if node is not None:
            pod.nominated = None
            self.nominated[node].remove(pod)
            if not self.nominated[node]:
                del self.nominated[node]

    def node_gone(self, node: Node) -> None:
        """Forget what was nominated to a node that is gone."""
        for pod in self.nominated.pop(node, []):
            pod.nominated = None

    def kept_for_others(self, pod: Pod) -> list[Node]:
        """Return the nodes that a pod must leave to nominated ones at least as important."""
        return [node for node in self.nominated if not self._fits_beside(pod, node)]

    def nominated_node_for(self, pod: Pod) -> Node | None:
        """Return the pod's nominated node if it fits there now."""
        node = pod.nominated
        if node is None or not pod.cls.fits(node) or not self._fits_beside(pod, node):
            return None
        return node

    def _fits_beside(self, pod: Pod, node: Node) -> bool:
        room = _room(node, self._kept(pod, node))
        return all(asked <= free for asked, free in zip(_requests(pod.cls), room, strict=True))

    def _kept(self, pod: Pod, node: Node) -> list[Pod]:
        priority = pod.cls.spec.priority
        others = self.nominated.get(node, [])
        return [other for other in others if other is not pod and other.cls.spec.priority >= priority]

    # -- preemption -------------------------------------------------------------------------

    def preempt(self, pod: Pod) -> bool:
        """Have less important pods make way; return whether the pod has a node to wait for."""
        if pod.nominated is not None:
            if any(map(_terminating, _less_important(pod, pod.nominated))):
                return True
            self.release(pod)
        candidates = list(self._candidates(pod))
        if not candidates:
            return False
        node, victims = candidates[choose_node([victims for _, victims in candidates])]
        for other in list(self.nominated.get(node, [])):
            if other.cls.spec.priority < pod.cls.spec.priority:
                self.release(other)
        self.nominate(pod, node)
        by_id = {other.id: other for other in node.pods}
        for victim in victims.pods:
            self._take_away(by_id[victim.pod_id])
        return True

    def _candidates(self, pod: Pod) -> Iterator[tuple[Node, Victims]]:
        nodes = self.state.nodes
        wanted = candidates_to_find(len(nodes))
        offset = 0
        if wanted < len(nodes):
            offset = int(self.streams.at("scheduler-preemption", pod.id).integers(len(nodes)))
        request = _requests(pod.cls)
        for node in nodes[offset:] + nodes[:offset]:
            if not node.open or not pod.cls.allowed[node.shape] or _kept_apart(pod, node):
                continue
            lower = [_placed(other) for other in _less_important(pod, node)]
            victims = select_victims(_room(node, self._kept(pod, node)), request, lower) if lower else None
            if victims is not None:
                yield node, victims
                wanted -= 1
                if wanted == 0:
                    return

    def _take_away(self, victim: Pod) -> None:
        if _terminating(victim):
            return
        self.state.evict(victim, PodEnd.PREEMPTED)
        if _terminating(victim):
            gone_us = self.clock.now_us + victim.cls.spec.grace_us
            victim.call = self.clock.at(gone_us, Phase.PODS_ENDED, self._gone, victim)

    def _gone(self, call: Call[Pod]) -> None:
        victim = call.argument
        victim.call = None
        self.state.end(victim, PodEnd.PREEMPTED)


def _kept_apart(pod: Pod, node: Node) -> bool:
    """Say whether anti-affinity bars a node: pods of one owner have one priority, so none makes way."""
    return pod.cls.anti_affinity and any(other.cls.spec.owner == pod.cls.spec.owner for other in node.pods)


def _terminating(pod: Pod) -> bool:
    return pod.state is PodState.TERMINATING


def _less_important(pod: Pod, node: Node) -> list[Pod]:
    priority = pod.cls.spec.priority
    return [other for other in node.pods if other.cls.spec.priority < priority]


def _placed(pod: Pod) -> Placed:
    spec = pod.cls.spec
    budget = f"{spec.namespace}/{spec.owner}"
    return Placed(pod.id, spec.priority, pod.bound_us, _requests(pod.cls), budget, spec.disruptions_allowed)


def _requests(cls: ClassState) -> Amounts:
    return cls.cpu_m, cls.memory_mib, cls.ephemeral_mib, cls.gpu, 1


def _room(node: Node, kept: list[Pod]) -> Amounts:
    """Return the room on a node that nominated pods leave; it may be negative."""
    return (
        node.free_cpu_m - sum(pod.cls.cpu_m for pod in kept),
        node.free_memory_mib - sum(pod.cls.memory_mib for pod in kept),
        node.free_ephemeral_mib - sum(pod.cls.ephemeral_mib for pod in kept),
        node.free_gpu - sum(pod.cls.gpu for pod in kept),
        node.free_pods - len(kept),
    )
