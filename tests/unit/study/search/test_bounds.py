"""Bounds: nothing that could win is left out, and what arithmetic rules out is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sim.model.arrivals import PoissonArrivals
from sim.model.cluster import FargateProfile, FargateQuotas, NodeGroup, ScheduledMinimum, Selector
from sim.model.distributions import Constant
from sim.model.scenario import Prices, Scenario
from sim.model.study import Constraint
from sim.report.metrics import measure
from sim.study.offered_load import workers_at_most
from sim.study.replicate import run
from sim.study.search import search
from sim.study.search.bounds import overloaded, standing_usd_per_day, too_dear
from sim.study.search.figures import Figures
from tests.unit.loader.worlds import loaded
from tests.unit.study.search.worlds import Drawn, a_study, factor

LIMIT = Constraint("job_latency_p95_s", 600.0)
STUDY = a_study(factor("a", 1), constraints=(LIMIT,))


def of_shape(group: NodeGroup, **changes: Any) -> NodeGroup:
    """Return the group with nodes of another shape."""
    return replace(group, shapes=(replace(group.shape, **changes),))


@pytest.fixture
def scenario(tmp_path: Path) -> Scenario:
    """Return edges on three nodes: four commits an hour of ten datums, 18 s each, for one day."""
    base = loaded(tmp_path)
    repo = replace(base.repos[0], new_per_commit=Constant(10))
    return replace(base, repos=(repo,))


def with_load(scenario: Scenario, per_hour: float, workers: int) -> Scenario:
    pipeline = replace(scenario.pipelines[0].pipeline, parallelism=workers)
    return replace(
        scenario,
        repos=(replace(scenario.repos[0], commits=PoissonArrivals(per_hour / 3600)),),
        pipelines=(replace(scenario.pipelines[0], pipeline=pipeline),),
    )


@pytest.mark.parametrize(
    ("per_hour", "workers", "ruled_out"),
    [(20.0, 1, False), (25.0, 1, True), (25.0, 2, False), (50.0, 2, True)],
)
def test_more_work_than_workers_can_do_is_ruled_out(
    scenario: Scenario, per_hour: float, workers: int, ruled_out: bool
) -> None:
    """A worker does 20 commits an hour; 0.85 x 0.95 of the work has to be doable."""
    said = overloaded(with_load(scenario, per_hour, workers), STUDY)
    assert (said is not None) is ruled_out
    if said is not None:
        assert said == "edges gets more work than its workers can do in time (job_latency_p95_s at most 600)"


@pytest.mark.parametrize(("per_hour", "workers"), [(25.0, 1), (50.0, 2)])
def test_what_is_ruled_out_breaks_the_constraint_when_simulated(
    scenario: Scenario, per_hour: float, workers: int
) -> None:
    figures = Figures(STUDY)
    world = figures.prepared(with_load(scenario, per_hour, workers))
    assert overloaded(world, STUDY) is not None
    for replication in range(3):
        values = figures.read(measure(run(world, 1, replication), world))
        assert values[figures.all.index(figures.constraints[0])] > 2 * LIMIT.limit


def test_where_everything_is_ruled_out_the_nearest_are_simulated_and_none_holds(scenario: Scenario) -> None:
    def configure(sets: tuple[str, ...]) -> Scenario:
        return replace(with_load(scenario, 1_000.0, 1 + int(sets[0].removeprefix("a="))), name=sets[0])

    study = replace(a_study(factor("a", 6), constraints=(LIMIT,), round=9), configure=configure)
    truth = Drawn(lambda chosen: {"cost_usd_per_day": 1.0, LIMIT.metric: 9_000.0 - chosen["a"]}, own=0.1)
    document = search(study, truth).document
    assert document["winner"] is None
    assert document["nearest_miss"]["configuration"] == {"a": "5"}
    assert {task.scenario.name for task in truth.asked} == {"a=3", "a=4", "a=5"}
    assert document["pruned"]["configurations"] == 3


def test_another_pipelines_latency_rules_nothing_out(scenario: Scenario) -> None:
    heavy = with_load(scenario, 1000.0, 1)
    other = a_study(factor("a", 1), constraints=(Constraint("pipelines.other.job_latency_p95_s", 600.0),))
    assert overloaded(heavy, other) is None
    assert overloaded(heavy, a_study(factor("a", 1))) is None


def test_workers_are_packed_onto_nodes_and_quota(scenario: Scenario) -> None:
    load = with_load(scenario, 4.0, 100).pipelines[0]
    on_nodes = workers_at_most(with_load(scenario, 4.0, 100), load)
    group = scenario.cluster.node_groups[0]
    assert on_nodes == group.max_size * (group.allocatable.cpu_m // load.pod_class.requests.cpu_m)
    zoned = replace(
        scenario, cluster=replace(scenario.cluster, node_groups=(of_shape(group, zone="us-east-1a"),))
    )
    there = (("topology.kubernetes.io/zone", "us-east-1a"),)
    chosen = replace(load, pod_class=replace(load.pod_class, node_selector=there))
    assert workers_at_most(zoned, chosen) == on_nodes  # a node's zone is a label too
    profile = FargateProfile("all", (Selector("*"),))
    both = replace(
        scenario,
        cluster=replace(
            scenario.cluster, fargate_profiles=(profile,), fargate_quotas=FargateQuotas(vcpu=6.0)
        ),
    )
    assert workers_at_most(both, load) == on_nodes + 6_000 // load.pod_class.requests.cpu_m


def test_the_standing_cost_is_what_is_always_on(scenario: Scenario) -> None:
    group = NodeGroup.alike(
        "g",
        scenario.cluster.node_groups[0].capacity,
        scenario.cluster.node_groups[0].allocatable,
        10,
        min_size=2,
        max_size=5,
        initial=3,
        usd_per_hour=0.5,
        volume_gib=0,
    )
    spot = of_shape(replace(group, name="spot"), interruptions_per_hour=0.1)
    clocked = replace(group, name="clocked", scheduled_minimums=(ScheduledMinimum("0 8 * * *", 1),))
    world = replace(
        scenario,
        cluster=replace(scenario.cluster, node_groups=(group, spot, clocked)),
        prices=Prices(control_plane_hour=0.1, nat_gateway_hour=0.05, nat_gateways=1),
    )
    assert standing_usd_per_day(world) == pytest.approx(24 * (0.1 + 0.05 + 0.005 + 2 * 0.5 + 1 * 0.5))
    assert too_dear(world, STUDY, 38.0) is not None
    assert too_dear(world, STUDY, 40.0) is None
    assert too_dear(world, a_study(factor("a", 1), objectives=("job_latency_p95_s",)), 38.0) is None


def test_no_replication_costs_less_than_what_is_always_on(scenario: Scenario) -> None:
    figures = Figures(STUDY)
    world = figures.prepared(scenario)
    for replication in range(3):
        cost = figures.read(measure(run(world, 1, replication), world))[0]
        assert cost >= standing_usd_per_day(world)
