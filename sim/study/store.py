"""The store: every finished replication of a study in one SQLite file, committed as it arrives.

A row is named by the hash of what was simulated (the scenario's values, whatever file they were read from),
seed, replication, and the versions of pachsim and numpy, so a changed scenario never meets old rows. Only
the coordinator writes, one at a time. The file stays whole when the process is killed; the loss of the
machine's power may take the last rows with it, and they run again.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sim.errors import InputError
from sim.model.scenario import Scenario
from sim.report.metrics import Tree
from sim.report.save import numbers, plain
from sim.study import store_file
from sim.study.model_json import to_json
from sim.study.store_file import in_one_line
from sim.study.versions import said, versions

KEYS = ("study", "question", "pachsim", "numpy")


@dataclass(frozen=True, slots=True)
class Row:
    """One replication: of which configuration, as which scenario, and in which round of the study."""

    configuration: str
    scenario: bytes
    seed: int
    replication: int
    round: int = 0

    @property
    def key(self) -> bytes:
        """What names the row: the hash of all that its metrics depend on."""
        return _digest([self.scenario.hex(), self.seed, self.replication, *versions()])


def scenario_hash(scenario: Scenario) -> bytes:
    """Return the hash of a scenario's values."""
    return _digest(to_json(scenario))


class Store:
    """An open store, which nobody else can open for writing.

    Parameters
    ----------
    study, question
        What the replications are for; a file holds those of one study.
    resume
        Whether to go on with what is there; without it only a new or empty file will do.

    Raises InputError for a file that is in use, damaged, somebody else's, another study's or of other
    versions; it is then as it was.
    """

    def __init__(self, path: str | Path, study: str, question: str = "", *, resume: bool = False) -> None:
        self.path = Path(path)
        about = dict(zip(KEYS, (study, question, *versions()), strict=True))
        with in_one_line(self.path):
            self._lock = store_file.locked(self.path)
            self._rows = sqlite3.connect(self.path, isolation_level=None, timeout=10.0)
        try:
            with in_one_line(self.path):
                self._begin(about, resume=resume)
        except BaseException:
            self._rows.close()
            self._lock.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __len__(self) -> int:
        count: int = self._rows.execute("SELECT count(*) FROM replications").fetchone()[0]
        return count

    def read(self, rows: Sequence[Row]) -> Iterator[tuple[int, Tree]]:
        """Yield the metrics of those replications that are there, with their places among ``rows``."""
        with in_one_line(self.path):
            for place, row in enumerate(rows):
                for found in store_file.rows(self._rows, self.path, "WHERE key = ?", (row.key,)):
                    yield place, numbers(json.loads(found["metrics"]))

    def add(self, row: Row, metrics: Tree) -> None:
        """Commit the metrics of one replication."""
        finished = datetime.now(UTC).isoformat(timespec="milliseconds")
        found = json.dumps(plain(metrics), allow_nan=False)
        with in_one_line(self.path):
            store_file.add(
                self._rows,
                (
                    row.key,
                    row.configuration,
                    row.scenario,
                    row.seed,
                    row.replication,
                    row.round,
                    finished,
                    found,
                ),
            )

    def close(self) -> None:
        """Put everything into the one file, and let others have it."""
        with suppress(sqlite3.Error):  # somebody reads or the disk is full: the log stays beside the file
            self._rows.execute("PRAGMA journal_mode = DELETE")
        self._rows.close()
        self._lock.close()

    def _begin(self, about: Mapping[str, str], *, resume: bool) -> None:
        """Check the file that is there, or make a new one."""
        new = store_file.is_new(self._rows)
        if not new:
            self._check(about, resume=resume)
        self._rows.execute("PRAGMA journal_mode = WAL")
        self._rows.execute("PRAGMA synchronous = NORMAL")
        if new:
            store_file.create(self._rows, about)

    def _check(self, about: Mapping[str, str], *, resume: bool) -> None:
        """Refuse what this study cannot go on with."""
        there, field = store_file.about(self._rows, self.path), str(self.path)
        damage = self._rows.execute("PRAGMA quick_check(1)").fetchone()[0]
        if damage != "ok":
            raise store_file.damaged(self.path, damage)
        if there.keys() != {*KEYS}:
            raise store_file.damaged(self.path, "it does not say what it is about")
        for _ in store_file.rows(self._rows, self.path, ""):  # each is checked, before anything is written
            pass
        of = there["pachsim"], there["numpy"]
        if of != versions():
            allowed = f"a store of {said(versions())}: a new file, in which the replications run again"
            raise InputError(f"is of {said(of)}", field=field, allowed=allowed)
        if there["study"] != about["study"]:
            problem = f"is of the study {there['study']}"
            raise InputError(problem, field=field, allowed=f"a store of {about['study']}, or a new file")
        if (count := len(self)) and not resume:
            problem = f"holds {count:,} replication{'s' * (count > 1)}"
            raise InputError(problem, field=field, allowed="a new file, or --resume to go on with them")


def _digest(value: Any) -> bytes:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).digest()
