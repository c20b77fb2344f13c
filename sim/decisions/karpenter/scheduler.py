"""One scheduling pass: pods onto nodes that exist, into claims of this pass, or into new ones.

Pods go by cpu, memory, age and UID. Each tries existing nodes, then the claims of this pass with the fewest
pods first, then a new claim of the first pool that can take it, by weight. One that fits nowhere gives up a
preference and tries again; one that has none left goes to the end, and begins afresh when its turn comes. The
pass ends when a whole round of the queue placed nothing.

Source: sigs.k8s.io/karpenter v1.14.1 pkg/controllers/provisioning/scheduling/scheduler.go, queue.go.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sim.decisions.karpenter import existing_nodes, new_claims
from sim.decisions.karpenter.amounts import largest
from sim.decisions.karpenter.existing_nodes import CLOSED, ExistingNode, destinations
from sim.decisions.karpenter.instance_options import InstanceOption
from sim.decisions.karpenter.labels import WELL_KNOWN
from sim.decisions.karpenter.new_claims import ClaimTemplate, NewClaim, finished, opened, template_of
from sim.decisions.karpenter.node_pools import Limits, NodePool, in_order
from sim.decisions.karpenter.pod_specs import PodSpec
from sim.decisions.karpenter.preferences import relaxed, without_preferences
from sim.decisions.karpenter.refusals import ClaimRefusal, OptionRefusal, Refused
from sim.decisions.karpenter.reservations import Reservations
from sim.decisions.karpenter.state_nodes import StateNode
from sim.decisions.karpenter.topology import Topology
from sim.model.pods import Effect


@dataclass(frozen=True, slots=True)
class PassOptions:
    """What the controller's options say of a pass; the defaults are upstream's.

    ``respects_preferences``: PREFERENCE_POLICY. ``best_effort_min_values``: MIN_VALUES_POLICY.
    ``waits_for_reservations``: strict mode, as provisioning has it and a simulated disruption has not.

    Source: pkg/operator/options/options.go.
    """

    respects_preferences: bool = True
    best_effort_min_values: bool = False
    waits_for_reservations: bool = True


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a pass looks at: pools, types, nodes with their pods, and the pods of DaemonSets."""

    pools: tuple[NodePool, ...]
    options: tuple[InstanceOption, ...]
    nodes: tuple[StateNode, ...] = ()
    daemons: tuple[PodSpec, ...] = ()

    def without(self, gone: Collection[str]) -> Surroundings:
        """Return them without some nodes, by name."""
        return replace(self, nodes=tuple(node for node in self.nodes if node.name not in gone))


@dataclass(frozen=True, slots=True)
class PassResult:
    """What a pass decided; ``unschedulable`` has each pool's reason for each pod that is left."""

    new_claims: tuple[NewClaim, ...]
    existing: tuple[ExistingNode, ...]
    unschedulable: Mapping[str, tuple[Refused, ...]] = field(default_factory=dict)


def schedule(
    world: Surroundings,
    pods: Sequence[PodSpec],
    options: PassOptions | None = None,
    settled_only: frozenset[str] = frozenset(),
) -> PassResult:
    """Return where the pods of a pass go; nodes marked for deletion are no destinations.

    The pods named in ``settled_only`` do not go to nodes that are settling.
    """
    return _Pass(world, pods, options or PassOptions(), settled_only).run()


def turn(pod: PodSpec) -> tuple[int, int, float, int]:
    """Return a pod's place in the queue (queue.go, byCPUAndMemoryDescending)."""
    return (-pod.requests.cpu_m, -pod.requests.memory_mib, pod.created_s, pod.uid)


class _Pass:
    """The state of one pass, which ends with it."""

    def __init__(
        self,
        world: Surroundings,
        pods: Sequence[PodSpec],
        options: PassOptions,
        settled_only: frozenset[str],
    ) -> None:
        self._options, self._settled_only = options, settled_only
        self._pods = pods if options.respects_preferences else list(map(without_preferences, pods))
        self._templates = [
            template_of(pool, world.options, world.daemons, options.best_effort_min_values)
            for pool in in_order(world.pools)
        ]
        self._remaining = {pool.name: remaining_limits(pool, world.nodes) for pool in world.pools}
        self._reservations = Reservations(world.options, options.waits_for_reservations)
        self._topology = Topology(world.pools, world.options, world.nodes, self._pods)
        self._existing = destinations((node for node in world.nodes if not node.marked), world.daemons)
        for one in self._existing:
            self._topology.register_host(one.node.hostname)
        self._claims: list[NewClaim] = []
        self._opened = 0
        self._tolerates_soft = any(
            taint.effect is Effect.PREFER_NO_SCHEDULE for pool in world.pools for taint in pool.taints
        )

    def run(self) -> PassResult:
        """Place pods until a round places none."""
        queue = deque(sorted(self._pods, key=turn))
        pushed: dict[str, int] = {}
        refused: dict[str, tuple[Refused, ...]] = {}
        while queue and pushed.get(queue[0].name) != len(queue):
            pod = queue.popleft()
            why = self._try(pod)
            if why is None:
                refused.pop(pod.name, None)
                continue
            refused[pod.name] = why
            self._topology.update(pod)
            queue.append(pod)
            pushed[pod.name] = len(queue)
        return self._result(refused)

    def _result(self, refused: dict[str, tuple[Refused, ...]]) -> PassResult:
        kept = []
        for claim in map(finished, sorted(self._claims, key=lambda claim: claim.hostname)):
            if claim.options:
                kept.append(claim)
                continue
            short = Refused(claim.pool.name, ClaimRefusal.MIN_VALUES)
            refused.update({pod.name: (short,) for pod in claim.pods})
        filled = tuple(one for one in self._existing if one.pods)
        return PassResult(tuple(kept), filled, refused)

    def _try(self, pod: PodSpec) -> tuple[Refused, ...] | None:
        """Place a pod, giving up one preference after the other; return why it fits nowhere."""
        while True:
            why = self._add(pod)
            if why is None or any(one.why is ClaimRefusal.RESERVED_DEFERRED for one in why):
                return why
            less = relaxed(pod, self._tolerates_soft)
            if less is None:
                return why
            pod = less
            self._topology.update(pod)

    def _add(self, pod: PodSpec) -> tuple[Refused, ...] | None:
        if self._add_to_existing(pod) or self._add_to_claim(pod):
            return None
        return self._add_new(pod)

    def _add_to_existing(self, pod: PodSpec) -> bool:
        for place, existing in enumerate(self._existing):
            if existing.node.settling and pod.name in self._settled_only:
                continue
            taken = existing_nodes.with_pod(existing, pod, self._topology)
            if taken is not None:
                self._existing[place] = taken
                self._topology.record(pod, taken.requirements, CLOSED)
                return True
        return False

    def _add_to_claim(self, pod: PodSpec) -> bool:
        self._claims.sort(key=lambda claim: len(claim.pods))
        for place, claim in enumerate(self._claims):
            taken = new_claims.with_pod(claim, pod, self._topology, self._reservations)
            if not isinstance(taken, Refused):
                self._claims[place] = taken
                self._note(pod, claim, taken)
                return True
        return False

    def _add_new(self, pod: PodSpec) -> tuple[Refused, ...] | None:
        refused: list[Refused] = []
        for template in self._templates:
            taken = self._open(template, pod)
            if not isinstance(taken, Refused):
                return None
            refused.append(taken)
            if taken.why is ClaimRefusal.RESERVED_DEFERRED:
                break
        return tuple(refused)

    def _open(self, template: ClaimTemplate, pod: PodSpec) -> NewClaim | Refused:
        pool = template.pool
        remaining = self._remaining[pool.name]
        options = tuple(option for option in template.options if remaining.allows(option.capacity))
        if template.refused is not None:
            return template.refused
        if remaining.nodes == 0 or not options:
            return Refused(pool.name, ClaimRefusal.LIMITS)
        self._opened += 1
        claim = opened(template, options, self._opened)
        self._topology.register_host(claim.hostname)
        lowers = self._options.best_effort_min_values
        taken = new_claims.with_pod(claim, pod, self._topology, self._reservations, lowers)
        if isinstance(taken, Refused):
            self._topology.unregister_host(claim.hostname)
            return with_limited(taken, template.options, options)
        self._claims.append(taken)
        self._note(pod, claim, taken)
        # As if the largest type were launched in every resource: what is left is never too much.
        self._remaining[pool.name] = remaining.after(largest(one.capacity for one in taken.options))
        return taken

    def _note(self, pod: PodSpec, before: NewClaim, after: NewClaim) -> None:
        self._topology.record(pod, after.requirements, WELL_KNOWN)
        self._reservations.exchange(before.reserved, after.reserved)


def remaining_limits(pool: NodePool, nodes: Sequence[StateNode]) -> Limits:
    """Return what a pool's nodes that stay leave of its limits, by capacity and not by allocatable."""
    return pool.limits.remaining(
        [node.capacity for node in nodes if node.pool == pool.name and not node.marked]
    )


def with_limited(
    refused: Refused, options: Sequence[InstanceOption], within: Sequence[InstanceOption]
) -> Refused:
    """Return a refusal that names the types the pool's limits left out as well."""
    if not refused.options:
        return refused
    kept = {option.name for option in within}
    limited = {option.name: OptionRefusal.LIMITS for option in options if option.name not in kept}
    return replace(refused, options={**refused.options, **limited})
