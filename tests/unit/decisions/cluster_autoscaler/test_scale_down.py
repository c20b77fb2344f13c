"""Sources (1.31.5): core/scaledown/, simulator/; cluster-autoscaler.md §1.5, §4."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sim.decisions.cluster_autoscaler.balancing import GroupSize
from sim.decisions.cluster_autoscaler.budgets import crop_nodes
from sim.decisions.cluster_autoscaler.cooldown import (
    LastScaleTimes,
    is_group_in_cooldown,
    is_scale_down_in_cooldown,
)
from sim.decisions.cluster_autoscaler.drain_rules import blocking_reason
from sim.decisions.cluster_autoscaler.eligibility import is_being_deleted, scale_down_order
from sim.decisions.cluster_autoscaler.limits import CoresAndMemory
from sim.decisions.cluster_autoscaler.planner import Planner
from sim.decisions.cluster_autoscaler.quiet import earliest_after, look_at_or_after, removal_timers
from sim.decisions.cluster_autoscaler.removal import NodeToBeRemoved
from sim.decisions.cluster_autoscaler.snapshot import Snapshot
from sim.decisions.cluster_autoscaler.unneeded import Unneeded, removable_at, unneeded_nodes_limit
from sim.decisions.cluster_autoscaler.utilization import node_capacity, underused_room, utilization
from sim.model.autoscaler import AutoscalerOptions, options_for
from sim.model.log import Reason
from sim.model.pods import Controller, PodClass
from sim.model.resources import Resources
from tests.unit.decisions.cluster_autoscaler.autoscaling import (
    MINUTE,
    SECOND,
    Classes,
    FakeNode,
    a_node,
    a_snapshot,
    pods,
)

OPTIONS = AutoscalerOptions()
WORKER = PodClass("w", Resources(1), Resources(1), "w", Controller.REPLICATION_CONTROLLER)


FREE = Reason.NoReason
SYSTEM = {"system": True}
CUSTOM = {"controller": Controller.CUSTOM}
BARE = {"controller": Controller.NONE}
LOCAL = {"local_storage": True}
EVERYTHING = {**LOCAL, **BARE, "safe_to_evict": True}


def system_pods_block_for(minutes: int) -> dict[str, int]:
    return {"blocking_system_pod_disruption_timeout_us": minutes * MINUTE}


class TestDrainRules:
    """Of pods one hour old."""

    @pytest.mark.parametrize(
        ("change", "left", "options", "reason"),
        [
            pytest.param({}, None, {}, FREE, id="a replicated pod may go"),
            pytest.param(BARE, None, {}, Reason.NotReplicated, id="a bare pod"),
            pytest.param(CUSTOM, None, {}, Reason.NotReplicated, id="an unknown controller"),
            pytest.param(
                CUSTOM, None, {"skip_nodes_with_custom_controller_pods": False}, FREE, id="unless let go"
            ),
            pytest.param({"controller": Controller.JOB}, None, {}, FREE, id="a job's pod"),
            pytest.param(SYSTEM, None, {}, Reason.UnmovableKubeSystemPod, id="a system pod, no budget"),
            pytest.param(
                {"namespace": "kube-system"}, None, {}, Reason.UnmovableKubeSystemPod, id="by namespace"
            ),
            pytest.param(SYSTEM, 1, {}, FREE, id="a system pod with a budget"),
            pytest.param(SYSTEM, None, {"skip_nodes_with_system_pods": False}, FREE, id="system pods let go"),
            pytest.param(SYSTEM, None, system_pods_block_for(59), FREE, id="a system pod blocks for so long"),
            pytest.param(
                SYSTEM, None, system_pods_block_for(60), Reason.UnmovableKubeSystemPod, id="its end included"
            ),
            pytest.param(
                {"safe_to_evict": False}, None, {}, Reason.NotSafeToEvictAnnotation, id="safe-to-evict: false"
            ),
            pytest.param(LOCAL, None, {}, Reason.LocalStorageRequested, id="an emptyDir, as Pachyderm's"),
            pytest.param(LOCAL, None, {"skip_nodes_with_local_storage": False}, FREE, id="the AWS example"),
            pytest.param(EVERYTHING, 0, {}, FREE, id="safe-to-evict: true skips every check below it"),
            pytest.param({}, 0, {}, Reason.NotEnoughPdb, id="a budget of 0"),
            pytest.param({}, 1, {}, FREE, id="a budget of 1"),
            pytest.param({**BARE, **LOCAL}, None, {}, Reason.NotReplicated, id="the first rule wins"),
        ],
    )
    def test_first_rule_that_answers(
        self, change: dict[str, Any], left: int | None, options: dict[str, Any], reason: Reason
    ) -> None:
        pod = replace(WORKER, **change)
        assert blocking_reason(pod, left, replace(OPTIONS, **options), age_us=60 * MINUTE) is reason


class TestUtilization:
    CAPACITY = node_capacity(Resources(2_000, 4_096), [Classes().a_class(200, 512)])

    def test_larger_of_cpu_and_memory_daemons_included(self) -> None:
        node = a_node(1, cpu_m=2_000 - 200 - 700, memory_mib=4_096 - 512 - 100)
        assert utilization(node, self.CAPACITY) == 900 / 2_000
        assert utilization(node, self.CAPACITY, ignore_daemonsets=True) == 700 / 1_800

    def test_gpus_alone_count_on_a_gpu_node(self) -> None:
        node = a_node(1, cpu_m=0)
        node.gpu = 3
        assert utilization(node, node_capacity(Resources(2_000, 4_096, gpu=4), []), gpu=True) == 0.25

    @pytest.mark.parametrize("threshold", [0.3, 0.4, 0.5, 0.65, 0.8])
    @pytest.mark.parametrize("ignore", [False, True])
    @pytest.mark.parametrize("version", ["1.31", "1.36"])
    def test_underused_room_is_the_threshold(self, threshold: float, ignore: bool, version: str) -> None:
        options = replace(
            options_for(version),
            scale_down_utilization_threshold=threshold,
            ignore_daemonsets_utilization=ignore,
        )
        least = underused_room(self.CAPACITY, options)
        for cpu_m in range(1_801):
            node = a_node(1, cpu_m=cpu_m, memory_mib=4_096 - 512)
            used = utilization(node, self.CAPACITY, ignore_daemonsets=ignore)
            low = used <= threshold if version == "1.36" else used < threshold
            assert (cpu_m >= least.cpu_m and node.memory_mib >= least.memory_mib) is low


class TestOrder:
    def test_empty_first_then_previously_unneeded_then_node_order(self) -> None:
        nodes = [a_node(node_id) for node_id in range(6)]
        ordered = scale_down_order(nodes, {3, 5}, previous={1, 5})
        assert [node.id for node in ordered] == [5, 3, 1, 0, 2, 4]

    @pytest.mark.parametrize(("age_s", "deleted"), [(0, True), (299, True), (300, False)])
    def test_a_taint_is_believed_for_five_minutes(self, age_s: int, deleted: bool) -> None:
        assert is_being_deleted(MINUTE, MINUTE + age_s * SECOND) is deleted
        assert not is_being_deleted(None, MINUTE)


class TestUnneeded:
    @pytest.mark.parametrize(
        ("unneeded", "interval_s", "parallelism", "limit"),
        [
            pytest.param(0, 600, 10, 20, id="at first twice the parallelism"),
            pytest.param(20, 10, 10, 40, id="then that many more"),
            pytest.param(600, 10, 10, 610, id="never more than P x U/I + P"),
            pytest.param(100, 700, 10, 20, id="an interval longer than the unneeded time"),
            pytest.param(5, 10, 5, 15, id="by the parallelism"),
        ],
    )
    def test_limit(self, unneeded: int, interval_s: int, parallelism: int, limit: int) -> None:
        options = AutoscalerOptions(max_scale_down_parallelism=parallelism)
        assert unneeded_nodes_limit(unneeded, interval_s * SECOND, options) == limit

    def removable(
        self, *entries: tuple[int, int, int], **change: Any
    ) -> tuple[list[int], list[int], dict[int, Reason]]:
        """Ask about (node, pods, unneeded for seconds) at 20 minutes."""
        now_us = 20 * MINUTE
        unneeded = {
            node: Unneeded(NodeToBeRemoved(a_node(node), count), now_us - age_s * SECOND)
            for node, count, age_s in entries
        }
        view: dict[str, Any] = {
            "sizes": [GroupSize(0, 9, 9)],
            "deletions": [0],
            "left": CoresAndMemory(None, None),
        } | change
        empty, drain, reasons = removable_at(
            unneeded, now_us, OPTIONS, capacities=[Resources(2_000, 4_096)], **view
        )
        return [node.id for node in empty], [node.id for node in drain], reasons

    def test_strictly_longer_than_the_unneeded_time(self) -> None:
        assert self.removable((1, 0, 600), (2, 0, 601)) == ([2], [], {1: Reason.NotUnneededLongEnough})

    def test_minimum_size_less_deletions_in_progress(self) -> None:
        expected: tuple[list[int], list[int], dict[int, Reason]]
        expected = ([2], [], {1: Reason.NodeGroupMinSizeReached})
        entries = ((1, 1, 900), (2, 0, 900))  # empty ones are asked first
        assert self.removable(*entries, sizes=[GroupSize(2, 9, 3)]) == expected
        assert self.removable(*entries, sizes=[GroupSize(2, 9, 4)], deletions=[1]) == expected

    def test_cluster_minimum(self) -> None:
        left = CoresAndMemory(3, None)
        assert self.removable((1, 0, 900), (2, 0, 900), left=left) == (
            [1], [], {2: Reason.MinimalResourceLimitExceeded},
        )  # fmt: skip


class TestBudgets:
    @pytest.mark.parametrize(
        ("empty", "drain", "in_progress", "expected"),
        [
            pytest.param(14, 0, (0, 0), (10, 0), id="ten empty nodes at once"),
            pytest.param(0, 5, (0, 0), (0, 1), id="one drain at a time"),
            pytest.param(9, 2, (0, 0), (9, 1), id="empty ones first, the drain in what is left"),
            pytest.param(10, 2, (0, 0), (10, 0), id="nothing left for the drain"),
            pytest.param(5, 5, (7, 1), (2, 0), id="less what is in progress"),
        ],
    )
    def test_crop(
        self, empty: int, drain: int, in_progress: tuple[int, int], expected: tuple[int, int]
    ) -> None:
        cropped = crop_nodes([a_node(1)] * empty, [a_node(2)] * drain, *in_progress, OPTIONS)
        assert tuple(sum(map(len, buckets)) for buckets in cropped) == expected

    def test_buckets_are_by_group(self) -> None:
        nodes = [a_node(1, group=1), a_node(2, group=0), a_node(3, group=1)]
        buckets, _ = crop_nodes(nodes, [], 0, 0, OPTIONS)
        assert [[node.id for node in bucket] for bucket in buckets] == [[1, 3], [2]]


class TestCooldown:
    @pytest.mark.parametrize(
        ("times", "now_s", "resting"),
        [
            pytest.param({}, 0, False, id="none at the start"),
            pytest.param({"scale_up_us": 0}, 599, True, id="10 minutes after a scale-up"),
            pytest.param({"scale_up_us": 0}, 600, False, id="and no longer"),
            pytest.param({"failure_us": 0}, 179, True, id="3 minutes after a failure"),
            pytest.param({"scale_down_us": 0}, 0, False, id="none after a deletion by default"),
        ],
    )
    def test_cluster_wide(self, times: dict[str, Any], now_s: int, resting: bool) -> None:
        assert is_scale_down_in_cooldown(LastScaleTimes(**times), now_s * SECOND, OPTIONS) is resting

    def test_local_delays_are_by_group(self) -> None:
        options = AutoscalerOptions(scale_down_delay_type_local=True)
        times = LastScaleTimes(scale_up_us=0, group_scale_up_us={1: 0})
        assert not is_scale_down_in_cooldown(times, SECOND, options)
        assert [is_group_in_cooldown(group, times, SECOND, options) for group in (0, 1)] == [False, True]
        assert not is_group_in_cooldown(1, times, SECOND, OPTIONS)


class TestPlanner:
    """Nodes of 2000m; the planner sees ids, and pods move among them."""

    def plan(
        self, planner: Planner, nodes: list[FakeNode], now_s: int = 10, candidates: int = 9
    ) -> list[int]:
        self.snapshot: Snapshot = a_snapshot(nodes)
        free = [(node.cpu_m, len(node.pods)) for node in nodes]
        planner.forget_old_failures(now_s * SECOND)
        planner.update_cluster_state(
            self.snapshot,
            nodes[:candidates],
            self.snapshot.destinations(),
            (),
            now_s * SECOND,
        )
        assert [(node.cpu_m, len(node.pods)) for node in nodes] == free  # the snapshot is as it was
        return list(planner.unneeded)

    def test_a_node_accepted_is_no_destination_and_moved_pods_stay_moved(self) -> None:
        cls = Classes().a_class(900)
        nodes = [a_node(node, *pods(cls, node)) for node in (1, 2, 3)]
        assert self.plan(Planner(OPTIONS), nodes) == [1]  # 1 goes to 2, then 2 and 3 have no place for two

    def test_a_failure_is_not_looked_at_for_five_minutes(self) -> None:
        cls = Classes().a_class(1_100)
        nodes = [a_node(node, *pods(cls, node)) for node in (1, 2)]
        planner = Planner(OPTIONS)
        assert self.plan(planner, nodes) == []
        assert planner.refusals == {1: Reason.NoPlaceToMovePods, 2: Reason.NoPlaceToMovePods}
        nodes[1] = a_node(2)
        assert self.plan(planner, nodes, 20) == []
        assert planner.refusals == {1: Reason.RecentlyUnremovable, 2: Reason.RecentlyUnremovable}
        assert self.plan(planner, nodes, 310) == [1]  # and 2 is the destination

    def test_unneeded_since_is_kept_and_lost(self) -> None:
        planner = Planner(OPTIONS)
        node, other = a_node(1), a_node(2)
        self.plan(planner, [node, other], 10)
        self.plan(planner, [node], 20)
        self.plan(planner, [node, other], 30)
        assert {n: entry.since_us // SECOND for n, entry in planner.unneeded.items()} == {1: 10, 2: 30}

    def test_pods_are_tried_first_where_they_were_moved_before(self) -> None:
        cls = Classes().a_class(300)
        nodes = [a_node(1, *pods(cls, 7)), a_node(2), a_node(3)]
        planner = Planner(OPTIONS)
        self.plan(planner, nodes, 10, candidates=1)
        assert self.snapshot.pointer.index == 2  # found on the second, one behind it
        self.plan(planner, nodes, 20, candidates=1)
        assert self.snapshot.pointer.index == 0  # the hint needed no search: this is a new snapshot's

    def test_a_blocking_pod_keeps_its_node(self) -> None:
        cls = Classes().a_class(100, local_storage=True)
        planner = Planner(OPTIONS)
        assert self.plan(planner, [a_node(1, *pods(cls, 1)), a_node(2)]) == [2]
        assert planner.refusals == {1: Reason.LocalStorageRequested}

    def test_a_budget_allows_so_many_pods_a_look(self) -> None:
        cls = Classes().a_class(100, disruptions_allowed=1)
        planner = Planner(OPTIONS)
        assert self.plan(planner, [a_node(1, *pods(cls, 1)), a_node(2, *pods(cls, 2)), a_node(3)]) == [1, 3]
        assert planner.refusals == {2: Reason.NotEnoughPdb}

    def test_more_than_the_limit_are_not_simulated(self) -> None:
        planner = Planner(replace(OPTIONS, max_scale_down_parallelism=1))
        assert self.plan(planner, [a_node(node) for node in range(1, 6)]) == [1, 2]
        assert planner.refusals == dict.fromkeys((3, 4, 5), Reason.NotUnneededOtherReason)

    @pytest.mark.parametrize(
        ("pods_on", "unneeded_since_s", "matters"),
        [
            pytest.param((), {}, False, id="no candidates"),
            pytest.param(("local", "local"), {}, False, id="pods block both"),
            pytest.param(("local", None), {}, False, id="one empty, newly"),
            pytest.param((None, None), {}, True, id="two empty ones would be written in this order"),
            pytest.param((None, None), {1: 10}, False, id="one of them known to be unneeded"),
            pytest.param((None, None), {1: 10, 2: -591}, True, id="one may go, the order says which first"),
            pytest.param(("free", None), {}, True, id="pods that move take room from others"),
        ],
    )
    def test_order_is_not_drawn_unless_it_shows(
        self, pods_on: tuple[str | None, ...], unneeded_since_s: dict[int, int], matters: bool
    ) -> None:
        """Looks ten minutes later: the order decides what is removed, written, or moved first."""
        classes = Classes()
        kinds = {"local": classes.a_class(100, local_storage=True), "free": classes.a_class(100)}
        nodes = [
            a_node(n, *(pods(kinds[kind], n) if kind else ())) for n, kind in enumerate(pods_on, start=1)
        ]
        planner = Planner(OPTIONS)
        planner.unneeded = {
            n: Unneeded(NodeToBeRemoved(nodes[n - 1], 0), since_s * SECOND)
            for n, since_s in unneeded_since_s.items()
        }
        before = dict(planner.unneeded)
        assert planner.update_in_any_order(nodes, before.keys(), (), None, 10 * SECOND) is not matters
        if matters:
            assert (planner.unneeded, planner.changes, planner.latest_update_us) == (before, 0, None)
        else:
            assert (planner.unneeded.keys(), planner.refusals) == self.in_order(nodes, before)

    def in_order(self, nodes: list[FakeNode], before: dict[int, Unneeded]) -> tuple[Any, dict[int, Reason]]:
        planner = Planner(OPTIONS)
        planner.unneeded = before
        self.plan(planner, nodes)
        return planner.unneeded.keys(), planner.refusals


class TestQuiet:
    def test_first_look_at_or_behind_an_instant(self) -> None:
        assert [look_at_or_after(at, 20, 10) for at in (5, 20, 21, 30, 31)] == [30, 30, 30, 30, 40]

    def test_only_timers_to_come_count(self) -> None:
        assert earliest_after(10, [3, 30, 10, 20]) == 20
        assert earliest_after(10, [10]) is None

    def test_an_unneeded_node_may_go_past_its_time_and_out_of_the_cooldown(self) -> None:
        entry = Unneeded(NodeToBeRemoved(a_node(1), 0), 100 * SECOND)
        times = LastScaleTimes(scale_up_us=50 * SECOND)
        assert list(removal_timers([entry], times, OPTIONS)) == [650 * SECOND, 700 * SECOND + 1]
