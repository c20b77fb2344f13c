"""eksctl ClusterConfigs as they are deployed: whole for a new cluster, and what is new in the user's.

What eksctl would fill in is written out, so that the file says what was simulated whatever eksctl's next
defaults are. Existing node groups can be scaled; nothing else of them, and nothing of a Fargate profile, can
be changed in place, so that such a change is a new group, or a profile deleted and made again.

Source: eksctl-io/eksctl 0.231.0-dev (99984adb6164), pkg/apis/eksctl.io/v1alpha5; aws.md §3 and §9.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sim.adapters.eksctl.read import API_VERSION
from sim.model.cluster_config import ClusterConfig, NodeGroupConfig
from sim.texts import quoted

GROUP_LISTS = ("managedNodeGroups", "nodeGroups")
TYPES = {"instanceType", "instanceTypes", "instanceSelector", "instancesDistribution"}
SIZES = ("minSize", "desiredCapacity", "maxSize")
SERVICE_ACCOUNT = "cluster-autoscaler"
SYSTEM = "kube-system"
Config = dict[str, Any]
ACCOUNT: Config = {
    "metadata": {"name": SERVICE_ACCOUNT, "namespace": SYSTEM},
    "wellKnownPolicies": {"autoScaler": True},
}


def whole_cluster(
    said: Mapping[str, Any], config: ClusterConfig, version: str, *, autoscaler: bool
) -> Config:
    """Return the ClusterConfig of a cluster stated inline in a scenario, eksctl's defaults written out."""
    metadata = {"name": config.name, "region": config.region, "version": version}
    rest = {key: copy.deepcopy(value) for key, value in said.items() if key not in {"apiVersion", "kind"}}
    rest["metadata"] = metadata | (rest.get("metadata") or {})
    rest["metadata"]["version"] = version
    whole = {"apiVersion": API_VERSION, "kind": "ClusterConfig", "metadata": rest.pop("metadata"), **rest}
    groups = {group.name: group for group in config.node_groups}
    for kind in GROUP_LISTS:
        if whole.get(kind):
            whole[kind] = [_whole_group(each, groups[each["name"]], autoscaler) for each in whole[kind]]
    if autoscaler and not reaches_groups(whole):
        iam = whole.pop("iam", None) or {}
        accounts = [*(iam.get("serviceAccounts") or ()), ACCOUNT]
        whole["iam"] = {**iam, "withOIDC": True, "serviceAccounts": accounts}
    return whole


def _whole_group(said: Mapping[str, Any], group: NodeGroupConfig, autoscaler: bool) -> Config:
    own_template = "launchTemplate" in said
    typed = own_template or TYPES & {*said}
    filled: Config = {
        **({} if typed else {"instanceTypes": list(group.instance_types)}),
        "minSize": group.min_size,
        "desiredCapacity": group.desired_capacity,
        "maxSize": group.max_size,
        **({} if own_template else {"volumeSize": group.volume_gib, "volumeType": group.volume_type}),
    }
    if not typed and not group.managed:
        filled["instanceType"] = filled.pop("instanceTypes")[0]
    if autoscaler and group.min_size == 0 and (group.labels or group.taints):
        filled["propagateASGTags"] = True
    own = {key: copy.deepcopy(value) for key, value in said.items() if value is not None}
    order = ["name", *(key for key in own if key.startswith("instance")), *filled]
    whole = filled | own
    return {key: whole[key] for key in dict.fromkeys([*order, *own])}


def reaches_groups(config: Mapping[str, Any]) -> bool:
    """Say whether the autoscaler may change node groups: by its service account, or by every node's role."""
    iam = config.get("iam") or {}
    accounts = [(each.get("metadata") or {}).get("name") for each in iam.get("serviceAccounts") or ()]
    accounts += [each.get("serviceAccountName") for each in iam.get("podIdentityAssociations") or ()]
    groups = [group for kind in GROUP_LISTS for group in config.get(kind) or ()]
    return SERVICE_ACCOUNT in accounts or (bool(groups) and all(map(_lets_autoscale, groups)))


def makes_account(config: Mapping[str, Any]) -> bool:
    """Say whether eksctl makes the autoscaler's service account from this; else its chart has to."""
    iam = config.get("iam") or {}
    names = [(each.get("metadata") or {}).get("name") for each in iam.get("serviceAccounts") or ()]
    names += [
        each.get("serviceAccountName")
        for each in iam.get("podIdentityAssociations") or ()
        if each.get("createServiceAccount")
    ]
    return SERVICE_ACCOUNT in names


def _lets_autoscale(group: Mapping[str, Any]) -> bool:
    return bool(((group.get("iam") or {}).get("withAddonPolicies") or {}).get("autoScaler"))


@dataclass(frozen=True, slots=True)
class Changes:
    """What became of a cluster's groups and profiles, by name; ``resized`` has sizes before and after.

    ``fixed`` are the keys of an existing group that eksctl cannot change.
    """

    new_groups: tuple[str, ...] = ()
    gone_groups: tuple[str, ...] = ()
    resized: tuple[tuple[str, Mapping[str, int], Mapping[str, int]], ...] = ()
    fixed: tuple[tuple[str, tuple[str, ...]], ...] = ()
    new_profiles: tuple[str, ...] = ()
    changed_profiles: tuple[str, ...] = ()
    gone_profiles: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Say whether there is any."""
        return self != Changes()


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Changes:
    """Return what differs in groups and profiles."""
    old, new = _named(before, GROUP_LISTS), _named(after, GROUP_LISTS)
    old_profiles, new_profiles = (_named(each, ("fargateProfiles",)) for each in (before, after))
    both = [name for name in new if name in old]
    return Changes(
        new_groups=tuple(name for name in new if name not in old),
        gone_groups=tuple(name for name in old if name not in new),
        resized=tuple(
            (name, _sizes(old[name]), _sizes(new[name]))
            for name in both
            if _sizes(old[name]) != _sizes(new[name])
        ),
        fixed=tuple((name, keys) for name in both if (keys := _fixed(old[name], new[name]))),
        new_profiles=tuple(name for name in new_profiles if name not in old_profiles),
        changed_profiles=tuple(
            name for name in new_profiles if name in old_profiles and new_profiles[name] != old_profiles[name]
        ),
        gone_profiles=tuple(name for name in old_profiles if name not in new_profiles),
    )


def new_parts(after: Mapping[str, Any], found: Changes, *, autoscaler: bool) -> Config:
    """Return the ClusterConfig of what is new alone, empty where nothing is.

    That is groups, profiles, and the autoscaler's service account where a cluster lacks it.
    """
    profiles = {*found.new_profiles, *found.changed_profiles}
    wanted = {kind: set(found.new_groups) for kind in GROUP_LISTS} | {"fargateProfiles": profiles}
    parts: Config = {}
    for kind, names in wanted.items():
        if items := [each for each in after.get(kind) or () if each.get("name") in names]:
            parts[kind] = copy.deepcopy(items)
    if autoscaler and not reaches_groups(after):
        parts["iam"] = {"withOIDC": True, "serviceAccounts": [ACCOUNT]}
    if not parts:
        return {}
    metadata = {
        key: after["metadata"][key] for key in ("name", "region", "version") if key in after["metadata"]
    }
    return {"apiVersion": API_VERSION, "kind": "ClusterConfig", "metadata": metadata, **parts}


def profile_command(cluster: str, region: str, profile: Mapping[str, Any]) -> str:
    """Return the one-line ``eksctl create fargateprofile``, empty where its flags cannot say it.

    They take one selector; a role or subnets of one's own need the file.
    """
    selectors: Sequence[Mapping[str, Any]] = profile["selectors"]
    if len(selectors) != 1 or {"podExecutionRoleARN", "subnets"} & {*profile}:
        return ""
    words = ["eksctl", "create", "fargateprofile", "--cluster", cluster, "--region", region]
    words += ["--name", profile["name"], "--namespace", selectors[0]["namespace"]]
    for flag, pairs in (("--labels", selectors[0].get("labels")), ("--tags", profile.get("tags"))):
        if pairs:
            words += [flag, ",".join(f"{key}={value}" for key, value in pairs.items())]
    return " ".join(map(quoted, words))


def profiles_of(config: Mapping[str, Any]) -> Iterator[Config]:
    """Yield the Fargate profiles."""
    yield from config.get("fargateProfiles") or ()


def _named(config: Mapping[str, Any], kinds: Sequence[str]) -> dict[str, Config]:
    return {each["name"]: each for kind in kinds for each in config.get(kind) or () if each.get("name")}


def _sizes(group: Mapping[str, Any]) -> dict[str, int]:
    return {key: group[key] for key in SIZES if group.get(key) is not None}


def _fixed(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[str, ...]:
    keys = dict.fromkeys([*old, *new])
    return tuple(key for key in keys if key not in SIZES and old.get(key) != new.get(key))
