"""The walk back: from an instant at which a job went on, through what it had waited for until then.

A phase is followed from the task that ended last: its claim; the claim before it, if that was lost;
what its worker did before, which is this job's work or that of others; and before the worker's first
task the start of its pod (``starts``). Before a pod was asked for, its pipeline's controller had not
taken the step that asks for it; a pod that replaces a lost one is followed through the lost one.

A wait for admission is for a place among the P jobs while there is a master. While there is none it is
followed through the pod of the next master, only that a pod that runs waits for the lock.

All jobs take one step back at a time, together.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from sim.model.log import TaskEnd
from sim.report.arrays import Flag, Int, stable_order
from sim.report.starts import STEPS, Wait, start_steps

if TYPE_CHECKING:
    from sim.model.log import EventLog
    from sim.report.intervals import Claims, Lives

NONE = -1


@dataclass(slots=True)
class Walk:
    """Where each job is on its way back: at ``at_us``, until it comes to ``floor_us``.

    ``pod`` is the pod it waited for; ``claim`` the pod's claim to look at next, -1 before its first.
    ``work`` is what the job's own tasks are called, ``idle`` what a running pod without a task is.
    """

    job: Int
    pod: Int
    claim: Int
    at_us: Int
    floor_us: Int
    work: Int
    idle: Int

    def only(self, keep: Flag) -> Walk:
        """Return some of the jobs."""
        return Walk(*(getattr(self, field.name)[keep] for field in fields(self)))

    def put(self, where: Flag, part: Walk) -> None:
        """Put back what ``only(where)`` took, changed."""
        for name in ("pod", "claim", "at_us"):
            getattr(self, name)[where] = getattr(part, name)


class Walker:
    """Follows waits back, and keeps those found."""

    def __init__(self, log: EventLog, lives: Lives) -> None:
        """Sort what is searched: claims, their ends, requeues and masters."""
        self._log = log
        self._lives = lives
        self._found: list[list[Int]] = []
        claims, requeues, masters = lives.claims, log["task_requeues"], log["masters"]
        self._lost_before = _lost_before(claims)
        self._requeues = Latest(requeues.column("task"), requeues.column("time_us"))
        self._masters = Latest(masters.column("pipeline"), masters.column("time_us"))
        self._master_pod = np.append(masters.column("pod"), NONE)
        self._master_before = self._masters.find(masters.column("pipeline"), masters.column("time_us") - 1)
        self._tenure_end_us = _tenure_ends(masters.column("time_us"), masters.column("pod"), lives)
        self._claims = Latest(claims.pod.astype(np.int64), claims.claimed_us)
        self._final = np.flatnonzero(np.isin(claims.outcome, (TaskEnd.DONE, TaskEnd.JOB_ENDED)))
        self._ends = Latest(claims.job[self._final].astype(np.int64), claims.ended_us[self._final])

    def add(self, job: Int, wait: Int | Wait, from_us: Int, to_us: Int, pod: Int | int = NONE) -> None:
        """Keep waits; empty ones are left out."""
        columns = np.broadcast_arrays(job, wait, from_us, to_us, pod)
        keep = columns[2] < columns[3]
        self._found.append([column[keep] for column in columns])

    def found(self) -> list[Int]:
        """Return job, wait, start, end and pod of everything found."""
        return [np.concatenate(column) for column in zip(*self._found, strict=True)]

    def follow_masters(self, job: Int, floor_us: Int, to_us: Int) -> None:
        """Follow waits for admission, tenure by tenure of the pipeline's masters."""
        master = self._masters.find(self._lives.jobs.pipeline[job].astype(np.int64), to_us)
        lock = np.full_like(job, Wait.MASTER_LOCK)
        at_us = to_us
        while len(job):
            mastered_us = np.clip(self._masters.at(master, floor_us), floor_us, at_us)
            self.add(job, Wait.ADMISSION, mastered_us, at_us, self._master_pod[master])
            before = np.append(self._master_before, NONE)[master]
            vacant_us = np.clip(np.append(self._tenure_end_us, 0)[before], floor_us, mastered_us)
            vacant_us = np.where(before >= 0, vacant_us, floor_us)
            nothing = np.full_like(job, NONE)
            walk = Walk(job, self._master_pod[master], nothing, mastered_us, vacant_us, lock, lock)
            self._through_starts(walk.only(mastered_us > vacant_us))
            on = vacant_us > floor_us
            job, master, at_us, floor_us, lock = (
                each[on] for each in (job, before, vacant_us, floor_us, lock)
            )

    def _through_starts(self, walk: Walk) -> None:
        """Go back over the starts of pods that do no tasks that matter, to the floor."""
        while len(walk.job):
            self._through_start(walk)
            walk.claim[:] = NONE
            walk = walk.only(walk.at_us > walk.floor_us)

    def follow_phases(self, job: Int, floor_us: Int, to_us: Int, work: Int) -> None:
        """Follow phases back from the task that ended last; one cut short, from the master's worker."""
        claims = self._lives.claims
        last = self._ends.find(job, to_us)
        ended = self._ends.at(last, floor_us) == to_us
        claim = np.append(self._final, NONE)[last]
        master = self._master_pod[self._masters.find(self._lives.jobs.pipeline[job].astype(np.int64), to_us)]
        pod = np.where(ended, np.append(claims.pod, NONE)[claim], master)
        claim = np.where(ended, claim, self._claims.find(pod, to_us - 1))
        queue = np.full_like(job, Wait.QUEUE_FOR_WORKERS)
        walk = Walk(job, pod, claim, to_us.copy(), floor_us, work, queue)
        nobody = pod < 0
        self._back(walk.only(nobody), Wait.QUEUE_FOR_WORKERS, floor_us[nobody])
        walk = walk.only(~nobody)
        while len(walk.job):
            working = walk.claim >= 0
            part = walk.only(working)
            self._through_claim(part)
            walk.put(working, part)
            part = walk.only(~working)
            self._through_start(part)
            walk.put(~working, part)
            walk = walk.only(walk.at_us > walk.floor_us)

    def _through_claim(self, walk: Walk) -> None:
        """Go back over the gap after a claim, the claim, and, if it followed a lost one, to that."""
        claims, k = self._lives.claims, walk.claim
        own = claims.job[k] == walk.job
        kept = (claims.outcome[k] == TaskEnd.DONE) | (claims.outcome[k] < 0)
        name = np.where(own, np.where(kept, walk.work, Wait.LOST_WORK), Wait.QUEUE_FOR_WORKERS)
        killed = claims.outcome[k] == TaskEnd.OOM_KILLED
        gap = np.where(killed, Wait.RETRY, walk.idle)  # a killed container starts again after a back-off
        self._back(walk, gap, claims.stopped_us[k])
        self._back(walk, name, claims.claimed_us[k])
        lost = np.where(own, self._lost_before[k], NONE)
        again = lost >= 0
        earlier = np.maximum(k - 1, 0)
        walk.claim = np.where((k > 0) & (claims.pod[earlier] == walk.pod), earlier, NONE)
        if again.any():
            part = walk.only(again)
            part.claim = lost[again]
            requeue = self._requeues.find(claims.task[part.claim].astype(np.int64), part.at_us)
            self._back(part, Wait.QUEUE_FOR_WORKERS, self._requeues.at(requeue, part.at_us))
            self._back(part, Wait.RETRY, claims.stopped_us[part.claim])
            part.pod = claims.pod[part.claim].astype(np.int64)
            walk.put(again, part)

    def _through_start(self, walk: Walk) -> None:
        """Go back over a pod's idle time and start, and to the pod it replaces, if any."""
        if not len(walk.job):
            return
        pods = self._lives.pods
        self._back(walk, walk.idle, pods.running_us[walk.pod])
        steps = start_steps(self._log, self._lives, walk.pod)
        for name, (start_us, _) in reversed(list(zip(STEPS, pairwise(steps), strict=True))):
            self._back(walk, name, start_us)
        replaced = pods.replaces[walk.pod].astype(np.int64)
        lost_us = np.where(replaced >= 0, pods.ended_us[replaced], walk.floor_us)
        self._back(walk, Wait.CONTROLLER_STEP, lost_us)
        walk.pod = replaced
        walk.claim = self._claims.find(replaced, walk.at_us - 1)

    def _back(self, walk: Walk, name: Int | Wait, to_us: Int) -> None:
        """Go back to an instant, if it is earlier, and keep the wait; no further than the floor."""
        start_us = np.maximum(np.minimum(to_us, walk.at_us), walk.floor_us)
        self.add(walk.job, name, start_us, walk.at_us, walk.pod)
        walk.at_us = start_us


class Latest:
    """Finds the last row of an entity at or before an instant."""

    def __init__(self, entity: Int, time_us: Int) -> None:
        """Sort rows by entity, then time, then order."""
        self._time_us = np.append(time_us, 0)
        self._by_time = stable_order(time_us)
        self._sorted_us = time_us[self._by_time]
        self._rows = len(time_us)
        self._entities = entity[self._by_time]
        self._keys = np.sort(self._entities * self._rows + np.arange(self._rows))

    def find(self, entity: Int, at_us: Int) -> Int:
        """Return the row of each entity, -1 where there is none."""
        if not self._rows:
            return np.full(len(entity), NONE)
        bound = np.searchsorted(self._sorted_us, at_us, side="right") - 1
        position = np.searchsorted(self._keys, entity * self._rows + bound, side="right") - 1
        key = self._keys[np.maximum(position, 0)]
        there = (position >= 0) & (bound >= 0) & (key // self._rows == entity)
        row: Int = np.where(there, self._by_time[key % self._rows], NONE)
        return row

    def find_next(self, entity: Int, after_us: Int) -> Int:
        """Return each entity's first row after an instant, -1 where there is none."""
        if not self._rows:
            return np.full(len(entity), NONE)
        bound = np.searchsorted(self._sorted_us, after_us, side="right")
        position = np.searchsorted(self._keys, entity * self._rows + bound)
        key = np.append(self._keys, NONE * self._rows)[position]
        row: Int = np.where(key // self._rows == entity, self._by_time[key % self._rows], NONE)
        return row

    def at(self, row: Int, otherwise_us: Int) -> Int:
        """Return the instants of rows found, ``otherwise_us`` where there was none."""
        at_us: Int = np.where(row >= 0, self._time_us[row], otherwise_us)
        return at_us


def _tenure_ends(mastered_us: Int, pod: Int, lives: Lives) -> Int:
    """Return when each master's tenure ended: with its pod, or when its container was killed."""
    claims = lives.claims
    killed = claims.outcome == TaskEnd.OOM_KILLED
    kills = Latest(claims.pod[killed].astype(np.int64), claims.ended_us[killed])
    ended_us = lives.pods.ended_us[pod]
    return np.minimum(kills.at(kills.find_next(pod, mastered_us), ended_us), ended_us)


def _lost_before(claims: Claims) -> Int:
    """Return for each claim the lost claim of its task just before it, -1 if there is none."""
    before = np.full(len(claims), NONE)
    again = np.flatnonzero(np.bincount(claims.task)[claims.task] > 1)
    order = again[np.lexsort((claims.claimed_us[again], claims.task[again]))]
    this, last = order[1:], order[:-1]
    lost = np.isin(claims.outcome[last], (TaskEnd.WORKER_LOST, TaskEnd.OOM_KILLED))
    follows = (claims.task[this] == claims.task[last]) & (claims.stopped_us[last] <= claims.claimed_us[this])
    before[this[lost & follows]] = last[lost & follows]
    return before
