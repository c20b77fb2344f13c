"""Scale-up: which group grows, by how many nodes, for the pods that fit nowhere.

One option is taken per look: each group that may grow is estimated for the pods that fit one of
its nodes; expanders choose; cluster limits cap; similar groups share.

Source: Cluster Autoscaler 1.31.5, core/scaleup/orchestrator/orchestrator.go (ScaleUp,
ScaleUpToNodeGroupMinSize); cluster-autoscaler.md §3.1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sim.decisions.cluster_autoscaler.balancing import GroupSize, Increase, balance_scale_up
from sim.decisions.cluster_autoscaler.estimator import estimate, node_limit
from sim.decisions.cluster_autoscaler.expander import Option, best_option
from sim.decisions.cluster_autoscaler.limits import CoresAndMemory, apply_limits, left_to_add
from sim.decisions.cluster_autoscaler.similar_groups import is_similar
from sim.decisions.cluster_autoscaler.snapshot import Pointer
from sim.decisions.cluster_autoscaler.template import NodeTemplate
from sim.model.log import Reason

if TYPE_CHECKING:
    from sim.decisions.cluster_autoscaler.chance import Chance
    from sim.decisions.cluster_autoscaler.equivalence import PodGroup
    from sim.model.autoscaler import AutoscalerOptions


@dataclass(frozen=True, slots=True)
class ScaleUpView:
    """What a scale-up looks at; lists are indexed by node group.

    ``node_count`` is of ready and upcoming nodes, ``listed_nodes`` of all in the snapshot.
    ``refusal`` says why a group may not grow now.
    """

    sizes: Sequence[GroupSize]
    templates: Sequence[NodeTemplate]
    refusal: Callable[[int], Reason]
    node_count: int
    listed_nodes: int
    pointer: Pointer


@dataclass(frozen=True, slots=True)
class ScaleUpDecision:
    """Increases in the order in which they are asked for, what was chosen from, and refusals."""

    increases: tuple[Increase, ...] = ()
    options: tuple[Option, ...] = ()
    tied: tuple[Option, ...] = ()
    refusals: dict[int, Reason] = field(default_factory=dict)


def decide_scale_up(
    pods: Sequence[PodGroup],
    view: ScaleUpView,
    options: AutoscalerOptions,
    chance: Chance | None = None,
) -> ScaleUpDecision:
    """Decide on the pods that are left after packing what is there and what is coming."""
    refusals = valid_groups(view, options)
    valid = [group for group, reason in refusals.items() if reason is Reason.NoReason]
    schedulable = {group: [pod for pod in pods if view.templates[group].takes(pod.cls)] for group in valid}
    choices = []
    for group in valid:
        option = _compute_option(group, schedulable, view, options, chance)
        if option is None:
            refusals[group] = Reason.NoPodsFit
        else:
            choices.append(option)
    if not choices:
        return ScaleUpDecision(refusals=refusals)
    best, tied = best_option(choices, options.expander, options.expander_priorities, chance)
    nodes = best.nodes
    if options.max_nodes_total > 0:
        nodes = min(nodes, options.max_nodes_total - view.node_count)
    nodes = apply_limits(nodes, _resources_left(view, options), best.template.capacity)
    similar = best.similar if chance is None else chance.shuffled(best.similar)
    increases = balance_scale_up((best.group, *similar), view.sizes, nodes) if nodes > 0 else []
    return ScaleUpDecision(tuple(increases), tuple(choices), tied, refusals)


def valid_groups(view: ScaleUpView, options: AutoscalerOptions) -> dict[int, Reason]:
    """Return for each group why it may not grow by one node, or NoReason."""
    left = _resources_left(view, options)
    reasons = {}
    for group, size in enumerate(view.sizes):
        reason = view.refusal(group)
        if reason is Reason.NoReason and size.target >= size.max_size:
            reason = Reason.MaxLimitReachedReason
        if reason is Reason.NoReason and not left.allows(view.templates[group].capacity):
            reason = Reason.MaxResourceLimitReached
        reasons[group] = reason
    return reasons


def _compute_option(
    group: int,
    schedulable: dict[int, list[PodGroup]],
    view: ScaleUpView,
    options: AutoscalerOptions,
    chance: Chance | None,
) -> Option | None:
    pods = schedulable[group]
    if not pods:
        return None
    similar = _similar_groups(group, schedulable, view, options)
    limit = node_limit(
        options.max_nodes_per_scaleup,
        [view.sizes[g].max_size - view.sizes[g].target for g in (group, *similar)],
        options.max_nodes_total,
        view.node_count,
    )
    nodes, placed = estimate(
        pods, view.templates[group], view.pointer, chance, limit=limit, known_nodes=view.listed_nodes
    )
    if not nodes:
        return None
    helped = tuple((pod, count) for pod, count in zip(pods, placed, strict=True) if count)
    return Option(view.templates[group], nodes, helped, similar)


def _similar_groups(
    group: int, schedulable: dict[int, list[PodGroup]], view: ScaleUpView, options: AutoscalerOptions
) -> tuple[int, ...]:
    """Return the groups that may grow, are alike, and take every pod group that this one takes."""
    if not options.balance_similar_node_groups:
        return ()
    wanted = {pod.cls.index for pod in schedulable[group]}
    return tuple(
        other
        for other, pods in schedulable.items()
        if other != group
        and wanted <= {pod.cls.index for pod in pods}
        and is_similar(
            view.templates[group],
            view.templates[other],
            options.balancing_ignore_label,
            options.balancing_label,
        )
    )


def enforce_min_sizes(view: ScaleUpView, options: AutoscalerOptions) -> list[Increase]:
    """Return what raises groups below their minimum, within the limits (ScaleUpToNodeGroupMinSize)."""
    left = _resources_left(view, options)
    increases = []
    for group, size in enumerate(view.sizes):
        node = view.templates[group].capacity
        if (
            size.target >= size.min_size
            or view.refusal(group) is not Reason.NoReason
            or not left.allows(node)
        ):
            continue
        delta = apply_limits(size.min_size - size.target, left, node)
        if options.max_nodes_total > 0:
            delta = min(delta, options.max_nodes_total - size.target)
        if delta > 0:
            increases.append(Increase(group, delta))
    return increases


def _resources_left(view: ScaleUpView, options: AutoscalerOptions) -> CoresAndMemory:
    return left_to_add(
        ((s.target, t.capacity) for s, t in zip(view.sizes, view.templates, strict=True)), options
    )
