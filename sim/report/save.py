"""Save: a result as a folder, whole or not at all, and its log and numbers read back.

``scenario.yaml`` and the files it reads; ``summary.json`` (``docs/json.md``); ``replications.json``, the
metrics of each; ``log/``, the event log of the replication shown, one Parquet file per table; tables as
CSV and pictures as PNG. All of it is written beside the folder and moved there when complete, with checksums;
an earlier result is replaced, anything else is left alone.
"""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.errors import InputError
from sim.model.log import TABLES, EventLog
from sim.report import folder as folders
from sim.report.checksums import check_sums, write_sums
from sim.report.folder import put_files, write_folder
from sim.report.metrics import Tree
from sim.version import VERSION

if TYPE_CHECKING:
    from sim.model.scenario import Scenario

SUMMARY = "summary.json"
REPLICATIONS = "replications.json"
LOG = "log"
NAMES = "names.json"
FRAMES = ("jobs", "pods", "nodes", "bill", "waits", "autoscaler")
DOTS_PER_INCH = 120
ENDLESS = "endless"
ALLOWED = "a new or empty folder, or an earlier result"


@dataclass(frozen=True, slots=True)
class Saved:
    """What a folder holds besides the scenario."""

    document: dict[str, Any]
    replications: dict[int, Tree]
    log: EventLog
    version: str = VERSION


def save(folder: Path, scenario: Scenario, result: Saved, files: Mapping[str, bytes]) -> None:
    """Write a result; ``files`` are the scenario's own, by path within the folder.

    Raises InputError if the folder holds anything but an earlier result, or cannot be written.
    """
    trees = {str(number): plain(tree) for number, tree in result.replications.items()}

    def fill(draft: Path) -> None:
        put_files(draft, files)
        _write(draft / SUMMARY, json.dumps(result.document, indent=2, allow_nan=False).encode())
        _write(draft / REPLICATIONS, json.dumps(trees, allow_nan=False).encode())
        _save_log(draft / LOG, result.log)
        _save_tables(draft, result.log, scenario)
        _save_pictures(draft, result, scenario)
        write_sums(draft)

    write_folder(folder, fill, _is_result, ALLOWED)


def check_folder(folder: Path) -> None:
    """Raise InputError if the folder holds anything but an earlier result, or cannot be written."""
    folders.check_folder(folder, _is_result, ALLOWED)


def load(folder: Path) -> Saved:
    """Read a result back; raises InputError for a folder that is none, or is not as it was written."""
    if not _is_result(folder):
        raise InputError("is no result of a run", field=str(folder), allowed="what run --out wrote")
    again = f"what run --out wrote; {folder / 'scenario.json'} can be run again"
    version = check_sums(folder, "a result", again)
    try:
        document = json.loads((folder / SUMMARY).read_bytes())
        trees = json.loads((folder / REPLICATIONS).read_bytes())
        log = _load_log(folder / LOG)
        return Saved(document, {int(number): numbers(tree) for number, tree in trees.items()}, log, version)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise unreadable(folder, version, error) from error


def unreadable(folder: Path, version: str, error: Exception) -> InputError:
    """Return the error for a result that is as it was written, by another version."""
    problem = (
        f"is a result of pachsim {version}, which {VERSION} cannot read: {type(error).__name__}: {error}"
    )
    allowed = f"pachsim {version}, or a run of {folder / 'scenario.json'} again"
    return InputError(problem, field=str(folder), allowed=allowed)


def _is_result(folder: Path) -> bool:
    return all((folder / each).exists() for each in (SUMMARY, REPLICATIONS, LOG))


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _save_log(folder: Path, log: EventLog) -> None:
    """Write each table as Parquet; names and spans, which are no table, as JSON."""
    import pyarrow as pa
    from pyarrow import parquet

    folder.mkdir()
    for name, table in log.tables.items():
        rows = table.rows()
        columns = {column: rows[:, n] for n, column in enumerate(table.columns)}
        parquet.write_table(pa.table(columns), folder / f"{name}.parquet", compression="zstd")
    about = {"names": log.names, "horizon_us": log.horizon_us, "warmup_us": log.warmup_us}
    about["end_us"] = log.end_us
    _write(folder / NAMES, json.dumps(about).encode())


def _load_log(folder: Path) -> EventLog:
    from pyarrow import parquet

    about = json.loads((folder / NAMES).read_bytes())
    spans = {key: about[key] for key in ("horizon_us", "warmup_us")}
    log = EventLog(**spans, end_us=about.get("end_us", 0))
    log.names.update(about["names"])
    for name, columns in TABLES.items():
        table = parquet.read_table(folder / f"{name}.parquet", columns=list(columns))
        log[name].replace(np.stack([table[column].to_numpy() for column in columns], axis=1))
    return log


def _save_tables(folder: Path, log: EventLog, scenario: Scenario) -> None:
    from sim.report.csv_file import write_csv
    from sim.report.frames import Tables

    tables = Tables(log, scenario)
    for name in FRAMES:
        write_csv(getattr(tables, name), folder / f"{name}.csv")


def _save_pictures(folder: Path, result: Saved, scenario: Scenario) -> None:
    from sim.report.figures import bill_split, first_rise_s, timeline, wait_split

    pictures = (
        ("timeline", timeline(result.log, scenario)),
        ("first", timeline(result.log, scenario, *first_rise_s(result.log, scenario))),
        ("waits", wait_split(result.document)),
        ("bill", bill_split(result.document)),
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph")  # names in a script that the font lacks become boxes
        for name, figure in pictures:
            figure.savefig(folder / f"{name}.png", dpi=DOTS_PER_INCH)


def plain(tree: Tree) -> dict[str, Any]:
    """Return a tree that JSON can hold: null for nothing to measure, a word for endless."""
    return {
        key: plain(twig)
        if isinstance(twig, Mapping)
        else None
        if math.isnan(twig)
        else ENDLESS
        if math.isinf(twig)
        else twig
        for key, twig in tree.items()
    }


def numbers(tree: Mapping[str, Any]) -> Tree:
    """Return the tree that ``plain`` was given."""
    special = {None: math.nan, ENDLESS: math.inf}
    return {
        key: numbers(twig) if isinstance(twig, Mapping) else special.get(twig, twig)
        for key, twig in tree.items()
    }
