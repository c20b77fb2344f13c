"""Kubernetes manifests a plan needs beside its pipelines: priority classes, and pods that hold room warm.

A placeholder asks for room and does nothing. Its priority is below that of any work, so that work takes its
place at once, and the placeholder, Pending, makes the autoscaler buy the next node before it is needed.

Source: kubernetes/autoscaler cluster-autoscaler/FAQ.md, "How can I configure overprovisioning with Cluster
Autoscaler?"; cluster-autoscaler.md §9 (expendable-pods-priority-cutoff).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sim.documents.yaml_write import yaml_text
from sim.model.pods import Pairs, PodClass, Toleration

PAUSE = "registry.k8s.io/pause:3.9"
Manifest = dict[str, Any]


def manifests_text(manifests: Iterable[Manifest]) -> str:
    """Return manifests as one file for ``kubectl apply -f``."""
    return "---\n".join(map(yaml_text, manifests))


def priority_class(name: str, value: int) -> Manifest:
    """Return a priority class."""
    return {
        "apiVersion": "scheduling.k8s.io/v1",
        "kind": "PriorityClass",
        "metadata": {"name": name},
        "value": value,
        "globalDefault": False,
    }


def placeholder(pods: PodClass, replicas: int, priority: str) -> Manifest:
    """Return the Deployment of pods that hold room, as the base load states them."""
    labels = dict(pods.labels) | {"app": pods.name}
    template: Manifest = {
        "metadata": {"labels": labels, **_annotations(pods)},
        "spec": {
            "priorityClassName": priority,
            "terminationGracePeriodSeconds": pods.grace_us // 1_000_000,
            **_mapping("nodeSelector", pods.node_selector),
            **({"tolerations": [_toleration(each) for each in pods.tolerations]} if pods.tolerations else {}),
            "containers": [{"name": "pause", "image": PAUSE, "resources": _resources(pods)}],
        },
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": pods.name, "namespace": pods.namespace, "labels": labels},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": pods.name}},
            "template": template,
        },
    }


def _annotations(pods: PodClass) -> Mapping[str, Any]:
    if pods.safe_to_evict is None:
        return {}
    key = "cluster-autoscaler.kubernetes.io/safe-to-evict"
    return {"annotations": {key: str(pods.safe_to_evict).lower()}}


def _mapping(key: str, pairs: Pairs) -> Mapping[str, Any]:
    return {key: dict(pairs)} if pairs else {}


def _toleration(toleration: Toleration) -> Manifest:
    told = {"key": toleration.key, "operator": "Exists" if toleration.exists else "Equal"}
    told |= {} if toleration.exists else {"value": toleration.value}
    told |= {"effect": toleration.effect.value} if toleration.effect else {}
    return {key: value for key, value in told.items() if value or key == "value"}


def _resources(pods: PodClass) -> Manifest:
    asked = pods.requests
    amounts = {
        "cpu": f"{asked.cpu_m}m" if asked.cpu_m else "",
        "memory": f"{asked.memory_mib}Mi" if asked.memory_mib else "",
        "ephemeral-storage": f"{asked.ephemeral_mib}Mi" if asked.ephemeral_mib else "",
    }
    told: Manifest = {"requests": {key: value for key, value in amounts.items() if value}}
    return told | ({"limits": {"nvidia.com/gpu": asked.gpu}} if asked.gpu else {})
