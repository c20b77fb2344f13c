"""Numbers of jobs: how many, how long, how many datums, and where the time went; for any set of jobs."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from sim.model.log import JobState, TaskEnd
from sim.model.metrics import METRIC
from sim.model.units import SECOND
from sim.report.arrays import Flag, Float, Int, stable_order
from sim.report.durations import Durations, Measured
from sim.report.starts import Wait
from sim.report.waits import waited_us

if TYPE_CHECKING:
    from sim.model.log import EventLog
    from sim.model.scenario import Slo
    from sim.report.intervals import Claims, Lives

LATENCY, SHARE_WITHIN = "job_latency_p{}_s", "job_share_within_{}_s"
USUAL = METRIC["job_latency_p95_s"].usual


class JobNumbers:
    """The jobs of one replication; methods take the rows of the jobs to count, all of them by default.

    Jobs count wherever they end; datums up to the horizon, where ``at_horizon`` ends.
    """

    def __init__(self, log: EventLog, lives: Lives, at_horizon: Lives) -> None:
        """Put per job what every number is made of."""
        jobs, claims = lives.jobs, at_horizon.claims
        self._log = log
        self._lives = lives
        self._counted = (jobs.created_us >= log.warmup_us) & (jobs.created_us < log.horizon_us)
        self._latency_s: Float = (jobs.ended_us - jobs.created_us) / SECOND
        self._completed = self._counted & (jobs.state == JobState.SUCCESS)
        self._unfinished = self._counted & (jobs.state < 0)
        self._failed = self._counted & ~self._completed & ~self._unfinished
        late = (claims.ended_us >= log.warmup_us) & (claims.outcome >= 0)
        done = late & (claims.outcome == TaskEnd.DONE)
        self._processed = self._datums(claims, done)
        self._lost = self._datums(claims, late & ~done)
        ends = log["job_datums"].rows()
        self._failed_datums = np.bincount(ends[:, 0], weights=ends[:, 4], minlength=len(jobs))
        self._by_pipeline = stable_order(jobs.pipeline)
        pipelines = np.arange(len(log.names["pipeline"]) + 1)
        self._begins = np.searchsorted(jobs.pipeline[self._by_pipeline], pipelines)

    def of(self, pipeline: int) -> Int:
        """Return the rows of a pipeline's jobs."""
        return self._by_pipeline[self._begins[pipeline] : self._begins[pipeline + 1]]

    def datums_processed(self, rows: Int | slice = slice(None)) -> float:
        """Return how many datums were in sets that ended DONE."""
        return float(self._processed[rows].sum())

    def numbers(self, rows: Int | slice = slice(None)) -> dict[str, float | Measured]:
        """Return counts and latencies."""
        latencies = self.latencies(rows)
        percentiles = latencies.quantiles([each / 100 for each in USUAL])
        return {
            "jobs_completed": float(self._completed[rows].sum()),
            "jobs_unfinished": float(self._unfinished[rows].sum()),
            "jobs_failed": float(self._failed[rows].sum()),
            "job_latency_mean_s": latencies.mean(),
            **{LATENCY.format(f"{x:g}"): found for x, found in zip(USUAL, percentiles, strict=True)},
            "datums_processed": self.datums_processed(rows),
            "datums_lost": float(self._lost[rows].sum()),
            "datums_failed": float(self._failed_datums[rows][self._counted[rows]].sum()),
        }

    def latencies(self, rows: Int | slice = slice(None)) -> Durations:
        """Return how long jobs took."""
        counted = self._counted[rows]
        return Durations(
            self._latency_s[rows][counted], self._unfinished[rows][counted], self._failed[rows][counted]
        )

    def waits_s(self, rows: Int | slice = slice(None)) -> dict[str, float]:
        """Return the mean wait of completed jobs by name; they sum to their mean latency."""
        waited_us = self._waits_us[rows][self._completed[rows]]
        mean_s = waited_us.mean(axis=0) / SECOND if len(waited_us) else np.full(len(Wait), np.nan)
        return {wait.name.lower(): float(mean_s[wait]) for wait in Wait}

    def target(self, slo: Slo) -> dict[str, float | Measured]:
        """Return the latency at a target's quantile, and the share of jobs within the target."""
        names = self._log.names["pipeline"]
        chosen = [row for row, name in enumerate(names) if slo.pipeline in {"", name}]
        latencies = self.latencies(np.flatnonzero(np.isin(self._lives.jobs.pipeline, chosen)))
        (latency_s,) = latencies.quantiles([slo.quantile])
        return {"latency_s": latency_s, "share_within": latencies.share_within(slo.at_most_s)}

    @cached_property
    def _waits_us(self) -> Int:
        return waited_us(self._log, self._lives)

    def _datums(self, claims: Claims, which: Flag) -> Float:
        """Return the datums in the tasks of some claims, summed by job."""
        datums = self._log["tasks"].column("datums")[claims.task[which]]
        total = np.bincount(claims.job[which], weights=datums, minlength=len(self._lives.jobs))
        return total.astype(np.float64, copy=False)
