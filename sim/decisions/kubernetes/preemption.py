"""Preemption: which pods make way on a node, and on which node.

All pods of lower priority are taken off in thought; if the pod then fits, they are put back one by
one, most important first, those whose disruption budget would be broken before the others, and who
no longer fits is a victim. The node is the one with the fewest broken budgets, then the lowest
highest priority among its victims, the lowest sum of priorities, the fewest victims, the latest
start of its most important victims; then the first.

Source: Kubernetes v1.31.13 pkg/scheduler/framework/plugins/defaultpreemption/default_preemption.go
(SelectVictimsOnNode, filterPodsWithPDBViolation), framework/preemption/preemption.go
(pickOneNodeForPreemption); cluster-autoscaler.md §5.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

Amounts = tuple[float, ...]
"""Room or requests: the resources, then a pod's place, then what else is to be counted, such as skew."""

RESOURCES = 4  # as many amounts as count only for pods that ask for any: cpu, memory, ephemeral storage, GPUs

PRIORITY_OFFSET = 2**31  # makes every priority count in a sum, as upstream does

FEWEST_CANDIDATES = 100
CANDIDATE_PERCENTAGE = 10


@dataclass(frozen=True, slots=True)
class Placed:
    """A pod on a node that may have to make way.

    ``budget`` names its disruption budget and ``disruptions_allowed`` says how many pods under it
    may go; None means that it has none. Starts are whole seconds, as in a pod's status. ``pod_id`` is
    for whoever asks.
    """

    pod_id: int
    priority: int
    start_s: int
    requests: Amounts
    budget: str = ""
    disruptions_allowed: int | None = None


@dataclass(frozen=True, slots=True)
class Victims:
    """Pods that would make way on one node, and how many of them break a disruption budget."""

    pods: tuple[Placed, ...]
    violations: int


def candidates_to_find(nodes: int) -> int:
    """Return how many candidate nodes are enough: a tenth of those that may help, at least 100."""
    return min(nodes, max(nodes * CANDIDATE_PERCENTAGE // 100, FEWEST_CANDIDATES))


def select_victims(room: Amounts, request: Amounts, lower: Sequence[Placed]) -> Victims | None:
    """Return who makes way for ``request`` on a node with ``room`` left, or None if that does not help.

    ``lower`` are the pods there of lower priority than the one that asks.
    """
    free: Amounts = tuple(map(sum, zip(room, *(pod.requests for pod in lower), strict=True)))
    if not lower or not fits(request, free):
        return None
    breaking, others = split_by_budget(sorted(lower, key=_importance))
    victims = []
    violations = 0
    for pod in breaking + others:
        left = tuple(a - b for a, b in zip(free, pod.requests, strict=True))
        if fits(request, left):
            free = left
        else:
            victims.append(pod)
            violations += pod in breaking
    return Victims(tuple(sorted(victims, key=_importance)), violations)


def split_by_budget(pods: Sequence[Placed]) -> tuple[list[Placed], list[Placed]]:
    """Return the pods whose removal breaks their disruption budget, and the others, in order."""
    left: dict[str, int] = {}
    breaking: list[Placed] = []
    others: list[Placed] = []
    for pod in pods:
        if pod.disruptions_allowed is None:
            others.append(pod)
            continue
        left[pod.budget] = left.get(pod.budget, pod.disruptions_allowed) - 1
        (breaking if left[pod.budget] < 0 else others).append(pod)
    return breaking, others


def choose_node(candidates: Sequence[Victims]) -> int:
    """Return the index of the candidate that does the least harm."""
    return min(range(len(candidates)), key=lambda index: _harm(candidates[index]))


def _harm(victims: Victims) -> tuple[int, int, int, int, int]:
    highest = victims.pods[0].priority
    return (
        victims.violations,
        highest,
        sum(pod.priority + PRIORITY_OFFSET for pod in victims.pods),
        len(victims.pods),
        -min(pod.start_s for pod in victims.pods if pod.priority == highest),
    )


def _importance(pod: Placed) -> tuple[int, int]:
    """Order pods by priority, high first, then by start, early first."""
    return -pod.priority, pod.start_s


def fits(request: Amounts, room: Amounts) -> bool:
    """Say whether there is room; what is overdrawn refuses only who asks for it (noderesources/fit.go)."""
    return all(
        asked <= free or (not asked and index < RESOURCES)
        for index, (asked, free) in enumerate(zip(request, room, strict=True))
    )
