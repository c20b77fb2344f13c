"""Triggers at work: which commits start jobs, on which branch (pachyderm.md §3.7)."""

from __future__ import annotations

from sim.model.distributions import Constant
from sim.model.log import EventLog
from sim.model.pipelines import Input, PfsInput, Trigger
from sim.model.scenario import Repo
from tests.unit.engine.rig import a_load, a_repo, a_scenario, run, times


def created(log: EventLog) -> dict[str, list[float]]:
    """Return when the jobs of each pipeline were created, in seconds."""
    names, commits = log.names["pipeline"], log["commits"].column("time_us")
    found: dict[str, list[float]] = {}
    rows = zip(log["jobs"].column("pipeline").tolist(), log["jobs"].column("commit").tolist(), strict=True)
    for pipeline, commit in rows:
        found.setdefault(names[pipeline], []).append(float(commits[commit]) / 1e6)
    return found


def read(own: str, **trigger: object) -> Input:
    moved = Trigger(**trigger) if trigger else None  # type: ignore[arg-type]  # as the dataclass has them
    return PfsInput("raw", "/*", branch=own, trigger=moved)


def raw(**fields: object) -> Repo:
    return a_repo("raw", times(100, 200, 300, 400, 500, 600), **fields)


def test_every_third_commit_and_a_chain() -> None:
    loads = [
        a_load("all", read("master")),
        a_load("third", read("thirds", branch="master", commits=3)),
        a_load("sixth", read("sixths", branch="thirds", commits=6)),
        a_load("other", read("other")),
    ]
    log = run(a_scenario([raw()], loads)).log
    assert created(log) == {"all": [100, 200, 300, 400, 500, 600], "third": [300, 600], "sixth": [600]}


def test_size_counts_bytes_since_the_head() -> None:
    load = a_load("large", read("large", branch="master", size_bytes=250))
    log = run(a_scenario([raw(file_bytes=100)], [load])).log
    assert created(log) == {"large": [300, 600]}


def test_a_batch_has_all_that_was_committed_since() -> None:
    load = a_load("batch", read("batches", branch="master", cron="*/5 * * * *"), Constant(1))
    log = run(a_scenario([raw(new_per_commit=Constant(7))], [load])).log
    assert created(log) == {"batch": [300, 600, 900]}
    assert log["job_datums"].column("total").tolist() == [14, 35, 42]


def test_an_outputs_trigger_waits_until_its_commit_is_finished() -> None:
    follow = PfsInput("first", "/*", branch="pairs", trigger=Trigger("master", commits=2))
    loads = [a_load("first", read("master"), Constant(10), autoscaling=False), a_load("second", follow)]
    log = run(a_scenario([raw()], loads, cold_start_s=0)).log
    assert created(log)["second"] == [210, 410, 610]


def test_a_branch_that_does_not_propagate_starts_no_job() -> None:
    quiet = PfsInput("raw", "/*", propagates=False)
    assert created(run(a_scenario([raw()], [a_load("quiet", quiet)])).log) == {}
