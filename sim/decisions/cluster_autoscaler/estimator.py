"""How many nodes of a group the pending pods need: first-fit decreasing, as upstream packs.

Groups of like pods go in order of decreasing size. Each pod is first tried on any node added in
this estimate, round-robin; from the first that fits on none, the rest of its group goes to the
newest node only, and then to new nodes, while the limiter permits. Nodes that stay empty are not
counted. Like pods are placed by count: where each would have gone follows from the room of the
nodes and from where the search starts.

Source: Cluster Autoscaler 1.31.5, estimator/binpacking_estimator.go, decreasing_pod_orderer.go,
threshold_based_limiter.go, cluster_capacity_threshold.go, sng_capacity_threshold.go.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from sim.decisions.cluster_autoscaler.snapshot import SLOTS, any_beginning

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sim.decisions.cluster_autoscaler.chance import Chance
    from sim.decisions.cluster_autoscaler.equivalence import PodGroup
    from sim.decisions.cluster_autoscaler.snapshot import Pointer
    from sim.decisions.cluster_autoscaler.snapshot_node import ClassView
    from sim.decisions.cluster_autoscaler.template import NodeTemplate

UNLIMITED = 0
NO_NODES = -1


def estimate(
    groups: Sequence[PodGroup],
    template: NodeTemplate,
    pointer: Pointer,
    chance: Chance | None = None,
    *,
    limit: int = UNLIMITED,
    known_nodes: int = 0,
) -> tuple[int, list[int]]:
    """Return the number of new nodes, and how many pods of each group they take.

    Parameters
    ----------
    groups
        Pods that fit an empty node of the template.
    pointer
        Where the next search starts; is moved.
    chance
        Has each search begin anywhere, and shuffles groups of equal size.
    limit
        Most nodes that may be added; ``UNLIMITED`` or ``NO_NODES`` as well.
    known_nodes
        Nodes before the new ones in the list that searches go round.
    """
    packing = _Packing(template, limit, known_nodes, pointer, chance)
    packing.owners = {group.cls.spec.owner: set() for group in groups if group.cls.anti_affinity}
    placed = [0] * len(groups)
    for index in decreasing_order(groups, template, chance):
        placed[index] = packing.add(groups[index])
    return packing.nodes_with_pods, placed


def decreasing_order(
    groups: Sequence[PodGroup], template: NodeTemplate, chance: Chance | None = None
) -> list[int]:
    """Return the groups' indices by decreasing cpu/node cpu + memory/node memory of one pod."""
    scores = [pod_score(group.cls, template) for group in groups]
    order = list(range(len(groups)))
    if chance is not None:
        order = chance.shuffled(order)
    return sorted(order, key=lambda index: -scores[index])


def pod_score(cls: ClassView, template: NodeTemplate) -> float:
    """Return the size of a pod, init containers left out."""
    requests = cls.spec.container_requests
    score = 0.0
    if template.allocatable.cpu_m > 0:
        score += requests.cpu_m / template.allocatable.cpu_m
    if template.allocatable.memory_mib > 0:
        score += requests.memory_mib / template.allocatable.memory_mib
    return score


def node_limit(
    max_nodes_per_scaleup: int, room_in_groups: Sequence[int], max_nodes_total: int, node_count: int
) -> int:
    """Return the smallest of the limits that are set; ``NO_NODES`` when one is used up.

    ``room_in_groups`` is max less target of the group and of those similar to it; ``node_count``
    counts ready and upcoming nodes.
    """
    room = sum(max(room, 0) for room in room_in_groups)
    if room <= 0 or (max_nodes_total > 0 and node_count >= max_nodes_total):
        return NO_NODES
    limits = [room, max_nodes_per_scaleup]
    if max_nodes_total > 0:
        limits.append(max_nodes_total - node_count)
    return min(limit for limit in limits if limit > 0)


class _Packing:
    """The nodes added in one estimate: room by resource, shape ``(resources, nodes)``."""

    def __init__(
        self,
        template: NodeTemplate,
        limit: int,
        known_nodes: int,
        pointer: Pointer,
        chance: Chance | None,
    ) -> None:
        self.template = template
        self.permitted = limit if limit > 0 else (0 if limit == NO_NODES else 1 << 60)
        self.known_nodes = known_nodes
        self.pointer = pointer
        self.chance = chance
        self.room = np.array(template.room, dtype=np.int64)
        self.free: NDArray[np.int64] = np.empty((5, 64), dtype=np.int64)
        self.count = 0
        self.last_is_empty = False
        self.owners: dict[str, set[int]] = {}  # which nodes hold pods of owners with anti-affinity

    @property
    def nodes_with_pods(self) -> int:
        """Only a node on which its first pod did not fit is empty, and only the newest can be."""
        return self.count - self.last_is_empty

    def add(self, group: PodGroup) -> int:
        """Place a group; return how many of its pods found room."""
        cls = group.cls
        requests = np.array((cls.cpu_m, cls.memory_mib, cls.ephemeral_mib, cls.gpu, 1), dtype=np.int64)
        placed = self._on_added_nodes(cls, requests, group.count)
        return placed + self._on_new_nodes(cls, requests, group.count - placed, single=group.single)

    def _on_added_nodes(self, cls: ClassView, requests: NDArray[np.int64], pods: int) -> int:
        """Place pods one by one on the next node, round the list, that has room."""
        if not self.count:
            return 0
        room = self._room_for(cls, requests, self.free[:, : self.count])
        if cls.anti_affinity:
            room[list(self.owners[cls.spec.owner])] = 0
        total = int(room.sum())
        if not total:
            return 0
        if self.chance is None:
            taken, last = round_robin(room, pods, self._start())
            self.pointer.index = (self.known_nodes + last + 1) % (self.known_nodes + self.count)
        else:
            taken = random_fit(room, pods, self.chance)
        self.free[:, : self.count] -= requests[:, None] * taken
        if cls.spec.owner in self.owners:
            self.owners[cls.spec.owner].update(np.flatnonzero(taken).tolist())
        if taken[-1]:
            self.last_is_empty = False
        return int(taken.sum())

    def _start(self) -> int:
        """Return the added node at which the next search arrives first."""
        position = self.pointer.index % (self.known_nodes + self.count)
        return max(position - self.known_nodes, 0)

    def _on_new_nodes(self, cls: ClassView, requests: NDArray[np.int64], pods: int, *, single: bool) -> int:
        """Fill new nodes one after the other."""
        if not pods or (self.count and self.last_is_empty) or not self.permitted:
            return 0
        per_node = int(self._room_for(cls, requests, self.room[:, None])[0])
        if per_node <= 0:
            self._append(self.room[:, None])
            self.last_is_empty = True
            return 0
        nodes = min(-(-pods // per_node), self.permitted)
        placed = min(pods, nodes * per_node)
        taken = np.full(nodes, per_node, dtype=np.int64)
        taken[-1] = placed - (nodes - 1) * per_node
        first = self.count
        self._append(self.room[:, None] - requests[:, None] * taken)
        if cls.spec.owner in self.owners:
            self.owners[cls.spec.owner].update(range(first, self.count))
        if single and self.chance is None and taken[0] > 1:
            self.pointer.index = 0  # the second pod on a node searched for it and found the list's last
        return placed

    def _append(self, free: NDArray[np.int64]) -> None:
        nodes = free.shape[1]
        while self.count + nodes > self.free.shape[1]:
            self.free = np.concatenate((self.free, np.empty_like(self.free)), axis=1)
        self.free[:, self.count : self.count + nodes] = free
        self.count += nodes
        self.permitted -= nodes
        self.last_is_empty = False

    def _room_for(
        self, cls: ClassView, requests: NDArray[np.int64], free: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """Return how many pods of a class each node takes."""
        asked = np.flatnonzero(requests)
        room: NDArray[np.int64] = (free[asked] // requests[asked, None]).min(axis=0)
        return np.minimum(room, 1) if cls.anti_affinity else room


def round_robin(room: NDArray[np.int64], pods: int, start: int) -> tuple[NDArray[np.int64], int]:
    """Deal ``pods`` to nodes with ``room``, one each round, from node ``start`` on.

    Returns
    -------
    tuple
        How many each node got, and the node that got the last one.
    """
    pods = min(pods, int(room.sum()))
    low, high = 0, int(room.max())  # full rounds: the most that all fit in
    while low < high:
        middle = (low + high + 1) // 2
        if int(np.minimum(room, middle).sum()) <= pods:
            low = middle
        else:
            high = middle - 1
    taken = np.minimum(room, low)
    rest = pods - int(taken.sum())
    in_turn = np.flatnonzero(room > low) if rest else np.flatnonzero(room >= low)
    in_turn = np.concatenate((in_turn[in_turn >= start], in_turn[in_turn < start]))
    if not rest:
        return taken, int(in_turn[-1])
    taken[in_turn[:rest]] += 1
    return taken, int(in_turn[rest - 1])


def random_fit(room: NDArray[np.int64], pods: int, chance: Chance) -> NDArray[np.int64]:
    """Deal ``pods`` one by one to the next node with ``room`` left; return how many each node got.

    The list begins somewhere else for each pod, see ``sim.decisions.cluster_autoscaler.snapshot``.
    """
    if pods >= int(room.sum()):
        return room
    nodes, left, draw = len(room), room.tolist(), chance.dice.random
    order = list(range(nodes)) if nodes <= SLOTS else chance.permutation(nodes).tolist()
    feasible = [place for place, node in enumerate(order) if left[node]]
    start = chance.index(nodes)
    for _ in range(pods):
        beginning = any_beginning(nodes, draw)
        nth = bisect_left(feasible, (start + beginning) % nodes)
        if nth == len(feasible):
            nth = 0
        place = feasible[nth]
        start = (place - beginning + 1) % nodes
        left[order[place]] -= 1
        if not left[order[place]]:
            del feasible[nth]
    return room - np.array(left, dtype=np.int64)
