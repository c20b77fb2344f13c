"""Metrics against counts done by hand."""

from __future__ import annotations

import math
import pickle
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.model.log import PodEnd, TaskEnd
from sim.model.scenario import Slo
from sim.report.metrics import measure
from tests.unit.report.worlds import FREE, RandomWorld, World, a_class, a_group, a_scenario, us

EDGES = "default/edges"
WORKER = a_class("edges", 2000, 4000)
WORKER_OF_ONE = a_class("one", 1000, 4000)


def measured(world: World, *slos: Slo) -> Any:
    log = world.log()
    return measure(log, replace(a_scenario(log), slos=slos))


def with_jobs(*latencies_s: float | None, world: World | None = None, end: str = "success") -> World:
    """Return a world with a job a second from 0 on; None: not finished."""
    world = world or World(horizon_s=1000)
    for at, latency_s in enumerate(latencies_s):
        states = {} if latency_s is None else {end: at + latency_s}
        world.job(EDGES, at, inputs_ready=at, **states)
    return world


def test_latencies_are_linear_between_order_statistics() -> None:
    """Type 7: of 1 to 5 s the median is 3, and the 95th percentile lies 4 x 0.95 = 3.8 steps up, at 4.8."""
    metrics = measured(with_jobs(5, 1, 4, 2, 3))["metrics"]
    assert metrics["job_latency_mean_s"] == 3
    assert metrics["job_latency_p50_s"] == 3
    assert metrics["job_latency_p95_s"] == pytest.approx(4.8)
    assert metrics["job_latency_p99_s"] == pytest.approx(4.96)
    assert metrics["jobs_completed"] == 5


def test_jobs_of_the_warm_up_are_not_counted_and_unfinished_ones_take_at_least_their_age() -> None:
    world = with_jobs(10, 20, 30, 40, None, world=World(horizon_s=1000, warmup_s=2))
    with_jobs(7, world=world, end="killed")
    tree = measured(world)
    assert tree["metrics"]["jobs_completed"] == 2, "those created at 2 s and 3 s"
    assert tree["metrics"]["job_latency_mean_s"] == math.inf
    assert tree["at_least"]["metrics.job_latency_mean_s"] == pytest.approx((30 + 40 + 996) / 3)
    assert "metrics.job_latency_mean_s" not in tree["endless"]
    assert tree["metrics"]["jobs_unfinished"] == 1
    assert tree["metrics"]["jobs_failed"] == 0, "the one killed was created in the warm-up"
    assert tree["pipelines"][EDGES]["jobs_completed"] == 2


def test_jobs_count_wherever_they_end_and_what_comes_after_the_horizon_does_not() -> None:
    """Three jobs come in the three seconds of the window; the drain has a job and a bill of its own."""
    world = World(horizon_s=3, drain_s=100)
    world.node(ready=0)
    with_jobs(10, 20, 30, 40, world=world)
    metrics = measured(world)["metrics"]
    assert metrics["jobs_completed"] == 3, "the fourth was created at the horizon"
    assert metrics["job_latency_mean_s"] == 20
    assert metrics["job_latency_p50_s"] == 20
    assert metrics["cost_usd_per_day"] == pytest.approx(0.36 * 24), "of three seconds"
    assert metrics["backlog_growth"] == 1, "all three went on at the horizon"


def test_what_the_drain_did_not_see_the_end_of_is_a_lower_bound_only_where_it_matters() -> None:
    """Of 1 to 9 s and one that goes on for over 90 s: the median is 5.5 s whatever becomes of that one."""
    tree = measured(with_jobs(*range(1, 10), None, world=World(horizon_s=10, drain_s=90)))
    assert tree["metrics"]["job_latency_p50_s"] == 5.5
    assert tree["metrics"]["job_latency_p95_s"] == math.inf
    assert tree["at_least"]["metrics.job_latency_p95_s"] == pytest.approx(0.45 * 9 + 0.55 * 91)
    assert tree["endless"] == {}


def test_a_young_job_may_yet_end_below_the_others() -> None:
    """It is 1 s old and they took 10 s, so the median may be 10 s, or the 5.5 s that it is if it ends now."""
    tree = measured(with_jobs(10, None, world=World(horizon_s=2, drain_s=0)))
    assert tree["metrics"]["job_latency_p50_s"] == math.inf
    assert tree["at_least"]["metrics.job_latency_p50_s"] == pytest.approx((2 + 1) / 2), "neither has ended"


def test_a_mean_with_a_failed_job_is_endless_and_so_is_the_quantile_that_reaches_it() -> None:
    tree = measured(with_jobs(5, world=with_jobs(10, 20, 30), end="failure"))
    endless = {f"{branch}job_latency_{what}_s" for branch in ("metrics.", f"pipelines.{EDGES}.")
               for what in ("mean", "p95", "p99")}  # fmt: skip
    assert set(tree["endless"]) == endless
    assert tree["metrics"]["job_latency_p50_s"] == 25, "between 20 and 30, of 10, 20, 30 and never"
    assert tree["at_least"]["metrics.job_latency_mean_s"] == pytest.approx(65 / 4), "it failed after 5 s"


def test_any_quantile_and_share_is_measured_where_it_is_asked_for() -> None:
    log = with_jobs(10, 20, 30, 40).log()
    names = (f"pipelines.{EDGES}.job_latency_p90_s", "job_share_within_25_s", "pods.plain.pod_start_p99.5_s")
    tree: Any = measure(log, replace(a_scenario(log), measured=names))
    assert tree["pipelines"][EDGES]["job_latency_p90_s"] == pytest.approx(37)
    assert tree["metrics"]["job_share_within_25_s"] == 0.5
    assert math.isnan(tree["pods"]["plain"]["pod_start_p99.5_s"]), "there were none"


def test_pods_count_wherever_they_run_and_each_source_has_its_own() -> None:
    """Plain pods wait 10 s and 2,500 s, one for ever; base load in a minute; a worker is taken away."""
    world = World(horizon_s=2000, drain_s=3000)
    node = world.node(ready=0)
    for running in (10, 2500, None):
        world.pod(WORKER, "plain", 0, node, bound=running, running=running)
    world.pod(WORKER, EDGES, 0, ended=50, reason=PodEnd.SCALED_DOWN)
    world.name("pipeline", EDGES)
    tree = measured(world)
    plain, metrics = tree["pods"]["plain"], tree["metrics"]
    assert plain["pods_started"] == metrics["pods_started"] == 2
    assert plain["pods_stuck"] == 2, "at the horizon, 2,000 s"
    assert plain["pods_waited_30m"] == 2
    assert tree["longest"]["wait_s"] == 5000, "the one that waits for ever"
    assert plain["pod_start_p50_s"] == 2500
    assert tree["at_least"]["pods.plain.pod_start_mean_s"] == pytest.approx((10 + 2500 + 5000) / 3)
    assert plain["pods_withdrawn"] == 0
    assert metrics["pods_withdrawn"] == tree["pipelines"][EDGES]["pods_withdrawn"] == 1


def test_pods_of_rows_that_fit_nowhere_never_start() -> None:
    world = World(horizon_s=4000)
    world.pod(WORKER, "plain", 0, world.node(ready=0), bound=0, running=10)
    log = world.log()
    load = a_scenario(log).pods[0]
    rows = ((us(100), 2), (us(3000), 1), (us(4000), 5))
    tree: Any = measure(log, replace(a_scenario(log), pods=(replace(load, dropped=rows),)))
    for numbers in (tree["metrics"], tree["pods"]["plain"]):
        assert numbers["rows_dropped"] == 2, "the third comes after the horizon"
        assert numbers["pods_stuck"] == 2, "the one of 3,000 s has not waited half an hour"
        assert numbers["pods_waited_30m"] == 3
        assert numbers["pod_start_p95_s"] == math.inf
    assert tree["endless"]["metrics.pod_start_p95_s"] == 1.0


def test_the_work_cost_moves_what_crosses_the_ends_of_the_window() -> None:
    """Pods of a quarter of a node, 25 µ$ a second: 40 s are work of before, 60 s lie after the horizon."""
    world = World(horizon_s=100, warmup_s=50, drain_s=200)
    node = world.node(ready=0)
    world.pod(WORKER_OF_ONE, "plain", 0, node, bound=0, running=0, ended=90)
    world.pod(WORKER_OF_ONE, "plain", 90, node, bound=90, running=90, ended=160)
    world.pod(WORKER_OF_ONE, "plain", 100, node, bound=100, running=100, ended=110)
    metrics = measured(world)["metrics"]
    bill = 50 * 100e-6
    assert metrics["cost_usd_per_day"] == pytest.approx(bill / 50 * 86_400)
    raised = 300 * 100e-6 / ((90 + 70 + 10) * 25e-6)  # all of the node over what pods asked of it
    assert metrics["work_cost_usd"] == pytest.approx(bill - 40 * 25e-6 * raised + 60 * 25e-6 * raised)


def test_nodes_that_are_there_anyhow_stay_with_the_window() -> None:
    world = World(horizon_s=100, drain_s=200)
    world.pod(WORKER_OF_ONE, "plain", 90, world.node(ready=0), bound=90, running=90, ended=150)
    log = world.log()
    tree: Any = measure(log, a_scenario(log, a_group(min_size=1, max_size=1, initial=1)))
    assert tree["metrics"]["work_cost_usd"] == pytest.approx(100 * 100e-6)


def test_a_group_that_never_goes_to_zero_costs_what_was_asked_of_it() -> None:
    world = World(horizon_s=100, drain_s=200)
    world.pod(WORKER_OF_ONE, "plain", 90, world.node(ready=0), bound=90, running=90, ended=150)
    log = world.log()
    tree: Any = measure(log, a_scenario(log, a_group(min_size=1, max_size=3, initial=1)))
    assert tree["metrics"]["work_cost_usd"] == pytest.approx(100 * 100e-6 + 50 * 25e-6)


def test_a_pod_on_fargate_costs_all_that_is_paid_for_it() -> None:
    """A dollar a vCPU-hour: 10 s of 70 lie in the window, of a size of which it uses a half or so."""
    world = World(horizon_s=100, drain_s=200)
    world.fargate_pod(WORKER_OF_ONE, "plain", 90, granted=90, ready=90, running=90, ended=160, vcpu_m=2000)
    log = world.log()
    prices = replace(FREE, fargate_vcpu_hour=1.0)
    tree: Any = measure(log, a_scenario(log, prices=prices))
    assert tree["bill_usd"]["total"] == pytest.approx(10 * 2 / 3600)
    assert tree["metrics"]["work_cost_usd"] == pytest.approx(70 * 2 / 3600)


def test_a_pod_in_the_place_of_a_lost_one_is_work_of_the_first() -> None:
    world = World(horizon_s=100, drain_s=200)
    node = world.node(ready=0)
    lost = world.pod(WORKER_OF_ONE, "plain", 90, node, bound=90, running=90, ended=120, reason=PodEnd.DRAINED)
    world.pod(WORKER_OF_ONE, "plain", 120, node, bound=120, running=120, ended=150, replaces=lost)
    assert measured(world)["metrics"]["work_cost_usd"] == pytest.approx(100 * 100e-6 + 50 * 25e-6 * 20), (
        "of 300 s, 60 s of a quarter"
    )


def test_a_job_pays_for_the_start_of_its_worker_before_the_window() -> None:
    """The worker's half a node starts for 10 s before the window; its task takes 20 s in it."""
    world = World(horizon_s=100, warmup_s=50)
    pod = world.pod(WORKER, EDGES, 20, world.node(ready=0), bound=20, running=30)
    job = world.job(EDGES, 60, success=80)
    world.claim(world.task(job, 60), pod, 60, 80)
    raised = 100 * 100e-6 / (80 * 50e-6)
    assert measured(world)["metrics"]["work_cost_usd"] == pytest.approx(50 * 100e-6 + 10 * 50e-6 * raised)


@pytest.mark.parametrize(
    ("world", "latency_s", "share"),
    [
        pytest.param(with_jobs(10, 20, 30), 29.0, 2 / 3, id="all finished"),
        pytest.param(with_jobs(10, 20, 30, None), math.inf, 2 / 4, id="one unfinished"),
        pytest.param(
            with_jobs(5, world=with_jobs(10, 20, 30), end="failure"), math.inf, 2 / 4, id="one failed"
        ),
        pytest.param(World(), math.nan, math.nan, id="no jobs"),
    ],
)
def test_a_target_is_not_held_by_work_that_failed_or_is_not_done(
    world: World, latency_s: float, share: float
) -> None:
    held = measured(world, Slo(0.95, 25.0))["slo"]["0"]
    assert held["latency_s"] == pytest.approx(latency_s, nan_ok=True, rel=0.1)
    assert held["share_within"] == pytest.approx(share, nan_ok=True)


def test_a_target_names_a_pipeline_as_reports_do() -> None:
    world = with_jobs(10, 20)
    for pipeline, latency_s in (
        ("", 15.0),
        (EDGES, 15.0),
        (f"team/{EDGES}", math.nan),
        ("montage", math.nan),
    ):
        held = measured(world, Slo(0.5, 25.0, pipeline))["slo"]["0"]
        assert held["latency_s"] == pytest.approx(latency_s, nan_ok=True)


def test_workers_nodes_and_hours() -> None:
    """Two nodes: 100-500 s paid, 160-560 there; and always. Workers run 200-300, 250-300 and 300-450."""
    world = World(horizon_s=1000)
    world.node(ready=0)
    node = world.node(requested=90, launched=100, ready=160, terminated=500, gone=560)
    for running, ended in ((200, 300), (250, 300), (300, 450)):
        world.pod(
            WORKER, EDGES, 150, node, bound=160, running=running, ended=ended, reason=PodEnd.SCALED_DOWN
        )
    world.pod(a_class("pachd"), "pachd", 0, 0, bound=0, running=0)
    world.name("pipeline", EDGES)
    tree = measured(world)
    metrics = tree["metrics"]
    assert metrics["mean_workers"] == pytest.approx((100 + 50 + 150) / 1000), "base load is no worker"
    assert metrics["peak_workers"] == 2
    assert metrics["mean_nodes"] == pytest.approx((1000 + 400) / 1000)
    assert metrics["peak_nodes"] == 2
    assert metrics["node_hours"] == pytest.approx((1000 + 400) / 3600)
    assert metrics["pod_start_p50_s"] == 100
    assert tree["pipelines"][EDGES]["mean_workers"] == metrics["mean_workers"]


def test_fargate_hours_and_vcpu() -> None:
    world = World(horizon_s=1000)
    for start in (0, 100):
        world.fargate_pod(
            WORKER, EDGES, start, granted=start + 10, ready=start + 50, running=start + 60, ended=start + 410,
            vcpu_m=2000,
        )  # fmt: skip
    metrics = measured(world)["metrics"]
    assert metrics["fargate_pod_hours"] == pytest.approx(2 * 360 / 3600)
    assert metrics["peak_fargate_vcpu"] == 4
    assert metrics["mean_fargate_pods"] == pytest.approx(0.72)


def test_datums_and_cost_per_thousand() -> None:
    world = World(horizon_s=3600)
    pod = world.pod(WORKER, EDGES, 0, world.node(ready=0), bound=0, running=0)
    job = world.job(EDGES, 0)
    sets = [world.task(job, 0, datums=20) for _ in range(3)]
    world.claim(sets[0], pod, 0, 10)
    world.claim(sets[1], pod, 10, 20, TaskEnd.WORKER_LOST)
    world.claim(sets[2], pod, 20, None)
    metrics = measured(world)["metrics"]
    assert metrics["datums_processed"] == 20
    assert metrics["datums_lost"] == 20
    assert metrics["cost_usd_per_day"] == pytest.approx(0.36 * 24)
    assert metrics["cost_usd_per_month"] == pytest.approx(0.36 * 730)
    assert metrics["cost_usd_per_1000_datums"] == pytest.approx(0.36 / 20 * 1000)


@given(st.integers(0, 2**32))
def test_the_tree_is_small_and_its_parts_sum_to_their_whole(seed: int) -> None:
    log = RandomWorld(seed).log()
    tree: Any = measure(log, a_scenario(log, a_group(volume_gib=80)))
    total = tree["bill_usd"]["total"]
    uses = dict(tree["waste_usd"])
    assert uses.pop("total") == pytest.approx(total, rel=1e-9)
    assert sum(uses.values()) == pytest.approx(total, rel=1e-9)
    assert sum(source["total"] for source in tree["sources_usd"].values()) == pytest.approx(total, rel=1e-9)
    waits, latency_s = sum(tree["waits_s"].values()), tree["metrics"]["job_latency_mean_s"]
    if not tree["metrics"]["jobs_failed"] and not tree["metrics"]["jobs_unfinished"]:
        assert waits == pytest.approx(latency_s, rel=1e-9, nan_ok=True)
    assert tree["metrics"]["work_cost_usd"] == total, "no warm-up and no drain"
    assert len(pickle.dumps(tree)) < 12_000
    assert all(isinstance(key, str) for key in keys(tree))


def keys(tree: Mapping[str, Any]) -> list[object]:
    found: list[object] = []
    for key, branch in tree.items():
        found.append(key)
        if isinstance(branch, Mapping):
            found += keys(branch)
        else:
            assert type(branch) is float, f"{key} is {np.dtype(type(branch))}"
    return found
