"""``pachsim search`` over a store: killed and resumed, and whoever does the work, the answer is the same."""

from __future__ import annotations

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import sim
from tests.commands import PROGRAM
from tests.conftest import PROJECT
from tests.e2e.conftest import Pachsim
from tests.e2e.watching import wait_for

STUDY = """
question: How wide?
base: base.json
vary:
  pipelines[edges].parallelismSpec.constant: [1, 2, 3, 4]
objective: cost_usd_per_day
constraints:
  - {metric: job_latency_p95_s, at_most: 2h}
budget: 60
"""


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """Return the file of a study over four configurations of one day."""
    origin = sim.load(PROJECT / "scenarios" / "edges-fargate.yaml", ["horizon=1d", "warmup=0s"]).origin
    assert origin is not None
    (tmp_path / "base.json").write_text(json.dumps(origin.document), encoding="utf-8")
    for name, path in origin.files:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(Path(path).read_bytes())
    (tmp_path / "study.yaml").write_text(STUDY, encoding="utf-8")
    return tmp_path / "study.yaml"


@pytest.mark.slow
def test_killed_and_resumed_the_answer_is_the_same(study: Path, pachsim: Pachsim, tmp_path: Path) -> None:
    expected = sim.search(study).document
    store = tmp_path / "study.db"
    command: list[str | Path] = [PROGRAM, "search", study, "--store", store, "--resume"]
    for rows in (1, expected["evaluated"]["replications"] // 2):
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as killed:
            wait_for(store, rows)
            killed.kill()
    refused = pachsim("search", study, "--store", store)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "allowed: a new file, or --resume to go on with them" in refused.stderr
    resumed = pachsim("search", study, "--store", store, "--resume", "--format", "json")
    assert json.loads(resumed.stdout) == expected
    assert len(sim.open_study(store).replications) == expected["evaluated"]["replications"]


def test_however_many_do_the_work_the_answer_is_the_same(study: Path) -> None:
    expected = sim.search(study, workers=1).document
    with ThreadPoolExecutor(4) as threads:
        assert sim.search(study, executor=threads).document == expected
