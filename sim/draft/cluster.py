"""The cluster of a first scenario: the user's ClusterConfig, a live cluster, or nodes that would do.

Sizes that an Auto Scaling group has and kubectl does not know are placeholders. With a live cluster come the
real allocatable, the number of nodes, the daemons, the base load and the flags of its autoscaler.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sim.adapters.cluster_autoscaler.read import ReadAutoscaler
from sim.adapters.eksctl.read import read_cluster_file
from sim.adapters.kubernetes.kubectl import LiveCluster, LiveGroup
from sim.catalog import HOME_REGION, Catalog
from sim.draft.page import Page, without_empty
from sim.draft.paths import reference
from sim.draft.pods import drafted_daemon_set, said_amounts
from sim.errors import InputError
from sim.loader.compile.autoscaler import PRIORITIES
from sim.loader.compile.pods import BUILT_IN_PRIORITIES, SYSTEM_NAMESPACE
from sim.loader.values.flags import AUTOSCALER
from sim.model.autoscaler import VERSIONS
from sim.model.cluster_config import ClusterConfig, NodeGroupConfig
from sim.model.pipelines import Pipeline

WHY_SIZES = "the most nodes of the group"
WHY_NODES = "so that every pipeline has a place to run"
MOST_NODES = 10
SOME_USD_PER_HOUR = 0.2
SOME_ROOM = {"cpu": "3920m", "memory": "14162Mi", "ephemeral": "71Gi", "gpu": 0, "pods": 58}
GROUP_LISTS = ("managedNodeGroups", "nodeGroups")
_NOT_A_NAME = re.compile(r"[^-A-Za-z0-9]")


@dataclass(frozen=True, slots=True)
class ClusterSources:
    """What is known of a cluster: files, what kubectl printed, and the folder of the scenario."""

    folder: Path
    eksctl: Path | None = None
    autoscaler: Path | None = None
    live: LiveCluster | None = None


def drafted_cluster(known: ClusterSources, needed: Callable[[], ClusterConfig]) -> Page:
    """Return ``cluster``; ``needed`` gives nodes that would do, where nothing says which there are."""
    page, config, live = Page(), None, known.live
    if known.eksctl is not None:
        config = read_cluster_file(known.eksctl).config
        _add_prices(page, config)
        page.values["eksctl"] = reference(known.eksctl, known.folder)
    elif live is not None:
        page.values["eksctl"] = _live_config(live)
        for kind in GROUP_LISTS:
            for n, group in enumerate(page.values["eksctl"].get(kind, ())):
                if group["minSize"] != group["maxSize"]:
                    page.placeholder(("eksctl", kind, n, "maxSize"), WHY_SIZES)
    else:
        page.values["eksctl"] = _needed_config(needed())
        page.placeholder(("eksctl", "managedNodeGroups"), WHY_NODES)
    _add_autoscaler(page, known)
    if live is not None:
        _add_live(page, live, config)
    return page


def _add_prices(page: Page, config: ClusterConfig) -> None:
    """Make up what the tables do not say of groups that always have nodes."""
    catalog, groups = Catalog(), dict[str, dict[str, Any]]()
    for group in config.node_groups:
        name = next(iter(group.instance_types), "")
        if not name or group.desired_capacity == 0 or _priced(catalog, config.region, name):
            continue
        elsewhere = _priced(catalog, HOME_REGION, name)
        groups[group.name] = {"usd_per_hour": elsewhere or SOME_USD_PER_HOUR}
        page.placeholder(("groups", group.name, "usd_per_hour"), f"what {name} costs in {config.region}")
        if not elsewhere:
            groups[group.name]["allocatable"] = dict(SOME_ROOM)
            page.placeholder(("groups", group.name, "allocatable"), f"what pods may request of one {name}")
    if groups:
        page.values["groups"] = groups


def _priced(catalog: Catalog, region: str, name: str) -> float:
    """Return what a type costs in a region, 0 where the tables do not say."""
    try:
        return catalog.on_demand(region, name).usd_per_hour
    except InputError:
        return 0.0


def selected_namespace(known: ClusterSources) -> str:
    """Return the only namespace, kube-system's aside, that a ClusterConfig's Fargate profiles select."""
    profiles = () if known.eksctl is None else read_cluster_file(known.eksctl).config.fargate_profiles
    selected = {each.namespace for profile in profiles for each in profile.selectors} - {SYSTEM_NAMESPACE}
    only = selected.pop() if len(selected) == 1 else ""
    return "" if {*only} & {*"*?"} else only


def add_priority_classes(page: Page, pipelines: Iterable[Pipeline]) -> None:
    """Put in the classes that pipelines name and nothing gives a value: 0, as if they had none."""
    known = {**BUILT_IN_PRIORITIES, **page.values.get("priority_classes", {})}
    named = dict.fromkeys(each.priority_class_name for each in pipelines if each.priority_class_name)
    if missing := [name for name in named if name not in known]:
        page.values.setdefault("priority_classes", {}).update(dict.fromkeys(missing, 0))
        page.placeholder(("priority_classes",), f"the value of {', '.join(missing)}")


def _add_autoscaler(page: Page, known: ClusterSources) -> None:
    live = known.live
    if known.autoscaler is not None:
        page.values["autoscaler"] = {"values": reference(known.autoscaler, known.folder)}
    elif live is not None and live.autoscaler is not None:
        page.values["autoscaler"] = _flags(live.autoscaler)
        page.comments["autoscaler",] = "the command line of the pod that runs it"
    elif live is not None:
        page.values["autoscaler"] = {"enabled": False}
        page.comments["autoscaler",] = "no pod runs one"


def _flags(started: ReadAutoscaler) -> dict[str, Any]:
    """Return the flags of a running autoscaler that the simulator honours."""
    release = started.version if started.patch is None else f"{started.version}.{started.patch}"
    version = {"version": release} if started.version in VERSIONS else {}
    flags = {name: at.value for name, at in started.flags.items() if name in AUTOSCALER.by_name}
    priorities = {PRIORITIES: started.priorities.value} if started.priorities else {}
    return version | flags | priorities


def _add_live(page: Page, live: LiveCluster, config: ClusterConfig | None) -> None:
    groups = dict(_group_details(page, live, config))
    if groups:
        made_up = page.values.get("groups", {})
        page.values["groups"] = made_up | {name: made_up.get(name, {}) | own for name, own in groups.items()}
        page.comments["groups",] = "as the live cluster is: nodes and what pods may request of one"
    page.values["daemonsets"] = [drafted_daemon_set(page, each, live) for each in live.daemon_sets]
    own = {
        each.priority_class: each.priority
        for each in (*live.daemon_sets, *live.base_load)
        if each.priority_class and each.priority_class not in BUILT_IN_PRIORITIES
    }
    if own:
        page.values["priority_classes"] = own


def _group_details(
    page: Page, live: LiveCluster, config: ClusterConfig | None
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield what the live cluster knows of each group that the ClusterConfig has."""
    there = {group.name: group for group in live.groups}
    if config is None:
        yield from ((group_name(group), _details(group)) for group in live.groups)
        return
    for name in sorted(there.keys() - {group.name for group in config.node_groups}):
        page.warnings.append(f"node group {name} has nodes and is not in the ClusterConfig; it is left out")
    for group in config.node_groups:
        if group.name in there:
            yield group.name, _matched(page, group, there[group.name])
        elif group.min_size == 0:
            yield group.name, {"initial": 0}


def _matched(page: Page, group: NodeGroupConfig, live: LiveGroup) -> dict[str, Any]:
    details = _details(live)
    if live.nodes > group.max_size:
        page.warnings.append(
            f"node group {group.name} has {live.nodes} nodes, its maxSize is {group.max_size}"
        )
        details["initial"] = group.max_size
    first = next(iter(group.instance_types), live.instance_types[0])
    if first != live.instance_types[0]:
        page.warnings.append(
            f"most nodes of group {group.name} are {live.instance_types[0]}, it is simulated with {first}; "
            "their allocatable is left out"
        )
        del details["allocatable"]
    return details


def _details(live: LiveGroup) -> dict[str, Any]:
    return {"initial": live.nodes, "allocatable": said_amounts(live.allocatable) | {"pods": live.max_pods}}


def group_name(group: LiveGroup) -> str:
    """Return a group's name as eksctl takes it."""
    name = _NOT_A_NAME.sub("-", group.name)
    return name if name[:1].isalpha() else f"g-{name}"


def _live_config(live: LiveCluster) -> dict[str, Any]:
    """Return a ClusterConfig of the nodes that are there."""
    metadata = {"name": live.name or "live", "region": live.region, "version": live.version}
    config: dict[str, Any] = {"metadata": without_empty(metadata)}
    for group in live.groups:
        kind = "managedNodeGroups" if group.managed else "nodeGroups"
        config.setdefault(kind, []).append(_live_group(group, scaled=live.autoscaler is not None))
    return config


def _live_group(group: LiveGroup, *, scaled: bool) -> dict[str, Any]:
    types = list(group.instance_types)
    said: dict[str, Any] = {"name": group_name(group)}
    if group.managed:
        said |= {"instanceTypes": types} | ({"spot": True} if group.spot else {})
    elif group.spot or len(types) > 1:
        share = {"onDemandPercentageAboveBaseCapacity": 0 if group.spot else 100}
        said["instancesDistribution"] = {"instanceTypes": types, "onDemandBaseCapacity": 0, **share}
    else:
        said["instanceType"] = types[0]
    least, most = (0, max(MOST_NODES, 2 * group.nodes)) if scaled else (group.nodes, group.nodes)
    said |= {"minSize": least, "desiredCapacity": group.nodes, "maxSize": most}
    taints = [without_empty(asdict(taint) | {"effect": taint.effect.value}) for taint in group.taints]
    if group.disk_gib:
        said["volumeSize"] = group.disk_gib
    more = {"availabilityZones": list(group.zones), "labels": dict(group.labels), "taints": taints}
    return said | without_empty(more) | {"propagateASGTags": True}


def _needed_config(needs: ClusterConfig) -> dict[str, Any]:
    groups = [
        {
            "name": group.name,
            "instanceTypes": list(group.instance_types),
            "minSize": group.min_size,
            "desiredCapacity": group.desired_capacity,
            "maxSize": group.max_size,
            **without_empty({"labels": dict(group.labels), "tags": dict(group.tags)}),
        }
        for group in needs.node_groups
    ]
    return {"metadata": {"name": needs.name, "region": needs.region}, "managedNodeGroups": groups}
