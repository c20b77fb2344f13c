"""The Cluster Autoscaler: look, decide, act, sleep until a look could matter.

A look that changed neither the cluster nor its own memory would be repeated by the next one, so looks
are skipped from there until something changes or a timer runs out
(sim/decisions/cluster_autoscaler/quiet.py).

Source: Cluster Autoscaler 1.31.5, core/static_autoscaler.go (RunOnce); 1.35.2, loop/trigger.go for
frequent loops; cluster-autoscaler.md §1.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from itertools import chain, islice
from operator import attrgetter
from typing import TYPE_CHECKING

from sim.decisions.cluster_autoscaler.chance import Chance
from sim.decisions.cluster_autoscaler.cooldown import LastScaleTimes
from sim.decisions.cluster_autoscaler.equivalence import pod_groups
from sim.decisions.cluster_autoscaler.hinting_simulator import HintingSimulator
from sim.decisions.cluster_autoscaler.names import natural
from sim.decisions.cluster_autoscaler.pending_pods import (
    all_pods_are_new,
    filter_out_schedulable,
    filter_out_young,
    scale_up_timers,
)
from sim.decisions.cluster_autoscaler.quiet import (
    backoff_timers,
    candidate_timers,
    earliest_after,
    look_at_or_after,
    removal_timers,
)
from sim.decisions.cluster_autoscaler.scale_up import ScaleUpView, decide_scale_up, enforce_min_sizes
from sim.engine.clock import Phase
from sim.engine.cluster_autoscaler.actuation import Actuator
from sim.engine.cluster_autoscaler.aws_view import AwsView
from sim.engine.cluster_autoscaler.cluster_view import ClusterView
from sim.engine.cluster_autoscaler.decision_log import DecisionLog
from sim.engine.cluster_autoscaler.scale_down import ScaleDown
from sim.engine.cluster_autoscaler.stock import Stock
from sim.engine.cluster_autoscaler.templates import Templates
from sim.model.autoscaler import Orders
from sim.model.units import SECOND

if TYPE_CHECKING:
    from sim.decisions.cluster_autoscaler.balancing import Increase
    from sim.decisions.cluster_autoscaler.snapshot_node import PodView
    from sim.engine.aws.ec2 import NodeGroups
    from sim.engine.clock import Call, Clock
    from sim.engine.state import ClusterState
    from sim.engine.streams import Streams
    from sim.model.autoscaler import AutoscalerOptions

INSTANCES_REFRESH_US = 120 * SECOND  # CloudProviderNodeInstancesCacheRefreshInterval
RUN_TIME_US = 1 * SECOND  # from a productive run to the next of frequent loops; §2 says < 1 s [assumption]


class Autoscaler:
    """One autoscaler over all node groups of a cluster."""

    def __init__(
        self,
        clock: Clock,
        state: ClusterState,
        node_groups: NodeGroups,
        options: AutoscalerOptions,
        streams: Streams,
        *,
        skip_quiet_looks: bool = True,
    ) -> None:
        """Prepare; ``start`` begins. Skipping quiet looks changes no decision."""
        self.clock = clock
        self.state = state
        self.options = options
        self.streams = streams
        self.skip_quiet_looks = skip_quiet_looks
        self.cloud = AwsView(clock, node_groups, options.aws_refresh_interval_us)
        self.view = ClusterView(state, options)
        self.snapshot = self.view.snapshot
        self.templates = Templates(state, self.view)
        self.times = LastScaleTimes()
        self.log = DecisionLog(clock, state.log, options.scan_interval_us)
        self.stock = Stock(self.view, self.cloud, self.templates, self.log, options)
        self.registry = self.stock.registry
        self.actuator = Actuator(clock, state, self.cloud, options, self._deleted)
        self.scale_down = ScaleDown(self.view, self.cloud, self.actuator, self.times, self.log)
        self._is_random = options.orders is Orders.RANDOM
        self._pending_simulator = HintingSimulator()
        self._next_look: Call[None] | None = None
        self._last_look_us = clock.now_us
        self._asleep = False
        self._memory: Hashable = None  # what the last look left; None: the next one may differ
        self._waiting: Sequence[PodView] = ()  # pods without a node at the last look
        self._unhelped: Sequence[PodView] = ()  # those that nothing there or coming takes

    # -- when to look -----------------------------------------------------------------------

    def start(self) -> None:
        """Begin; the first look is one interval from now."""
        if not self.options.enabled or not self.state.cluster.node_groups:
            return
        self.cloud.regenerate()
        self._last_look_us = self.clock.now_us
        self.clock.at(self.clock.now_us, Phase.BACKGROUND, self._refresh_instances, None)
        self._look_at(self.clock.now_us + self.options.scan_interval_us)

    def _refresh_instances(self, _: Call[None]) -> None:
        if self.stock.refresh_instances():
            self.cluster_changed()
        due_us = self.clock.now_us + INSTANCES_REFRESH_US
        self.clock.at(due_us, Phase.BACKGROUND, self._refresh_instances, None)

    def _look_at(self, time_us: int) -> None:
        if self._next_look is not None:
            self._next_look.cancel()
        self._next_look = self.clock.at(time_us, Phase.LOOK, self._run, None)

    def _run(self, _: Call[None]) -> None:
        now_us = self.clock.now_us
        self.clock.looked_us = now_us
        if self._asleep:
            self._asleep = False
            self._account_for_skipped_looks(now_us)
        memory, self._memory = self._memory, None
        productive = self._look(now_us)
        self.snapshot.end_look()
        self._last_look_us = now_us
        if productive and self.options.frequent_loops_enabled:
            self._look_at(now_us + RUN_TIME_US)
        elif self.skip_quiet_looks and memory is not None and memory == self._memory:
            self._sleep(now_us)
        else:
            self._look_at(now_us + self.options.scan_interval_us)

    def _sleep(self, now_us: int) -> None:
        """Skip the looks that would find everything as it is."""
        self._asleep = True
        due_us = earliest_after(now_us, self._timers())
        if due_us is not None:
            self._look_at(look_at_or_after(due_us, now_us, self.options.scan_interval_us))

    def _timers(self) -> Iterable[int]:
        planner = self.scale_down.planner
        until_us = islice(planner.unremovable_until_us.values(), 1)  # the first of them is the first to come
        return chain(
            removal_timers(planner.unneeded.values(), self.times, self.options),
            candidate_timers(until_us, self.actuator.tainted_us.values(), self.times, self.options),
            backoff_timers(self.registry.backoffs.values()),
            scale_up_timers(self._unhelped, self.options.new_pod_scale_up_delay_us),
            self.templates.timers(),
            self.stock.timers(),
        )

    def cluster_changed(self) -> None:
        """Have the next look happen: something has changed."""
        if self._asleep:
            interval_us = self.options.scan_interval_us
            self._look_at(look_at_or_after(self.clock.now_us, self._last_look_us, interval_us))

    def pod_unschedulable(self) -> None:
        """With frequent loops, look at once, or as soon as the last run is over, a skipped one too."""
        if not self.options.frequent_loops_enabled or self._next_look is None:
            return
        now_us, last_us = self.clock.now_us, self._last_look_us
        if self._asleep and now_us > last_us:
            interval_us = self.options.scan_interval_us
            last_us += (now_us - 1 - last_us) // interval_us * interval_us
        self._look_at(max(now_us, last_us + RUN_TIME_US))

    def _account_for_skipped_looks(self, now_us: int) -> None:
        interval_us = self.options.scan_interval_us
        skipped_us = look_at_or_after(now_us, self._last_look_us, interval_us) - interval_us
        if skipped_us > self._last_look_us:
            self.cloud.skip_looks(self._last_look_us, skipped_us, interval_us)
            if self.options.scale_down_enabled:
                self.scale_down.planner.latest_update_us = skipped_us

    # -- one look ---------------------------------------------------------------------------

    def _look(self, now_us: int) -> bool:
        """Run once; return whether the cluster was scaled up, or deletions started."""
        self.cloud.refresh()
        self.view.update()
        if self._is_random:
            self.snapshot.chance = Chance(lambda: self.streams.dice("autoscaler", now_us))
        self.templates.update(now_us)
        self.actuator.forget_all_but(self.view)
        if not self.stock.take(now_us):
            if not self.registry.is_cluster_healthy():
                self.scale_down.forget()
            return False
        self._unhelped = self._pods_to_help()
        all_new = False
        if self._unhelped and not self._max_nodes_reached():
            pods = filter_out_young(self._unhelped, now_us, self.options.new_pod_scale_up_delay_us)
            all_new = bool(pods) and all_pods_are_new(pods, now_us)
            if pods and not all_new and self._scale_up(pods):
                return True
        started = self.options.scale_down_enabled and self.scale_down.look(now_us, forbidden=all_new)
        if started:
            self.times.scale_down_us = now_us
            self.registry.recalculate(self.cloud)
        enforced = self.options.enforce_node_group_min_size and self._increase(
            enforce_min_sizes(self._scale_up_view(), self.options)
        )
        if not (started or enforced or all_new or self.state.touched):
            self._memory = self._remember()
        return started or enforced

    def _remember(self) -> Hashable:
        """Return all that the next look depends on besides the cluster and the time, if it is at rest."""
        rest = (
            self.cloud.is_current
            and not self.actuator.deletions
            and not self.scale_down.soft_taints_left
            and (self.stock.is_settled or self._is_packing_certain())
        )
        if not rest:
            return None
        ordered = not self._is_random
        plan, stock = self.scale_down.planner.memory(ordered=ordered), self.stock.memory()
        placed = self._pending_simulator.memory()
        if plan is None or stock is None or (placed and self._unhelped and not ordered):
            return None  # in another order, others of the pending pods may get the room
        return plan, stock, self.snapshot.pointer.index if ordered else 0, placed

    def _is_packing_certain(self) -> bool:
        """Say whether pods that wait for upcoming nodes would all find room on these again.

        Upcoming nodes are packed anew in every look, in any order. That order does not matter to pods of
        one class, as long as none of them fits a node that is there.
        """
        classes = list({pod.cls for pod in self._waiting})
        if self._unhelped or len(classes) > 1:
            return False
        return not classes or not self.snapshot.has_room(classes[0], self.snapshot.destinations())

    # -- scale-up ---------------------------------------------------------------------------

    def _pods_to_help(self) -> list[PodView]:
        """Return pods that fit neither what is there nor what is coming, drained ones included."""
        cutoff = self.options.expendable_pods_priority_cutoff
        waiting: list[PodView] = []
        refused = self.state.refused
        if not (refused or self.actuator.deletions):
            self._waiting = waiting
            self._pending_simulator.drop_old_hints()
            return waiting
        for index, cls in sorted(refused.items()):
            if not cls.pending:
                del refused[index]
            elif cls.spec.priority >= cutoff:
                for pod in cls.pending:
                    if pod.nominated is not None:
                        if pod.nominated.id in self.view.nodes:
                            self.snapshot.place(pod, self.view.nodes[pod.nominated.id])
                    elif pod.unschedulable:
                        waiting.append(pod)
        waiting.sort(key=attrgetter("id"))
        if self.actuator.deletions:
            waiting += self._currently_drained()
        self._waiting = waiting
        return filter_out_schedulable(self.snapshot, waiting, self._pending_simulator, self.snapshot.chance)

    def _currently_drained(self) -> Iterator[PodView]:
        """Yield the pods that are still on nodes being drained."""
        _, draining = self.actuator.in_progress()
        for node in sorted(draining, key=lambda node: natural(node.name)):
            if node.id in self.view.nodes:
                yield from (pod for pod in self.view.nodes[node.id].pods if not pod.terminating)

    def _max_nodes_reached(self) -> bool:
        return 0 < self.options.max_nodes_total <= self._ready_nodes()

    def _ready_nodes(self) -> int:
        """Count the nodes that are Ready and not cordoned."""
        cordoned = 0
        if self.options.max_nodes_total:
            tainted = self.actuator.tainted_us if self.options.cordon_node_before_terminating else ()
            noticed = self.cloud.node_groups.is_noticed
            cordoned = sum(node in tainted or noticed(node) for node in self.view.nodes)
        return len(self.view.nodes) - cordoned

    def _scale_up_view(self) -> ScaleUpView:
        now_us = self.clock.now_us
        return ScaleUpView(
            sizes=self.cloud.sizes(),
            templates=self.templates.by_group,
            refusal=lambda group: self.registry.scale_up_refusal(group, now_us),
            node_count=self._ready_nodes() + sum(self.registry.upcoming_nodes()),
            listed_nodes=len(self.snapshot.nodes),
            pointer=self.snapshot.pointer,
        )

    def _scale_up(self, pods: Iterable[PodView]) -> bool:
        groups = pod_groups(pod.cls for pod in pods)
        decision = decide_scale_up(groups, self._scale_up_view(), self.options, self.snapshot.chance)
        self.log.decision(decision)
        return self._increase(decision.increases)

    def _increase(self, increases: Sequence[Increase]) -> bool:
        now_us = self.clock.now_us
        for increase in increases:
            self.cloud.increase(increase.group, increase.delta)
            self.registry.register_scale_up(increase.group, increase.delta, now_us)
            self.times.group_scale_up_us[increase.group] = now_us
            self.log.increase(increase, self.cloud.sizes()[increase.group].target)
        if increases:
            self.times.scale_up_us = now_us
            self.registry.recalculate(self.cloud)
        return bool(increases)

    def _deleted(self, group: int, accepted: bool) -> None:
        """Learn that a delete call was accepted or refused."""
        last = self.times.group_scale_down_us if accepted else self.times.group_failure_us
        last[group] = self.clock.now_us
