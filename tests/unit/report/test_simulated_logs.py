"""Reports of simulated logs: what must hold whatever happened, on the project's own scenarios."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sim.engine.run import simulate
from sim.loader import load
from sim.model.log import EventLog
from sim.model.scenario import Scenario
from sim.report.bill import make_bill
from sim.report.intervals import Lives, lives
from sim.report.metrics import measure
from sim.report.starts import start_steps
from sim.report.waits import job_waits
from tests.conftest import PROJECT

NAMES = ("edges-autoscaled", "edges-fargate", "edges-montage-mixed", "trace-replay", "training-spot-gpu")
World = tuple[Scenario, EventLog, Lives]


@pytest.fixture(scope="module", params=NAMES)
def world(request: pytest.FixtureRequest) -> World:
    scenario = load(PROJECT / "scenarios" / f"{request.param}.yaml")
    log = simulate(scenario, seed=1)
    return scenario, log, lives(log)


def test_both_splits_sum_to_the_bill(world: World) -> None:
    scenario, log, lived = world
    bill = make_bill(log, scenario, lived)
    assert bill.by_source.sum() == pytest.approx(bill.total_usd, rel=1e-9)
    assert bill.by_source.min() > -1e-9, "no use is paid by another"
    pipelines = [log.names["source"].index(name) for name in log.names["pipeline"]]
    assert bill.by_job.sum() <= bill.by_source[pipelines].sum() + 1e-9


def test_waits_sum_to_every_latency_and_every_start(world: World) -> None:
    _, log, lived = world
    ended = lived.jobs.state >= 0
    waited_us = job_waits(log, lived).total_us(len(ended)).sum(axis=1)
    assert (waited_us == np.where(ended, lived.jobs.ended_us - lived.jobs.created_us, 0)).all()
    steps = start_steps(log, lived, np.arange(len(lived.pods)))
    assert (np.diff(steps, axis=0) >= 0).all()
    assert (steps[-1] - steps[0] == lived.pods.running_us - lived.pods.created_us).all()


def test_workers_claim_one_task_at_a_time_while_they_run(world: World) -> None:
    """What the bill and the waits rely on: claims of a worker follow each other inside its life."""
    _, _, lived = world
    claims, pods = lived.claims, lived.pods
    same_worker = claims.pod[1:] == claims.pod[:-1]
    assert (claims.claimed_us[1:] >= claims.stopped_us[:-1])[same_worker].all()
    assert (claims.claimed_us >= pods.running_us[claims.pod]).all()
    assert (claims.stopped_us <= pods.ended_us[claims.pod]).all()


def test_mean_waits_sum_to_the_mean_latency(world: World) -> None:
    scenario, log, _ = world
    tree: Any = measure(log, scenario)
    for numbers in (*tree["pipelines"].values(), {**tree["metrics"], "waits_s": tree["waits_s"]}):
        waits = sum(numbers["waits_s"].values())
        assert waits == pytest.approx(numbers["job_latency_mean_s"], rel=1e-9, nan_ok=True)
