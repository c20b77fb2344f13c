"""EC2 behind its Auto Scaling groups: targets, instances, launch and boot, termination.

An increase launches instances at once; each is Ready after its launch and boot. In a window of
failing capacity only the first few of a request arrive, the others stay listed as placeholders
that never come up. Deleting one of these removes all of the group and lowers the target, but not below
a minimum that a schedule set: for that the group itself asks again when the window is over.

Source: oracle README §4; cluster-autoscaler.md §3.9; latencies aws.md §8.2; Spot aws.md §6.
"""

from __future__ import annotations

from enum import IntEnum
from heapq import heappop, heappush
from typing import TYPE_CHECKING

from sim.decisions.aws.allocation import pool_of_next
from sim.engine.aws.fleet import Fleet
from sim.engine.clock import Phase
from sim.engine.entities import Node, PodState
from sim.model.cluster import FailMode
from sim.model.log import NodeState, PodEnd

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sim.engine.clock import Call, Clock
    from sim.engine.state import ClusterState
    from sim.engine.streams import Streams
    from sim.model.cluster import FailWindow, NodeGroup
    from sim.model.latency import Ec2Latency

SPOT_NOTICE_US = 120_000_000


class InstanceState(IntEnum):
    """Where an instance is in its life; PLACEHOLDER and FAILED ones never come up."""

    LAUNCHING = 0
    BOOTING = 1
    READY = 2
    TERMINATING = 3
    PLACEHOLDER = 4
    FAILED = 5
    GONE = 6


NEVER_UP = frozenset({InstanceState.PLACEHOLDER, InstanceState.FAILED})


class Instance:
    """One instance of a group, or one that was asked for in vain; ``id`` is its row in ``nodes``."""

    __slots__ = ("boot_us", "fleet", "gpu_us", "group", "id", "node", "noticed", "number", "state")

    def __init__(self, instance_id: int, fleet: Fleet, group: AutoScalingGroup | None, number: int) -> None:
        """Ask for an instance, the group's or of no group."""
        self.id = instance_id
        self.fleet = fleet
        self.group = group
        self.number = number
        self.state = InstanceState.LAUNCHING
        self.node: Node | None = None
        self.noticed = False  # Spot: to be reclaimed within two minutes
        self.boot_us = 0  # from launched to Ready
        self.gpu_us = 0  # from Ready to GPUs published


class AutoScalingGroup:
    """A group's bounds, its target, and the instances that are listed, in order of creation."""

    def __init__(self, index: int, spec: NodeGroup, fleets: Sequence[Fleet]) -> None:
        """Start with no instances; there is a fleet for each shape, best first."""
        self.index = index
        self.spec = spec
        self.fleets = fleets
        self.standing = [0] * len(fleets)  # instances of each that are not on their way out
        self.min_size = spec.min_size
        self.max_size = spec.max_size
        self.initial = spec.initial
        self.kept_size = 0  # the minimum that a schedule set
        self.target = 0
        self.created = 0
        self.instances: dict[int, Instance] = {}
        self.failed: set[int] = set()  # placeholders that report their failure

    def choose(self) -> Fleet:
        """Return the fleet of the next instance."""
        return self.fleets[pool_of_next(self.spec, self.standing) if len(self.fleets) > 1 else 0]

    def count(self, fleet: Fleet, change: int) -> None:
        """Count an instance that comes or goes."""
        self.standing[self.fleets.index(fleet)] += change

    def never_up(self) -> list[Instance]:
        """Return the placeholders, in order of creation."""
        return [instance for instance in self.instances.values() if instance.state in NEVER_UP]

    def failing(self, now_us: int) -> FailWindow | None:
        """Return the window of failing capacity that holds now."""
        for window in self.spec.fail_windows:
            if window.from_us <= now_us < window.to_us:
                return window
        return None


class NodeGroups:
    """All groups of the cluster, what the autoscaler's cloud provider talks to, and instances of no group."""

    def __init__(self, clock: Clock, state: ClusterState, latency: Ec2Latency, streams: Streams) -> None:
        """Take charge of the nodes of ``state``."""
        self.clock = clock
        self.state = state
        self._latency = latency
        self._streams = streams
        cluster = state.cluster
        self.groups = [
            AutoScalingGroup(index, spec, self._fleets(first, spec))
            for index, (first, spec) in enumerate(zip(cluster.first_shapes, cluster.node_groups, strict=True))
        ]
        self._loose: dict[int, Fleet] = {}  # by shape: instances of no group
        self.instances: dict[int, Instance] = {}  # by id, while listed
        self.changes = 0  # of targets, bounds, and which instances there are
        self._ready: list[tuple[int, int, int, int, Instance]] = []  # due: time, group, number, id
        self._gone: list[tuple[int, int, Instance]] = []  # due: time, id; gone or failed

    def _fleets(self, first: int, group: NodeGroup) -> list[Fleet]:
        """Return a fleet for each shape of a group; the first one has the group's name."""
        return [
            self._fleet(first + nth, f"{group.name}/{nth}" if nth else group.name, group)
            for nth in range(len(group.shapes))
        ]

    def _fleet(self, shape: int, name: str, group: NodeGroup | None = None) -> Fleet:
        spec = self.state.shapes[shape]
        return Fleet(shape, spec, name, self._latency, self._streams, group=group)

    def start(self) -> None:
        """Bring up the initial nodes, Ready at once."""
        for group in self.groups:
            group.target = group.initial
            for fleet in group.fleets:
                self._await_reclaim(group, fleet)
            for _ in range(group.initial):
                instance = self._create(group.choose(), group)
                self._log(instance, NodeState.LAUNCHED)
                self._become_ready(instance)
        self._changed()

    def begin_with_minimum(self, group_index: int, min_size: int) -> None:
        """Have a minimum in force since before the start; what it asks for is among the initial nodes."""
        group = self.groups[group_index]
        group.min_size = group.kept_size = min_size
        group.initial = max(group.initial, min_size)

    def is_leaving(self, instance_id: int) -> bool:
        """Say whether an instance is gone, being terminated, or about to be reclaimed."""
        instance = self.instances.get(instance_id)
        return instance is None or instance.noticed or instance.state is InstanceState.TERMINATING

    def is_noticed(self, instance_id: int) -> bool:
        """Say whether an instance is about to be reclaimed."""
        instance = self.instances.get(instance_id)
        return instance is not None and instance.noticed

    # -- what it is told to do --------------------------------------------------------------

    def increase(self, group_index: int, delta: int) -> None:
        """Raise the target and launch instances."""
        group = self.groups[group_index]
        group.target += delta
        self._changed()
        now_us = self.clock.now_us
        window = group.failing(now_us)
        for nth in range(delta):
            instance = self._create(group.choose(), group)
            if window is None or nth < window.allow:
                self._launch(instance)
                continue
            instance.state = InstanceState.PLACEHOLDER
            if window.mode is FailMode.ERROR:
                self._at_gone(now_us + window.after_us, instance)
        self._await_capacity(group)

    def delete(self, group_index: int, ids: Iterable[int]) -> None:
        """Terminate instances and lower the target by as many; a placeholder stands for all of them."""
        group = self.groups[group_index]
        for instance_id in ids:
            instance = self.instances.get(instance_id)
            if instance is None or instance.state is InstanceState.TERMINATING:
                continue
            if instance.state in NEVER_UP:
                self._remove_placeholders(group)
            else:
                group.target -= 1
                self._terminate(instance)

    def decrease_target(self, group_index: int, delta: int) -> None:
        """Lower the target without deleting."""
        self.groups[group_index].target -= delta
        self._changed()

    def set_min_size(self, group_index: int, min_size: int) -> None:
        """Change the minimum, as a scheduled action does; the group launches what is missing."""
        group = self.groups[group_index]
        group.min_size = group.kept_size = min_size
        self._changed()
        self._await_capacity(group)
        if group.target < min_size:
            self.increase(group_index, min_size - group.target)

    def launch(self, shape: int) -> int:
        """Launch an instance of no group; return its id, which is its node's."""
        fleet = self._loose.get(shape)
        if fleet is None:
            fleet = self._loose[shape] = self._fleet(shape, f"shape/{self.state.shapes[shape].name}")
        instance = self._create(fleet, None)
        self._changed()
        self._launch(instance)
        return instance.id

    def terminate(self, instance_id: int) -> None:
        """Terminate an instance of no group; harmless when it is on its way or gone."""
        instance = self.instances.get(instance_id)
        if instance is not None and instance.state is not InstanceState.TERMINATING:
            assert instance.group is None, "an instance of a group is deleted through it"
            self._terminate(instance)

    # -- an instance's life -----------------------------------------------------------------

    def _create(self, fleet: Fleet, group: AutoScalingGroup | None) -> Instance:
        numbered = fleet if group is None else group
        numbered.created += 1
        table = self.state.log.tables["nodes"]
        instance = Instance(len(table), fleet, group, numbered.created)
        table.add((self.clock.now_us, -1 if group is None else group.index, instance.number, fleet.shape))
        if group is not None:
            group.instances[instance.id] = instance
            group.count(fleet, 1)
        self.instances[instance.id] = instance
        return instance

    def _launch(self, instance: Instance) -> None:
        launch_us, instance.boot_us, instance.gpu_us = instance.fleet.start_us()
        if launch_us:
            self.clock.at(self.clock.now_us + launch_us, Phase.NODES_GONE, self._launched, instance)
        else:
            self._boot(instance)

    def _launched(self, call: Call[Instance]) -> None:
        if call.argument.state is InstanceState.LAUNCHING:
            self._boot(call.argument)

    def _boot(self, instance: Instance) -> None:
        instance.state = InstanceState.BOOTING
        self._log(instance, NodeState.LAUNCHED)
        ready_us = self.clock.now_us + instance.boot_us
        group = -1 if instance.group is None else instance.group.index
        heappush(self._ready, (ready_us, group, instance.number, instance.id, instance))
        self.clock.at(ready_us, Phase.NODES_READY, self._nodes_ready, None)

    def _nodes_ready(self, _: Call[None]) -> None:
        """Bring up all that is due, by group and number."""
        while self._ready and self._ready[0][0] <= self.clock.now_us:
            instance = heappop(self._ready)[4]
            if instance.state is InstanceState.BOOTING:
                self._become_ready(instance)

    def _become_ready(self, instance: Instance) -> None:
        instance.state = InstanceState.READY
        fleet, group = instance.fleet, instance.group
        index, of = (-1, fleet.spec.name) if group is None else (group.index, group.spec.name)
        name = f"{of}-{instance.number}"
        node = Node(instance.id, name, fleet.shape, fleet.spec, self.clock.now_us, group=index)
        instance.node = node
        if instance.gpu_us:
            node.gpu_ready = False
            node.free_gpu -= fleet.spec.allocatable.gpu
            gpu_us = self.clock.now_us + instance.gpu_us
            self.clock.at(gpu_us, Phase.NODES_READY, self._gpus_published, node)
        self.state.add_node(node)
        life_us = fleet.life_us()
        if life_us is not None:
            self.clock.at(self.clock.now_us + life_us, Phase.BACKGROUND, self._notice, instance)

    def _gpus_published(self, call: Call[Node]) -> None:
        if call.argument.position >= 0:
            self.state.publish_gpus(call.argument)

    def _terminate(self, instance: Instance) -> None:
        if instance.node is not None:
            self.state.close(instance.node)
        if instance.group is not None:
            instance.group.count(instance.fleet, -1)
        instance.state = InstanceState.TERMINATING
        self._changed()
        self._log(instance, NodeState.TERMINATING)
        self._at_gone(self.clock.now_us + instance.fleet.terminate_us(), instance)

    def _at_gone(self, time_us: int, instance: Instance) -> None:
        heappush(self._gone, (time_us, instance.id, instance))
        self.clock.at(time_us, Phase.NODES_GONE, self._nodes_gone, None)

    def _nodes_gone(self, _: Call[None]) -> None:
        """Let all that is due disappear, or report its failure, in order of creation."""
        while self._gone and self._gone[0][0] <= self.clock.now_us:
            instance = heappop(self._gone)[2]
            if instance.state is InstanceState.TERMINATING:
                self._disappear(instance, PodEnd.NODE_GONE)
            elif instance.state is InstanceState.PLACEHOLDER:
                instance.state = InstanceState.FAILED
                if instance.group is not None:
                    instance.group.failed.add(instance.id)
                self._changed()
                self._log(instance, NodeState.FAILED)

    def _disappear(self, instance: Instance, reason: PodEnd) -> None:
        node = instance.node
        if node is not None:
            for pod in sorted(node.pods, key=lambda pod: pod.order):
                if pod.state is PodState.TERMINATING:
                    self.state.end(pod, reason)
                else:
                    self.state.evict(pod, reason)
            self.state.remove_node(node)
        else:
            self._log(instance, NodeState.GONE)
        self._forget(instance)

    def _remove_placeholders(self, group: AutoScalingGroup) -> None:
        given_up = group.never_up()[: max(group.target - group.kept_size, 0)]
        group.target -= len(given_up)
        self._give_up(given_up)

    def _give_up(self, placeholders: Iterable[Instance]) -> None:
        for instance in placeholders:
            self._log(instance, NodeState.GONE)
            self._forget(instance)

    def _await_capacity(self, group: AutoScalingGroup) -> None:
        window = group.failing(self.clock.now_us)
        if group.kept_size and window is not None:
            self.clock.at(window.to_us, Phase.CONTROLLERS, self._ask_again, group)

    def _ask_again(self, call: Call[AutoScalingGroup]) -> None:
        """Launch what a group with a scheduled minimum still lacks, now that there is capacity."""
        group = call.argument
        missing = group.never_up() if group.kept_size else []
        self._give_up(missing)
        group.target -= len(missing)
        self.increase(group.index, len(missing))

    def _forget(self, instance: Instance) -> None:
        stood = instance.state is not InstanceState.TERMINATING
        instance.state = InstanceState.GONE
        if instance.group is not None:
            if stood:
                instance.group.count(instance.fleet, -1)
            instance.group.failed.discard(instance.id)
            del instance.group.instances[instance.id]
        del self.instances[instance.id]
        self._changed()

    def _changed(self) -> None:
        self.changes += 1
        self.state.autoscaler.cluster_changed()

    # -- Spot -------------------------------------------------------------------------------

    def _await_reclaim(self, group: AutoScalingGroup, fleet: Fleet) -> None:
        wait_us = fleet.pool_reclaimed_us()
        if wait_us is not None:
            due_us = self.clock.now_us + wait_us
            self.clock.at(due_us, Phase.BACKGROUND, self._reclaim_pool, (group, fleet))

    def _reclaim_pool(self, call: Call[tuple[AutoScalingGroup, Fleet]]) -> None:
        """Take every node of a pool, type and zone, at once."""
        group, fleet = call.argument
        for instance in list(group.instances.values()):
            if instance.fleet is fleet:
                self._reclaim(instance)
        self._await_reclaim(group, fleet)

    def _notice(self, call: Call[Instance]) -> None:
        self._reclaim(call.argument)

    def _reclaim(self, instance: Instance) -> None:
        """Close a node that is reclaimed in two minutes, and drain it at once as managed groups do."""
        if instance.noticed:
            return
        if instance.state is InstanceState.READY and instance.node is not None:
            instance.noticed = True
            self._log(instance, NodeState.INTERRUPTION_NOTICE)
            self.state.close(instance.node, cordon=True)
            self._drain(instance.node)
            self.clock.at(self.clock.now_us + SPOT_NOTICE_US, Phase.NODES_GONE, self._interrupt, instance)

    def _drain(self, node: Node) -> None:
        """Evict what no disruption budget protects; the node is closed, so a pod's grace holds no room."""
        for pod in sorted(node.pods, key=lambda pod: pod.order):
            if pod.state is not PodState.TERMINATING and pod.cls.spec.disruptions_allowed != 0:
                self.state.evict(pod, PodEnd.SPOT_INTERRUPTED)

    def _interrupt(self, call: Call[Instance]) -> None:
        """Take the node away with everything on it; the group replaces it."""
        instance = call.argument
        if instance.state is InstanceState.GONE:
            return
        replaced = instance.state is InstanceState.READY
        self._disappear(instance, PodEnd.SPOT_INTERRUPTED)
        group = instance.group
        if replaced and group is not None:
            group.target -= 1
            self.increase(group.index, 1)

    def _log(self, instance: Instance, state: NodeState) -> None:
        self.state.log_node(instance.id, state)
