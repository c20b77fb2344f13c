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

from sim.engine.clock import Phase
from sim.engine.entities import Node, PodState
from sim.model.cluster import FailMode
from sim.model.distributions import Exponential
from sim.model.log import NodeState, PodEnd

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sim.engine.clock import Call, Clock
    from sim.engine.state import ClusterState
    from sim.engine.streams import Streams
    from sim.model.cluster import FailWindow, NodeGroup
    from sim.model.latency import Ec2Latency

SPOT_NOTICE_US = 120_000_000
US_PER_S = 1_000_000
METAL = ".metal"


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

    __slots__ = ("boot_us", "gpu_us", "group", "id", "node", "noticed", "number", "state")

    def __init__(self, instance_id: int, group: AutoScalingGroup, number: int) -> None:
        """Ask for an instance."""
        self.id = instance_id
        self.group = group
        self.number = number
        self.state = InstanceState.LAUNCHING
        self.node: Node | None = None
        self.noticed = False  # Spot: to be reclaimed within two minutes
        self.boot_us = 0  # from launched to Ready
        self.gpu_us = 0  # from Ready to GPUs published


class AutoScalingGroup:
    """A group's bounds, its target, and the instances that are listed, in order of creation."""

    def __init__(self, index: int, spec: NodeGroup, latency: Ec2Latency, streams: Streams) -> None:
        """Start with no instances."""
        self.index = index
        self.spec = spec
        self.min_size = spec.min_size
        self.max_size = spec.max_size
        self.initial = spec.initial
        self.kept_size = 0  # the minimum that a schedule set
        self.target = 0
        self.created = 0
        self.instances: dict[int, Instance] = {}
        self.failed: set[int] = set()  # placeholders that report their failure
        slow = spec.allocatable.gpu > 0 or METAL in spec.instance_type
        self._factor = latency.metal_factor if slow else 1.0
        self._raid_us = round(latency.nvme_raid_s * US_PER_S) if spec.nvme_raid else 0
        self._provision = self._gpu_total = None
        if spec.provision_s is not None:
            self._provision = streams.delays(f"ec2-provision/{spec.name}", spec.provision_s)
        elif spec.allocatable.gpu:
            self._gpu_total = streams.delays(f"ec2-gpu/{spec.name}", latency.gpu_total_s)
        self._launch = streams.delays(f"ec2-launch/{spec.name}", latency.launch_s)
        self._boot = streams.delays(f"ec2-ready/{spec.name}", latency.ready_s)
        self._terminate = streams.delays(f"ec2-terminate/{spec.name}", spec.deletion_s or latency.terminate_s)
        self._life = None
        if spec.spot and spec.interruptions_per_hour > 0:
            hours = Exponential(3600.0 / spec.interruptions_per_hour)
            self._life = streams.delays(f"spot-interruption/{spec.name}", hours)

    def start_us(self) -> tuple[int, int, int]:
        """Draw the times from request to launched, to Ready, to GPUs published.

        ``gpu_total_s`` counts from the request; Ready comes no later.
        """
        if self._provision is not None:
            return 0, self._provision.next_us(), 0
        launch_us = self._launch.next_us()
        boot_us = round(self._boot.next_us() * self._factor) + self._raid_us
        if self._gpu_total is None:
            return launch_us, boot_us, 0
        total_us = self._gpu_total.next_us()
        boot_us = max(min(boot_us, total_us - launch_us), 0)
        return launch_us, boot_us, max(total_us - launch_us - boot_us, 0)

    def terminate_us(self) -> int:
        """Draw the time from the terminate call to no node."""
        return self._terminate.next_us()

    def life_us(self) -> int | None:
        """Draw when a Spot node is reclaimed after it became Ready; None: never."""
        return None if self._life is None else self._life.next_us()

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
    """All groups of the cluster: what the autoscaler's cloud provider talks to."""

    def __init__(self, clock: Clock, state: ClusterState, latency: Ec2Latency, streams: Streams) -> None:
        """Take charge of the nodes of ``state``."""
        self.clock = clock
        self.state = state
        specs = state.cluster.node_groups
        self.groups = [AutoScalingGroup(i, spec, latency, streams) for i, spec in enumerate(specs)]
        self.instances: dict[int, Instance] = {}  # by id, while listed
        self.changes = 0  # of targets, bounds, and which instances there are
        self._ready: list[tuple[int, int, int, Instance]] = []  # due: time, group, number
        self._gone: list[tuple[int, int, Instance]] = []  # due: time, id; gone or failed

    def start(self) -> None:
        """Bring up the initial nodes, Ready at once."""
        for group in self.groups:
            group.target = group.initial
            for _ in range(group.initial):
                instance = self._create(group)
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
            instance = self._create(group)
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

    # -- an instance's life -----------------------------------------------------------------

    def _create(self, group: AutoScalingGroup) -> Instance:
        group.created += 1
        table = self.state.log.tables["nodes"]
        instance = Instance(len(table), group, group.created)
        table.add((self.clock.now_us, group.index, instance.number))
        group.instances[instance.id] = instance
        self.instances[instance.id] = instance
        return instance

    def _launch(self, instance: Instance) -> None:
        launch_us, instance.boot_us, instance.gpu_us = instance.group.start_us()
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
        heappush(self._ready, (ready_us, instance.group.index, instance.number, instance))
        self.clock.at(ready_us, Phase.NODES_READY, self._nodes_ready, None)

    def _nodes_ready(self, _: Call[None]) -> None:
        """Bring up all that is due, by group and number."""
        while self._ready and self._ready[0][0] <= self.clock.now_us:
            instance = heappop(self._ready)[3]
            if instance.state is InstanceState.BOOTING:
                self._become_ready(instance)

    def _become_ready(self, instance: Instance) -> None:
        instance.state = InstanceState.READY
        group = instance.group
        node = Node(instance.id, group.index, instance.number, group.spec, self.clock.now_us)
        instance.node = node
        if instance.gpu_us:
            node.gpu_ready = False
            node.free_gpu -= group.spec.allocatable.gpu
            gpu_us = self.clock.now_us + instance.gpu_us
            self.clock.at(gpu_us, Phase.NODES_READY, self._gpus_published, node)
        self.state.add_node(node)
        life_us = group.life_us()
        if life_us is not None:
            self.clock.at(self.clock.now_us + life_us, Phase.BACKGROUND, self._notice, instance)

    def _gpus_published(self, call: Call[Node]) -> None:
        if call.argument.position >= 0:
            self.state.publish_gpus(call.argument)

    def _terminate(self, instance: Instance) -> None:
        if instance.node is not None:
            self.state.close(instance.node)
        instance.state = InstanceState.TERMINATING
        self._changed()
        self._log(instance, NodeState.TERMINATING)
        self._at_gone(self.clock.now_us + instance.group.terminate_us(), instance)

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
        instance.state = InstanceState.GONE
        instance.group.failed.discard(instance.id)
        del instance.group.instances[instance.id]
        del self.instances[instance.id]
        self._changed()

    def _changed(self) -> None:
        self.changes += 1
        self.state.autoscaler.cluster_changed()

    # -- Spot -------------------------------------------------------------------------------

    def _notice(self, call: Call[Instance]) -> None:
        """Close a node that is reclaimed in two minutes, and drain it at once as managed groups do."""
        instance = call.argument
        if instance.state is InstanceState.READY and instance.node is not None:
            instance.noticed = True
            self._log(instance, NodeState.INTERRUPTION_NOTICE)
            self.state.close(instance.node)
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
        if replaced:
            group = instance.group
            group.target -= 1
            self.increase(group.index, 1)

    def _log(self, instance: Instance, state: NodeState) -> None:
        self.state.log_node(instance.id, state)
