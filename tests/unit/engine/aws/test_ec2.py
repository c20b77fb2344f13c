"""EC2 as the sheets say: launch, boot, images, Spot, failing capacity, GPUs, scheduled minimums."""

from __future__ import annotations

from dataclasses import replace
from statistics import median

import pytest

from sim.model.cluster import DaemonSet, FailWindow, NodeGroup, ScheduledMinimum
from sim.model.distributions import Constant
from sim.model.latency import ImagePull, Latencies
from sim.model.log import NodeState, PodEnd
from sim.model.pods import Controller, Image, PodClass
from sim.model.resources import Resources
from sim.model.units import HOUR, MINUTE, SECOND
from tests.unit.engine.scenes import FOR_EVER, Scene, a_class, a_group, flags

ONE = a_class(cpu_m=3_000)
STEADY = replace(
    Latencies(), image_pull=ImagePull(bytes_per_s=Constant(20e6)), container_start_s=Constant(2.0)
)
GPU = Resources(4_000, 16_000, gpu=1)


def many(group: NodeGroup, count: int = 400, gpu: int = 0) -> Scene:
    """Return a scene in which a group buys many nodes at 10 s."""
    pods = [(5.0, a_class(gpu=gpu), FOR_EVER)] * count
    return Scene([group], pods, flags(max_nodes_per_scaleup=0), until_s=1_500)


def stages(scene: Scene, begin: NodeState | None, end: NodeState) -> list[float]:
    """Return how long each node took from one state (None: its request) to another."""
    asked = scene.log["nodes"].column("time_us").tolist()
    begun = dict(enumerate(time_us / SECOND for time_us in asked))
    if begin is not None:
        begun = {node: at for at, node in scene.nodes(begin)}
    return [at - begun[node] for at, node in scene.nodes(end)]


# -- launch and boot --------------------------------------------------------------------------


def test_launch_and_boot_take_what_the_sheet_says() -> None:
    """aws.md §8.2: 3 to 15 s to launched; then lognormal, median 50 s, p95 75 s.

    Of 400, the sample median of the boot lies within 4 standard errors: 50 x exp(+-4 x 1.25 x 0.25 / 20).
    """
    scene = many(a_group(provision_s=None, max_size=400))
    launch = stages(scene, None, NodeState.LAUNCHED)
    boot = stages(scene, NodeState.LAUNCHED, NodeState.READY)
    assert len(boot) == 400
    assert 3 <= min(launch) <= 3.5
    assert 14.5 <= max(launch) <= 15
    assert median(boot) == pytest.approx(50, rel=0.065)
    assert sum(seconds <= 75 for seconds in boot) / 400 == pytest.approx(0.95, abs=0.045)


def test_metal_boots_slower() -> None:
    """aws.md §8.2: x1.6."""
    scene = many(a_group(provision_s=None, max_size=400, instance_type="m5.metal"))
    assert median(stages(scene, NodeState.LAUNCHED, NodeState.READY)) == pytest.approx(80, rel=0.065)


def test_a_raid_of_local_disks_takes_8_seconds_more() -> None:
    """aws.md §8.2: +8 s; 50 s to Ready are 58."""
    steady = replace(STEADY, ec2=replace(STEADY.ec2, launch_s=Constant(5.0), ready_s=Constant(50.0)))
    for raid, seconds in ((False, 50), (True, 58)):
        group = a_group(provision_s=None, nvme_raid=raid)
        scene = Scene([group], [(5.0, ONE, FOR_EVER)], until_s=120, latency=steady)
        assert stages(scene, NodeState.LAUNCHED, NodeState.READY) == [seconds]


def test_gpu_nodes_take_150_seconds_in_all_and_gpu_pods_wait_for_the_device_plugin() -> None:
    """cluster-autoscaler.md §7: median 150 s, p95 330 s from the request until the GPUs are published.

    One pod a node; of 200, the sample median lies within 4 standard errors of 1.25 x 0.48 / sqrt(200).
    """
    label = (("k8s.amazonaws.com/accelerator", "nvidia-tesla-t4"),)
    scene = many(a_group(provision_s=None, max_size=200, room=GPU, labels=label), 200, gpu=1)
    usable = {node: at for at, node in [*scene.nodes(NodeState.READY), *scene.nodes(NodeState.GPU_READY)]}
    bound = {node: time_us / SECOND for time_us, _, node in scene.log["pod_bound"].rows().tolist()}
    assert bound == usable
    requested = scene.seconds("nodes")
    assert median(at - requested[node] for node, at in usable.items()) == pytest.approx(150, rel=0.17)


def test_daemonsets_take_their_room_from_ready_on() -> None:
    """cluster-autoscaler.md §6.3: 50m of aws-node and 100m of kube-proxy leave 3,850m of 4 cores."""
    daemons = tuple(
        DaemonSet(a_class(name, cpu_m=cpu_m, memory_mib=0, controller=Controller.DAEMON_SET))
        for name, cpu_m in (("aws-node", 50), ("kube-proxy", 100))
    )
    for cpu_m, fits in ((3_850, True), (3_851, False)):
        group = a_group(initial=1, max_size=1)
        scene = Scene([group], [(5, a_class(cpu_m=cpu_m), FOR_EVER)], until_s=60, daemon_sets=daemons)
        assert bool(scene.bound()) is fits


# -- images -----------------------------------------------------------------------------------

WORKER = (Image("worker", 100_000_000), Image("pachd", 150_000_000), Image("opencv", 400_000_000))


def test_a_fresh_node_pulls_all_three_images_at_once_and_keeps_them() -> None:
    """aws.md §8.2: twice 20 MB/s on EC2, 0 s once there; pachyderm.md §1.1: worker, pachd, user.

    In parallel (cluster-autoscaler.md §6.1), so the largest decides: 400 MB at 40 MB/s. The second pod comes
    while they are pulled and waits for the same pull, the third finds everything.
    """
    worker = a_class(cpu_m=1_000, images=WORKER)
    pods = [(0.0, worker, FOR_EVER), (4.0, worker, FOR_EVER), (100.0, worker, FOR_EVER)]
    scene = Scene([a_group(initial=1)], pods, until_s=200, latency=STEADY)
    assert scene.seconds("pod_running") == [12, 12, 102]
    assert [row[1:] for row in scene.log["image_pulls"].rows().tolist()] == [[0, 650_000_000], [1, 0]]


def test_each_node_pulls_for_itself() -> None:
    worker = a_class(cpu_m=3_000, images=WORKER)
    scene = Scene([a_group(initial=2)], [(0.0, worker, FOR_EVER)] * 2, until_s=60, latency=STEADY)
    assert scene.log["image_pulls"].column("pulled_bytes").tolist() == [650_000_000] * 2


def test_zstd_images_pull_in_four_fifths_of_the_time() -> None:
    """aws.md §8.2: x0.8; 400 MB at 40 MB/s take 8 s instead of 10."""
    worker = a_class(cpu_m=1_000, images=(*WORKER[:2], replace(WORKER[2], zstd=True)))
    scene = Scene([a_group(initial=1)], [(0.0, worker, FOR_EVER)], until_s=60, latency=STEADY)
    assert scene.seconds("pod_running") == [10]
    assert scene.log["image_pulls"].column("pulled_bytes").tolist() == [650_000_000]


# -- Spot -------------------------------------------------------------------------------------


def spot(*pods: tuple[float, PodClass, float]) -> Scene:
    group = a_group(initial=2, min_size=2, spot=True, interruptions_per_hour=60.0)
    return Scene([group], pods, until_s=3_600)


def test_a_spot_node_is_drained_at_its_notice_and_gone_two_minutes_later() -> None:
    """aws.md §6: managed groups drain at once; no more pods land, the work is lost, a new pod takes over."""
    scene = spot((0, ONE, FOR_EVER))
    gone = {node: at for at, node in scene.nodes(NodeState.GONE)}
    noticed = {node: at for at, node in scene.nodes(NodeState.INTERRUPTION_NOTICE)}
    assert gone
    assert all(at - noticed[node] == pytest.approx(120) for node, at in gone.items())
    for time_us, _, node in scene.log["pod_bound"].rows().tolist():
        assert time_us / SECOND < noticed.get(node, 1e9)
    lost = scene.ends(PodEnd.SPOT_INTERRUPTED)
    assert {at for at, _ in lost} <= set(noticed.values())
    replacements = [row for row in scene.log["pods"].rows().tolist() if row[3] >= 0]
    assert [(row[0] / SECOND, row[3]) for row in replacements] == lost != []


def test_a_budget_keeps_a_pod_until_the_node_is_gone() -> None:
    group = a_group(initial=1, min_size=1, spot=True, interruptions_per_hour=60.0)
    scene = Scene([group], [(0, a_class(disruptions_allowed=0), FOR_EVER)], until_s=3_600)
    assert {at for at, _ in scene.ends(PodEnd.SPOT_INTERRUPTED)} <= set(scene.when(NodeState.GONE))


def test_the_group_replaces_an_interrupted_node() -> None:
    """Its target is what it was, so the autoscaler is not asked."""
    scene = spot()
    gone = scene.when(NodeState.GONE)
    assert scene.seconds("nodes") == [0, 0, *gone]
    assert scene.scale_ups() == []


def test_interruptions_come_at_the_stated_rate() -> None:
    """aws.md §6: an exponential life per node; 100 nodes for ten hours at 2 an hour, within 4 sigma."""
    group = a_group(initial=100, min_size=100, max_size=100, spot=True, interruptions_per_hour=2.0)
    scene = Scene([group], [], until_s=36_000)
    noticed = {node: at for at, node in scene.nodes(NodeState.INTERRUPTION_NOTICE)}
    lived_h = sum(noticed.get(node, 36_000) - at for at, node in scene.nodes(NodeState.READY)) / 3_600
    assert abs(len(noticed) - 2.0 * lived_h) < 4 * (2.0 * lived_h) ** 0.5


def test_on_demand_nodes_are_never_interrupted() -> None:
    scene = Scene([a_group(initial=2, min_size=2, interruptions_per_hour=60.0)], [], until_s=3_600)
    assert scene.nodes(NodeState.INTERRUPTION_NOTICE) == []


# -- capacity and schedules -------------------------------------------------------------------


def test_out_of_capacity_gives_the_first_few_of_a_request() -> None:
    """The rest stay placeholders, report their failure, and are removed; the target is what came."""
    short = (FailWindow(0, HOUR, allow=1),)
    scene = Scene([a_group(fail_windows=short)], [(5.0, ONE, FOR_EVER)] * 3, until_s=200)
    assert scene.scale_ups()[0] == (10, "nodes", 3)
    assert scene.when(NodeState.READY) == [70]
    assert scene.when(NodeState.FAILED) == [10, 10]
    assert len(scene.when(NodeState.GONE)) == 2


def test_a_schedule_sets_the_minimum_and_launches_what_is_missing() -> None:
    """At 10 past three nodes are wanted; at 40 past none, which removes nothing by itself."""
    hours = (ScheduledMinimum("10 * * * *", 3), ScheduledMinimum("40 * * * *", 0))
    scene = Scene([a_group(scheduled_minimums=hours)], [], until_s=3_500)
    assert scene.seconds("nodes") == [600] * 3
    assert scene.when(NodeState.READY) == [660] * 3
    tainted = scene.when(NodeState.TAINTED)
    assert len(tainted) == 3
    assert min(tainted) >= 2_400  # the autoscaler keeps to the minimum, then takes its ten minutes


@pytest.mark.parametrize(("pods", "given_up"), [(0, []), (3, [620])])
def test_a_scheduled_minimum_outlasts_a_lack_of_capacity(pods: int, given_up: list[float]) -> None:
    """SetDesiredCapacity below MinSize is refused, and a group goes on asking for what it lacks.

    At 590 the autoscaler wants a node for each pod, at 600 two nodes are to be kept; what was asked for at
    590 fails at 620, and is given up but for those two. There is capacity again at 1500.
    """
    group = a_group(
        scheduled_minimums=(ScheduledMinimum("10 * * * *", 2), ScheduledMinimum("40 * * * *", 0)),
        fail_windows=(FailWindow(0, 1_500 * SECOND, after_us=30 * SECOND),),
    )
    options = flags(aws_refresh_interval_us=0)
    scene = Scene([group], [(582, a_class("work", 3_000), FOR_EVER)] * pods, options, until_s=1_700)
    assert scene.when(NodeState.GONE) == [*given_up, 1_500, 1_500]
    assert scene.when(NodeState.READY)[:2] == [1_560, 1_560]


@pytest.mark.parametrize(("morning", "nodes"), [("0 8 * * 1-5", 0), ("0 0 * * 1", 3), ("30 23 * * 0", 3)])
def test_the_minimum_set_last_before_the_start_holds_from_the_start(morning: str, nodes: int) -> None:
    """The scene begins on Monday at 00:00; the evening's 0 was set on Friday at 20:00."""
    hours = (ScheduledMinimum(morning, 3), ScheduledMinimum("0 20 * * 1-5", 0))
    scene = Scene([a_group(scheduled_minimums=hours)], [], until_s=3_500)
    assert scene.when(NodeState.READY) == [0] * nodes
    assert scene.when(NodeState.TAINTED) == []  # the autoscaler keeps to the minimum


def test_a_stale_autoscaler_asks_for_a_size_not_for_one_more() -> None:
    """SetDesiredCapacity(1) on a group raised to 1 by a schedule is no news (cluster-autoscaler.md §3.9).

    The view of AWS is up to a minute old: looks come every 7 s, the last refresh before 602 was at 567.
    """
    warm = (ScheduledMinimum("10 * * * *", 1), ScheduledMinimum("40 * * * *", 0))
    group = a_group(max_size=1, scheduled_minimums=warm)
    options = flags(aws_refresh_interval_us=MINUTE, scan_interval_us=7 * SECOND)
    scene = Scene([group], [(597, a_class(), FOR_EVER)], options, until_s=900)
    assert scene.scale_ups() == [(602, "nodes", 1)]
    assert scene.seconds("nodes") == [600]
    assert scene.when(NodeState.READY) == [660]


# -- zones ------------------------------------------------------------------------------------


def test_a_pod_bound_to_a_zone_gets_a_node_there() -> None:
    zonal = a_class(node_selector=(("topology.kubernetes.io/zone", "b"),))
    groups = [a_group("a", zone="a"), a_group("b", zone="b")]
    assert Scene(groups, [(5, zonal, FOR_EVER)], until_s=60).scale_ups() == [(10, "b", 1)]
