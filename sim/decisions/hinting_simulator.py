"""Placing a list of pods, each first where it was placed the last time.

A remembered node is tried before any search, and does not move the search pointer. What is not
used for two rounds is forgotten. Once a pod has found no node, the others of its class are not
searched for in the same list.

Source: Cluster Autoscaler 1.31.5, simulator/scheduling/hinting_simulator.go, hints.go,
similar_pods.go.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sim.decisions.snapshot import PodView, Snapshot, SnapshotNode

PLACEHOLDER = -1  # has a new name in every look, so a hint to it never holds


class HintingSimulator:
    """Remembers by pod id the id of the node where a pod was last placed."""

    def __init__(self) -> None:
        """Remember nothing."""
        self._current: dict[int, int] = {}
        self._old: dict[int, int] = {}

    def try_schedule_pods(
        self,
        snapshot: Snapshot,
        pods: Iterable[PodView],
        acceptable: Collection[int] | None = None,
        but: SnapshotNode | None = None,
        *,
        break_on_failure: bool = False,
    ) -> set[int]:
        """Place the pods in the snapshot; return the ids of those that found a node."""
        placed: set[int] = set()
        nowhere: set[int] = set()
        for pod in pods:
            cls = pod.cls
            node = None
            if cls.index not in nowhere:
                node = self._hinted(snapshot, pod, acceptable, but)
                if node is None:
                    node = snapshot.fits_any_node(cls, acceptable, but)
                    if node is not None:
                        self._current[pod.id] = node.id
            if node is not None:
                snapshot.place(pod, node)
                placed.add(pod.id)
            elif break_on_failure:
                break
            else:
                nowhere.add(cls.index)
        return placed

    def _hinted(
        self, snapshot: Snapshot, pod: PodView, acceptable: Collection[int] | None, but: SnapshotNode | None
    ) -> SnapshotNode | None:
        hint = self._current.get(pod.id)
        if hint is None:
            hint = self._old.get(pod.id)
        if hint is None or hint == PLACEHOLDER:
            return None
        node = snapshot.by_id.get(hint)
        if node is None or not node.fits(pod.cls):
            return None
        self._current[pod.id] = hint
        if node is but or (acceptable is not None and hint not in acceptable):
            return None
        return node

    def drop_old_hints(self) -> None:
        """Forget what was not used since the last call but one."""
        self._old = self._current
        self._current = {}
