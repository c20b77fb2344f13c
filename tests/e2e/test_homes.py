"""One rule, one home: what several commands say of one thing agrees (``tests/cases/README.md``)."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import sim
from sim.engine.run import simulate
from sim.model.log import EventLog, JobState
from sim.model.units import DAY, SECOND
from sim.study.offered_load import workers_at_most
from sim.study.periods import period_us
from tests.conftest import PROJECT
from tests.e2e.conftest import Pachsim

CASES = PROJECT / "tests" / "cases" / "homes"


@pytest.fixture(autouse=True)
def cases(tmp_path: Path) -> None:
    """Begin with a copy of the cases, since some commands write beside them."""
    shutil.copytree(CASES, tmp_path, dirs_exist_ok=True)


@pytest.mark.parametrize(
    ("file", "jobs"),
    [
        pytest.param("never", 0, id="never means never"),
        pytest.param("question-mark", 1, id="? is a star"),
        pytest.param("every", 959, id="from the start on"),
    ],
)
def test_what_check_takes_runs(pachsim: Pachsim, file: str, jobs: int) -> None:
    assert pachsim("check", f"cron/{file}.yaml").returncode == 0
    done = pachsim("run", f"cron/{file}.yaml", "--replications", "1", "--format", "json")
    assert done.returncode == 0, done.stderr
    metrics = json.loads(done.stdout)["metrics"]
    assert metrics["jobs_completed"]["mean"] + metrics["jobs_unfinished"]["mean"] == jobs


@pytest.mark.parametrize("file", ["input", "overwrite", "repo"])
def test_a_day_is_seen_whatever_brings_the_commits(file: str) -> None:
    assert period_us(sim.load(CASES / "period" / f"{file}.yaml")) == DAY


def test_a_daemonset_takes_no_room_where_it_does_not_tolerate_the_taint(pachsim: Pachsim) -> None:
    """Its 1 cpu would leave an m5.large less than the worker's own 1 cpu."""
    assert pachsim("check", "daemon/s.yaml").returncode == 0
    cluster = sim.load(CASES / "daemon" / "small.yaml").cluster
    on_nodes = [[daemon.name for daemon in cluster.daemons_on(group.shape)] for group in cluster.node_groups]
    assert on_nodes == [["aws-node", "logger"], ["aws-node"]]


def test_a_node_holds_as_many_workers_in_every_answer(pachsim: Pachsim, tmp_path: Path) -> None:
    """3,920m allocatable less 150m of daemons hold one worker of 1,960m, not two (aws.md §7.1)."""
    sized = json.loads(
        pachsim("size", "holds/spec.json", "--instance-type", "m5.xlarge", "--format", "json").stdout
    )
    (offer,) = sized[0]["nodes"]
    assert offer["pods"] == 1
    assert pachsim("export", "holds/s.yaml", "--out", "out").returncode == 0
    exported = (tmp_path / "out" / "cluster.yaml").read_text(encoding="utf-8")
    assert "a node holds 1 of train workers" in exported
    scenario = sim.load(CASES / "holds" / "s.yaml")
    assert workers_at_most(scenario, scenario.pipelines[0]) == 4  # its parallelism, on eight nodes
    one_node = replace(scenario.cluster.node_groups[0], max_size=1)
    alone = replace(scenario, cluster=replace(scenario.cluster, node_groups=(one_node,)))
    assert workers_at_most(alone, alone.pipelines[0]) == 1
    assert "minSize: 1 # $150.21 a month" in exported  # 730 h with the volume, $146.56, and a public address
    assert offer["usd_per_node_hour"] == pytest.approx(0.192 + 80 * 0.08 / 730)


def test_an_hour_of_a_fargate_pod_costs_the_same_in_every_answer(pachsim: Pachsim, tmp_path: Path) -> None:
    """1 vCPU, 5 GB and 81 of 101 GiB: 0.04048 + 5 x 0.004445 + 81 x 0.000111 (aws.md §1.4 and §4)."""
    expected = 0.04048 + 5 * 0.004445 + 81 * 0.000111
    sized = json.loads(pachsim("size", "fargate/spec.json", "--format", "json").stdout)
    assert sized[0]["fargate"]["usd_per_hour"] == pytest.approx(expected, rel=1e-9)
    assert pachsim("export", "fargate/s.yaml", "--out", "out").returncode == 0
    exported = (tmp_path / "out" / "cluster.yaml").read_text(encoding="utf-8")
    assert f"${expected:.4f} an hour each" in exported
    log = simulate(sim.load(CASES / "fargate" / "s.yaml"), 1)
    assert set(log["fargate_pods"].rows()[:, 4].tolist()) == {81 * 1024}


@pytest.mark.parametrize(("quantile", "share"), [("p90", 0.90), ("p99.5", 0.995)])
def test_a_target_at_any_quantile_is_a_constraint_of_a_study(
    pachsim: Pachsim, tmp_path: Path, quantile: str, share: float
) -> None:
    """The figure is numpy's quantile of the latencies in the logs of the same replications."""
    scenario = tmp_path / "slo" / "s.yaml"
    scenario.write_text(scenario.read_text(encoding="utf-8").replace("p90", quantile), encoding="utf-8")
    done = pachsim("search", "slo/study.yaml", "--budget", "30", "--format", "json")
    assert done.returncode == 1, done.stderr  # no configuration holds 15 minutes
    miss = json.loads(done.stdout)["nearest_miss"]
    (constraint,) = miss["constraints"]
    assert (constraint["metric"], constraint["at_most"]) == (f"job_latency_{quantile}_s", 900)
    base = sim.load(scenario, sets=miss["sets"])
    logs = [simulate(base, 1, replication) for replication in range(miss["replications"])]
    expected = np.mean([np.quantile(latencies_s(log), share) for log in logs])
    assert constraint["figure"]["mean"] == pytest.approx(expected, rel=1e-9)


def latencies_s(log: EventLog) -> list[float]:
    """Return how long each job took that was created before the horizon."""
    created_us = log["jobs"].rows()[:, 0]
    states = log["job_states"].rows()
    ended_us = {job: now for now, job, state in states[:, :3].tolist() if state == JobState.SUCCESS}
    return [
        (ended_us[job] - at) / SECOND for job, at in enumerate(created_us.tolist()) if at < log.horizon_us
    ]
