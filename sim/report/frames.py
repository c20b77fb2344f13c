"""Frames: one replication as pandas tables, a row per job, pod, node, wait, decision or part of the bill.

Jobs are those created in the window, ``[warmup, horizon)``, and pods all that were created before the
horizon, wherever they end; nodes and decisions are those until the horizon, and money is that of the window.
Times are seconds since the start of the scenario, NaN for what did not happen. pandas is imported when a
table is asked for, because that takes longer than a small run.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.errors import InputError
from sim.model.log import JobState, PodEnd
from sim.model.units import HOUR, SECOND
from sim.report.arrays import Code, Flag, Float, Int, Small
from sim.report.bill import Bill, Use, make_bill
from sim.report.intervals import NEVER, Lives, lives
from sim.report.looks import decisions, refusals_at
from sim.report.meters import node_meters
from sim.report.starts import STEPS, Wait, start_steps
from sim.report.waits import Waits, job_waits

if TYPE_CHECKING:
    import pandas as pd

    from sim.model.log import EventLog
    from sim.model.scenario import Scenario

OVERHEAD = "standby, idle workers and rounding"
ALL_PODS = "all its pods"
SHARED = "shared"
FARGATE = "fargate"


class Tables:
    """The tables of one replication, each made when first asked for."""

    def __init__(self, log: EventLog, scenario: Scenario) -> None:
        """Make nothing yet."""
        self._log = log
        self._to_horizon = log.to_horizon()
        self._scenario = scenario
        self._names = log.names

    @cached_property
    def lives(self) -> Lives:
        """The lives that the tables are made of."""
        return lives(self._log)

    @cached_property
    def at_horizon(self) -> Lives:
        """The same as they were at the horizon."""
        return self.lives if self._to_horizon is self._log else lives(self._to_horizon)

    @cached_property
    def cost(self) -> Bill:
        """The bill of the window."""
        return make_bill(self._to_horizon, self._scenario, self.at_horizon, self._log.warmup_us)

    @cached_property
    def critical_paths(self) -> Waits:
        """The waits of the jobs that ended."""
        return job_waits(self._log, self.lives)

    @cached_property
    def jobs(self) -> pd.DataFrame:
        """One row per job of the window: state, instants, datums, cost, and waits that sum to the latency."""
        jobs = self.lives.jobs
        created_us = jobs.created_us
        counted = (created_us >= self._log.warmup_us) & (created_us < self._log.horizon_us)
        ended = jobs.state >= 0
        started_us = jobs.reached_us[JobState.STARTED]
        waited_us = self.critical_paths.total_us(len(jobs))
        datums = np.full((len(jobs), 4), np.nan)
        known = self._log["job_datums"].rows()
        datums[known[:, 0]] = known[:, 1:5]
        usd = np.zeros(len(jobs))
        usd[: len(self.cost.by_job)] = self.cost.by_job.sum(axis=1)
        return _frame(
            "job",
            {
                "pipeline": _named(self._names["pipeline"], jobs.pipeline),
                "state": _named([state.name for state in JobState], jobs.state, "UNFINISHED"),
                "created_s": _seconds(jobs.created_us),
                "started_s": _seconds(started_us, started_us < NEVER),
                "ended_s": _seconds(jobs.ended_us, ended),
                "latency_s": _seconds(jobs.ended_us - jobs.created_us, ended),
                **dict(zip(("parallel", "serial", "skipped", "failed"), datums.T, strict=True)),
                "cost_usd": usd,
                **{f"{wait.name.lower()}_s": _seconds(waited_us[:, wait], ended) for wait in Wait},
            },
        )[counted]

    @cached_property
    def pods(self) -> pd.DataFrame:
        """One row per pod: source, class, place, instants, end, and waits that sum to the start."""
        pods = self.lives.pods
        placed = (pods.node >= 0) | (pods.fargate & (pods.ready_us < pods.ended_us))
        places = [*self._nodes(), FARGATE]
        place = np.where(pods.fargate, len(places) - 1, pods.node)
        steps = start_steps(self._log, self.lives, np.arange(len(pods)))
        waited = dict.fromkeys(STEPS, np.zeros(len(pods), np.int64))
        for wait, span_us in zip(STEPS, np.diff(steps, axis=0), strict=True):
            waited[wait] = waited[wait] + span_us
        return _frame(
            "pod",
            {
                "source": _named(self._names["source"], pods.source),
                "pod_class": _named(self._names["pod_class"], pods.pod_class),
                "place": _named(places, np.where(placed, place, -1)),
                "created_s": _seconds(pods.created_us),
                "placed_s": _seconds(pods.ready_us, placed),
                "running_s": _seconds(pods.running_us, pods.ran),
                "ended_s": _seconds(pods.ended_us, pods.reason >= 0),
                "end": _named([end.name for end in PodEnd], pods.reason),
                "start_s": _seconds(pods.running_us - pods.created_us, pods.ran),
                **{f"{wait.name.lower()}_s": _seconds(span, pods.ran) for wait, span in waited.items()},
            },
        )[pods.created_us < self._log.horizon_us]

    @cached_property
    def nodes(self) -> pd.DataFrame:
        """One row per EC2 node asked for: instants, hours paid and what they cost in the window."""
        nodes, window = self.at_horizon.nodes, self.cost.window
        paid_us = window.clip(nodes.terminated_us) - window.clip(nodes.launched_us)
        paid_us[~nodes.launched] = 0
        meters = node_meters(nodes, self._scenario.cluster.shapes, self._scenario.prices, window)
        gone = nodes.finished & (nodes.gone_us < self._log.horizon_us)
        return _frame(
            "node",
            {
                "name": self._nodes()[: len(nodes)],
                "group": _named(self._names["group"], nodes.group),
                "shape": _named(self._names["shape"], nodes.shape),
                "requested_s": _seconds(nodes.requested_us),
                "launched_s": _seconds(nodes.launched_us, nodes.launched),
                "ready_s": _seconds(nodes.ready_us, nodes.came_up),
                "unneeded_s": _seconds(nodes.unneeded_us, nodes.unneeded_us < nodes.terminated_us),
                "terminated_s": _seconds(nodes.terminated_us, nodes.finished & nodes.launched),
                "gone_s": _seconds(nodes.gone_us, gone),
                "paid_hours": paid_us / HOUR,
                "cost_usd": paid_us * meters.usd_per_us + meters.rounding_usd,
            },
        )

    @cached_property
    def bill(self) -> pd.DataFrame:
        """One row per job, pipeline's overhead, other source, and what is shared; uses as columns.

        All amounts together are the bill.
        """
        by_job, by_source = self.cost.by_job, self.cost.by_source
        jobs_of = self.at_horizon.jobs.pipeline
        sources: list[str] = []
        parts: list[str] = []
        amounts: list[Float] = []
        pipelines = {name: row for row, name in enumerate(self._names["pipeline"])}
        for name, row in zip([*self._names["source"], SHARED], by_source, strict=True):
            jobs = np.flatnonzero(jobs_of == pipelines[name]) if name in pipelines else jobs_of[:0]
            rest = OVERHEAD if name in pipelines else "" if name == SHARED else ALL_PODS
            sources += [name] * (len(jobs) + 1)
            parts += [*(f"job {job}" for job in jobs), rest]
            amounts += [by_job[jobs], row[None] - by_job[jobs].sum(axis=0)]
        usd = np.concatenate(amounts)
        uses = {f"{use.name.lower()}_usd": usd[:, use] for use in Use}
        return _frame("row", {"source": sources, "part": parts, **uses, "total_usd": usd.sum(axis=1)})

    @cached_property
    def waits(self) -> pd.DataFrame:
        """One row per wait of a job of the window that ended, in order of job and time."""
        path = self.critical_paths
        counted = np.isin(path.job, self.jobs.index.to_numpy())
        return _frame(
            "wait_number",
            {
                "job": path.job[counted],
                "wait": _named([wait.name.lower() for wait in Wait], path.wait[counted]),
                "from_s": _seconds(path.from_us[counted]),
                "to_s": _seconds(path.to_us[counted]),
                "pod": path.pod[counted],
            },
        )

    @cached_property
    def autoscaler(self) -> pd.DataFrame:
        """One row per decision of the autoscaler: what it considered, did and refused, and why."""
        import pandas as pd

        rows = decisions(self._to_horizon, self._nodes())
        return _frame(
            "decision",
            {
                "time_s": [row.time_us / SECOND for row in rows],
                "event": [row.event.value for row in rows],
                "subject": [row.subject for row in rows],
                "nodes": pd.array([row.nodes for row in rows], dtype="Int64"),
                "pods": pd.array([row.pods for row in rows], dtype="Int64"),
                "reason": [row.reason for row in rows],
            },
        )

    def refused(self, at_s: float) -> pd.DataFrame:
        """Return what the autoscaler refused at the last look until an instant, and why."""
        rows = refusals_at(self._to_horizon, self._nodes(), round(at_s * SECOND))
        return _frame(
            "refusal",
            {
                "subject": [row.subject for row in rows],
                "reason": [row.reason for row in rows],
                "since_s": [row.time_us / SECOND for row in rows],
            },
        )

    def why(self, job: int) -> pd.DataFrame:
        """Return where one job's time went: its waits in order, with the pod and its place."""
        known = self.jobs.index
        if job not in known:
            some = f"{known[0]} to {known[-1]}" if len(known) else "none: no job was made in the window"
            raise InputError(field="job", value=job, allowed=some)
        waits = self.waits[self.waits["job"] == job].drop(columns="job").reset_index(drop=True)
        waits.insert(3, "seconds", waits["to_s"] - waits["from_s"])
        places = self.pods["place"]
        return waits.assign(place=[places[pod] if pod >= 0 else "" for pod in waits["pod"]])

    def _nodes(self) -> list[str]:
        """Return each node's name, ``group-number``; one of no group is called after its shape."""
        numbers = self._log["nodes"].column("number").tolist()
        nodes = self.lives.nodes
        groups, shapes = self._names["group"], self._names["shape"]
        of = zip(nodes.group.tolist(), nodes.shape.tolist(), numbers, strict=True)
        return [f"{groups[group] if group >= 0 else shapes[shape]}-{n}" for group, shape, n in of]


def _frame(index: str, columns: dict[str, Any]) -> pd.DataFrame:
    """Return a table with numbered rows."""
    import pandas as pd

    table = pd.DataFrame(columns)
    table.index.name = index
    return table


def _seconds(instants: Int, there: Flag | None = None) -> Float:
    """Return seconds, NaN where not ``there``."""
    seconds: Float = instants / SECOND
    return seconds if there is None else np.where(there, seconds, np.nan)


def _named(names: Sequence[str], rows: Small | Code | Int, none: str = "") -> list[str]:
    """Return the name of each row, ``none`` for -1."""
    known = [*names, none]
    return [known[row] for row in rows.tolist()]
