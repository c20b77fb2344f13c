"""The bill against arithmetic done by hand, and that both splits sum to it, whatever happened."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.model.log import EventLog, PodEnd, TaskEnd
from sim.model.machines import Volume, VolumeRates
from sim.model.pipelines import Kind
from sim.model.resources import GIB
from sim.model.scenario import Prices, Scenario
from sim.model.units import HOUR
from sim.report.bill import Bill, Use, make_bill
from sim.report.intervals import lives
from tests.unit.report.worlds import FREE, RandomWorld, World, a_class, a_group, a_scenario


def bill_of(log: EventLog, scenario: Scenario, from_us: int = 0) -> Bill:
    return make_bill(log, scenario, lives(log), from_us)


def test_two_nodes_by_hand() -> None:
    """Two nodes of 4000m / 16000 MiB at 100 µ$ a second, a DaemonSet of 400m on each (share 0.1).

    Node A, group "cpu": launched 20 s, Ready 80, unneeded 480, terminated 580.5, gone 640.
    It bills 561 s for 560.5: 60 s boot and 0.5 s rounding.

    ===========  ===============  =====  =========================================================
    span [s]     shares           free   who pays
    ===========  ===============  =====  =========================================================
    20-80        none             1      60.00 boot
    80-100       0.1 + w 0.5      0.4    2.00 daemon, 10.00 w starts, 8.00 idle
    100-110      0.1 + w 0.5      0.4    1.00 daemon, 5.00 w without task, 4.00 idle
    110-200      0.1 + w 0.5      0.4    9.00 daemon, 45.00 job 0, 36.00 idle
    200-240      0.1+0.5+b 0.9    0      sum 1.5: 2.667 daemon, 13.333 w without task, 24.00 b
    240-300      0.1+0.5+b 0.9    0      sum 1.5: 4.00 daemon, 20.00 job 1 lost, 36.00 b
    300-480      0.1              0.9    18.00 daemon, 162.00 idle
    480-580.5    0.1              0.9    10.05 daemon, 90.45 tail
    ===========  ===============  =====  =========================================================

    w, a worker, asks 2000m / 4000 MiB: max(0.5, 0.25). b, a plain pod, 400m / 14400 MiB:
    max(0.1, 0.9); it completes. w is drained at 300 with job 1's task.

    Node B, group "cpu": there from the start, 1000 s to the horizon: 100.00 daemon, 900.00 free,
    of which s, base load of 1000m for ever, takes 250.00: 650.00 idle.
    """
    world = World(horizon_s=1000)
    node_b = world.node(requested=0, ready=0)
    node_a = world.node(requested=10, launched=20, ready=80, terminated=580.5, gone=640, unneeded=480)
    system = world.pod(a_class("pachd", 1000, 1000), "pachd", node=node_b, bound=0, running=0)
    assert system == 0
    w = world.pod(
        a_class("edges", 2000, 4000), "default/edges", created=5, node=node_a, bound=80, running=100,
        ended=300, reason=PodEnd.DRAINED,
    )  # fmt: skip
    world.pod(a_class("b", 400, 14_400), node=node_a, created=200, bound=200, running=200, ended=300)
    job_0, job_1 = (world.job("default/edges", created=0) for _ in range(2))
    world.claim(world.task(job_0, 100), w, 110, 200)
    world.claim(world.task(job_1, 100), w, 240, 300, TaskEnd.WORKER_LOST)
    log = world.log()
    bill = bill_of(log, a_scenario(log, daemons=(a_class("daemon", 400, 100),)))

    second = 100e-6
    assert bill.items["ec2"] == pytest.approx((561 + 1000) * second, rel=1e-12)
    assert bill.total_usd == pytest.approx(bill.items["ec2"], rel=1e-12)
    source = dict(zip([*log.names["source"], "shared"], bill.by_source, strict=True))
    edges = source["default/edges"] / second
    assert edges[Use.START_UP] == pytest.approx(10)
    assert edges[Use.USEFUL_WORK] == pytest.approx(45)
    assert edges[Use.LOST_WORK] == pytest.approx(20)
    assert edges[Use.IDLE] == pytest.approx(5 + 40 / 3)
    assert source["plain"][Use.USEFUL_WORK] / second == pytest.approx(24 + 36)
    assert source["pachd"][Use.SYSTEM] / second == pytest.approx(250)
    shared = source["shared"] / second
    assert shared[Use.START_UP] == pytest.approx(60)
    assert shared[Use.IDLE] == pytest.approx(8 + 4 + 36 + 162 + 650)
    assert shared[Use.SCALE_DOWN_TAIL] == pytest.approx(90.45)
    assert shared[Use.ROUNDING] == pytest.approx(0.5)
    assert shared[Use.SYSTEM] == pytest.approx(2 + 1 + 9 + 40 / 15 + 4 + 18 + 10.05 + 100)
    assert bill.by_source.sum() == pytest.approx(bill.total_usd, rel=1e-12)
    job = bill.by_job / second
    assert job[job_0, Use.USEFUL_WORK] == pytest.approx(45)
    assert job[job_0, Use.START_UP] == pytest.approx(10), "the worker's first task was job 0's"
    assert job[job_1].sum() == job[job_1, Use.LOST_WORK] == pytest.approx(20)


def node_bill(life: dict[str, float], prices: Prices = FREE, **shape: Any) -> Bill:
    world = World(horizon_s=7200)
    world.node("m5.xlarge", **life)
    log = world.log()
    return bill_of(log, a_scenario(log, a_group("m5.xlarge", 0.192, volume_gib=80, **shape), prices=prices))


LIST = Prices()  # us-east-1 (aws.md §4, §5)
ONLY_EBS = Prices(control_plane_hour=0, nat_gateway_hour=0, public_ipv4_hour=0)
IO2 = (("io2", VolumeRates(0.125, ((0, 0.065), (32_000, 0.0455), (64_000, 0.03185)))),)


SECOND = 0.192 / 3600
ALWAYS: dict[str, float] = {"ready": 0}


@pytest.mark.parametrize(
    ("life", "seconds"),
    [
        pytest.param({"ready": 0}, 7200, id="there from the start, to the horizon"),
        pytest.param({"launched": 100, "ready": 160, "terminated": 3700, "gone": 3800}, 3600, id="no more"),
        pytest.param({"launched": 100, "ready": 110, "terminated": 130, "gone": 140}, 60, id="60 s floor"),
        pytest.param({"launched": 100, "ready": 110, "terminated": 190.2}, 91, id="whole seconds"),
        pytest.param({"requested": 100, "failed": 700, "gone": 800}, 0, id="never launched"),
        pytest.param(
            {"requested": 100, "launched": 110, "terminated": 710, "gone": 770}, 600, id="never Ready"
        ),
        pytest.param({"requested": 3600, "ready": 3700}, 3600, id="no launch logged: from the request"),
    ],
)
def test_ec2_meter(life: dict[str, float], seconds: float) -> None:
    bill = node_bill(life)
    assert bill.total_usd == pytest.approx(seconds * SECOND, rel=1e-12)
    assert bill.by_source.sum() == pytest.approx(seconds * SECOND, rel=1e-12)


def test_m5_xlarge_with_its_volume_costs_what_the_sheet_says() -> None:
    """aws.md §5.1: node 0.192 + 0.0088 = 0.2008 $/h."""
    assert node_bill(ALWAYS, ONLY_EBS).total_usd / 2 == pytest.approx(0.2008, abs=5e-5)


@pytest.mark.parametrize(
    ("disks", "storage", "performance"),
    [
        pytest.param((Volume(80, "gp3", 16_000, 1_000),), 6.40, 65 + 35, id="13,000 IOPS and 875 MiB/s more"),
        pytest.param((Volume(80, "gp3", 3_000, 125),), 6.40, 0, id="what gp3 includes"),
        pytest.param((Volume(100, "io2", 1_000),), 12.50, 65, id="every IOPS of io2"),
        pytest.param((Volume(100, "io2", 70_000),), 12.50, 2_080 + 1_456 + 191.10, id="io2 in three steps"),
        pytest.param((Volume(80), Volume(200, "gp3", 4_000)), 22.40, 5, id="a second volume"),
    ],
)
def test_a_month_of_volumes(disks: tuple[Volume, ...], storage: float, performance: float) -> None:
    """USD of 730 hours by aws.md §5."""
    prices = replace(FREE, ebs_gib_month=0.08, other_volumes=IO2)
    items = node_bill(ALWAYS, prices, volumes=disks).items
    assert items["ebs"] * 365 == pytest.approx(storage)
    assert items["ebs_performance"] * 365 == pytest.approx(performance)


@pytest.mark.parametrize(("public", "usd"), [(True, 0.02), (False, 0.01)])
def test_public_addresses_of_nodes_and_of_nat_gateways(public: bool, usd: float) -> None:
    """Two hours at 0.005 $ each (aws.md §5); a gateway has one whatever nodes have."""
    bill = node_bill(ALWAYS, replace(FREE, public_ipv4_hour=0.005), public_ip=public)
    assert bill.items["public_ipv4"] == pytest.approx(usd)
    assert bill.by_source.sum() == pytest.approx(bill.total_usd)


@pytest.mark.parametrize(("public", "gib"), [(True, 0), (False, 2)])
def test_nodes_with_a_public_address_pull_past_the_nat_gateway(public: bool, gib: int) -> None:
    world = World(horizon_s=1000)
    node = world.node(ready=0)
    world.pod(a_class("w"), node=node, created=5, bound=10, pulled=20, pulled_bytes=2 * GIB, running=100)
    log = world.log()
    bill = bill_of(log, a_scenario(log, a_group(public_ip=public), prices=replace(FREE, nat_gib=0.045)))
    assert bill.items["nat_data"] == pytest.approx(gib * 0.045)


def test_discounts_are_off_on_demand_and_fargate_but_not_spot_or_storage() -> None:
    prices = Prices(control_plane_hour=0, nat_gateway_hour=0, ec2_discount=0.25, fargate_discount=0.5)
    assert node_bill(ALWAYS, prices).items["ec2"] == pytest.approx(2 * 0.192 * 0.75)
    assert node_bill(ALWAYS, prices, spot=True).items["ec2"] == pytest.approx(2 * 0.192)
    assert node_bill(ALWAYS, prices).items["ebs"] == pytest.approx(2 * 80 * 0.08 / 730)


def test_the_discount_of_fargate_leaves_its_storage_out() -> None:
    """An hour of 1 vCPU and 5 GiB at half of 0.062705, and of 10 GiB of storage at 0.000111 each."""
    prices = replace(LIST, fargate_ephemeral_gib_hour=0.000111, fargate_discount=0.5)
    bill = fargate_bill(ended=3650, storage_mib=10 * 1024, prices=prices)
    assert bill.items["fargate"] == pytest.approx(0.062705 / 2 + 0.00111, abs=6e-7)


@pytest.mark.parametrize(
    ("from_h", "usd"),
    [
        pytest.param(None, 0.20, id="in standard support"),
        pytest.param(0, 1.20, id="in extended support"),
        pytest.param(0.5, 0.05 + 1.5 * 0.60, id="leaves it half an hour after the start"),
        pytest.param(3, 0.20, id="leaves it after the end"),
    ],
)
def test_a_control_plane_costs_more_from_the_end_of_standard_support(
    from_h: float | None, usd: float
) -> None:
    """Two hours at 0.10 and 0.60 $ (aws.md §5.2)."""
    prices = replace(LIST, extended_from_us=None if from_h is None else round(from_h * HOUR))
    assert node_bill(ALWAYS, prices).items["control_plane"] == pytest.approx(usd)


def fargate_bill(
    ended: float | None,
    vcpu_m: int = 1000,
    memory_mib: int = 5120,
    storage_mib: int = 0,
    prices: Prices = LIST,
) -> Bill:
    world = World(horizon_s=10_000)
    world.fargate_pod(
        a_class("worker", 1000, 4096), granted=5, ready=50, pulled=80, running=85, ended=ended,
        vcpu_m=vcpu_m, memory_mib=memory_mib, ephemeral_mib=storage_mib,
    )  # fmt: skip
    log = world.log()
    return bill_of(log, a_scenario(log, prices=prices))


@pytest.mark.parametrize(
    ("kept_s", "reason", "seconds"),
    [
        pytest.param(0, PodEnd.COMPLETED, 3_600, id="deleted at once"),
        pytest.param(600, PodEnd.COMPLETED, 4_200, id="deleted ten minutes later"),
        pytest.param(86_400, PodEnd.COMPLETED, 9_950, id="there at the horizon"),
        pytest.param(600, PodEnd.OOM_KILLED, 3_600, id="gone, not completed"),
    ],
)
def test_a_completed_pod_is_billed_on_fargate_until_it_is_deleted(
    kept_s: int, reason: PodEnd, seconds: int
) -> None:
    """An hour from the pull at 50 s, of 10,000 s; 1 vCPU and 5 GiB cost 0.062705 $ an hour (aws.md §1.3)."""
    world = World(horizon_s=10_000)
    world.fargate_pod(a_class("job"), granted=5, ready=50, running=50, ended=3_650, reason=reason)
    log = world.log()
    scenario = a_scenario(log, prices=LIST)
    pods = tuple(replace(load, kept_us=kept_s * 1_000_000) for load in scenario.pods)
    bill = bill_of(log, replace(scenario, pods=pods))
    assert bill.items["fargate"] == pytest.approx(seconds / 3_600 * 0.062705, rel=1e-4)
    assert bill.by_source.sum() == pytest.approx(bill.total_usd)
    assert bill.by_source[:-1, Use.IDLE].sum() == pytest.approx(
        (seconds - 3_600) / 3_600 * 0.062705, rel=1e-4
    )


@pytest.mark.parametrize(
    ("vcpu_m", "memory_gib", "usd_per_hour"),
    [
        (250, 0.5, 0.012343), (1000, 5, 0.062705), (2000, 9, 0.120965), (2000, 5, 0.103185),
        (4000, 17, 0.237485), (8000, 32, 0.466080), (16_000, 120, 1.181080),
    ],
)  # fmt: skip
def test_fargate_hour_costs_what_the_sheet_says(vcpu_m: int, memory_gib: float, usd_per_hour: float) -> None:
    """Worked examples of aws.md §1.3; an hour from the start of the image pull."""
    bill = fargate_bill(ended=3650, vcpu_m=vcpu_m, memory_mib=int(memory_gib * 1024))
    assert bill.items["fargate"] == pytest.approx(usd_per_hour, abs=6e-7)


@pytest.mark.parametrize(
    ("ended", "billed_s"),
    [
        pytest.param(90, 60, id="60 s floor"),
        pytest.param(150.01, 101, id="whole seconds"),
        pytest.param(None, 9950, id="goes on at the horizon"),
    ],
)
def test_fargate_meter_starts_with_the_pull(ended: float | None, billed_s: int) -> None:
    assert fargate_bill(ended=ended).items["fargate"] == pytest.approx(billed_s * 0.062705 / 3600, rel=1e-12)


def test_fargate_storage_is_charged_beyond_what_is_included() -> None:
    bill = fargate_bill(ended=3650, storage_mib=80 * 1024)
    assert bill.items["fargate"] == pytest.approx(0.062705 + 80 * 0.000111)


def test_what_a_request_leaves_of_its_fargate_size_is_rounding() -> None:
    """2 vCPU / 8 GiB for 1 vCPU / 4 GiB: (4 + 0.25) / 8 is used, 3600 s of which 35 s start up."""
    bill = fargate_bill(ended=3650, vcpu_m=2000, memory_mib=8192)
    rate = (2 * 0.04048 + 8 * 0.004445) / 3600
    assert bill.by_source[0, Use.START_UP] == pytest.approx(35 * rate * 4.25 / 8)
    assert bill.by_source[0, Use.USEFUL_WORK] == pytest.approx(3565 * rate * 4.25 / 8)
    assert bill.by_source[0, Use.ROUNDING] == pytest.approx(3600 * rate * 3.75 / 8)


def test_a_spout_has_no_jobs_and_is_useful_while_it_runs() -> None:
    world = World(horizon_s=1000)
    world.name("pipeline", "spout")
    world.pod(a_class("spout", 2000), "spout", node=world.node(ready=0), bound=0, running=100)
    log = world.log()
    scenario = a_scenario(log)
    load = scenario.pipelines[0]
    spout = replace(load, pipeline=replace(load.pipeline, kind=Kind.SPOUT))
    bill = bill_of(log, replace(scenario, pipelines=(spout,)))
    assert bill.by_source[0, Use.START_UP] == pytest.approx(100 * 50e-6)
    assert bill.by_source[0, Use.USEFUL_WORK] == pytest.approx(900 * 50e-6)


def test_image_pulls_of_a_thousand_pods_cost_90_dollars_of_nat_data() -> None:
    """aws.md §5: 1000 pods x 2 GB = 90 $; and a control plane costs 0.10 $/h, a NAT gateway 0.045."""
    world = World(horizon_s=3600)
    for _ in range(1000):
        world.fargate_pod(a_class("w"), ready=50, pulled=80, pulled_bytes=2 * 1024**3, running=85, ended=90)
    log = world.log()
    bill = bill_of(log, a_scenario(log, prices=LIST))
    assert bill.items["nat_data"] == pytest.approx(90)
    assert bill.items["control_plane"] == pytest.approx(0.10)
    assert bill.items["nat_hours"] == pytest.approx(0.045)
    assert bill.by_source.sum() == pytest.approx(bill.total_usd, rel=1e-12)
    through_endpoints = Prices(pulls_through_nat=False)
    assert bill_of(log, a_scenario(log, prices=through_endpoints)).items["nat_data"] == 0


@given(st.integers(0, 2**32))
def test_both_splits_sum_to_the_bill(seed: int) -> None:
    log = RandomWorld(seed).log()
    scenario = a_scenario(log, a_group(volume_gib=80), prices=LIST, daemons=(a_class("daemon", 300, 3000),))
    bill = bill_of(log, scenario)
    assert bill.by_source.sum() == pytest.approx(bill.total_usd, rel=1e-9)
    assert bill.by_source.min() >= -1e-12
    assert bill.by_job.min(initial=0.0) >= 0
    pipeline_usd = bill.by_source.sum(axis=1)[
        [name.startswith("default/") for name in log.names["source"]] + [False]
    ]
    assert bill.by_job.sum() <= pipeline_usd.sum() + 1e-12


@given(st.integers(0, 2**32), st.integers(0, 1000))
def test_what_is_charged_before_and_after_an_instant_sums_to_the_bill(seed: int, at_s: int) -> None:
    log = RandomWorld(seed).log()
    scenario = a_scenario(log, a_group(volume_gib=80), prices=LIST)
    whole, late = bill_of(log, scenario), bill_of(log, scenario, at_s * 1_000_000)
    assert late.by_source.sum() == pytest.approx(late.total_usd, rel=1e-9)
    assert (late.by_source <= whole.by_source + 1e-12).all()
