"""Placing a list of pods, each first where it was placed the last time.

A remembered node is tried before any search, and does not move the search pointer. What is not
used for two rounds is forgotten. Once a pod has found no node, the others of its class are not
searched for in the same list.

Source: Cluster Autoscaler 1.31.5, simulator/scheduling/hinting_simulator.go, hints.go,
similar_pods.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import repeat
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sim.decisions.cluster_autoscaler.snapshot import Snapshot
    from sim.decisions.cluster_autoscaler.snapshot_node import PodView


class HintingSimulator:
    """Remembers by pod id the id of the node where a pod was last placed.

    A placeholder mostly has a new id in every look, so a hint to it is then as good as none.
    """

    def __init__(self) -> None:
        """Remember nothing."""
        self._current: dict[int, int] = {}
        self._old: dict[int, int] = {}

    def try_schedule_pods(
        self,
        snapshot: Snapshot,
        pods: Iterable[PodView],
        destinations: bytearray | None = None,
        *,
        break_on_failure: bool = False,
    ) -> set[int]:
        """Place the pods in the snapshot; return the ids of those that found a node."""
        placed: set[int] = set()
        nowhere: set[int] = set()
        current, old = self._current, self._old
        by_id, search, place = snapshot.by_id, snapshot.search(), snapshot.place
        for pod in pods:
            cls = pod.cls
            if nowhere and cls.index in nowhere:
                continue
            hint = current.get(pod.id)
            if hint is None and old:
                hint = old.get(pod.id)
            node = None if hint is None else by_id.get(hint)
            if node is not None:
                if not node.fits(cls):
                    node = None
                else:
                    current[pod.id] = node.id
                    if destinations is not None and not destinations[node.position]:
                        node = None
            if node is None:
                node = search(cls, destinations)
                if node is None:
                    if break_on_failure:
                        break
                    nowhere.add(cls.index)
                    continue
                current[pod.id] = node.id
            place(pod, node)
            placed.add(pod.id)
        return placed

    def recall(self, pods: Iterable[int], places: Mapping[int, int]) -> list[int] | None:
        """Return the places of the nodes that the pods were placed on, -1: unknown; None if all are.

        Pods and nodes are given by their ids.
        """
        known = self._old | self._current if self._current else self._old
        if places.keys().isdisjoint(known.values()):
            return None
        place_of: Any = places.get  # of None: -1
        return list(map(place_of, map(known.get, pods), repeat(-1)))

    def remember(self, pods: Iterable[int], nodes: Iterable[int]) -> None:
        """Note on which nodes pods were placed."""
        self._current.update(zip(pods, nodes, strict=True))

    def memory(self) -> tuple[tuple[int, int], ...]:
        """Return what is remembered of nodes that are there, to compare."""
        if not (self._old or self._current):
            return ()
        hints = (*self._old.items(), *self._current.items())
        return tuple(sorted([hint for hint in hints if hint[1] >= 0]))

    def drop_old_hints(self) -> None:
        """Forget what was not used since the last call but one."""
        self._old = self._current
        self._current = {}
