"""Whatever the pipelines, the luck and the losses: Pachyderm's books balance and its order holds."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from sim.model.arrivals import PoissonArrivals
from sim.model.distributions import Constant, Lognormal, Poisson, Uniform
from sim.model.log import EventLog, JobState, PodEnd, TaskEnd
from sim.model.pipelines import Combine, CombinedInput, DatumSetSpec, Input, PfsInput
from sim.model.resources import Resources
from sim.model.scenario import PachydermOptions, PipelineLoad, Scenario
from sim.model.units import SECOND
from tests.unit.engine.rig import Rig, a_load, a_repo, a_scenario, assemble

ENDS = {JobState.SUCCESS, JobState.FAILURE, JobState.KILLED, JobState.UNRUNNABLE}
ORDER = [
    JobState.STARTED, JobState.PARALLEL_PLANNED, JobState.PARALLEL_DONE, JobState.PARALLEL_COLLECTED,
    JobState.BASE_FINISHED, JobState.SERIAL_PLANNED, JobState.SERIAL_DONE, JobState.SERIAL_COLLECTED,
    JobState.FINISHING, JobState.SUCCESS,
]  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A scenario, and when which of the pods there are is taken away."""

    scenario: Scenario
    losses_s: list[tuple[int, int]]
    seed: int

    def rig(self) -> Rig:
        rig = assemble(self.scenario, self.seed)
        for second, number in self.losses_s:
            rig.at(second, lambda number=number: take_away(rig, number))  # type: ignore[misc]  # a default to bind
        return rig


def take_away(rig: Rig, number: int) -> None:
    placed = [pod for node in rig.state.nodes for pod in node.pods]
    if placed:
        rig.state.evict(placed[number % len(placed)], PodEnd.SPOT_INTERRUPTED)


@st.composite
def loads(draw: st.DrawFn) -> list[PipelineLoad]:
    """Draw a source's pipeline, perhaps one below it, and perhaps one that reads both."""
    both = CombinedInput(Combine.UNION, (PfsInput("first", "/*"), PfsInput("images", "/*")))
    found = []
    inputs: list[tuple[str, Input]] = [
        ("first", PfsInput("images", "/*")),
        ("second", PfsInput("first", "/")),
        ("both", both),
    ]
    for name, reads in inputs:
        spec = {
            "datum_set_spec": draw(
                st.sampled_from([None, DatumSetSpec(number=2), DatumSetSpec(per_worker=1)])
            ),
            "datum_tries": draw(st.integers(1, 3)),
            "job_timeout_us": draw(st.sampled_from([None, 400 * SECOND])),
        }
        found.append(
            a_load(
                name,
                reads=reads,
                datum_s=Lognormal(median=5.0, p95=30.0),
                parallelism=draw(st.integers(1, 4)),
                autoscaling=draw(st.booleans()),
                failure=draw(st.sampled_from([0.0, 0.05])),
                memory_peak_mib=draw(st.sampled_from([None, Uniform(100, 1_000)])),
                memory_limit_mib=draw(st.sampled_from([None, 990])),
                upload_bytes=draw(st.sampled_from([Constant(0), Constant(5e7)])),
                spec=spec,
            )
        )
    return found[: draw(st.integers(1, 3))]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    images = a_repo(
        files=draw(st.sampled_from([0, 30])),
        commits=PoissonArrivals(1 / draw(st.sampled_from([50.0, 300.0]))),
        new_per_commit=Poisson(6),
        changed_per_commit=draw(st.sampled_from([Constant(0), Poisson(2)])),
    )
    options = PachydermOptions(oom_kills_container=draw(st.sampled_from([None, False])))
    node = Resources(cpu_m=draw(st.sampled_from([4_000, 20_000])), memory_mib=100_000)
    scenario = a_scenario(
        [images], draw(loads()), options=options, node=node, cold_start_s=20, horizon_s=2_500
    )
    losses = draw(st.lists(st.tuples(st.integers(50, 2_400), st.integers(0, 50)), max_size=6))
    return Case(scenario, losses, draw(st.integers(0, 10**6)))


def by_job(log: EventLog) -> dict[int, list[tuple[int, JobState]]]:
    found: dict[int, list[tuple[int, JobState]]] = defaultdict(list)
    for time_us, job, state in log["job_states"].rows().tolist():
        found[job].append((time_us, JobState(state)))
    return found


@settings(max_examples=150)
@given(cases())
def test_the_books_balance(case: Case) -> None:
    rig = case.rig()
    rig.clock.run_until(case.scenario.horizon_us)
    rig.state.check()
    assert_tasks_are_claimed_and_end_once(rig.log)
    assert_phases_come_in_order(rig.log)
    assert_datums_are_conserved(rig.log)
    assert_widths_hold(rig.log, case.scenario)


@settings(max_examples=10)
@given(cases())
def test_same_seed_same_log(case: Case) -> None:
    first, second = case.rig(), case.rig()
    first.clock.run_until(case.scenario.horizon_us)
    second.clock.run_until(case.scenario.horizon_us)
    for name in first.log.tables:
        assert first.log[name].rows().tobytes() == second.log[name].rows().tobytes(), name


def assert_tasks_are_claimed_and_end_once(log: EventLog) -> None:
    """Each worker has one task at a time, between its start and its end; no task is done twice."""
    running = dict(log["pod_running"].rows()[:, ::-1].tolist())
    ended = {pod: time_us for time_us, pod, _ in log["pod_ended"].rows().tolist()}
    claims = log["task_claims"].rows().tolist()
    ends = {(task, pod): [] for _, task, pod in claims}  # type: ignore[var-annotated]  # of instants, see below
    done: Counter[int] = Counter()
    for time_us, task, pod, outcome in log["task_ends"].rows().tolist():
        ends[task, pod].append(time_us)
        done[task] += outcome == TaskEnd.DONE
    assert max(done.values(), default=0) <= 1
    free_us: dict[int, int] = {}
    for time_us, task, pod in claims:
        assert running[pod] <= time_us <= ended.get(pod, time_us)
        assert free_us.get(pod, 0) <= time_us
        end_us = ends[task, pod].pop(0) if ends[task, pod] else log.horizon_us
        assert time_us <= end_us <= ended.get(pod, log.horizon_us)
        free_us[pod] = end_us
    assert not any(left for left in ends.values())


def assert_phases_come_in_order(log: EventLog) -> None:
    for states in by_job(log).values():
        assert [time_us for time_us, _ in states] == sorted(time_us for time_us, _ in states)
        reached = [state for _, state in states]
        assert reached[0] is JobState.CREATED
        last = reached[-1]
        assert len([state for state in reached if state in ENDS]) <= 1
        if last is JobState.SUCCESS:
            since = max(n for n, state in enumerate(reached) if state is JobState.STARTED)
            assert [state for state in reached[since:] if state in ORDER] == ORDER
        if last is JobState.UNRUNNABLE:
            assert JobState.STARTED not in reached


def assert_datums_are_conserved(log: EventLog) -> None:
    last = {job: states[-1][1] for job, states in by_job(log).items()}
    phase_of = [(job, phase) for _, job, phase, _ in log["tasks"].rows().tolist()]
    done = Counter(
        phase_of[task] for _, task, _, how in log["task_ends"].rows().tolist() if how == TaskEnd.DONE
    )
    for job, parallel, serial, skipped, failed, total, base in log["job_datums"].rows().tolist():
        assert base < job
        assert parallel + serial + skipped <= total
        if last[job] in {JobState.SUCCESS, JobState.FINISHING}:
            assert parallel + serial + skipped == total
            assert failed == 0
            assert done[job, 0] >= 1
            assert done[job, 1] >= 1
        if last[job] is JobState.FAILURE:
            assert 0 < failed <= parallel + serial


def assert_widths_hold(log: EventLog, scenario: Scenario) -> None:
    """Never more replicas than the parallelism, pods than replicas, or jobs started than places."""
    parallelism = [load.pipeline.parallelism for load in scenario.pipelines]
    for _, pipeline, target in log["replicas"].rows().tolist():
        assert 0 <= target <= parallelism[pipeline]
    changes = [(time_us, 1, source) for time_us, _, source, _ in log["pods"].rows().tolist()]
    sources = [source for _, _, source, _ in log["pods"].rows().tolist()]
    changes += [(time_us, -1, sources[pod]) for time_us, pod, _ in log["pod_ended"].rows().tolist()]
    alive: Counter[int] = Counter()
    for _, change, source in sorted(changes):
        alive[source] += change
        assert alive[source] <= parallelism[source]
    pipeline_of = [pipeline for _, pipeline, *_ in log["jobs"].rows().tolist()]
    started: dict[int, set[int]] = defaultdict(set)
    for _, job, state in log["job_states"].rows().tolist():
        jobs = started[pipeline_of[job]]
        if state == JobState.STARTED:
            jobs.add(job)
            assert len(jobs) <= parallelism[pipeline_of[job]]
        elif state in ENDS or state in {JobState.RESTARTED, JobState.FINISHING}:
            jobs.discard(job)


def test_a_changed_cluster_sees_the_same_work() -> None:
    """Half the workers, the same commits and datums: the sum of what tasks take is the same."""
    images = a_repo(commits=PoissonArrivals(1 / 300), new_per_commit=Poisson(20))
    busy = []
    for parallelism in (2, 5):
        load = a_load(datum_s=Lognormal(median=5.0, p95=30.0), parallelism=parallelism, autoscaling=False)
        rig = assemble(a_scenario([images], [load], horizon_s=20_000))
        rig.clock.run_until(rig.scenario.horizon_us)
        log = rig.log
        first_ten = {task for task, row in enumerate(log["tasks"].rows().tolist()) if row[1] < 10}
        took: Counter[int] = Counter()
        for time_us, task, _ in log["task_claims"].rows().tolist():
            took[task] -= time_us
        for time_us, task, *_ in log["task_ends"].rows().tolist():
            took[task] += time_us
        busy.append(sum(took[task] for task in first_ten))
    assert busy[0] > 0
    assert abs(busy[0] - busy[1]) <= 1_000  # each set rounds to a microsecond
