"""Preemption as it happens: who makes way, and for whom room is kept.

A pod that preempted keeps its node as nominated until it is placed or the node is gone. Its requests
count there for all pods that are not more important.

Source: Kubernetes v1.31.13 pkg/scheduler/framework/preemption/preemption.go (prepareCandidate,
DryRunPreemption), plugins/defaultpreemption/default_preemption.go (PodEligibleToPreemptOthers),
framework/runtime/framework.go (RunFilterPluginsWithNominatedPods).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sim.decisions.kubernetes.preemption import (
    Amounts,
    Placed,
    Victims,
    candidates_to_find,
    choose_node,
    fits,
    select_victims,
)
from sim.engine.clock import Phase
from sim.engine.entities import PodState
from sim.engine.kubernetes.bounds import Bound, bounds_of
from sim.model.log import PodEnd
from sim.model.units import SECOND

if TYPE_CHECKING:
    from sim.engine.clock import Call, Clock
    from sim.engine.entities import ClassState, Node, Pod
    from sim.engine.kubernetes.class_view import ClassView
    from sim.engine.kubernetes.domains import Domains
    from sim.engine.state import ClusterState
    from sim.engine.streams import Streams

Candidate = tuple["Node", Victims]


class Preemptor:
    """Finds victims, takes them away, and keeps the nominations.

    ``given_up`` is called with a pod whose room is kept no longer although it still waits.
    """

    def __init__(
        self,
        clock: Clock,
        state: ClusterState,
        streams: Streams,
        domains: Domains,
        given_up: Callable[[Pod], None],
    ) -> None:
        """Start without nominations."""
        self.clock = clock
        self.state = state
        self.streams = streams
        self.domains = domains
        self.given_up = given_up
        self.nominated: dict[Node, list[Pod]] = {}
        self._leaving: set[Pod] = set()  # victims in their grace

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

    def has_nominated_room(self, pod: Pod) -> bool:
        """Say whether a pod has a nominated node, and nobody's kept room there keeps it out."""
        return pod.nominated is not None and self._fits_beside(pod, pod.nominated)

    def _fits_beside(self, pod: Pod, node: Node) -> bool:
        kept = self._kept(pod, node)
        return fits(_requests(pod.cls), _room(node, kept)) and not any(_apart(pod, other) for other in kept)

    def _kept(self, pod: Pod, node: Node) -> list[Pod]:
        priority = pod.cls.spec.priority
        others = self.nominated.get(node, [])
        return [other for other in others if other is not pod and other.cls.spec.priority >= priority]

    # -- preemption -------------------------------------------------------------------------

    def is_eligible(self, pod: Pod) -> bool:
        """Say whether a pod may preempt: not while its victims still leave, nor if its policy is Never."""
        node = pod.nominated
        if not pod.cls.spec.preempts:
            return False
        if node is None or not _may_help(pod.cls, node):
            return True
        return not any(other in self._leaving for other in _less_important(pod, node))

    def preempt(self, pod: Pod, view: ClassView) -> bool:
        """Have less important pods make way; return whether the last of them was gone at once."""
        if not self.is_eligible(pod):
            return False
        candidates = self.candidates(pod, view)
        if not candidates:
            if pod.nominated is not None:
                self._give_up(pod)
            return False
        node, victims = candidates[choose_node([victims for _, victims in candidates])]
        for other in list(self.nominated.get(node, [])):
            if other.cls.spec.priority < pod.cls.spec.priority:
                self._give_up(other)
        if pod.nominated is not node:
            if pod.nominated is not None:
                self._give_up(pod)
            self.nominate(pod, node)
        by_id = {other.id: other for other in node.pods}
        for victim in victims.pods:
            self.take_away(by_id[victim.pod_id])
        return by_id[victims.pods[-1].pod_id].state is PodState.ENDED

    def _give_up(self, pod: Pod) -> None:
        self.release(pod)
        self.given_up(pod)

    def candidates(self, pod: Pod, view: ClassView) -> list[Candidate]:
        """Return the nodes where others could make way, in node order, and who would."""
        nodes = [node for node in self.state.nodes if _may_help(pod.cls, node)]
        wanted = candidates_to_find(len(nodes))
        offset = self.first(pod, len(nodes)) if wanted < len(nodes) else 0
        bounds = bounds_of(view, self.domains)
        found: list[Candidate] = []
        harmless = False
        for node in nodes[offset:] + nodes[:offset]:
            victims = self._victims(pod, node, bounds)
            if victims is not None:
                found.append((node, victims))
                harmless = harmless or not victims.violations
                if harmless and len(found) >= wanted:
                    break
        found.sort(key=lambda candidate: candidate[0].position)
        return found

    def first(self, pod: Pod, nodes: int) -> int:
        """Draw the node at which the search for candidates begins, where it ends before the last."""
        return int(self.streams.at("scheduler-preemption", pod.id).integers(nodes))

    def _victims(self, pod: Pod, node: Node, bounds: list[Bound]) -> Victims | None:
        lower = _less_important(pod, node)
        if not lower:
            return None
        room = _room(node, self._kept(pod, node)) + tuple(bound.room(node) for bound in bounds)
        request = _requests(pod.cls) + tuple(bound.asked for bound in bounds)
        return select_victims(room, request, [_placed(other, bounds) for other in lower])

    def take_away(self, victim: Pod) -> None:
        """Have a victim make way, after its grace; one that goes anyway is left alone."""
        if victim.state is PodState.TERMINATING:
            return
        self.state.evict(victim, PodEnd.PREEMPTED)
        if victim.terminating:
            self._leaving.add(victim)
            gone_us = self.clock.now_us + victim.cls.spec.grace_us
            victim.call = self.clock.at(gone_us, Phase.PODS_ENDED, self._gone, victim)

    def gone(self, pod: Pod) -> None:
        """Learn that a pod has left its node."""
        self._leaving.discard(pod)

    def _gone(self, call: Call[Pod]) -> None:
        victim = call.argument
        victim.call = None
        self.state.end(victim, PodEnd.PREEMPTED)


def _may_help(cls: ClassState, node: Node) -> bool:
    return cls.allowed[node.shape] and (node.open or (node.cordoned and cls.tolerates_cordon))


def _apart(pod: Pod, other: Pod) -> bool:
    """Say whether anti-affinity of either keeps two pods off one host."""
    mine, others = pod.cls.spec, other.cls.spec
    alike = mine.owner == others.owner and mine.namespace == others.namespace
    return alike and (mine.anti_affinity or others.anti_affinity)


def _less_important(pod: Pod, node: Node) -> list[Pod]:
    priority = pod.cls.spec.priority
    return [other for other in node.pods if other.cls.spec.priority < priority]


def _placed(pod: Pod, bounds: list[Bound]) -> Placed:
    spec = pod.cls.spec
    budget = f"{spec.namespace}/{spec.owner}"
    requests = _requests(pod.cls) + tuple(bound.counts(pod) for bound in bounds)
    return Placed(pod.id, spec.priority, pod.bound_us // SECOND, requests, budget, spec.disruptions_allowed)


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
