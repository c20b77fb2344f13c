"""Drain: past the horizon the simulation goes on, uncounted, until what was counted is done.

Counted are the jobs and the plain pods created between warm-up and horizon, and a pod that stands for one of
these. Whatever else there is arrives, runs and costs as before; base load, services and spouts, which never
end, are not waited for. Looks at what is still open divide the longest drain evenly, so where it ends is
a function of the log alone, and a run whose counted work is done at the horizon ends there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sim.model.log import JOB_ENDS

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

    from sim.engine.clock import Clock
    from sim.model.log import EventLog
    from sim.model.scenario import Scenario

LOOKS = 256


def drain(clock: Clock, log: EventLog, scenario: Scenario) -> None:
    """Run on until all counted work is done, at the longest to ``scenario.last_us``."""
    longest_us = scenario.last_us - log.end_us
    if longest_us <= 0:
        return
    unfinished = Unfinished(log, {load.name for load in scenario.pods})
    while unfinished and log.end_us < scenario.last_us:
        log.end_us = min(log.end_us + -(-longest_us // LOOKS), scenario.last_us)
        clock.run_until(log.end_us)
        unfinished.look()


class Unfinished:
    """The counted jobs and plain pods that are not done, read from a log that grows."""

    def __init__(self, log: EventLog, plain: Collection[str]) -> None:
        """Read the log so far; ``plain`` are the sources of plain pods."""
        self._log = log
        self._read = {name: len(log[name]) for name in ("pods", "pod_ended", "job_states")}
        states = log["job_states"].view()
        ends = states[np.isin(states[:, 2], JOB_ENDS), 1]
        self._jobs = _open(log["jobs"].column("time_us") >= log.warmup_us, ends)
        sources = [row for row, name in enumerate(log.names["source"]) if name in plain]
        ours = np.isin(log["pods"].column("source"), sources)
        counted = ours & (log["pods"].column("time_us") >= log.warmup_us)
        self._pods = _open(counted, log["pod_ended"].column("pod"))

    def __bool__(self) -> bool:
        """Say whether anything is left."""
        return bool(self._jobs or self._pods)

    def look(self) -> None:
        """Read what the log has more than at the last look; a lost pod goes on as the one in its place."""
        for offset, (*_, replaces) in enumerate(self._new("pods"), self._read["pods"]):
            if replaces in self._pods:
                self._pods.add(offset)
        self._pods.difference_update(pod for _, pod, _ in self._new("pod_ended"))
        self._jobs.difference_update(job for _, job, state in self._new("job_states") if state in JOB_ENDS)
        self._read = {name: len(self._log[name]) for name in self._read}

    def _new(self, table: str) -> list[list[int]]:
        rows: list[list[int]] = self._log[table].view()[self._read[table] :].tolist()
        return rows


def _open(counted: NDArray[np.bool_], ended: NDArray[np.int64]) -> set[int]:
    counted[ended] = False
    return set(np.flatnonzero(counted).tolist())
