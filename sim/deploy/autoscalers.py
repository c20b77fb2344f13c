"""The Cluster Autoscaler of a plan, as values of its Helm chart.

A user's own values change only where the scenario says otherwise. New ones state each flag that differs from
its version's default, and in any case those that decide money and time (aws.md §10).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sim.adapters.cluster_autoscaler.read import ReadAutoscaler, own_values, read_autoscaler
from sim.adapters.cluster_autoscaler.write import changed_values, chart_values
from sim.deploy.sources import Source
from sim.documents.fields import root
from sim.documents.yaml_edit import edited
from sim.documents.yaml_read import Key as YamlKey
from sim.documents.yaml_write import yaml_text
from sim.loader.values.flags import AUTOSCALER
from sim.loader.values.scalars import DURATION, INTERVAL, LOOP
from sim.loader.values.sections import Key
from sim.model.autoscaler import AutoscalerOptions, options_for
from sim.model.cluster_config import ClusterConfig
from sim.model.scenario import Scenario
from sim.model.units import print_go_duration

VALUES = "cluster-autoscaler-values.yaml"
PRIORITIES = "expander-priorities"
UMBRELLA = "The chart's own values; in an umbrella chart they stand under cluster-autoscaler."
NOT_FLAGS = {"version", "enabled", "orders", "aws-refresh-interval", "values", PRIORITIES}
ALWAYS = {
    "balance-similar-node-groups",
    "expander",
    "max-node-provision-time",
    "scale-down-delay-after-add",
    "scale-down-unneeded-time",
    "scale-down-utilization-threshold",
    "scan-interval",
    "skip-nodes-with-local-storage",
    "skip-nodes-with-system-pods",
}
SET_BY_CHART = {"cloud-provider", "node-group-auto-discovery", "nodes"}


@dataclass(frozen=True, slots=True)
class ValuesPlan:
    """The values to install with, and those that came in where they differ; not ``chart``: a manifest did."""

    text: str
    before: str | None = None
    chart: bool = True


def planned_values(
    scenario: Scenario, config: ClusterConfig, source: Source | None, *, account: bool
) -> ValuesPlan:
    """Return the chart values of a plan; ``account``: eksctl makes the service account."""
    options, region = scenario.cluster.autoscaler, scenario.cluster.region
    priorities = AUTOSCALER.by_name[PRIORITIES].printed(options.expander_priorities)
    read = read_autoscaler([root(each) for each in source.documents]) if source else ReadAutoscaler({})
    manifest = source is not None and "kind" in source.value
    if source is None or manifest:
        flags = {**_kept(read), **_flags(options, options_for(options.version), ALWAYS)}
        values = chart_values(config.name, region, options.release, flags, priorities, account=account)
        made = "eksctl makes it, with its role" if account else "the nodes' own role lets it scale"
        comments = {**COMMENTS, ("rbac", "serviceAccount", "create"): made}
        return ValuesPlan(yaml_text(values, comments, _head(scenario)), chart=not manifest)
    flags = _flags(options, _deployed(read, options.version))
    said = AUTOSCALER.by_name[PRIORITIES].kind.read(read.priorities) if read.priorities else ()
    same = said == options.expander_priorities or "priority" not in options.expander
    own = own_values(root(source.documents[0]))
    wanted = changed_values(own.value, flags, None if same else priorities)
    if own.path:
        return ValuesPlan(yaml_text(wanted, {}, UMBRELLA), source.text)
    text = edited(source.text or yaml_text(source.value), wanted)
    return ValuesPlan(text, source.text if source.text != text else None)


def _flags(
    options: AutoscalerOptions, deployed: AutoscalerOptions, always: Collection[str] = ()
) -> dict[str, Any]:
    """Return the flags that differ from what is deployed, and those of ``always``, as upstream takes them."""
    return {
        each.name: _flag_value(each, getattr(options, each.attribute))
        for each in AUTOSCALER.keys
        if each.name not in NOT_FLAGS
        if each.name in always or getattr(options, each.attribute) != getattr(deployed, each.attribute)
    }


def _flag_value(key: Key, value: Any) -> Any:
    return print_go_duration(value) if key.kind in (DURATION, INTERVAL, LOOP) else key.printed(value)


def _deployed(read: ReadAutoscaler, version: str) -> AutoscalerOptions:
    """Return the options that deployed values give by themselves."""
    known = AUTOSCALER.by_name
    said = {
        known[name].attribute: known[name].kind.read(at) for name, at in read.flags.items() if name in known
    }
    return replace(options_for(version), **said)


def _kept(read: ReadAutoscaler) -> dict[str, Any]:
    """Return the flags of a manifest that the simulator does not read, for the chart to keep."""
    return {
        name: ",".join(map(str, at.value)) if isinstance(at.value, list) else at.value
        for name, at in read.flags.items()
        if name not in AUTOSCALER.by_name and name not in SET_BY_CHART
    }


def _head(scenario: Scenario) -> str:
    return f"The Cluster Autoscaler that the plan {scenario.name} was simulated with, for its Helm chart."


COMMENTS: Mapping[YamlKey, str] = {
    ("image", "tag"): "the cluster's minor, and the patch that was simulated",
    ("extraArgs", "expander"): "which node group grows; none knows prices on AWS, priority takes your order",
    ("extraArgs", "scale-down-unneeded-time"): "an idle node is paid this long",
    ("extraArgs", "scale-down-delay-after-add"): "after any scale-up nothing is removed for this long",
    ("extraArgs", "skip-nodes-with-local-storage"): "true: a worker's emptyDir pins its node",
    ("expanderPriorities",): "by the names of Auto Scaling groups; higher is tried first",
}
