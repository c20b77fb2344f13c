"""``pachsim export`` as a user types it: of a result, and of its scenario."""

from __future__ import annotations

import json
from pathlib import Path

from tests.conftest import PROJECT
from tests.e2e.conftest import Pachsim

EDGES = PROJECT / "scenarios" / "edges-autoscaled.yaml"
SETS = (
    *("--set", "horizon=8h", "--set", "warmup=0s", "--set", "pipelines[edges].parallelismSpec.constant=3"),
    *("--set", "cluster.eksctl.managedNodeGroups[workers].maxSize=7"),
    *("--set", "cluster.autoscaler.scan-interval=20s"),
)


def test_a_result_and_its_scenario_give_the_same_folder(pachsim: Pachsim, tmp_path: Path) -> None:
    ran = pachsim("run", EDGES, "--replications", "2", "--out", "result", "--format", "json", *SETS)
    assert ran.returncode == 0, ran.stderr
    done = pachsim("export", "result", "--out", "plan")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "plan: 10 files; plan/README.md has the commands\n"
    again = pachsim("export", EDGES, "--out", "again", "--replications", "2", *SETS)
    assert again.returncode == 0, again.stderr
    for file in (tmp_path / "plan").rglob("*.*"):
        assert (tmp_path / "again" / file.relative_to(tmp_path / "plan")).read_bytes() == file.read_bytes()
    readme = (tmp_path / "plan" / "README.md").read_text()
    assert "- `pipelines/edges.json`: parallelismSpec.constant: 5 -> 3" in readme
    assert "maxSize 2 -> minSize 0, desiredCapacity 0, maxSize 7" in readme
    promised = json.loads((tmp_path / "plan" / "prediction.json").read_text())
    cost = json.loads(ran.stdout)["metrics"]["cost_usd_per_day"]
    assert cost.items() <= promised["metrics"]["cost_usd_per_day"].items()
    refused = pachsim("export", "result", "--out", "plan")
    assert refused.returncode == 2
    assert refused.stderr == "plan is not empty; allowed: a new or empty folder, or --force\n"
