"""Machines and what they cost: EC2 types, Fargate sizes, and prices that know their date and status.

A price is a fact of one day: it carries the date of its source and a status, and reports name the
ones to be careful with. What the statuses mean is in ``sim/data/README.md``.

Source: aws.md §4 to §6; the tables' own sources are in ``sim/data/sources.csv``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import date
from typing import NamedTuple

HOURS_PER_MONTH = 730.0

TRUSTED = frozenset({"list", "verified", "given"})  # "given": the scenario's own figure

# Share of capacity reclaimed in the trailing month, as the middle of the advisor's band; for the
# open band the sheet's assumption (aws.md §6).
RECLAIMED_PER_MONTH = {"<5%": 0.025, "5-10%": 0.075, "10-15%": 0.125, "15-20%": 0.175, ">20%": 0.25}


def is_trusted(status: str) -> bool:
    """Say whether a row of this status may be used without a warning."""
    return status in TRUSTED


@dataclass(frozen=True, slots=True)
class InstanceType:
    """An EC2 type as the catalogue lists it; memory is nominal, before anything is taken off it.

    ``max_pods`` is what its network interfaces allow: ENIs × (IPv4 per ENI − 1) + 2.
    """

    name: str
    vcpu: int
    memory_mib: int
    arch: str = "amd64"
    gpu: int = 0
    gpu_name: str = ""
    max_pods: int = 110


FARGATE_OVERHEAD_MIB = 256  # of a pod's memory, for kubelet, kube-proxy and containerd (aws.md §1.2)


@dataclass(frozen=True, slots=True, order=True)
class FargateSize:
    """A combination of vCPU and memory that Fargate sells; what AWS calls 5 GB is 5 GiB here."""

    vcpu_m: int
    memory_mib: int

    @property
    def label(self) -> str:
        """The size as the pod's ``CapacityProvisioned`` annotation spells it: ``0.25vCPU 0.5GB``."""
        return f"{self.vcpu_m / 1000:g}vCPU {self.memory_mib / 1024:g}GB"


@dataclass(frozen=True, slots=True)
class Price:
    """What a machine costs per hour."""

    usd_per_hour: float
    date: str
    status: str
    source: str


@dataclass(frozen=True, slots=True)
class Rate:
    """What one unit of something costs; ``unit`` says of what: ``GB``, ``hour``, ``cluster-hour``."""

    usd: float
    unit: str
    date: str
    status: str
    source: str


@dataclass(frozen=True, slots=True)
class Volume:
    """An EBS volume: size in GiB, type, and provisioned IOPS and MiB/s; 0 is what comes with the type."""

    gib: int = 80
    kind: str = "gp3"
    iops: int = 0
    throughput: int = 0


Tiers = tuple[tuple[float, float], ...]
"""Steps of a price: above so many units, USD each, until the next step."""


@dataclass(frozen=True, slots=True)
class VolumeRates:
    """USD a month of a volume type: of a GiB, of provisioned IOPS, of provisioned MiB/s."""

    gib: float
    iops: Tiers = ()
    throughput: Tiers = ()


@dataclass(frozen=True, slots=True)
class VersionSupport:
    """How long EKS supports a Kubernetes minor; days are in UTC, and the first that no longer count.

    From ``standard_until`` on the control plane costs more, from ``extended_until`` on EKS upgrades it.
    """

    version: str
    standard_until: date
    extended_until: date
    status: str
    source: str


class FargateRates(NamedTuple):
    """USD an hour of a vCPU, of a GiB of memory, and of a GiB of ephemeral storage above 20."""

    vcpu: float
    gib: float
    ephemeral_gib: float


@dataclass(frozen=True, slots=True)
class FargatePrice:
    """What Fargate costs in a region, x86 Linux; ephemeral storage is billed above 20 GiB.

    ``ephemeral_status`` is ``estimated`` where the source is silent about storage.
    """

    usd_per_vcpu_hour: float
    usd_per_gib_hour: float
    usd_per_ephemeral_gib_hour: float
    date: str
    status: str
    source: str
    ephemeral_status: str

    @property
    def rates(self) -> FargateRates:
        """The figures alone."""
        return FargateRates(self.usd_per_vcpu_hour, self.usd_per_gib_hour, self.usd_per_ephemeral_gib_hour)


@dataclass(frozen=True, slots=True)
class SpotAdvice:
    """What AWS's Spot Advisor says of a type: average saving, and how often capacity is reclaimed."""

    savings_ratio: float
    interruption_band: str
    date: str
    status: str

    @property
    def hazard_per_hour(self) -> float:
        """The rate of interruption per node-hour: −ln(1 − p) / 730 h with p the month's share."""
        return -math.log1p(-RECLAIMED_PER_MONTH[self.interruption_band]) / HOURS_PER_MONTH

    def price(self, on_demand: Price) -> Price:
        """Return the Spot price: constant within a run, as it moves slowly, and without a floor."""
        return replace(
            on_demand,
            usd_per_hour=on_demand.usd_per_hour * (1.0 - self.savings_ratio),
            status=self.status,
            source=f"{on_demand.source}; less {self.savings_ratio:.0%} by the Spot Advisor of {self.date}",
        )
