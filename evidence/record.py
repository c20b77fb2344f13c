"""Records: every figure of every run, whatever it says, as a row of ``evidence/results.csv``."""

from __future__ import annotations

import csv
from dataclasses import astuple, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path

import sim

RESULTS = Path(__file__).parent / "results.csv"
WORLDS = Path(__file__).parent / "worlds"


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of a part; ``at_least`` None is reported without being held against anything.

    ``tried`` says out of how many, ``seed`` is the first seed of what was drawn.
    """

    name: str
    value: float
    unit: str
    tried: int
    seed: int
    at_least: float | None = None

    @property
    def holds(self) -> str:
        """Return ok or SHORT, or nothing where there is no target."""
        if self.at_least is None:
            return ""
        return "ok" if self.value >= self.at_least else "SHORT"


class Record:
    """Rows of one command; each is on disk before the next is measured."""

    def __init__(self, command: str, path: Path | None = RESULTS) -> None:
        """Begin the rows of a command, at this instant and of this version; without a path, print only."""
        self._path = path
        self._about = (datetime.now(UTC).isoformat(timespec="seconds"), sim.__version__, command)
        self.short = 0

    def add(self, part: str, figure: Figure) -> None:
        """Print a figure, and keep it."""
        target = "" if figure.at_least is None else f">= {figure.at_least:g}"
        print(
            f"{part:10} {figure.name:55} {figure.value:12,.5g} {figure.unit:10} {target:10} {figure.holds}",
            flush=True,
        )
        self.short += figure.holds == "SHORT"
        self._keep((*self._about, part, *astuple(figure), figure.holds))

    def fail(self, part: str, error: BaseException) -> None:
        """Keep that a part did not come to its end."""
        blanks = [""] * (len(fields(Figure)) - 1)
        self._keep((*self._about, part, f"did not end: {error!r}", *blanks, "SHORT"))

    def _keep(self, row: tuple[object, ...]) -> None:
        if self._path is None:
            return
        new = not self._path.exists()
        with self._path.open("a", newline="", encoding="utf-8") as out:
            rows = csv.writer(out, lineterminator="\n")
            if new:
                names = [field.name for field in fields(Figure)]
                rows.writerow(["started", "version", "command", "part", *names, "holds"])
            rows.writerow("" if value is None else value for value in row)
