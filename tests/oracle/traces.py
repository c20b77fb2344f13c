"""The trace and the summary of a recorded run, read off the event log of its simulation."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sim.decisions.cluster_autoscaler.names import natural
from sim.model.log import BackoffReason, EventLog, NodeState, PodEnd
from tests.oracle.cases import SECOND, Case

Event = dict[str, Any]

# In the order of README §2 within a second; the rank of a look's own events is that of RunOnce.
BACKGROUND, GONE, ENDED, READY, STARTED, LOOK, BEHIND, STARTED_BEHIND = range(8)
BACKOFF, REMOVED, SCALE_UP, NEEDED, UNNEEDED, TAINTED, ENFORCED = range(7)
EVICTED, ABORTED, DELETED = range(3)  # background events are sorted by kind, then by name


@dataclass(frozen=True)
class Ranked:
    """An event and where it stands within its second."""

    rank: tuple[Any, ...]
    event: Event


class Trace:
    """Reads one log as the recordings are written."""

    def __init__(self, log: EventLog, case: Case) -> None:
        self.log = log
        self.groups = [group["id"] for group in case["groups"]]
        self.nodes = log["nodes"].rows().tolist()
        pods = log["pods"].rows().tolist()
        arrivals = sorted(case["pods"], key=lambda pod: (pod["arrival"], pod["id"]))
        names = (pod["id"] for pod in arrivals)
        self.pod_names: list[str] = []
        self.replaces = [replaces for *_, replaces in pods]
        for replaces in self.replaces:
            self.pod_names.append(self.pod_names[replaces] if replaces >= 0 else next(names))
        self.node_of = {pod: node for _, pod, node in log["pod_bound"].rows().tolist()}
        self.states: dict[int, dict[NodeState, int]] = defaultdict(dict)
        for time_us, node, state in log["node_states"].rows().tolist():
            self.states[node][NodeState(state)] = time_us
        self.interval_us = 0

    def name(self, node: int) -> str:
        return f"{self.groups[self.nodes[node][1]]}-{self.nodes[node][2]}"

    def group(self, node: int) -> str:
        return str(self.groups[self.nodes[node][1]])

    def events(self) -> list[Event]:
        """Return all events in order, with the targets that each leaves behind."""
        ranked = [*self._pod_events(), *self._node_events(), *self._look_events()]
        ranked.sort(key=lambda item: (item.event["t"], item.rank))
        target = {self.groups[g]: 0 for g in range(len(self.groups))}
        for time_us, group, *_ in self.nodes:
            initial = time_us == 0 and NodeState.READY in self.states[0]
            target[self.groups[group]] += time_us == 0 and bool(initial)
        for item in ranked:
            event = item.event
            if event["event"] in ("scale_up", "failed_instances_removed"):
                target[event["group"]] += event["delta"]
                event["target"] = target[event["group"]]
            elif event["event"] == "node_delete":
                target[event["group"]] -= 1
                event["target"] = target[event["group"]]
        return [item.event for item in ranked]

    def _behind(self, node: int, time_us: int) -> int:
        """Say whether what the autoscaler did in the background came before or behind its look."""
        return BEHIND if self.states[node].get(NodeState.TAINTED) == time_us else BACKGROUND

    def _pod_events(self) -> Iterator[Ranked]:
        lost_behind: dict[int, int] = {}
        for time_us, pod, reason in self.log["pod_ended"].rows().tolist():
            name, node = self.pod_names[pod], self.node_of[pod]
            event: Event = {"t": time_us // SECOND, "pod": name, "node": self.name(node)}
            if reason == PodEnd.COMPLETED:
                yield Ranked((ENDED, pod), {**event, "event": "pod_end"})
            elif reason == PodEnd.DRAINED:
                phase = self._behind(node, time_us)
                if phase == BEHIND:
                    lost_behind[pod] = time_us
                rank = (phase, EVICTED, natural(self.name(node)), natural(name))
                yield Ranked(rank, {**event, "event": "pod_evicted", "kind": "drain"})
            else:
                yield Ranked(
                    (GONE, node, 0, natural(name)), {**event, "event": "pod_evicted", "kind": "node_gone"}
                )
        for index, (time_us, pod) in enumerate(self.log["pod_running"].rows().tolist()):
            event = {"t": time_us // SECOND, "pod": self.pod_names[pod], "node": self.name(self.node_of[pod])}
            phase = STARTED_BEHIND if lost_behind.get(self.replaces[pod]) == time_us else STARTED
            yield Ranked((phase, index), {**event, "event": "pod_start"})

    def _node_events(self) -> Iterator[Ranked]:
        removed: Counter[tuple[int, int]] = Counter()
        first: dict[tuple[int, int], int] = {}
        for index, (time_us, node, state) in enumerate(self.log["node_states"].rows().tolist()):
            event: Event = {"t": time_us // SECOND, "node": self.name(node), "group": self.group(node)}
            launched = NodeState.LAUNCHED in self.states[node]
            name = natural(self.name(node))
            if state == NodeState.READY and time_us > 0:
                order = (READY, self.nodes[node][1], self.nodes[node][2])
                yield Ranked(order, {**event, "event": "node_ready"})
            elif state == NodeState.TERMINATING:
                tainted = NodeState.TAINTED in self.states[node]
                rank: tuple[Any, ...] = (LOOK, REMOVED, index)
                if tainted:
                    rank = (self._behind(node, time_us), DELETED, name)
                yield Ranked(rank, {**event, "event": "node_delete"})
            elif state == NodeState.UNTAINTED:
                rank = (self._behind(node, time_us), ABORTED, name)
                yield Ranked(rank, {**event, "event": "scale_down_abort"})
            elif state == NodeState.GONE and launched:
                yield Ranked((GONE, node, 1), {**event, "event": "node_gone"})
            elif state == NodeState.GONE:
                removed[time_us, self.nodes[node][1]] += 1
                first.setdefault((time_us, self.nodes[node][1]), index)
            elif state == NodeState.FAILED:
                yield Ranked((GONE, node, 1), {**event, "event": "instance_error"})
        for (time_us, group), count in removed.items():
            event = {"t": time_us // SECOND, "group": self.groups[group], "delta": -count}
            rank = (LOOK, REMOVED, first[time_us, group])
            yield Ranked(rank, {**event, "event": "failed_instances_removed"})

    def _look_events(self) -> Iterator[Ranked]:
        kinds = {
            BackoffReason.TIMEOUT: "timeout",
            BackoffReason.OUT_OF_RESOURCES: "placeholder-cannot-be-fulfilled",
        }
        for index, (time_us, group, until_us, kind) in enumerate(self.log["backoffs"].rows().tolist()):
            event: Event = {"t": time_us // SECOND, "event": "backoff", "group": self.groups[group]}
            details = {"until": until_us // SECOND, "kind": kinds[BackoffReason(kind)]}
            yield Ranked((LOOK, BACKOFF, index), {**event, **details})
        yield from self._scale_ups()
        soft = {NodeState.UNNEEDED: (UNNEEDED, "node_unneeded"), NodeState.NEEDED: (NEEDED, "node_needed")}
        for index, (time_us, node, state) in enumerate(self.log["node_states"].rows().tolist()):
            event = {"t": time_us // SECOND, "node": self.name(node)}
            if state in soft:
                rank, kind = soft[NodeState(state)]
                yield Ranked((LOOK, rank, natural(self.name(node))), {**event, "event": kind})
            elif state == NodeState.TAINTED:
                kind = "drain" if self._occupied(node, time_us) else "empty"
                start = {**event, "event": "scale_down_start", "group": self.group(node), "kind": kind}
                yield Ranked((LOOK, TAINTED, index), start)

    def _scale_ups(self) -> Iterator[Ranked]:
        options: dict[int, list[list[int]]] = defaultdict(list)
        for row in self.log["scale_up_options"].rows().tolist():
            options[row[1]].append(row)
        for index, (time_us, look, group, delta, _) in enumerate(self.log["scale_ups"].rows().tolist()):
            event: Event = {
                "t": time_us // SECOND,
                "event": "scale_up",
                "group": self.groups[group],
                "delta": delta,
            }
            if options[look]:
                event["options"] = [
                    {"group": self.groups[g], "nodes": nodes, "pods": pods}
                    for _, _, g, nodes, pods, _ in options[look]
                ]
            tied = [self.groups[row[2]] for row in options[look] if row[5]]
            if tied:
                event["tie"] = tied
            yield Ranked((LOOK, SCALE_UP if options[look] else ENFORCED, index), event)

    def _occupied(self, node: int, time_us: int) -> bool:
        """Say whether a pod was on the node when it was tainted; what is drained is so behind the taint."""
        ended = {
            pod: at + (reason == PodEnd.DRAINED) for at, pod, reason in self.log["pod_ended"].rows().tolist()
        }
        return any(
            on == node and at <= time_us and ended.get(pod, time_us + 1) > time_us
            for at, pod, on in self.log["pod_bound"].rows().tolist()
        )


def summary_of(log: EventLog, case: Case, trace: list[Event]) -> dict[str, Any]:
    horizon_s = case["world"]["horizon_s"]
    reader = Trace(log, case)
    node_seconds = dict.fromkeys(reader.groups, 0)
    instance_seconds = dict.fromkeys(reader.groups, 0)
    steps = []
    for node, (requested_us, *_) in enumerate(reader.nodes):
        states = reader.states[node]
        if NodeState.LAUNCHED not in states:
            continue
        gone_s = states.get(NodeState.GONE, horizon_s * SECOND) // SECOND
        instance_seconds[reader.group(node)] += gone_s - requested_us // SECOND
        if NodeState.READY in states:
            ready_s = states[NodeState.READY] // SECOND
            node_seconds[reader.group(node)] += gone_s - ready_s
            steps.append((ready_s, 1, 1))
            if NodeState.GONE in states:
                steps.append((gone_s, 0, -1))
    peak = count = 0
    for _, _, step in sorted(steps):
        count += step
        peak = max(peak, count)
    kinds = Counter(event["event"] for event in trace)
    first_start: dict[str, int] = {}
    for event in trace:
        if event["event"] == "pod_start":
            first_start.setdefault(event["pod"], event["t"])
    arrival = {pod["id"]: pod["arrival"] for pod in case["pods"]}
    waits = sorted(start - arrival[pod] for pod, start in first_start.items())
    ends = [event["t"] for event in trace if event["event"] == "pod_end"]
    looks = log["scale_up_options"].rows().tolist()
    return {
        "node_seconds_by_group": node_seconds,
        "instance_seconds_by_group": instance_seconds,
        "peak_nodes": peak,
        "final_nodes": count,
        "mean_pod_wait_s": sum(waits) / len(waits) if waits else None,
        "p95_pod_wait_s": waits[-(-95 * len(waits) // 100) - 1] if waits else None,
        "makespan_s": max(ends) if len(ends) == len(arrival) and ends else None,
        "pods_started": len(first_start),
        "pods_completed": len(ends),
        "pods_never_started": len(arrival) - len(first_start),
        "evictions": kinds["pod_evicted"],
        "scale_ups": kinds["scale_up"],
        "nodes_added": kinds["node_ready"],
        "nodes_removed": kinds["node_gone"],
        "expander_ties": len({row[1] for row in looks if row[5]}),
    }
