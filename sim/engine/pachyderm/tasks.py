"""Tasks: the datum sets of one phase of one job, and which of them can be claimed.

Task records live until their batch ends, so the controller counts all of them, done ones too. A new master
issues again what is not done; results of finished sets come back from a cache.

Source: pachyderm/pachyderm v2.11.6, src/internal/task/etcd_service.go etcdDoer.Do,
src/server/worker/pipeline/transform/cache.go; pachyderm.md §2.3 and §4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sim.engine.pachyderm.datums import DatumSets, Floats


class Batch:
    """The tasks of one phase of one job, numbered from 0; their ids are ``first_task`` and on.

    ``number`` is the job's. ``waiting`` are the tasks to claim, the next one last; ``lapsing`` those whose
    lost claim still holds. ``left`` counts tasks not done, ``collected_us`` is when the master will have
    stored the results so far. A batch that was killed, or whose master died, is ``dead``.
    """

    __slots__ = (
        "collected_us", "compute_us", "dead", "failed", "first_task", "lapsing", "left", "number", "peak_mib",
        "phase", "sets", "size", "transfer_bytes", "waiting",
    )  # fmt: skip

    def __init__(self, number: int, phase: int, first_task: int, sets: DatumSets) -> None:
        """Hold tasks that nobody has claimed."""
        self.number = number
        self.phase = phase
        self.first_task = first_task
        self.sets = sets
        self.compute_us = sets.compute_us
        self.transfer_bytes = sets.transfer_bytes
        self.peak_mib = sets.peak_mib
        self.size = self.left = len(sets.compute_us)
        self.waiting = [*range(self.size - 1, -1, -1)]
        self.lapsing: list[int] = []
        self.failed = 0 if sets.failed is None else sum(sets.failed)
        self.collected_us = 0
        self.dead = False

    def datums(self, index: int) -> Floats:
        """Return the datums of one task, shape ``(rows, datums)``."""
        sets = self.sets
        return sets.work[:, sets.bounds[index] : sets.bounds[index + 1]]

    def reissue(self, in_flight: list[int]) -> Batch:
        """Return what a new master issues of this batch, dead from now on: all that is not done."""
        batch = Batch(self.number, self.phase, self.first_task, self.sets)
        batch.waiting = sorted(self.waiting + self.lapsing + in_flight, reverse=True)
        batch.left = len(batch.waiting)
        batch.failed = self.failed
        self.dead = True
        return batch
