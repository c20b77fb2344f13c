"""Splitting a scale-up over similar groups: each node goes to the smallest group that has room.

Source: Cluster Autoscaler 1.31.5, processors/nodegroupset/balancing_processor.go
(BalanceScaleUpBetweenGroups).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GroupSize:
    """Bounds and target of a group, as the cloud provider states them."""

    min_size: int
    max_size: int
    target: int


@dataclass(frozen=True, slots=True)
class Increase:
    """How many nodes a group is to grow by."""

    group: int
    delta: int


def balance_scale_up(groups: Sequence[int], sizes: Sequence[GroupSize], new_nodes: int) -> list[Increase]:
    """Return the increases, in the order in which upstream asks for them.

    ``groups`` are those to share, the chosen one first; ``sizes`` is indexed by group.
    """
    sharing = sorted(
        (g for g in groups if sizes[g].target != sizes[g].max_size), key=lambda g: sizes[g].target
    )
    room = sum(max(sizes[g].max_size - sizes[g].target, 0) for g in sharing)
    size = {g: sizes[g].target for g in sharing}
    start = current = 0
    for _ in range(min(new_nodes, room)):
        while size[sharing[current]] >= sizes[sharing[current]].max_size:
            # a full group moves to the front, out of the round
            sharing[start], sharing[current] = sharing[current], sharing[start]
            start += 1
            current = _next(sharing, size, start, current)
        size[sharing[current]] += 1
        current = _next(sharing, size, start, current)
    return [Increase(g, size[g] - sizes[g].target) for g in sharing if size[g] != sizes[g].target]


def _next(sharing: list[int], size: dict[int, int], start: int, current: int) -> int:
    """Go to the next group if it is smaller by the node just added, else back to the first."""
    if current < len(sharing) - 1 and size[sharing[current]] > size[sharing[current + 1]]:
        return current + 1
    return start
