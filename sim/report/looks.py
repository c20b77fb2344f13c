"""Looks: what the autoscaler considered, did and refused, look by look, in upstream's reason names.

A refusal stands where its reason changed and holds until the next row of its subject, or until cleared.
A look without rows found everything as before; ``refusals_at`` says what stood at one. What a subject is
follows from the event: node groups are considered, grow and back off; nodes become unneeded, are tainted
and terminated; both are refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from sim.model.log import BackoffReason, NodeState, Reason, RefusalKind
from sim.model.units import print_duration

if TYPE_CHECKING:
    from sim.model.log import EventLog


class Event(StrEnum):
    """What a row tells, in the order in which one look comes to it."""

    BACKED_OFF = "backed off"
    CONSIDERED = "considered"
    SCALED_UP = "scaled up"
    REFUSED = "refused"
    CLEARED = "cleared"
    UNNEEDED = "unneeded"
    NEEDED = "needed"
    TAINTED = "tainted"
    UNTAINTED = "untainted"
    TERMINATED = "terminated"


LEFT = (NodeState.TERMINATING, NodeState.GONE)
NODE_EVENTS = {
    NodeState.UNNEEDED: Event.UNNEEDED,
    NodeState.NEEDED: Event.NEEDED,
    NodeState.TAINTED: Event.TAINTED,
    NodeState.UNTAINTED: Event.UNTAINTED,
    NodeState.TERMINATING: Event.TERMINATED,
}


class Row(NamedTuple):
    """One decision: when, of which group or node, how many nodes and pods it is about, and why."""

    time_us: int
    event: Event
    subject: str
    nodes: int | None = None
    pods: int | None = None
    reason: str = ""


def decisions(log: EventLog, nodes: Sequence[str]) -> list[Row]:
    """Return what the autoscaler decided, in order; ``nodes`` are the nodes' names by row of the log."""
    order = list(Event)
    return sorted(_rows(log, nodes), key=lambda row: (row.time_us, order.index(row.event)))


def refusals_at(log: EventLog, nodes: Sequence[str], time_us: int) -> list[Row]:
    """Return the refusals that stood at an instant, oldest first, each as of when its reason was new."""
    standing: dict[tuple[int, int], Row] = {}
    for at_us, _, subject, kind, reason in log["refusals"].rows().tolist():
        if at_us > time_us:
            break
        standing.pop((kind, subject), None)
        if reason != Reason.NoReason:
            standing[kind, subject] = Row(
                at_us, Event.REFUSED, _subject(log, nodes, subject, kind), reason=Reason(reason).name
            )
    for at_us, node, state in log["node_states"].rows().tolist():
        if at_us <= time_us and state in LEFT:
            standing.pop((RefusalKind.SCALE_DOWN, node), None)
    return list(standing.values())


def _subject(log: EventLog, nodes: Sequence[str], subject: int, kind: int) -> str:
    return log.names["group"][subject] if RefusalKind(kind) is RefusalKind.SCALE_UP else nodes[subject]


def _rows(log: EventLog, nodes: Sequence[str]) -> Iterator[Row]:
    groups = log.names["group"]
    for time_us, group, until_us, kind in log["backoffs"].rows().tolist():
        why = f"{BackoffReason(kind).name.lower()}, until {print_duration(until_us)}"
        yield Row(time_us, Event.BACKED_OFF, groups[group], reason=why)
    for time_us, _, group, count, pods, tied in log["scale_up_options"].rows().tolist():
        yield Row(time_us, Event.CONSIDERED, groups[group], count, pods, "tied" if tied else "")
    for time_us, _, group, delta, target in log["scale_ups"].rows().tolist():
        yield Row(time_us, Event.SCALED_UP, groups[group], delta, reason=f"target {target}")
    for time_us, _, subject, kind, reason in log["refusals"].rows().tolist():
        name = _subject(log, nodes, subject, kind)
        if reason == Reason.NoReason:
            yield Row(time_us, Event.CLEARED, name)
        else:
            yield Row(time_us, Event.REFUSED, name, reason=Reason(reason).name)
    for time_us, node, state in log["node_states"].rows().tolist():
        if state in NODE_EVENTS:
            yield Row(time_us, NODE_EVENTS[NodeState(state)], nodes[node])
