"""What the seed's post warns of: a worker without requests on Fargate, by version of Pachyderm.

"If you do not configure this, Fargate will assign you the smallest configuration (0.25CPU 500MB Memory) and
it will often cause your workers to crash due to being out of memory" (seed.txt). Sizes: pachyderm.md §1.4,
aws.md §1.3.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.engine.run import simulate
from sim.loader import load
from sim.model.log import EventLog, JobState, TaskEnd

SCENARIO = """
name: without-requests
start: 2026-01-05T00:00Z
horizon: 2h
pachyderm: {{version: "{version}", namespace: pachyderm}}
cluster:
  eksctl:
    apiVersion: eksctl.io/v1alpha5
    kind: ClusterConfig
    metadata: {{name: seed, region: us-east-1, version: "1.33"}}
    fargateProfiles:
      - {{name: fargate-pachyderm, selectors: [{{namespace: pachyderm, labels: {{node: fargate}}}}]}}
pipelines:
  - spec:
      pipeline: {{name: edges}}
      metadata: {{labels: {{node: fargate}}}}
      parallelism_spec: {{constant: 5}}
      autoscaling: true
      input: {{pfs: {{glob: "/*", repo: images}}}}
      transform: {{cmd: [python3, /edges.py], image: pachyderm/opencv}}
    commits: {{times: [60s]}}
    datums: {{new_per_commit: 10}}
    datum_time: 18s
    memory_peak: 300Mi
"""


def simulated(folder: Path, version: str) -> EventLog:
    file = folder / "scenario.yaml"
    file.write_text(SCENARIO.format(version=version), encoding="utf-8")
    return simulate(load(file), seed=1, checks=True)


@pytest.mark.parametrize(
    ("version", "size", "killed"),
    [
        pytest.param("pre-2.5", (250, 512), True, id="before 2.5: 0.25 vCPU, 0.5 GB and 256 MiB of it free"),
        pytest.param("2.11", (2_000, 4_096), False, id="cluster defaults of 2.8: 2 vCPU, 4 GB"),
    ],
)
def test_a_worker_without_requests(tmp_path: Path, version: str, size: tuple[int, int], killed: bool) -> None:
    log = simulated(tmp_path, version)
    assert {(row[2], row[3]) for row in log["fargate_pods"].rows().tolist()} == {size}
    outcomes = set(log["task_ends"].column("outcome").tolist())
    assert (TaskEnd.OOM_KILLED in outcomes) is killed
    finished = JobState.SUCCESS in log["job_states"].column("state").tolist()
    assert finished is not killed
