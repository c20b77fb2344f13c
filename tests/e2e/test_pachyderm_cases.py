"""Cases of what makes jobs and datums (``tests/cases/README.md``): each is loaded, run, and counted."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

import sim
from sim.engine.run import simulate
from sim.model.log import EventLog, JobState
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


def latencies(log: EventLog) -> list[float]:
    """Return the seconds from creation to success of each job that succeeded."""
    states = log["job_states"]
    rows = zip(*(states.column(name).tolist() for name in ("time_us", "job", "state")), strict=True)
    begun = log["jobs"].column("time_us").tolist()
    return [(time_us - begun[job]) / 1e6 for time_us, job, state in rows if state == JobState.SUCCESS]


def test_sets_before_2_4_are_sized_by_their_phase() -> None:
    """Ten new datums of 1,010 are ten tasks on five workers before 2.4.0, one task since."""
    _, log = case("sets-before-2-4")
    assert 120 <= min(latencies(log)) < 200
    _, since = case("sets-before-2-4", "pachyderm.version='2.4'")
    assert min(latencies(since)) > 600


def test_an_err_cmd_lets_no_job_fail() -> None:
    scenario, log = case("err-cmd-recovers")
    assert len(latencies(log)) == len(log["jobs"]) == 22
    assert any("errCmd" in warning for warning in scenario.warnings)
    failed = case("err-cmd-recovers", "pipelines[a].recovers=false")[1]
    assert len(latencies(failed)) < 22


def test_egress_keeps_the_job_and_its_workers() -> None:
    scenario, log = case("egress-holds-workers")
    assert any("egress" in warning for warning in scenario.warnings)
    held, longer = case("egress-holds-workers", "pipelines[a].egress_time=20m")
    assert not any("egress" in warning for warning in held.warnings)
    assert latencies(longer)[0] == pytest.approx(latencies(log)[0] + 1_200)

    def scaled_down_us(found: EventLog) -> int:
        rows = found["replicas"]
        return int(rows.column("time_us")[rows.column("target") == 0][0])

    assert scaled_down_us(longer) == scaled_down_us(log) + 1_200_000_000


def test_what_a_volume_in_memory_holds_counts_against_the_limit() -> None:
    _, log = case("memory-volume")
    assert not latencies(log)
    small = case("memory-volume", "pipelines[a].download=100MB")[1]
    assert len(latencies(small)) == len(small["jobs"]) == 2


def test_memory_that_neighbours_use_is_told_with_its_arithmetic() -> None:
    scenario, _ = case("memory-of-neighbours")
    (told,) = [warning for warning in scenario.warnings if "overcommitted" in warning]
    assert "8 workers of a" in told
    assert "50,176 of 29,317 MiB" in told  # 8 x (6 GiB + 128 MiB) of an m5.2xlarge's allocatable


def test_the_community_edition_has_limits_up_to_2_11() -> None:
    name = "community-edition-limits"
    (told,) = [warning for warning in case(name)[0].warnings if "community edition" in warning]
    assert "a has 16 workers, above its limit of 8" in told
    assert not sim.load(CASES / name / "scenario.yaml", ["pachyderm.edition=enterprise"]).warnings
    assert not sim.load(CASES / name / "scenario.yaml", ["pachyderm.version='2.12'"]).warnings
    with pytest.raises(sim.SimError, match="community edition"):
        sim.load(CASES / name / "scenario.yaml", ["pachyderm.edition=community"])


def test_cluster_defaults_are_merged_under_the_whole_spec() -> None:
    scenario, log = case("cluster-defaults-autoscaling")
    (load,) = scenario.pipelines
    assert load.pipeline.autoscaling
    assert load.pod_class.node_selector == (("pool", "work"),)
    assert log["replicas"].column("target").tolist()[-1] == 0


def test_a_pod_that_kubernetes_refuses_is_told_whole_and_once() -> None:
    with pytest.raises(sim.SimError) as error:
        case("limit-below-default-request")
    assert str(error.value).count("pipelines[a]") == 1
    assert "more cpu" in str(error.value)
    assert "more memory" in str(error.value)


def test_a_gpu_type_is_the_name_of_a_resource() -> None:
    """One device on inf2.xlarge, none on g5.xlarge, whose GPU has another name."""
    (pod,) = sim.size(
        CASES / "accelerator-type" / "a.json", instance_types=["inf2.xlarge", "inf2.24xlarge", "g5.xlarge"]
    )
    assert [(offer.instance_type, offer.pods) for offer in pod.nodes] == [
        ("inf2.xlarge", 1),
        ("inf2.24xlarge", 6),
        ("g5.xlarge", 0),
    ]
