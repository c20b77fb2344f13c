"""Pods: plain ones, the base load and DaemonSets, from what the scenario says to pod classes."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, replace

from sim.decisions.kubernetes.empty_node import EKS_DAEMONS
from sim.decisions.kubernetes.scores import UNSET_CPU_M, UNSET_MEMORY_MIB
from sim.documents.fields import Field
from sim.errors import InputError, nearest
from sim.loader.compile.images import ImageSizes
from sim.loader.notes import Notes
from sim.loader.shape.placing import placing
from sim.loader.shape.pods import BaseLoadFile, DaemonSetFile, MovablePodFile, PodFile, PodsFile
from sim.model.arrivals import TraceArrivals
from sim.model.cluster import DaemonSet
from sim.model.pods import Controller, PodClass, Toleration
from sim.model.resources import Resources
from sim.model.scenario import BaseLoad, PodLoad

SYSTEM_NAMESPACE = "kube-system"
NODE_CRITICAL = "system-node-critical"
CLUSTER_CRITICAL = "system-cluster-critical"
BUILT_IN_PRIORITIES = {NODE_CRITICAL: 2_000_001_000, CLUSTER_CRITICAL: 2_000_000_000}
EVERYTHING = (Toleration(exists=True),)

DAEMON_SET_SOURCE = "cluster-autoscaler.md §6.3"
DEFAULT_DAEMON_SETS = tuple(
    DaemonSetFile(name=name, namespace=SYSTEM_NAMESPACE, requests=requests)
    for name, requests in EKS_DAEMONS.items()
)

_CHART = "pachyderm/pachyderm e237475e9910 etc/helm/pachyderm/values.yaml"
_CHART_EXAMPLE = f"assumption: the chart sets none, this is its commented example ({_CHART})"
_ONE_AND_TWO = Resources(cpu_m=1000, memory_mib=1908)  # cpu "1", memory "2G"
PACHYDERM_BASE_LOAD = (
    (BaseLoadFile(name="pachd", requests=_ONE_AND_TWO, local_storage=True), _CHART_EXAMPLE),
    (BaseLoadFile(name="etcd", requests=_ONE_AND_TWO, controller=Controller.STATEFUL_SET), _CHART_EXAMPLE),
    (
        BaseLoadFile(
            name="postgres",
            requests=Resources(cpu_m=250, memory_mib=256),
            controller=Controller.STATEFUL_SET,
        ),
        "pachyderm/pachyderm e237475e9910 etc/helm/pachyderm/dependencies/postgresql/values.yaml",
    ),
    (BaseLoadFile(name="pachyderm-proxy", requests=Resources(cpu_m=100, memory_mib=512)), _CHART),
)
COREDNS = BaseLoadFile(
    name="coredns",
    namespace=SYSTEM_NAMESPACE,
    requests=Resources(cpu_m=100, memory_mib=70),
    replicas=2,
    priority_class=CLUSTER_CRITICAL,
)
COREDNS_SOURCE = "EKS add-on manifest of coredns v1.11.1-eksbuild.8; two replicas by the EKS user guide"
AUTOSCALER = BaseLoadFile(
    name="cluster-autoscaler",
    namespace=SYSTEM_NAMESPACE,
    requests=Resources(cpu_m=100, memory_mib=600),
    priority_class=CLUSTER_CRITICAL,
    safe_to_evict=False,
)
AUTOSCALER_SOURCE = (
    "kubernetes/autoscaler 1.31.5 cloudprovider/aws/examples/cluster-autoscaler-autodiscover.yaml"
)


@dataclass(frozen=True, slots=True)
class PodMaker:
    """What turns pods of the file into classes: priorities by name, image sizes, what is noted."""

    priorities: Mapping[str, int]
    images: ImageSizes
    notes: Notes

    def priority(self, name: str, key: str = "priority_class") -> int:
        """Return the priority of a class, 0 for none; ``key`` is where the name stands."""
        if not name:
            return 0
        if name not in self.priorities:
            known = ", ".join(self.priorities)
            near = nearest(name, self.priorities)
            allowed = f"{known}, or one under cluster.priority_classes"
            raise InputError(field=key, value=name, allowed=allowed, nearest=near)
        return self.priorities[name]

    def plain(self, pods: PodsFile, at: Field) -> PodLoad:
        """Return plain pods; without a trace they need a duration, and with one they have it."""
        traced = isinstance(pods.arrivals, TraceArrivals)
        if pods.duration is None and not traced:
            raise at.missing("duration", "how long each pod runs")
        if traced:
            asked = pods.requests
            said = {
                "duration": pods.duration,
                "cpu": asked.cpu_m,
                "memory": asked.memory_mib,
                "gpu": asked.gpu,
            }
            if unused := ", ".join(key for key, value in said.items() if value):
                self.notes.warn(f"pods {pods.name}: what is said of {unused} is not used, the trace says it")
        pod_class = replace(
            self._movable(pods, pods.controller),
            anti_affinity=pods.anti_affinity,
            images=(self.images.user(pods.image),) if pods.image else (),
        )
        duration_s = None if traced else pods.duration
        return PodLoad(pods.name, pods.arrivals, pod_class, duration_s, pods.ttl_seconds_after_finished)

    def base(self, load: BaseLoadFile) -> BaseLoad:
        """Return pods that are always there; their images are on the node from the start."""
        pod_class = replace(
            self._movable(load, load.controller),
            disruptions_allowed=load.disruptions_allowed,
            spread=load.controller in {Controller.REPLICA_SET, Controller.STATEFUL_SET},
        )
        return BaseLoad(pod_class, load.replicas)

    def _movable(self, pods: MovablePodFile, controller: Controller) -> PodClass:
        return replace(
            _class(pods, controller),
            priority=self.priority(pods.priority_class) if pods.priority is None else pods.priority,
            grace_us=pods.grace,
            safe_to_evict=pods.safe_to_evict,
            local_storage=pods.local_storage,
            **placing(pods.affinity, pods.topology_spread, pods.preemption_policy),
        )

    def default_base_load(
        self, namespace: str, taken: Container[str], *, pachyderm: bool, autoscaler: bool
    ) -> tuple[BaseLoad, ...]:
        """Return what runs on a cluster besides the work, each with its source noted and a name not taken."""
        loads = [(replace(load, namespace=namespace), source) for load, source in PACHYDERM_BASE_LOAD]
        loads = (loads if pachyderm else []) + [(COREDNS, COREDNS_SOURCE)]
        loads += [(AUTOSCALER, AUTOSCALER_SOURCE)] if autoscaler else []
        loads = [
            (replace(load, name=f"base/{load.name}") if load.name in taken else load, source)
            for load, source in loads
        ]
        for load, source in loads:
            self.notes.assume(f"base_load[{load.name}]", requests_in_words(load), source)
        return tuple(self.base(load) for load, _ in loads)

    def daemon_sets(self, said: tuple[DaemonSetFile, ...] | None) -> tuple[DaemonSet, ...]:
        """Return the pods of every node; by default those that EKS itself brings."""
        if said is None:
            for load in DEFAULT_DAEMON_SETS:
                self.notes.assume(
                    f"cluster.daemonsets[{load.name}]", requests_in_words(load), DAEMON_SET_SOURCE
                )
        return tuple(self._daemon_set(load) for load in (DEFAULT_DAEMON_SETS if said is None else said))

    def _daemon_set(self, load: DaemonSetFile) -> DaemonSet:
        pod_class = replace(
            _class(load, Controller.DAEMON_SET),
            tolerations=load.tolerations or EVERYTHING,
            priority=BUILT_IN_PRIORITIES[NODE_CRITICAL],
        )
        return DaemonSet(pod_class)


def _class(pods: PodFile, controller: Controller) -> PodClass:
    return PodClass(
        name=pods.name,
        requests=pods.requests,
        container_requests=pods.requests,
        owner=pods.name,
        controller=controller,
        namespace=pods.namespace,
        labels=pods.labels,
        node_selector=pods.selector,
        tolerations=pods.tolerations,
        system=pods.namespace == SYSTEM_NAMESPACE,
        unset_cpu_m=0 if pods.requests.cpu_m else UNSET_CPU_M,
        unset_memory_mib=0 if pods.requests.memory_mib else UNSET_MEMORY_MIB,
    )


def requests_in_words(load: PodFile) -> str:
    """Return what pods ask for as a person says it."""
    replicas = f"{load.replicas} x " if isinstance(load, BaseLoadFile) and load.replicas > 1 else ""
    memory = f" {load.requests.memory_mib}Mi" if load.requests.memory_mib else ", no memory"
    return f"{replicas}{load.requests.cpu_m}m cpu{memory}"
