"""Finalists: what a short window hides is found before anybody is named. Loads are by formula."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from sim.loader.study import load_study
from sim.report.metrics import Tree
from sim.study.evaluate import Task, in_process
from sim.study.long_run import FIRST
from sim.study.search import search
from tests.unit.study.test_ages import MORNING

SLOTS = """
horizon: 6h
cluster:
  eksctl:
    metadata: {name: c, region: us-east-1, version: "1.33"}
    managedNodeGroups: [{name: w, instanceTypes: [m5.large], minSize: 3, desiredCapacity: 3, maxSize: 3}]
  groups: {w: {allocatable: {cpu: 1, memory: 6Gi}}}
  daemonsets: []
  autoscaler: {enabled: false}
  scheduler: {kind: first-fit, initial_backoff: 0s, max_backoff: 0s}
base_load: []
latency: {container_start: 0s}
pods:
  - name: calls
    requests: {cpu: 1, memory: 1Gi}
    arrivals: {poisson: {per_hour: 60}}
    duration: {exponential: {mean: 3m}}
"""


class Counted:
    """An evaluator that remembers what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[Task] = []

    def __call__(self, tasks: Sequence[Task]) -> list[Tree]:
        self.asked += tasks
        return in_process(tasks)


def found(folder: Path, base: str, study: str, **said: Any) -> tuple[dict[str, Any], Counted]:
    (folder / "base.yaml").write_text(base, encoding="utf-8")
    (folder / "study.yaml").write_text(f"base: base.yaml\nexplain: 0\n{study}", encoding="utf-8")
    evaluate = Counted()
    return search(replace(load_study(folder / "study.yaml"), **said), evaluate).document, evaluate


def slots(*counts: int) -> str:
    group = "cluster.eksctl.managedNodeGroups[w]"
    choices = "\n".join(
        f'    "{n}": {{"{group}.minSize": {n}, "{group}.desiredCapacity": {n}, "{group}.maxSize": {n}}}'
        for n in counts
    )
    limit = "constraints: [{metric: pod_start_p95_s, at_most: 1h}]"
    return f"budget: 60\nvary:\n  nodes:\n{choices}\n{limit}\n"


def test_a_load_of_one_or_more_is_excluded_without_simulating_it(tmp_path: Path) -> None:
    """60 an hour of three minutes are three slots: three are loaded to 1, four to 0.75."""
    document, evaluate = found(tmp_path, SLOTS, slots(3, 4))
    assert document["winner"]["configuration"] == {"nodes": "4"}
    assert document["winner"]["stable"] is True
    assert document["winner"]["promise"] == "for as long as arrivals stay as they are"
    (row,) = document["excluded"]["unstable"]
    assert row["configuration"] == {"nodes": "3"}
    assert all("minSize=4" in task.configuration for task in evaluate.asked)
    long = [task for task in evaluate.asked if task.replication >= FIRST]
    assert document["evaluated"]["replications_for_long_run"] == len(long)
    measured = document["evaluated"]["replications"]
    assert measured + len(long) == len(evaluate.asked)


def test_a_span_that_is_the_whole_story_is_not_asked_for_more(tmp_path: Path) -> None:
    document, _ = found(tmp_path, f"finite: true\n{SLOTS}", slots(3, 4))
    assert document["winner"]["configuration"] == {"nodes": "3"}
    assert document["winner"]["stable"] is None
    assert document["winner"]["promise"] == "for this span, which is the whole story"
    assert document["evaluated"]["replications_for_long_run"] == 0


def test_overheads_alone_that_load_beyond_one_are_found(tmp_path: Path) -> None:
    """A pod of three minutes holds its slot while it starts, ten seconds: 0.98 x 190 / 180 is 1.034."""
    base = SLOTS.replace("container_start: 0s", "container_start: 10s").replace(
        "per_hour: 60", "per_hour: 58.8"
    )
    document, _ = found(tmp_path, base, slots(3, 4))
    assert document["winner"]["configuration"] == {"nodes": "4"}
    (row,) = document["excluded"]["unstable"]
    assert row["reason"].startswith("calls does not keep up: 1.0")


SETS = """
budget: 60
vary:
  sets:
    as they come: {}
    of ten: {"pipelines[p].datumSetSpec.number": 10, "pipelines[p].parallelismSpec.constant": 9}
constraints: [{metric: job_latency_p95_s, at_most: 75m}]
"""


def test_sets_that_grow_drift_with_the_cure_and_ages_bound_the_promise(tmp_path: Path) -> None:
    """On the first morning a set has 18 of 600 datums; from day 32 on one worker does all: 200 minutes."""
    base = f"{MORNING}\nbase_load: []\n".replace("autoscaling: true", "autoscaling: false")
    document, _ = found(tmp_path, base, SETS)
    (row,) = document["excluded"]["drifting"]
    assert row["configuration"] == {"sets": "as they come"}
    assert "once repositories hold 40d of it" in row["reason"]
    assert "datumSetSpec: {number: 19} on p" in row["reason"]
    assert document["winner"]["configuration"] == {"sets": "of ten"}
    bounded, _ = found(tmp_path, base, SETS, holds_at_us=(0, 5 * 86_400_000_000))
    assert bounded["winner"]["configuration"] == {"sets": "as they come"}
    assert bounded["winner"]["holds_at"] == ["0s", "5d"]
    assert bounded["winner"]["promise"].endswith("and not beyond")
