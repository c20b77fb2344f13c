"""Tasks: the datum sets of one phase of one job, and which of them can be claimed.

Task records live until their batch ends, so the controller counts all of them, done ones too. A new master
issues again what is not done; results of finished sets come back from a cache.

Source: pachyderm/pachyderm v2.11.6, src/internal/task/etcd_service.go etcdDoer.Do,
src/server/worker/pipeline/transform/cache.go; pachyderm.md §2.3 and §4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sim.engine.datums import DatumSets, Floats
    from sim.engine.jobs import Job


class Batch:
    """The tasks of one phase of one job, numbered from 0; their ids are ``first_task`` and on.

    ``fresh`` is the next task never claimed; ``returned`` are those to be claimed again and ``lapsing``
    those whose lost claim still holds. ``left`` counts tasks not done, ``collected_us`` is when the master
    will have stored the results so far. A batch that was killed, or whose master died, is ``dead``.
    """

    __slots__ = (
        "collected_us", "compute_us", "dead", "failed", "first_task", "fresh", "job", "lapsing", "left",
        "number", "peak_mib", "phase", "returned", "sets", "size", "transfer_bytes",
    )  # fmt: skip

    def __init__(self, job: Job, phase: int, first_task: int, sets: DatumSets) -> None:
        """Hold tasks that nobody has claimed."""
        self.job = job
        self.number = job.id
        self.phase = phase
        self.first_task = first_task
        self.sets = sets
        self.compute_us = sets.compute_us
        self.transfer_bytes = sets.transfer_bytes
        self.peak_mib = sets.peak_mib
        self.size = self.left = len(sets.compute_us)
        self.fresh = 0
        self.returned: list[int] = []
        self.lapsing: list[int] = []
        self.failed = 0 if sets.failed is None else sum(sets.failed)
        self.collected_us = 0
        self.dead = False

    def take(self) -> int:
        """Return the task to claim next; there is one."""
        if self.returned:
            return self.returned.pop(0)
        self.fresh += 1
        return self.fresh - 1

    @property
    def exhausted(self) -> bool:
        """Say whether no task can be claimed."""
        return self.fresh == self.size and not self.returned

    def datums(self, index: int) -> Floats:
        """Return the datums of one task, shape ``(rows, datums)``."""
        sets = self.sets
        return sets.work[:, sets.bounds[index] : sets.bounds[index + 1]]

    def reissue(self, in_flight: list[int]) -> Batch:
        """Return what a new master issues of this batch, dead from now on: all that is not done."""
        batch = Batch(self.job, self.phase, self.first_task, self.sets)
        batch.returned = sorted(self.returned + self.lapsing + in_flight + [*range(self.fresh, self.size)])
        batch.fresh = self.size
        batch.left = len(batch.returned)
        batch.failed = self.failed
        self.dead = True
        return batch
