"""Numbers of pods: how many, how long they took to run, and how many at once; base load left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sim.model.log import PodEnd
from sim.model.units import SECOND
from sim.report.arrays import Code, Int, stable_order
from sim.report.intervals import SourceKind
from sim.report.job_numbers import percentiles
from sim.report.starts import STEPS, start_steps

if TYPE_CHECKING:
    from sim.model.log import EventLog
    from sim.report.intervals import Lives
    from sim.report.meters import Window

STUCK_US = 1800 * SECOND
PERCENTILES = (50, 95)
LOST = (PodEnd.DRAINED, PodEnd.PREEMPTED, PodEnd.NODE_GONE, PodEnd.SPOT_INTERRUPTED, PodEnd.OOM_KILLED)
PODS_AT_A_TIME = 100_000  # all steps of as many are in memory at once


class PodNumbers:
    """The pods of one replication; methods take the rows of the pods to count, all of them by default."""

    def __init__(self, log: EventLog, lives: Lives, kinds: Code, window: Window) -> None:
        """Take ``kinds`` of sources; only counts at one instant include what the warm-up created."""
        pods = lives.pods
        self._log = log
        self._lives = lives
        self._window = window
        self._ours = (kinds != SourceKind.SYSTEM)[pods.source]
        self._counted = self._ours & (pods.created_us >= window.from_us)
        self._by_source = stable_order(pods.source)
        sources = np.arange(len(log.names["source"]) + 2)
        self._begins = np.searchsorted(pods.source[self._by_source], sources)

    def of(self, source: int) -> Int:
        """Return the rows of a source's pods; none of a source that there is not."""
        return self._by_source[self._begins[source] : self._begins[source + 1]]

    def numbers(self, rows: Int | slice = slice(None)) -> dict[str, float]:
        """Return counts, the time from creation to Running, and how many run at once."""
        pods = self._lives.pods
        counted, ran = self._counted[rows], self._ours[rows] & pods.ran[rows]
        start_s = (pods.running_us[rows] - pods.created_us[rows])[counted & ran] / SECOND
        waits = (pods.reason[rows] < 0) & (pods.ready_us[rows] == pods.ended_us[rows])
        stuck = waits & (pods.ended_us[rows] - pods.created_us[rows] > STUCK_US) & self._ours[rows]
        mean, peak = at_once(pods.running_us[rows][ran], pods.ended_us[rows][ran], self._window)
        return {
            "pods_started": float(len(start_s)),
            "pods_lost": float(np.isin(pods.reason[rows][counted], LOST).sum()),
            "pods_stuck": float(stuck.sum()),
            **percentiles("pod_start", start_s, PERCENTILES),
            "mean_workers": mean,
            "peak_workers": peak,
        }

    def waits_s(self) -> dict[str, float]:
        """Return the mean wait to Running of the pods that started, by name."""
        pods = self._lives.pods
        ran = self._counted & pods.ran
        rows = np.flatnonzero(ran & (pods.running_us > pods.created_us))  # the others waited for nothing
        total_us = dict.fromkeys(sorted(set(STEPS)), 0)
        for first in range(0, len(rows), PODS_AT_A_TIME):
            steps = start_steps(self._log, self._lives, rows[first : first + PODS_AT_A_TIME])
            for wait, span_us in zip(STEPS, np.diff(steps.sum(axis=1)).tolist(), strict=True):
                total_us[wait] += span_us
        count = int(np.count_nonzero(ran)) or np.nan
        return {wait.name.lower(): total / SECOND / count for wait, total in total_us.items()}


def at_once(from_us: Int, to_us: Int, window: Window) -> tuple[float, float]:
    """Return how many of the spans ``[from, to)`` hold at once, on average and at most, in the window."""
    to_us = window.clip(to_us)
    from_us = np.minimum(window.clip(from_us), to_us)
    lasting = from_us < to_us
    starts, ends = np.sort(from_us[lasting]), np.sort(to_us[lasting])
    mean = float((ends - starts).sum() / max(window.to_us - window.from_us, 1))
    before = np.searchsorted(ends, starts, side="right")
    return mean, float((np.arange(1, len(starts) + 1) - before).max(initial=0))
