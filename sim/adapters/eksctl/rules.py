"""Rules of eksctl that its JSON schema does not state, beyond those that reading a group meets anyway.

With ``eksctl`` and ``eksctl_groups`` these mirror every row of aws.md §9.2, so that a file which is read, or
written, here is one that eksctl accepts.

Source: eksctl-io/eksctl 99984adb6164 (0.231.0-dev), pkg/apis/eksctl.io/v1alpha5/validation.go
(ValidateManagedNodeGroup, validateNodeGroupIAM, ValidateClusterConfig) and iam.go; aws.md §9.2.
"""

from __future__ import annotations

from sim.documents.fields import Field
from sim.model.cluster_config import ClusterConfig

POLICIES = ("attachPolicyARNs", "attachPolicy", "wellKnownPolicies", "attachRoleARN")
ROLE_SET_ELSEWHERE = (
    "attachPolicyARNs",
    "attachPolicy",
    "instanceRoleName",
    "instanceRolePermissionsBoundary",
)


def check_rules(field: Field, config: ClusterConfig) -> None:
    """Raise InputError for the first rule that a ClusterConfig breaks."""
    most = {group.name: group.max_size for group in config.node_groups}
    for kind in ("managedNodeGroups", "nodeGroups"):
        for group in field.items_at(kind):
            _check_update(group, most[group.mapping()["name"]])
            _check_efa(group)
            _check_role(group)
    iam = field.child("iam")
    for account in iam.items_at("serviceAccounts") if iam else ():
        _check_account(account)


def _check_update(group: Field, max_size: int) -> None:
    update = group.child("updateConfig")
    unavailable = update.child("maxUnavailable") if update else None
    if unavailable and unavailable.integer(least=1) > max_size:
        raise unavailable.error(allowed=f"at most the group's maxSize, {max_size}")


def _check_efa(group: Field) -> None:
    """EFA keeps its nodes in one placement group, which is in one zone."""
    if not group.true_at("efaEnabled"):
        return
    for key in ("availabilityZones", "subnets"):
        if (place := group.child(key)) and len(place.items()) > 1:
            raise place.error(f"are {len(place.items())} with efaEnabled", allowed="one")


def _check_role(group: Field) -> None:
    iam = group.child("iam")
    if iam and iam.mapping().get("instanceRoleARN"):
        also = next((key for key in ROLE_SET_ELSEWHERE if iam.mapping().get(key)), None)
        if also:
            raise iam.error(f"has instanceRoleARN and {also}", allowed="one of the two")


def _check_account(account: Field) -> None:
    if not any(account.mapping().get(key) for key in POLICIES):
        raise account.error("has no policy and no role", allowed=f"one of {', '.join(POLICIES)}")
