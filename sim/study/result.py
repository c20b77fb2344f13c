"""Result: what came of some replications; numbers with intervals at once, tables and pictures when asked.

The numbers are means over replications. Log, tables and pictures are of one replication, the first.
On disk a result is the folder that ``run --out`` writes and ``load_result`` reads.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sim.errors import InputError
from sim.model.log import EventLog
from sim.model.scenario import Origin, Scenario
from sim.report import save
from sim.report.folder import as_a_folder
from sim.report.frames import Tables
from sim.report.metrics import Tree
from sim.report.summary import summarise
from sim.study.marks import Marks
from sim.study.model_json import from_json, to_json

MODEL = "model.json"
WRITTEN = "scenario.json"
FILES = "files"
BEFORE = "before"
BASES = "before.json"  # the files that --set reached into, as they were before

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


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
        warnings = (*self.warnings, *self.marks.warnings())
        found = summarise(self.scenario, self.seed, list(self.replications.values()), warnings)
        return {**found, **self.marks.document()}

    @cached_property
    def marks(self) -> Marks:
        """What a reader must know before taking the window for what goes on for ever."""
        return Marks(self.scenario, list(self.replications.values()))

    @property
    def jobs(self) -> pd.DataFrame:
        """A row per job: state, instants, datums, cost, and waits that sum to the latency.

        Those created between warm-up and horizon, wherever they end; the cost is that of this window.
        """
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
        """A row per wait of a job of ``jobs`` that ended, in order of job and time."""
        return self._tables.waits

    def why(self, job: int) -> pd.DataFrame:
        """Return where one job's time went: a row per wait, in order, with its pod and place.

        ``job`` is a row of ``jobs``. Raises InputError for one that is not there.
        """
        return self._tables.why(job)

    @property
    def autoscaler(self) -> pd.DataFrame:
        """A row per decision of the autoscaler: what it considered, did and refused, and why.

        Reasons are upstream's names; a refusal holds until the next row of its group or node, and
        ``refused`` gives those that stood at any look.
        """
        return self._tables.autoscaler

    def refused(self, at_s: float) -> pd.DataFrame:
        """Return what the autoscaler refused at its last look until ``at_s``, of groups and nodes, and why.

        Node groups are judged only at looks with pods to help, so theirs is the last judgement.
        """
        return self._tables.refused(at_s)

    @property
    def bill(self) -> pd.DataFrame:
        """A row per job, overhead of a pipeline, other source and what is shared; uses as columns."""
        return self._tables.bill

    @property
    def plot(self) -> Plots:
        """Pictures, as matplotlib Figures."""
        return Plots(self)

    @staticmethod
    def check_folder(folder: str | Path) -> None:
        """Raise InputError for a folder that ``save`` would refuse."""
        save.check_folder(Path(folder))

    @staticmethod
    def folders(out: str | Path, scenarios: Sequence[Scenario]) -> dict[str, Path]:
        """Return where results of scenarios go under ``out``, by name; all are folders that ``save`` takes.

        One is ``out`` itself, several are folders within. Raises InputError for names that are no folder's.
        """
        place = Path(out)
        names = [scenario.name for scenario in scenarios]
        found = {name: place / as_a_folder(name) for name in names} if len(names) > 1 else {names[0]: place}
        if len({name.casefold() for name in names}) < len(names):
            raise InputError(
                "have one name on some disks", field=", ".join(names), allowed="names that differ"
            )
        for folder in found.values():
            save.check_folder(folder)
        return found

    def save(self, folder: str | Path) -> None:
        """Write the folder that ``load_result`` reads; an earlier result there is replaced.

        ``model.json`` is the scenario as it was simulated, ``scenario.json`` as it was read: `load` takes it.
        Raises InputError for a folder that holds something else or cannot be written.
        """
        files = {MODEL: json.dumps(to_json(self.scenario), allow_nan=False).encode()}
        if self.scenario.origin is not None:
            files |= _written(self.scenario.origin)
        saved = save.Saved(self.summary, self.replications, self.log)
        save.save(Path(folder), self.scenario, saved, files)

    @cached_property
    def _tables(self) -> Tables:
        return Tables(self.log, self.scenario)


def load_result(folder: str | Path) -> Result:
    """Return the result in a folder that ``run --out`` or ``Result.save`` wrote.

    Raises InputError for a folder that is no result, or a damaged one.
    """
    saved = save.load(Path(folder))
    try:
        scenario = from_json(json.loads((Path(folder) / MODEL).read_bytes()))
        scenario = replace(scenario, origin=_origin(Path(folder)))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, InputError) as error:
        raise save.unreadable(Path(folder), saved.version, error) from error
    result = Result(scenario, saved.document["seed"], saved.replications, saved.log)
    result.summary = saved.document
    return result


def _written(origin: Origin) -> dict[str, bytes]:
    """Return the files a scenario was read from, by name."""
    files = {WRITTEN: json.dumps(origin.document, indent=2).encode()}
    files |= {name: text.encode() for name, text in origin.texts}
    files |= {name: _bytes(path) for name, path in origin.files}
    before = {path: f"{BEFORE}/{n}-{Path(path).name}" for n, path in enumerate(dict(origin.bases).values())}
    files |= {name: _bytes(path) for path, name in before.items()}
    if before:
        named = {place: before[path] for place, path in origin.bases}
        files[BASES] = json.dumps(named, indent=2).encode()
    return files


def _bytes(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", field=path) from error


def _origin(folder: Path) -> Origin | None:
    """Return what ``_written`` left in a result's folder; None where it had nothing to leave."""
    if not (folder / WRITTEN).is_file():
        return None
    before = json.loads((folder / BASES).read_bytes()) if (folder / BASES).is_file() else {}
    beside = sorted((folder / FILES).iterdir()) if (folder / FILES).is_dir() else []
    return Origin(
        json.loads((folder / WRITTEN).read_bytes()),
        tuple((f"{FILES}/{path.name}", str(path)) for path in beside),
        bases=tuple((place, str(folder / BEFORE / Path(name).name)) for place, name in before.items()),
    )


class Plots:
    """Pictures of a result; each method returns a matplotlib Figure, which Jupyter shows."""

    def __init__(self, result: Result) -> None:
        self._result = result

    def timeline(self, from_s: float = 0.0, to_s: float | None = None) -> Figure:
        """Draw pods pending, starting and running over time, and the nodes under them."""
        from sim.report.figures import timeline

        return timeline(self._result.log, self._result.scenario, from_s, to_s)

    def waits(self) -> Figure:
        """Draw where the jobs' time went, pipeline by pipeline."""
        from sim.report.figures import wait_split

        return wait_split(self._result.summary)

    def bill(self) -> Figure:
        """Draw what the money was spent on."""
        from sim.report.figures import bill_split

        return bill_split(self._result.summary)
