"""Ports: who acts on a cluster, and what each must answer to. ``sim.engine.run`` puts them together.

The state tells the scheduler, the kubelet and the autoscaler what happens; they act by calling it. So each
can be another one: a scheduler that places on the first node that fits, an autoscaler that knows no groups.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from sim.engine.entities import Node, Pod
    from sim.model.pods import PodClass


class Router(Protocol):
    """Where a new pod goes: the scheduler's queue, or a machine of its own."""

    def add(self, pod: Pod) -> None:
        """Take charge of a pending pod."""

    def forget(self, pod: Pod) -> None:
        """Drop a pending pod that was deleted; who gives pods their own machine hears of each that ends."""


class Scheduler(Router, Protocol):
    """Binds pending pods to nodes, and hears where room may have appeared."""

    def node_ready(self, node: Node) -> None:
        """Learn of a node that was added."""

    def node_removed(self, node: Node) -> None:
        """Learn that a node is gone."""

    def node_changed(self, node: Node) -> None:
        """Learn that taints or GPUs of a node changed."""

    def images_changed(self, node: Node) -> None:
        """Learn that images arrived on a node."""

    def pod_leaving(self, pod: Pod, node: Node) -> None:
        """Learn that a pod only waits on its node for the end of its grace."""

    def pod_gone(self, pod: Pod, node: Node) -> None:
        """Learn that a pod's room on a node is free."""


class Kubelet(Protocol):
    """Takes a pod from its place on a node to running containers."""

    def runs_at_once(self, spec: PodClass) -> bool:
        """Say whether pods of a class run as soon as they are bound; ``bound`` never hears of them."""

    def bound(self, pod: Pod, node: Node) -> None:
        """Start a pod that was placed."""


class Serverless(Router, Protocol):
    """Gives each pod that it selects a machine of its own."""

    def profile_of(self, spec: PodClass) -> int | None:
        """Return by which profile it takes pods of a class, None: they go to nodes."""


class NodeAutoscaler(Protocol):
    """Decides which nodes there are. What changed is in ``ClusterState.touched``, which it alone empties."""

    def start(self) -> None:
        """Begin: the initial nodes are there."""

    def cluster_changed(self) -> None:
        """Learn of the first change since ``touched`` was empty, and of every change of capacity."""

    def pod_unschedulable(self) -> None:
        """Learn that the scheduler found no node for some pod."""


class NoServerless:
    """No machines but nodes."""

    def profile_of(self, _: PodClass) -> int | None:
        """Take no pods."""
        return None

    def add(self, pod: Pod) -> None:
        """Be asked by mistake."""
        raise AssertionError(f"{pod!r} was never selected")

    forget = add


class NoAutoscaler:
    """Nodes come and go by their groups' schedules alone."""

    def start(self) -> None:
        """Do nothing."""

    cluster_changed = pod_unschedulable = start


NO_SERVERLESS, NO_AUTOSCALER = NoServerless(), NoAutoscaler()


@dataclass(frozen=True, slots=True)
class Ports:
    """The actors of one simulation."""

    scheduler: Scheduler
    kubelet: Kubelet
    serverless: Serverless = NO_SERVERLESS
    autoscaler: NodeAutoscaler = NO_AUTOSCALER
