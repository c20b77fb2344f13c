"""eksctl ClusterConfigs, read into ``ClusterConfig`` with eksctl's defaults and checks.

Unknown keys are errors, as in eksctl's strict parse. Keys the simulator does not read are kept. The checks
are those of eksctl that a plan can trip over; AWS's own limits on Fargate selectors are checked too.

Source: eksctl-io/eksctl 0.231.0-dev, pkg/apis/eksctl.io/v1alpha5/{defaults,validation}.go,
pkg/eks/api.go ParseConfig; aws.md §9.2.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

from sim.adapters.eksctl import keys
from sim.adapters.eksctl.group_rules import check_group
from sim.adapters.eksctl.groups import read_group
from sim.adapters.eksctl.rules import GROUP_LISTS, check_rules
from sim.adapters.eksctl.typed import Typed
from sim.documents.fields import Field, root
from sim.documents.go_yaml import read_as_eksctl
from sim.documents.yaml_read import Document, read_file, read_text
from sim.errors import nearest
from sim.model.cluster import FargateProfile, Selector
from sim.model.cluster_config import ClusterConfig, NodeGroupConfig
from sim.model.notices import Notice

API_VERSION = "eksctl.io/v1alpha5"
INLINE_NAME = "cluster"
MOST_SELECTORS = 5
MOST_SELECTOR_LABELS = 5
_CLUSTER_NAME = re.compile(r"[-A-Za-z0-9]+")
_VERSION = re.compile(r"1\.\d{2}")
WHICHEVER = ("auto", "latest")  # versions that eksctl chooses when it makes the cluster
LAST_MINOR = 40  # of 1; EKS offered 1.35 in 2026, and three come a year
DEFAULT_MINOR = (1, 32)  # eksctl 0.215.0's, by which it judges image families
_HEAD = ("apiVersion", "kind")


@dataclass(frozen=True, slots=True)
class ReadCluster:
    """A cluster as the simulator sees it, and what there is to say about it."""

    config: ClusterConfig
    notices: tuple[Notice, ...]


def read_cluster_file(path: Path) -> ReadCluster:
    """Return the ClusterConfig of a file."""
    return _only(read_file(path, dialect=read_as_eksctl))


def read_cluster_text(text: str, file: str = "") -> ReadCluster:
    """Return the ClusterConfig of a text; ``file`` is for messages."""
    return _only(read_text(text, file, read_as_eksctl))


def _only(documents: tuple[Document, ...]) -> ReadCluster:
    first, *more = map(root, documents)
    if more:
        raise more[0].error("is a second document", allowed="one ClusterConfig in a file")
    return read_cluster(first)


def read_cluster(field: Field, *, inline_region: str | None = None) -> ReadCluster:
    """Return the ClusterConfig that a mapping holds.

    One that is inline in a scenario may leave out what a file must have: apiVersion, kind, and the
    metadata, whose region then is the scenario's.
    """
    typed = Typed(field)
    field = typed.field
    for key, value in zip(_HEAD, (API_VERSION, "ClusterConfig"), strict=True):
        place = field.child(key)
        if place is None and inline_region is None:
            raise field.missing(key, value)
        if place and place.value != value:
            raise place.error(allowed=value)
    config = replace(
        _metadata(field, inline_region),
        node_groups=_groups(field),
        fargate_profiles=_profiles(field),
        availability_zones=field.texts_at("availabilityZones"),
    )
    config = replace(config, kept=field.kept(keys.CLUSTER_KEPT) + config.kept)
    check_rules(field)
    _check_groups(field, config)
    return ReadCluster(config, (*typed.notices, *_notices(field)))


def _check_groups(field: Field, config: ClusterConfig) -> None:
    """Check each group by eksctl's rules; those of managed groups alone look at sizes."""
    most = {group.name: group.max_size for group in config.node_groups}
    minor = (1, int(config.version.partition(".")[2])) if config.version else DEFAULT_MINOR
    for kind in GROUP_LISTS:
        for group in field.items_at(kind):
            managed = kind == "managedNodeGroups"
            check_group(group, managed=managed, version=minor, cluster_name=config.name)
            if managed:
                _check_update(group, most[group.mapping()["name"]])


def _check_update(group: Field, max_size: int) -> None:
    update = group.child("updateConfig")
    if update is None:
        return
    if len(list(update.children())) != 1:
        raise update.error(allowed="one of maxUnavailable and maxUnavailablePercentage")
    unavailable = update.child("maxUnavailable")
    if unavailable and unavailable.integer() > max_size:
        raise unavailable.error(allowed=f"at most the group's maxSize, {max_size}")


def _metadata(field: Field, inline_region: str | None) -> ClusterConfig:
    """Return a cluster with nothing but its metadata."""
    metadata = field.child("metadata")
    if metadata is None:
        if inline_region is None:
            raise field.missing("metadata", "a mapping with name and region")
        return ClusterConfig(INLINE_NAME, inline_region)
    return ClusterConfig(
        name=_matching(metadata, "name", _CLUSTER_NAME, "letters, digits and -"),
        region=_region(metadata),
        version=_version(metadata.child("version")),
        tags=metadata.pairs_at("tags"),
        kept=metadata.kept(keys.METADATA_KEPT, "metadata."),
    )


def _groups(field: Field) -> tuple[NodeGroupConfig, ...]:
    taken: set[str] = set()
    groups = []
    for kind in ("managedNodeGroups", "nodeGroups"):
        for item in field.items_at(kind):
            group = read_group(item, managed=kind == "managedNodeGroups")
            if group.name in taken:
                raise item.error(f"has the name {group.name} of another group", allowed="a name of its own")
            taken.add(group.name)
            groups.append(group)
    return tuple(groups)


def _profiles(field: Field) -> tuple[FargateProfile, ...]:
    taken: set[str] = set()
    profiles = []
    for item in field.items_at("fargateProfiles"):
        name = _matching(item, "name", re.compile(r"(?!eks-).+"), "a name that does not begin with eks-")
        if name in taken:
            raise item.error(f"has the name {name} of another profile", allowed="a name of its own")
        taken.add(name)
        profiles.append(FargateProfile(name, _selectors(item)))
    return tuple(profiles)


def _selectors(profile: Field) -> tuple[Selector, ...]:
    place = profile.child("selectors")
    if place is None or not place.items():
        raise profile.missing("selectors", "at least one, with a namespace")
    if len(place.items()) > MOST_SELECTORS:
        raise place.error(f"are {len(place.items())}", allowed=f"at most {MOST_SELECTORS} (AWS)")
    return tuple(_selector(item) for item in place.items())


def _selector(field: Field) -> Selector:
    namespace = field.child("namespace")
    if namespace is None or not namespace.text():
        raise field.missing("namespace", "a namespace, * and ? allowed")
    labels = field.pairs_at("labels")
    if len(labels) > MOST_SELECTOR_LABELS:
        raise field.error(f"has {len(labels)} labels", allowed=f"at most {MOST_SELECTOR_LABELS} (AWS)")
    return Selector(namespace.text(), labels)


def _notices(field: Field) -> list[Notice]:
    notices = [
        place.notice(keys.NOT_SIMULATED[key]) for key, place in field.children() if key in keys.NOT_SIMULATED
    ]
    for kind in ("managedNodeGroups", "nodeGroups"):
        for group in field.items_at(kind):
            notices += _notices(group)
            if distribution := group.child("instancesDistribution"):
                notices += _mixed(distribution)
    return notices


def _mixed(distribution: Field) -> list[Notice]:
    said = distribution.mapping()
    share = said.get("onDemandPercentageAboveBaseCapacity", 100)
    if said.get("onDemandBaseCapacity", 0) == 0 and share in (0, 100):
        return []
    return [distribution.notice("mixes On-Demand and Spot nodes; simulated as On-Demand")]


def _region(metadata: Field) -> str:
    place = metadata.child("region")
    if place is None:
        raise metadata.missing("region", "an AWS region such as us-east-1")
    if place.value not in keys.REGIONS:
        regions = sorted(keys.REGIONS)
        raise place.error(allowed=", ".join(regions), near=nearest(place.text(), regions))
    return place.text()


def _version(field: Field | None) -> str | None:
    if field is None or field.text() in ("", *WHICHEVER):
        return None
    if not _VERSION.fullmatch(field.text()) or int(field.text()[2:]) > LAST_MINOR:
        raise field.error(allowed='a Kubernetes minor in quotes, such as "1.33", auto or latest')
    return field.text()


def _matching(field: Field, key: str, pattern: re.Pattern[str], allowed: str) -> str:
    place = field.child(key)
    if place is None:
        raise field.missing(key, allowed)
    if not pattern.fullmatch(place.text()):
        raise place.error(allowed=allowed)
    return place.text()
