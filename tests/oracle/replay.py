"""Replay recorded autoscaler runs through the product's own engine and compare trace and summary.

    python tests/oracle/replay.py DIR [--case ID] [--category NAME] [--diff]

Each case becomes an ordinary cluster: groups with fixed provision and deletion times, plain pods,
first-fit scheduling, pinned orders. The trace is read off the event log. Exit status 0 only if
every case is exact.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT))

from sim.decisions.names import natural  # noqa: E402  # run as a file, not as a module
from sim.engine.autoscaler import Autoscaler  # noqa: E402
from sim.engine.clock import Clock  # noqa: E402
from sim.engine.ec2 import NodeGroups  # noqa: E402
from sim.engine.first_fit import FirstFitScheduler  # noqa: E402
from sim.engine.kubelet import Kubelets  # noqa: E402
from sim.engine.plain_pods import PlainPods  # noqa: E402
from sim.engine.state import ClusterState  # noqa: E402
from sim.engine.streams import Streams  # noqa: E402
from sim.model.autoscaler import AutoscalerOptions, Orders  # noqa: E402
from sim.model.cluster import Cluster, DaemonSet, FailMode, FailWindow, NodeGroup  # noqa: E402
from sim.model.distributions import Constant  # noqa: E402
from sim.model.latency import Latencies  # noqa: E402
from sim.model.log import BackoffReason, EventLog, NodeState, PodEnd  # noqa: E402
from sim.model.pods import Effect, PodClass, Taint, Toleration  # noqa: E402
from sim.model.resources import Resources  # noqa: E402

Case = dict[str, Any]
Event = dict[str, Any]

SECOND = 1_000_000
UNITS = {"ms": 1_000, "s": SECOND, "m": 60 * SECOND, "h": 3_600 * SECOND}

DEFAULTS = AutoscalerOptions()
RANGES = {"cores-total": "cores_total", "memory-total": "memory_total_gib"}
ALIASES = {"max-empty-bulk-delete": "max-scale-down-parallelism"}


# -- the world of a case, from ordinary options -----------------------------------------------


def duration_us(text: str) -> int:
    """Parse Go's durations as far as the cases use them: ``90s``, ``4m30s``, ``1h``."""
    total = 0
    number = ""
    unit = ""
    for char in f"{text} ":
        if unit and not char.isalpha():
            total += round(float(number) * UNITS[unit])
            number = unit = ""
        if char.isdigit() or char == ".":
            number += char
        else:
            unit += char.strip()
    return total


def options_of(case: Case) -> AutoscalerOptions:
    """Return the options of a case: its flags, and everything always up to date, in pinned orders."""
    values: dict[str, Any] = {"orders": Orders.PINNED, "aws_refresh_interval_us": 0}
    for flag, text in case["options"].items():
        field, value = option(ALIASES.get(flag, flag), text)
        values[field] = value
    priorities = case.get("expander_priorities") or {}
    values["expander_priorities"] = tuple((int(level), tuple(names)) for level, names in priorities.items())
    return AutoscalerOptions(**values)


def option(flag: str, text: str) -> tuple[str, Any]:
    """Return the field that a flag sets, and its value."""
    field = flag.replace("-", "_")
    if flag == "max-graceful-termination-sec":
        return "max_graceful_termination_us", int(text) * SECOND
    if hasattr(DEFAULTS, f"{field}_us"):
        return f"{field}_us", duration_us(text)
    if flag in RANGES:
        low, high = text.split(":")
        return RANGES[flag], (int(low), int(high))
    if not hasattr(DEFAULTS, field):
        raise LookupError(f"option {flag} is not known to the replay")
    default = getattr(DEFAULTS, field)
    if isinstance(default, bool):
        return field, text.lower() == "true"
    if isinstance(default, tuple):
        return field, tuple(text.split(","))
    return field, type(default)(text)


def group_of(group: Case) -> NodeGroup:
    capacity = Resources(cpu_m=group["cpu_m"], memory_mib=group["mem_mib"])
    labels = {
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/os": "linux",
        "eks.amazonaws.com/nodegroup": group["id"],
        **(group.get("labels") or {}),
    }
    return NodeGroup(
        name=group["id"],
        capacity=capacity,
        allocatable=capacity,
        max_pods=group["pods"],
        min_size=group["min"],
        max_size=group["max"],
        initial=group["initial"],
        labels=tuple(sorted(labels.items())),
        taints=tuple(
            Taint(t["key"], t.get("value", ""), Effect(t["effect"])) for t in group.get("taints") or ()
        ),
        zone=group.get("zone") or "",
        provision_s=Constant(group["provisioning_delay_s"]),
        deletion_s=Constant(group["deletion_delay_s"]),
        fail_windows=tuple(
            FailWindow(
                window["from"] * SECOND,
                window["to"] * SECOND,
                FailMode(window["mode"]),
                window.get("after_s", 0) * SECOND,
                window.get("allow", 0),
            )
            for window in group.get("fail_windows") or ()
        ),
    )


def class_of(pod: Case, grace_s: int) -> PodClass:
    asked = Resources(cpu_m=pod["cpu_m"], memory_mib=pod["mem_mib"])
    return PodClass(
        name=pod["owner"],
        requests=asked,
        container_requests=asked,
        owner=pod["owner"],
        labels=(("app", pod["owner"]),),
        node_selector=tuple(sorted((pod.get("node_selector") or {}).items())),
        tolerations=tuple(
            Toleration(
                t.get("key", ""),
                t.get("value", ""),
                Effect(t["effect"]) if t.get("effect") else None,
                t.get("operator") == "Exists",
            )
            for t in pod.get("tolerations") or ()
        ),
        priority=pod.get("priority") or 0,
        grace_us=grace_s * SECOND,
        safe_to_evict=pod.get("safe_to_evict"),
        anti_affinity=bool(pod.get("anti_affinity")),
        scale_up_delay_us=duration_us(pod["scale_up_delay"]) if pod.get("scale_up_delay") else 0,
    )


def daemon_of(daemon: Case) -> DaemonSet:
    asked = Resources(cpu_m=daemon["cpu_m"], memory_mib=daemon["mem_mib"])
    return DaemonSet(
        PodClass(daemon["id"], asked, asked, daemon["id"], tolerations=(Toleration(exists=True),))
    )


def simulate(
    case: Case, options: AutoscalerOptions, seed: int = 0, *, skip_quiet_looks: bool = True
) -> EventLog:
    """Run a case's world up to and including its horizon."""
    world = case["world"]
    horizon_us = world["horizon_s"] * SECOND
    cluster = Cluster(
        node_groups=tuple(group_of(group) for group in case["groups"]),
        daemon_sets=tuple(daemon_of(daemon) for daemon in world.get("daemonsets") or ()),
    )
    latency = replace(Latencies(), container_start_s=Constant(0))
    clock = Clock()
    streams = Streams(seed)
    state = ClusterState(clock, EventLog(horizon_us=horizon_us), cluster)
    FirstFitScheduler(clock, state)
    Kubelets(clock, state, latency, streams)
    node_groups = NodeGroups(clock, state, latency.ec2, streams)
    node_groups.start()
    Autoscaler(clock, state, node_groups, options, streams, skip_quiet_looks=skip_quiet_looks).start()
    pods = sorted(case["pods"], key=lambda pod: (pod["arrival"], pod["id"]))
    arrivals = (
        (
            pod["arrival"] * SECOND,
            state.pod_class(class_of(pod, world.get("termination_grace_s") or 0)),
            -1 if pod["duration_s"] is None else pod["duration_s"] * SECOND,
        )
        for pod in pods
    )
    PlainPods(clock, state, "pods", arrivals)
    clock.run_until(horizon_us + 1)
    state.check()
    return state.log


# -- the trace, from the event log ------------------------------------------------------------

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
        for time_us, group, _ in self.nodes:
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


# -- the summary ------------------------------------------------------------------------------


def summary_of(log: EventLog, case: Case, trace: list[Event]) -> dict[str, Any]:
    horizon_s = case["world"]["horizon_s"]
    reader = Trace(log, case)
    node_seconds = dict.fromkeys(reader.groups, 0)
    instance_seconds = dict.fromkeys(reader.groups, 0)
    steps = []
    for node, (requested_us, _, _) in enumerate(reader.nodes):
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


# -- comparison -------------------------------------------------------------------------------


def compare(case: Case) -> list[str]:
    """Return what differs, the first event and every summary field; empty if exact."""
    try:
        options = options_of(case)
    except LookupError as unknown:
        return [str(unknown)]
    log = simulate(case, options)
    trace = Trace(log, case).events()
    differences = []
    for index in range(max(len(trace), len(case["trace"]))):
        ours = trace[index] if index < len(trace) else None
        theirs = case["trace"][index] if index < len(case["trace"]) else None
        if ours != theirs:
            differences.append(f"event {index}: recorded {theirs}, simulated {ours}")
            break
    summary = summary_of(log, case, trace)
    for name, recorded in case["summary"].items():
        simulated = summary.get(name)
        if not _equal(simulated, recorded):
            differences.append(f"summary {name}: recorded {recorded}, simulated {simulated}")
    return differences


def _equal(simulated: Any, recorded: Any) -> bool:
    if isinstance(simulated, float):
        return bool(round(simulated, 3) == recorded)  # as recordings are rounded
    return bool(simulated == recorded)


def load(folder: Path) -> Iterator[Case]:
    for path in sorted(folder.glob("*.jsonl")):
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                if line.strip():
                    yield json.loads(line)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Replay recorded autoscaler runs and compare.")
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--case", help="only this case")
    parser.add_argument("--category", help="only this category")
    parser.add_argument("--diff", action="store_true", help="say what differs first in each failing case")
    asked = parser.parse_args(arguments)
    total: Counter[str] = Counter()
    exact: Counter[str] = Counter()
    for case in load(asked.folder):
        if asked.case not in (None, case["id"]) or asked.category not in (None, case["category"]):
            continue
        differences = compare(case)
        total[case["category"]] += 1
        exact[case["category"]] += not differences
        if differences and asked.diff:
            print(f"{case['id']}:", *differences, sep="\n  ")
    for category in sorted(total):
        print(f"{category}: {exact[category]} / {total[category]}")
    print(f"{exact.total()}/{total.total()} cases exact")
    return 0 if total.total() and exact.total() == total.total() else 1


if __name__ == "__main__":
    sys.exit(main())
