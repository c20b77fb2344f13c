"""Waits: where a job's time from commit to output went, along its critical path.

Between two states of a job that say what the master did, the wait has the name of that step. A wait
for a master, and a phase of tasks, are followed back through claims, workers, pods and nodes (``walk``).
Every wait is the difference of two logged instants, and each begins where the one before it ends, so
they sum to the latency exactly.

The states and their order are told in ``sim/engine/pachyderm/jobs.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sim.model.log import JobState
from sim.report.arrays import Code, Int, Small, stable_order
from sim.report.starts import Wait
from sim.report.walk import Walker

if TYPE_CHECKING:
    from sim.model.log import EventLog
    from sim.report.intervals import Lives

MASTER = -1  # the wait is for a master
PHASE = -2  # the wait is for the tasks of a phase

AFTER = {
    JobState.CREATED: Wait.INPUTS,
    JobState.INPUTS_READY: Wait.ADMISSION,
    JobState.ADMITTED: Wait.ADMISSION,
    JobState.STARTED: Wait.PREPROCESSING,
    JobState.PARALLEL_PLANNED: PHASE,
    JobState.PARALLEL_DONE: Wait.TASK_OVERHEAD,
    JobState.PARALLEL_COLLECTED: Wait.BASE_JOB,
    JobState.BASE_FINISHED: Wait.PREPROCESSING,
    JobState.SERIAL_PLANNED: PHASE,
    JobState.SERIAL_DONE: Wait.TASK_OVERHEAD,
    JobState.SERIAL_COLLECTED: Wait.TASK_OVERHEAD,
    JobState.FINISHING: Wait.COMPACTION,
    JobState.RESTARTED: Wait.RETRY,
}
"""What the time after a state is called, unless the next state says otherwise."""

BETWEEN = {
    (JobState.ADMITTED, JobState.INPUTS_READY): Wait.INPUTS,
    (JobState.INPUTS_READY, JobState.ADMITTED): MASTER,
    (JobState.RESTARTED, JobState.ADMITTED): MASTER,
    (JobState.STARTED, JobState.RESTARTED): Wait.LOST_WORK,
    (JobState.BASE_FINISHED, JobState.RESTARTED): Wait.LOST_WORK,
}


@dataclass(frozen=True, slots=True)
class Waits:
    """Waits of the jobs that ended, shape ``(waits,)``, sorted by job and time; those of a job touch.

    ``pod`` is the pod that was waited for or that worked, -1 where there is none.
    """

    job: Small
    wait: Code
    from_us: Int
    to_us: Int
    pod: Small

    def total_us(self, jobs: int) -> Int:
        """Return each job's time by wait, shape ``(jobs, waits)``."""
        return _total_us(self.job, self.wait, self.to_us - self.from_us, jobs)


def job_waits(log: EventLog, lives: Lives) -> Waits:
    """Follow every job that ended back along its critical path."""
    job, wait, from_us, to_us, pod = _found(log, lives)
    order = np.lexsort((from_us, job))
    return Waits(
        job=job[order].astype(np.int32),
        wait=wait[order].astype(np.int8),
        from_us=from_us[order],
        to_us=to_us[order],
        pod=pod[order].astype(np.int32),
    )


def waited_us(log: EventLog, lives: Lives) -> Int:
    """Return what ``total_us`` of those waits would, without putting them in order."""
    job, wait, from_us, to_us, _ = _found(log, lives)
    return _total_us(job, wait, to_us - from_us, len(lives.jobs))


def _total_us(job: Int | Small, wait: Int | Code, took_us: Int, jobs: int) -> Int:
    total = np.zeros(jobs * len(Wait), np.int64)
    np.add.at(total, job * len(Wait) + wait, took_us)
    return total.reshape(jobs, len(Wait))


def _found(log: EventLog, lives: Lives) -> list[Int]:
    """Return job, wait, start, end and pod of the waits of jobs that ended."""
    walker = Walker(log, lives)
    job, earlier, later, from_us, to_us = _legs(log, lives)
    name = _names()[earlier, later]
    named = name >= 0
    walker.add(job[named], name[named], from_us[named], to_us[named])
    for_master = name == MASTER
    walker.follow_masters(job[for_master], from_us[for_master], to_us[for_master])
    phase = name == PHASE
    serial = earlier[phase] == JobState.SERIAL_PLANNED
    work = np.where(serial, Wait.SERIAL_PHASE, Wait.PROCESSING)
    walker.follow_phases(job[phase], from_us[phase], to_us[phase], work)
    return walker.found()


def _legs(log: EventLog, lives: Lives) -> tuple[Int, Int, Int, Int, Int]:
    """Return job, state and next state, and their instants, of jobs that ended; empty legs left out."""
    rows = log["job_states"].rows()
    rows = rows[stable_order(rows[:, 1])]
    this, after = rows[:-1], rows[1:]
    ended = lives.jobs.state[this[:, 1]] >= 0
    keep = (this[:, 1] == after[:, 1]) & (this[:, 0] < after[:, 0]) & ended
    this, after = this[keep], after[keep]
    return this[:, 1], this[:, 2], after[:, 2], this[:, 0], after[:, 0]


def _names() -> Int:
    """Return the name of each leg, shape ``(states, states)``."""
    names = np.zeros((len(JobState), len(JobState)), np.int64)
    for state, name in AFTER.items():
        names[state, :] = name
    for states, name in BETWEEN.items():
        names[states] = name
    return names
