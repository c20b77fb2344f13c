"""Placing a list of pods, each first where it was placed the last time.

A remembered node is tried before any search, and does not move the search pointer. What is not
used for two rounds is forgotten. Once a pod has found no node, the others of its class are not
searched for in the same list.

Source: Cluster Autoscaler 1.31.5, simulator/scheduling/hinting_simulator.go, hints.go,
similar_pods.go.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sim.decisions.snapshot import PodView, Snapshot, SnapshotNode


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
        for pod in pods:
            cls = pod.cls
            if cls.index in nowhere:
                continue
            hint = current.get(pod.id)
            if hint is None and old:
                hint = old.get(pod.id)
            node = None if hint is None else self._hinted(snapshot, pod, hint, destinations)
            if node is None:
                node = snapshot.fits_any_node(cls, destinations)
                if node is None:
                    if break_on_failure:
                        break
                    nowhere.add(cls.index)
                    continue
                current[pod.id] = node.id
            snapshot.place(pod, node)
            placed.add(pod.id)
        return placed

    def _hinted(
        self, snapshot: Snapshot, pod: PodView, hint: int, destinations: bytearray | None
    ) -> SnapshotNode | None:
        node = snapshot.by_id.get(hint)
        if node is None or not node.fits(pod.cls):
            return None
        self._current[pod.id] = hint
        return node if destinations is None or destinations[node.position] else None

    def memory(self) -> tuple[tuple[int, int], ...]:
        """Return what is remembered, to compare."""
        return tuple(sorted((*self._old.items(), *self._current.items())))

    def drop_old_hints(self) -> None:
        """Forget what was not used since the last call but one."""
        self._old = self._current
        self._current = {}
