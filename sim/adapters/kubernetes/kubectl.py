"""A live cluster as ``kubectl get nodes,pods -A -o json`` prints it: node groups, daemons and base load.

Nothing is asked of the cluster itself. Nodes are put together by the group that EKS, eksctl or Karpenter
labels them with; pods by what re-creates them. Pods that end by themselves, and Pachyderm's workers, are no
base load.

Sources: aws.md §6 and §9.4 (labels), Kubernetes v1.33 well-known labels and taints, kubernetes/autoscaler
1.31.5 utils/taints/taints.go (its own taints).
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sim.adapters.cluster_autoscaler.read import (
    PRIORITIES_CONFIG_MAP,
    ReadAutoscaler,
    autoscaler_container,
    expander_priorities,
    read_container,
)
from sim.adapters.kubernetes.kubectl_pods import LivePods, amounts, read_pod, resources_of
from sim.documents.fields import Field, root
from sim.documents.yaml_nodes import MAX_VALUES
from sim.documents.yaml_read import BYTES_A_VALUE, Document, read_file, read_text
from sim.errors import InputError
from sim.model.notices import Notice
from sim.model.pods import Controller, Effect, Pairs, Taint
from sim.model.quantity import whole
from sim.model.resources import Resources

MOST_BYTES = 64_000_000  # a pod takes about 8 KB
DEFAULT_MAX_PODS = 110  # kubelet maxPods
LONGEST_COUNT = 9
GIB = 2**30
NAMED = 3  # of a long list
ALLOWED = "what kubectl get nodes,pods -A -o json prints"
EKS_GROUP, EKSCTL_GROUP = "eks.amazonaws.com/nodegroup", "alpha.eksctl.io/nodegroup-name"
KARPENTER_GROUP = "karpenter.sh/nodepool"
CLUSTER_LABEL = "alpha.eksctl.io/cluster-name"
COMPUTE_TYPE, FARGATE = "eks.amazonaws.com/compute-type", "fargate"
CAPACITY_TYPES = ("eks.amazonaws.com/capacityType", "karpenter.sh/capacity-type", "node-lifecycle")
INSTANCE_TYPES = ("node.kubernetes.io/instance-type", "beta.kubernetes.io/instance-type")
ZONE, REGION = "topology.kubernetes.io/zone", "topology.kubernetes.io/region"
_SYSTEMS = r"kubernetes\.io|k8s\.io|eks\.amazonaws\.com|eksctl\.io|karpenter\.sh|k8s\.aws|csi\.aws\.com"
_SYSTEM_LABEL = re.compile(rf"(.+\.)?({_SYSTEMS})/.+|(nvidia|vpc\.amazonaws)\.com/.+|node-lifecycle")
# What a node has while it starts or goes: the kubelet's, agents' and drivers', Karpenter's, the autoscaler's.
_PASSING_TAINT = re.compile(
    r"(.+\.)?kubernetes\.io/.+|karpenter\.sh/.+|(.+/)?(.*-)?(not-ready|uninitialized|unregistered)"
    r"|(ToBeDeleted|DeletionCandidate).*"
)
# What kubectl cluster-info dump prints between its lists.
_LOGS = re.compile(r"^==== START logs for .*?^==== END logs for [^\n]*$", re.MULTILINE | re.DOTALL)
_MINOR = re.compile(r"v?1\.(\d{1,3})[.+-].*")
_EFFECTS = {effect.value: effect for effect in Effect}


@dataclass(frozen=True, slots=True)
class LiveNode:
    """One node: its group, what it is and what pods may request of it; a disk of 0 is not known."""

    name: str
    group: str
    managed: bool
    instance_type: str
    allocatable: Resources
    max_pods: int
    disk_gib: int = 0
    zone: str = ""
    spot: bool = False
    labels: Pairs = ()
    taints: tuple[Taint, ...] = ()


@dataclass(frozen=True, slots=True)
class LiveGroup:
    """The nodes of one group; ``allocatable`` is the least of those of its most frequent type.

    ``instance_types`` are in the order of their number, ``labels`` and ``taints`` those that all nodes have
    and that neither Kubernetes nor AWS put there.
    """

    name: str
    managed: bool
    spot: bool
    nodes: int
    instance_types: tuple[str, ...]
    allocatable: Resources
    max_pods: int
    disk_gib: int = 0
    zones: tuple[str, ...] = ()
    labels: Pairs = ()
    taints: tuple[Taint, ...] = ()


@dataclass(frozen=True, slots=True)
class LiveCluster:
    """A cluster on one day; empty texts where nothing says them."""

    name: str
    region: str
    version: str
    groups: tuple[LiveGroup, ...]
    daemon_sets: tuple[LivePods, ...]
    base_load: tuple[LivePods, ...]
    group_of_node: dict[str, str]
    autoscaler: ReadAutoscaler | None = None
    notices: tuple[Notice, ...] = ()


def read_live_file(path: Path) -> LiveCluster:
    """Return the cluster that a file tells of."""
    return read_live([root(document) for document in read_file(path, MOST_BYTES, without_logs)])


def without_logs(text: str, file: str) -> Iterator[Document]:
    """Yield the documents of a dump, as of any other text, once the logs in it are gone."""
    lists = _LOGS.sub(lambda logs: "\n" * logs[0].count("\n"), text)
    yield from read_text(lists, file, json_values=max(MAX_VALUES, len(text) // BYTES_A_VALUE))


def read_live(documents: Sequence[Field]) -> LiveCluster:
    """Return the cluster that lists of nodes and pods tell of, in one document or several."""
    items = [item for document in documents for item in _items(document)]
    nodes = [item for item in items if item.mapping().get("kind") == "Node"]
    pods = [item for item in items if item.mapping().get("kind") == "Pod"]
    config_maps = [item for item in items if item.mapping().get("kind") == "ConfigMap"]
    if not nodes:
        raise documents[0].error("holds no nodes", allowed=ALLOWED)
    reader = _Reader(documents[0], [])
    live = [node for item in nodes if (node := reader.node(item)) is not None]
    loads = _by_controller(pod for item in pods if (pod := read_pod(item)) is not None)
    labels = dict(_metadata(nodes[0]).pairs_at("labels"))
    return LiveCluster(
        name=labels.get(CLUSTER_LABEL, ""),
        region=labels.get(REGION, ""),
        version=_version(nodes),
        groups=tuple(_groups(live)),
        daemon_sets=tuple(each for each in loads if each.controller is Controller.DAEMON_SET),
        base_load=tuple(reader.base_load(loads)),
        group_of_node={node.name: node.group for node in live},
        autoscaler=reader.autoscaler(pods, config_maps),
        notices=tuple(reader.notices),
    )


def _items(document: Field) -> list[Field]:
    kind = document.mapping().get("kind")
    if not isinstance(kind, str) or not kind.endswith("List"):
        return [document]
    of_what = (
        {"kind": kind.removesuffix("List")} if kind != "List" else {}
    )  # items of a typed list have no kind
    return [Field(item.document, item.path, of_what | item.mapping()) for item in document.items_at("items")]


def _metadata(item: Field) -> Field:
    metadata = item.child("metadata")
    if metadata is None:
        raise item.missing("metadata", ALLOWED)
    return metadata


def _by_controller(pods: Iterable[LivePods]) -> list[LivePods]:
    found: dict[tuple[str, Controller, str], LivePods] = {}
    for pod in pods:
        key = (pod.namespace, pod.controller, pod.name)
        found[key] = found[key].beside(pod) if key in found else pod
    return [found[key] for key in sorted(found, key=lambda key: (key[0], key[2], key[1].value))]


def _groups(nodes: Sequence[LiveNode]) -> Iterator[LiveGroup]:
    for name in dict.fromkeys(node.group for node in nodes):
        members = [node for node in nodes if node.group == name]
        types = Counter(node.instance_type for node in members)
        ranked = sorted(types, key=lambda each: (-types[each], each))
        rooms = [node.allocatable for node in members if node.instance_type == ranked[0]]
        yield LiveGroup(
            name=name,
            managed=members[0].managed,
            spot=all(node.spot for node in members),
            nodes=len(members),
            instance_types=tuple(ranked),
            allocatable=Resources(
                min(room.cpu_m for room in rooms),
                min(room.memory_mib for room in rooms),
                min(room.ephemeral_mib for room in rooms),
                min(room.gpu for room in rooms),
            ),
            max_pods=min(node.max_pods for node in members if node.instance_type == ranked[0]),
            disk_gib=max(node.disk_gib for node in members if node.instance_type == ranked[0]),
            zones=tuple(sorted({node.zone for node in members if node.zone})),
            labels=tuple(pair for pair in members[0].labels if all(pair in node.labels for node in members)),
            taints=tuple(
                taint for taint in members[0].taints if all(taint in node.taints for node in members)
            ),
        )


def _version(nodes: Sequence[Field]) -> str:
    """Return the oldest Kubernetes minor of the nodes' kubelets."""
    minors = []
    for node in nodes:
        status = node.child("status")
        info = status.child("nodeInfo") if status else None
        if match := _MINOR.fullmatch(info.text_at("kubeletVersion") if info else ""):
            minors.append(int(match[1]))
    return f"1.{min(minors)}" if minors else ""


class _Reader:
    """Reads nodes and pods, noting what is left out."""

    def __init__(self, at: Field, notices: list[Notice]) -> None:
        self.at = at
        self.notices = notices

    def node(self, item: Field) -> LiveNode | None:
        """Return a node of a group, or None for one that counts for nothing: Fargate's, or not ready."""
        metadata, status = _metadata(item), item.child("status")
        name, labels = metadata.text_at("name"), metadata.pairs_at("labels")
        said = dict(labels)
        if said.get(COMPUTE_TYPE) == FARGATE:
            return None
        room = status.child("allocatable") if status else None
        if room is None:
            raise item.missing("status.allocatable", ALLOWED)
        if not _is_ready(status):
            self.notices.append(item.notice(f"{name} is not Ready and is left out"))
            return None
        instance_type = next((said[key] for key in INSTANCE_TYPES if key in said), "")
        if not instance_type:
            raise metadata.error(f"has no label {INSTANCE_TYPES[0]}", allowed="a node of EC2 or Fargate")
        spec, pods = item.child("spec"), room.child("pods")
        return LiveNode(
            name=name,
            group=self._group(item, said, instance_type),
            managed=EKS_GROUP in said,
            instance_type=instance_type,
            allocatable=resources_of(amounts(room), capacity=True),
            max_pods=_whole(pods) if pods else DEFAULT_MAX_PODS,
            disk_gib=_disk_gib(status),
            zone=said.get(ZONE, ""),
            spot=any(said.get(key, "").lower() == "spot" for key in CAPACITY_TYPES),
            labels=tuple(pair for pair in labels if not _SYSTEM_LABEL.fullmatch(pair[0])),
            taints=tuple(self._taints(spec)) if spec else (),
        )

    def _group(self, item: Field, labels: dict[str, str], instance_type: str) -> str:
        for key in (EKS_GROUP, EKSCTL_GROUP):
            if key in labels:
                return labels[key]
        if KARPENTER_GROUP in labels:
            name = labels[KARPENTER_GROUP]
            self._say(
                item, f"is of Karpenter's pool {name}, simulated as a node group of the Cluster Autoscaler"
            )
            return name
        name = f"nodes-{instance_type.replace('.', '-')}"
        self._say(item, f"has no label that names its group, and is put into {name}")
        return name

    def _say(self, item: Field, message: str) -> None:
        """Note something of a node once, not again for each of its kind."""
        if all(not each.message.endswith(message) for each in self.notices):
            self.notices.append(item.notice(f"{_metadata(item).text_at('name')} {message}"))

    def _taints(self, spec: Field) -> Iterator[Taint]:
        for item in spec.items_at("taints"):
            key, effect = item.text_at("key"), item.text_at("effect")
            if _PASSING_TAINT.fullmatch(key):
                continue
            if effect not in _EFFECTS:
                raise item.error(f"has the effect {effect!r}", allowed=", ".join(_EFFECTS))
            yield Taint(key, item.text_at("value"), _EFFECTS[effect])

    def base_load(self, loads: Sequence[LivePods]) -> Iterator[LivePods]:
        """Yield what is always there, and note what is not."""
        workers = sum(each.replicas for each in loads if each.worker)
        jobs = [each for each in loads if each.controller is Controller.JOB and not each.worker]
        if workers:
            self.notices.append(
                self.at.notice(f"holds {workers} pipeline workers, which the pipelines bring")
            )
        if jobs:
            told = ", ".join(f"{each.namespace}/{each.name}" for each in jobs[:NAMED])
            few = f"{told} and {len(jobs) - NAMED} more" if len(jobs) > NAMED else told
            self.notices.append(self.at.notice(f"holds Jobs, which end and are left out: {few}"))
        for each in loads:
            if each.affinity and each.controller is not Controller.DAEMON_SET and not each.worker:
                problem = f"{each.namespace}/{each.name} has node affinity, which is left out"
                self.notices.append(self.at.notice(problem))
            if each.controller not in {Controller.DAEMON_SET, Controller.JOB} and not each.worker:
                yield each

    def autoscaler(self, pods: Sequence[Field], config_maps: Sequence[Field]) -> ReadAutoscaler | None:
        """Return what the cluster's own autoscaler was started with."""
        for pod in pods:
            spec = pod.child("spec")
            container = autoscaler_container(spec) if spec else None
            if container is None:
                continue
            try:
                started = read_container(container)
                priorities = expander_priorities(config_maps)
                if "priority" in started.expander and priorities is None:
                    get = f"kubectl get configmap {PRIORITIES_CONFIG_MAP} -n kube-system -o json"
                    self.notices.append(self.at.notice(f"lacks the expander's priorities; append {get}"))
                return replace(started, priorities=priorities)
            except InputError as error:
                self.notices.append(self.at.notice(f"runs an autoscaler whose flags are left out: {error}"))
                return ReadAutoscaler({})
        return None


def _disk_gib(status: Field | None) -> int:
    """Return the size of the volume that a node's file system fills, which lacks a little of it."""
    capacity = status.child("capacity") if status else None
    storage = capacity.text_at("ephemeral-storage") if capacity else ""
    return math.ceil(whole(storage) / GIB) if storage else 0


def _whole(at: Field) -> int:
    text = str(at.value)
    if not (text.isascii() and text.isdecimal() and int(text[:9]) > 0 and len(text) <= LONGEST_COUNT):
        raise at.error(allowed="a whole number, 1 or more")
    return int(text)


def _is_ready(status: Field | None) -> bool:
    """Say whether a node is Ready; one that says nothing of it is."""
    for condition in status.items_at("conditions") if status else ():
        if condition.text_at("type") == "Ready":
            return condition.text_at("status") == "True"
    return True
