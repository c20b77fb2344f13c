"""Offered load against loads that can be done by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.study.offered_load import arrival_rates, loads, overload
from tests.unit.loader.worlds import CLUSTER, loaded

SLOTS = """
horizon: 12h
cluster:
  eksctl:
    metadata: {name: c, region: us-east-1, version: "1.33"}
    managedNodeGroups: [{name: w, instanceTypes: [m5.large], minSize: 4, desiredCapacity: 4, maxSize: 4}]
  groups: {w: {allocatable: {cpu: 1, memory: 6Gi}}}
  daemonsets: []
  autoscaler: {enabled: false}
base_load: []
pods:
  - name: calls
    requests: {cpu: 1, memory: 1Gi}
    arrivals: {poisson: {per_hour: 52.8}}
    duration: {exponential: {mean: 5m}}
"""
DAG = f"""
horizon: 1d
{CLUSTER}
pipelines:
  - spec:
      pipeline: {{name: cut}}
      input: {{pfs: {{repo: films, glob: "/*.mp4"}}}}
      parallelismSpec: {{constant: 2}}
      resourceRequests: {{cpu: 1, memory: 1Gi}}
      transform: {{image: "x:1", cmd: [sh]}}
    commits: {{cron: "0 */6 * * *"}}
    datums: {{new_per_commit: 3}}
    outputs_per_datum: 10
    datum_time: 30m
  - spec:
      pipeline: {{name: mark}}
      input: {{pfs: {{repo: cut, glob: "/*"}}}}
      parallelismSpec: {{constant: 1}}
      resourceRequests: {{cpu: 1, memory: 1Gi}}
      transform: {{image: "x:1", cmd: [sh]}}
    datum_time: 12m
  - spec:
      pipeline: {{name: sum}}
      input: {{union: [{{pfs: {{repo: mark, glob: "/"}}}}, {{cron: {{name: tick, spec: "@hourly"}}}}]}}
      parallelismSpec: {{constant: 1}}
      resourceRequests: {{cpu: 1, memory: 1Gi}}
      transform: {{image: "x:1", cmd: [sh]}}
    datum_time: 6m
"""


def test_pods_over_the_slots_that_nodes_have(tmp_path: Path) -> None:
    """52.8 an hour of five minutes are 4.4 slots."""
    scenario = loaded(tmp_path, SLOTS)
    assert loads(scenario)["calls"] == pytest.approx(1.1)
    assert overload(scenario) == "calls does not keep up: 1.1 times what it can do arrives"
    assert overload(loaded(tmp_path, SLOTS, "finite=true")) is None
    assert overload(loaded(tmp_path, SLOTS, "pods[calls].duration=4m")) is None  # 3.52 of 4


def test_two_sources_that_fit_alone_and_not_together(tmp_path: Path) -> None:
    more = (
        SLOTS.replace("52.8", "30")
        + """
  - name: mails
    requests: {cpu: 500m, memory: 1Gi}
    arrivals: {cron: "* * * * *"}
    duration: 3m
"""
    )
    scenario = loaded(tmp_path, more)
    assert loads(scenario) == pytest.approx(
        {"calls": 2.5 / 4, "mails": 3 / 8, "the cluster": (2.5 + 1.5) / 4}
    )
    assert overload(scenario) == "the cluster does not keep up: 1 times what it can do arrives"


def test_work_through_a_dag_with_cron_any_glob_and_a_union(tmp_path: Path) -> None:
    """Each six hours three films of 30 min, 30 pieces of 12 min, one sum of 6 min; and a tick each hour."""
    found = loads(loaded(tmp_path, DAG))
    assert found["cut"] == pytest.approx(1.5 / 6 / 2)
    assert found["mark"] == pytest.approx(6 / 6)
    assert found["sum"] == pytest.approx(0.1 * (1 + 6) / 6)


def test_jobs_are_made_for_each_commit_upstream(tmp_path: Path) -> None:
    per_day = {name: rate * 86_400 for name, rate in arrival_rates(loaded(tmp_path, DAG)).items()}
    assert per_day == pytest.approx({"cut": 4, "mark": 4, "sum": 4 + 24})


def test_work_that_may_be_given_up_proves_nothing(tmp_path: Path) -> None:
    scenario = loaded(tmp_path, DAG, "pipelines[mark].failure=0.1")
    assert "mark" not in loads(scenario)
    assert loads(scenario)["sum"] == pytest.approx(0.1)
