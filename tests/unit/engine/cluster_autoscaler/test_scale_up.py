"""The Cluster Autoscaler buys nodes as the sheet says, seen from the log of whole scenes.

Looks come every 10 s, nodes of these scenes take 60 s. Sections are those of cluster-autoscaler.md.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from sim.model.autoscaler import Orders
from sim.model.cluster import DaemonSet, FailMode, FailWindow
from sim.model.log import BackoffReason, NodeState, Reason, RefusalKind
from sim.model.pods import Controller
from sim.model.resources import Resources
from sim.model.units import HOUR, MINUTE, SECOND
from tests.unit.engine.scenes import FOR_EVER, Scene, a_class, a_group, flags

BIG = Resources(16_000, 64_000)
ONE = a_class(cpu_m=3_000)  # one to a node of 4 cores


# -- the loop ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arrives_s", "looked_s"),
    [
        pytest.param(5, 10, id="the next look"),
        pytest.param(9, 20, id="all pods are new: younger than 2 s at 10"),
        pytest.param(8, 10, id="exactly 2 s old is not new"),
        pytest.param(10, 20, id="refused at the instant of a look, but new"),
    ],
)
def test_a_pod_is_seen_at_the_next_look_once_the_scheduler_has_refused_it(
    arrives_s: float, looked_s: float
) -> None:
    """§1.1 and §1.2 step 12; then 60 s to Ready, and the pod is placed at once."""
    scene = Scene([a_group()], [(arrives_s, ONE, FOR_EVER)])
    assert scene.seconds("pod_unschedulable") == [arrives_s]
    assert scene.scale_ups() == [(looked_s, "nodes", 1)]
    assert scene.bound() == [looked_s + 60]


def test_a_pod_that_the_scheduler_can_place_is_never_seen() -> None:
    scene = Scene([a_group(initial=1)], [(5, ONE, FOR_EVER)])
    assert scene.seconds("pod_unschedulable") == []
    assert scene.scale_ups() == []


def test_gpu_pods_are_new_for_30_seconds_and_hold_back_the_batch() -> None:
    """§1.2 step 12: the GPU pod of 5 s is old enough at 35; the CPU pod beside it waits with it."""
    gpu = a_group("gpu", room=Resources(4_000, 16_000, gpu=1))
    learner = a_class("learner", gpu=1)
    scene = Scene([a_group(), gpu], [(5, learner, FOR_EVER), (5, ONE, FOR_EVER)])
    assert scene.scale_ups()[0][0] == 40


def test_frequent_loops_look_as_soon_as_a_pod_is_unschedulable() -> None:
    """§1.1, on from 1.35: looks at 5 (all pods new), at 13 (one is 0 s old), at 14 (new), 10 s later."""
    pods = [(5.0, ONE, FOR_EVER), (13.0, ONE, FOR_EVER)]
    assert Scene([a_group()], pods, flags("1.34")).scale_ups() == [(10, "nodes", 1), (20, "nodes", 1)]
    assert Scene([a_group()], pods, flags("1.35")).scale_ups() == [(13, "nodes", 1), (24, "nodes", 1)]


def test_frequent_loops_wait_for_a_run_that_was_skipped_because_it_was_quiet() -> None:
    """A run at 300 lasts until 301, whether it was simulated or not; the pod of 300.5 is new at 301."""
    assert Scene([a_group()], [(300.5, ONE, FOR_EVER)], flags("1.35")).scale_ups() == [(311, "nodes", 1)]


def test_new_pods_may_be_left_alone_for_a_while() -> None:
    """§1.2 step 11: older than --new-pod-scale-up-delay, strictly; a pod's annotation only raises it."""
    options = flags(new_pod_scale_up_delay_us=25 * SECOND)
    slower = a_class("slower", scale_up_delay_us=45 * SECOND)
    hasty = a_class("hasty", scale_up_delay_us=5 * SECOND)
    for pod, looked_s in ((ONE, 40), (slower, 60), (hasty, 40)):
        scene = Scene([a_group()], [(5, pod, FOR_EVER)], options)
        assert scene.scale_ups()[0][0] == looked_s
    scene = Scene([a_group()], [(5, slower, FOR_EVER)], flags())
    assert scene.scale_ups()[0][0] == 60


def test_one_node_group_a_look() -> None:
    """§8 trap 4: three disjoint classes take three looks."""
    groups = [a_group(name, labels=(("for", name),)) for name in "abc"]
    pods = [(5, a_class(name, node_selector=(("for", name),)), FOR_EVER) for name in "abc"]
    scene = Scene(groups, pods)
    assert scene.scale_ups() == [(10, "a", 1), (20, "b", 1), (30, "c", 1)]


# -- estimator and upcoming nodes -------------------------------------------------------------


def test_pods_are_packed_largest_first() -> None:
    """§3.2: score is cpu + memory over allocatable; 3000 + 1000, 3000 + 1000, 2000 + 1000 on 4 cores each."""
    pods = [(5, a_class("small", cpu_m=1_000), FOR_EVER)] * 3
    pods += [(5, ONE, FOR_EVER)] * 2 + [(5, a_class("middle", cpu_m=2_000), FOR_EVER)]
    assert Scene([a_group()], pods).scale_ups()[0] == (10, "nodes", 3)


def test_daemonsets_take_room_on_the_nodes_that_are_planned() -> None:
    """§3.5: with 250m of daemons, four pods of 1000m no longer fit a node of 4 cores."""
    daemon = DaemonSet(a_class("aws-node", cpu_m=250, controller=Controller.DAEMON_SET))
    pods = [(5.0, a_class("small", cpu_m=1_000), FOR_EVER)] * 8
    assert Scene([a_group()], pods).scale_ups() == [(10, "nodes", 2)]
    assert Scene([a_group()], pods, daemon_sets=(daemon,)).scale_ups() == [(10, "nodes", 3)]


def test_upcoming_nodes_are_counted_so_nothing_is_bought_twice() -> None:
    """§1.3 and §8 trap 1: three pods wait 60 s for three nodes; one more needs one more."""
    pods = [(5.0, ONE, FOR_EVER)] * 3 + [(31.0, ONE, FOR_EVER)]
    scene = Scene([a_group()], pods)
    assert scene.scale_ups() == [(10, "nodes", 3), (40, "nodes", 1)]


def test_an_upcoming_node_takes_later_pods_too() -> None:
    pods = [(5.0, a_class("small", cpu_m=1_000), FOR_EVER), (31.0, a_class("late", cpu_m=1_000), FOR_EVER)]
    assert Scene([a_group()], pods).scale_ups() == [(10, "nodes", 1)]


def test_from_zero_a_group_is_believed_to_be_its_nominal_size() -> None:
    """§3.5 and §8 trap 11: the pod of 4 cores costs one node of 3920m in vain, not one every ten seconds.

    While the node is upcoming the pod fits it; once it has been Ready for a minute its real template says no.
    """
    real = Resources(3_920, 14_000)
    group = a_group(room=real, template=Resources(4_000, 16_384), template_pods=110)
    scene = Scene([group], [(5, a_class(cpu_m=4_000), FOR_EVER)], until_s=1_500)
    assert scene.bound() == []
    assert all(time_s < 70 + 60 + 10 for time_s, *_ in scene.scale_ups())
    assert scene.refusals(RefusalKind.SCALE_UP) >= {Reason.NoPodsFit}


def test_the_template_of_an_empty_group_has_110_pods() -> None:
    """§8 trap 13: 40 tiny pods are planned for one node, which then takes its real 29."""
    group = a_group(max_pods=29, template=Resources(4_000, 16_000), template_pods=110)
    scene = Scene([group], [(5.0, a_class(cpu_m=10, memory_mib=10), FOR_EVER)] * 40, until_s=300)
    assert scene.scale_ups()[0] == (10, "nodes", 1)
    assert scene.bound().count(70) == 29
    assert len(scene.bound()) == 40


# -- expanders --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expander", "chosen"),
    [
        pytest.param(("least-waste",), ("tiny", 2), id="least-waste: no core idle, against 1/4 and 10/16"),
        pytest.param(("least-nodes",), ("big", 1), id="least-nodes"),
        pytest.param(("most-pods",), ("big", 1), id="most-pods: only big takes the pod with much memory"),
        pytest.param(("most-pods", "least-waste"), ("big", 1), id="a chain filters, one after the other"),
        pytest.param(("priority",), ("tiny", 3), id="priority: the highest list that matches"),
    ],
)
def test_expanders(expander: tuple[str, ...], chosen: tuple[str, int]) -> None:
    """§3.3, each by its rule on two pods of 3 cores and one of 30 GiB."""
    groups = [a_group("big", room=BIG), a_group("small"), a_group("tiny", room=Resources(3_000, 16_000))]
    pods = [(5.0, ONE, FOR_EVER)] * 2 + [(5.0, a_class("heavy", cpu_m=100, memory_mib=30_000), FOR_EVER)]
    if expander == ("priority",):
        pods = [(5.0, ONE, FOR_EVER)] * 3
    options = flags(expander=expander, expander_priorities=((10, (".*",)), (50, ("^tiny$",))))
    assert Scene(groups, pods, options).scale_ups()[0] == (10, *chosen)


def test_least_waste_goes_by_nominal_capacity() -> None:
    """§3.3: C and M are capacity, not allocatable: 5 of 8 nominal cores idle, though the real 3 are full."""
    reserved = a_group("reserved", room=Resources(3_000, 16_000), template=Resources(8_000, 16_000))
    exact = a_group("exact", room=Resources(4_000, 16_000))
    scene = Scene([reserved, exact], [(5, ONE, FOR_EVER)], flags(expander=("least-waste",)))
    assert scene.scale_ups()[0][1] == "exact"


def test_random_takes_each_of_the_options_alike() -> None:
    """§3.3: of 100 seeds, half for each of two equal groups; four standard deviations are 20."""
    options = flags(expander=("random",), orders=Orders.RANDOM)
    groups = [a_group("a"), a_group("b")]
    first = Counter(
        Scene(groups, [(5, ONE, FOR_EVER)], options, until_s=60, seed=seed).scale_ups()[0][1]
        for seed in range(100)
    )
    assert first["a"] + first["b"] == 100
    assert abs(first["a"] - 50) <= 20


# -- limits -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "most"),
    [
        pytest.param({}, 4, id="a node for each pod"),
        pytest.param({"max_nodes_total": 3}, 3, id="--max-nodes-total"),
        pytest.param({"cores_total": (0, 9)}, 2, id="--cores-total: 9 cores hold two nodes of 4"),
        pytest.param({"memory_total_gib": (0, 17)}, 1, id="--memory-total: 17 GiB hold one of 16,000 MiB"),
        pytest.param(
            {"max_nodes_per_scaleup": 2}, 4, id="--max-nodes-per-scaleup: the rest at the next look"
        ),
    ],
)
def test_limits(changed: dict[str, Any], most: int) -> None:
    """§3.1 steps 2 and 6, §3.2 limiter."""
    scene = Scene([a_group()], [(5.0, ONE, FOR_EVER)] * 4, flags(**changed), until_s=600)
    assert sum(delta for *_, delta in scene.scale_ups()) == most
    if "max_nodes_per_scaleup" in changed:
        assert scene.scale_ups() == [(10, "nodes", 2), (20, "nodes", 2)]


def test_a_group_never_exceeds_its_maximum() -> None:
    scene = Scene([a_group(max_size=2)], [(5.0, ONE, FOR_EVER)] * 4, until_s=600)
    assert scene.scale_ups() == [(10, "nodes", 2)]
    assert scene.refusals(RefusalKind.SCALE_UP) == {Reason.MaxLimitReachedReason}


def test_groups_below_their_minimum_are_raised_only_if_asked() -> None:
    """§1.2 step 15: --enforce-node-group-min-size is off by default."""
    group = a_group(min_size=2, initial=0)
    assert Scene([group], [], flags()).scale_ups() == []
    assert Scene([group], [], flags(enforce_node_group_min_size=True)).scale_ups() == [(10, "nodes", 2)]


@pytest.mark.parametrize(
    ("priority", "bought"),
    [
        pytest.param(-10, 1, id="exactly -10 still triggers a scale-up"),
        pytest.param(-11, 0, id="expendable below"),
    ],
)
def test_expendable_pods_buy_nothing(priority: int, bought: int) -> None:
    """§3.8: --expendable-pods-priority-cutoff."""
    scene = Scene([a_group()], [(5, a_class(priority=priority), FOR_EVER)], until_s=600)
    assert len(scene.scale_ups()) == bought


# -- balancing --------------------------------------------------------------------------------


def zones(**rest: Any) -> list[Any]:
    return [a_group(f"zone-{zone}", zone=zone, **rest) for zone in "abc"]


def test_similar_groups_share_a_scale_up() -> None:
    """§3.4: +1 to the smallest, again and again; groups that differ in their zone alone are similar."""
    options = flags(balance_similar_node_groups=True)
    scene = Scene(zones(), [(5.0, ONE, FOR_EVER)] * 7, options, until_s=60)
    assert sorted(delta for *_, delta in scene.scale_ups()) == [2, 2, 3]
    assert {time_s for time_s, *_ in scene.scale_ups()} == {10}


def test_balancing_is_off_by_default() -> None:
    [(_, _, delta)] = Scene(zones(), [(5.0, ONE, FOR_EVER)] * 7, flags(), until_s=60).scale_ups()
    assert delta == 7


def test_spot_and_on_demand_are_not_similar() -> None:
    """§3.4: eks.amazonaws.com/capacityType is not among the labels that are ignored."""
    kinds = [
        a_group(name, labels=(("eks.amazonaws.com/capacityType", name),)) for name in ("SPOT", "ON_DEMAND")
    ]
    options = flags(balance_similar_node_groups=True)
    assert len(Scene(kinds, [(5.0, ONE, FOR_EVER)] * 4, options, until_s=60).scale_ups()) == 1


# -- failures ---------------------------------------------------------------------------------


def backoffs(scene: Scene) -> list[tuple[float, float, BackoffReason]]:
    rows = scene.log["backoffs"].rows().tolist()
    return [(at / SECOND, (until - at) / SECOND, BackoffReason(kind)) for at, _, until, kind in rows]


def test_out_of_capacity_backs_a_group_off_for_five_minutes_then_ten_then_thirty_at_most() -> None:
    """§1.4 and §3.9: a failure after the last back-off doubles it, up to 30 min; another group helps."""
    dry = (FailWindow(0, 4 * HOUR),)
    scene = Scene([a_group(fail_windows=dry)], [(5, ONE, FOR_EVER)], until_s=3 * 3_600)
    lengths = [round(length_s) for _, length_s, _ in backoffs(scene)]
    assert lengths[:5] == [300, 600, 1_200, 1_800, 1_800]
    assert max(lengths) == 1_800
    assert {reason for *_, reason in backoffs(scene)} == {BackoffReason.OUT_OF_RESOURCES}
    assert Reason.BackoffReason in scene.refusals(RefusalKind.SCALE_UP)
    beside = Scene(
        [a_group("dry", fail_windows=dry), a_group("wet")],
        [(5, ONE, FOR_EVER)],
        flags(expander=("least-waste",)),
    )
    assert [name for _, name, _ in beside.scale_ups()] in (["dry", "wet"], ["wet"])
    assert len(beside.bound()) == 1


def test_an_error_is_read_when_the_view_of_aws_is_refreshed() -> None:
    """§3.9: seconds after the request, not 15 min; the view is up to a minute old."""
    dry = (FailWindow(0, HOUR, FailMode.ERROR, after_us=5 * SECOND),)
    options = flags(aws_refresh_interval_us=MINUTE)
    scene = Scene([a_group(fail_windows=dry)], [(5, ONE, FOR_EVER)], options, until_s=300)
    assert [at for at, *_ in backoffs(scene)] == [60]


def test_a_launch_without_an_error_is_given_up_after_15_minutes() -> None:
    """§1.4: --max-node-provision-time."""
    never = (FailWindow(0, MINUTE, FailMode.NEVER),)
    scene = Scene([a_group(fail_windows=never)], [(5, ONE, FOR_EVER)], until_s=1_800)
    [(at, length_s, reason)] = backoffs(scene)
    assert 910 <= at <= 930
    assert (length_s, reason) == (300, BackoffReason.TIMEOUT)
    assert [time_s for time_s, *_ in scene.scale_ups()][1] > at + 300


def test_a_gpu_node_with_its_label_stays_upcoming_until_its_gpus_are_there() -> None:
    """§3.6: without k8s.amazonaws.com/accelerator a second GPU node is bought while the plugin starts."""
    label = (("k8s.amazonaws.com/accelerator", "nvidia-tesla-t4"),)
    for labels, bought in ((label, 1), ((), 2)):
        group = a_group(room=Resources(4_000, 16_000, gpu=1), labels=labels, provision_s=None)
        scene = Scene([group], [(5, a_class("learner", gpu=1), FOR_EVER)], until_s=900)
        [ready_s, *_] = scene.when(NodeState.READY)
        assert scene.when(NodeState.GPU_READY)[0] > ready_s + 10
        assert scene.bound() == [scene.when(NodeState.GPU_READY)[0]]
        assert len(scene.seconds("nodes")) == bought
