"""Which node groups are alike enough to be balanced.

Capacities must be equal, memory within 1.5 %; allocatable and what DaemonSets leave free within
5 %; labels equal except those that name the node, its zone or its group. With
``--balancing-label`` only those labels count.

Source: Cluster Autoscaler 1.31.5, processors/nodegroupset/compare_nodegroups.go,
aws_nodegroups.go, label_nodegroups.go; config/const.go for the ratios.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sim.decisions.cluster_autoscaler.template import NodeTemplate

MAX_CAPACITY_MEMORY_DIFFERENCE_RATIO = 0.015
MAX_ALLOCATABLE_DIFFERENCE_RATIO = 0.05
MAX_FREE_DIFFERENCE_RATIO = 0.05

IGNORED_LABELS = frozenset({
    "kubernetes.io/hostname",
    "failure-domain.beta.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/region",
    "topology.kubernetes.io/zone",
    "topology.kubernetes.io/region",
    "beta.kubernetes.io/fluentd-ds-ready",
    "kops.k8s.io/instancegroup",
    "alpha.eksctl.io/instance-id",
    "alpha.eksctl.io/nodegroup-name",
    "eks.amazonaws.com/nodegroup",
    "k8s.amazonaws.com/eniConfig",
    "lifecycle",
    "topology.ebs.csi.aws.com/zone",
})  # fmt: skip


def is_similar(
    one: NodeTemplate,
    other: NodeTemplate,
    balancing_ignore_label: tuple[str, ...] = (),
    balancing_label: tuple[str, ...] = (),
) -> bool:
    """Say whether two groups may share a scale-up."""
    labels, other_labels = dict(one.labels), dict(other.labels)
    if balancing_label:
        return all(name in labels and labels[name] == other_labels.get(name) for name in balancing_label)
    ignored = IGNORED_LABELS.union(balancing_ignore_label)
    return (
        one.capacity.cpu_m == other.capacity.cpu_m
        and one.capacity.ephemeral_mib == other.capacity.ephemeral_mib
        and one.capacity.gpu == other.capacity.gpu
        and one.max_pods == other.max_pods
        and _within(one.capacity.memory_mib, other.capacity.memory_mib, MAX_CAPACITY_MEMORY_DIFFERENCE_RATIO)
        and _all_within(_allocatable(one), _allocatable(other), MAX_ALLOCATABLE_DIFFERENCE_RATIO)
        and _all_within(one.room, other.room, MAX_FREE_DIFFERENCE_RATIO)
        and _without(labels, ignored) == _without(other_labels, ignored)
    )


def _allocatable(template: NodeTemplate) -> tuple[int, ...]:
    amounts = template.allocatable
    return (amounts.cpu_m, amounts.memory_mib, amounts.ephemeral_mib, amounts.gpu)


def _all_within(one: tuple[int, ...], other: tuple[int, ...], ratio: float) -> bool:
    return all(_within(a, b, ratio) for a, b in zip(one, other, strict=True))


def _within(one: int, other: int, ratio: float) -> bool:
    larger, smaller = float(max(one, other)), float(min(one, other))
    return larger - smaller <= larger * ratio


def _without(labels: dict[str, str], ignored: frozenset[str]) -> dict[str, str]:
    return {name: value for name, value in labels.items() if name not in ignored}
