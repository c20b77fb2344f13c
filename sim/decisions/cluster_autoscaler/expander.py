"""Expanders: which of the options to scale up is taken.

A chain of filters; it stops as soon as one option is left, and what several filters leave is
settled by chance (pinned: the first). No expander on AWS knows prices: cost ordering is what the
``priority`` expander is told.

Source: Cluster Autoscaler 1.31.5, expander/factory/chain.go, expander/waste/waste.go,
expander/mostpods/mostpods.go, expander/leastnodes/leastnodes.go, expander/priority/priority.go,
expander/random/random.go.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sim.decisions.cluster_autoscaler.equivalence import PodGroup
from sim.decisions.cluster_autoscaler.template import NodeTemplate

if TYPE_CHECKING:
    from sim.decisions.cluster_autoscaler.chance import Chance
    from sim.model.cluster import NodeGroup


Priorities = Sequence[tuple[int, Sequence[str]]]


@dataclass(frozen=True, slots=True)
class Option:
    """Add ``nodes`` nodes to a group, for so many pods of each pod group."""

    template: NodeTemplate
    nodes: int
    helped: tuple[tuple[PodGroup, int], ...]
    similar: tuple[int, ...] = ()

    @property
    def group(self) -> int:
        """The node group."""
        return self.template.group

    @property
    def pods(self) -> int:
        """How many pods it helps."""
        return sum(count for _, count in self.helped)


def best_option(
    options: Sequence[Option],
    expanders: Sequence[str],
    priorities: Priorities = (),
    chance: Chance | None = None,
) -> tuple[Option, tuple[Option, ...]]:
    """Return the option taken, and those among which chance decided (none if it did not)."""
    left = list(options)
    for name in expanders:
        if name == "random":
            break
        left = priority(left, priorities) if name == "priority" else FILTERS[name](left)
        if len(left) == 1:
            return left[0], ()
    if len(left) == 1:
        return left[0], ()
    chosen = left[0] if chance is None else chance.choice(left)
    return chosen, tuple(left)


def least_waste(options: Sequence[Option]) -> list[Option]:
    """Keep the smallest wasted share of cpu plus that of memory, of node capacity; equal ones all."""
    scored = [(wasted_score(option), option) for option in options]
    least = min(score for score, _ in scored)
    return [option for score, option in scored if score == least]


def wasted_score(option: Option) -> float:
    """Return (C·n − Σcpu)/(C·n) + (M·n − Σmemory)/(M·n)."""
    cpu_m = option.template.capacity.cpu_m * option.nodes
    memory_mib = option.template.capacity.memory_mib * option.nodes
    asked_cpu_m = sum(group.cls.spec.container_requests.cpu_m * count for group, count in option.helped)
    asked_mib = sum(group.cls.spec.container_requests.memory_mib * count for group, count in option.helped)
    return (cpu_m - asked_cpu_m) / cpu_m + (memory_mib - asked_mib) / memory_mib


def most_pods(options: Sequence[Option]) -> list[Option]:
    """Keep those that help most pods."""
    most = max(option.pods for option in options)
    return [option for option in options if option.pods == most]


def least_nodes(options: Sequence[Option]) -> list[Option]:
    """Keep those with fewest nodes."""
    least = min(option.nodes for option in options)
    return [option for option in options if option.nodes == least]


def priority(options: Sequence[Option], priorities: Priorities) -> list[Option]:
    """Keep the groups of the highest priority that matches any; all, if none is matched.

    Expressions match any part of the Auto Scaling group's name. A group counts once per priority, even
    if several match.
    """
    ranked = [
        (level, option)
        for option in options
        for level, expressions in priorities
        if matches(option.template.spec, expressions)
    ]
    if not ranked:
        return list(options)
    highest = max(level for level, _ in ranked)
    return [option for level, option in ranked if level == highest]


def matches(group: NodeGroup, expressions: Iterable[str]) -> bool:
    """Say whether any expression matches what the autoscaler knows a group as (AwsNodeGroup.Id)."""
    name = group.asg_name or group.name
    return any(re.search(expression, name) for expression in expressions)


FILTERS: dict[str, Callable[[Sequence[Option]], list[Option]]] = {
    "least-waste": least_waste,
    "most-pods": most_pods,
    "least-nodes": least_nodes,
}
