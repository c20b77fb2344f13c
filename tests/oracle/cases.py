"""Recorded runs of the real autoscaler as ordinary clusters, simulated by the product's own engine.

Groups with fixed provision and deletion times, plain pods, first-fit scheduling, pinned orders.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sim.engine.aws.ec2 import NodeGroups
from sim.engine.clock import Clock
from sim.engine.cluster_autoscaler.autoscaler import Autoscaler
from sim.engine.kubernetes.first_fit import FirstFitScheduler
from sim.engine.kubernetes.kubelet import Kubelets
from sim.engine.kubernetes.plain_pods import PlainPods
from sim.engine.ports import Ports
from sim.engine.state import ClusterState
from sim.engine.streams import Streams
from sim.model.autoscaler import AutoscalerOptions, Orders
from sim.model.cluster import Cluster, DaemonSet, FailMode, FailWindow, NodeGroup
from sim.model.distributions import Constant
from sim.model.latency import Latencies
from sim.model.log import EventLog
from sim.model.pods import Effect, PodClass, Taint, Toleration
from sim.model.resources import Resources

Case = dict[str, Any]

SECOND = 1_000_000
UNITS = {"ms": 1_000, "s": SECOND, "m": 60 * SECOND, "h": 3_600 * SECOND}

DEFAULTS = AutoscalerOptions()
RANGES = {"cores-total": "cores_total", "memory-total": "memory_total_gib"}
ALIASES = {"max-empty-bulk-delete": "max-scale-down-parallelism"}


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
    return NodeGroup.alike(
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
    node_groups = NodeGroups(clock, state, latency.ec2, streams)
    autoscaler = Autoscaler(clock, state, node_groups, options, streams, skip_quiet_looks=skip_quiet_looks)
    kubelet = Kubelets(clock, state, latency, streams)
    state.connect(Ports(FirstFitScheduler(clock, state), kubelet, autoscaler=autoscaler))
    node_groups.start()
    autoscaler.start()
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
