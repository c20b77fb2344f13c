"""Workers: a pipeline's running pods, the tasks they claim, and what is lost with them.

A worker takes one task (a datum set) at a time: from the job after the one it served last, round robin,
and within a job in order of creation. The set ends by one event. A worker that dies leaves its claim behind:
the lease lapses 20 to 30 s later, then any worker claims the set and begins it again; no try is used up. A
task whose claim lapsed goes before those never claimed. An idle worker claims at once (upstream: in 10 ms).

A container killed for memory takes its worker with it and starts again in place, at once the first time,
then after 10 s, doubling up to 5 min, forgotten after 10 min without a kill (Kubernetes, container restart
back-off). The kill comes at the end of the user code of the first datum that does not fit.

Source: pachyderm/pachyderm v2.11.6, src/internal/task/etcd_service.go and etcd_queue.go,
src/internal/collection/etcd_collection.go Claim; pachyderm.md §3.1, §3.4 and §4.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable
from operator import attrgetter
from typing import TYPE_CHECKING

from sim.engine.clock import Phase
from sim.engine.pachyderm.memory import Excess
from sim.engine.pachyderm.transfers import Trip
from sim.model.log import PodEnd, TaskEnd
from sim.model.units import SECOND

if TYPE_CHECKING:
    from sim.engine.clock import Call
    from sim.engine.entities import Pod
    from sim.engine.pachyderm.context import PipelineContext
    from sim.engine.pachyderm.datums import DatumModel
    from sim.engine.pachyderm.memory import MemoryRule
    from sim.engine.pachyderm.tasks import Batch
    from sim.engine.pachyderm.transfers import Link, Turn

DONE, SUPERSEDED, WORK_ENDED = TaskEnd.DONE, TaskEnd.SUPERSEDED, Phase.WORK_ENDED  # looked up for every task
BY_NUMBER = attrgetter("number")
CRASH_LOOP_FIRST_US = 10 * SECOND
CRASH_LOOP_LAST_US = 300 * SECOND
CRASH_LOOP_FORGOTTEN_US = 600 * SECOND


class Worker:
    """One worker process: its pod, its task and the call that ends it, kept for the next task.

    ``excess`` counts datums of the task in hand that fail for memory alone. Under a shared cap a task is a
    ``trip``, over when the task is.
    """

    __slots__ = (
        "batch", "call", "crashed_us", "crashes", "excess", "index", "job_number", "pod", "pod_id",
        "trip", "up",
    )  # fmt: skip

    def __init__(self, pod: Pod) -> None:
        """Start without a task."""
        self.pod = pod
        self.pod_id = pod.id
        self.batch: Batch | None = None
        self.index = 0
        self.excess = 0
        self.call: Call[Worker] | None = None
        self.trip: Trip[Worker] | None = None
        self.job_number = -1
        self.crashes = 0
        self.crashed_us = 0
        self.up = True


class Workers:
    """The workers of one pipeline and the batches they serve.

    ``on_done`` hears of a batch whose last task is done, ``on_up`` and ``on_down`` of a worker process that
    begins and one that is gone, alone or with its pod; ``on_all_down`` that there are none any more.
    """

    def __init__(
        self, context: PipelineContext, model: DatumModel, memory: MemoryRule, link: Link | None
    ) -> None:
        """Start with no workers; ``link`` is what those of all pipelines share, None where nothing is."""
        self.clock = context.clock
        self.state = context.state
        self.model = model
        self.memory = memory
        self._bytes_per_s = context.options.transfer_bytes_per_s
        self._link = link
        self.overhead = context.delays("task-overhead", context.options.task_overhead_s)
        self._constant_overhead_us = self.overhead.constant_us
        self._lapse = context.delays("lease", context.options.lease_silence_s)
        self.on_done: Callable[[Batch], None]
        self.on_up: Callable[[Worker], None]
        self.on_down: Callable[[Worker], None]
        self.on_all_down: Callable[[], None]
        self.by_pod: dict[Pod, Worker] = {}
        self._idle: dict[Worker, None] = {}
        self._ready: list[Batch] = []  # batches with a task to claim, in order of jobs
        self._on_ended = self._ended
        claims, ends = context.log["task_claims"], context.log["task_ends"]
        self._log_claim, self._claim_row = claims.append, claims.row
        self._log_end, self._end_row = ends.append, ends.row

    # -- workers ----------------------------------------------------------------------------

    def add(self, pod: Pod) -> None:
        """Put a pod that runs now to work."""
        worker = self.by_pod[pod] = Worker(pod)
        self.on_up(worker)
        self._claim(worker)

    def remove(self, pod: Pod) -> None:
        """Take a pod that is gone out of work; one that never ran is no worker."""
        worker = self.by_pod.pop(pod, None)
        if worker is not None:
            if worker.batch is not None:
                self._drop_task(worker, worker.batch, TaskEnd.WORKER_LOST)
            self._stop(worker)
            worker.call = None  # which holds the worker: free both now, without the garbage collector

    def remove_all(self) -> None:
        """Take every pod's worker out of work: the pipeline goes into standby."""
        for pod, worker in [*self.by_pod.items()]:
            if worker.batch is not None:  # a copy for a dead batch
                self.remove(pod)
            worker.call = None  # as above
        self.by_pod.clear()
        self._idle.clear()
        self.on_all_down()

    def _stop(self, worker: Worker) -> None:
        if worker.up:  # its container may be waiting to start again
            worker.up = False
            self._idle.pop(worker, None)
            self.on_down(worker)

    # -- batches ----------------------------------------------------------------------------

    def publish(self, batch: Batch) -> None:
        """Offer a batch's tasks to every worker."""
        if self._ready:
            insort(self._ready, batch, key=BY_NUMBER)
        else:
            self._ready.append(batch)
        if self._idle:
            self._serve_idle()

    def withdraw(self, batch: Batch) -> None:
        """End a killed job's batch: its tasks in hand are dropped at once."""
        batch.dead = True
        self._unready(batch)
        for worker in [worker for worker in self.by_pod.values() if worker.batch is batch]:
            self._drop_task(worker, batch, TaskEnd.JOB_ENDED)
            self._claim(worker)

    def supersede(self, batch: Batch) -> Batch:
        """Return what a new master issues in place of a batch; copies in hand run on, for nothing."""
        self._unready(batch)
        return batch.reissue([worker.index for worker in self.by_pod.values() if worker.batch is batch])

    def _unready(self, batch: Batch) -> None:
        if batch in self._ready:
            self._ready.remove(batch)

    def _serve_idle(self) -> None:
        while self._ready and self._idle:
            worker = next(iter(self._idle))
            del self._idle[worker]
            self._claim(worker)

    # -- tasks ------------------------------------------------------------------------------

    def _claim(self, worker: Worker) -> None:
        ready = self._ready
        if not ready:
            self._idle[worker] = None
            return
        batch = ready[0] if len(ready) == 1 else self._next_in_turn(worker)
        index = batch.waiting.pop()
        if not batch.waiting:
            ready.remove(batch)
        worker.batch = batch
        worker.index = index
        worker.job_number = batch.number
        now_us = self.clock.now_us
        self._log_claim(self._claim_row(now_us, batch.first_task + index, worker.pod_id))
        work_us = batch.compute_us[index]
        shared = False
        if batch.transfer_bytes is not None:
            shared = self._link is not None
            work_us += round(batch.transfer_bytes[index] / self._bytes_per_s * SECOND)
        if batch.peak_mib is not None:
            limit_mib = self.memory.limit_mib(worker.pod)
            if batch.peak_mib[index] > limit_mib:
                self._begin_too_big(worker, batch, limit_mib, shared=shared)
                return
        if shared:
            self._set_out(worker, self.model.turns(batch.datums(index)), self._on_ended)
            return
        call = worker.call
        if call is None:
            worker.call = self.clock.at(now_us + work_us, WORK_ENDED, self._on_ended, worker)
        else:  # the call that ended the task before, used again
            self.clock.put(call, now_us + work_us, WORK_ENDED)

    def _set_out(self, worker: Worker, turns: list[Turn], finish: Callable[[Call[Worker]], None]) -> None:
        """Begin a task over the shared link."""
        assert self._link is not None
        worker.trip = Trip(self._link, turns, finish, worker)

    def _next_in_turn(self, worker: Worker) -> Batch:
        """Return the batch of the next job after the one the worker served last."""
        return next((batch for batch in self._ready if batch.number > worker.job_number), self._ready[0])

    def _ended(self, call: Call[Worker]) -> None:
        worker = call.argument
        batch = worker.batch
        assert batch is not None
        now_us = self.clock.now_us
        if batch.dead:
            self._log_end(self._end_row(now_us, batch.first_task + worker.index, worker.pod_id, SUPERSEDED))
        else:
            self._log_end(self._end_row(now_us, batch.first_task + worker.index, worker.pod_id, DONE))
            if worker.excess:
                batch.failed += worker.excess
                worker.excess = 0
            overhead_us = self._constant_overhead_us
            if overhead_us is None:
                overhead_us = self.overhead.next_us()
            stored_us = batch.collected_us
            batch.collected_us = (stored_us if stored_us > now_us else now_us) + overhead_us
            batch.left -= 1
            if not batch.left:
                self.on_done(batch)
        worker.batch = None
        self._claim(worker)

    def _drop_task(self, worker: Worker, batch: Batch, outcome: TaskEnd) -> None:
        """End a worker's task without a result; unless its batch is dead, the claim must lapse first."""
        if worker.call is not None:
            worker.call.cancel()
            worker.call = None
        if worker.trip is not None:
            worker.trip.cancel()
            worker.trip = None
        worker.batch = None
        worker.excess = 0
        now_us = self.clock.now_us
        self._log_end(self._end_row(now_us, batch.first_task + worker.index, worker.pod_id, outcome))
        if not batch.dead:
            batch.lapsing.append(worker.index)
            lapsed_us = now_us + self._lapse.next_us()
            self.clock.call_at(lapsed_us, WORK_ENDED, self._lapsed, (batch, worker.index))

    def _lapsed(self, task: tuple[Batch, int]) -> None:
        batch, index = task
        if batch.dead:
            return
        batch.lapsing.remove(index)
        self.state.log["task_requeues"].add((self.clock.now_us, batch.first_task + index))
        if not batch.waiting:
            insort(self._ready, batch, key=BY_NUMBER)
        batch.waiting.append(index)
        self._serve_idle()

    # -- memory -----------------------------------------------------------------------------

    def _begin_too_big(self, worker: Worker, batch: Batch, limit_mib: int, *, shared: bool) -> None:
        """Begin a task one of whose datums needs more memory than the worker has."""
        work, model = batch.datums(worker.index), self.model
        finish: Callable[[Call[Worker]], None]
        if self.memory.excess(worker.pod) is not Excess.ATTEMPT:
            finish = self._killed
            work_us = model.until_killed_us(work, limit_mib, self._bytes_per_s)
        else:
            finish = self._ended
            work_us, worker.excess = model.with_tries_lost(work, limit_mib, self._bytes_per_s)
        if not shared:
            worker.call = self.clock.at(self.clock.now_us + work_us, WORK_ENDED, finish, worker)
        elif finish == self._ended:
            self._set_out(worker, model.turns(work, limit_mib), finish)
        else:
            self._set_out(worker, model.turns_until_killed(work, limit_mib), finish)

    def _killed(self, call: Call[Worker]) -> None:
        worker = call.argument
        assert worker.batch is not None
        self._drop_task(worker, worker.batch, TaskEnd.OOM_KILLED)
        if self.memory.excess(worker.pod) is Excess.EVICTION:
            self.state.evict(worker.pod, PodEnd.OOM_KILLED)
            return
        self._stop(worker)
        back_us = self.clock.now_us + _restart_wait_us(worker, self.clock.now_us)
        worker.crashed_us = back_us
        self.clock.call_at(back_us, WORK_ENDED, self._back, worker)

    def _back(self, worker: Worker) -> None:
        if worker.pod in self.by_pod:
            worker.up = True
            self.on_up(worker)
            self._claim(worker)


def _restart_wait_us(worker: Worker, now_us: int) -> int:
    """Return how long the kubelet leaves a killed container alone, and count the kill."""
    if now_us - worker.crashed_us > CRASH_LOOP_FORGOTTEN_US:
        worker.crashes = 0
    worker.crashes += 1
    if worker.crashes == 1:
        return 0
    return min(CRASH_LOOP_FIRST_US << min(worker.crashes - 2, 16), CRASH_LOOP_LAST_US)
