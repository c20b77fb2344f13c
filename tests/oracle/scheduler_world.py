"""A recorded world of kube-scheduler as an ordinary cluster: every node a group of one, plain pods."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sim.decisions.kubernetes.scores import UNSET_CPU_M, UNSET_MEMORY_MIB, unset_request
from sim.engine.clock import Call, Clock, Phase
from sim.engine.entities import Node, Pod, PodState
from sim.engine.kubernetes.kube_scheduler import KubeScheduler
from sim.engine.kubernetes.placement import Placement
from sim.engine.kubernetes.preemptor import Preemptor
from sim.engine.ports import Ports
from sim.engine.state import ClusterState
from sim.engine.streams import Streams
from sim.model.cluster import Cluster, NodeGroup
from sim.model.log import EventLog, PodEnd
from sim.model.pods import (
    Controller,
    Effect,
    Image,
    NodePreference,
    Operator,
    PodClass,
    Requirement,
    Requirements,
    SpreadConstraint,
    Taint,
    Toleration,
)
from sim.model.resources import MIB, Resources

Case = dict[str, Any]

SPREAD_BY_DEFAULT = {"ReplicationController", "ReplicaSet", "StatefulSet"}
PLACED_BY_OTHERS = Phase.NODES_READY


def at_us(seconds: float) -> int:
    return round(seconds * 1_000_000)


# -- values -----------------------------------------------------------------------------------


def group_of(node: Case, name: str) -> NodeGroup:
    room = Resources(node["cpu_m"], node["mem_mib"], node.get("ephemeral_mib") or 0, node.get("gpu") or 0)
    labels = {"kubernetes.io/hostname": node["name"], **(node.get("labels") or {})}
    return NodeGroup.alike(
        name=name,
        capacity=room,
        allocatable=room,
        max_pods=node["pods"],
        labels=tuple(sorted(labels.items())),
        taints=tuple(
            Taint(taint["key"], taint.get("value", ""), Effect(taint["effect"]))
            for taint in node.get("taints") or ()
        ),
        zone=node.get("zone") or "",
    )


def requirements(terms: list[Case]) -> Requirements:
    return tuple(
        Requirement(term["key"], Operator(term["op"]), tuple(term.get("values") or ())) for term in terms
    )


def class_of(pod: Case, owners: dict[str, Case], sizes: dict[str, int]) -> PodClass:
    owner = pod.get("owner") or ""
    kind = owners.get(owner, {}).get("kind", "none")
    regular, init = pod["containers"], pod.get("init") or []
    affinity = pod.get("node_affinity") or {}
    selector = (Requirement("app", Operator.IN, (owner,)),)
    return PodClass(
        name=owner or "plain",
        requests=asked(regular, init),
        container_requests=asked(regular, []),
        owner=owner,
        controller=Controller(kind),
        labels=(("app", owner),) if owner else (),
        node_selector=tuple(sorted((pod.get("selector") or {}).items())),
        tolerations=tuple(
            Toleration(
                toleration.get("key") or "",
                toleration.get("value") or "",
                Effect(toleration["effect"]) if toleration.get("effect") else None,
                toleration.get("op") == "Exists",
            )
            for toleration in pod.get("tolerations") or ()
        ),
        priority=pod.get("priority") or 0,
        grace_us=at_us(pod.get("grace_s") or 0),
        disruptions_allowed=owners.get(owner, {}).get("disruptions_allowed"),
        anti_affinity=bool(pod.get("anti_affinity")),
        spread=kind in SPREAD_BY_DEFAULT,
        images=images_of([*init, *regular], sizes),
        unset_cpu_m=unset_request(*given(regular, init, "cpu_m"), UNSET_CPU_M),
        unset_memory_mib=unset_request(*given(regular, init, "mem_mib"), UNSET_MEMORY_MIB),
        node_affinity=tuple(requirements(term) for term in affinity.get("required") or ()),
        node_preferences=tuple(
            NodePreference(wish["weight"], requirements(wish["term"]))
            for wish in affinity.get("preferred") or ()
        ),
        spread_constraints=tuple(
            SpreadConstraint(wish["key"], selector, wish["skew"], wish["when"] == "DoNotSchedule")
            for wish in pod.get("spread") or ()
        ),
        preempts=pod.get("preemption") != "Never",
    )


def given(regular: list[Case], init: list[Case], key: str) -> tuple[list[int | None], list[int | None]]:
    return [container.get(key) for container in regular], [container.get(key) for container in init]


def asked(regular: list[Case], init: list[Case]) -> Resources:
    def amount(key: str) -> int:
        return max(
            [sum(box.get(key) or 0 for box in regular), *(box.get(key) or 0 for box in init)], default=0
        )

    return Resources(amount("cpu_m"), amount("mem_mib"), amount("ephemeral_mib"), amount("gpu"))


def images_of(containers: list[Case], sizes: dict[str, int]) -> tuple[Image, ...]:
    names = [container.get("image") or "" for container in containers]
    if not any(names):
        return ()
    return tuple(Image(name, sizes.get(name, 0) * MIB) for name in names)


class PinnedPreemptor(Preemptor):
    """Preemption whose search begins at the first node, as recorded."""

    def first(self, pod: Pod, nodes: int) -> int:
        return 0


# -- the world --------------------------------------------------------------------------------


class Pinned(Placement):
    """Placement that breaks ties as recorded: the first of the best nodes in world order."""

    def choose(self, view: Any, taken: Any = ()) -> Node | None:
        if not self.table.nodes:
            return None
        self.table.take_snapshot()
        feasible = self.feasible(view, taken)
        if not len(feasible):
            return None
        score = self.score(view, feasible)
        best: list[Node] = [self.table.nodes[i] for i in feasible[score == score.max()]]
        return min(best, key=lambda node: node.id)


class World:
    """A case up to the scheduler: nodes, pods and events come as told; nobody re-creates pods."""

    def __init__(self, case: Case, version: str) -> None:
        self.case = case
        self.owners = {owner["name"]: owner for owner in case.get("owners") or ()}
        self.told = [*case["nodes"], *(e["new"] for e in self._events("node_add"))]
        self.index = {node["name"]: number for number, node in enumerate(self.told)}
        self.sizes = {
            image["name"]: image["size_mib"]
            for node in [*self.told, *self._events("node_update")]
            for image in node.get("images") or ()
        }
        updates = [event for event in self._events("node_update") if "taints" in event]
        groups = [group_of(node, node["name"]) for node in self.told]
        self.variants: dict[int, int] = {}  # by event: the group that a node belongs to from then on
        for number, event in enumerate(updates):
            self.variants[id(event)] = len(groups)
            node = {**self.told[self.index[event["node"]]], "taints": event["taints"]}
            groups.append(group_of(node, f"{event['node']}-{number}"))
        self.clock = Clock()
        self.log = EventLog()
        cluster = Cluster(node_groups=tuple(groups), kubernetes_version=version.removeprefix("v"))
        self.state = ClusterState(self.clock, self.log, cluster, checks=False)
        self.scheduler = KubeScheduler(self.clock, self.state, cluster.scheduler, Streams(0))
        self.scheduler.placement = Pinned(self.scheduler.table)
        self.scheduler.preemptor.__class__ = PinnedPreemptor
        self.scheduler.preemptor.domains = self.scheduler.placement.domains
        self.nodes: dict[str, Node] = {}
        self.pods: dict[str, Pod] = {}
        self.names: list[str] = []
        self.direct = False
        self.state.connect(Ports(self, self))
        self._tell()

    def _events(self, kind: str) -> Iterator[Case]:
        return (event for event in self.case.get("events") or () if event["kind"] == kind)

    def _tell(self) -> None:
        for node in self.case["nodes"]:
            self._at(0, Phase.NODES_READY, self._add_node, node)
        events = sorted(self.case.get("events") or (), key=lambda event: event["at"])
        for event in events:
            kind = event["kind"]
            if kind == "node_add":
                self._at(event["at"], Phase.NODES_READY, self._add_node, event["new"])
            elif kind == "node_update":
                self._at(event["at"], Phase.NODES_READY, self._update_node, event)
            elif kind == "node_remove":
                self._at(event["at"], Phase.PODS_ENDED, self._remove_node, event)
            else:
                self._at(event["at"], Phase.PODS_ENDED, self._end_pod, event)
        for pod in sorted(self.case["pods"], key=lambda pod: pod["at"]):
            phase = Phase.NODES_READY if pod.get("node") else Phase.ARRIVALS
            self._at(pod["at"], phase, self._add_pod, pod)

    def _at(self, seconds: float, phase: Phase, callback: Any, argument: Case) -> None:
        def call(due: Call[Case]) -> None:
            callback(due.argument)

        self.clock.at(at_us(seconds), phase, call, argument)

    # -- what happens -----------------------------------------------------------------------

    def _add_node(self, told: Case) -> None:
        number = self.index[told["name"]]
        self.log["nodes"].add((self.clock.now_us, number, number, number))
        spec = self.state.shapes[number]
        node = Node(number, told["name"], number, spec, self.clock.now_us, group=number)
        node.images = {image["name"]: 0 for image in told.get("images") or ()}
        self.nodes[told["name"]] = node
        if told.get("unschedulable"):
            node.open, node.cordoned = False, True
        self.state.add_node(node)
        self.scheduler.images_changed(node)

    def _update_node(self, event: Case) -> None:
        node = self.nodes[event["node"]]
        if "taints" in event:
            node.shape = self.variants[id(event)]
            node.spec = self.state.shapes[node.shape]
            self.scheduler.node_changed(node)
        if "images" in event:
            node.images = {image["name"]: 0 for image in event["images"] or ()}
            self.scheduler.images_changed(node)
        if event.get("unschedulable") is True and node.open:
            self.state.close(node, cordon=True)
        elif event.get("unschedulable") is False and not node.open:
            self.state.reopen(node)

    def _remove_node(self, event: Case) -> None:
        node = self.nodes.pop(event["node"])
        for pod in list(node.pods):
            self.state.end(pod, PodEnd.NODE_GONE)
        self.state.remove_node(node)

    def _add_pod(self, told: Case) -> None:
        cls = self.state.pod_class(class_of(told, self.owners, self.sizes))
        self.direct = "node" in told and told["node"] is not None
        self.names.append(told["name"])
        pod = self.pods[told["name"]] = self.state.create_pod(cls, self, 0)
        if self.direct:
            self.scheduler.place(pod, self.nodes[told["node"]], self.scheduler.view(cls))
            self.direct = False

    def _end_pod(self, event: Case) -> None:
        pod = self.pods[event["pod"]]
        if pod.state is PodState.ENDED:
            return
        if event["kind"] == "pod_end" or pod.node is None:
            self.state.end(pod, PodEnd.COMPLETED)
        elif not pod.terminating:
            self.state.evict(pod, PodEnd.SCALED_DOWN)
            if pod.terminating:
                due_us = self.clock.now_us + pod.cls.spec.grace_us
                pod.call = self.clock.at(due_us, Phase.PODS_ENDED, self._grace_over, pod)

    def _grace_over(self, call: Call[Pod]) -> None:
        self.state.end(call.argument, PodEnd.SCALED_DOWN)

    # -- as the scheduler that stands before the product's, as kubelet, and as owner of pods ----

    def node_ready(self, node: Node) -> None:
        self.scheduler.node_ready(node)

    def node_removed(self, node: Node) -> None:
        self.scheduler.node_removed(node)

    def node_changed(self, node: Node) -> None:
        self.scheduler.node_changed(node)

    def images_changed(self, node: Node) -> None:
        self.scheduler.images_changed(node)

    def pod_leaving(self, pod: Pod, node: Node) -> None:
        self.scheduler.pod_leaving(pod, node)

    def pod_gone(self, pod: Pod, node: Node) -> None:
        self.scheduler.pod_gone(pod, node)

    def runs_at_once(self, _: PodClass) -> bool:
        return True

    def bound(self, pod: Pod, node: Node) -> None:
        raise AssertionError(f"{pod!r} runs at once on {node!r}")

    def pod_refused(self, pod: Pod) -> None:
        pass

    def add(self, pod: Pod) -> None:
        if not self.direct:
            self.scheduler.add(pod)

    def forget(self, pod: Pod) -> None:
        self.scheduler.forget(pod)

    def pod_running(self, pod: Pod) -> None:
        pass

    def pod_lost(self, pod: Pod, reason: PodEnd) -> None:
        pass

    def run(self) -> None:
        self.clock.run_until(at_us(self.case["horizon_s"]) + 1)
