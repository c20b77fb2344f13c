"""NAT gateways: how many the cluster's VPC has, as ``vpc.nat.gateway`` of its ClusterConfig says.

``Single`` is the default, ``HighlyAvailable`` is one in each zone of the cluster, ``Disable`` none. A
VPC that exists already keeps the gateways it has, which its ClusterConfig does not tell.

Source: eksctl pkg/cfn/builder/vpc_ipv4.go (addNATGateways), pkg/az/az.go (how many zones it takes).
"""

from __future__ import annotations

from sim.documents.fields import Field
from sim.errors import nearest
from sim.loader.notes import Notes
from sim.model.cluster_config import ClusterConfig

SINGLE, HIGHLY_AVAILABLE, DISABLE = MODES = ("Single", "HighlyAvailable", "Disable")
ZONES = 3
FEWER_ZONES = {"us-east-1": 2}


def nat_gateways(config: ClusterConfig, eksctl: Field | None, region: str, notes: Notes) -> int:
    """Return how many there are, and note why."""
    vpc = eksctl.child("vpc") if eksctl else None
    nat = vpc.child("nat") if vpc else None
    said = nat.child("gateway") if nat else None
    mode = said.text() if said else SINGLE
    if said and mode not in MODES:
        raise said.error(allowed=", ".join(MODES), near=nearest(mode, MODES))
    count, source = 1, f"vpc.nat.gateway is {mode}" if said else "eksctl 0.231.0's default: Single"
    if vpc and (vpc.child("id") or vpc.child("subnets")):
        source = "assumption: the VPC exists already"
    elif mode == DISABLE:
        count = 0
    elif mode == HIGHLY_AVAILABLE and config.availability_zones:
        count = len(set(config.availability_zones))
        source += ", one a zone"
    elif mode == HIGHLY_AVAILABLE:
        count = FEWER_ZONES.get(region, ZONES)
        source += f", one in each of the {count} zones that eksctl takes"
    notes.assume("prices.nat_gateways", str(count), source)
    return count
