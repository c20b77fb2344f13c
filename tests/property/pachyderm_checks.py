"""What must hold of any log of commits, jobs, datums, tasks and workers: each rule a function."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import pairwise

from sim.model.log import JobState, TaskEnd
from sim.model.pipelines import Combine, CombinedInput, Input, Kind, PfsInput, Reprocess
from sim.model.scenario import PipelineLoad, Scenario
from tests.property.ledger import Ledger, Row, peaks

JOB_ENDS = {JobState.SUCCESS, JobState.FAILURE, JobState.KILLED, JobState.UNRUNNABLE}
PHASE_ORDER = [
    JobState.STARTED,
    JobState.PARALLEL_PLANNED,
    JobState.PARALLEL_DONE,
    JobState.PARALLEL_COLLECTED,
    JobState.BASE_FINISHED,
    JobState.SERIAL_PLANNED,
    JobState.SERIAL_DONE,
    JobState.SERIAL_COLLECTED,
    JobState.FINISHING,
    JobState.SUCCESS,
]


def check_every_commit_makes_its_jobs(ledger: Ledger) -> None:
    """Find one job of every pipeline downstream of a commit, at its instant."""
    repos, pipelines = ledger.log.names["repo"], ledger.log.names["pipeline"]
    jobs: defaultdict[int, list[str]] = defaultdict(list)
    commits = ledger.rows("commits")
    for time_us, pipeline, commit, _ in ledger.rows("jobs"):
        assert time_us == commits[commit][0]
        jobs[commit].append(pipelines[pipeline])
    for commit, (_, repo, _, _) in enumerate(commits):
        assert sorted(jobs[commit]) == sorted(_downstream(ledger.scenario, repos[repo]))


def _downstream(scenario: Scenario, repo: str) -> list[str]:
    reached = {repo}
    for load in scenario.pipelines:  # in topological order here
        reads = set(_repos(load.pipeline.input, load.pipeline.name))
        if reached & reads and load.pipeline.kind is Kind.TRANSFORM:
            reached.add(load.pipeline.name)
    return sorted(reached - {repo})


def _repos(node: Input | None, pipeline: str) -> Iterator[str]:
    if isinstance(node, CombinedInput):
        for child in node.inputs:
            yield from _repos(child, pipeline)
    elif isinstance(node, PfsInput):
        yield node.repo
    elif node is not None:
        yield f"{pipeline}_{node.name}"


def check_jobs_live_in_causal_order(ledger: Ledger) -> None:
    """States follow the order that ``sim.engine.pachyderm.jobs`` tells; a job ends once."""
    histories: defaultdict[int, list[JobState]] = defaultdict(list)
    for _, job, state in ledger.rows("job_states"):
        histories[job].append(JobState(state))
    for job, states in histories.items():
        assert states[0] is JobState.CREATED
        assert states.count(JobState.INPUTS_READY) <= 1
        assert not JOB_ENDS.intersection(states[:-1]), f"job {job} went on after its end"
        begun = [n for n, state in enumerate(states) if state is JobState.STARTED]
        for start, stop in pairwise([*begun, len(states)]):
            later = [s for s in states[start:stop] if s in PHASE_ORDER]
            assert later == PHASE_ORDER[: len(later)], f"job {job}: {later}"
            assert states.index(JobState.INPUTS_READY) < start
        if states[-1] is JobState.SUCCESS:
            assert states[begun[-1] :] == PHASE_ORDER


def check_no_more_jobs_than_the_parallelism(ledger: Ledger) -> None:
    """At most P jobs of a pipeline are admitted and not ended; a lost master admits anew."""
    of = ledger.log["jobs"].column("pipeline").tolist()
    admitted: defaultdict[int, set[int]] = defaultdict(set)
    for _, job, state in ledger.rows("job_states"):
        now = admitted[of[job]]
        if state == JobState.ADMITTED:
            now.add(job)
        elif state in JOB_ENDS:
            now.discard(job)
        elif state == JobState.RESTARTED:
            pass  # stays admitted if its base failed; if the master died it is admitted again
        assert len(now) <= ledger.scenario.pipelines[of[job]].pipeline.parallelism


def check_datums_are_conserved(ledger: Ledger) -> None:
    """Of a job's datums each is parallel, serial or skipped; only what a failed job left undone is none."""
    ends = {job: JobState(state) for _, job, state in ledger.rows("job_states") if state in JOB_ENDS}
    seen = set()
    for job, parallel, serial, skipped, failed, total, _ in ledger.rows("job_datums"):
        assert job not in seen
        seen.add(job)
        done = parallel + serial + skipped
        assert 0 <= failed <= parallel + serial
        if ends.get(job, JobState.SUCCESS) is JobState.SUCCESS:
            assert (done, failed) == (total, 0), f"job {job}"
        else:
            assert done <= total
            assert (failed > 0) == (ends[job] is JobState.FAILURE) or ends[job] is JobState.KILLED
    finished = {job for job, end in ends.items() if end in (JobState.SUCCESS, JobState.FAILURE)}
    assert finished <= seen


def check_tasks_hold_each_datum_once(ledger: Ledger) -> None:
    """Find each set done once at most, and in a successful job's last batches every datum of a phase."""
    tasks, states = ledger.rows("tasks"), ledger.rows("job_states")
    done = Counter(task for _, task, _, outcome in ledger.rows("task_ends") if outcome == TaskEnd.DONE)
    assert max(done.values(), default=1) == 1, "a set was done twice"
    ends = {job for _, job, state in states if state == JobState.SUCCESS}
    batches: defaultdict[tuple[int, int], defaultdict[int, list[int]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for task, (time_us, job, phase, _) in enumerate(tasks):
        batches[job, phase][time_us].append(task)
    for job, parallel, serial, *_ in ledger.rows("job_datums"):
        for phase, datums in enumerate((parallel, serial)):
            if job in ends:
                last = batches[job, phase][max(batches[job, phase])]
                assert sum(tasks[task][3] for task in last) == datums
                assert all(done[task] == 1 for task in last), f"job {job} succeeded with work left"


def check_workers_take_one_task_at_a_time(ledger: Ledger) -> None:
    """Claims and ends of a worker alternate, between its start and its end; the last may go on."""
    running, ended = ledger.once("pod_running"), ledger.once("pod_ended")
    events = [(time_us, 1, task, pod) for time_us, task, pod in ledger.rows("task_claims")]
    events += [(time_us, 0, task, pod) for time_us, task, pod, _ in ledger.rows("task_ends")]
    claims: defaultdict[int, list[Row]] = defaultdict(list)
    ends: defaultdict[int, list[Row]] = defaultdict(list)
    for time_us, begins, task, pod in events:
        (claims if begins else ends)[pod].append((time_us, task))
    assert ends.keys() <= claims.keys()
    for pod, claimed in claims.items():
        assert len(claimed) - len(ends[pod]) in (0, 1)
        assert running[pod] <= claimed[0][0]
        if pod in ended:
            assert len(ends[pod]) == len(claimed), f"pod {pod} ended with a task in hand"
            assert ends[pod][-1][0] <= ended[pod]
        for (begin_us, task), (end_us, same) in zip(claimed, ends[pod], strict=False):
            assert task == same
            assert begin_us <= end_us
        for (end_us, _), (begin_us, _) in zip(ends[pod], claimed[1:], strict=False):
            assert end_us <= begin_us


def check_a_lost_claim_lapses_before_the_next(ledger: Ledger) -> None:
    """Count a task's claims: one, and one more for each time it was requeued until then."""
    allowed: Counter[int] = Counter(dict.fromkeys(range(len(ledger.log["tasks"])), 1))
    events = [(time_us, 0, task) for time_us, task in ledger.rows("task_requeues")]
    events += [(time_us, 1, task) for time_us, task, _ in ledger.rows("task_claims")]
    for _, claims, task in sorted(events):
        allowed[task] += -1 if claims else 1
        assert allowed[task] >= 0, f"task {task} was claimed before its lease was over"


def check_masters_hold_the_lock_alone(ledger: Ledger) -> None:
    """Find running workers as masters only, the next one a lock's life after the last one's end or kill."""
    running, ended = ledger.once("pod_running"), ledger.once("pod_ended")
    source = ledger.log["pods"].column("source").tolist()
    killed = {
        (time_us, pod)
        for time_us, _, pod, outcome in ledger.rows("task_ends")
        if outcome == TaskEnd.OOM_KILLED
    }
    lock_us = ledger.scenario.pachyderm.master_lock_us
    by_pipeline: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    for time_us, pipeline, pod in ledger.rows("masters"):
        assert running[pod] <= time_us <= ended.get(pod, time_us)
        assert ledger.log.names["source"][source[pod]] == ledger.log.names["pipeline"][pipeline]
        by_pipeline[pipeline].append((time_us, pod))
    for masters in by_pipeline.values():
        for (begun_us, pod), (next_us, _) in pairwise(masters):
            ends = [at_us for at_us, who in killed if who == pod and at_us >= begun_us]
            ends += [ended[pod]] if pod in ended else []
            assert min(ends) + lock_us <= next_us


def check_replicas(ledger: Ledger) -> None:
    """Targets lie within the parallelism; live pods of a pipeline are never more than its target."""
    targets: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    for time_us, pipeline, target in ledger.rows("replicas"):
        spec = ledger.scenario.pipelines[pipeline].pipeline
        assert 0 <= target <= spec.parallelism
        assert spec.autoscaling or target == spec.parallelism
        targets[pipeline].append((time_us, target))
    ended = ledger.once("pod_ended")
    names = ledger.log.names
    for pipeline, name in enumerate(names["pipeline"]):
        source = names["source"].index(name)
        changes = []
        for pod, (time_us, _, of, _) in enumerate(ledger.rows("pods")):
            if of == source:
                changes.append((time_us, 1))
                if pod in ended:
                    changes.append((ended[pod], -1))
        rows = targets[pipeline]
        for (from_us, target), (until_us, _) in pairwise([*rows, (ledger.log.end_us, 0)]):
            before = sum(change for at_us, change in changes if at_us <= from_us)
            later = [(at_us, change) for at_us, change in changes if from_us < at_us < until_us]
            assert before + max(peaks(later), default=0) <= target or before <= target >= max(
                (before + load for load in peaks(later)), default=before
            )


def check_totals_of_jobs_on_sources(ledger: Ledger) -> None:
    """List every file at its commit for jobs that read sources by ``/*`` (pachyderm.md §3.2)."""
    names = ledger.log.names
    totals = {row[0]: row[5] for row in ledger.rows("job_datums")}
    held: Counter[str] = Counter({repo.name: repo.files for repo in ledger.scenario.repos})
    at_commit: list[Counter[str]] = []
    for _, repo, new, _ in ledger.rows("commits"):
        held[names["repo"][repo]] += new
        at_commit.append(held.copy())
    for job, (_, pipeline, commit, _) in enumerate(ledger.rows("jobs")):
        total = _total(ledger.scenario.pipelines[pipeline], at_commit[commit])
        if total is not None and job in totals:
            assert totals[job] == total, f"job {job}"


def _total(load: PipelineLoad, held: Counter[str]) -> int | None:
    """Return how many datums a pipeline has on these files; None where that takes more than its files."""
    sources = load.pipeline.input
    leaves = sources.inputs if isinstance(sources, CombinedInput) else (sources,)
    counts = []
    for leaf in leaves:
        if not isinstance(leaf, PfsInput) or leaf.glob != "/*" or not leaf.repo.startswith("repo"):
            return None
        counts.append(held[leaf.repo])
    if isinstance(sources, CombinedInput):
        if sources.combine is Combine.CROSS:
            return counts[0] * counts[1]
        return sum(counts) if sources.combine is Combine.UNION else None
    return counts[0]


def check_reprocessing_skips_nothing(ledger: Ledger) -> None:
    of = ledger.log["jobs"].column("pipeline").tolist()
    for job, _, _, skipped, *_ in ledger.rows("job_datums"):
        if ledger.scenario.pipelines[of[job]].pipeline.reprocess is Reprocess.EVERY_JOB:
            assert skipped == 0


CHECKS = [check for name, check in sorted(globals().items()) if name.startswith("check_")]
