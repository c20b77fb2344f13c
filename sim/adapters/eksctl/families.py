"""Image families: which there are, and what each lets a node group say.

Source: eksctl-io/eksctl 99984adb6164 (0.231.0-dev), pkg/apis/eksctl.io/v1alpha5, types.go
SupportedAMIFamilies, amitype.go GetAMIType, validation.go IsAmazonLinuxImage and what is beside it.
"""

from __future__ import annotations

AL2, AL2023, BOTTLEROCKET = "AmazonLinux2", "AmazonLinux2023", "Bottlerocket"
AMAZON_LINUX = (AL2023, AL2)
BOTTLEROCKETS = (BOTTLEROCKET, "BottlerocketFips")
UBUNTU = tuple(f"Ubuntu{pro}{release}" for release in (2604, 2404, 2204, 2004) for pro in ("Pro", ""))
WINDOWS = tuple(
    f"WindowsServer{year}{kind}Container" for year in (2019, 2022, 2025) for kind in ("Core", "Full")
)
FAMILIES = (*AMAZON_LINUX, *UBUNTU, *BOTTLEROCKETS, *WINDOWS)
AL2_ENDS = (1, 33)  # the first Kubernetes minor without Amazon Linux 2

_OWN_CASE = {family.casefold(): family for family in FAMILIES}


def family_of(said: str) -> str:
    """Return a family as it is spelled, whatever case it is written in; as it is where none is meant."""
    return _OWN_CASE.get(said.casefold(), said)
