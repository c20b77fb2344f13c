"""A log beside its scenario, read without the engine and without the report, so that both can be checked.

Instants are microseconds. At one instant what ends comes before what begins.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate

from sim.model.cluster import NodeGroup
from sim.model.log import EventLog, NodeState
from sim.model.pods import PodClass
from sim.model.scenario import Scenario

Row = tuple[int, ...]


@dataclass(frozen=True)
class Ledger:
    """A log beside the scenario that it came from."""

    scenario: Scenario
    log: EventLog

    def rows(self, table: str) -> list[Row]:
        return [tuple(row) for row in self.log[table].rows().tolist()]

    def once(self, table: str) -> dict[int, int]:
        """Return when each pod had its only row of a table."""
        rows = self.rows(table)
        when = {row[1]: row[0] for row in rows}
        assert len(when) == len(rows), f"{table} has a second row of a pod"
        return when

    def first(self, *states: NodeState) -> dict[int, int]:
        """Return when each node first reached one of some states."""
        when: dict[int, int] = {}
        for time_us, node, state in self.rows("node_states"):
            if state in states:
                when.setdefault(node, time_us)
        return when

    def group_of(self, node: int) -> NodeGroup:
        row = self.rows("nodes")[node]
        return self.scenario.cluster.node_groups[row[1]]

    def classes(self) -> list[PodClass]:
        """Return the spec of each row of pod_classes that the scenario states; requests from the log."""
        stated = [
            *(daemon.pod_class for daemon in self.scenario.cluster.daemon_sets),
            *(load.pod_class for load in self.scenario.pipelines),
            *(load.pod_class for load in self.scenario.pods),
            *(load.pod_class for load in self.scenario.base_load),
        ]
        by_name = {spec.name: spec for spec in stated}
        return [by_name[name] for name in self.log.names["pod_class"]]

    def requests(self) -> list[Row]:
        """Return cpu, memory, storage, GPUs and pods (one) that each class takes of a node."""
        return [(*row, 1) for row in self.rows("pod_classes")]


def peaks(changes: Iterable[tuple[int, int]]) -> Iterator[int]:
    """Yield the running sum of (when, change) after each instant's ends and each of its begins."""
    ordered = sorted(changes)
    return accumulate(change for _, change in ordered)
