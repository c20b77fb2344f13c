"""Jobs against pachyderm.md §3: admission, phases, base jobs, failures, and the edges of a DAG."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sim.model.arrivals import TraceArrivals
from sim.model.distributions import Constant, Empirical
from sim.model.log import JobState, PodEnd, TaskEnd
from sim.model.pipelines import Combine, CombinedInput, DatumSetSpec, PfsInput, Reprocess
from sim.model.scenario import PachydermOptions
from sim.model.units import SECOND
from tests.unit.engine.rig import PROMPT, Run, a_load, a_repo, a_scenario, assemble, run, times

ONE_BY_ONE = {"datum_set_spec": DatumSetSpec(number=1)}


def final(found: Run, job: int) -> JobState:
    return found.job(job)[-1][1]


def outcomes(found: Run, outcome: TaskEnd) -> int:
    return sum(row[3] == outcome for row in found.table("task_ends"))


def a_trace(*rows: tuple[int, float]) -> TraceArrivals:
    """Return commits of one datum: (when, its seconds)."""
    none = (0,) * len(rows)
    times_us = tuple(when * SECOND for when, _ in rows)
    seconds = tuple(datum_s for _, datum_s in rows)
    return TraceArrivals("trace", times_us, (1,) * len(rows), seconds, none, none, none)


def test_at_least_two_tasks_even_if_everything_is_skipped() -> None:
    images = a_repo(files=100, commits=times(100), new_per_commit=Constant(0))
    found = run(a_scenario([images], [a_load()]))
    assert (found.tasks(0, 0), found.tasks(0, 1)) == ([0], [0])
    assert found.table("job_datums") == [(0, 0, 0, 100, 0, 100, -1)]
    assert found.when(JobState.SUCCESS) == 160  # a worker's cold start, for nothing


def test_new_datums_in_the_parallel_phase_changed_ones_in_the_serial_phase() -> None:
    images = a_repo(
        files=100, commits=times(100), new_per_commit=Constant(6), changed_per_commit=Constant(50)
    )
    found = run(a_scenario([images], [a_load(parallelism=1, datum_s=Constant(1))]))
    # k = 106 // 4 in the parallel phase, (106 - 50) // 4 in the serial one: what is skipped is known then
    assert found.tasks(0, 0) == [6]
    assert found.tasks(0, 1) == [14, 14, 14, 8]
    assert found.table("job_datums") == [(0, 6, 50, 50, 0, 106, -1)]
    assert found.when(JobState.PARALLEL_DONE) == 166
    assert found.when(JobState.SERIAL_DONE) == 216


def test_reprocessing_every_job_skips_nothing() -> None:
    images = a_repo(files=10, commits=times(100), new_per_commit=Constant(2))
    found = run(a_scenario([images], [a_load(spec={"reprocess": Reprocess.EVERY_JOB})]))
    assert found.table("job_datums") == [(0, 2, 10, 0, 0, 12, -1)]


def test_a_glob_of_everything_is_one_datum_that_changes() -> None:
    images = a_repo(commits=times(100, 200, 300), new_per_commit=Constant(7))
    found = run(a_scenario([images], [a_load(reads=PfsInput("images", "/"))]))
    assert [row[1:6] for row in found.table("job_datums")] == [
        (1, 0, 0, 0, 1),
        (0, 1, 0, 0, 1),
        (0, 1, 0, 0, 1),
    ]


def test_up_to_p_jobs_overlap_but_serial_phases_come_one_after_the_other() -> None:
    """Two jobs at once on two workers; the third is admitted when the first is finished."""
    images = a_repo(commits=times(100, 100, 100))
    load = a_load(parallelism=2, autoscaling=False, datum_s=Constant(100))
    slow = replace(PROMPT, compaction_s=Constant(30))
    found = run(a_scenario([images], [load], options=slow))
    assert [found.when(JobState.ADMITTED, job) for job in range(3)] == [100, 100, 230]
    assert [found.when(JobState.PARALLEL_DONE, job) for job in range(3)] == [200, 200, 330]
    assert found.when(JobState.BASE_FINISHED, 1) == found.when(JobState.SUCCESS, 0) == 230
    assert found.when(JobState.SUCCESS, 1) == 260
    assert [row[6] for row in found.table("job_datums")] == [-1, 0, 1]


def test_workers_alternate_between_jobs() -> None:
    images = a_repo(commits=times(100, 100), new_per_commit=Constant(3))
    load = a_load(parallelism=2, autoscaling=False, spec=ONE_BY_ONE)
    found = run(a_scenario([images], [load]))
    jobs = [row[1] for row in found.table("tasks")]
    claimed = [(row[0] // SECOND, jobs[row[1]], row[2]) for row in found.table("task_claims")]
    first_worker = [job for second, job, pod in claimed if pod == 0 and second < 130]
    assert first_worker == [0, 1, 0]


def test_a_job_without_inputs_keeps_later_ones_waiting() -> None:
    """B reads A's output and a repository: A is slow, so commits to the repository wait behind it."""
    both = CombinedInput(Combine.UNION, (PfsInput("slow", "/*"), PfsInput("quick", "/*")))
    loads = [
        a_load("slow", reads="images", datum_s=Constant(1_000), autoscaling=False),
        a_load("both", reads=both, datum_s=Constant(1), autoscaling=False),
    ]
    repos = [a_repo(commits=times(500)), a_repo("quick", commits=times(100, 600))]
    found = run(a_scenario(repos, loads))
    of_both = [row for row, job in enumerate(found.table("jobs")) if job[1] == 1]
    assert [found.when(JobState.CREATED, job) for job in of_both] == [100, 500, 600]
    assert [found.when(JobState.STARTED, job) for job in of_both] == [100, 1_500, 1_500]
    # the commit to quick of 600 s reads the output commit that was open then: it waits for the same input
    assert [found.when(JobState.INPUTS_READY, job) for job in of_both] == [100, 1_500, 1_500]


def test_downstream_jobs_are_created_with_the_source_commit_and_start_when_its_output_is_finished() -> None:
    loads = [a_load("edges", outputs_per_datum=2), a_load("montage", reads="edges")]
    options = replace(PROMPT, compaction_s=Constant(5))
    found = run(a_scenario([a_repo(commits=times(100))], loads, options=options))
    assert [found.when(JobState.CREATED, job) for job in (0, 1)] == [100, 100]
    assert [row[2] for row in found.table("jobs")] == [0, 0]
    assert found.when(JobState.SUCCESS, 0) == 175
    assert found.when(JobState.INPUTS_READY, 1) == 175
    assert found.when(JobState.STARTED, 1) == 235  # its own cold start
    assert [row[1] for row in found.table("job_datums")] == [1, 2]


def test_what_is_there_at_the_start_was_processed_all_the_way_down() -> None:
    loads = [a_load("edges", outputs_per_datum=3), a_load("montage", reads="edges")]
    images = a_repo(files=10, commits=times(100), new_per_commit=Constant(1), changed_per_commit=Constant(2))
    found = run(a_scenario([images], loads))
    assert [row[1:6] for row in found.table("job_datums")] == [(1, 2, 8, 0, 11), (3, 6, 24, 0, 33)]


def test_a_failed_datum_fails_the_job_after_the_phase_and_all_that_depends_on_it() -> None:
    """Every attempt exceeds the datum timeout of 4 s: three tries, then all other sets, then failure."""
    spec = {"datum_timeout_us": 4 * SECOND, **ONE_BY_ONE}
    first = a_load("edges", datum_s=Empirical((2.0, 10.0)), parallelism=1, spec=spec)
    loads = [first, a_load("montage", reads="edges")]
    images = a_repo(commits=times(100), new_per_commit=Constant(8))
    found = run(a_scenario([images], loads))
    failed = found.table("job_datums")[0][4]
    assert 0 < failed < 8
    assert found.when(JobState.PARALLEL_DONE) == 160 + 12 * failed + 2 * (8 - failed)
    assert final(found, 0) is JobState.FAILURE
    assert found.tasks(0, 1) == []
    # woken only to record it: one cold start, then standby
    assert final(found, 1) is JobState.UNRUNNABLE
    assert found.when(JobState.UNRUNNABLE, 1) == found.when(JobState.FAILURE, 0) + 60
    assert [target for _, target in found.replicas(1)] == [1, 0]
    assert JobState.STARTED not in [state for _, state in found.job(1)]


def test_after_a_failure_the_next_job_runs_everything_since_the_last_success_again() -> None:
    """The second commit's datum times out in its job and in the next one, which runs the third's too."""
    spec = {"datum_timeout_us": 20 * SECOND, "datum_tries": 1}
    commits = a_trace((100, 5.0), (1_000, 50.0), (2_000, 5.0))
    found = run(a_scenario([a_repo(commits=commits)], [a_load(datum_s=None, spec=spec)]))
    assert [final(found, job) for job in range(3)] == [JobState.SUCCESS, JobState.FAILURE, JobState.FAILURE]
    assert [row[1:] for row in found.table("job_datums")] == [
        (1, 0, 0, 0, 1, -1),
        (1, 0, 0, 1, 2, 0),
        (2, 0, 0, 1, 3, 0),
    ]
    assert found.when(JobState.PARALLEL_DONE, 1) == 1_060 + 20
    assert found.when(JobState.PARALLEL_DONE, 2) == 2_060 + 20 + 5  # two sets on one worker


def test_a_failed_base_job_makes_its_successor_plan_again() -> None:
    spec = {"datum_timeout_us": 200 * SECOND, "datum_tries": 1}
    trace = a_trace((100, 500.0), (100, 5.0))
    load = a_load(datum_s=None, spec=spec, autoscaling=False)
    options = replace(PROMPT, job_restart_s=Constant(0.5))
    found = run(a_scenario([a_repo(commits=trace)], [load], options=options))
    states = [state for _, state in found.job(1)]
    assert states.count(JobState.STARTED) == 2
    assert found.when(JobState.RESTARTED, 1) == found.when(JobState.FAILURE, 0) == 300
    assert found.when(JobState.STARTED, 1) == 300.5
    # without a base it has the failed job's datum as well, which fails again
    assert found.table("job_datums")[1] == (1, 2, 0, 0, 1, 2, -1)


def test_job_timeout_counts_from_started_and_stops_workers_at_once() -> None:
    images = a_repo(commits=times(100), new_per_commit=Constant(40))
    found = run(a_scenario([images], [a_load(spec={"job_timeout_us": 100 * SECOND})]))
    assert found.when(JobState.STARTED) == 160
    assert final(found, 0) is JobState.KILLED
    assert found.when(JobState.KILLED) == 260
    assert outcomes(found, TaskEnd.JOB_ENDED) == 5
    assert found.replicas()[-1] == (260, 0)


def test_job_timeout_runs_until_the_output_is_finished() -> None:
    """Registry.go (StartJob): the timer stops when superviseJob returns, which awaits FINISHED.

    FinishCommit on a commit that is finishing is refused (pfs driver.go), so its readers get what is there.
    """
    slow = replace(PROMPT, compaction_s=Constant(60))
    images = a_repo(commits=times(100), new_per_commit=Constant(1))
    loads = [
        a_load("a", autoscaling=False, datum_s=Constant(20), spec={"job_timeout_us": 50 * SECOND}),
        a_load("b", autoscaling=False, datum_s=Constant(1), reads=PfsInput("a", "/*")),
    ]
    found = run(a_scenario([images], loads, options=slow))
    assert found.when(JobState.FINISHING) == 120
    assert (final(found, 0), found.when(JobState.KILLED)) == (JobState.KILLED, 150)
    assert found.when(JobState.INPUTS_READY, 1) == 180
    assert final(found, 1) is JobState.SUCCESS


def test_preprocessing_grows_with_all_datums_and_takes_one_phase_at_a_time() -> None:
    options = replace(PROMPT, preprocessing_s=Constant(1), preprocessing_per_datum_s=0.01)
    loads = [a_load(name, autoscaling=False, datum_s=Constant(0)) for name in ("a", "b")]
    images = a_repo(files=1_000, commits=times(100))
    found = run(a_scenario([images], loads, options=options))
    assert found.when(JobState.PARALLEL_PLANNED, 0) == pytest.approx(111.01)
    assert found.when(JobState.PARALLEL_PLANNED, 1) == pytest.approx(122.02)
    assert found.when(JobState.SERIAL_PLANNED, 0) == pytest.approx(133.03)


def test_the_master_stores_one_result_after_the_other() -> None:
    """Forty sets of 0.1 s on five workers are done in 0.8 s; at 50 ms each the master needs 2 s."""
    options = replace(PROMPT, task_overhead_s=Constant(0.05))
    images = a_repo(commits=times(100), new_per_commit=Constant(40))
    load = a_load(autoscaling=False, datum_s=Constant(0.1), spec=ONE_BY_ONE)
    found = run(a_scenario([images], [load], options=options))
    assert found.when(JobState.PARALLEL_DONE) == pytest.approx(100.8)
    assert found.when(JobState.PARALLEL_COLLECTED) == pytest.approx(100.1 + 40 * 0.05)


def test_compaction_takes_longer_for_more_output() -> None:
    options = replace(PachydermOptions(), compaction_s=Constant(2), compaction_bytes_per_s=1e6)
    images = a_repo(commits=times(100), new_per_commit=Constant(3))
    found = run(a_scenario([images], [a_load(upload_bytes=Constant(1e6))], options=options))
    assert found.when(JobState.SUCCESS) - found.when(JobState.FINISHING) == pytest.approx(5)


@pytest.mark.parametrize(
    ("version", "awaited"), [("2.11", JobState.FINISHING), ("pre-2.5", JobState.SUCCESS)]
)
def test_standby_comes_before_compaction_since_2_5(version: str, awaited: JobState) -> None:
    """pachyderm.md §2.4 (PR #8464)."""
    options = replace(PROMPT, version=version, compaction_s=Constant(60), standby_s=Constant(1))
    images = a_repo(commits=times(100), new_per_commit=Constant(1))
    found = run(a_scenario([images], [a_load()], options=options))
    assert found.replicas()[-1] == (found.when(awaited) + 1, 0)


@pytest.mark.parametrize(("cap", "seconds"), [(None, 10.0), (2e6, 25.0), (20e6, 10.0)])
def test_transfers_share_a_cap(cap: float | None, seconds: float) -> None:
    """Five sets of 10 MB, at most 1 MB/s each: 50 MB through 2 MB/s take 25 s, and all end together."""
    options = replace(PROMPT, transfer_bytes_per_s=1e6, transfer_cap_bytes_per_s=cap)
    images = a_repo(commits=times(100), new_per_commit=Constant(5))
    load = a_load(autoscaling=False, datum_s=Constant(0), download_bytes=Constant(10e6), spec=ONE_BY_ONE)
    found = run(a_scenario([images], [load], options=options))
    ends = [row[0] / SECOND for row in found.table("task_ends")]
    assert ends[:5] == pytest.approx([100 + seconds] * 5)


def test_what_computes_leaves_the_cap_to_others() -> None:
    """Processor sharing by hand: two workers, 1 MB/s in all, datums of 4 MB down, 6 s and 2 MB up.

    The first downloads alone from 100 to 102, when the second job begins; then both at half the rate: it
    has its last 2 MB at 106, the second alone from there its last 2 MB at 108. Uploads do not meet:
    112 to 114, and 114 to 116.
    """
    options = replace(PROMPT, transfer_bytes_per_s=1e6, transfer_cap_bytes_per_s=1e6)
    images = a_repo(commits=times(100, 102))
    load = a_load(
        parallelism=2,
        autoscaling=False,
        datum_s=Constant(6),
        download_bytes=Constant(4e6),
        upload_bytes=Constant(2e6),
    )
    found = run(a_scenario([images], [load], options=options))
    assert found.when(JobState.PARALLEL_DONE, 0) == pytest.approx(114)
    assert found.when(JobState.PARALLEL_DONE, 1) == pytest.approx(116)


def test_a_lost_worker_leaves_its_share_of_the_cap() -> None:
    """Two sets of 10 MB through 1 MB/s: the second worker dies at 110, the first has 5 MB left alone."""
    options = replace(PROMPT, transfer_bytes_per_s=1e6, transfer_cap_bytes_per_s=1e6)
    images = a_repo(commits=times(100), new_per_commit=Constant(2))
    load = a_load(
        parallelism=2,
        autoscaling=False,
        datum_s=Constant(0),
        download_bytes=Constant(10e6),
        spec=ONE_BY_ONE,
    )
    rig = assemble(a_scenario([images], [load], options=options))
    rig.at(110, lambda: rig.state.evict(rig.workers()[1], PodEnd.NODE_GONE))
    ends = [row[0] / SECOND for row in rig.run().table("task_ends")]
    assert ends[:2] == pytest.approx([110, 115])


def test_cross_input_pairs_everything() -> None:
    crossed = CombinedInput(Combine.CROSS, (PfsInput("a", "/*"), PfsInput("b", "/*")))
    repos = [a_repo("a", files=4, commits=times(100)), a_repo("b", files=3)]
    found = run(a_scenario(repos, [a_load(reads=crossed)]))
    assert found.table("job_datums") == [(0, 3, 0, 12, 0, 15, -1)]


def test_sets_by_size() -> None:
    images = a_repo(commits=times(100), new_per_commit=Constant(10))
    load = a_load(download_bytes=Constant(100), spec={"datum_set_spec": DatumSetSpec(size_bytes=250)})
    found = run(a_scenario([images], [load]))
    assert found.tasks() == [3, 3, 3, 1]
