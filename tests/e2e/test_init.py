"""``pachsim init`` as a user types it: what it writes is checked and run as it is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import SHARED, needs_shared
from tests.e2e.conftest import Pachsim
from tests.unit.draft.live import a_cluster


@pytest.fixture
def specs(tmp_path: Path) -> Path:
    """Return a folder with one pipeline's spec."""
    folder = tmp_path / "specs"
    folder.mkdir()
    spec = {
        "pipeline": {"name": "edges"},
        "transform": {"cmd": ["x"], "image": "i:1"},
        "input": {"pfs": {"repo": "images", "glob": "/*"}},
    }
    (folder / "edges.json").write_text(json.dumps(spec), encoding="utf-8")
    return folder


def test_a_live_cluster_becomes_a_scenario_that_runs(pachsim: Pachsim, specs: Path, tmp_path: Path) -> None:
    (tmp_path / "nodes.json").write_text(a_cluster(), encoding="utf-8")
    done = pachsim("init", "--pipelines", "specs/*.json", "--nodes", "nodes.json", "-o", "live.yaml")
    assert (done.returncode, done.stdout) == (
        0,
        "live.yaml: pipelines 1, placeholders to fill in 6\nsources 1: images\n",
    )
    assert "warning: nodes.json:" in done.stderr
    run = pachsim("run", "live.yaml", "--replications", "1", "--format", "json", "--set", "horizon=8h")
    assert run.returncode == 0
    assert json.loads(run.stdout)["metrics"]["jobs_completed"]["mean"] > 0


@needs_shared
def test_the_real_specs_become_a_scenario_that_runs(pachsim: Pachsim) -> None:
    real = SHARED / "data" / "pipeline-specs"
    patterns = [f"{real}/[!h]*.json", f"{real}/*.yaml"]  # two of them are called model
    options = [option for pattern in patterns for option in ("--pipelines", pattern)]
    assert pachsim("init", *options).stdout.startswith("scenario.yaml: pipelines 12, ")
    run = pachsim("run", "scenario.yaml", "--replications", "1", "--set", "horizon=8h")
    assert run.returncode == 0


def test_a_scenario_that_is_there_stays(pachsim: Pachsim, specs: Path, tmp_path: Path) -> None:
    (tmp_path / "scenario.yaml").write_text("mine", encoding="utf-8")
    done = pachsim("init", "--pipelines", "specs/*.json")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "scenario.yaml is there already; allowed: another --out, or --force for a file\n"
    assert (tmp_path / "scenario.yaml").read_text(encoding="utf-8") == "mine"


def test_what_is_wrong_in_a_workload_is_said_of_its_own_file(
    pachsim: Pachsim, specs: Path, tmp_path: Path
) -> None:
    text = "# a comment\nstart: 2026-01-05T00:00Z\nhorizon: [7d]\npipelines: []\n"
    (tmp_path / "workload.yaml").write_text(text, encoding="utf-8")
    done = pachsim("init", "--pipelines", "specs/*.json", "--workload", "workload.yaml", "-o", "new.yaml")
    assert done.returncode == 2
    assert done.stderr.startswith("workload.yaml:3: horizon is ['7d']; allowed: a duration")
    assert not (tmp_path / "new.yaml").exists()
