"""Billing: what a machine costs from the moment its meter starts.

EC2 runs from launch (not from Ready) to termination, Fargate from the start of the image pull to the
end of the pod. Both by the second, rounded up, and one minute at least; volumes run with their node.

Source: AWS "Announcing Amazon EC2 per second billing", "AWS Fargate Pricing"; aws.md §4 and §5.
"""

from __future__ import annotations

from sim.model.machines import HOURS_PER_MONTH, FargatePrice, FargateSize

SECOND_US = 1_000_000
SHORTEST_BILL_S = 60
SECONDS_PER_HOUR = 3600.0
FREE_EPHEMERAL_GIB = 20.0


def billed_s(metered_us: int) -> int:
    """Return the seconds on the bill for a meter that ran ``metered_us``."""
    return max(SHORTEST_BILL_S, -(-metered_us // SECOND_US))


def fargate_usd_per_hour(size: FargateSize, price: FargatePrice, storage_gib: float = 0.0) -> float:
    """Return the hourly price of a pod of ``size`` with ``storage_gib`` of ephemeral storage in all."""
    return (
        size.vcpu_m / 1000 * price.usd_per_vcpu_hour
        + size.memory_mib / 1024 * price.usd_per_gib_hour
        + max(0.0, storage_gib - FREE_EPHEMERAL_GIB) * price.usd_per_ephemeral_gib_hour
    )


def node_usd_per_hour(machine_usd_per_hour: float, volume_gib: float, usd_per_gb_month: float) -> float:
    """Return the hourly price of a node with its root volume; a month has 730 hours."""
    return machine_usd_per_hour + volume_gib * usd_per_gb_month / HOURS_PER_MONTH


def usd(metered_us: int, usd_per_hour: float) -> float:
    """Return the bill of a meter that ran ``metered_us`` at an hourly price."""
    return billed_s(metered_us) / SECONDS_PER_HOUR * usd_per_hour
