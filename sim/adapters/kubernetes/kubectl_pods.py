"""Pods of a live cluster: what each asks for in all, and what re-creates it.

Requests are those the scheduler counts: the sum of the containers and native sidecars, or the largest init
container beside the sidecars started before it, plus the pod's overhead.

Source: Kubernetes v1.33 pkg/api/v1/resource/helpers.go PodRequests; kubernetes/autoscaler 1.31.5
utils/drain/drain.go (HasSafeToEvictAnnotation, hasLocalStorage); pachyderm.md §1.2 for a worker's labels.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from sim.documents.fields import Field
from sim.errors import InputError
from sim.model.pods import Controller, Effect, Pairs, Toleration
from sim.model.quantity import milli, whole
from sim.model.resources import MIB, Resources, mib_up
from sim.model.units import SECOND

ALIVE = ("Running", "Pending")
DEFAULT_GRACE_S = 30
NATIVE_SIDECAR = "Always"
HASH = "pod-template-hash"
SAFE_TO_EVICT = "cluster-autoscaler.kubernetes.io/safe-to-evict"
WORKER = {"suite": "pachyderm", "component": "worker"}
NODE = "Node"  # owner of a static pod, which is on its node whatever happens
GPUS = ("nvidia.com/gpu", "amd.com/gpu")
COUNTED = ("cpu", "memory", "ephemeral-storage", *GPUS)
MOST = 2**63 - 1
Amounts = Counter[str]
_OWNERS = {controller.value: controller for controller in Controller}
AUTOMATIC = "node.kubernetes.io/"  # tolerations that Kubernetes adds by itself
_EFFECTS = {effect.value: effect for effect in Effect}


@dataclass(frozen=True, slots=True)
class LivePods:
    """Pods of one controller; ``requests`` is the most that any asks for, ``nodes`` where they are."""

    name: str
    namespace: str
    controller: Controller
    requests: Resources
    replicas: int = 1
    nodes: frozenset[str] = frozenset()
    labels: Pairs = ()
    selector: Pairs = ()
    tolerations: tuple[Toleration, ...] = ()
    priority: int = 0
    priority_class: str = ""
    grace_us: int = DEFAULT_GRACE_S * SECOND
    safe_to_evict: bool | None = None
    local_storage: bool = False
    affinity: bool = False

    @property
    def worker(self) -> bool:
        """Say whether they work for a Pachyderm pipeline."""
        return WORKER.items() <= dict(self.labels).items()

    def beside(self, other: LivePods) -> LivePods:
        """Return both as one, where they are of the same controller."""
        most = Resources(
            max(self.requests.cpu_m, other.requests.cpu_m),
            max(self.requests.memory_mib, other.requests.memory_mib),
            max(self.requests.ephemeral_mib, other.requests.ephemeral_mib),
            max(self.requests.gpu, other.requests.gpu),
        )
        replicas = self.replicas + other.replicas
        return replace(self, requests=most, replicas=replicas, nodes=self.nodes | other.nodes)


def read_pod(pod: Field) -> LivePods | None:
    """Return one pod, or None for one that has ended or is about to."""
    metadata, spec, status = (pod.child(key) for key in ("metadata", "spec", "status"))
    if metadata is None or spec is None:
        raise pod.missing("metadata" if metadata is None else "spec", "what kubectl -o json prints")
    phase = status.text_at("phase", ALIVE[0]) if status else ALIVE[0]
    if phase not in ALIVE or metadata.child("deletionTimestamp"):
        return None
    node, labels = spec.text_at("nodeName"), metadata.pairs_at("labels")
    name, controller = _owner(metadata, dict(labels), node)
    annotations = dict(metadata.pairs_at("annotations"))
    grace_s = spec.integer_at("terminationGracePeriodSeconds")
    priority = spec.child("priority")
    affinity = spec.child("affinity")
    return LivePods(
        name=name,
        namespace=metadata.text_at("namespace", "default"),
        controller=controller,
        requests=pod_requests(spec),
        nodes=frozenset({node} if node else ()),
        labels=labels,
        selector=spec.pairs_at("nodeSelector"),
        tolerations=tuple(each for item in spec.items_at("tolerations") if (each := _toleration(item))),
        priority=priority.integer() if priority else 0,
        priority_class=spec.text_at("priorityClassName"),
        grace_us=(DEFAULT_GRACE_S if grace_s is None else grace_s) * SECOND,
        safe_to_evict={"true": True, "false": False}.get(annotations.get(SAFE_TO_EVICT, "")),
        local_storage=any(_is_local(volume) for volume in spec.items_at("volumes")),
        affinity=affinity is not None and affinity.child("nodeAffinity") is not None,
    )


def pod_requests(spec: Field) -> Resources:
    """Return what the scheduler counts for a pod with this spec."""
    starting: Amounts = Counter()
    sidecars: Amounts = Counter()
    for container in spec.items_at("initContainers"):
        asked = _requests(container)
        if container.text_at("restartPolicy") == NATIVE_SIDECAR:
            sidecars += asked
            starting |= sidecars
        else:
            starting |= sidecars + asked
    running = sum(map(_requests, spec.items_at("containers")), start=sidecars)
    overhead = spec.child("overhead")
    return resources_of((running | starting) + (amounts(overhead) if overhead else Counter()))


def amounts(at: Field) -> Amounts:
    """Return a mapping of quantities: millicores, bytes, GPUs; other resources are not counted."""
    return Counter({name: _amount(place, name) for name, place in at.children() if name in COUNTED})


def resources_of(total: Amounts, *, capacity: bool = False) -> Resources:
    """Return amounts in the model's units: what is asked for rounds up to whole MiB, what there is down."""
    mib = (lambda amount: amount // MIB) if capacity else mib_up
    gpu = sum(total[name] for name in GPUS)
    return Resources(total["cpu"], mib(total["memory"]), mib(total["ephemeral-storage"]), gpu)


def _requests(container: Field) -> Amounts:
    resources = container.child("resources")
    said = resources.child("requests") if resources else None
    return amounts(said) if said else Counter()


def _amount(at: Field, name: str) -> int:
    text = str(at.value) if isinstance(at.value, int | str) and not isinstance(at.value, bool) else ""
    try:
        amount = milli(text) if name == "cpu" else whole(text)
    except InputError as error:
        raise at.locate(error) from None
    if not 0 <= amount <= MOST:
        raise at.error(allowed="a quantity from 0 to 2^63 - 1")
    return amount


def _owner(metadata: Field, labels: Mapping[str, str], node: str) -> tuple[str, Controller]:
    """Return name and kind of what re-creates a pod; a Deployment's name without its ReplicaSet's hash."""
    name = metadata.text_at("name") or metadata.text_at("generateName")
    owner = next(iter(metadata.items_at("ownerReferences")), None)
    if owner is None:
        return name, Controller.NONE
    kind, owner_name = owner.text_at("kind"), owner.text_at("name")
    if kind == NODE:
        return name.removesuffix(f"-{node}"), Controller.DAEMON_SET
    if kind == Controller.REPLICA_SET.value and (of_template := labels.get(HASH)):
        owner_name = owner_name.removesuffix(f"-{of_template}")
    return owner_name or name, _OWNERS.get(kind, Controller.CUSTOM)


def _toleration(item: Field) -> Toleration | None:
    """Return a toleration, or None for one that Kubernetes adds by itself."""
    key, effect = item.text_at("key"), item.text_at("effect")
    if key.startswith(AUTOMATIC):
        return None
    if effect and effect not in _EFFECTS:
        raise item.error(f"has the effect {effect!r}", allowed=", ".join(_EFFECTS))
    exists = item.text_at("operator") == "Exists"
    return Toleration(key, item.text_at("value"), _EFFECTS.get(effect), exists)


def _is_local(volume: Field) -> bool:
    """Say whether a volume pins its node: a hostPath, or an emptyDir that is not in memory."""
    empty = volume.child("emptyDir")
    in_memory = empty is not None and empty.text_at("medium") == "Memory"
    return volume.child("hostPath") is not None or (empty is not None and not in_memory)
