"""The Cluster Autoscaler gives nodes back as the sheet says, seen from the log of whole scenes.

Looks come every 10 s and find what ended at their own instant. Sections are those of cluster-autoscaler.md.
"""

from __future__ import annotations

from typing import Any

import pytest

from sim.model.cluster import DaemonSet
from sim.model.log import NodeState, PodEnd, Reason, RefusalKind
from sim.model.pods import Controller, PodClass
from sim.model.resources import Resources
from sim.model.units import MINUTE
from tests.unit.engine.scenes import FOR_EVER, Scene, a_class, a_group, flags

ONE = a_class(cpu_m=3_000)
QUICK: dict[str, Any] = {"scale_down_unneeded_time_us": MINUTE, "scale_down_delay_after_add_us": 0}


# -- timers -----------------------------------------------------------------------------------


def test_the_last_ten_minutes_of_an_idle_node() -> None:
    """§4.4 and §8 trap 7: unneeded from the look at 130, strictly more than 600 s at 740, gone 5 s later."""
    scene = Scene([a_group()], [(5, ONE, 60)])
    assert scene.when(NodeState.READY) == [70]
    assert scene.when(NodeState.UNNEEDED) == [130]
    assert scene.when(NodeState.TAINTED) == [740]
    assert scene.when(NodeState.TERMINATING) == [745]


OTHER = (("for", "other"),)


def elsewhere(number: int) -> PodClass:
    return a_class(f"other-{number}", node_selector=OTHER)


def test_timers_run_during_the_cooldown() -> None:
    """§1.5 and §8 trap 6: idle from 100 on, the last scale-up at 510: both delays are over at 1,110."""
    groups = [a_group(), a_group("other", labels=OTHER)]
    scene = Scene(groups, [(5, ONE, 30), (505, elsewhere(0), FOR_EVER)])
    assert [time_s for time_s, *_ in scene.scale_ups()] == [10, 510]
    assert scene.when(NodeState.TAINTED) == [1_110]


def test_any_scale_up_anywhere_restarts_the_delay_unless_it_is_local() -> None:
    """§8 trap 5: a scale-up every 9 minutes elsewhere keeps an idle node for ever; per group it does not."""
    groups = [a_group(), a_group("other", labels=OTHER)]
    pods = [(5.0, ONE, 30.0), *((500.0 + 540 * n, elsewhere(n), FOR_EVER) for n in range(6))]
    assert Scene(groups, pods).when(NodeState.TAINTED) == []
    local = Scene(groups, pods, flags(scale_down_delay_type_local=True))
    assert [node for _, node in local.nodes(NodeState.TAINTED)] == [0]


def test_a_deletion_makes_the_group_rest_and_its_nodes_start_over() -> None:
    """§1.5: with local delays a resting group has no candidates; the delete call is accepted at 115."""
    rest: dict[str, Any] = {
        "scale_down_delay_type_local": True,
        "scale_down_delay_after_delete_us": 10 * MINUTE,
    }
    batches: dict[str, Any] = {
        "max_scale_down_parallelism": 1,
        "node_deletion_batcher_interval_us": MINUTE // 2,
    }
    scene = Scene([a_group(initial=2)], [(0, ONE, 80)], flags(**QUICK, **rest, **batches))
    assert scene.when(NodeState.UNNEEDED) == [10, 80, 720]
    assert scene.when(NodeState.NEEDED) == [120]


def test_a_node_needed_again_starts_over() -> None:
    """§4.1 step 6: missing one evaluated look resets unneeded-since."""
    scene = Scene([a_group(initial=1)], [(300, ONE, 25)], until_s=1_200)
    assert scene.when(NodeState.UNNEEDED) == [10, 330]
    assert scene.when(NodeState.NEEDED) == [300]
    assert scene.when(NodeState.TAINTED) == [940]


def test_nothing_is_removed_below_the_minimum() -> None:
    scene = Scene([a_group(initial=3, min_size=2)], [], until_s=1_800)
    assert len(scene.when(NodeState.TERMINATING)) == 1
    assert Reason.NodeGroupMinSizeReached in scene.refusals(RefusalKind.SCALE_DOWN)


def test_scale_down_may_be_off() -> None:
    scene = Scene([a_group(initial=3)], [], flags(scale_down_enabled=False))
    assert scene.when(NodeState.TERMINATING) == []


# -- utilisation ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("requests", "removed"),
    [
        pytest.param({"cpu_m": 1_999, "memory_mib": 1_000}, True, id="below half"),
        pytest.param({"cpu_m": 2_000, "memory_mib": 1_000}, False, id="half is not below half"),
        pytest.param({"cpu_m": 100, "memory_mib": 9_000}, False, id="the larger of cpu and memory"),
    ],
)
def test_utilisation_is_the_larger_share_of_requests(requests: dict[str, Any], removed: bool) -> None:
    """§4.2: strictly below --scale-down-utilization-threshold, 0.5."""
    groups = [a_group(initial=1), a_group("home", initial=1, min_size=1)]
    scene = Scene(groups, [(0, a_class(**requests), FOR_EVER)], flags(**QUICK), until_s=600)
    assert bool(scene.when(NodeState.TERMINATING)) is removed
    assert (Reason.NotUnderutilized in scene.refusals(RefusalKind.SCALE_DOWN)) is not removed


def test_daemonsets_count_as_utilisation_unless_ignored() -> None:
    """§4.2 and §8 trap 9: 2,000m of daemons on 4 cores are half of it."""
    daemon = DaemonSet(a_class("heavy", cpu_m=2_000, controller=Controller.DAEMON_SET))
    counted = Scene([a_group(initial=1)], [], flags(**QUICK), until_s=600, daemon_sets=(daemon,))
    ignored = Scene(
        [a_group(initial=1)],
        [],
        flags(**QUICK, ignore_daemonsets_utilization=True),
        until_s=600,
        daemon_sets=(daemon,),
    )
    assert counted.when(NodeState.TERMINATING) == []
    assert len(ignored.when(NodeState.TERMINATING)) == 1


def test_on_gpu_nodes_only_the_gpu_counts() -> None:
    """§4.2: a node full of cpu requests, its GPU idle, is underutilised; its pod moves to the other."""
    gpu = a_group("gpu", initial=1, room=Resources(4_000, 16_000, gpu=1))
    home = a_group("home", initial=1, min_size=1, room=Resources(8_000, 16_000))
    scene = Scene([gpu, home], [(0, a_class(cpu_m=3_900), FOR_EVER)], flags(**QUICK), until_s=600)
    assert [node for _, node in scene.nodes(NodeState.TERMINATING)] == [0]
    assert len(scene.ends(PodEnd.DRAINED)) == 1


# -- emptiness and drain ----------------------------------------------------------------------


def test_ten_empty_nodes_go_at_once() -> None:
    """§4.4: --max-scale-down-parallelism; the next ones when slots are free, here at the next look."""
    scene = Scene([a_group(initial=25, max_size=25)], [], until_s=1_000)
    times = scene.when(NodeState.TAINTED)
    assert [times.count(at) for at in sorted(set(times))] == [10, 10, 5]
    assert sorted(set(times)) == [620, 630, 640]


def test_drains_come_one_after_the_other() -> None:
    """§4.4: --max-drain-parallelism 1. Three nodes with a pod each empty into one home, at three looks."""
    groups = [
        a_group(initial=3, room=Resources(2_000, 16_000)),
        a_group("home", initial=1, min_size=1, room=Resources(8_000, 16_000)),
    ]
    options = flags(**QUICK, scale_down_utilization_threshold=0.6)
    scene = Scene(groups, [(0.0, a_class(cpu_m=1_100), FOR_EVER)] * 3, options, until_s=600)
    assert scene.when(NodeState.TAINTED) == [80, 90, 100]
    together = flags(**QUICK, scale_down_utilization_threshold=0.6, max_drain_parallelism=3)
    scene = Scene(groups, [(0.0, a_class(cpu_m=1_100), FOR_EVER)] * 3, together, until_s=600)
    assert scene.when(NodeState.TAINTED) == [80, 80, 80]


def test_a_drained_pod_is_killed_at_once_and_starts_over_elsewhere() -> None:
    """§4.5 and §4.6: taint, 5 s, eviction; a worker's grace is 0, so what it did is lost."""
    groups = [a_group(initial=1), a_group("home", initial=1, min_size=1)]
    scene = Scene(groups, [(0, a_class(cpu_m=1_000), FOR_EVER)], flags(**QUICK), until_s=600)
    [tainted_s] = scene.when(NodeState.TAINTED)
    assert scene.ends(PodEnd.DRAINED) == [(tainted_s + 5, 0)]
    assert scene.on() == {0: 0, 1: 1}
    assert scene.bound()[1] == tainted_s + 5


def test_a_grace_keeps_the_room_until_it_is_over() -> None:
    """§4.5 step 3: polled every 5 s until the pods are gone."""
    groups = [a_group(initial=1), a_group("home", initial=1, min_size=1)]
    patient = a_class(cpu_m=1_000, grace_us=32 * 1_000_000)
    scene = Scene(groups, [(0, patient, FOR_EVER)], flags(**QUICK), until_s=600)
    [tainted_s] = scene.when(NodeState.TAINTED)
    assert scene.when(NodeState.TERMINATING) == [tainted_s + 5 + 35]


def test_a_node_whose_pods_fit_nowhere_else_stays() -> None:
    """§4.3 and §8 trap 10; looked at again after 5 min (--unremovable-node-recheck-timeout)."""
    scene = Scene([a_group(initial=1)], [(0, a_class(cpu_m=1_000), FOR_EVER)], flags(**QUICK), until_s=1_800)
    assert scene.when(NodeState.TERMINATING) == []
    assert scene.refusals(RefusalKind.SCALE_DOWN) >= {Reason.NoPlaceToMovePods, Reason.RecentlyUnremovable}


def moving(pod: dict[str, Any], version: str = "1.31", until_s: float = 900, **changed: Any) -> Scene:
    """Return a pod on a node that could go, and a place for it on another."""
    groups = [a_group(initial=1), a_group("home", initial=1, min_size=1)]
    options = flags(version, **QUICK, **changed)
    return Scene(groups, [(0, a_class(cpu_m=1_000, **pod), FOR_EVER)], options, until_s=until_s)


@pytest.mark.parametrize(
    ("pod", "reason"),
    [
        pytest.param({"local_storage": True}, Reason.LocalStorageRequested, id="emptyDir (rule 10)"),
        pytest.param({"safe_to_evict": False}, Reason.NotSafeToEvictAnnotation, id="safe-to-evict false (9)"),
        pytest.param({"system": True}, Reason.UnmovableKubeSystemPod, id="kube-system without a budget (8)"),
        pytest.param({"controller": Controller.NONE}, Reason.NotReplicated, id="no controller (7)"),
        pytest.param({"controller": Controller.CUSTOM}, Reason.NotReplicated, id="a custom controller (7)"),
        pytest.param({"disruptions_allowed": 0}, Reason.NotEnoughPdb, id="a budget used up (11)"),
    ],
)
def test_pods_that_pin_their_node(pod: dict[str, Any], reason: Reason) -> None:
    """§4.3, the table of rules."""
    scene = moving(pod)
    assert scene.when(NodeState.TERMINATING) == []
    assert reason in scene.refusals(RefusalKind.SCALE_DOWN)


@pytest.mark.parametrize(
    ("pod", "changed"),
    [
        pytest.param({}, {}, id="nothing pins it"),
        pytest.param(
            {"local_storage": True}, {"skip_nodes_with_local_storage": False}, id="as AWS's example"
        ),
        pytest.param(
            {"local_storage": True, "safe_to_evict": True}, {}, id="safe-to-evict true goes first (5)"
        ),
        pytest.param({"system": True}, {"skip_nodes_with_system_pods": False}, id="system pods may move"),
        pytest.param({"system": True, "disruptions_allowed": 1}, {}, id="a budget lets a system pod move"),
        pytest.param(
            {"controller": Controller.CUSTOM}, {"skip_nodes_with_custom_controller_pods": False}, id="custom"
        ),
        pytest.param({"disruptions_allowed": 1}, {}, id="a budget with room"),
    ],
)
def test_pods_that_can_be_moved(pod: dict[str, Any], changed: dict[str, Any]) -> None:
    scene = moving(pod, **changed)
    assert [node for _, node in scene.nodes(NodeState.TERMINATING)] == [0]
    assert len(scene.ends(PodEnd.DRAINED)) == 1


def test_system_pods_block_for_an_hour_from_1_33_on() -> None:
    """§11: --blocking-system-pod-distruption-timeout."""
    assert moving({"system": True}, "1.33", until_s=3_500).when(NodeState.TERMINATING) == []
    assert len(moving({"system": True}, "1.33", until_s=2 * 3_600).when(NodeState.TERMINATING)) == 1
    assert moving({"system": True}, "1.32", until_s=2 * 3_600).when(NodeState.TERMINATING) == []


def test_after_the_taint_nothing_lands_on_a_node() -> None:
    """§4.5 steps 1 and 2: tainted at 620, deleted at 625; the pod of 622 buys a node of its own."""
    scene = Scene([a_group(initial=1)], [(622, ONE, FOR_EVER)], until_s=900)
    assert scene.when(NodeState.TAINTED) == [620]
    assert scene.when(NodeState.TERMINATING) == [625]
    assert scene.on() == {0: 1}
