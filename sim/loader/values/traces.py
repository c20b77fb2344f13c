"""Traces: recorded arrivals from a CSV file, ``job_id,arrival_s,datums,datum_seconds,cpu,memory_gib,gpu``.

``arrival_s`` has to be there. Any other column that a source lacks, in part or as a whole, takes the
default the scenario gives for it; without one that is an error naming the columns, never a guess.

Source: the format of shared/data/traces/README.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from sim.documents.fields import Field
from sim.errors import InputError, nearest
from sim.loader.values.kinds import Json
from sim.loader.values.scalars import (
    DATUMS,
    DURATION,
    FACTOR,
    FEW,
    LARGEST_SIZE,
    LONGEST_US,
    MOST_CPU_M,
    MOST_DATUMS,
    MOST_PODS,
    ONE_OR_MORE,
    POSITIVE,
    TEXT,
)
from sim.loader.values.sections import Key, mapping, section_of
from sim.loader.values.tables import Table, read_table
from sim.model.arrivals import TraceArrivals
from sim.model.units import SECOND

MIB_PER_GIB = 1024
MILLI = 1000
LONGEST_S = LONGEST_US // SECOND
MOST = {  # of one row
    "datums": MOST_PODS,
    "datum_seconds": LONGEST_S,
    "cpu": MOST_CPU_M // MILLI,
    "memory_gib": LARGEST_SIZE // 2**30,
    "gpu": MOST_PODS,
}
COLUMNS = tuple(MOST)

_DEFAULTS = section_of(
    mapping,
    Key("datums", DATUMS, "datums (or pods) of a row", default=None),
    Key("datum_seconds", POSITIVE, "seconds that one takes", default=None),
    Key("cpu", FEW, "cores that one requests", default=None),
    Key("memory_gib", FEW, "GiB of memory that one requests", default=None),
    Key("gpu", FEW, "GPUs that one requests", default=None),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceFile:
    """What a scenario says of a trace."""

    file: str
    defaults: dict[str, float] | None = None
    start_us: int = 0
    until_us: int | None = None
    limit: int | None = None
    stretch: float = 1.0


SECTION = section_of(
    TraceFile,
    Key("file", TEXT, "CSV file beside the scenario, .gz as well"),
    Key("defaults", _DEFAULTS, "values for columns or cells that the source lacks"),
    Key(
        "from",
        DURATION,
        "leave out rows that arrive before this, and start there",
        attribute="start_us",
    ),
    Key("until", DURATION, "leave out rows that arrive at or after this", attribute="until_us"),
    Key("limit", ONE_OR_MORE, "keep this many rows"),
    Key("stretch", FACTOR, "multiply the times between arrivals"),
)


@dataclass(frozen=True, slots=True)
class TraceKind:
    """A trace of which ``needed`` columns are used; the others are 0."""

    needed: tuple[str, ...]

    @property
    def unit(self) -> str:
        """A trace."""
        return "trace"

    def read(self, at: Field) -> TraceArrivals:
        """Read the file and fill what it lacks."""
        said: TraceFile = SECTION.read(at)
        file = at.child("file")
        assert file is not None
        table = read_table(file, said.file, ["arrival_s"], self.needed)
        defaults = said.defaults or {}
        self._check_lacking(table, defaults, file)
        try:
            return self._arrivals(table, defaults, said)
        except InputError as error:
            raise at.locate(error) from None

    def _check_lacking(self, table: Table, defaults: dict[str, float], at: Field) -> None:
        lacking = [
            c for c in self.needed if c not in defaults and (c not in table.columns or "" in table.columns[c])
        ]
        if lacking:
            raise at.error(
                f"is {at.value!r}, which lacks values in {', '.join(lacking)}",
                allowed=f"a default for each, as in defaults: {{{lacking[0]}: …}}",
                near=nearest(lacking[0], (each for each in table.header if each not in COLUMNS)),
            )

    def _arrivals(self, table: Table, defaults: dict[str, float], said: TraceFile) -> TraceArrivals:
        arrival_s = table.filled("arrival_s", None, 0, LONGEST_S)
        columns = {
            c: table.filled(c, defaults.get(c), 0, most) if c in self.needed else None
            for c, most in MOST.items()
        }
        rows = sorted(range(table.rows), key=arrival_s.__getitem__)
        rows = [r for r in rows if said.start_us <= arrival_s[r] * SECOND < (said.until_us or math.inf)]
        rows = rows[: said.limit]
        if not rows:
            raise InputError("has no rows left", allowed="at least one row between from and until")
        if (total := sum(columns["datums"][r] for r in rows) if columns["datums"] else 0) > MOST_DATUMS:
            raise InputError(f"has {total:,.0f} datums", allowed=f"at most {MOST_DATUMS:,} in all rows")

        def column(name: str, factor: int) -> tuple[int, ...]:
            values = columns[name]
            return (0,) * len(rows) if values is None else tuple(math.ceil(values[r] * factor) for r in rows)

        seconds = columns["datum_seconds"]
        return TraceArrivals(
            source=said.file,
            times_us=tuple(round((arrival_s[r] * SECOND - said.start_us) * said.stretch) for r in rows),
            datums=column("datums", 1),
            datum_s=(0.0,) * len(rows) if seconds is None else tuple(seconds[r] for r in rows),
            cpu_m=column("cpu", MILLI),
            memory_mib=column("memory_gib", MIB_PER_GIB),
            gpu=column("gpu", 1),
        )

    def schema(self) -> Json:
        """Return that of the section."""
        return SECTION.schema()
