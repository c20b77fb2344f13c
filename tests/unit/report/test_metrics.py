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
from tests.unit.report.worlds import RandomWorld, World, a_class, a_group, a_scenario

EDGES = "default/edges"
WORKER = a_class("edges", 2000, 4000)


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


def test_jobs_of_the_warm_up_are_not_counted_and_unfinished_ones_have_no_latency() -> None:
    world = with_jobs(10, 20, 30, 40, None, world=World(horizon_s=1000, warmup_s=2))
    with_jobs(7, world=world, end="killed")
    tree = measured(world)
    assert tree["metrics"]["jobs_completed"] == 2, "those created at 2 s and 3 s"
    assert tree["metrics"]["job_latency_mean_s"] == 35
    assert tree["metrics"]["jobs_unfinished"] == 1
    assert tree["metrics"]["jobs_failed"] == 0, "the one killed was created in the warm-up"
    assert tree["pipelines"][EDGES]["jobs_completed"] == 2


@pytest.mark.parametrize(
    ("world", "latency_s", "share"),
    [
        pytest.param(with_jobs(10, 20, 30), 29.0, 2 / 3, id="all finished"),
        pytest.param(with_jobs(10, 20, 30, None), 905.05, 2 / 4, id="unfinished and older than the target"),
        pytest.param(with_jobs(10, 20, 30, *[100] * 0), 29.0, 2 / 3, id="none else"),
        pytest.param(
            with_jobs(5, world=with_jobs(10, 20, 30), end="failure"), math.inf, 2 / 4, id="one failed"
        ),
        pytest.param(World(), math.nan, math.nan, id="no jobs"),
    ],
)
def test_a_target_counts_failed_jobs_as_endless_and_late_ones_with_their_age(
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
    assert waits == pytest.approx(latency_s, rel=1e-9, nan_ok=True)
    assert len(pickle.dumps(tree)) < 10_000
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
