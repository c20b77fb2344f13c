"""Fit: where a pod can run at all, and why not elsewhere.

A pod that a Fargate profile takes runs there or nowhere; any other needs a node group whose empty node, once
its DaemonSets are on it, passes the filters. What fits nowhere would stay Pending for ever: an input error
for pipelines, a warning for the rest.

Sources: aws.md §2 and §3; cluster-autoscaler.md §5 (filters).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sim.decisions.aws.fargate import fargate_size
from sim.decisions.aws.fargate_admission import FargateCandidate, profile_of, refusals
from sim.decisions.kubernetes.empty_node import empty_node_of
from sim.model.cluster import Cluster, FargateProfile, NodeGroup, NodeShape
from sim.model.machines import FargateSize
from sim.model.pods import Effect, PodClass
from sim.model.resources import Resources

UNITS = {"cpu": "m", "memory": "Mi", "ephemeral storage": "Mi", "gpu": "", "max pods": ""}
SAID = {"gpu": "GPUs", "max pods": "pods"}


def profile_for(pods: PodClass, cluster: Cluster) -> FargateProfile | None:
    """Return the Fargate profile that takes these pods."""
    return profile_of(pods.namespace, dict(pods.labels), cluster.fargate_profiles)


def size_for(pods: PodClass, cluster: Cluster) -> FargateSize | None:
    """Return the size these pods get on Fargate, None where they do not run there."""
    if profile_for(pods, cluster) is None:
        return None
    return fargate_size(pods.requests, cluster.fargate_sizes)


def obstacles(pods: PodClass, cluster: Cluster) -> list[str]:
    """Return why pods of a class can run nowhere, a reason for each place; none when they can run."""
    profile = profile_for(pods, cluster)
    if profile is not None:
        refused = refusals(FargateCandidate(pods.requests), cluster.fargate_sizes)
        return [f"Fargate profile {profile.name} takes it, but {reason.value}" for reason in refused]
    reasons = [_first_obstacle(pods, _at_best(group), cluster) for group in cluster.node_groups]
    if any(reason is None for reason in reasons):
        return []
    groups = zip(cluster.node_groups, reasons, strict=True)
    told = [f"group {group.name}: {reason}" for group, reason in groups]
    return told + list(_unmatched(pods, cluster)) or ["the cluster has no node group and no Fargate profile"]


def never_woken(pods: PodClass, cluster: Cluster) -> list[tuple[NodeGroup, str]]:
    """Return the empty groups that could hold these pods, but not by what the autoscaler believes of them."""
    return [
        (group, reason)
        for group in cluster.node_groups
        if group.initial == 0 and _first_obstacle(pods, group, cluster) is None
        if (reason := _first_obstacle(pods, _believed(group), cluster)) is not None
    ]


def bought_in_vain(pods: PodClass, cluster: Cluster) -> list[tuple[NodeGroup, str]]:
    """Return the empty groups that the autoscaler wakes for these pods, whose nodes do not let them in."""
    return [
        (group, reason)
        for group in cluster.node_groups
        if group.initial == 0
        and group.template_shape is not None
        and _first_obstacle(pods, _believed(group), cluster) is None
        if (reason := _first_obstacle(pods, group, cluster)) is not None
    ]


def _at_best(group: NodeGroup) -> NodeGroup:
    """Return the group with the type by which it is planned besides those that AWS is taken to deliver."""
    planned = group.template_shape
    if planned is None or planned.instance_type in {shape.instance_type for shape in group.shapes}:
        return group
    return replace(group, shapes=(*group.shapes, replace(planned, taints=group.taints)))


def _believed(group: NodeGroup) -> NodeGroup:
    """Return the group as a scale-up from zero plans with it (cluster-autoscaler.md §3.5)."""
    shape = group.template_shape or group.shape
    if group.template is not None:
        pods = group.template_pods or group.max_pods
        shape = replace(shape, allocatable=group.template, max_pods=pods, instance_type="")
    return replace(group, shapes=(shape,))


def _first_obstacle(pods: PodClass, group: NodeGroup, cluster: Cluster) -> str | None:
    """Return why pods fit on no node of a group, None where they fit on one of some shape."""
    reasons = [_obstacle(pods, group, shape, cluster) for shape in group.shapes]
    return None if None in reasons else reasons[0]


def _obstacle(pods: PodClass, group: NodeGroup, shape: NodeShape, cluster: Cluster) -> str | None:
    labels = shape.node_labels()
    for key, value in pods.node_selector:
        if labels.get(key) != value:
            return f"no label {key}={value}"
    for taint in shape.taints:
        if taint.effect is not Effect.PREFER_NO_SCHEDULE and not pods.tolerates(taint):
            return f"taint {taint.key}={taint.value}:{taint.effect.value}"
    if group.max_size == 0:
        return "maxSize is 0"
    return _too_large(pods.requests, shape, cluster)


def _too_large(asked: Resources, shape: NodeShape, cluster: Cluster) -> str | None:
    """Return what of an empty node is too little."""
    for name, left, wants in empty_node_of(shape, cluster).amounts(asked):
        if wants > left:
            unit, kind = UNITS[name], shape.instance_type or "node"
            return f"asks {wants}{unit} {SAID.get(name, name)}, an empty {kind} has {left}{unit}"
    return None


def _unmatched(pods: PodClass, cluster: Cluster) -> Iterator[str]:
    for profile in cluster.fargate_profiles:
        yield f"Fargate profile {profile.name}: no selector matches namespace {pods.namespace} and its labels"
