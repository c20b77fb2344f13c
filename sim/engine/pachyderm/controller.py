"""A pipeline's controller: its state, its steps, how many workers it asks for, and the pods of its RC.

The controller steps when its row changes, when the poller visits it (one pipeline every 2 s, in name
order) and 30 s after each step whose target was below the parallelism. What a step does depends only on
state, replicas and tasks, so the next step that could act is computed when one of these changes, and no
other is simulated.

Standby: an autoscaling pipeline leaves it when the oldest job not over has all its inputs, and returns to it
when that job is over and the next one has not. No cooldown. Unschedulable pods make it CRASHING, which
changes nothing but adds a step; a monitor looks every 15 s whether all workers run.

A timer that outlives a standby is forgotten: it could only add a step within 30 s of waking up.

Source: pachyderm/pachyderm v2.11.6, src/server/pps/server/pipeline_controller.go, poller.go, monitor.go;
pachyderm.md §2.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from sim.decisions.pachyderm.replicas import target_replicas
from sim.decisions.pachyderm.requests import standby_awaits_compaction
from sim.engine.clock import Phase
from sim.engine.pachyderm.steps import Steps
from sim.model.log import PipelineState, PodEnd

if TYPE_CHECKING:
    from sim.engine.clock import Call
    from sim.engine.entities import Pod
    from sim.engine.pachyderm.context import PipelineContext
    from sim.engine.pachyderm.jobs import Job
    from sim.engine.pachyderm.steps import Poll
    from sim.engine.pachyderm.workers import Workers

CONTROLLERS = Phase.CONTROLLERS
STANDBY, RUNNING, CRASHING = PipelineState.STANDBY, PipelineState.RUNNING, PipelineState.CRASHING


class Controller:
    """One pipeline's controller, monitor and ReplicationController; it owns the pipeline's pods."""

    def __init__(self, context: PipelineContext, poll: Poll, workers: Workers) -> None:
        """Start in STANDBY if autoscaling, else RUNNING at full width from the first instant on."""
        self.spec = context.spec
        self.clock = context.clock
        self.state = context.state
        self._log_state = context.log["pipeline_states"].add
        self._log_replicas = context.log["replicas"].add
        self.options = context.options
        self.workers = workers
        self.index = context.index
        names = context.log.names
        self.source = len(names["source"])
        names["source"].append(names["pipeline"][self.index])
        self.cls = context.state.pod_class(context.load.pod_class)
        self.pods: dict[Pod, None] = {}
        self.replicas = 0
        self.tasks = 0
        self._row_change = context.delays("state-change", self.options.state_change_s)
        self._standby = context.delays("standby", self.options.standby_s)
        self._steps = Steps(poll, self.options.scale_up_interval_us)
        self._step_call: Call[None] | None = None
        self._awake_until_finished = standby_awaits_compaction(context.options.version)
        self._jobs: deque[Job] = deque()  # not over, oldest first; younger ones may be over
        self._watched: Job | None = None  # the job whose end the monitor waits for
        self._crashing_us = 0  # first look of the crash monitor
        self.pipeline_state = STANDBY if self.spec.autoscaling else RUNNING
        self.clock.call_at(0, CONTROLLERS, self._begin, None)

    def _begin(self, _: None) -> None:
        self._set_state(self.pipeline_state)
        if not self.spec.autoscaling:
            self._scale(self.spec.parallelism)

    # -- standby ----------------------------------------------------------------------------

    def job_created(self, job: Job) -> None:
        """Watch for a job of this pipeline."""
        if self.spec.autoscaling:
            self._jobs.append(job)

    def job_ready(self, job: Job) -> None:
        """Leave standby for the oldest job not over, once its inputs are finished."""
        if self._watched is None and self._jobs and self._next_ready() is job:
            self._watched = job
            self._set_state(RUNNING)
            self._steps.wake(self.clock.now_us)
            self._row_changed()

    def job_over(self, job: Job) -> None:
        """Look for another job when the one that was waited for is over."""
        if job is self._watched:
            due_us = self.clock.now_us + self._standby.next_us()
            self.clock.call_at(due_us, CONTROLLERS, self._look_for_work, None)

    def _look_for_work(self, _: None) -> None:
        self._watched = self._next_ready()
        if self._watched is None:
            self._set_state(STANDBY)
            self._cancel_step()
            self._scale_to_zero()

    def _next_ready(self) -> Job | None:
        """Return the oldest job not over, if its inputs are finished."""
        jobs = self._jobs
        while jobs and (jobs[0].ended if self._awake_until_finished else jobs[0].over):
            jobs.popleft()
        return jobs[0] if jobs and not jobs[0].missing else None

    # -- steps ------------------------------------------------------------------------------

    def tasks_changed(self, delta: int) -> None:
        """Count task records of running batches, waiting, claimed and done."""
        self.tasks += delta
        if delta > 0:
            self._plan_step()

    def _row_changed(self) -> None:
        """Have the watcher of the pipeline's row cause a step, if one could still matter."""
        if self.spec.autoscaling and self.replicas < self.spec.parallelism:
            self._steps.add(self.clock.now_us + self._row_change.next_us())
            self._plan_step()

    def _plan_step(self) -> None:
        """Put the next step that would change the replicas on the clock."""
        if self._step_call is not None:
            self._cancel_step()
        if self.pipeline_state is not STANDBY and self._target() != self.replicas:
            due_us = self._steps.next_us(self.clock.now_us)
            self._step_call = self.clock.at(due_us, CONTROLLERS, self._step, None)

    def _step(self, _: Call[None]) -> None:
        self._step_call = None
        self._scale(self._target())
        self._plan_step()

    def _target(self) -> int:
        spec = self.spec
        return target_replicas(spec.parallelism, self.replicas, self.tasks, spec.autoscaling).target

    def _cancel_step(self) -> None:
        if self._step_call is not None:
            self._step_call.cancel()
            self._step_call = None

    # -- pods -------------------------------------------------------------------------------

    def _scale(self, replicas: int) -> None:
        if replicas == self.replicas:
            return
        assert replicas > self.replicas, "an autoscaling pipeline never shrinks before standby"
        self.replicas = replicas
        self._log_replicas((self.clock.now_us, self.index, replicas))
        while len(self.pods) < replicas:
            self._create(None)

    def _scale_to_zero(self) -> None:
        """Take all pods away, in the order of their creation; there is no other way down."""
        if not self.replicas:
            return
        self.replicas = 0
        self._log_replicas((self.clock.now_us, self.index, 0))
        pods = [*self.pods]
        self.pods.clear()
        for pod in pods:
            self.state.end(pod, PodEnd.SCALED_DOWN)
        self.workers.remove_all()

    def _create(self, replaces: Pod | None) -> None:
        self.pods[self.state.create_pod(self.cls, self, self.source, replaces)] = None

    def pod_running(self, pod: Pod) -> None:
        """Put a worker to work."""
        self.workers.add(pod)
        if self.pipeline_state is CRASHING and self._all_run():
            self._recover_at_next_look()

    def pod_lost(self, pod: Pod, _: PodEnd) -> None:
        """Count a worker's work as lost; the RC creates another pod."""
        del self.pods[pod]
        self.workers.remove(pod)
        self.clock.call_at(self.clock.now_us, Phase.REQUEUE, self._replace, pod)

    def _replace(self, lost: Pod) -> None:
        if len(self.pods) < self.replicas:
            self._create(lost)

    # -- crashing ---------------------------------------------------------------------------

    def pod_refused(self, _: Pod) -> None:
        """Turn CRASHING for an Unschedulable pod; every such event writes the row."""
        if self.pipeline_state is STANDBY:
            return
        if self.pipeline_state is RUNNING:
            self._set_state(CRASHING)
            self._crashing_us = self.clock.now_us
        self._row_changed()

    def _all_run(self) -> bool:
        return len(self.workers.by_pod) >= self.replicas

    def _recover_at_next_look(self) -> None:
        period_us = self.options.crashing_backoff_us
        looks = -((self._crashing_us - self.clock.now_us) // period_us)
        due_us = self._crashing_us + looks * period_us
        self.clock.call_at(due_us, CONTROLLERS, self._recover, self._crashing_us)

    def _recover(self, since_us: int) -> None:
        if self.pipeline_state is CRASHING and since_us == self._crashing_us and self._all_run():
            self._set_state(RUNNING)
            self._row_changed()

    def _set_state(self, state: PipelineState) -> None:
        self.pipeline_state = state
        self._log_state((self.clock.now_us, self.index, state))
