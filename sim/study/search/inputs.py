"""Inputs of the world that no study decides, but that its answer may hang on: load, start-up times, prices.

Each is scaled by a factor, everything else and the luck left alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from sim.model.arrivals import Arrivals, BatchArrivals, BurstArrivals, PoissonArrivals
from sim.model.cluster import NodeShape
from sim.model.scenario import Scenario
from sim.study.sensitivity import scaled, with_boot_factor

World = Callable[[Scenario, float], Scenario]
ARRIVALS, START_UP, NODE_PRICE, FARGATE_PRICE = (
    "arrival rate",
    "start-up time",
    "price of nodes",
    "price of Fargate",
)
PRICES = frozenset({NODE_PRICE, FARGATE_PRICE})


def inputs(scenario: Scenario) -> dict[str, World]:
    """Return the inputs that a scenario has, by name."""
    cluster = scenario.cluster
    there = {
        ARRIVALS: scenario != with_arrivals(scenario, 2.0),
        START_UP: bool(cluster.node_groups or cluster.fargate_profiles),
        NODE_PRICE: bool(cluster.node_groups),
        FARGATE_PRICE: bool(cluster.fargate_profiles),
    }
    return {name: world for name, world in WORLDS.items() if there[name]}


def unchanged(scenario: Scenario, factor: float) -> Scenario:
    """Return the scenario, whatever the factor."""
    del factor
    return scenario


def with_arrivals(scenario: Scenario, factor: float) -> Scenario:
    """Return the scenario with so many times the arrivals; cron expressions and traces stay as they are."""
    return replace(
        scenario,
        repos=tuple(
            each if each.commits is None else replace(each, commits=_faster(each.commits, factor))
            for each in scenario.repos
        ),
        pods=tuple(replace(each, arrivals=_faster(each.arrivals, factor)) for each in scenario.pods),
    )


def with_start_up(scenario: Scenario, factor: float) -> Scenario:
    """Return the scenario with nodes and Fargate pods that take so many times as long to be there."""
    slower = with_boot_factor(scenario, factor)
    fargate = replace(slower.latency.fargate, ready_s=scaled(slower.latency.fargate.ready_s, factor))
    return replace(slower, latency=replace(slower.latency, fargate=fargate))


def with_node_price(scenario: Scenario, factor: float) -> Scenario:
    """Return the scenario with nodes at so many times the price."""
    cluster = scenario.cluster
    groups = tuple(
        replace(group, shapes=_dearer(group.shapes, factor)) for group in scenario.cluster.node_groups
    )
    loose = _dearer(cluster.loose_shapes, factor)
    return replace(scenario, cluster=replace(cluster, node_groups=groups, loose_shapes=loose))


def _dearer(shapes: Iterable[NodeShape], factor: float) -> tuple[NodeShape, ...]:
    return tuple(replace(shape, usd_per_hour=shape.usd_per_hour * factor) for shape in shapes)


def with_fargate_price(scenario: Scenario, factor: float) -> Scenario:
    """Return the scenario with Fargate at so many times the price."""
    prices = scenario.prices
    return replace(
        scenario,
        prices=replace(
            prices,
            fargate_vcpu_hour=prices.fargate_vcpu_hour * factor,
            fargate_gib_hour=prices.fargate_gib_hour * factor,
            fargate_ephemeral_gib_hour=prices.fargate_ephemeral_gib_hour * factor,
        ),
    )


WORLDS: Mapping[str, World] = {
    ARRIVALS: with_arrivals,
    START_UP: with_start_up,
    NODE_PRICE: with_node_price,
    FARGATE_PRICE: with_fargate_price,
}


def _faster(arrivals: Arrivals, factor: float) -> Arrivals:
    if isinstance(arrivals, PoissonArrivals):
        return replace(arrivals, per_s=arrivals.per_s * factor)
    if isinstance(arrivals, BurstArrivals):
        return replace(
            arrivals, quiet_per_s=arrivals.quiet_per_s * factor, burst_per_s=arrivals.burst_per_s * factor
        )
    if isinstance(arrivals, BatchArrivals):
        at = _faster(arrivals.at, factor)
        assert isinstance(at, type(arrivals.at))
        return replace(arrivals, at=at)
    return arrivals
