"""Histories: what a pod or a node went through so far, from the log, for an error that names it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.model.log import NodeState, PodEnd

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sim.model.log import EventLog

US_PER_S = 1_000_000
POD_EVENTS = {
    "pod_unschedulable": "unschedulable",
    "fargate_granted": "granted by Fargate",
    "fargate_ready": "ready on Fargate",
    "pod_bound": "bound",
    "image_pulls": "pulling",
    "pod_pulled": "pulled",
    "pod_running": "running",
}


def of_pod(log: EventLog, pod: int) -> list[str]:
    """Return each step of a pod's life with its second, oldest first."""
    created_us = int(log["pods"].column("time_us")[pod])
    steps = [(time_us, word) for table, word in POD_EVENTS.items() for time_us in _instants(log, table, pod)]
    steps += [
        (time_us, f"ended {PodEnd(reason).name}")
        for time_us, _, reason in log["pod_ended"].where("pod", pod).tolist()
    ]
    return _told([(created_us, "created"), *sorted(steps, key=lambda step: step[0])])


def of_node(log: EventLog, node: int) -> list[str]:
    """Return each step of a node's life with its second, oldest first."""
    rows = log["node_states"].where("node", node).tolist()
    return _told((time_us, NodeState(state).name) for time_us, _, state in rows)


def _instants(log: EventLog, table: str, pod: int) -> list[int]:
    instants: list[int] = log[table].where("pod", pod)[:, 0].tolist()
    return instants


def _told(steps: Iterable[tuple[int, str]]) -> list[str]:
    return [f"{word} at {time_us / US_PER_S:g} s" for time_us, word in steps]
