"""Checks of a whole scenario: pods that fit nowhere, quotas that a plan meets, profiles that take nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from sim.decisions.cluster_autoscaler.asg_tags import TEMPLATE_TAG
from sim.decisions.kubernetes.empty_node import empty_node_of
from sim.documents.fields import Field
from sim.loader.compile.fit import bought_in_vain, never_woken, obstacles, profile_for, size_for
from sim.loader.compile.pipelines import PlacedLoad
from sim.loader.notes import Notes
from sim.model.arrivals import TraceArrivals
from sim.model.cluster import Cluster, NodeGroup
from sim.model.pods import PodClass
from sim.model.scenario import BaseLoad, PodLoad

MOST_REASONS = 6
SHARED = "shared"


def check_names(loads: Iterable[PlacedLoad], others: Iterable[Field]) -> None:
    """Raise InputError for work that is called as other work is: bill and counts are split by name."""
    taken = {SHARED}
    for placed in loads:
        name = placed.load.pipeline.shown_name
        if name == SHARED:
            raise placed.error("pipeline", f"is called {SHARED}, as the bill calls what is nobody's")
        taken.add(name)
    for place in others:
        name = place.text_at("name").strip()
        if name in taken:
            raise place.error(f"has the name {name} of other work", allowed="a name of its own")
        taken.add(name)


def check_pipelines_fit(loads: Sequence[PlacedLoad], cluster: Cluster) -> None:
    """Raise InputError for the first pipeline whose pods can run nowhere."""
    for placed in loads:
        if reasons := obstacles(placed.load.pod_class, cluster):
            raise placed.error(
                "spec", f"has pods that fit nowhere: {_few(reasons)}", allowed="a place to run"
            )


def warn_of_templates(
    loads: Iterable[PlacedLoad], pods: Iterable[PodLoad], cluster: Cluster, notes: Notes
) -> None:
    """Warn of groups at zero that the autoscaler never wakes for work they could hold, or wakes in vain."""
    if not cluster.autoscaler.enabled:
        return
    work = [(f"pipeline {each.load.pipeline.name}", each.load.pod_class) for each in loads]
    work += [(f"pods {each.name}", each.pod_class) for each in pods]
    for name, pod_class in work:
        if profile_for(pod_class, cluster) is not None:
            continue
        for group, reason in never_woken(pod_class, cluster):
            kind = "label" if reason.startswith("no label") else "resources"
            notes.warn(
                f"group {group.name} starts at 0 and the autoscaler never wakes it for {name}: "
                f"by its template {reason}; set the tag {TEMPLATE_TAG}{kind}/… on the group"
            )
        for group, reason in bought_in_vain(pod_class, cluster):
            cure = "types alike in cpu and memory"
            if reason.startswith("taint"):
                cure = f"the tag {TEMPLATE_TAG}taint/KEY set to VALUE:EFFECT on the group"
            notes.warn(
                f"group {group.name} starts at 0, the autoscaler buys nodes of it for {name}, which cannot "
                f"run there: {reason}, unknown to it; the cure: {cure}"
            )


def with_wanted_zones_last(cluster: Cluster, pods: Iterable[PodClass], notes: Notes) -> Cluster:
    """Have groups over several zones come last to those that pods are bound to, of those equally full.

    Which of equally empty zones a group takes is AWS's to choose: a plan should hold if it chooses badly.
    """
    classes = list(pods)
    groups = []
    for group in cluster.node_groups:
        zones = list(dict.fromkeys(shape.zone for shape in group.shapes))
        bound = [each for each in classes if (wanted := _zones_of(each, group)) and len(wanted) < len(zones)]
        wants = {zone: sum(zone in _zones_of(each, group) for each in bound) for zone in zones}
        for each in bound:
            notes.warn(
                f"group {group.name} has {len(zones)} zones and {each.name} runs only in "
                f"{', '.join(_zones_of(each, group))}: of equally full zones AWS chooses, here the worst; "
                "the autoscaler plans with the zone of one node; a group in each zone is sure of it"
            )
        order = tuple(sorted(zones, key=wants.__getitem__)) if bound else ()
        groups.append(replace(group, zone_order=order) if order else group)
    return replace(cluster, node_groups=tuple(groups))


def _zones_of(pods: PodClass, group: NodeGroup) -> list[str]:
    """Return the zones of a group whose nodes let pods in, room aside."""
    return list(dict.fromkeys(shape.zone for shape in group.shapes if shape.lets_in(pods)))


def warn_of_quota(loads: Iterable[PlacedLoad], cluster: Cluster, notes: Notes) -> None:
    """Warn when the pipelines at full width meet the account's vCPU quota (aws.md §3)."""
    wanted = 0.0
    for placed in loads:
        size = size_for(placed.load.pod_class, cluster)
        if size is not None:
            wanted += placed.load.pipeline.parallelism * size.vcpu_m / 1000
    quota = cluster.fargate_quotas.vcpu
    if wanted >= quota:
        notes.warn(
            f"Fargate quota: at full width pipelines ask {wanted:g} of {quota:g} vCPU in {cluster.region}; "
            "pods above it stay Pending until AWS raises it (cluster.fargate.vcpu_quota)"
        )


def warn_of_memory(loads: Iterable[PlacedLoad], cluster: Cluster, notes: Notes) -> None:
    """Warn where workers that fit a node by their requests use more memory together than it has.

    What neighbours use beyond their requests is not simulated: a worker is held against what they request.
    """
    for placed in loads:
        load, workers = placed.load, placed.load.pod_class
        if load.memory_peak_mib is None or profile_for(workers, cluster) is not None:
            continue
        used_mib = load.memory_peak_mib.mean + load.sidecar_memory_mib
        for group in cluster.node_groups:
            for shape in [shape for shape in group.shapes if shape.lets_in(workers)][:1]:
                held = min(empty_node_of(shape, cluster).holds(workers.requests), load.pipeline.parallelism)
                has_mib, asked_mib = shape.allocatable.memory_mib, workers.requests.memory_mib
                if used_mib > asked_mib and held * used_mib > has_mib and held > 1:
                    notes.warn(
                        f"memory of group {group.name} is overcommitted: {held} workers of "
                        f"{load.pipeline.shown_name} fit a node, as each requests {asked_mib} MiB, and use "
                        f"{used_mib:,.0f} MiB each: {held * used_mib:,.0f} of {has_mib:,} MiB; the kubelet "
                        "would evict some, which is not simulated; request what they use"
                    )


def warn_of_homeless_base_load(base_load: Iterable[BaseLoad], cluster: Cluster, notes: Notes) -> None:
    """Warn of base load that has nowhere to run."""
    for load in base_load:
        if load.replicas and (reasons := obstacles(load.pod_class, cluster)):
            notes.warn(f"base load {load.pod_class.name} fits nowhere and stays Pending: {_few(reasons)}")


def settled_pods(load: PodLoad, cluster: Cluster, notes: Notes) -> PodLoad:
    """Return plain pods with the trace rows that fit nowhere apart: these count as pods that never start."""
    if not isinstance(load.arrivals, TraceArrivals):
        if reasons := obstacles(load.pod_class, cluster):
            notes.warn(f"pods {load.name} fit nowhere and stay Pending: {_few(reasons)}")
        return load
    return _fitting(load, load.arrivals, cluster, notes)


def _fitting(load: PodLoad, trace: TraceArrivals, cluster: Cluster, notes: Notes) -> PodLoad:
    shapes = list(zip(trace.cpu_m, trace.memory_mib, trace.gpu, strict=True))
    reasons = {shape: obstacles(_shaped(load.pod_class, shape), cluster) for shape in dict.fromkeys(shapes)}
    kept = [row for row, shape in enumerate(shapes) if not reasons[shape]]
    lost = len(shapes) - len(kept)
    if not lost:
        return load
    cpu_m, memory_mib, gpu = shape = next(shape for shape in shapes if reasons[shape])
    notes.warn(
        f"{lost} of {len(shapes)} rows of {trace.source} fit nowhere and count as pods that never start, "
        f"such as {cpu_m}m cpu, {memory_mib}Mi and {gpu} GPUs: {_few(reasons[shape])}"
    )
    fitting = TraceArrivals(
        source=trace.source,
        times_us=tuple(trace.times_us[row] for row in kept),
        datums=tuple(trace.datums[row] for row in kept),
        datum_s=tuple(trace.datum_s[row] for row in kept),
        cpu_m=tuple(trace.cpu_m[row] for row in kept),
        memory_mib=tuple(trace.memory_mib[row] for row in kept),
        gpu=tuple(trace.gpu[row] for row in kept),
    )
    dropped = tuple(
        (trace.times_us[row], trace.datums[row]) for row, shape in enumerate(shapes) if reasons[shape]
    )
    return replace(load, arrivals=fitting, dropped=dropped)


def _shaped(pods: PodClass, shape: tuple[int, int, int]) -> PodClass:
    cpu_m, memory_mib, gpu = shape
    return replace(pods, requests=replace(pods.requests, cpu_m=cpu_m, memory_mib=memory_mib, gpu=gpu))


def _few(reasons: Sequence[str]) -> str:
    more = len(reasons) - MOST_REASONS
    return "; ".join(reasons[:MOST_REASONS]) + (f"; and {more} more" if more > 0 else "")
