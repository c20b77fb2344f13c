"""Needs: node groups that would hold the workers of some pipelines, for a scenario that says no cluster.

One group for each node selector, GPUs apart, of the cheapest type that holds its largest worker.
"""

from __future__ import annotations

from collections.abc import Sequence

from sim.catalog import HOME_REGION
from sim.decisions.pachyderm.requests import request_rules, worker_requests
from sim.errors import InputError
from sim.model.cluster import GPU_LABEL
from sim.model.cluster_config import ClusterConfig, NodeGroupConfig
from sim.model.pipelines import ClusterDefaults, Pipeline
from sim.model.pods import Pairs
from sim.model.resources import Resources, pod_requests
from sim.model.scenario import PachydermOptions
from sim.sizing import UNUSUAL, market_of, node_offer

MOST_NODES = 10
# Without it the autoscaler takes an empty group for one without disk (aws.md §7.3 and §9.4).
DISK_TAG = ("k8s.io/cluster-autoscaler/node-template/resources/ephemeral-storage", "70Gi")
Group = tuple[Pairs, bool]


def needed_nodes(pipelines: Sequence[Pipeline], defaults: ClusterDefaults) -> ClusterConfig:
    """Return a cluster on whose nodes every pipeline's workers fit."""
    largest: dict[Group, Resources] = {}
    rules = request_rules(PachydermOptions().version)
    for pipeline in pipelines:
        asked = pod_requests(worker_requests(pipeline, rules, defaults).containers)
        key = (_own_labels(pipeline.node_selector), asked.gpu > 0)
        largest[key] = _most(largest.get(key, Resources()), asked)
    pachd = Resources(cpu_m=1000, memory_mib=2048)  # which, as what else is there, asks for no label
    largest[(), False] = _most(largest.get(((), False), Resources()), pachd)
    groups = [
        _group(n, key, asked)
        for n, (key, asked) in enumerate(sorted(largest.items(), key=lambda item: item[0]), 1)
    ]
    return ClusterConfig("made-up", HOME_REGION, node_groups=tuple(groups))


def _group(number: int, key: Group, asked: Resources) -> NodeGroupConfig:
    labels, gpu = key
    if gpu:
        labels = ((GPU_LABEL, "nvidia"), *(pair for pair in labels if pair[0] != GPU_LABEL))
    least = 0 if gpu or labels else 1
    return NodeGroupConfig(
        name=f"{'gpu' if gpu else 'workers'}-{number}",
        instance_types=(_cheapest(asked),),
        min_size=least,
        desired_capacity=least,
        max_size=MOST_NODES,
        labels=labels,
        tags=(DISK_TAG,),
    )


def _cheapest(asked: Resources) -> str:
    """Return the cheapest ordinary type that holds a pod with these requests."""
    market = market_of(HOME_REGION)
    holding = [
        (market.on_demand[each.name].usd_per_hour, each.name)
        for each in market.catalog.instances().values()
        if each.name in market.on_demand
        and each.arch == "amd64"
        and (each.gpu > 0) == (asked.gpu > 0)
        and not each.name.startswith(UNUSUAL)
        and node_offer(each, asked).pods
    ]
    if not holding:
        problem = f"asks for {asked.cpu_m}m cpu, {asked.memory_mib}Mi and {asked.gpu} GPUs, which no node has"
        raise InputError(f"a worker {problem}", allowed="--eksctl with nodes that hold it")
    return min(holding)[1]


def _own_labels(selector: Pairs) -> Pairs:
    """Return the labels of a selector that a node group has to state itself."""
    return tuple(pair for pair in selector if not pair[0].split("/")[0].endswith(("kubernetes.io", "k8s.io")))


def _most(one: Resources, other: Resources) -> Resources:
    return Resources(
        max(one.cpu_m, other.cpu_m),
        max(one.memory_mib, other.memory_mib),
        max(one.ephemeral_mib, other.ephemeral_mib),
        max(one.gpu, other.gpu),
    )
