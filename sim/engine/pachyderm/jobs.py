"""Jobs: what a pipeline has to do for each commit, and which rows of the log tell of it.

A job is created when the source commit opens. The worker that holds the master lock admits jobs in order, at
most P at once; one whose inputs are not finished keeps those behind it waiting. Each job lists its datums,
runs those its base job does not have (parallel phase), waits until the base job is finished, runs those it
has but not alike (serial phase), and hands its output to compaction. Each phase has at least one task. A
failed datum fails the job at the end of its phase; a failed base job makes its successors plan again. A job
keeps its place among the P until its output commit is finished.

Rows of the log, in causal order (tables of ``sim.model.log``; an instant can hold several):

1. ``commits``; then per job ``jobs`` and ``job_states`` CREATED, all at the opening of the source commit.
2. INPUTS_READY when the last input commit is finished; at once when all were. A pod that this wakes:
   ``pipeline_states`` RUNNING, ``replicas`` and ``pods`` at the controller's step, the pod's own tables,
   ``pod_running``, then ``masters`` when the pod holds the lock (at once, or when a dead master's 15 s end).
3. ADMITTED at the later of ``masters`` and a free place; STARTED at the later of ADMITTED and INPUTS_READY.
   The master of a STARTED row is the pod of the pipeline's last ``masters`` row.
4. PARALLEL_PLANNED when pachd has preprocessed, with the phase's ``tasks``; ``task_claims``, ``task_ends``
   and ``task_requeues`` follow; PARALLEL_DONE at the last ``task_ends``; PARALLEL_COLLECTED when the master
   has stored each result, one after the other.
5. BASE_FINISHED at the later of PARALLEL_COLLECTED and the end of the base job; then SERIAL_PLANNED,
   SERIAL_DONE and SERIAL_COLLECTED likewise.
6. ``job_datums`` and FINISHING at SERIAL_COLLECTED; SUCCESS when compaction is over.

FAILURE (datums failed) comes at PARALLEL_COLLECTED or SERIAL_COLLECTED instead of what would follow, KILLED
(job timeout, counted from the first STARTED) at any time after it, UNRUNNABLE (an input failed) instead of
STARTED. KILLED after FINISHING stops no compaction: whoever reads the output gets it as it is. When the
master dies, each STARTED job gets RESTARTED at once, and ADMITTED and all that follows from its successor;
when the base job fails, RESTARTED at once and STARTED after a back-off. What was done is not done again
unless the base is another: a phase all of whose tasks were done has its DONE row at its PLANNED.

Source: pachyderm/pachyderm v2.11.6, src/server/worker/pipeline/transform/registry.go and pending_job.go,
src/server/worker/worker.go, src/internal/dlock/dlock.go; pachyderm.md §3 and §4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sim.decisions.pachyderm.datum_sets import Bounds, datum_set_bounds, datums_per_set, equal_set_bounds
from sim.decisions.pachyderm.datums import Phases, count_datums, matched_by_ratio, phases
from sim.decisions.pachyderm.requests import sets_by_phase
from sim.engine.pachyderm.datums import last_of
from sim.engine.pachyderm.repos import leaf_entries
from sim.model.pipelines import CombinedInput, leaves

if TYPE_CHECKING:
    from sim.engine.clock import Call
    from sim.engine.pachyderm.context import PipelineContext
    from sim.engine.pachyderm.datums import DatumModel, DatumSets, Floats
    from sim.engine.pachyderm.repos import Commit
    from sim.engine.pachyderm.tasks import Batch


PARALLEL, SERIAL = 0, 1
EMPTY = np.array([0, 0])  # one set without datums


class Job:
    """One job of one pipeline.

    ``over`` from FINISHING on, ``ended`` when its output commit is finished. ``own`` holds the new and the
    changed datums that this job was the first to see: a successor of a failed job runs them again.
    """

    __slots__ = (
        "base", "batches", "call", "current", "ended", "epoch", "id", "inputs", "keys", "killed",
        "missing", "output", "over", "own", "plan", "previous", "started_us", "timeout", "trace_s", "waiters",
    )  # fmt: skip

    def __init__(
        self, job_id: int, inputs: list[Commit], output: Commit, previous: Job | None, trace_s: float
    ) -> None:
        """Create the job after ``previous``; ``trace_s`` are its datums' seconds where a trace gives them."""
        self.id = job_id
        self.inputs = inputs
        self.output = output
        self.previous = previous
        self.trace_s = trace_s
        self.missing = 0  # inputs not finished
        self.over = False
        self.ended = False
        self.killed = False  # while its output was compacted, which that does not stop
        self.epoch = -1  # which master gave it a place
        self.started_us = -1
        self.timeout: Call[Job] | None = None
        self.call: Call[Job] | None = None  # what the master waits for, apart from tasks
        self.base: Job | None = None
        self.plan: Phases | None = None
        self.own: list[Floats | None] = [None, None]
        self.batches: list[Batch | None] = [None, None]
        self.current = PARALLEL
        self.keys = 0  # task records of the batch that runs
        self.waiters: list[Job] = []  # whose serial phase waits for this job

    @property
    def failed(self) -> bool:
        """Say whether the job ended without an output."""
        return self.output.failed


class Planner:
    """What each job of one pipeline has to do: its base, its datums by phase, and their draws."""

    def __init__(self, context: PipelineContext, model: DatumModel) -> None:
        """Give new and changed datums a stream each."""
        load, streams, spec = context.load, context.streams, context.spec
        self.spec = spec
        self._leaves = list(leaves(spec.input))
        self._layouts = context.layouts
        self._by_phase = sets_by_phase(context.options.version)
        self._match = matched_by_ratio(load.join_matches, load.groups)
        self._model = model
        self._cuts = [(0, 0, EMPTY), (0, 0, EMPTY)]  # the last one of each phase: held, datums, bounds
        self._nothing = model.sets(np.empty((len(model.rows), 0)), EMPTY)
        self._draws = [model.draws(streams, f"datums/{spec.full_name}/{kind}") for kind in ("new", "changed")]

    def plan(self, inputs: list[Commit], base: Job | None) -> Phases:
        """Return how many datums go into which phase against a base job."""
        tree = self.spec.input
        assert tree is not None
        if not isinstance(tree, CombinedInput):
            read = None if base is None else base.inputs[0]
            return phases(self.spec, leaf_entries(tree, inputs[0], read, self._layouts[0]))
        bases = base.inputs if base is not None else [None] * len(inputs)
        sources = zip(self._leaves, inputs, bases, self._layouts, strict=True)
        entries = [leaf_entries(*source) for source in sources]
        return phases(self.spec, count_datums(tree, entries, self._match))

    def sets(self, job: Job, phase: int) -> DatumSets:
        """Return a phase's datums cut into sets, at least one."""
        plan = job.plan
        assert plan is not None
        count = plan.serial if phase else plan.parallel
        if not count:
            return self._nothing
        work = self._datums(job, phase, count)
        return self._model.sets(work, self._bounds(plan, phase, work))

    def _bounds(self, plan: Phases, phase: int, work: Floats) -> Bounds:
        datums = work.shape[1]
        remaining = plan.total - (plan.skipped if phase else 0)  # what is skipped is known after one phase
        if self._by_phase:
            remaining = datums
        spec = self.spec.datum_set_spec
        if spec is not None and spec.size_bytes:
            sizes = self._model.input_bytes(work)
            return datum_set_bounds(spec, self.spec.parallelism, remaining, datums, sizes)
        held = datums_per_set(spec, self.spec.parallelism, remaining)
        last_held, last_datums, bounds = self._cuts[phase]
        if (held, datums) != (last_held, last_datums):  # often all commits are alike
            bounds = equal_set_bounds(held, datums)
            self._cuts[phase] = held, datums, bounds
        return bounds

    def _datums(self, job: Job, phase: int, count: int) -> Floats:
        """Return the datums of a phase, shape ``(rows, datums)``.

        What failed jobs since the base saw first comes before what this job is the first to see.
        """
        seen: list[Floats] = []
        older: Job | None = job
        while older is not None and older is not job.base:
            own = older.own[phase]
            if own is not None:
                seen.append(own)
            older = older.previous
        if not seen:
            drawn = job.own[phase] = self._model.take(self._draws[phase], count, job.trace_s)
            return drawn
        seen.reverse()
        missing = count - sum(own.shape[1] for own in seen)
        if missing > 0:
            drawn = self._model.take(self._draws[phase], missing, job.trace_s)
            own = job.own[phase]
            job.own[phase] = drawn if own is None else last_of([own, drawn], own.shape[1] + missing)
            seen.append(drawn)
        return last_of(seen, count)


def base_of(job: Job) -> Job | None:
    """Return the nearest older job that has not failed, running or not."""
    older = job.previous
    while older is not None and older.failed:
        older = older.previous
    return older
