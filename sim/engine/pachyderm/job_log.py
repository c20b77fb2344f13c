"""The rows that tell of one pipeline's jobs and their tasks; ``jobs`` says what they mean."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from sim.engine.pachyderm.jobs import SERIAL, base_of
from sim.engine.pachyderm.tasks import Batch

if TYPE_CHECKING:
    from sim.engine.pachyderm.context import PipelineContext
    from sim.engine.pachyderm.datums import DatumSets
    from sim.engine.pachyderm.jobs import Job
    from sim.model.log import JobState


class JobLog:
    """Writes the rows of one pipeline's jobs; jobs and tasks are numbered as they are written."""

    def __init__(self, context: PipelineContext) -> None:
        """Write to the simulation's log."""
        log = context.log
        self._clock = context.clock
        self._pipeline = context.index
        self._jobs, self._tasks, self._datums, states = (
            log[table] for table in ("jobs", "tasks", "job_datums", "job_states")
        )
        self._append_state, self._state_row = states.append, states.row

    def next_job(self) -> int:
        """Return the number that the next job will have."""
        return len(self._jobs)

    def created(self, job: Job, commit_row: int) -> None:
        """Write that a job was created for a source commit."""
        base = base_of(job)
        row = (self._clock.now_us, self._pipeline, commit_row, -1 if base is None else base.id)
        self._jobs.add(row)

    def state(self, job: Job, state: JobState) -> None:
        """Write that a job came to a state."""
        self._append_state(self._state_row(self._clock.now_us, job.id, state))

    def batch(self, job: Job, phase: int, sets: DatumSets) -> Batch:
        """Make a task of each set of a phase, and write them."""
        batch = Batch(job.id, phase, len(self._tasks), sets)
        now_us, job_id, append, row = self._clock.now_us, job.id, self._tasks.append, self._tasks.row
        for begin, end in pairwise(sets.bounds.tolist()):
            append(row(now_us, job_id, phase, end - begin))
        return batch

    def datums(self, job: Job) -> None:
        """Write what became of the datums of a job that is over."""
        plan = job.plan
        assert plan is not None
        done, failed = [0, 0], 0
        for batch in job.batches:
            if batch is not None and not batch.left:
                done[batch.phase] = batch.sets.work.shape[1]
                failed += batch.failed
        skipped = plan.skipped if job.batches[SERIAL] is not None else 0
        base = -1 if job.base is None else job.base.id
        self._datums.add((job.id, *done, skipped, failed, plan.total, base))
