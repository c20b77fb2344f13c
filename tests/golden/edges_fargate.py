"""The seed's story on Fargate as numbers: what ``tests/golden/edges-fargate.json`` holds.

``python -m tests.golden.edges_fargate`` prints what the code says now.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import Any

from sim.engine.run import simulate
from sim.loader import load
from sim.model.log import EventLog, JobState
from sim.model.scenario import Scenario
from sim.model.units import SECOND
from sim.report.metrics import measure
from tests.conftest import PROJECT

FILE = PROJECT / "tests" / "golden" / "edges-fargate.json"
PIPELINE = "edges"


@dataclass(frozen=True)
class Story:
    """The first job of the pipeline, from its commit to zero workers; in seconds.

    ``created_s``, ``running_s`` and ``ended_s`` are those of its workers, in order of creation.
    """

    commit_s: float
    created_s: list[float]
    running_s: list[float]
    done_s: float
    ended_s: list[float]
    replicas: list[tuple[float, int]]


def simulated() -> tuple[Scenario, EventLog]:
    scenario = load(PROJECT / "scenarios" / "edges-fargate.yaml")
    return scenario, simulate(scenario, scenario.seed, checks=True)


def story(log: EventLog) -> Story:
    """Read the first job's story from the log."""
    replicas = [(time_us / SECOND, target) for time_us, _, target in log["replicas"].rows().tolist()]
    zero = next(n for n, (_, target) in enumerate(replicas) if target == 0)
    source = log.names["source"].index(PIPELINE)
    pods = [
        pod
        for pod, (time_us, _, of, _) in enumerate(log["pods"].rows().tolist())
        if of == source and time_us / SECOND <= replicas[zero][0]
    ]
    states = log["job_states"].rows().tolist()
    finishing = [time_us for time_us, _, state in states if state == JobState.FINISHING]
    done_s = max(time_us / SECOND for time_us in finishing if time_us / SECOND <= replicas[zero][0])
    return Story(
        commit_s=log["commits"].column("time_us").tolist()[0] / SECOND,
        created_s=_when(log, "pods", pods),
        running_s=_when(log, "pod_running", pods),
        done_s=done_s,
        ended_s=_when(log, "pod_ended", pods),
        replicas=replicas[: zero + 1],
    )


def _when(log: EventLog, table: str, pods: list[int]) -> list[float]:
    rows = log[table].rows().tolist()
    when = (
        {pod: row[0] / SECOND for pod, row in enumerate(rows)}
        if table == "pods"
        else {row[1]: row[0] / SECOND for row in rows}
    )
    return [when[pod] for pod in pods]


def document() -> str:
    """Return the file's text: the story, and the summary with six digits."""
    scenario, log = simulated()
    told = story(log)
    summary = measure(log, scenario)
    kept = {name: summary[name] for name in ("metrics", "bill_usd", "waste_usd", "waits_s", "pod_waits_s")}
    fields = {name: getattr(told, name) for name in Story.__dataclass_fields__}
    return json.dumps(_rounded({"story": fields, **kept}), indent=2) + "\n"


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(each) for each in value]
    return float(f"{value:.6g}")


if __name__ == "__main__":
    sys.stdout.write(document())
