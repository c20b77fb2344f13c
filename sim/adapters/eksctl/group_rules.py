"""Rules of eksctl for one node group, beyond the types of its keys: what goes together, and what ranges are.

Managed groups are judged after their defaults are set, others before, so that a managed group has a volume
size, and its name and its cluster's are values of labels.

Source: eksctl-io/eksctl v0.215.0, pkg/apis/eksctl.io/v1alpha5, validation.go validateNodeGroupBase,
ValidateNodeGroup, ValidateManagedNodeGroup, defaults.go; pkg/ctl/cmdutils/cmd.go InitializeClusterConfig.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from sim.adapters.eksctl.families import (
    AL2,
    AL2_ENDS,
    AL2023,
    AMAZON_LINUX,
    BOTTLEROCKETS,
    FAMILIES,
    UBUNTU,
    WINDOWS,
    family_of,
)
from sim.adapters.eksctl.labels import LABEL_VALUE
from sim.adapters.eksctl.typed import arn
from sim.documents.fields import Field

IOPS = {"io1": (100, 64_000), "io2": (100, 256_000), "gp3": (3_000, 16_000)}
THROUGHPUT = (125, 1_000)
SPOT_STRATEGIES = (
    "lowest-price",
    "diversified",
    "capacity-optimized",
    "capacity-optimized-prioritized",
    "price-capacity-optimized",
)
SPOT_POOLS = (1, 20)
MOST_TYPES = 20
RUNTIME = "containerd"
ONE_DAY_S = 86_400
PROCESSES = (
    "Launch",
    "Terminate",
    "AddToLoadBalancer",
    "AlarmNotification",
    "AZRebalance",
    "HealthCheck",
    "InstanceRefresh",
    "ReplaceUnhealthy",
    "ScheduledActions",
)
KUBELET_FORBIDDEN = (
    "kind",
    "apiVersion",
    "address",
    "clusterDomain",
    "authentication",
    "authorization",
    "serverTLSBootstrap",
)
BOTTLEROCKET_ELSEWHERE = {"node-labels": "labels", "node-taints": "taints", "max-pods": "maxPodsPerNode"}
# A launch template states these itself; there is true or not empty.
NOT_WITH_LAUNCH_TEMPLATE = (
    "instanceType",
    "ami",
    "volumeSize",
    "maxPodsPerNode",
    "instancePrefix",
    "instanceName",
    "preBootstrapCommands",
    "placement",
    "disablePodIMDS",
)
ROLE_STATES = ("instanceRoleName", "attachPolicy", "attachPolicyARNs", "instanceRolePermissionsBoundary")
_SELF_MANAGED_NAME = re.compile(r"[A-Za-z0-9-]*")
_ARM = re.compile(r"([a-z]+\d+[a-z]*g[a-z]*|a1|g5g)\..+")
_NVIDIA = re.compile(r"(p\d|g(?!4ad)\d|gr\d)\w*\..+")
_NEURON = re.compile(r"(inf|trn)\d\w*\..+")


def check_group(group: Field, *, managed: bool, version: tuple[int, int], cluster_name: str) -> None:
    """Raise InputError for the first rule that a node group breaks; ``version`` is the cluster's minor."""
    _check_volumes(group, managed=managed)
    _check_iam(group, managed=managed)
    _check_networking(group, managed=managed)
    _check_family(group, managed=managed, version=version)
    _check_reservation(group)
    if managed:
        _check_label_values(group, cluster_name)
        _check_launch_template(group)
    else:
        _check_self_managed(group)


def _check_volumes(group: Field, *, managed: bool) -> None:
    """Check sizes and speeds; managed groups have a size unless a launch template states it."""
    sized = group.child("volumeSize") or (managed and not group.child("launchTemplate"))
    for key in ("volumeName", "volumeEncrypted", "volumeKmsKeyID"):
        if not sized and (place := group.child(key)) and place.value:
            raise place.error("is given without volumeSize", allowed="both or neither")
    kind = group.text_at("volumeType", "gp3")
    if iops := group.child("volumeIOPS"):
        if kind not in IOPS:
            raise iops.error(f"is given for {kind}", allowed=f"it for {', '.join(IOPS)} alone")
        _in_range(iops, IOPS[kind], f"for {kind}")
    if throughput := group.child("volumeThroughput"):
        if kind != "gp3":
            raise throughput.error(f"is given for {kind}", allowed="it for gp3 alone")
        _in_range(throughput, THROUGHPUT, "for gp3")
    named = managed and family_of(group.text_at("amiFamily")) == BOTTLEROCKETS[0]
    if named and not sized:  # which names its data volume by default
        raise group.error("has Bottlerocket's volumes without volumeSize", allowed="no launchTemplate")
    kms = group.child("volumeKmsKeyID")
    if kms and kms.value and not group.true_at("volumeEncrypted"):
        raise kms.error("is given without volumeEncrypted", allowed="volumeEncrypted: true")


def _in_range(field: Field, bounds: tuple[int, int], of: str) -> None:
    if not bounds[0] <= field.integer() <= bounds[1]:
        raise field.error(allowed=f"{bounds[0]} to {bounds[1]} {of}".strip())


def _check_iam(group: Field, *, managed: bool) -> None:
    iam = group.child("iam")
    if iam is None:
        return
    policies = [key for key, at in _policies(iam) if at.value]
    if policies and group.true_at("disablePodIMDS"):
        raise iam.error("has withAddonPolicies with disablePodIMDS", allowed="one of the two")
    for role in ("instanceRoleARN", "instanceProfileARN"):
        if iam.text_at(role) and (managed is False or role == "instanceRoleARN"):
            also = next((key for key in ROLE_STATES if _is_set(iam, key)), "")
            if also or policies:
                raise iam.error(f"has {role} and {also or 'withAddonPolicies'}", allowed="one of the two")
    if managed and iam.text_at("instanceProfileARN"):
        raise iam.error("has instanceProfileARN in a managed group", allowed="instanceRoleARN")
    if not managed:
        for policy in iam.items_at("attachPolicyARNs"):
            arn(policy)
        if {"albIngress", "awsLoadBalancerController"} <= {*policies}:
            raise iam.error("has albIngress and awsLoadBalancerController", allowed="the second")


def _policies(iam: Field) -> Iterator[tuple[str, Field]]:
    policies = iam.child("withAddonPolicies")
    return policies.children() if policies else iter(())


def _is_set(field: Field, key: str) -> bool:
    """Say whether a key is there and not empty; a mapping is there even if empty."""
    place = field.child(key)
    return place is not None and (bool(place.value) or isinstance(place.value, dict))


def _check_networking(group: Field, *, managed: bool) -> None:
    if group.texts_at("subnets") and group.texts_at("availabilityZones"):
        raise group.error("has both subnets and availabilityZones", allowed="one of the two")
    if (pods := group.child("maxPodsPerNode")) and pods.integer() < 0:
        raise pods.error(allowed="0 or more")
    if (placement := group.child("placement")) and not placement.text_at("groupName"):
        raise placement.missing("groupName", "the name of a placement group")
    for key in ("availabilityZones", "subnets") if group.true_at("efaEnabled") else ():
        if (place := group.child(key)) and len(place.items()) > 1:
            raise place.error(f"are {len(place.items())} with efaEnabled", allowed="one")
    ssh = group.child("ssh")
    if ssh and (agent := ssh.child("enableSsm")) and not agent.value:
        raise agent.error(allowed="true: the agent is part of EKS's images")
    outpost = group.child("outpostARN")
    if outpost and outpost.value:
        raise outpost.error("puts a node group on an Outpost", allowed="a group of the region")
    own = group.child("securityGroups")
    if managed and own and (own.true_at("withLocal") or own.true_at("withShared")):
        raise own.error("has withLocal or withShared in a managed group", allowed="attachIDs")


def _check_family(group: Field, *, managed: bool, version: tuple[int, int]) -> None:
    family, ami = family_of(group.text_at("amiFamily")), group.child("ami")
    if family and family not in FAMILIES:
        raise group.child("amiFamily").error(allowed=", ".join(FAMILIES))  # type: ignore[union-attr]  # it is there
    custom = ami is not None and bool(ami.value)
    if family == AL2 and version >= AL2_ENDS and not (managed and custom):
        raise group.error(
            f"has {AL2} with Kubernetes {version[0]}.{version[1]}", allowed=f"{AL2} before 1.33"
        )
    kind = _image_type(group)
    if family in (*UBUNTU, *WINDOWS) and _NEURON.fullmatch(kind):
        raise group.error(f"has {kind} with {family}", allowed=f"{AL2023} or Bottlerocket for {kind}")
    if ami is not None and custom:
        _check_custom_image(group, ami, family, managed=managed)
    override = group.child("overrideBootstrapCommand")
    if managed and override and not custom and not group.child("launchTemplate") and family != AL2023:
        default = family or AL2023
        if default != AL2023 or (not family and version < (1, 30)):
            raise override.error("is given without ami", allowed=f"a custom ami, or {AL2023}")
    _check_commands(group, family, managed=managed)
    if not managed and not (custom and str(ami and ami.value).startswith("ami-")):
        _check_type_of_image(group, family, kind)


def _check_custom_image(group: Field, ami: Field, family: str, *, managed: bool) -> None:
    if managed and group.child("launchTemplate"):
        return
    if managed and not ami.text().startswith("ami-"):
        raise ami.error(allowed="an image such as ami-0123456789abcdef0")
    if not family:
        raise ami.error("is given without amiFamily", allowed="both")
    if managed and family not in (*AMAZON_LINUX, *BOTTLEROCKETS, *UBUNTU):
        raise ami.error(
            f"is given with {family} in a managed group", allowed="Amazon Linux, Bottlerocket, Ubuntu"
        )
    own_bootstrap = (AL2023, *BOTTLEROCKETS, *(() if managed else WINDOWS))
    if group.child("overrideBootstrapCommand") is None and family not in own_bootstrap:
        raise ami.error(f"of {family} is given without overrideBootstrapCommand", allowed="both")
    if not managed:
        return
    if (pods := group.child("maxPodsPerNode")) and pods.value:
        raise pods.error("is given with a custom ami", allowed="one of the two")
    if (release := group.child("releaseVersion")) and release.value:
        raise release.error("is given with a custom ami", allowed="one of the two")
    if (ssh := group.child("ssh")) and ssh.true_at("enableSsm"):
        raise ssh.error("has enableSsm with a custom ami", allowed="no enableSsm")


def _check_commands(group: Field, family: str, *, managed: bool) -> None:
    """Refuse commands and kubelet settings that a family does not run."""
    refused: tuple[str, ...] = ()
    if family in BOTTLEROCKETS:
        refused = ("preBootstrapCommands", "overrideBootstrapCommand", "kubeletExtraConfig")
    elif family in WINDOWS:
        refused = ("overrideBootstrapCommand",) if managed else ("kubeletExtraConfig",)
    for key in refused:
        if place := group.child(key):
            raise place.error(f"is given with {family}", allowed="another amiFamily, or none of it")
    bottlerocket = group.child("bottlerocket")
    if bottlerocket and not managed:
        if family not in BOTTLEROCKETS:
            raise bottlerocket.error("is given with another amiFamily", allowed="amiFamily: Bottlerocket")
        _check_bottlerocket(group, bottlerocket)


def _check_bottlerocket(group: Field, bottlerocket: Field) -> None:
    settings = bottlerocket.child("settings")
    kubernetes = settings.child("kubernetes") if settings else None
    for key in kubernetes.mapping() if kubernetes else ():
        if key in BOTTLEROCKET_ELSEWHERE:
            raise bottlerocket.error(f"sets {key}", allowed=f"{BOTTLEROCKET_ELSEWHERE[key]} of the group")
        if key == "cluster-dns-ip" and group.text_at("clusterDNS"):
            raise bottlerocket.error("sets cluster-dns-ip beside clusterDNS", allowed="one of the two")


def _image_type(group: Field) -> str:
    """Return the instance type by which eksctl chooses an image: the first with a GPU, else the first."""
    distribution = group.child("instancesDistribution")
    several = (distribution or group).texts_at("instanceTypes")
    special = (kind for kind in several if _NVIDIA.fullmatch(kind) or _NEURON.fullmatch(kind))
    return next(special, several[0] if several else group.text_at("instanceType"))


def _check_type_of_image(group: Field, family: str, kind: str) -> None:
    arm, nvidia, neuron = (bool(form.fullmatch(kind)) for form in (_ARM, _NVIDIA, _NEURON))
    none = (family in WINDOWS and arm) or (family in (AL2, *WINDOWS) and arm and nvidia)
    if none or (family in WINDOWS and neuron):
        raise group.error(f"has {kind} with {family}", allowed="a type that the family has images for")


def _check_reservation(group: Field) -> None:
    options, reservation = group.child("instanceMarketOptions"), group.child("capacityReservation")
    if reservation is None:
        if options is not None:
            raise options.error("is given without capacityReservation", allowed="both")
        return
    preference, target = (
        reservation.child(f"capacityReservation{each}") for each in ("Preference", "Target")
    )
    if preference is not None:
        if target is not None:
            raise reservation.error("has a preference and a target", allowed="one of the two")
        if preference.value not in ("open", "none"):
            raise preference.error(allowed="open or none")
    ids = ("capacityReservationID", "capacityReservationResourceGroupARN")
    if target is not None and all(target.child(key) for key in ids):
        raise target.error(f"has {' and '.join(ids)}", allowed="one of the two")
    kind = options.child("marketType") if options else None
    if kind is not None and kind.value != "capacity-block":
        raise kind.error(allowed="capacity-block")


def _check_label_values(group: Field, cluster_name: str) -> None:
    """Check the names of a managed group and of its cluster, which become labels of its nodes."""
    for what, value in (("", group.text_at("name")), ("cluster ", cluster_name)):
        if not LABEL_VALUE.fullmatch(value):
            raise group.error(
                f"has the {what}name {value}",
                allowed="a label's value: letters, digits, -, _ and ., at most 63",
            )


def _check_launch_template(group: Field) -> None:
    template = group.child("launchTemplate")
    if template is None:
        return
    if not template.text_at("id"):
        raise template.missing("id", "the id of a launch template")
    if version := template.child("version"):
        text = version.text()
        if not re.fullmatch(r"\+?\d{1,18}", text) or int(text) < 1:
            raise version.error(allowed='a number of 1 or more in quotes, such as "3"')
    also = next((key for key in NOT_WITH_LAUNCH_TEMPLATE if (at := group.child(key)) and at.value), "")
    if group.child("volumeSize") or group.child("placement"):
        also = also or ("volumeSize" if group.child("volumeSize") else "placement")
    if group.child("overrideBootstrapCommand"):
        also = "overrideBootstrapCommand"
    if (imds := group.child("disableIMDSv1")) and imds.value is False:
        also = "disableIMDSv1"
    if _opens_ssh(group) or ((own := group.child("securityGroups")) and own.texts_at("attachIDs")):
        also = "ssh or securityGroups"
    if also:
        raise group.error(f"has launchTemplate and {also}", allowed="the launch template's own")


def _opens_ssh(group: Field) -> bool:
    """Say whether nodes may be reached by SSH: allowed, or a key given and not forbidden."""
    ssh = group.child("ssh")
    if ssh is None:
        return False
    keyed = any(ssh.text_at(key) for key in ("publicKeyName", "publicKeyPath", "publicKey"))
    allow = ssh.child("allow")
    opened = allow.value if allow else keyed
    return bool(opened) or ssh.true_at("enableSsm") or bool(ssh.texts_at("sourceSecurityGroupIds"))


def _check_self_managed(group: Field) -> None:
    if not _SELF_MANAGED_NAME.fullmatch(group.text_at("name")):
        raise group.error(f"has the name {group.text_at('name')}", allowed="letters, digits and -")
    if ssh := group.child("ssh"):
        keys = [key for key in ("publicKeyPath", "publicKey", "publicKeyName") if ssh.text_at(key)]
        if len(keys) > 1:
            raise ssh.error(f"has {' and '.join(keys)}", allowed="one of them")
    if distribution := group.child("instancesDistribution"):
        _check_distribution(distribution)
    _check_credits(group)
    _check_kubelet(group)
    for process in group.items_at("asgSuspendProcesses"):
        if process.value not in PROCESSES:
            raise process.error(allowed=", ".join(PROCESSES))
    if (lifetime := group.child("maxInstanceLifetime")) and lifetime.integer() < ONE_DAY_S:
        raise lifetime.error(allowed=f"{ONE_DAY_S} s, a day, or more")
    if group.texts_at("localZones") and group.texts_at("availabilityZones"):
        raise group.error("has both localZones and availabilityZones", allowed="one of the two")


def _check_kubelet(group: Field) -> None:
    kubelet, runtime = group.child("kubeletExtraConfig"), group.child("containerRuntime")
    forbidden = next((key for key in kubelet.mapping() if key in KUBELET_FORBIDDEN), "") if kubelet else ""
    if kubelet and forbidden:
        raise kubelet.error(f"sets {forbidden}", allowed="what eksctl does not set itself")
    if runtime and runtime.value != RUNTIME:
        raise runtime.error(allowed=RUNTIME)
    if runtime and group.child("overrideBootstrapCommand"):
        raise runtime.error("is given with overrideBootstrapCommand", allowed="one of the two")


def _check_distribution(distribution: Field) -> None:
    if len(set(distribution.texts_at("instanceTypes"))) > MOST_TYPES:
        raise distribution.error("has too many instanceTypes", allowed=f"at most {MOST_TYPES}")
    pools, strategy = distribution.child("spotInstancePools"), distribution.child("spotAllocationStrategy")
    if pools:
        _in_range(pools, SPOT_POOLS, "")
        if strategy and strategy.value in SPOT_STRATEGIES[2:4]:
            raise pools.error(f"is given with {strategy.value}", allowed="one of the two")
    if strategy and strategy.value not in SPOT_STRATEGIES:
        raise strategy.error(allowed=", ".join(SPOT_STRATEGIES))


def _check_credits(group: Field) -> None:
    said, distribution = group.child("cpuCredits"), group.child("instancesDistribution")
    if said is None:
        return
    types = distribution.texts_at("instanceTypes") if distribution else (group.text_at("instanceType"),)
    if not any(kind.startswith("t") for kind in types):
        raise said.error("is given without a t type", allowed="it for t2, t3 and the like")
    if said.text().lower() not in ("unlimited", "standard"):
        raise said.error(allowed="unlimited or standard")
