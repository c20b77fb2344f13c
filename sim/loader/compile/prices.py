"""Prices of a region beside EC2's: the tables', the scenario's own, and the discounts."""

from __future__ import annotations

from sim.catalog import Catalog
from sim.documents.fields import Field
from sim.errors import InputError
from sim.loader.notes import Notes
from sim.loader.shape.world import DiscountsFile, PricesFile
from sim.model.machines import Rate
from sim.model.scenario import Prices

ITEMS = {
    "control_plane_hour": "eks_control_plane",
    "ebs_gib_month": "ebs_gp3",
    "nat_gateway_hour": "nat_gateway",
    "nat_gib": "nat_data",
}
EXTENDED = "eks_control_plane_extended"
FARGATE = ("fargate_vcpu_hour", "fargate_gib_hour", "fargate_ephemeral_gib_hour")


def compiled_prices(
    said: PricesFile,
    discounts: DiscountsFile,
    region: str,
    catalog: Catalog,
    *,
    notes: Notes,
    nat_gateways: int,
    fargate_at: Field | None,
    extended_from_us: int | None,
) -> Prices:
    """Return the prices in force; ``fargate_at`` is where Fargate is asked for, None where it is not."""
    rates = catalog.prices(region)
    rows = {name: rates[item] for name, item in ITEMS.items()}
    if fargate_at is not None:
        rows |= _fargate(said, region, catalog, fargate_at)
    used = {name: rate for name, rate in rows.items() if getattr(said, name) is None}
    for name, rate in used.items():
        notes.assume(
            f"prices.{name}", f"${rate.usd:g} per {rate.unit}", f"{rate.source} ({rate.status}, {rate.date})"
        )
        notes.price(name, rate.date, rate.status)
    if notes.low_prices:
        notes.warn(f"low-confidence prices in {region}: {'; '.join(notes.low_prices)}")
    given = {name: getattr(said, name) for name in (*ITEMS, *FARGATE) if getattr(said, name) is not None}
    return Prices(
        **{name: rate.usd for name, rate in used.items()},
        **given,
        control_plane_extended_hour=rates[EXTENDED].usd,
        extended_from_us=extended_from_us,
        nat_gateways=nat_gateways,
        pulls_through_nat=said.pulls_through_nat and nat_gateways > 0,
        ec2_discount=discounts.ec2,
        fargate_discount=discounts.fargate,
        date=max(notes.price_dates, default=""),
        notes=tuple(notes.low_prices),
    )


def _fargate(said: PricesFile, region: str, catalog: Catalog, at: Field) -> dict[str, Rate]:
    if None not in {getattr(said, name) for name in FARGATE}:
        return {}
    try:
        price = catalog.fargate_price(region)
    except InputError as error:
        raise at.error(f"{error.problem}: {region}", allowed=error.allowed, near=error.nearest) from None
    amounts = (price.usd_per_vcpu_hour, price.usd_per_gib_hour, price.usd_per_ephemeral_gib_hour)
    units = ("vCPU-hour", "GiB-hour", "GiB-hour above 20 GiB")
    statuses = (price.status, price.status, price.ephemeral_status)
    return {
        name: Rate(usd, unit, price.date, status, price.source)
        for name, usd, unit, status in zip(FARGATE, amounts, units, statuses, strict=True)
    }
