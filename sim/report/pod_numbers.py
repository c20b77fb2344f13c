"""Numbers of pods: how many, how long they took to run, and how many at once; base load left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sim.model.log import PodEnd
from sim.model.metrics import METRIC
from sim.model.units import SECOND
from sim.report.arrays import Float, Int, stable_order
from sim.report.durations import Durations, Measured
from sim.report.intervals import SourceKind, source_kinds
from sim.report.starts import STEPS, start_steps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sim.model.log import EventLog
    from sim.model.scenario import PodLoad
    from sim.report.intervals import Lives
    from sim.report.meters import Window

STUCK_US = 1800 * SECOND
START, SHARE_WITHIN = "pod_start_p{}_s", "pod_share_within_{}_s"
USUAL = METRIC["pod_start_p95_s"].usual
LOST = (PodEnd.DRAINED, PodEnd.PREEMPTED, PodEnd.NODE_GONE, PodEnd.SPOT_INTERRUPTED, PodEnd.OOM_KILLED)
PODS_AT_A_TIME = 100_000  # all steps of as many are in memory at once


class PodNumbers:
    """The pods of one replication; methods take a source whose pods to count, all of them by default.

    Pods count wherever they start and end; what is there at once, up to the horizon.
    """

    def __init__(
        self, log: EventLog, lives: Lives, at_horizon: Lives, window: Window, plain: Sequence[PodLoad]
    ) -> None:
        """Take the loads of plain pods; only counts at one instant include what the warm-up created."""
        pods = lives.pods
        self._log = log
        self._lives = lives
        self._at_horizon = at_horizon.pods
        self._window = window
        kinds = source_kinds(log, [load.name for load in plain])
        self._ours = (kinds != SourceKind.SYSTEM)[pods.source]
        self._counted = self._ours & (pods.created_us >= window.from_us) & (pods.created_us < window.to_us)
        self._dropped = {
            log.names["source"].index(load.name): np.array(load.dropped, np.int64)
            for load in plain
            if load.dropped
        }
        self._by_source = stable_order(pods.source)
        sources = np.arange(len(log.names["source"]) + 2)
        self._begins = np.searchsorted(pods.source[self._by_source], sources)

    def of(self, source: int | None) -> Int:
        """Return the rows of a source's pods, or of all; none of a source that there is not."""
        if source is None:
            return np.arange(len(self._ours))
        return self._by_source[self._begins[source] : self._begins[source + 1]]

    def numbers(self, source: int | None = None) -> dict[str, float | Measured]:
        """Return counts, the time from creation to Running, and how many run at once."""
        pods, rows = self._lives.pods, self.of(source)
        counted, ran = self._counted[rows], pods.ran[rows]
        waited_us = (pods.ready_us - pods.created_us)[rows][counted]
        mean, peak = self._at_once(rows)
        starts = self.starts(source)
        percentiles = starts.quantiles([each / 100 for each in USUAL])
        dropped = self._rows_dropped(source)
        return {
            "pods_started": float((counted & ran).sum()),
            "pods_lost": float(np.isin(pods.reason[rows][counted], LOST).sum()),
            "pods_withdrawn": float((counted & ~ran & (pods.reason[rows] >= 0)).sum()),
            "pods_stuck": self._stuck(rows, source),
            "pods_waited_30m": float((waited_us > STUCK_US).sum() + dropped[:, 1].sum()),
            "rows_dropped": float(len(dropped)),
            "pod_start_mean_s": starts.mean(),
            **{START.format(f"{x:g}"): found for x, found in zip(USUAL, percentiles, strict=True)},
            "mean_workers": mean,
            "peak_workers": peak,
        }

    def starts(self, source: int | None = None) -> Durations:
        """Return how long pods took to run; those of dropped rows never do, withdrawn ones are left out."""
        pods, rows = self._lives.pods, self.of(source)
        rows = rows[self._counted[rows] & (pods.ran[rows] | (pods.reason[rows] < 0))]
        start_s: Float = (pods.running_us[rows] - pods.created_us[rows]) / SECOND
        waiting = ~pods.ran[rows]
        dropped = self._rows_dropped(source)
        if not len(dropped):
            return Durations(start_s, waiting)
        never_s = np.repeat((self._log.end_us - dropped[:, 0]) / SECOND, dropped[:, 1])
        never = np.concatenate((np.zeros(len(rows), np.bool_), np.ones(len(never_s), np.bool_)))
        return Durations(
            np.concatenate((start_s, never_s)), np.append(waiting, np.zeros(len(never_s), np.bool_)), never
        )

    def longest_wait_s(self) -> float:
        """Return the longest that any pod waited for a place, those of the warm-up included."""
        pods = self._lives.pods
        return float((pods.ready_us - pods.created_us)[self._ours].max(initial=0) / SECOND)

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

    def _at_once(self, rows: Int) -> tuple[float, float]:
        pods = self._lives.pods
        ran = rows[self._ours[rows] & pods.ran[rows]]
        return at_once(pods.running_us[ran], pods.ended_us[ran], self._window)

    def _stuck(self, rows: Int, source: int | None) -> float:
        """Return how many waited long at the horizon, those of the warm-up and of dropped rows included."""
        pods = self._at_horizon
        rows = rows[rows < len(pods)]
        waits = (pods.reason[rows] < 0) & (pods.ready_us[rows] == pods.ended_us[rows]) & self._ours[rows]
        stuck = waits & (pods.ended_us[rows] - pods.created_us[rows] > STUCK_US)
        dropped = self._rows_dropped(source, from_us=0)
        long = self._window.to_us - dropped[:, 0] > STUCK_US
        return float(stuck.sum() + dropped[long, 1].sum())

    def _rows_dropped(self, source: int | None, from_us: int | None = None) -> Int:
        """Return instants and numbers of pods of the dropped rows of a source, or of all, in the window."""
        chosen = [rows for of, rows in self._dropped.items() if source in {None, of}]
        rows = np.concatenate([np.zeros((0, 2), np.int64), *chosen])
        from_us = self._window.from_us if from_us is None else from_us
        inside: Int = rows[(rows[:, 0] >= from_us) & (rows[:, 0] < self._window.to_us)]
        return inside


def at_once(from_us: Int, to_us: Int, window: Window) -> tuple[float, float]:
    """Return how many of the spans ``[from, to)`` hold at once, on average and at most, in the window."""
    to_us = window.clip(to_us)
    from_us = np.minimum(window.clip(from_us), to_us)
    lasting = from_us < to_us
    starts, ends = np.sort(from_us[lasting]), np.sort(to_us[lasting])
    mean = float((ends - starts).sum() / max(window.to_us - window.from_us, 1))
    before = np.searchsorted(ends, starts, side="right")
    return mean, float((np.arange(1, len(starts) + 1) - before).max(initial=0))
