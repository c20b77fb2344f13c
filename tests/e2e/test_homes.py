"""One rule, one home: what several commands say of one thing agrees (``tests/cases/README.md``)."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import sim
from sim.model.units import DAY
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
