"""The autoscaler's template of each group: the cloud's until a real node has been Ready for a minute.

Source: Cluster Autoscaler 1.31.5, processors/nodeinfosprovider/mixed_nodeinfos_processor.go.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sim.decisions.cluster_autoscaler.template import (
    STABILIZATION_DELAY_US,
    NodeTemplate,
    is_good_template_candidate,
    node_template,
)

if TYPE_CHECKING:
    from sim.engine.cluster_autoscaler.cluster_view import ClusterView
    from sim.engine.state import ClusterState


class Templates:
    """One template a group; a real one is kept for ever."""

    def __init__(self, state: ClusterState, view: ClusterView) -> None:
        """Start with the cloud's templates."""
        self._state = state
        self._view = view
        specs = state.cluster.node_groups
        self.by_group = [self._template(group) for group in range(len(specs))]
        self._without_real = set(range(len(specs)))
        self._mixed = [group for group, spec in enumerate(specs) if len(spec.shapes) > 1]
        self._oldest_us: dict[int, int] = {}  # when the first node of a group without a real one was Ready
        self._changes = -1
        self._names = [0] * len(specs)
        self._last_name = 0

    def update(self, now_us: int) -> None:
        """Plan each group by its real nodes as soon as one will do."""
        for group in self._mixed:
            self._follow_first_node(group, now_us)
        if not self._without_real:
            return
        if self._changes != self._view.changes:
            self._changes = self._view.changes
            self._oldest_us = {
                group: next(iter(self._view.by_group[group].values())).node.ready_us
                for group in self._without_real
                if self._view.by_group[group]
            }
        for group, ready_us in list(self._oldest_us.items()):
            if is_good_template_candidate(ready_us, now_us):
                self._without_real.remove(group)
                del self._oldest_us[group]
                first = next(iter(self._view.by_group[group].values()))
                self.by_group[group] = self._template(group, first.shape)

    def _follow_first_node(self, group: int, now_us: int) -> None:
        """Plan a group whose nodes differ by the first of them, in node order, that will do."""
        template = self.by_group[group]
        for node in self._view.by_group[group].values() if template.real else ():
            if is_good_template_candidate(node.node.ready_us, now_us):
                if node.shape != template.shape:
                    self.by_group[group] = self._template(group, node.shape)
                return

    def _template(self, group: int, seen: int = -1) -> NodeTemplate:
        """Return the template of a group by the shape of a node that was seen, or by none."""
        cluster = self._state.cluster
        shape = cluster.template_shapes[group] if seen < 0 else seen
        return node_template(
            group,
            shape,
            cluster.node_groups[group],
            self._state.daemons[shape],
            real=seen >= 0,
            seen=self._state.shapes[shape],
        )

    def name(self, group: int, now_us: int) -> int:
        """Return what a group's template is called in this look.

        It is made, and named, anew in every look; but while a group that had a good node has none,
        the last one made of such a node is kept, name included.
        """
        kept = self.by_group[group].real and not any(
            node.group == group and is_good_template_candidate(node.node.ready_us, now_us)
            for node in self._view.nodes.values()
        )
        if not (kept and self._names[group]):
            self._last_name += 1
            self._names[group] = self._last_name
        return self._names[group]

    def naming_timers(self, group: int) -> Iterator[int]:
        """Yield when a node of a group becomes good enough for its template to be made anew."""
        if self.by_group[group].real:
            for node in self._view.by_group[group].values():
                yield node.node.ready_us + STABILIZATION_DELAY_US + 1

    def timers(self) -> Iterator[int]:
        """Yield when a real node will do."""
        for ready_us in self._oldest_us.values():
            yield ready_us + STABILIZATION_DELAY_US + 1
        for group in self._mixed:
            for node in self._view.by_group[group].values():
                yield node.node.ready_us + STABILIZATION_DELAY_US + 1
