"""Sources (1.31.5): expander/, processors/nodegroupset/, core/scaleup/; cluster-autoscaler.md §3."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

import pytest

from sim.decisions.cluster_autoscaler.balancing import GroupSize, Increase, balance_scale_up
from sim.decisions.cluster_autoscaler.chance import Chance
from sim.decisions.cluster_autoscaler.equivalence import PodGroup, pod_groups
from sim.decisions.cluster_autoscaler.expander import Option, best_option, wasted_score
from sim.decisions.cluster_autoscaler.limits import CoresAndMemory, apply_limits, left_to_add, left_to_remove
from sim.decisions.cluster_autoscaler.pending_pods import all_pods_are_new, filter_out_young
from sim.decisions.cluster_autoscaler.scale_up import ScaleUpView, decide_scale_up, enforce_min_sizes
from sim.decisions.cluster_autoscaler.similar_groups import is_similar
from sim.decisions.cluster_autoscaler.snapshot import Pointer
from sim.decisions.cluster_autoscaler.template import NodeTemplate, is_good_template_candidate, node_template
from sim.model.autoscaler import AutoscalerOptions
from sim.model.cluster import NodeGroup, NodeShape
from sim.model.log import Reason
from sim.model.pods import Controller
from sim.model.resources import Resources
from tests.unit.decisions.cluster_autoscaler.autoscaling import (
    MINUTE,
    SECOND,
    Classes,
    a_group,
    a_template,
    pods,
)

OPTIONS = AutoscalerOptions()
SMALL, LARGE, MEMORY = (
    a_group("small-a", 1_000, 4_096), a_group("large-b", 8_000, 16_384), a_group("memory-c", 4_000, 65_536),
)  # fmt: skip


def an_option(group: int, nodes: int, count: int, cpu_m: int = 900, memory_mib: int = 900) -> Option:
    groups = (SMALL, LARGE, MEMORY)
    pod = PodGroup(Classes(*groups).a_class(cpu_m, memory_mib), count)
    return Option(a_template(groups[group], group), nodes, ((pod, count),))


class TestExpanders:
    @pytest.mark.parametrize(
        ("expanders", "options", "chosen", "tied"),
        [
            pytest.param(
                ["least-waste"], [(0, 4, 4), (1, 1, 4)], 0, [], id="least-waste: 0.1+0.78 beats 0.55+0.78"
            ),
            pytest.param(["most-pods"], [(0, 2, 2), (1, 1, 4)], 1, [], id="most-pods"),
            pytest.param(["least-nodes"], [(0, 4, 4), (1, 1, 4)], 1, [], id="least-nodes"),
            pytest.param(["random"], [(0, 4, 4), (1, 1, 4)], 0, [0, 1], id="random: the first when pinned"),
            pytest.param(["most-pods"], [(0, 4, 4), (1, 1, 4)], 0, [0, 1], id="a tie is left to chance"),
            pytest.param(
                ["most-pods", "least-nodes"], [(0, 4, 4), (1, 1, 4)], 1, [], id="a chain settles a tie"
            ),
            pytest.param(
                ["priority"], [(0, 4, 4), (1, 1, 4)], 1, [], id="priority: the highest that is matched"
            ),
            pytest.param(
                ["priority", "least-nodes"], [(1, 2, 4), (2, 1, 4)], 2, [], id="equal priorities go on"
            ),
            pytest.param(["random"], [(1, 1, 4)], 1, [], id="one option needs no chance"),
        ],
    )
    def test_chain(
        self, expanders: list[str], options: list[tuple[int, int, int]], chosen: int, tied: list[int]
    ) -> None:
        priorities = ((10, ("small",)), (50, ("large", "^memory-.*")))
        best, among = best_option([an_option(*option) for option in options], expanders, priorities)
        assert (best.group, [option.group for option in among]) == (chosen, tied)

    def test_priority_without_a_match_keeps_all(self) -> None:
        options = [an_option(0, 1, 1), an_option(1, 1, 1)]
        assert best_option(options, ["priority"], ((10, ("gpu",)),))[1] == tuple(options)

    def test_wasted_score(self) -> None:
        # two nodes of 1000m and 4096 MiB, one pod of 900m and 900 MiB on each
        assert wasted_score(an_option(0, 2, 2)) == (2000 - 1800) / 2000 + (8192 - 1800) / 8192

    def test_random_is_uniform(self) -> None:
        chance = Chance(lambda: Random(1))
        options = [an_option(0, 1, 1), an_option(1, 1, 1)]
        picks = [best_option(options, ["random"], (), chance)[0].group for _ in range(400)]
        assert 160 < sum(picks) < 240  # within 4 standard deviations of 200


class TestBalancing:
    @pytest.mark.parametrize(
        ("sizes", "nodes", "expected"),
        [
            pytest.param(
                [(1, 10), (4, 10), (2, 10)], 4, {0: 3, 2: 1}, id="the smallest first, a tie in turn"
            ),
            pytest.param([(0, 10), (0, 10), (0, 10)], 4, {0: 2, 1: 1, 2: 1}, id="equal ones in turn"),
            pytest.param([(0, 1), (0, 10)], 5, {0: 1, 1: 4}, id="a full group gives its share to the others"),
            pytest.param([(3, 3), (0, 10)], 2, {1: 2}, id="a group at its maximum takes no part"),
            pytest.param([(0, 2), (1, 2)], 9, {0: 2, 1: 1}, id="no more than there is room for"),
            pytest.param([(2, 2), (2, 2)], 3, {}, id="no room at all"),
        ],
    )
    def test_smallest_target_first(
        self, sizes: list[tuple[int, int]], nodes: int, expected: dict[int, int]
    ) -> None:
        groups = [GroupSize(0, most, target) for target, most in sizes]
        increases = balance_scale_up(range(len(sizes)), groups, nodes)
        assert {increase.group: increase.delta for increase in increases} == expected


class TestSimilarGroups:
    @pytest.mark.parametrize(
        ("change", "similar"),
        [
            pytest.param({}, True, id="alike"),
            pytest.param({"cpu_m": 2_001}, False, id="cpu must be equal"),
            pytest.param({"memory_mib": 4_036}, True, id="memory 1.46 % less"),
            pytest.param({"memory_mib": 4_034}, False, id="memory 1.51 % less"),
            pytest.param({"pods": 30}, False, id="pods must be equal"),
            pytest.param({"labels": (("lifecycle", "spot"),)}, True, id="a label that AWS ignores"),
            pytest.param(
                {"labels": (("eks.amazonaws.com/capacityType", "SPOT"),)}, False, id="one that it does not"
            ),
            pytest.param({"zone": "us-east-1b"}, True, id="another zone"),
        ],
    )
    def test_comparison(self, change: dict[str, Any], similar: bool) -> None:
        assert is_similar(a_template(), a_template(a_group("other", **change))) is similar

    def test_flags(self) -> None:
        spot = a_template(a_group("other", cpu_m=9_000, labels=(("pool", "a"), ("spot", "yes"))))
        plain = a_template(a_group(labels=(("pool", "a"),)))
        assert is_similar(plain, spot, balancing_label=("pool",))
        assert not is_similar(plain, spot, balancing_label=("pool", "spot"))
        alike = a_template(a_group(labels=(("pool", "a"), ("spot", "yes"))))
        assert is_similar(plain, alike, balancing_ignore_label=("spot",))

    def test_daemons_count_by_what_they_leave_free(self) -> None:
        classes = Classes()
        assert not is_similar(a_template(), a_template(daemons=[classes.a_class(101)]))  # 5.05 % less cpu
        assert is_similar(a_template(), a_template(daemons=[classes.a_class(100)]))


class TestLimits:
    @pytest.mark.parametrize(
        ("left", "nodes"),
        [
            pytest.param(CoresAndMemory(None, None), 5, id="no limit"),
            pytest.param(CoresAndMemory(7, None), 3, id="7 cores left, 2 a node"),
            pytest.param(CoresAndMemory(7, 8_192), 2, id="8 GiB left, 4 a node"),
        ],
    )
    def test_apply(self, left: CoresAndMemory, nodes: int) -> None:
        assert apply_limits(5, left, Resources(2_000, 4_096)) == nodes

    def test_left_counts_targets_and_templates(self) -> None:
        options = AutoscalerOptions(cores_total=(4, 10), memory_total_gib=(8, 20))
        assert left_to_add(
            [(3, Resources(2_000, 4_096)), (0, Resources(64_000, 1))], options
        ) == CoresAndMemory(4, 8_192)
        assert left_to_remove([Resources(2_000, 4_096)] * 3, options) == CoresAndMemory(2, 4_096)
        assert left_to_remove([Resources(2_000, 4_096)] * 3, OPTIONS) == CoresAndMemory(None, None)

    def test_part_of_a_core_counts_as_one(self) -> None:
        assert not CoresAndMemory(1, None).allows(Resources(1_001, 0))


class TestPendingPods:
    @pytest.mark.parametrize(
        ("age_us", "flag_us", "annotation_us", "old"),
        [
            pytest.param(1, 0, 0, True, id="no delay"),
            pytest.param(30 * SECOND, 30 * SECOND, 0, False, id="exactly the delay is not enough"),
            pytest.param(30 * SECOND + 1, 30 * SECOND, 0, True, id="strictly older"),
            pytest.param(40 * SECOND, 30 * SECOND, 60 * SECOND, False, id="the annotation raises the delay"),
            pytest.param(40 * SECOND, 30 * SECOND, 10 * SECOND, True, id="but never lowers it"),
        ],
    )
    def test_young_pods_wait(self, age_us: int, flag_us: int, annotation_us: int, old: bool) -> None:
        pending = pods(Classes().a_class(scale_up_delay_us=annotation_us), 1)
        assert bool(filter_out_young(pending, age_us, flag_us)) is old

    @pytest.mark.parametrize(
        ("ages_s", "gpu_ages_s", "new"),
        [
            pytest.param([1.9], [], True, id="younger than 2 s"),
            pytest.param([2.0], [], False, id="exactly 2 s will do"),
            pytest.param([0.1, 5], [], False, id="the oldest counts"),
            pytest.param([100], [29], True, id="GPU pods hold back all others for 30 s"),
            pytest.param([100], [5, 30], False, id="the oldest GPU pod counts"),
        ],
    )
    def test_all_pods_are_new(self, ages_s: list[float], gpu_ages_s: list[float], new: bool) -> None:
        now_us, classes = 1_000 * SECOND, Classes()
        plain, gpu = classes.a_class(), classes.a_class(gpu=1)
        pending = [pod for age in ages_s for pod in pods(plain, 1, created_us=now_us - round(age * SECOND))]
        pending += [
            pod for age in gpu_ages_s for pod in pods(gpu, 2, created_us=now_us - round(age * SECOND))
        ]
        assert all_pods_are_new(pending, now_us) is new


class TestEquivalenceGroups:
    def test_like_pods_of_a_controller_are_one_group_in_order_of_the_first(self) -> None:
        classes = Classes()
        one, two = classes.a_class(), classes.a_class()
        groups = pod_groups([two, one, two, two])
        assert [(group.cls.index, group.count, group.single) for group in groups] == [
            (1, 3, False),
            (0, 1, False),
        ]

    def test_pods_without_a_controller_stand_alone(self) -> None:
        (group,) = pod_groups([Classes().a_class(controller=Controller.NONE)] * 3)
        assert (group.count, group.single) == (3, True)

    def test_a_controller_has_ten_groups_at_most(self) -> None:
        classes = Classes()
        listed = [classes.a_class(100 + n, owner="one") for n in range(12)]
        assert [group.single for group in pod_groups(listed)] == [False] * 10 + [True] * 2


class TestTemplates:
    GROUP = NodeGroup(
        "g", (NodeShape(Resources(4_000, 15_155), Resources(3_920, 14_162), 58),), 0, 10,
        template=Resources(4_000, 16_384), template_pods=110,
    )  # fmt: skip

    def test_a_group_never_seen_is_nominal_with_a_second_kube_proxy(self) -> None:
        daemon = Classes().a_class(150, 64)
        template = node_template(0, 0, self.GROUP, [daemon], real=False)
        assert template.allocatable == template.capacity == Resources(4_000, 16_384)
        assert template.room == (4_000 - 150 - 100, 16_384 - 64, 0, 0, 110 - 2)

    def test_a_real_node_replaces_it(self) -> None:
        template = node_template(0, 0, self.GROUP, [Classes().a_class(150, 64)], real=True)
        assert template.room == (3_920 - 150, 14_162 - 64, 0, 0, 57)
        assert template.capacity == Resources(4_000, 15_155)

    def test_so_a_pod_can_buy_a_node_that_does_not_hold_it(self) -> None:
        pod = Classes(self.GROUP).a_class(3_900, 15_000)
        assert node_template(0, 0, self.GROUP, [], real=False).takes(pod)
        assert not node_template(0, 0, self.GROUP, [], real=True).takes(pod)

    @pytest.mark.parametrize(("age_us", "good"), [(60 * SECOND, False), (60 * SECOND + 1, True)])
    def test_after_more_than_a_minute_ready(self, age_us: int, good: bool) -> None:
        assert is_good_template_candidate(MINUTE, MINUTE + age_us) is good


def a_view(templates: Sequence[NodeTemplate], sizes: list[GroupSize], **refused: Reason) -> ScaleUpView:
    refusal = {int(name[1:]): reason for name, reason in refused.items()}
    return ScaleUpView(
        sizes=sizes,
        templates=templates,
        refusal=lambda group: refusal.get(group, Reason.NoReason),
        node_count=sum(size.target for size in sizes),
        listed_nodes=0,
        pointer=Pointer(),
    )


class TestDecision:
    GROUPS = (a_group("a"), a_group("b"), a_group("c", cpu_m=4_000))
    TEMPLATES = tuple(a_template(group, index) for index, group in enumerate(GROUPS))

    def decide(
        self, view: ScaleUpView, options: AutoscalerOptions = OPTIONS, count: int = 6, cpu_m: int = 1_500
    ) -> Any:
        asked = [PodGroup(Classes(*self.GROUPS).a_class(cpu_m), count)]
        decision = decide_scale_up(asked, view, options)
        return [(increase.group, increase.delta) for increase in decision.increases], decision.refusals

    def test_refusals_carry_upstreams_reasons(self) -> None:
        options = AutoscalerOptions(cores_total=(0, 7))
        view = a_view(
            self.TEMPLATES,
            [GroupSize(0, 3, 3), GroupSize(0, 9, 0), GroupSize(0, 9, 0)],
            _1=Reason.BackoffReason,
        )
        assert self.decide(view, options) == (
            [],
            {0: Reason.MaxLimitReachedReason, 1: Reason.BackoffReason, 2: Reason.MaxResourceLimitReached},
        )

    def test_a_pod_larger_than_every_node(self) -> None:
        view = a_view(self.TEMPLATES, [GroupSize(0, 9, 0)] * 3)
        assert self.decide(view, cpu_m=5_000) == ([], dict.fromkeys(range(3), Reason.NoPodsFit))

    def test_similar_groups_share(self) -> None:
        options = AutoscalerOptions(balance_similar_node_groups=True)
        view = a_view(self.TEMPLATES, [GroupSize(0, 9, 0), GroupSize(0, 9, 2), GroupSize(0, 0, 0)])
        assert self.decide(view, options)[0] == [(0, 4), (1, 2)]
        assert self.decide(view, OPTIONS)[0] == [(0, 6)]

    def test_similar_groups_lend_their_room_to_the_estimate(self) -> None:
        options = AutoscalerOptions(balance_similar_node_groups=True)
        view = a_view(self.TEMPLATES, [GroupSize(0, 2, 0), GroupSize(0, 3, 0), GroupSize(0, 0, 0)])
        assert self.decide(view, options)[0] == [(0, 2), (1, 3)]

    def test_limits_cap_what_the_expander_chose(self) -> None:
        view = a_view(self.TEMPLATES[:1], [GroupSize(0, 9, 0)])
        assert self.decide(view, AutoscalerOptions(cores_total=(0, 5)))[0] == [(0, 2)]
        assert self.decide(view, AutoscalerOptions(max_nodes_total=4))[0] == [(0, 4)]

    def test_enforced_minimum(self) -> None:
        view = a_view(
            self.TEMPLATES,
            [GroupSize(3, 9, 1), GroupSize(1, 9, 1), GroupSize(2, 9, 0)],
            _2=Reason.BackoffReason,
        )
        assert enforce_min_sizes(view, OPTIONS) == [Increase(0, 2)]
