"""CSV files: data frames as files that a spreadsheet opens without running anything in them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sim.texts import cell

if TYPE_CHECKING:
    import pandas as pd


def write_csv(frame: pd.DataFrame, path: Path, *, index: bool = True) -> None:
    """Write a frame; texts in cells, header and index are made harmless, numbers stay as they are."""
    safe = frame.copy(deep=False)
    for name in frame.columns.difference(frame.select_dtypes("number").columns, sort=False):
        safe[name] = frame[name].map(cell, na_action="ignore")
    safe.columns = [cell(name) for name in frame.columns]
    if index:
        safe.index = safe.index.map(cell)
        safe.index.name = frame.index.name
    safe.to_csv(path, index=index, lineterminator="\n")
