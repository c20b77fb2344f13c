"""Tables: CSV files that a scenario refers to, plain or gzipped, read beside the scenario.

Refused in one line: what is missing, binary or larger than 100 MB when unpacked, a header without the
columns asked for, and a cell that is no number.
"""

from __future__ import annotations

import csv
import gzip
import math
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from sim.documents.fields import Field
from sim.errors import InputError, nearest
from sim.loader.values.scalars import LARGEST_COUNT

MAX_BYTES = 100_000_000


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of a CSV file by column; empty cells are empty texts. Row ``n`` is on line ``n + 2``."""

    file: str
    columns: dict[str, list[str]]
    header: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """How many."""
        return max(map(len, self.columns.values()), default=0)

    def numbers(
        self, column: str, least: float = -math.inf, most: float = LARGEST_COUNT
    ) -> list[float | None]:
        """Return a column as numbers; None where the cell is empty."""
        return [self._number(column, row, cell, least, most) for row, cell in enumerate(self.columns[column])]

    def filled(
        self, column: str, default: float | None, least: float = -math.inf, most: float = LARGEST_COUNT
    ) -> list[float]:
        """Return a column as numbers, with ``default`` where it or a cell of it is missing."""
        if column not in self.columns:
            assert default is not None
            return [default] * self.rows
        values = []
        for row, value in enumerate(self.numbers(column, least, most)):
            number = default if value is None else value
            if number is None:
                raise InputError("is empty", field=column, allowed="a number", file=self.file, line=row + 2)
            values.append(number)
        return values

    def _number(self, column: str, row: int, cell: str, least: float, most: float) -> float | None:
        if not cell:
            return None
        try:
            value = float(cell)
        except ValueError:
            value = math.nan
        if not least <= value <= most:
            allowed = f"a number, at most {most:,.10g}"
            if least != -math.inf:
                allowed = f"a number from {least:g} to {most:,.10g}"
            raise InputError(field=column, value=cell, allowed=allowed, file=self.file, line=row + 2)
        return value


def read_table(at: Field, name: str, wanted: Collection[str], optional: Collection[str] = ()) -> Table:
    """Return columns of the CSV file called ``name`` beside the document of ``at``.

    ``wanted`` ones have to be there, ``optional`` ones may be.
    """
    path = Path(at.document.file).parent / name
    try:
        with _opened(path) as file:
            return _read(file, str(path), wanted, optional)
    except InputError as error:
        raise at.locate(error) from None
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise at.error(f"is {name!r}, which cannot be read: {reason}", allowed="a CSV file") from None
    except (UnicodeDecodeError, csv.Error):
        raise at.error(f"is {name!r}, which is not CSV text in UTF-8", allowed="a CSV file") from None


def _read(file: IO[str], name: str, wanted: Collection[str], optional: Collection[str]) -> Table:
    lines = csv.reader(_within(file, name))
    header = next(lines, [])
    _check_header(header, wanted, name)
    kept = [*wanted, *(column for column in optional if column in header)]
    return Table(name, _columns(lines, header, kept, name), tuple(header))


def _opened(path: Path) -> IO[str]:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def _within(lines: IO[str], file: str) -> Iterator[str]:
    """Yield lines until there are too many; a gzip bomb ends here."""
    total = number = 0
    while line := lines.readline(MAX_BYTES):
        total, number = total + len(line), number + 1
        if total > MAX_BYTES:
            most = f"at most {MAX_BYTES:,} bytes unpacked"
            raise InputError("is too large", allowed=most, file=file, line=number)
        yield line


def _check_header(header: list[str], wanted: Collection[str], file: str) -> None:
    if not header:
        raise InputError("is empty", allowed=f"a header with {', '.join(wanted)}", file=file, line=1)
    for column in header:
        if header.count(column) > 1:
            raise InputError(f"has the column {column} twice", allowed="once", file=file, line=1)
    for column in wanted:
        if column not in header:
            raise InputError(
                f"has no column {column}",
                allowed=", ".join(wanted),
                nearest=nearest(column, header),
                file=file,
                line=1,
            )


def _columns(
    lines: Iterator[list[str]], header: list[str], wanted: Collection[str], file: str
) -> dict[str, list[str]]:
    at = {column: header.index(column) for column in wanted}
    columns: dict[str, list[str]] = {column: [] for column in wanted}
    for number, line in enumerate(lines, start=2):
        if len(line) != len(header):
            raise InputError(
                f"has {len(line)} cells", allowed=f"{len(header)}, as the header", file=file, line=number
            )
        for column, index in at.items():
            columns[column].append(line[index].strip())
    return columns
