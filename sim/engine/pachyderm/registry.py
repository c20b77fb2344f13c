"""The registry: how a pipeline's master admits jobs and takes them through their phases.

What happens when, and which rows say so, stands in ``sim.engine.pachyderm.jobs``.

Source: pachyderm/pachyderm v2.11.6, src/server/worker/pipeline/transform/registry.go; pachyderm.md §3 and §4.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from sim.decisions.pachyderm.requests import standby_awaits_compaction
from sim.engine.clock import Phase
from sim.engine.pachyderm.job_log import JobLog
from sim.engine.pachyderm.jobs import PARALLEL, SERIAL, Job, Planner, base_of
from sim.engine.pachyderm.master_lock import MasterLock
from sim.model.log import JobState
from sim.model.units import SECOND

if TYPE_CHECKING:
    from sim.engine.clock import Call
    from sim.engine.pachyderm.context import PipelineContext
    from sim.engine.pachyderm.controller import Controller
    from sim.engine.pachyderm.datums import DatumModel
    from sim.engine.pachyderm.preprocessing import Preprocessing
    from sim.engine.pachyderm.repos import Commit
    from sim.engine.pachyderm.tasks import Batch

CONTROLLERS = Phase.CONTROLLERS
PLANNED = (JobState.PARALLEL_PLANNED, JobState.SERIAL_PLANNED)
DONE = (JobState.PARALLEL_DONE, JobState.SERIAL_DONE)
COLLECTED = (JobState.PARALLEL_COLLECTED, JobState.SERIAL_COLLECTED)


class Registry:
    """The jobs of one pipeline, and the master that runs them when there is one."""

    def __init__(
        self,
        context: PipelineContext,
        model: DatumModel,
        controller: Controller,
        preprocessing: Preprocessing,
        finish: Callable[[Commit], None],
    ) -> None:
        """Start without jobs; ``finish`` tells the DAG that an output commit is finished."""
        self.spec = context.spec
        self.load = context.load
        self.options = context.options
        self.clock = context.clock
        self.log = context.log
        self.planner = Planner(context, model)
        self.model = model
        self.workers = workers = controller.workers
        self.preprocessing = preprocessing
        self.controller = controller
        self.finish = finish
        self._awake_until_finished = standby_awaits_compaction(self.options.version)
        self._compaction = context.delays("compaction", self.options.compaction_s)
        self._egressing = context.delays("egress", context.load.egress_s)
        self._restart = context.delays("job-restart", self.options.job_restart_s)
        self._job_log = JobLog(context)
        self._note = self._job_log.state
        self._master = MasterLock(context, self._master_begins, self._master_died)
        workers.on_up = self._master.worker_up
        workers.on_down = self._master.worker_down
        workers.on_all_down = self._master.all_down
        workers.on_done = self._tasks_done
        self.newest: Job | None = None
        self._queue: deque[Job] = deque()  # not admitted, oldest first
        self._blocked: Job | None = None  # admitted, and waiting for its inputs
        self._active: dict[int, Job] = {}  # started and not over, by id
        self._places = 0
        self._epoch = 0

    # -- creation and inputs ----------------------------------------------------------------

    def begin_with(self, inputs: list[Commit], output: Commit) -> None:
        """Take as done what the inputs hold at the start; the output holds its result."""
        job = Job(-1, inputs, output, None, 0.0)
        datums = self.planner.plan(inputs, None).total
        if datums:
            output.fill(None, datums * self.load.outputs_per_datum, 0, 0)
            output.ordinal = 1
            job.over = job.ended = True
            self.newest = job

    def create(self, commit_row: int, inputs: list[Commit], output: Commit, trace_s: float) -> Job:
        """Create the job of an output commit that was opened."""
        job = Job(self._job_log.next_job(), inputs, output, self.newest, trace_s)
        self.newest = job
        self._job_log.created(job, commit_row)
        self._note(job, JobState.CREATED)
        for commit in inputs:
            if not commit.finished:
                commit.waiting.append(partial(self._input_finished, job))
                job.missing += 1
        self._queue.append(job)
        return job

    def _input_finished(self, job: Job) -> None:
        job.missing -= 1
        if not job.missing:
            self.inputs_ready(job)

    def inputs_ready(self, job: Job) -> None:
        """Note that all of a job's inputs are finished."""
        self._note(job, JobState.INPUTS_READY)
        self.controller.job_ready(job)
        if job is self._blocked:
            self._blocked = None
            self._start(job)
        if self._master.holder is not None:
            self._admit()

    # -- the master -------------------------------------------------------------------------

    def _master_begins(self) -> None:
        self._places = self.spec.parallelism
        self._admit()

    def _master_died(self) -> None:
        """Stop all jobs that a master had; the next one finds them first in the queue."""
        self._epoch += 1
        for job in self._active.values():
            self._interrupt(job)
        admitted = [*self._active.values()]
        if self._blocked is not None:
            admitted.append(self._blocked)
        self._queue.extendleft(reversed(admitted))
        self._active.clear()
        self._blocked = None

    # -- admission --------------------------------------------------------------------------

    def _admit(self) -> None:
        """Admit jobs in order while there is a master and a place; one without inputs blocks the rest."""
        while self._master.holder is not None and self._queue and self._places and self._blocked is None:
            job = self._queue.popleft()
            self._places -= 1
            job.epoch = self._epoch
            self._note(job, JobState.ADMITTED)
            if job.missing:
                self._blocked = job
            else:
                self._start(job)

    def _start(self, job: Job) -> None:
        for commit in job.inputs:
            if commit.failed:
                self._end(job, JobState.UNRUNNABLE)
                return
        self._active[job.id] = job
        if job.started_us < 0:
            job.started_us = self.clock.now_us
            if self.spec.job_timeout_us is not None:
                due_us = job.started_us + self.spec.job_timeout_us
                job.timeout = self.clock.at(due_us, CONTROLLERS, self._timed_out, job)
        self._load(job)

    def _load(self, job: Job) -> None:
        self._note(job, JobState.STARTED)
        base = base_of(job)
        if job.plan is None or base is not job.base:
            job.base = base
            job.plan = self.planner.plan(job.inputs, base)
            job.batches = [None, None]
        self._preprocess(job, PARALLEL)

    def _release(self, job: Job) -> None:
        """Give a job's place to the next one."""
        if job.epoch == self._epoch:
            self._places += 1
            self._admit()

    # -- phases -----------------------------------------------------------------------------

    def _preprocess(self, job: Job, phase: int) -> None:
        job.current = phase
        batch = job.batches[phase]
        if batch is not None:  # planned before the master died
            for index in reversed(batch.waiting):
                self.log["task_requeues"].add((self.clock.now_us, batch.first_task + index))
            self._issue(job, batch)
            return
        assert job.plan is not None
        listed = 0 if phase is SERIAL and job.base is None else job.plan.total
        job.call = self.preprocessing.submit(listed, self._preprocessed, job)

    def _preprocessed(self, call: Call[Job]) -> None:
        job = call.argument
        job.call = None
        sets = self.planner.sets(job, job.current)
        self._issue(job, self._job_log.batch(job, job.current, sets))

    def _issue(self, job: Job, batch: Batch) -> None:
        """Publish a batch's tasks that are not done; results that are come from the cache."""
        self._note(job, PLANNED[batch.phase])
        job.batches[batch.phase] = batch
        batch.collected_us = self.clock.now_us
        for _ in range(batch.size - batch.left):
            batch.collected_us += self.workers.overhead.next_us()
        self._count_keys(job, batch.left)
        if batch.left:
            self.workers.publish(batch)
        else:
            self._tasks_done(batch)

    def _tasks_done(self, batch: Batch) -> None:
        job = self._active[batch.number]
        self._note(job, DONE[batch.phase])
        job.call = self.clock.at(batch.collected_us, CONTROLLERS, self._collected, job)

    def _collected(self, call: Call[Job]) -> None:
        job = call.argument
        job.call = None
        batch = job.batches[job.current]
        assert batch is not None
        self._count_keys(job, 0)
        self._note(job, COLLECTED[job.current])
        if batch.failed:
            self._end(job, JobState.FAILURE)
        elif job.current == PARALLEL:
            self._await_base(job)
        else:
            self._egress(job)

    def _egress(self, job: Job) -> None:
        """Egress before FINISHING: pachd moves the output, and the workers stay (processJobEgressing)."""
        took_us = self._egressing.next_us()
        if not took_us:
            self._finishing(job)
        else:
            job.call = self.clock.at(self.clock.now_us + took_us, CONTROLLERS, self._egressed, job)

    def _egressed(self, call: Call[Job]) -> None:
        call.argument.call = None
        self._finishing(call.argument)

    def _await_base(self, job: Job) -> None:
        base = job.base
        if base is not None and base.failed:
            self._restart_job(job)
        elif base is None or base.ended:
            self._base_finished(job)
        else:
            base.waiters.append(job)

    def _base_finished(self, job: Job) -> None:
        self._note(job, JobState.BASE_FINISHED)
        self._preprocess(job, SERIAL)

    def _restart_job(self, job: Job) -> None:
        self._note(job, JobState.RESTARTED)
        due_us = self.clock.now_us + self._restart.next_us()
        job.call = self.clock.at(due_us, CONTROLLERS, self._restarted, job)

    def _restarted(self, call: Call[Job]) -> None:
        call.argument.call = None
        self._load(call.argument)

    def _interrupt(self, job: Job) -> None:
        """Stop a job whose master died; what a new master issues again is ready."""
        self._note(job, JobState.RESTARTED)
        self._stop_waiting(job)
        job.batches = [None if batch is None else self.workers.supersede(batch) for batch in job.batches]

    def _stop_waiting(self, job: Job) -> None:
        if job.call is not None:
            job.call.cancel()
            job.call = None
        if job.base is not None and job in job.base.waiters:
            job.base.waiters.remove(job)

    # -- ends -------------------------------------------------------------------------------

    def _finishing(self, job: Job) -> None:
        """Hand the output to compaction; the job keeps its place until that is over."""
        base, plan = job.base, job.plan
        assert plan is not None
        per_datum = self.load.outputs_per_datum
        sent = 0.0
        if self.model.upload is not None:
            sent = sum(batch.sets.upload_bytes for batch in job.batches if batch is not None)
        job.output.fill(
            None if base is None else base.output,
            plan.total * per_datum,
            plan.parallel * per_datum,
            plan.serial * per_datum,
            sent,
        )
        job.output.finishing_us = self.clock.now_us
        self._over(job, JobState.FINISHING)
        took_us = self._compaction.next_us()
        if sent:
            took_us += round(sent / self.options.compaction_bytes_per_s * SECOND)
        self.clock.call_at(self.clock.now_us + took_us, CONTROLLERS, self._finished, job)

    def _finished(self, job: Job) -> None:
        self._stop_timeout(job)
        if not job.killed:
            self._note(job, JobState.SUCCESS)
        job.ended = True
        if self._awake_until_finished:
            self.controller.job_over(job)
        job.previous = job.base = None  # no later job looks behind this one
        job.own = [None, None]
        job.batches = [None, None]
        self._release(job)
        waiters, job.waiters = job.waiters, []
        for waiter in waiters:
            self._base_finished(waiter)
        self.finish(job.output)

    def _end(self, job: Job, state: JobState) -> None:
        """End a job without output: nothing is compacted, successors look for another base."""
        job.ended = job.output.failed = True
        self._stop_timeout(job)
        self._over(job, state)
        if state is JobState.FAILURE:
            job.own = [None if own is None else self.model.after_failure(own) for own in job.own]
        job.batches = [None, None]
        self._release(job)
        waiters, job.waiters = job.waiters, []
        for waiter in waiters:
            self._restart_job(waiter)
        self.finish(job.output)

    def _over(self, job: Job, state: JobState) -> None:
        job.over = True
        self._active.pop(job.id, None)
        if job.plan is not None:
            self._job_log.datums(job)
        self._note(job, state)
        if job.ended or not self._awake_until_finished:
            self.controller.job_over(job)

    def _stop_timeout(self, job: Job) -> None:
        if job.timeout is not None:
            job.timeout.cancel()
            job.timeout = None

    def _timed_out(self, call: Call[Job]) -> None:
        """Kill a job, wherever it is; its workers stop at once, the compaction of its output goes on."""
        job = call.argument
        job.timeout = None
        if job.over:
            job.killed = True
            self._note(job, JobState.KILLED)
            return
        self._stop_waiting(job)
        self._count_keys(job, 0)
        if job in self._queue:
            self._queue.remove(job)
        batch = job.batches[job.current]
        if batch is not None and not batch.dead and batch.left:
            self.workers.withdraw(batch)
        self._end(job, JobState.KILLED)

    def _count_keys(self, job: Job, keys: int) -> None:
        if keys != job.keys:
            self.controller.tasks_changed(keys - job.keys)
            job.keys = keys
