"""The master lock: which worker of a pipeline runs its jobs.

Every worker wants it, the one that has waited longest gets it. A holder that dies does not give it back: etcd
takes it away when its lease of 15 s is over.

Source: pachyderm/pachyderm v2.11.6, src/internal/dlock/dlock.go, src/server/worker/worker.go master;
pachyderm.md §4.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sim.engine.clock import Phase

if TYPE_CHECKING:
    from sim.engine.pachyderm.context import PipelineContext
    from sim.engine.pachyderm.workers import Worker


class MasterLock:
    """One pipeline's lock and those that want it."""

    def __init__(
        self, context: PipelineContext, on_taken: Callable[[], None], on_lost: Callable[[], None]
    ) -> None:
        """Start free; ``on_taken`` and ``on_lost`` hear of a master that begins and of one that died."""
        self._clock = context.clock
        self._log_master = context.log["masters"].add
        self._index = context.index
        self._lease_us = context.options.master_lock_us
        self._on_taken = on_taken
        self._on_lost = on_lost
        self._wanting: dict[Worker, None] = {}  # the holder among them
        self._free_us = 0
        self.holder: Worker | None = None

    def worker_up(self, worker: Worker) -> None:
        """Let a worker wait for the lock."""
        self._wanting[worker] = None
        if self.holder is None:
            self._seek()

    def worker_down(self, worker: Worker) -> None:
        """Forget a worker; if it held the lock, the lock stays taken until the lease is over."""
        del self._wanting[worker]
        if worker is self.holder:
            self._lose()
            if self._wanting:
                self._seek()

    def all_down(self) -> None:
        """Forget every worker."""
        self._wanting.clear()
        if self.holder is not None:
            self._lose()

    def _lose(self) -> None:
        self.holder = None
        self._free_us = self._clock.now_us + self._lease_us
        self._on_lost()

    def _seek(self) -> None:
        if self._clock.now_us >= self._free_us:
            self._take(None)
        else:
            self._clock.call_at(self._free_us, Phase.CONTROLLERS, self._take, None)

    def _take(self, _: None) -> None:
        if self.holder is None and self._wanting and self._clock.now_us >= self._free_us:
            self.holder = next(iter(self._wanting))
            self._log_master((self._clock.now_us, self._index, self.holder.pod_id))
            self._on_taken()
