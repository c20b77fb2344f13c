"""Every row of sim/data against the tables it was made from, and the prices the AWS sheet works out."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from sim.catalog import Catalog
from sim.model.machines import RECLAIMED_PER_MONTH, SpotAdvice


def rows(shared: Path, name: str) -> list[dict[str, str]]:
    with (shared / "data" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return Catalog()


def test_instances(shared: Path, catalog: Catalog) -> None:
    table, instances = rows(shared, "ec2_instances"), catalog.instances()
    assert len(table) == len(instances) == 1286
    for row in table:
        known = instances[row["instance_type"]]
        assert [known.vcpu, known.memory_mib, known.gpu, known.max_pods] == [
            int(row[column]) for column in ("vcpu", "memory_mib", "gpu", "max_pods")
        ]
        assert (known.arch, known.gpu_name) == (row["arch"], row["gpu_name"])


def test_on_demand_prices(shared: Path, catalog: Catalog) -> None:
    expected = {
        (row["region"], row["instance_type"]): (float(row["usd_per_hour"]), row.get("basis", "list"))
        for name in ("ec2_on_demand_prices", "ec2_on_demand_prices_derived")
        for row in rows(shared, name)
    }
    found = {
        (region, name): (price.usd_per_hour, price.status)
        for region in catalog.regions()
        for name, price in catalog.on_demand_prices(region).items()
    }
    assert found == expected


def test_spot_advice(shared: Path, catalog: Catalog) -> None:
    table = [row for row in rows(shared, "ec2_spot_advisor") if row["region"] in catalog.regions()]
    assert len(table) > 10_000
    for row in table:
        advice = catalog.spot(row["region"], row["instance_type"])
        assert (round(100 * advice.savings_ratio), advice.interruption_band, advice.status) == (
            int(row["savings_pct"]),
            row["interruption_band"],
            "advisor",
        )


def test_fargate_sizes(shared: Path, catalog: Catalog) -> None:
    expected = [(float(row["vcpu"]), float(row["memory_gib"])) for row in rows(shared, "fargate_sizes")]
    assert [(s.vcpu_m / 1000, s.memory_mib / 1024) for s in catalog.fargate_sizes()] == sorted(expected)
    assert len(expected) == 74


def test_fargate_prices_are_those_of_x86(shared: Path, catalog: Catalog) -> None:
    """EKS runs no ARM pods on Fargate: those rows must not be picked up (aws.md §11, trap 6)."""
    table = [row for row in rows(shared, "fargate_prices") if row["arch"] == "x86_64"]
    assert len(table) == 20
    for row in table:
        price = catalog.fargate_price(row["region"])
        assert price.usd_per_vcpu_hour == float(row["usd_per_vcpu_hour"])
        assert price.usd_per_gib_hour == float(row["usd_per_gib_hour"])
        assert price.status == row["status"]
        if row["usd_per_ephemeral_gib_hour"]:
            assert price.usd_per_ephemeral_gib_hour == float(row["usd_per_ephemeral_gib_hour"])


def test_hazards_of_the_advisor_s_bands() -> None:
    """aws.md §6, as printed there to three digits."""
    printed = [3.47e-5, 1.07e-4, 1.83e-4, 2.64e-4, 3.94e-4]
    hazards = [SpotAdvice(0.6, band, "", "").hazard_per_hour for band in RECLAIMED_PER_MONTH]
    assert hazards == pytest.approx(printed, rel=0.003)
