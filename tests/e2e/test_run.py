"""``run`` and ``check`` on a scenario of the project, short enough to be run often."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

import sim
from tests.commands import PROGRAM
from tests.conftest import PROJECT
from tests.e2e.conftest import Pachsim

SCENARIOS = PROJECT / "scenarios"
FARGATE = SCENARIOS / "edges-fargate.yaml"
SHORT = ("--set", "horizon=1d", "--set", "warmup=0s")
PROMISED = (
    [f"cost_usd_per_{per}" for per in ("day", "month", "1000_datums")]
    + [f"job_latency_{figure}_s" for figure in ("mean", "p50", "p95", "p99")]
    + ["jobs_completed", "jobs_unfinished", "jobs_failed", "datums_processed", "datums_lost"]
    + ["pod_start_p50_s", "pod_start_p95_s", "peak_nodes", "mean_nodes", "peak_workers", "mean_workers"]
    + ["node_hours", "fargate_pod_hours"]
)


def test_tables(pachsim: Pachsim, tmp_path: Path) -> None:
    done = pachsim("run", FARGATE, *SHORT, "--replications", "3")
    assert done.returncode == 0
    assert done.stdout.startswith("edges-fargate: 3 replications, seed 1, 1 days")
    for part in ("mean over replications", "USD a day", "Job latency, s", "Targets", "prices of 20"):
        assert part in done.stdout
    assert "\r" not in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("replications", "target", "verdict", "fail_on", "code"),
    [
        pytest.param("1", "100h", "undecided", "undecided", 1, id="one replication has no interval"),
        pytest.param("1", "100h", "undecided", "missed", 0, id="and misses nothing"),
        pytest.param("3", "1s", "missed", "missed", 1, id="missed"),
        pytest.param("3", "1s", "missed", "undecided", 0, id="and decided"),
    ],
)
def test_what_a_run_may_fail_on(
    pachsim: Pachsim, replications: str, target: str, verdict: str, fail_on: str, code: int
) -> None:
    asked = ("--set", f"slo={{job_latency: {{p95: {target}}}}}", "--replications", replications)
    done = pachsim("run", FARGATE, *SHORT, *asked, "--format", "json", "--fail-on", fail_on)
    assert done.returncode == code, done.stderr
    assert [each["verdict"] for each in json.loads(done.stdout)["slo"]] == [verdict]


def test_what_plain_pods_do_not_have_gets_no_line(pachsim: Pachsim) -> None:
    replay = ("run", SCENARIOS / "trace-replay.yaml", "--set", "horizon=3h", "--replications", "1")
    shown = {line.split("  ")[0] for line in pachsim(*replay).stdout.splitlines()}
    assert {"USD a day", "pods started", "nodes, peak"} <= shown
    assert not {"USD per 1,000 datums", "jobs completed", "datums processed", "Fargate pod hours"} & shown


def test_json_says_what_is_promised(pachsim: Pachsim) -> None:
    done = pachsim("run", FARGATE, *SHORT, "--replications", "3", "--format", "json", "--seed", "5")
    document = json.loads(done.stdout)
    assert (document["scenario"], document["version"]) == ("edges-fargate", sim.__version__)
    assert (document["seed"], document["replications"]) == (5, 3)
    assert (document["horizon_s"], document["warmup_s"]) == (86_400.0, 0.0)
    assert set(PROMISED) <= set(document["metrics"])
    low, high = document["metrics"]["cost_usd_per_day"]["ci95"]
    assert low < document["metrics"]["cost_usd_per_day"]["mean"] < high
    groups = {"pipelines", "bill_usd", "waste_usd", "waits_s", "slo", "warnings"}
    assert groups <= set(document)


def test_csv_has_every_figure_as_a_row(pachsim: Pachsim) -> None:
    done = pachsim("run", FARGATE, *SHORT, "--replications", "2", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    figures = {row["figure"] for row in rows}
    assert {f"metrics.{name}" for name in PROMISED} <= figures
    assert "pipelines.edges.job_latency_p95_s" in figures


def test_several_scenarios_are_put_side_by_side_and_saved_by_name(pachsim: Pachsim, tmp_path: Path) -> None:
    files = [SCENARIOS / f"edges-{kind}.yaml" for kind in ("static", "fargate")]
    done = pachsim("run", *files, *SHORT, "--replications", "2", "--out", "out")
    assert done.returncode == 0
    header = next(
        line for line in done.stdout.splitlines() if line.split() == ["edges-static", "edges-fargate"]
    )
    assert header
    for name in ("edges-static", "edges-fargate"):
        assert (tmp_path / "out" / name / "timeline.png").read_bytes().startswith(b"\x89PNG")
        assert sim.load_result(tmp_path / "out" / name).summary["scenario"] == name
    static, fargate = (sim.load_result(tmp_path / "out" / f"edges-{kind}") for kind in ("static", "fargate"))
    assert list(static.jobs.created_s) == list(fargate.jobs.created_s)


def test_sensitivity_says_how_much_hangs_on_start_up_times(pachsim: Pachsim) -> None:
    done = pachsim("run", FARGATE, *SHORT, "--replications", "2", "--sensitivity", "--format", "json")
    varied = json.loads(done.stdout)["sensitivity"]
    assert list(varied) == [
        *(f"Fargate start median {median} s" for median in (30, 45, 75)),
        *(f"Fargate launches {rate}/s" for rate in (7.8, 20)),
        "node boot -50%",
        "node boot +50%",
        *(f"node start {start} s" for start in (35, 65, 150)),
        *(f"node image pull {rate} MB/s" for rate in (10, 40, 100)),
    ]
    starts = [varied[f"Fargate start median {m} s"]["pod_start_p50_s"]["mean"] for m in (30, 45, 75)]
    assert starts == sorted(starts)
    assert starts[2] - starts[0] == pytest.approx(45.0, abs=15.0)


def test_check_prints_every_assumption_with_its_source(pachsim: Pachsim) -> None:
    done = pachsim("check", FARGATE)
    assert done.returncode == 0
    assert "valid" in done.stdout.splitlines()[0]
    assert "latency.fargate.ready" in done.stdout
    rows = json.loads(pachsim("check", FARGATE, "--format", "json").stdout)
    assert all(row["assumed"] and row["source"] for row in rows)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["run", "nowhere.yaml"], "nowhere.yaml: cannot be read", id="no file"),
        pytest.param(["run", "empty.yaml", "--out", "out"], "empty.yaml: is empty", id="an empty file"),
        pytest.param(["check", FARGATE, "--set", "horizon=7"], "--set: horizon is 7", id="no unit"),
        pytest.param(["check", FARGATE, "--set", "horizn=7d"], "did you mean", id="a typo"),
        pytest.param(["run", FARGATE, "--precision", "500%"], "precision is 5.0", id="no precision"),
    ],
)
def test_bad_input_is_one_line_exit_2_and_nothing_written(
    pachsim: Pachsim, tmp_path: Path, arguments: list[str | Path], message: str
) -> None:
    (tmp_path / "empty.yaml").touch()
    done = pachsim(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["empty.yaml"]


def test_two_scenarios_of_one_name_cannot_be_told_apart(pachsim: Pachsim, tmp_path: Path) -> None:
    done = pachsim("run", FARGATE, FARGATE, "--out", "out")
    assert done.returncode == 2
    assert "two scenarios are called edges-fargate" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_other_things_is_refused_before_the_first_replication(
    pachsim: Pachsim, tmp_path: Path
) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "thesis.tex").touch()
    for folder, told in ((".", "the folder you are in"), ("thesis", "holds something else")):
        done = pachsim("run", FARGATE, *SHORT, "--replications", "2", "--out", folder)
        assert done.returncode == 2
        assert done.stdout == ""
        assert told in done.stderr
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["thesis", "thesis.tex"]


@pytest.mark.slow
def test_an_interrupt_reports_what_is_done(tmp_path: Path) -> None:
    running = subprocess.Popen(
        [PROGRAM, "run", FARGATE, "--replications", "2000", "--verbose"],
        cwd=tmp_path,
        env=os.environ | {"NO_COLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert running.stderr is not None
    assert "/2000 replications" in running.stderr.readline()
    running.send_signal(signal.SIGINT)
    started = time.monotonic()
    stdout, stderr = running.communicate(timeout=60)
    assert time.monotonic() - started < 30
    assert running.returncode == 130
    assert "Every figure" in stdout
    assert "warning: interrupted after " in stderr
