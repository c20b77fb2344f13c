"""Cases of what makes jobs and datums (``tests/cases/README.md``): each is loaded, run, and counted."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

import sim
from sim.engine.run import simulate
from sim.model.log import EventLog
from sim.model.scenario import Scenario
from tests.conftest import PROJECT

CASES = PROJECT / "tests" / "cases" / "pachyderm"


def case(name: str, *sets: str) -> tuple[Scenario, EventLog]:
    """Return a case's scenario and the log of its first replication."""
    scenario = sim.load(CASES / name / "scenario.yaml", sets)
    return scenario, simulate(scenario, scenario.seed)


def jobs(log: EventLog) -> dict[str, int]:
    """Return how many jobs each pipeline got."""
    names = log.names["pipeline"]
    return dict(Counter(names[index] for index in log["jobs"].column("pipeline").tolist()))


def test_a_path_in_a_cross_is_one_datum() -> None:
    """Ten new files crossed with one path: 10 datums a job, not 200."""
    scenario, log = case("literal-glob-in-a-cross")
    assert log["job_datums"].column("total").tolist() == [10, 20, 30, 40, 50]
    assert any("/schema.json" in each.value for each in scenario.assumptions)


def test_two_depths_are_asked_about_and_can_be_stated() -> None:
    scenario, log = case("two-glob-depths-of-one-repository")
    assert any("several depths" in warning for warning in scenario.warnings)
    stated, log = case("two-glob-depths-of-one-repository", "repos[raw].files.per_folder=[50]")
    assert not any("several depths" in warning for warning in stated.warnings)
    of = log["jobs"].column("pipeline")[log["job_datums"].column("job")]
    totals = log["job_datums"].column("total")
    assert [totals[of == index].tolist() for index in (0, 1)] == [[1, 2, 3, 4, 5], [50, 100, 150, 200, 250]]


def test_branches_are_told_apart() -> None:
    """A commit starts a (raw@staging) or b (raw@master), and a@release is never written."""
    scenario, log = case("input-branches")
    assert jobs(log) == {"b": 11}
    told = " ".join(scenario.warnings)
    assert "read by branch (staging, master)" in told
    assert "release of a, to which nothing commits" in told
    assert jobs(case("input-branches", "repos[raw].branch=staging")[1]) == {"a": 11}


def test_a_cron_trigger_starts_a_job_a_day() -> None:
    _, log = case("trigger-once-a-day")
    commits = log["commits"].column("time_us")[log["jobs"].column("commit")]
    assert (commits / 3.6e9).tolist() == [6.0, 30.0]


def test_others_read_a_cron_inputs_repository(tmp_path: Path) -> None:
    """Init declares no source for it, so that both get a job an hour."""
    assert jobs(case("cron-repo-read-by-others")[1]) == {"hourly": 5, "loader": 5}
    specs = [CASES / "cron-repo-read-by-others" / f"{name}.json" for name in ("hourly", "loader")]
    sim.init(specs, tmp_path / "made.yaml")
    assert sim.load(tmp_path / "made.yaml").repos == ()


@pytest.mark.parametrize(
    ("name", "expected"),
    [("cron-never", {}), ("ok-cross-is-parallel", {"a": 2}), ("cron-utc", {"nightly": 2})],
)
def test_jobs_of_other_cases(name: str, expected: dict[str, int]) -> None:
    assert jobs(case(name)[1]) == expected
