"""Fargate against arithmetic: launch rate, quota, stages of a start, what cannot run (aws.md §1 to §4)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.catalog import Catalog
from sim.engine.aws.fargate import ABOVE_QUOTA, Fargate
from sim.engine.entities import Pod, PodState
from sim.engine.ports import Ports
from sim.model.cluster import Cluster, FargateProfile, FargateQuotas, Selector
from sim.model.distributions import Constant, Lognormal
from sim.model.latency import FargateLatency, ImagePull, Latencies
from sim.model.log import PodEnd
from sim.model.pods import Image, PodClass
from sim.model.resources import Resources
from tests.unit.engine.clusters import FOR_EVER, INSTANT, SECOND, World, a_class

SIZES = Catalog().fargate_sizes()
EVERYTHING = (FargateProfile("all", (Selector("*"),)),)
UNLIMITED = FargateQuotas(vcpu=1e6, launch_burst=10**6, launch_per_s=1e6)


def a_world(quotas: FargateQuotas = UNLIMITED, latency: Latencies = INSTANT, seed: int = 1) -> World:
    cluster = Cluster(fargate_profiles=EVERYTHING, fargate_quotas=quotas, fargate_sizes=SIZES)
    world = World(cluster, latency, seed)
    fargate = Fargate(world.clock, world.state, cluster, latency, world.streams)
    world.state.connect(Ports(world.state.scheduler, world.kubelet, fargate))
    return world


def at_once(count: int, spec: PodClass, run_s: float) -> list[tuple[float, PodClass, float]]:
    return [(0.0, spec, run_s)] * count


def test_a_mass_start_is_paced_by_the_launch_rate() -> None:
    """Burst 100, then 20 a second: the 3,500th of 3,500 pods is granted (3500 - 100) / 20 = 170 s later."""
    world = a_world(FargateQuotas(vcpu=1e6))
    world.pods(*at_once(3500, a_class("worker", 250, 256), FOR_EVER))
    world.run(200)
    granted = world.seconds("fargate_granted")
    assert granted[:101] == [0.0] * 100 + [0.05]
    assert granted[-1] == 170.0


def test_the_default_quota_runs_three_pods_of_two_vcpu() -> None:
    """6 vCPU: 7 pods of 10 s take three rounds; those refused at 0 try at 1, 3, 7, 15, 25 s (aws.md §3)."""
    world = a_world(FargateQuotas())
    world.pods(*at_once(7, a_class("worker", 2000, 4096), 10.0))
    world.run(100)
    assert world.seconds("fargate_granted") == [0, 0, 0, 15, 15, 15, 25]
    assert world.seconds("pod_ended") == [10, 10, 10, 25, 25, 25, 35]


def test_the_size_counts_against_the_quota_not_the_request() -> None:
    """1 vCPU / 8 GiB lands on 2 vCPU / 9 GB (aws.md §1.2), so 6 vCPU hold three of them."""
    world = a_world(FargateQuotas())
    world.pods(*at_once(4, a_class("worker", 1000, 8192), 10.0))
    world.run(100)
    assert world.seconds("fargate_granted") == [0, 0, 0, 15]
    assert world.log["fargate_pods"].rows()[0].tolist() == [0, 0, 2000, 9 * 1024, 0]


def test_small_pods_pass_a_large_one_that_does_not_fit() -> None:
    """It is refused at 1 s and tried at 2, 4, 8 and 16 s; the first small one ends at 10 s (aws.md §3)."""
    world = a_world(FargateQuotas(vcpu=4.0))
    big, small = a_class("big", 4000, 8192), a_class("small", 250, 256)
    world.pods((0, small, 10), (1, big, 5), (2, small, 5))
    world.run(100)
    assert world.seconds("fargate_granted", {0, 2}) == [0, 2]
    assert world.seconds("fargate_granted", {1}) == [16]


def test_pods_of_a_size_keep_their_order() -> None:
    world = a_world(FargateQuotas(vcpu=1.0))
    world.pods(*((n, a_class("worker", 1000, 1024), 20) for n in range(3)))
    world.run(100)
    assert [row[1] for row in world.log["fargate_granted"].rows().tolist()] == [0, 1, 2]


def test_stages_of_one_start() -> None:
    """Ready after 45 s, 413 MB at 20 MB/s in 20.65 s, containers in 2 s: the 68 s of aws.md §8.2."""
    latency = Latencies(
        fargate=FargateLatency(Constant(45.0)),
        image_pull=ImagePull(Constant(20e6)),
        container_start_s=Constant(2.0),
    )
    world = a_world(UNLIMITED, latency)
    images = (Image("user", 400_000_000), Image("sidecar", 13_000_000))
    world.pods(*at_once(2, a_class("worker", images=images), 10.0))
    world.run(100)
    assert world.seconds("fargate_ready") == [45.0, 45.0]
    assert world.seconds("pod_pulled") == [65.65, 65.65]  # no image is ever cached
    assert world.seconds("pod_running") == [67.65, 67.65]
    assert world.log["image_pulls"].rows().tolist() == [[45 * SECOND, pod, 413_000_000] for pod in (0, 1)]


def test_zstd_images_pull_in_four_fifths_of_the_time() -> None:
    """aws.md §8.2: x0.8; 400 MB at 20 MB/s take 16 s instead of 20, the other 100 MB 5 s as ever."""
    world = a_world()
    images = (Image("user", 400_000_000, zstd=True), Image("sidecar", 100_000_000))
    world.pods((0, a_class("worker", images=images), 10.0))
    world.run(60)
    assert world.seconds("pod_pulled") == [21.0]


def test_storage_beyond_the_included_twenty_gib_is_billed() -> None:
    world = a_world()
    requests = Resources(1000, 1024, ephemeral_mib=100 * 1024)
    world.pods((0, PodClass("worker", requests, requests, "worker"), FOR_EVER))
    world.run(1)
    assert world.log["fargate_pods"].column("billed_ephemeral_mib").tolist() == [80 * 1024]


@pytest.mark.parametrize(
    ("requests", "quotas", "reason"),
    [
        pytest.param(Resources(1000, 1024, gpu=1), UNLIMITED, "Fargate has no GPUs", id="GPU"),
        pytest.param(
            Resources(16_000, 120 * 1024),
            UNLIMITED,
            "no Fargate size holds its requests and 256 MiB",
            id="16 vCPU / 120Gi",
        ),
        pytest.param(Resources(8000, 16 * 1024), FargateQuotas(), ABOVE_QUOTA, id="8 vCPU of a quota of 6"),
    ],
)
def test_what_cannot_run_stays_pending_and_blocks_nobody(
    requests: Resources, quotas: FargateQuotas, reason: str
) -> None:
    world = a_world(quotas)
    refused = PodClass("refused", requests, requests, "refused")
    world.pods((0, refused, 5), (0, a_class("worker"), 5))
    world.run(1000)
    assert world.seconds("pod_running") == [0.0]
    [[time_us, pod, row]] = world.log["fargate_refusals"].rows().tolist()
    assert (time_us, pod, world.log.names["reason"][row]) == (0, 0, reason)
    assert world.seconds("pod_unschedulable") == [0.0]


def test_only_pods_that_a_profile_selects_come_here() -> None:
    cluster = Cluster(
        fargate_profiles=(FargateProfile("workers", (Selector("pach*", (("node", "fargate"),)),)),),
        fargate_sizes=SIZES,
    )
    world = World(cluster)
    fargate = Fargate(world.clock, world.state, cluster, INSTANT, world.streams)
    world.state.connect(Ports(world.state.scheduler, world.kubelet, fargate))
    here = a_class("here", namespace="pachyderm", labels=(("node", "fargate"),))
    there = a_class("there", namespace="pachyderm")
    assert world.state.pod_class(here).profile == 0
    assert world.state.pod_class(there).profile is None


def test_a_pod_deleted_before_it_starts_gives_its_vcpu_back() -> None:
    """Deleted while waiting it takes no token; deleted while its microVM boots, no money and no vCPU."""
    latency = Latencies(fargate=FargateLatency(Constant(45.0)), container_start_s=Constant(0.0))
    world = a_world(FargateQuotas(vcpu=2.0), latency)
    cls = world.state.pod_class(a_class("worker", 2000, 4096))
    pods: list[Pod] = []

    class Owner:
        def pod_running(self, pod: object) -> None: ...
        def pod_refused(self, pod: object) -> None: ...
        def pod_lost(self, pod: object, reason: object) -> None: ...

    def create() -> None:
        pods.extend(world.state.create_pod(cls, Owner(), 0) for _ in range(3))

    world.at(0, create)
    world.at(10, lambda: world.state.end(pods[1], PodEnd.SCALED_DOWN))
    world.at(20, lambda: world.state.end(pods[0], PodEnd.SCALED_DOWN))
    world.run(100)
    assert [pod.state for pod in pods] == [PodState.ENDED, PodState.ENDED, PodState.RUNNING]
    assert world.seconds("fargate_granted", {2}) == [25.0]  # the next try after 20
    assert world.seconds("fargate_ready") == [70.0]


def running_at(quotas: FargateQuotas, spec: PodClass, runs_s: list[float], seed: int) -> list[float]:
    """Return when the pods of one job run, sorted; start-up varies, by the default distributions."""
    latency = Latencies(fargate=FargateLatency(Lognormal(median=45.0, sigma=0.3)))
    world = a_world(quotas, latency, seed)
    world.pods(*((0.0, spec, run_s) for run_s in runs_s))
    world.run(100_000)
    return sorted(world.seconds("pod_running"))


@settings(max_examples=30)
@given(
    runs_s=st.lists(st.floats(0, 1000), min_size=1, max_size=25),
    quota=st.integers(2, 20),
    more=st.integers(0, 20),
    cpu_m=st.sampled_from([250, 1000, 2000]),
    seed=st.integers(0, 1000),
)
def test_more_quota_never_delays_the_kth_start(
    runs_s: list[float], quota: int, more: int, cpu_m: int, seed: int
) -> None:
    spec = a_class("worker", cpu_m, 1024, images=(Image("user", 1_600_000_000),))
    less = running_at(FargateQuotas(vcpu=quota, launch_burst=5), spec, runs_s, seed)
    plenty = running_at(FargateQuotas(vcpu=quota + more, launch_burst=5), spec, runs_s, seed)
    assert len(less) == len(plenty) == len(runs_s)
    assert all(late >= early for late, early in zip(less, plenty, strict=True))


def test_two_configurations_see_the_same_luck() -> None:
    """The n-th pod of a class takes as long to start under any quota, and beside any other class."""
    latency = Latencies()

    def delays(quotas: FargateQuotas, others: int) -> list[float]:
        world = a_world(quotas, latency)
        images = (Image("user", 1_600_000_000),)
        early, worker = a_class("other", 250, 256), a_class("worker", images=images)
        world.pods(*at_once(others, early, 5.0), *((1.0, worker, 60.0) for _ in range(20)))
        world.run(10_000)
        workers = range(others, others + 20)
        granted, running = world.seconds("fargate_granted", workers), world.seconds("pod_running", workers)
        return [round(b - a, 6) for a, b in zip(granted, running, strict=True)]

    assert delays(UNLIMITED, 0) == delays(FargateQuotas(vcpu=2.0), 7)
