"""What the autoscaler decided, and what it refused and why, written to the event log.

A refusal is written when its reason changes, so a look that finds everything as before adds nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.model.log import NodeState, Reason, RefusalKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from sim.decisions.cluster_autoscaler.balancing import Increase
    from sim.decisions.cluster_autoscaler.readiness import Failure
    from sim.decisions.cluster_autoscaler.scale_up import ScaleUpDecision
    from sim.engine.clock import Clock
    from sim.model.log import EventLog


class DecisionLog:
    """Writes the tables of the autoscaler."""

    def __init__(self, clock: Clock, log: EventLog, scan_interval_us: int) -> None:
        """Write to ``log``; a look's number counts scan intervals."""
        self.clock = clock
        self.log = log
        self.scan_interval_us = scan_interval_us
        self._known: dict[RefusalKind, dict[int, Reason]] = {kind: {} for kind in RefusalKind}

    @property
    def look(self) -> int:
        """The number of the current look."""
        return self.clock.now_us // self.scan_interval_us

    def failures(self, failures: Iterable[Failure]) -> None:
        """Write the groups that back off."""
        for failure in failures:
            self.log.tables["backoffs"].add(
                (self.clock.now_us, failure.group, failure.until_us, failure.reason)
            )

    def decision(self, decision: ScaleUpDecision) -> None:
        """Write what a scale-up was chosen from, and which groups could not grow."""
        self.refusals(RefusalKind.SCALE_UP, decision.refusals)
        if not decision.increases:
            return
        tied = {option.group for option in decision.tied}
        for option in decision.options:
            chance = int(option.group in tied)
            self.log.tables["scale_up_options"].add(
                (self.clock.now_us, self.look, option.group, option.nodes, option.pods, chance)
            )

    def increase(self, increase: Increase, target: int) -> None:
        """Write a scale-up and the target that it leads to."""
        self.log.tables["scale_ups"].add(
            (self.clock.now_us, self.look, increase.group, increase.delta, target)
        )

    def unneeded(
        self, before: Mapping[int, object], now: Mapping[int, object], leaves: Callable[[int], bool]
    ) -> None:
        """Write the nodes that became unneeded, and those that no longer are and do not leave."""
        if now is before or now.keys() == before.keys():
            return
        for node in now:
            if node not in before:
                self._node(node, NodeState.UNNEEDED)
        for node in sorted(before.keys() - now.keys()):
            if not leaves(node):
                self._node(node, NodeState.NEEDED)

    def _node(self, node: int, state: NodeState) -> None:
        self.log.tables["node_states"].add((self.clock.now_us, node, state))

    def refusals(self, kind: RefusalKind, reasons: Mapping[int, Reason]) -> None:
        """Write the reasons that differ from the last ones."""
        last, none = self._known[kind], Reason.NoReason
        changed = [subject for subject, reason in reasons.items() if last.get(subject, none) is not reason]
        if changed:
            now_us, look, table = self.clock.now_us, self.look, self.log.tables["refusals"]
            append, row = table.append, table.row
            changed.sort()
            for subject in changed:
                last[subject] = reason = reasons[subject]
                append(row(now_us, look, subject, kind, reason))
