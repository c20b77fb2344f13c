"""The catalog: instance types, Fargate sizes and prices per region, read from ``sim/data/``.

Tables are read when first asked for and kept by the ``Catalog`` that read them, so a run costs the
one region it uses and two catalogs share nothing. Unknown names are errors with the nearest match.

Source: ``sim/data/README.md``.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

from sim.errors import InputError, nearest
from sim.model.billing import fargate_usd_per_hour
from sim.model.machines import (
    FargatePrice,
    FargateSize,
    InstanceType,
    Price,
    Rate,
    SpotAdvice,
    VersionSupport,
)

DATA = Path(__file__).parent / "data"

EPHEMERAL_TO_MEMORY_PRICE = 0.025  # observed 0.0241 to 0.0252 where both are known (aws.md §4)
HOME_REGION = "us-east-1"  # the region whose prices hold where a region has none of its own
# Where the advisor is silent: a price ratio of 0.40 (aws.md §6) and the median band of all regions.
SILENT_ADVICE = SpotAdvice(
    savings_ratio=0.60, interruption_band="10-15%", date="2025-06-28", status="assumed"
)

Row = dict[str, str]


class Catalog:
    """Facts about machines and money, by region and name.

    Examples
    --------
    >>> Catalog().on_demand("us-east-1", "m5.xlarge").usd_per_hour
    0.192
    """

    def __init__(self, folder: Path = DATA) -> None:
        self._folder = folder
        self._read: dict[str, dict[str, Row]] = {}

    def regions(self) -> tuple[str, ...]:
        """Return the regions with On-Demand prices, sorted."""
        return self._regions

    def instances(self) -> Mapping[str, InstanceType]:
        """Return every known EC2 type by name."""
        return {name: _instance(row) for name, row in self._table("instances").items()}

    def fargate_sizes(self) -> tuple[FargateSize, ...]:
        """Return what Fargate sells, by vCPU and then memory: the order a pod is sized in."""
        return self._fargate_sizes

    def instance(self, name: str) -> InstanceType:
        """Return the EC2 type called ``name``; raises InputError for one not in the table."""
        return _instance(self._instance_row(name))

    def on_demand(self, region: str, name: str) -> Price:
        """Return the On-Demand price of a type; raises InputError where the region has none."""
        rows = self._regional("on_demand", region)
        if name not in rows:
            self._instance_row(name)
            raise InputError(
                f"has no On-Demand price in {region}",
                field=name,
                allowed="a type priced there, or a price given in the scenario",
                nearest=nearest(name, rows),
            )
        return self._price(rows[name])

    def on_demand_prices(self, region: str) -> Mapping[str, Price]:
        """Return every On-Demand price of a region by type."""
        return {name: self._price(row) for name, row in self._regional("on_demand", region).items()}

    def spot(self, region: str, name: str) -> SpotAdvice:
        """Return the Spot Advisor's word on a type, or what is assumed where it has none."""
        self._instance_row(name)
        self._known_region(region)
        if not (self._folder / "spot" / f"{region}.csv").exists():
            return SILENT_ADVICE
        row = self._table(f"spot/{region}").get(name)
        if row is None:
            return SILENT_ADVICE
        return SpotAdvice(
            savings_ratio=float(row["savings_pct"]) / 100.0,
            interruption_band=row["interruption_band"],
            date=row["date"],
            status=row["status"],
        )

    def fargate_price(self, region: str) -> FargatePrice:
        """Return what Fargate costs in a region; raises InputError where it has no known price."""
        self._known_region(region)
        row = self._table("fargate_prices").get(region)
        if row is None:
            raise InputError(
                f"has no Fargate price in {region}",
                field="region",
                allowed=f"one of {', '.join(self._table('fargate_prices'))}",
            )
        memory, storage = float(row["usd_per_gib_hour"]), row["usd_per_ephemeral_gib_hour"]
        return FargatePrice(
            usd_per_vcpu_hour=float(row["usd_per_vcpu_hour"]),
            usd_per_gib_hour=memory,
            usd_per_ephemeral_gib_hour=float(storage) if storage else EPHEMERAL_TO_MEMORY_PRICE * memory,
            date=row["date"],
            status=row["status"],
            source=row["source"],
            ephemeral_status=row["status"] if storage else "estimated",
        )

    def prices(self, region: str) -> Mapping[str, Rate]:
        """Return the rates of everything but machines by item: control plane, volumes, NAT, addresses.

        Where a region has no row of its own us-east-1's holds, with status ``assumed``.
        """
        self._known_region(region)
        rows = self._rows("prices")
        rates = {r["item"]: _rate(r, "assumed") for r in rows if r["region"] == HOME_REGION}
        return rates | {r["item"]: _rate(r, r["status"]) for r in rows if r["region"] == region}

    def support(self, version: str) -> VersionSupport | None:
        """Return how long EKS supports a Kubernetes minor, None where the table has no date for it."""
        row = self._table("eks_versions").get(version)
        if row is None:
            return None
        standard, extended = (date.fromisoformat(row[key]) for key in ("standard_until", "extended_until"))
        source = f"{row['source']} ({row['date']})"
        return VersionSupport(version, standard, extended, row["status"], source)

    def _price(self, row: Row) -> Price:
        status = row["status"]
        return Price(float(row["usd_per_hour"]), row["date"], status, self._sources["on_demand", status])

    @cached_property
    def _regions(self) -> tuple[str, ...]:
        return tuple(sorted(file.stem for file in (self._folder / "on_demand").glob("*.csv")))

    @cached_property
    def _fargate_sizes(self) -> tuple[FargateSize, ...]:
        return tuple(sorted(_fargate_size(row) for row in self._rows("fargate_sizes")))

    @cached_property
    def _sources(self) -> Mapping[tuple[str, str], str]:
        return {(row["table"], row["status"]): row["source"] for row in self._rows("sources")}

    def _instance_row(self, name: str) -> Row:
        rows = self._table("instances")
        if name not in rows:
            raise InputError(
                "is not a known EC2 instance type",
                field=name,
                allowed="one of `pachsim catalog ec2`",
                nearest=nearest(name, rows),
            )
        return rows[name]

    def _known_region(self, region: str) -> None:
        if region not in self._regions:
            raise InputError(
                field="region",
                value=region,
                allowed=", ".join(self._regions),
                nearest=nearest(region, self._regions),
            )

    def _regional(self, table: str, region: str) -> dict[str, Row]:
        self._known_region(region)
        return self._table(f"{table}/{region}")

    def _table(self, name: str) -> dict[str, Row]:
        """Return the rows of a table by their first column, read once."""
        if name not in self._read:
            self._read[name] = {next(iter(row.values())): row for row in self._rows(name)}
        return self._read[name]

    def _rows(self, name: str) -> list[Row]:
        with (self._folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            lines = csv.reader(file)
            header = next(lines)
            return [dict(zip(header, line, strict=True)) for line in lines]


def ec2(region: str) -> list[dict[str, Any]]:
    """Return the table of EC2 types priced in a region, with Spot advice, a row each."""
    catalog = Catalog()
    types = catalog.instances()
    rows = []
    for name, price in catalog.on_demand_prices(region).items():
        kind, spot = types[name], catalog.spot(region, name)
        rows.append(
            {
                "instance_type": name,
                "vcpu": kind.vcpu,
                "memory_mib": kind.memory_mib,
                "arch": kind.arch,
                "gpu": kind.gpu,
                "max_pods": kind.max_pods,
                "usd_per_hour": price.usd_per_hour,
                "date": price.date,
                "status": price.status,
                "spot_savings_ratio": spot.savings_ratio,
                "spot_interruptions": spot.interruption_band,
                "spot_date": spot.date,
                "spot_status": spot.status,
            }
        )
    return rows


def fargate(region: str) -> list[dict[str, Any]]:
    """Return the table of Fargate sizes with what an hour of each costs in a region, a row each."""
    catalog = Catalog()
    price = catalog.fargate_price(region)
    return [
        {
            "size": size.label,
            "vcpu": size.vcpu_m / 1000,
            "memory_gib": size.memory_mib / 1024,
            "usd_per_hour": fargate_usd_per_hour(size, price.rates),
            "date": price.date,
            "status": price.status,
        }
        for size in catalog.fargate_sizes()
    ]


def prices(region: str) -> list[dict[str, Any]]:
    """Return the table of everything else a region bills: control plane, volumes, NAT, a row each."""
    return [
        {"item": item, "usd": r.usd, "unit": r.unit, "date": r.date, "status": r.status, "source": r.source}
        for item, r in Catalog().prices(region).items()
    ]


def _instance(row: Row) -> InstanceType:
    return InstanceType(
        name=row["instance_type"],
        vcpu=int(row["vcpu"]),
        memory_mib=int(row["memory_mib"]),
        arch=row["arch"],
        gpu=int(row["gpu"]),
        gpu_name=row["gpu_name"],
        max_pods=int(row["max_pods"]),
    )


def _fargate_size(row: Row) -> FargateSize:
    return FargateSize(round(1000 * float(row["vcpu"])), round(1024 * float(row["memory_gib"])))


def _rate(row: Row, status: str) -> Rate:
    return Rate(float(row["usd"]), row["unit"], row["date"], status, row["source"])
