"""A live cluster as kubectl prints it, built piece by piece.

The node's figures are those of a real m5.xlarge on EKS: capacity 15919124Ki, allocatable 14902292Ki and
95551679124 bytes of disk, 58 pods (aws.md §7.1).
"""

from __future__ import annotations

import json
from typing import Any

ROOM = {"cpu": "3920m", "memory": "14902292Ki", "ephemeral-storage": "95551679124", "pods": "58"}


def a_node(
    name: str = "n1",
    group: str = "workers",
    instance_type: str = "m5.xlarge",
    *,
    labels: dict[str, str] | None = None,
    taints: list[dict[str, str]] | None = None,
    room: dict[str, str] | None = None,
    ready: str = "True",
) -> dict[str, Any]:
    own = {
        "eks.amazonaws.com/nodegroup": group,
        "eks.amazonaws.com/capacityType": "ON_DEMAND",
        "alpha.eksctl.io/cluster-name": "live",
        "kubernetes.io/os": "linux",
        "node.kubernetes.io/instance-type": instance_type,
        "topology.kubernetes.io/region": "us-east-1",
        "topology.kubernetes.io/zone": "us-east-1a",
    }
    return {
        "kind": "Node",
        "metadata": {"name": name, "labels": {**own, **(labels or {})}},
        "spec": {"taints": taints or []},
        "status": {
            "allocatable": {**ROOM, "hugepages-2Mi": "0", **(room or {})},
            "conditions": [{"type": "MemoryPressure", "status": "False"}, {"type": "Ready", "status": ready}],
            "nodeInfo": {"kubeletVersion": "v1.33.1-eks-113cf36"},
        },
    }


def a_container(cpu: str = "", memory: str = "", **more: Any) -> dict[str, Any]:
    requests = {name: amount for name, amount in (("cpu", cpu), ("memory", memory)) if amount}
    return {"name": "c", "image": "i", "resources": {"requests": requests} if requests else {}, **more}


def a_pod(
    name: str,
    owner: str = "",
    kind: str = "ReplicaSet",
    *containers: dict[str, Any],
    node: str = "n1",
    namespace: str = "default",
    labels: dict[str, str] | None = None,
    annotations: dict[str, str] | None = None,
    phase: str = "Running",
    **spec: Any,
) -> dict[str, Any]:
    owners = [{"kind": kind, "name": owner, "controller": True}] if owner else []
    return {
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": labels or {},
            "annotations": annotations or {},
            "ownerReferences": owners,
        },
        "spec": {"nodeName": node, "containers": list(containers or [a_container("100m", "128Mi")]), **spec},
        "status": {"phase": phase},
    }


def printed(*items: dict[str, Any]) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": list(items)}, indent=1)


def a_cluster() -> str:
    """Return a small cluster: two workers, a GPU node, daemons, base load, workers of a pipeline, a Job."""
    gpu_taint = {"key": "nvidia.com/gpu", "value": "true", "effect": "NoSchedule"}
    gpu_room = {"memory": "15225000Ki", "pods": "29", "nvidia.com/gpu": "1"}
    daemons = [
        a_pod(f"aws-node-{n}", "aws-node", "DaemonSet", a_container("50m"), node=n, namespace="kube-system")
        for n in ("n1", "n2", "g1")
    ]
    plugin = a_pod(
        "plugin-1",
        "nvidia-device-plugin",
        "DaemonSet",
        a_container("10m", "20Mi"),
        node="g1",
        namespace="kube-system",
        nodeSelector={"pool": "gpu"},
        tolerations=[{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}],
    )
    hash_label = {"pod-template-hash": "5d4f"}
    pachd = a_pod(
        "pachd-5d4f-x",
        "pachd-5d4f",
        "ReplicaSet",
        a_container("1", "2G"),
        namespace="pachyderm",
        labels=hash_label,
        priority=0,
        volumes=[{"name": "tmp", "emptyDir": {}}],
    )
    coredns = [
        a_pod(
            f"coredns-{n}",
            "coredns-5d4f",
            "ReplicaSet",
            a_container("100m", "70Mi"),
            node=n,
            namespace="kube-system",
            labels=hash_label,
            priority=2_000_000_000,
            priorityClassName="system-cluster-critical",
        )
        for n in ("n1", "n2")
    ]
    command = ["./cluster-autoscaler", "--v=4", "--expander=least-waste", "--scan-interval=20s"]
    autoscaler = a_pod(
        "cluster-autoscaler-5d4f-x",
        "cluster-autoscaler-5d4f",
        "ReplicaSet",
        a_container("100m", "600Mi", image="r/cluster-autoscaler:v1.33.0", command=command),
        namespace="kube-system",
        labels=hash_label,
        annotations={"cluster-autoscaler.kubernetes.io/safe-to-evict": "false"},
    )
    worker_labels = {"app": "pipeline", "suite": "pachyderm", "component": "worker", "pipelineName": "edges"}
    worker = a_pod("default-edges-v1-x", "default-edges-v1", "ReplicationController", labels=worker_labels)
    job = a_pod("nightly-1", "nightly", "Job")
    ended = a_pod("old", "old", "ReplicaSet", phase="Succeeded")
    nodes = [
        a_node("n1", labels={"pool": "cpu"}),
        a_node("n2", labels={"pool": "cpu"}, room={"memory": "14900000Ki"}),
        a_node("g1", "gpu_spot", "g4dn.xlarge", labels={"pool": "gpu"}, taints=[gpu_taint], room=gpu_room),
        a_node("n3", ready="Unknown"),
        {"kind": "Node", "metadata": {"name": "f", "labels": {"eks.amazonaws.com/compute-type": "fargate"}}},
    ]
    nodes[2]["metadata"]["labels"]["eks.amazonaws.com/capacityType"] = "SPOT"
    pods = [*daemons, plugin, pachd, *coredns, autoscaler, worker, job, ended]
    return printed(*nodes, *pods)
