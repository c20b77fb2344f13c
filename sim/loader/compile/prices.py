"""Prices of a region beside EC2's: the tables', the scenario's own, and the discounts."""

from __future__ import annotations

from collections.abc import Mapping

from sim.catalog import EPHEMERAL_TO_MEMORY_PRICE, Catalog
from sim.documents.fields import Field
from sim.errors import InputError
from sim.loader.notes import Notes
from sim.loader.shape.world import DiscountsFile, PricesFile, VolumePriceFile
from sim.model.cluster import Cluster
from sim.model.machines import Rate, VolumeRates
from sim.model.scenario import Prices

ITEMS = {
    "control_plane_hour": "eks_control_plane",
    "ebs_gib_month": "ebs_gp3",
    "nat_gateway_hour": "nat_gateway",
    "nat_gib": "nat_data",
}
GP3_SPEED = {"ebs_iops_month": "ebs_gp3_iops", "ebs_throughput_month": "ebs_gp3_throughput"}
ADDRESSES = {"public_ipv4_hour": "public_ipv4"}
EXTENDED = "eks_control_plane_extended"
TIERS = ((0, "iops"), (32_000, "iops_tier2"), (64_000, "iops_tier3"))
"""Above how many IOPS which row of a volume type holds; io2 has all of them."""
EPHEMERAL_UNIT = "GiB-hour above 20 GiB"
GIVE_FARGATE = "prices.fargate_vcpu_hour and prices.fargate_gib_hour"
FARGATE = ("fargate_vcpu_hour", "fargate_gib_hour", "fargate_ephemeral_gib_hour")


def compiled_prices(
    said: PricesFile,
    discounts: DiscountsFile,
    cluster: Cluster,
    catalog: Catalog,
    *,
    notes: Notes,
    nat_gateways: int,
    fargate_at: Field | None,
    extended_from_us: int | None,
) -> Prices:
    """Return the prices in force; ``fargate_at`` is where Fargate is asked for, None where it is not."""
    region = cluster.region
    rates = catalog.prices(region)
    rows = {name: rates[item] for name, item in _items(cluster, nat_gateways).items()}
    if fargate_at is not None:
        rows |= _fargate(said, region, catalog, fargate_at)
    used = {name: rate for name, rate in rows.items() if getattr(said, name) is None}
    for name, rate in used.items():
        notes.rate(f"prices.{name}", rate)
    others = tuple(
        (kind, _volume_rates(kind, said, rates, notes)) for kind in sorted(_kinds(cluster) - {"gp3"})
    )
    if notes.low_prices:
        notes.warn(f"low-confidence prices in {region}: {'; '.join(notes.low_prices)}")
    names = (*ITEMS, *GP3_SPEED, *ADDRESSES, *FARGATE)
    given = {name: getattr(said, name) for name in names if getattr(said, name) is not None}
    return Prices(
        **{name: rate.usd for name, rate in used.items()},
        **given,
        other_volumes=others,
        control_plane_extended_hour=rates[EXTENDED].usd,
        extended_from_us=extended_from_us,
        nat_gateways=nat_gateways,
        pulls_through_nat=said.pulls_through_nat and nat_gateways > 0,
        ec2_discount=discounts.ec2,
        fargate_discount=discounts.fargate,
        date=max(notes.price_dates, default=""),
        notes=tuple(notes.low_prices),
    )


def _items(cluster: Cluster, nat_gateways: int) -> dict[str, str]:
    """Return the rows that this cluster is billed by, under their names in the scenario."""
    disks = [disk for shape in cluster.shapes for disk in shape.disks if disk.kind == "gp3"]
    items = dict(ITEMS)
    if any(disk.iops or disk.throughput for disk in disks):
        items |= GP3_SPEED
    if nat_gateways or any(shape.public_ip for shape in cluster.shapes):
        items |= ADDRESSES
    return items


def _kinds(cluster: Cluster) -> set[str]:
    return {disk.kind for shape in cluster.shapes for disk in shape.disks}


def _volume_rates(kind: str, said: PricesFile, rates: Mapping[str, Rate], notes: Notes) -> VolumeRates:
    """Return what a type other than gp3 costs: what the scenario gives, else the table's rows."""
    given = (said.volumes or {}).get(kind, VolumePriceFile())
    place = f"prices.volumes.{kind}"
    gib = given.gib_month
    if gib is None:
        gib = notes.rate(f"{place}.gib_month", rates[f"ebs_{kind}"])
    if given.iops_month is not None:
        return VolumeRates(gib, ((0, given.iops_month),))
    steps = [(above, rates[f"ebs_{kind}_{row}"]) for above, row in TIERS if f"ebs_{kind}_{row}" in rates]
    return VolumeRates(gib, tuple((above, notes.rate(f"{place}.iops_month", rate)) for above, rate in steps))


def _fargate(said: PricesFile, region: str, catalog: Catalog, at: Field) -> dict[str, Rate]:
    if None not in {getattr(said, name) for name in FARGATE}:
        return {}
    try:
        price = catalog.fargate_price(region)
    except InputError as error:
        if said.fargate_vcpu_hour is None or said.fargate_gib_hour is None:
            raise at.error(error.problem, allowed=f"{GIVE_FARGATE}, or {error.allowed}") from None
        usd = EPHEMERAL_TO_MEMORY_PRICE * said.fargate_gib_hour
        source = f"{EPHEMERAL_TO_MEMORY_PRICE} of the price of memory, aws.md §4"
        return {FARGATE[-1]: Rate(usd, EPHEMERAL_UNIT, "", "estimated", source)}
    amounts = (price.usd_per_vcpu_hour, price.usd_per_gib_hour, price.usd_per_ephemeral_gib_hour)
    units = ("vCPU-hour", "GiB-hour", EPHEMERAL_UNIT)
    statuses = (price.status, price.status, price.ephemeral_status)
    return {
        name: Rate(usd, unit, price.date, status, price.source)
        for name, usd, unit, status in zip(FARGATE, amounts, units, statuses, strict=True)
    }
