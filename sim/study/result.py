"""Result: what came of some replications; numbers with intervals at once, tables and pictures when asked.

The numbers are means over replications. Log, tables and pictures are of one replication, the first.
On disk a result is the folder that ``run --out`` writes and ``load_result`` reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sim.model.log import EventLog
from sim.model.scenario import Scenario
from sim.report.frames import Tables
from sim.report.metrics import Tree
from sim.report.summary import summarise

if TYPE_CHECKING:
    import pandas as pd


class Result:
    """Replications of one scenario under one seed.

    ``replications`` holds the metrics of each by its number, ``log`` what happened in the first.
    """

    def __init__(
        self,
        scenario: Scenario,
        seed: int,
        replications: Mapping[int, Tree],
        log: EventLog,
        warnings: tuple[str, ...] = (),
        *,
        interrupted: bool = False,
    ) -> None:
        self.scenario = scenario
        self.seed = seed
        self.replications = dict(sorted(replications.items()))
        self.log = log
        self.warnings = warnings
        self.interrupted = interrupted

    @cached_property
    def summary(self) -> dict[str, Any]:
        """The document of ``docs/json.md``: every figure with mean and 95 % interval."""
        return summarise(self.scenario, self.seed, list(self.replications.values()), self.warnings)

    @property
    def jobs(self) -> pd.DataFrame:
        """A row per job: state, instants, datums, cost, and waits that sum to the latency."""
        return self._tables.jobs

    @property
    def pods(self) -> pd.DataFrame:
        """A row per pod: source, place, instants, end, and waits that sum to its start."""
        return self._tables.pods

    @property
    def nodes(self) -> pd.DataFrame:
        """A row per EC2 node: instants, hours paid and their cost."""
        return self._tables.nodes

    @property
    def waits(self) -> pd.DataFrame:
        """A row per wait of a job that ended, in order of job and time."""
        return self._tables.waits

    @property
    def bill(self) -> pd.DataFrame:
        """A row per job, overhead of a pipeline, other source and what is shared; uses as columns."""
        return self._tables.bill

    @cached_property
    def _tables(self) -> Tables:
        return Tables(self.log, self.scenario)
