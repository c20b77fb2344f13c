"""Pods of a live cluster as a scenario says them: DaemonSets and the base load."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain, count
from typing import Any

from sim.adapters.kubernetes.kubectl import LiveCluster
from sim.adapters.kubernetes.kubectl_pods import AUTOMATIC, DEFAULT_GRACE_S, LivePods
from sim.draft.page import Page, without_empty
from sim.model.pods import Controller, Pairs, Toleration
from sim.model.resources import Resources
from sim.model.units import SECOND


def drafted_daemon_set(page: Page, pods: LivePods, live: LiveCluster) -> dict[str, Any]:
    """Return a DaemonSet; on every group it needs no selector, elsewhere what keeps it off the others."""
    covered = {live.group_of_node[node] for node in pods.nodes if node in live.group_of_node}
    said = {"name": pods.name, "namespace": pods.namespace, "requests": said_amounts(pods.requests)}
    if covered >= {group.name for group in live.groups}:
        return without_empty(said)
    if not pods.selector and not any(group.taints for group in live.groups if group.name not in covered):
        page.warnings.append(
            f"DaemonSet {pods.name} runs on {', '.join(sorted(covered)) or 'no node'} alone, by a rule that "
            "is not read; it is simulated on every node"
        )
    harmless = Toleration(f"{AUTOMATIC}not-ready", exists=True)  # an empty list would tolerate everything
    tolerations = [_toleration(each) for each in pods.tolerations or (harmless,)]
    return without_empty(said | {"selector": dict(pods.selector), "tolerations": tolerations})


def drafted_base_load(live: LiveCluster, pipelines: Iterable[str]) -> list[dict[str, Any]]:
    """Return ``base_load``: what is there whatever the pipelines do, each with a name of its own."""
    taken, drafted = set(pipelines), []
    for each in live.base_load:
        full = f"{each.namespace}/{each.name}"
        names = chain((each.name, full), (f"{full}-{n}" for n in count(2)))
        name = next(name for name in names if name not in taken)
        taken.add(name)
        drafted.append(_base_load(each, name, live))
    return drafted


def _base_load(pods: LivePods, name: str, live: LiveCluster) -> dict[str, Any]:
    on_fargate = bool(pods.nodes) and not any(node in live.group_of_node for node in pods.nodes)
    grace = "" if pods.grace_us == DEFAULT_GRACE_S * SECOND else f"{pods.grace_us // SECOND}s"
    labels: Pairs = pods.labels if on_fargate else ()
    said: dict[str, Any] = {
        "name": name,
        "namespace": pods.namespace,
        "replicas": pods.replicas,
        "requests": said_amounts(pods.requests),
        "controller": "" if pods.controller is Controller.REPLICA_SET else pods.controller.value,
        "labels": dict(labels),
        "selector": dict(pods.selector),
        "tolerations": [_toleration(each) for each in pods.tolerations],
        "priority": pods.priority or None,
        "grace": grace,
        "local_storage": pods.local_storage,
    }
    kept = without_empty(said)
    return kept if pods.safe_to_evict is None else kept | {"safe_to_evict": pods.safe_to_evict}


def said_amounts(amounts: Resources) -> dict[str, Any]:
    """Return what there is, or what is asked for, as a scenario says it."""
    said = {
        "cpu": f"{amounts.cpu_m}m" if amounts.cpu_m else "",
        "memory": f"{amounts.memory_mib}Mi" if amounts.memory_mib else "",
        "ephemeral": f"{amounts.ephemeral_mib}Mi" if amounts.ephemeral_mib else "",
        "gpu": amounts.gpu,
    }
    return {key: value for key, value in said.items() if value}


def _toleration(toleration: Toleration) -> dict[str, Any]:
    effect = toleration.effect.value if toleration.effect else ""
    operator = "Exists" if toleration.exists else ""
    return without_empty(
        {"key": toleration.key, "operator": operator, "value": toleration.value, "effect": effect}
    )
