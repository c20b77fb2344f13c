"""Output: answers on stdout, warnings and errors on stderr, and how each looks there.

Whatever is shown goes through ``visible`` here, so that no name of a file reaches a terminal as a command.

rich honours NO_COLOR. Only commands that print import this module, as rich takes longer than ``--help``.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from sim.cli.options import Format
from sim.texts import cell, visible

PIPED_WIDTH = 500  # where there is no terminal to fit into, rows stay whole


def print_error(message: str) -> None:
    """Print one red line on stderr."""
    _stderr().print(Text(visible(message), style="red"), soft_wrap=True)


def print_warnings(warnings: Iterable[str]) -> None:
    """Print each warning as a line of stderr."""
    for warning in warnings:
        _stderr().print(Text.assemble(("warning: ", "yellow"), visible(warning)), soft_wrap=True)


def print_text(text: str, style: str = "") -> None:
    """Print one line on stdout."""
    _stdout().print(Text(visible(text), style=style), soft_wrap=True)


def print_rows(rows: Sequence[Mapping[str, Any]], form: Format) -> None:
    """Print rows of equal keys as a table, as a JSON list, or as CSV."""
    header = list(rows[0]) if rows else []
    if form is Format.JSON:
        print_json(rows)
    elif form is Format.CSV:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(map(cell, header))
        writer.writerows(map(cell, row.values()) for row in rows)
    else:
        print_table(header, [list(row.values()) for row in rows])


def print_table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print a table without lines; a column of numbers is set to the right."""
    table = Table(box=None, pad_edge=False)
    for n, name in enumerate(header):
        numbers = all(isinstance(row[n], int | float | None) for row in rows)
        table.add_column(
            Text(visible(name.replace("_", " "))), justify="right" if numbers else "left", header_style="dim"
        )
    for row in rows:
        table.add_row(*map(_cell, row))
    _stdout().print(table)


def print_json(document: Any) -> None:
    """Print JSON on stdout."""
    text = json.dumps(document, indent=2, allow_nan=False)
    sys.stdout.write(text.replace("\x7f", "\\u007f") + "\n")  # the one control character JSON leaves as it is


def _cell(value: Any) -> Text:
    if value is None:
        return Text("–")
    if isinstance(value, bool) or not isinstance(value, int | float):
        return Text(visible(str(value)))
    return Text(f"{value:,.6g}" if isinstance(value, float) else f"{value:,}")


def _stdout() -> Console:
    return Console(width=None if sys.stdout.isatty() else PIPED_WIDTH, highlight=False)


def _stderr() -> Console:
    return Console(stderr=True, highlight=False)
