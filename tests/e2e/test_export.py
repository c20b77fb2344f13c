"""``pachsim export`` as a user types it."""

from __future__ import annotations

import json
from pathlib import Path

from tests.conftest import PROJECT
from tests.e2e.conftest import Pachsim

EDGES = PROJECT / "scenarios" / "edges-fargate.yaml"
SHORT = ("--set", "horizon=8h", "--set", "warmup=0s")


def test_a_scenario_to_a_folder_that_runs_and_exports_again(pachsim: Pachsim, tmp_path: Path) -> None:
    done = pachsim("export", EDGES, "--out", "plan", "--replications", "2", *SHORT)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "plan: 7 files; plan/README.md has the commands\n"
    again = pachsim("export", "plan/scenario.yaml", "--out", "again", "--replications", "2")
    assert again.returncode == 0, again.stderr
    for file in (tmp_path / "plan").rglob("*.*"):
        assert (tmp_path / "again" / file.relative_to(tmp_path / "plan")).read_bytes() == file.read_bytes()
    run = pachsim("run", "plan/scenario.yaml", "--replications", "2", "--format", "json")
    promised = json.loads((tmp_path / "plan" / "prediction.json").read_text())
    metrics = json.loads(run.stdout)["metrics"]
    assert metrics["cost_usd_per_day"]["mean"] == promised["metrics"]["cost_usd_per_day"]["mean"]


def test_a_result_and_what_is_refused(pachsim: Pachsim, tmp_path: Path) -> None:
    assert pachsim("run", EDGES, "--replications", "2", "--out", "result", *SHORT).returncode == 0
    assert pachsim("export", "result", "--out", "plan").returncode == 0
    assert (tmp_path / "plan" / "pipelines" / "edges.json").is_file()
    refused = pachsim("export", "result", "--out", "plan")
    assert refused.returncode == 2
    assert refused.stderr == "plan is not empty; allowed: a new or empty folder, or --force\n"
    assert pachsim("export", "result", "--out", "plan", "--force").returncode == 0
    changed = pachsim("export", "result", "--out", "other", *SHORT)
    assert changed.returncode == 2
    assert "a RESULT is exported as it was run" in changed.stderr
