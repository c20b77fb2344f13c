"""The ClusterConfig of a plan: the user's own with the decided lines changed, or a whole one with reasons.

Nothing is added to a user's file that was not decided. What a deployment needs beside it, the autoscaler's
service account or tags on Auto Scaling groups, is in ``changes.yaml`` or a command of its own.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sim.adapters.eksctl.read import read_cluster
from sim.adapters.eksctl.write import (
    GROUP_LISTS,
    Changes,
    changes,
    makes_account,
    new_parts,
    whole_cluster,
)
from sim.decisions.kubernetes.empty_node import empty_node_of
from sim.deploy.places import Home
from sim.deploy.sources import Sources
from sim.documents.fields import root
from sim.documents.go_yaml import read_as_eksctl
from sim.documents.yaml_edit import edited
from sim.documents.yaml_read import Document, Key, read_text
from sim.documents.yaml_write import yaml_text
from sim.model.billing import node_usd_per_hour
from sim.model.cluster import NodeGroup
from sim.model.cluster_config import ClusterConfig
from sim.model.machines import HOURS_PER_MONTH
from sim.model.paths import name_of
from sim.model.scenario import Scenario

CLUSTER = "cluster.yaml"
NEW = "changes.yaml"


@dataclass(frozen=True, slots=True)
class ClusterPlan:
    """The ClusterConfig to deploy, as text and as read; what came in; and what is new against that."""

    text: str
    document: dict[str, Any]
    config: ClusterConfig
    before: str | None
    changes: Changes
    new: dict[str, Any]

    @property
    def makes_account(self) -> bool:
        """Say whether eksctl makes the autoscaler's service account."""
        return "iam" in self.new or makes_account(self.document)


def planned_cluster(
    scenario: Scenario, sources: Sources, homes: tuple[Home, ...], role_arn: str
) -> ClusterPlan | None:
    """Return the ClusterConfig of a plan, None where the scenario has none."""
    source = sources.cluster
    if source is None:
        return None
    autoscaler = autoscales(scenario)
    if source.text is None:
        said = _without_nulls(source.value, {})
        read = read_cluster(root(Document(said, "", {})), inline_region=scenario.cluster.region).config
        whole = whole_cluster(said, read, scenario.cluster.kubernetes_version, autoscaler=autoscaler)
        wanted = _decided(whole, scenario, sources, role_arn)
        text = yaml_text(wanted, dict(_reasons(wanted, scenario, homes)), _head(scenario))
        before = wanted
    else:
        before = read_text(source.text, dialect=read_as_eksctl)[0].value
        said = _without_nulls(source.value, before)
        wanted = _decided(said, scenario, sources, role_arn)
        text = edited(source.text, wanted)
    document = read_text(text, CLUSTER, read_as_eksctl)[0]
    found = changes(before, wanted)
    return ClusterPlan(
        text=text,
        document=wanted,
        config=read_cluster(root(document)).config,
        before=source.text if source.text is not None and source.text != text else None,
        changes=found,
        new=new_parts(wanted, found, autoscaler=autoscaler),
    )


def autoscales(scenario: Scenario) -> bool:
    """Say whether an autoscaler has node groups to size."""
    return scenario.cluster.autoscaler.enabled and bool(scenario.cluster.node_groups)


def _without_nulls(said: Any, before: Any) -> Any:
    """Return a ClusterConfig without the nulls by which ``--set`` takes away; the user's own stay."""
    if isinstance(said, dict):
        old = before if isinstance(before, dict) else {}
        own = {key for key, value in old.items() if value is None}
        return {
            key: _without_nulls(value, old.get(key))
            for key, value in said.items()
            if value is not None or key in own
        }
    if isinstance(said, list):
        named = {name_of(each): each for each in before} if isinstance(before, list) else {}
        return [_without_nulls(each, named.get(name_of(each))) for each in said]
    return said


def _decided(said: dict[str, Any], scenario: Scenario, sources: Sources, role_arn: str) -> dict[str, Any]:
    """Return a ClusterConfig with what the scenario decides beside it: region, version, execution role."""
    wanted = copy.deepcopy(said)
    metadata, beside = wanted["metadata"], sources.document.get("cluster") or {}
    if metadata["region"] != scenario.cluster.region:
        metadata["region"] = scenario.cluster.region
    version = beside.get("kubernetes_version")
    if version and metadata.get("version") != version:
        metadata["version"] = str(version)
    for profile in wanted.get("fargateProfiles") or () if role_arn else ():
        profile["podExecutionRoleARN"] = role_arn
    return wanted


def _head(scenario: Scenario) -> str:
    question = f"\n{scenario.question}" if scenario.question else ""
    return f"The cluster that the plan {scenario.name} was simulated on.{question}"


def _reasons(
    wanted: dict[str, Any], scenario: Scenario, homes: tuple[Home, ...]
) -> Iterator[tuple[Key, str]]:
    """Yield a comment for each key that says why its value is what it is."""
    yield ("metadata", "version"), "as simulated; quoted, or YAML makes a number of it"
    if "iam" in wanted:
        yield ("iam", "withOIDC"), "needed by serviceAccounts (IRSA)"
    groups = {group.name: group for group in scenario.cluster.node_groups}
    for kind in GROUP_LISTS:
        for n, said in enumerate(wanted.get(kind) or ()):
            for key, reason in _group_reasons(groups[said["name"]], homes, scenario):
                if key in said:
                    yield (kind, n, key), reason
    for n, profile in enumerate(wanted.get("fargateProfiles") or ()):
        users = [home for home in homes if home.profile == profile["name"]]
        told = "; ".join(
            f"{home.load.pipeline.name}: {home.workers} of {home.size}, ${home.usd_per_hour:.4f} an hour each"
            for home in users
        )
        yield ("fargateProfiles", n, "name"), told or "no pipeline of the plan runs on it"


def _group_reasons(group: NodeGroup, homes: Iterable[Home], scenario: Scenario) -> Iterator[tuple[str, str]]:
    usd = node_usd_per_hour(group.shape, scenario.prices)
    empty = empty_node_of(group.shape, scenario.cluster)
    room = f"{group.allocatable.cpu_m}m cpu and {group.allocatable.memory_mib}Mi"
    users = [home.load for home in homes if group.name in home.groups]
    held = ", ".join(f"{empty.holds(load.pod_class.requests)} of {load.pipeline.name}" for load in users)
    for key in ("instanceType", "instanceTypes"):
        yield key, f"${usd:.4f} an hour with its volume; pods may request {room} of a node"
    yield "spot", "simulated with the Spot Advisor's interruptions" if group.spot else "simulated On-Demand"
    kept = f"${usd * group.min_size * HOURS_PER_MONTH:,.2f} a month, work or not"
    yield "minSize", kept if group.min_size else "costs nothing while nothing runs"
    yield "desiredCapacity", "nodes at the start"
    most = f"at most ${usd * group.max_size:,.2f} an hour"
    yield "maxSize", f"{most}; a node holds {held} workers" if held else most
    yield "volumeSize", "GiB of each node's disk, as billed"
    yield "propagateASGTags", "the autoscaler plans an empty group by these tags"
