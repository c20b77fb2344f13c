"""Ages: repositories as they will be, and sets that grow with them (pachyderm.md §3.3)."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.errors import InputError
from sim.model.scenario import Scenario
from sim.report.metrics import measure
from sim.study.ages import aged, cure, growing, settled_after_us
from sim.study.replicate import run
from tests.unit.loader.worlds import CLUSTER, loaded

DAY = 86_400_000_000
MORNING = f"""
horizon: 1d
{CLUSTER}
pipelines:
  - spec:
      pipeline: {{name: p}}
      input: {{pfs: {{repo: r, glob: "/*"}}}}
      parallelismSpec: {{constant: 8}}
      resourceRequests: {{cpu: 1, memory: 1Gi}}
      sidecarResourceRequests: {{cpu: 0.1, memory: 100Mi}}
      transform: {{image: "x:1", cmd: [sh]}}
    commits: {{cron: "0 6 * * *"}}
    datums: {{new_per_commit: 600}}
    datum_time: 20s
"""


def latency_s(scenario: Scenario) -> float:
    tree = measure(run(scenario, 1, 0), scenario)["metrics"]
    assert isinstance(tree, dict)
    return float(tree["job_latency_p95_s"])


@pytest.mark.parametrize("day", [2, 8, 16, 31, 60])
def test_the_first_morning_at_an_age_takes_what_its_sets_take(tmp_path: Path, day: int) -> None:
    """A set has 600 d / 32 datums on day d; eight workers take the sets in turn, at most the last of 600."""
    scenario = loaded(tmp_path, MORNING, f"age={day - 1}d")
    assert scenario.repos[0].files == 600 * (day - 1)
    held = min(600 * day // 32, 600)
    turns = -(-600 // held)  # sets; the longest worker has every eighth of them
    full, rest = divmod(turns - 1, 8)
    least = (full + (rest > 0)) * held * 20 if rest else full * held * 20
    assert least <= latency_s(scenario) <= least + held * 20 + 400


def test_an_age_is_as_if_the_past_had_been_simulated(tmp_path: Path) -> None:
    """The eleventh morning of eleven days is the first at an age of ten."""
    later = loaded(tmp_path, MORNING, "horizon=11d", "warmup=10d")
    assert latency_s(loaded(tmp_path, MORNING, "age=10d")) == pytest.approx(latency_s(later), abs=90)


def test_what_was_processed_downstream_is_there_as_well(tmp_path: Path) -> None:
    second = """
  - spec:
      pipeline: {name: q}
      input: {pfs: {repo: p, glob: "/*"}}
      parallelismSpec: {constant: 1}
      resourceRequests: {cpu: 1, memory: 1Gi}
      sidecarResourceRequests: {cpu: 0.1, memory: 100Mi}
      transform: {image: "x:1", cmd: [sh]}
    datum_time: 1s
"""
    scenario = loaded(tmp_path, MORNING + second, "age=31d")
    log = run(scenario, 1, 0)
    totals = log["job_datums"].column("total").tolist()
    assert totals == [600 * 32, 600 * 32]
    assert growing(scenario) == ["p", "q"]


def test_sets_settle_after_four_commits_a_worker(tmp_path: Path) -> None:
    scenario = loaded(tmp_path, MORNING)
    assert settled_after_us(scenario) == pytest.approx(32 * 1.25 * DAY)
    assert growing(scenario) == ["p"]
    assert cure(scenario, ["p"]) == "datumSetSpec: {number: 19} on p"  # 600 / 32


@pytest.mark.parametrize(
    "change",
    [
        "pipelines[p].datumSetSpec.number=10",
        "pipelines[p].datums.new_per_commit=1",
        "pipelines[p].input.pfs.glob=/",
        "pipelines[p].commits={times: [6h]}",
    ],
)
def test_sets_that_do_not_grow(tmp_path: Path, change: str) -> None:
    scenario = loaded(tmp_path, MORNING, change)
    assert settled_after_us(scenario) == 0
    assert growing(scenario) == []


def test_ticks_of_a_cron_input_age_as_well(tmp_path: Path) -> None:
    text = MORNING.replace('{pfs: {repo: r, glob: "/*"}}', '{cron: {name: t, spec: "@daily"}}')
    text = "\n".join(line for line in text.splitlines() if "commits:" not in line and "datums:" not in line)
    scenario = loaded(tmp_path, text, "age=10d", "horizon=2d")
    assert [(repo.name, repo.files) for repo in scenario.repos] == [("p_t", 10)]
    assert run(scenario, 1, 0)["job_datums"].column("total").tolist() == [11]
    assert aged(scenario, 30 * DAY).repos[0].files == 30


def test_an_age_below_zero_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="age is"):
        loaded(tmp_path, MORNING, "age=-1d")
