"""Sensitivity: the same replications with other start-up times, which nobody has measured for you.

No public distribution of Fargate or node start times exists, so a conclusion should hold at a Fargate
median of 30, 45 and 75 s and with nodes that boot half and half again as long (aws.md §8.2). Published
measurements differ far more between environments than within one: nodes of 35 to 150 s, pulls of 10 to
100 MB/s, and Fargate launches of 7.8 a second where the quota is 20 (aws.md §8.3). Same seed, same draws:
only the times are scaled.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Any

from sim.model.cluster import NodeShape
from sim.model.distributions import Distribution, Lognormal
from sim.model.latency import FargateLatency
from sim.model.scenario import Scenario
from sim.model.units import MB
from sim.study.replicate import REPLICATIONS, replicate
from sim.study.result import Result

FARGATE_MEDIANS_S = (30.0, 45.0, 75.0)
BOOT_FACTORS = (0.5, 1.5)
FARGATE_RATES_PER_S = (7.8, 20.0)
NODE_STARTS_S = (35.0, 65.0, 150.0)
SPOT_HAZARDS = (1, 10, 100)
NODE_PULLS_MB_PER_S = (10.0, 40.0, 100.0)
ASSUMED_SIGMA = 0.30  # of the default, where the scenario's own start time is no lognormal
SCALES = frozenset({"value", "values", "low", "high", "mean", "median", "p95", "scale"})


def sensitivity(
    scenario: Scenario, replications: int = REPLICATIONS, seed: int | None = None, **how: Any
) -> dict[str, Result]:
    """Return the result of each variant, under what is different; see `replicate` for the arguments.

    Ctrl-C ends it after the variant it interrupts.
    """
    results: dict[str, Result] = {}
    for label, varied in variants(scenario):
        results[label] = replicate(varied, replications, seed, **how)
        if results[label].interrupted:
            break
    return results


def variants(scenario: Scenario) -> Iterator[tuple[str, Scenario]]:
    """Yield each variant with what is different; only those that the cluster can notice."""
    if scenario.cluster.fargate_profiles:
        for median_s in FARGATE_MEDIANS_S:
            yield f"Fargate start median {median_s:g} s", with_fargate_median(scenario, median_s)
        for rate in FARGATE_RATES_PER_S:
            yield f"Fargate launches {rate:g}/s", with_fargate_rate(scenario, rate)
    if scenario.cluster.node_groups:
        for factor in BOOT_FACTORS:
            yield f"node boot {factor - 1:+.0%}", with_boot_factor(scenario, factor)
        for start_s in NODE_STARTS_S:
            yield f"node start {start_s:g} s", with_node_start(scenario, start_s)
        for rate in NODE_PULLS_MB_PER_S:
            yield f"node image pull {rate:g} MB/s", with_node_pull(scenario, rate)
    if any(shape.spot and shape.interruptions_per_hour for shape in scenario.cluster.shapes):
        for hazard in SPOT_HAZARDS:
            yield f"Spot interruptions x{hazard}", with_spot_hazard(scenario, hazard)


def with_fargate_median(scenario: Scenario, median_s: float) -> Scenario:
    """Return the scenario with another median of the Fargate start, spread as before."""
    before = scenario.latency.fargate.ready_s
    sigma = before.log_sigma if isinstance(before, Lognormal) else ASSUMED_SIGMA
    fargate = FargateLatency(ready_s=Lognormal(median=median_s, sigma=sigma))
    return replace(scenario, latency=replace(scenario.latency, fargate=fargate))


def with_fargate_rate(scenario: Scenario, per_s: float) -> Scenario:
    """Return the scenario with another rate of Fargate launches, once the burst is used up."""
    quotas = replace(scenario.cluster.fargate_quotas, launch_per_s=per_s)
    return replace(scenario, cluster=replace(scenario.cluster, fargate_quotas=quotas))


def with_node_start(scenario: Scenario, start_s: float) -> Scenario:
    """Return the scenario with nodes typically Ready ``start_s`` after the request; a group's own stays."""
    ec2 = scenario.latency.ec2
    factor = max(start_s - ec2.launch_s.mean, 0.0) / _typical(ec2.ready_s)
    slower = replace(ec2, ready_s=scaled(ec2.ready_s, factor), gpu_total_s=scaled(ec2.gpu_total_s, factor))
    return replace(scenario, latency=replace(scenario.latency, ec2=slower))


def with_node_pull(scenario: Scenario, mb_per_s: float) -> Scenario:
    """Return the scenario with nodes that typically pull at a rate; Fargate's stays."""
    pull = scenario.latency.image_pull
    faster = replace(pull, ec2_factor=mb_per_s * MB / _typical(pull.bytes_per_s))
    return replace(scenario, latency=replace(scenario.latency, image_pull=faster))


def with_spot_hazard(scenario: Scenario, factor: float) -> Scenario:
    """Return the scenario with Spot nodes that are reclaimed ``factor`` times as often."""
    groups = tuple(
        replace(group, shapes=tuple(_at_hazard(shape, factor) for shape in group.shapes))
        for group in scenario.cluster.node_groups
    )
    return replace(scenario, cluster=replace(scenario.cluster, node_groups=groups))


def _at_hazard(shape: NodeShape, factor: float) -> NodeShape:
    return replace(shape, interruptions_per_hour=factor * shape.interruptions_per_hour)


def _typical(distribution: Distribution) -> float:
    """Return the median where it is known, else the mean."""
    return distribution.median if isinstance(distribution, Lognormal) else distribution.mean


def with_boot_factor(scenario: Scenario, factor: float) -> Scenario:
    """Return the scenario with nodes that take ``factor`` times as long from launch to Ready."""
    ec2 = scenario.latency.ec2
    slower = replace(ec2, ready_s=scaled(ec2.ready_s, factor), gpu_total_s=scaled(ec2.gpu_total_s, factor))
    groups = tuple(
        group if group.provision_s is None else replace(group, provision_s=scaled(group.provision_s, factor))
        for group in scenario.cluster.node_groups
    )
    return replace(
        scenario,
        latency=replace(scenario.latency, ec2=slower),
        cluster=replace(scenario.cluster, node_groups=groups),
    )


def scaled(distribution: Distribution, factor: float) -> Distribution:
    """Return the distribution of ``factor`` times the values; the shape stays."""

    def times(value: Any) -> Any:
        return tuple(each * factor for each in value) if isinstance(value, tuple) else value * factor

    stated = {each.name: getattr(distribution, each.name) for each in fields(distribution)}
    return replace(distribution, **{n: times(v) for n, v in stated.items() if n in SCALES and v is not None})
