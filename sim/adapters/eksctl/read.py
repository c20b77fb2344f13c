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
from sim.adapters.eksctl.groups import read_group
from sim.adapters.eksctl.rules import check_rules
from sim.documents.fields import Field, root
from sim.documents.go_yaml import read_as_eksctl
from sim.documents.yaml_read import Document, read_file, read_text
from sim.model.cluster import FargateProfile, Selector
from sim.model.cluster_config import ClusterConfig, NodeGroupConfig
from sim.model.notices import Notice

API_VERSION = "eksctl.io/v1alpha5"
INLINE_NAME = "cluster"
MOST_SELECTORS = 5
MOST_SELECTOR_LABELS = 5
_CLUSTER_NAME = re.compile(r"[A-Za-z][-A-Za-z0-9]*")
_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")
_VERSION = re.compile(r"1\.\d{2}")
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
    field.known(keys.CLUSTER_READ | keys.CLUSTER_KEPT)
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
    _check_cluster(field, config)
    check_rules(field, config)
    return ReadCluster(config, tuple(_notices(field)))


def _metadata(field: Field, inline_region: str | None) -> ClusterConfig:
    """Return a cluster with nothing but its metadata."""
    metadata = field.child("metadata")
    if metadata is None:
        if inline_region is None:
            raise field.missing("metadata", "a mapping with name and region")
        return ClusterConfig(INLINE_NAME, inline_region)
    metadata.known(keys.METADATA_READ | keys.METADATA_KEPT)
    return ClusterConfig(
        name=_matching(metadata, "name", _CLUSTER_NAME, "letters, digits and -, a letter first"),
        region=_matching(metadata, "region", _REGION, "an AWS region such as us-east-1"),
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
        item.known(keys.PROFILE_READ | keys.PROFILE_KEPT)
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
    namespace = field.known(keys.SELECTOR_READ).child("namespace")
    if namespace is None or not namespace.text():
        raise field.missing("namespace", "a namespace, * and ? allowed")
    labels = field.pairs_at("labels")
    if len(labels) > MOST_SELECTOR_LABELS:
        raise field.error(f"has {len(labels)} labels", allowed=f"at most {MOST_SELECTOR_LABELS} (AWS)")
    return Selector(namespace.text(), labels)


def _check_cluster(field: Field, config: ClusterConfig) -> None:
    managed = [group for group in config.node_groups if group.managed]
    if (outpost := field.child("outpost")) and (managed or config.fargate_profiles):
        raise outpost.error(
            "has managed node groups or Fargate profiles", allowed="nodeGroups only on Outposts"
        )
    private = field.child("privateCluster")
    if private and private.mapping().get("enabled"):
        public = next((group.name for group in config.node_groups if not group.private_networking), None)
        if public:
            raise private.error(
                f"has the node group {public}", allowed="privateNetworking: true in every group"
            )
    iam = field.child("iam")
    if iam and iam.mapping().get("withOIDC") is False and iam.mapping().get("serviceAccounts"):
        raise iam.error("has serviceAccounts without OIDC", allowed="withOIDC: true")


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


def _version(field: Field | None) -> str | None:
    if field is None:
        return None
    if not _VERSION.fullmatch(field.text()):
        raise field.error(allowed='a Kubernetes minor in quotes, such as "1.33"')
    return field.text()


def _matching(field: Field, key: str, pattern: re.Pattern[str], allowed: str) -> str:
    place = field.child(key)
    if place is None:
        raise field.missing(key, allowed)
    if not pattern.fullmatch(place.text()):
        raise place.error(allowed=allowed)
    return place.text()
