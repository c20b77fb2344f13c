from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sim.catalog import Catalog
from sim.decisions.aws.fargate import (
    CheaperRequest,
    cheaper_request,
    fargate_size,
    usable_memory_mib,
)
from sim.model.billing import billed_s, fargate_usd_per_hour, node_usd_per_hour
from sim.model.machines import FargateSize
from sim.model.resources import GIB, MIB, Container, Resources, pod_requests
from sim.model.scenario import Prices
from tests.unit.engine.scenes import a_group

CATALOG = Catalog()
SIZES = CATALOG.fargate_sizes()
VIRGINIA = CATALOG.fargate_price("us-east-1")


def a_container(cpu_m: int, memory_bytes: int, *, init: bool = False) -> Container:
    return Container("init" if init else "user", cpu_m, memory_bytes, init=init)


USER_AND_SIDECAR = (a_container(1000, 3 * GIB), a_container(500, GIB))
WORKED = [
    pytest.param((), 250, 512, 0.012343, id="no requests at all"),
    pytest.param((a_container(0, 0),), 250, 512, 0.012343, id="all zero"),
    pytest.param((a_container(250, 256 * MIB),), 250, 512, 0.012343, id="0.25 / 256Mi"),
    pytest.param((a_container(256, 256 * MIB),), 500, 1024, 0.024685, id="the trap of thousandths"),
    pytest.param((a_container(1000, 4 * GIB),), 1000, 5120, 0.062705, id="1 / 4Gi buys 1 / 5"),
    pytest.param((a_container(1000, 8 * GIB),), 2000, 9216, 0.120965, id="1 / 8Gi, the page's own example"),
    pytest.param(USER_AND_SIDECAR, 2000, 5120, 0.103185, id="user and sidecar are summed"),
    pytest.param(
        (*USER_AND_SIDECAR, a_container(2000, GIB, init=True)),
        2000,
        5120,
        0.103185,
        id="init is maxed, not summed",
    ),
    pytest.param(
        (a_container(2000, 4352 * MIB),), 2000, 5120, 0.103185, id="stock 2.8 worker of a 1 / 4Gi spec"
    ),
    pytest.param((a_container(2000, 16 * GIB),), 4000, 17408, 0.237485, id="2 / 16Gi"),
    pytest.param((a_container(4000, 30 * GIB),), 8000, 32768, 0.466080, id="4 / 30Gi changes vCPU class"),
    pytest.param((a_container(8000, 16 * GIB),), 8000, 20480, 0.412740, id="8 vCPU come in steps of 4 GB"),
    pytest.param((a_container(16000, 119 * GIB),), 16000, 122880, 1.181080, id="16 / 119Gi"),
    pytest.param((a_container(1000, 3840 * MIB),), 1000, 4096, 0.058260, id="1 / 3840Mi lands on 4"),
]


@pytest.mark.parametrize(("containers", "vcpu_m", "memory_mib", "usd_per_hour"), WORKED)
def test_worked_sizes_and_prices(
    containers: tuple[Container, ...], vcpu_m: int, memory_mib: int, usd_per_hour: float
) -> None:
    """aws.md §1.3, us-east-1."""
    size = fargate_size(pod_requests(containers), SIZES)
    assert size == FargateSize(vcpu_m, memory_mib)
    assert fargate_usd_per_hour(size, VIRGINIA.rates) == pytest.approx(usd_per_hour, abs=5.1e-7)


@pytest.mark.parametrize(
    "containers",
    [
        pytest.param((a_container(16000, 120 * GIB),), id="16 / 120Gi"),
        pytest.param((a_container(17000, GIB),), id="17 vCPU"),
        pytest.param((a_container(0, 119 * GIB + 769 * MIB),), id="more than 119.75 GiB"),
    ],
)
def test_what_no_size_holds(containers: tuple[Container, ...]) -> None:
    """aws.md §0 and §1.3: unschedulable, never a silent fallback."""
    assert fargate_size(pod_requests(containers), SIZES) is None


@pytest.mark.parametrize(
    ("requests", "advice"),
    [
        pytest.param(
            Resources(1000, 4096),
            CheaperRequest(3840, FargateSize(1000, 4096)),
            id="the example of aws.md §1.3",
        ),
        pytest.param(
            Resources(4000, 30 * 1024),
            CheaperRequest(30464, FargateSize(4000, 30720)),
            id="a vCPU class less",
        ),
        pytest.param(
            Resources(16000, 120 * 1024),
            CheaperRequest(122624, FargateSize(16000, 122880)),
            id="119.75 GiB run where 120 do not (aws.md §0)",
        ),
        pytest.param(Resources(17000, 1024), None, id="no size has 17 vCPU"),
        pytest.param(Resources(1000, 3840), None, id="already there"),
        pytest.param(Resources(2000, 4352), None, id="a quarter over a GiB: the step is not wasted"),
        pytest.param(Resources(), None, id="no requests"),
    ],
)
def test_advice(requests: Resources, advice: CheaperRequest | None) -> None:
    assert cheaper_request(requests, SIZES) == advice


def test_the_advice_saves_what_the_sheet_says() -> None:
    """aws.md §1.3: 7.1 % less for 1 / 3840Mi than for 1 / 4Gi."""
    before, after = (fargate_size(Resources(1000, mib), SIZES) for mib in (4096, 3840))
    assert before is not None
    assert after is not None
    saved = 1 - fargate_usd_per_hour(after, VIRGINIA.rates) / fargate_usd_per_hour(before, VIRGINIA.rates)
    assert saved == pytest.approx(0.071, abs=0.0005)


def test_ephemeral_storage() -> None:
    """aws.md §1.4: the first 20 GiB are free."""
    size = FargateSize(250, 512)
    plain = fargate_usd_per_hour(size, VIRGINIA.rates)
    assert fargate_usd_per_hour(size, VIRGINIA.rates, 20 * 1024) == plain
    assert fargate_usd_per_hour(size, VIRGINIA.rates, 100 * 1024) == pytest.approx(plain + 80 * 0.000111)


def test_usable_memory_leaves_the_overhead_out() -> None:
    """aws.md §1.2: the combination less 256 MiB; §0: at most 119.75 GiB."""
    assert usable_memory_mib(SIZES[0]) == 256
    assert usable_memory_mib(SIZES[-1]) / 1024 == 119.75


@pytest.mark.parametrize(
    ("metered_us", "seconds"),
    [
        pytest.param(0, 60, id="one minute at least"),
        pytest.param(59_000_001, 60, id="rounded up to the minute's last second"),
        pytest.param(60_000_000, 60, id="exactly a minute"),
        pytest.param(60_000_001, 61, id="every begun second"),
    ],
)
def test_seconds_on_the_bill(metered_us: int, seconds: int) -> None:
    """aws.md §4 and §5."""
    assert billed_s(np.array([metered_us])).tolist() == [seconds]


def test_one_honest_comparison() -> None:
    """aws.md §5.1: three 1-vCPU / 4-GiB pods on an m5.xlarge, and on Fargate."""
    volume = CATALOG.prices("us-east-1")["ebs_gp3"].usd
    machine = CATALOG.on_demand("us-east-1", "m5.xlarge").usd_per_hour
    group = a_group(usd_per_hour=machine, volume_gib=80).shape
    node = node_usd_per_hour(group, Prices(ebs_gib_month=volume))
    assert node - machine == pytest.approx(0.008767, abs=5e-7)
    assert node == pytest.approx(0.2008, abs=5e-5)
    half_off = replace(group, spot=True), Prices(ebs_gib_month=volume, ec2_discount=0.5)
    assert node_usd_per_hour(*half_off) == node  # a Savings Plan takes nothing off Spot
    size = fargate_size(Resources(1000, 4096), SIZES)
    assert size is not None
    assert 3 * fargate_usd_per_hour(size, VIRGINIA.rates) == pytest.approx(0.1881, abs=5e-5)
