"""Builders for the autoscaler's decisions: classes, pods, nodes, templates, snapshots."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sim.decisions.cluster_autoscaler.snapshot import Snapshot
from sim.decisions.cluster_autoscaler.snapshot_node import SnapshotNode
from sim.decisions.cluster_autoscaler.template import NodeTemplate, node_template
from sim.engine.entities import ClassState
from sim.model.cluster import NodeGroup
from sim.model.pods import PodClass
from sim.model.resources import Resources

SECOND = 1_000_000
MINUTE = 60 * SECOND


def a_group(
    name: str = "g", cpu_m: int = 2_000, memory_mib: int = 4_096, pods: int = 29, **more: Any
) -> NodeGroup:
    room = Resources(cpu_m, memory_mib)
    return NodeGroup.alike(name, room, room, pods, max_size=more.pop("max_size", 10), **more)


def a_template(
    group: NodeGroup | None = None, index: int = 0, daemons: Sequence[ClassState] = ()
) -> NodeTemplate:
    return node_template(index, index, group or a_group(), daemons, real=False)


class Classes:
    """Makes classes with indices of their own, over some groups."""

    def __init__(self, *groups: NodeGroup) -> None:
        self.groups = groups or (a_group(),)
        self.count = 0

    def a_class(self, cpu_m: int = 500, memory_mib: int = 100, **more: Any) -> ClassState:
        asked = Resources(cpu_m, memory_mib, gpu=more.pop("gpu", 0))
        more.setdefault("owner", f"owner-{self.count}")
        spec = PodClass(f"class-{self.count}", asked, more.pop("container_requests", asked), **more)
        self.count += 1
        return ClassState(self.count - 1, spec, tuple(group.shape for group in self.groups))


@dataclass(eq=False)
class FakePod:
    """A pod as decisions see it."""

    id: int
    cls: ClassState
    created_us: int = 0
    terminating: bool = False


def pods(cls: ClassState, *ids: int, created_us: int = 0) -> list[FakePod]:
    return [FakePod(pod_id, cls, created_us) for pod_id in ids]


class FakeNode(SnapshotNode):
    """A node with pods on it."""

    def __init__(self, node_id: int, group: int, room: tuple[int, int, int, int, int]) -> None:
        super().__init__(node_id, group, group, room)
        self.on_it: list[FakePod] = []

    def real_pods(self) -> list[FakePod]:
        return self.on_it


def a_node(
    node_id: int, *on_it: FakePod, cpu_m: int = 2_000, memory_mib: int = 4_096, group: int = 0
) -> FakeNode:
    taken_cpu_m = sum(pod.cls.cpu_m for pod in on_it)
    taken_mib = sum(pod.cls.memory_mib for pod in on_it)
    node = FakeNode(node_id, group, (cpu_m - taken_cpu_m, memory_mib - taken_mib, 0, 0, 29 - len(on_it)))
    node.on_it = list(on_it)
    return node


def a_snapshot(nodes: Iterable[SnapshotNode]) -> Snapshot:
    snapshot = Snapshot()
    snapshot.set_nodes(nodes)
    return snapshot


@dataclass
class FakeCloud:
    """A cloud whose answers are set by hand."""

    targets: list[int]
    instances: list[list[int]]
    failed: list[set[int]] = field(default_factory=list)
    min_size: int = 0
    max_size: int = 10

    def sizes(self) -> list[Any]:
        from sim.decisions.cluster_autoscaler.balancing import GroupSize

        return [GroupSize(self.min_size, self.max_size, target) for target in self.targets]

    def list_instances(self, group: int) -> list[int]:
        return self.instances[group]

    def failed_instances(self, group: int) -> frozenset[int]:
        return frozenset(self.failed[group]) if self.failed else frozenset()
