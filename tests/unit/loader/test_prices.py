"""What a cluster is billed by: from its ClusterConfig, the price tables and the scenario's own words."""

from pathlib import Path

import pytest

from sim.errors import InputError
from sim.model.billing import NODE_LINES
from sim.model.scenario import Scenario
from tests.unit.loader.test_assumptions import assumed
from tests.unit.loader.worlds import SCENARIO, loaded

GROUP = "cluster.eksctl.managedNodeGroups[cpu]"
FARGATE = """
horizon: 1d
cluster:
  eksctl:
    metadata: {name: c, region: eu-south-2, version: "1.33"}
    fargateProfiles: [{name: fp, selectors: [{namespace: jobs}]}]
pods: [{name: p, namespace: jobs, arrivals: {times: [1m]}, duration: 1m, requests: {cpu: 1}}]
"""


def monthly(scenario: Scenario) -> dict[str, float]:
    """Return what a month of one node costs by line."""
    (shape,) = scenario.cluster.shapes
    return {name: 730 * line(shape, scenario.prices) for name, line in NODE_LINES.items()}


@pytest.mark.parametrize(
    ("sets", "storage", "performance"),
    [
        pytest.param([], 6.40, 0, id="eksctl's 80 GiB of gp3"),
        pytest.param(["volumeIOPS=16000", "volumeThroughput=1000"], 6.40, 65 + 35, id="fast gp3"),
        pytest.param(["volumeType=io2", "volumeIOPS=40000"], 10.00, 2_080 + 364, id="io2 in two steps"),
        pytest.param(["volumeType=io1"], 10.00, 6.50, id="io1 has 100 IOPS"),
        pytest.param(["volumeType=gp2", "volumeSize=200"], 20.00, 0, id="gp2"),
        pytest.param(["volumeType=st1", "volumeSize=500"], 22.50, 0, id="st1"),
        pytest.param(
            ["additionalVolumes=[{volumeName: /dev/sdb, volumeSize: 100, volumeIOPS: 4000}]"],
            14.40,
            5,
            id="a second volume",
        ),
    ],
)
def test_volumes_of_a_node_group(tmp_path: Path, sets: list[str], storage: float, performance: float) -> None:
    """aws.md §5: 0.08 $ a GB-month; 0.005 $ an IOPS above 3000 and 0.04 $ a MB/s above 125."""
    month = monthly(loaded(tmp_path, SCENARIO, *(f"{GROUP}.{each}" for each in sets)))
    assert month["ebs"] == pytest.approx(storage)
    assert month["ebs_performance"] == pytest.approx(performance)


def test_a_price_of_ones_own_and_one_of_nothing(tmp_path: Path) -> None:
    sets = [f"{GROUP}.volumeType=io2", f"{GROUP}.volumeIOPS=1000"]
    prices = ["prices.volumes={io2: {gib_month: 1, iops_month: 0}}", "prices.public_ipv4_hour=0"]
    scenario = loaded(tmp_path, SCENARIO, *sets, *prices)
    month = monthly(scenario)
    assert month["ebs"] == pytest.approx(80)
    assert month["ebs_performance"] == month["public_ipv4"] == 0
    assert not any(each.startswith("prices.volumes") for each in assumed(scenario))


@pytest.mark.parametrize(("private", "usd"), [("true", 0), ("false", 3.65)])
def test_nodes_outside_private_subnets_have_a_public_address(
    tmp_path: Path, private: str, usd: float
) -> None:
    """0.005 $ an hour (aws.md §5)."""
    month = monthly(loaded(tmp_path, SCENARIO, f"{GROUP}.privateNetworking={private}"))
    assert month["public_ipv4"] == pytest.approx(usd)


def test_what_is_not_used_is_not_assumed(tmp_path: Path) -> None:
    told = assumed(loaded(tmp_path, SCENARIO, f"{GROUP}.privateNetworking=true", "prices.nat_gateways=0"))
    assert not {"prices.public_ipv4_hour", "prices.ebs_iops_month"} & set(told)


def test_prices_that_are_given_are_enough_for_fargate_where_no_table_has_the_region(tmp_path: Path) -> None:
    given = ("prices.fargate_vcpu_hour=0.0486", "prices.fargate_gib_hour=0.0053")
    scenario = loaded(tmp_path, FARGATE, *given)
    assert scenario.prices.fargate_rates == pytest.approx((0.0486, 0.0053, 0.025 * 0.0053))
    assert "estimated" in assumed(scenario)["prices.fargate_ephemeral_gib_hour"].source


def test_a_region_without_fargate_prices_is_told_what_to_give(tmp_path: Path) -> None:
    wanted = (
        "has no Fargate price in eu-south-2; allowed: prices.fargate_vcpu_hour and prices.fargate_gib_hour"
    )
    for given in ((), ("prices.fargate_gib_hour=0.0053",)):
        with pytest.raises(InputError) as told:
            loaded(tmp_path, FARGATE, *given)
        assert wanted in str(told.value)
