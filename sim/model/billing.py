"""Billing: what a machine costs from the moment its meter starts.

EC2 runs from launch (not from Ready) to termination, Fargate from the start of the image pull to the
end of the pod. Both by the second, rounded up, and one minute at least; volumes and addresses run with their
node. Savings Plan discounts take a share off On-Demand instances, and off Fargate's vCPU and memory; Spot
prices, volumes and ephemeral storage stay as they are. Whatever names an hour's price asks here.

Source: AWS "Announcing Amazon EC2 per second billing", "AWS Fargate Pricing", "New – AWS Public IPv4 Address
Charge"; aws.md §4 and §5.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from sim.model.machines import HOURS_PER_MONTH, FargateRates, FargateSize
from sim.model.resources import MIB_PER_GIB
from sim.model.units import HOUR, SECOND

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sim.model.cluster import NodeShape
    from sim.model.machines import Tiers
    from sim.model.scenario import Prices

SHORTEST_BILL_S = 60
FREE_EPHEMERAL_GIB = 20
Amount = TypeVar("Amount", float, "NDArray[np.float64]")


def billed_s(metered_us: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the seconds on the bill for meters that ran so long, shape as given."""
    return np.maximum(-(-metered_us // SECOND), SHORTEST_BILL_S)


def billed_ephemeral_mib(asked_mib: int) -> int:
    """Return the ephemeral storage on the bill of a pod that asks for so much: what is above 20 GiB."""
    return max(0, asked_mib - FREE_EPHEMERAL_GIB * MIB_PER_GIB)


def fargate_usd_per_hour(size: FargateSize, rates: FargateRates, asked_ephemeral_mib: int = 0) -> float:
    """Return the hourly price of a pod of ``size`` that asks for so much ephemeral storage in all."""
    billed_mib = billed_ephemeral_mib(asked_ephemeral_mib)
    return granted_usd_per_hour(float(size.vcpu_m), float(size.memory_mib), float(billed_mib), rates)


def granted_usd_per_hour(
    vcpu_m: Amount, memory_mib: Amount, billed_ephemeral_mib: Amount, rates: FargateRates
) -> Amount:
    """Return the hourly price of what Fargate granted, of one pod or of arrays of them."""
    return (
        vcpu_m / 1000 * rates.vcpu
        + memory_mib / MIB_PER_GIB * rates.gib
        + billed_ephemeral_mib / MIB_PER_GIB * rates.ephemeral_gib
    )


def control_plane_usd(prices: Prices, from_us: int, to_us: int) -> float:
    """Return what the control plane costs in ``[from_us, to_us)``, at each hour's own support."""
    extended_us = (
        0 if prices.extended_from_us is None else max(0, to_us - max(from_us, prices.extended_from_us))
    )
    standard_us = to_us - from_us - extended_us
    return (standard_us * prices.control_plane_hour + extended_us * prices.control_plane_extended_hour) / HOUR


def instance_usd_per_hour(shape: NodeShape, prices: Prices) -> float:
    """Return the hourly price of an instance of a shape, without its volume."""
    return shape.usd_per_hour * (1.0 if shape.spot else 1.0 - prices.ec2_discount)


def volume_usd_per_hour(volume_gib: float, usd_per_gib_month: float) -> float:
    """Return the hourly price of a volume's storage; a month has 730 hours."""
    return volume_gib * usd_per_gib_month / HOURS_PER_MONTH


def storage_usd_per_hour(shape: NodeShape, prices: Prices) -> float:
    """Return the hourly price of the storage of a node's volumes."""
    return sum(volume_usd_per_hour(disk.gib, prices.volume_rates(disk.kind).gib) for disk in shape.disks)


def performance_usd_per_hour(shape: NodeShape, prices: Prices) -> float:
    """Return the hourly price of the IOPS and the throughput that a node's volumes are provisioned with."""
    monthly = 0.0
    for disk in shape.disks:
        rates = prices.volume_rates(disk.kind)
        monthly += _stepwise(disk.iops, rates.iops) + _stepwise(disk.throughput, rates.throughput)
    return monthly / HOURS_PER_MONTH


def address_usd_per_hour(shape: NodeShape, prices: Prices) -> float:
    """Return the hourly price of a node's public IPv4 address, where it has one."""
    return prices.public_ipv4_hour if shape.public_ip else 0.0


NODE_LINES: Mapping[str, Callable[[NodeShape, Prices], float]] = {
    "ec2": instance_usd_per_hour,
    "ebs": storage_usd_per_hour,
    "ebs_performance": performance_usd_per_hour,
    "public_ipv4": address_usd_per_hour,
}
"""What a node costs by line of the bill; all of it runs from launch to the terminate call."""

BILL_LINES = (*NODE_LINES, "fargate", "control_plane", "nat_hours", "nat_data")


def node_usd_per_hour(shape: NodeShape, prices: Prices) -> float:
    """Return the hourly price of a node of a shape, with all that is billed with it."""
    return sum(line(shape, prices) for line in NODE_LINES.values())


def gateways_usd_per_hour(prices: Prices) -> dict[str, float]:
    """Return the hourly price of the NAT gateways by line; each has a public IPv4 address."""
    return {
        "nat_hours": prices.nat_gateways * prices.nat_gateway_hour,
        "public_ipv4": prices.nat_gateways * prices.public_ipv4_hour,
    }


def _stepwise(amount: float, tiers: Tiers) -> float:
    """Return what an amount costs at a price that changes in steps."""
    ends = (*(above for above, _ in tiers[1:]), math.inf)
    return sum(
        max(0.0, min(amount, end) - above) * usd for (above, usd), end in zip(tiers, ends, strict=False)
    )
