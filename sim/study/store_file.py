"""The file of a store: an SQLite database that says whose it is, and what cannot be used in one line each.

While it is open there are ``FILE-wal`` and ``FILE-shm`` beside it, the write-ahead log; ``FILE-lock`` stays.
Source: SQLite, "Write-Ahead Logging" and "Database File Format" §1.3 (application id, user version).
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sim.errors import InputError

APPLICATION = 0x70616368  # "pach"
LAYOUT = 2  # 1 had no checksums
ALLOWED = "a file that --store wrote, or a new one"
CHECKSUM = "checksum"
COLUMNS = ("key", "configuration", "scenario", "seed", "replication", "round", "finished", "metrics")
TABLES = (
    "CREATE TABLE about (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    """CREATE TABLE replications (
        key BLOB PRIMARY KEY,
        configuration TEXT NOT NULL,
        scenario BLOB NOT NULL,
        seed INTEGER NOT NULL,
        replication INTEGER NOT NULL,
        round INTEGER NOT NULL,
        finished TEXT NOT NULL,
        metrics TEXT NOT NULL,
        checksum BLOB NOT NULL
    )""",
)
PROBLEMS = {
    sqlite3.SQLITE_NOTADB: "is no store of replications",
    sqlite3.SQLITE_CORRUPT: "is a damaged store",
    sqlite3.SQLITE_FULL: "cannot be written; what was finished before is kept",
    sqlite3.SQLITE_READONLY: "cannot be written",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened",
    sqlite3.SQLITE_IOERR: "cannot be read or written; what was finished before is kept",
}


@contextmanager
def in_one_line(path: Path) -> Iterator[None]:
    """Turn what SQLite raises into an InputError that names the file."""
    try:
        yield
    except sqlite3.Error as error:
        kind = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the higher bits tell details
        problem = f"{PROBLEMS.get(kind, 'cannot be used')}: {error}"
        whose = kind in {sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT}
        raise InputError(problem, field=str(path), allowed=ALLOWED if whose else "") from error


def locked(path: Path) -> sqlite3.Connection:
    """Return what keeps others from writing the store until it is closed, however the process ends."""
    lock = sqlite3.connect(f"{path}-lock", isolation_level=None, timeout=0.0)
    try:
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as error:
        lock.close()
        if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
            raise
        allowed = "when that has ended, or another file"
        raise InputError("is in use by another process", field=str(path), allowed=allowed) from error
    return lock


@contextmanager
def read_only(path: Path) -> Iterator[sqlite3.Connection]:
    """Give a connection to a store that somebody else may be writing."""
    with in_one_line(path):
        if not path.is_file():
            raise InputError("is not there", field=str(path), allowed="a file that --store wrote")
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=10.0)) as rows:
            yield rows


def is_new(rows: sqlite3.Connection) -> bool:
    """Say whether nothing was ever written there: no file, an empty one, or one just begun."""
    return not _number(rows, "PRAGMA application_id") and not _number(
        rows, "SELECT count(*) FROM sqlite_master"
    )


def create(rows: sqlite3.Connection, about: Mapping[str, str]) -> None:
    """Write tables and what the store is about, all or nothing."""
    rows.execute("BEGIN IMMEDIATE")
    for table in TABLES:
        rows.execute(table)
    signed = {**about, CHECKSUM: checksum(sorted(about.items())).hex()}
    rows.executemany("INSERT INTO about VALUES (?, ?)", signed.items())
    rows.execute(f"PRAGMA user_version = {LAYOUT}")
    rows.execute(f"PRAGMA application_id = {APPLICATION}")
    rows.execute("COMMIT")


def about(rows: sqlite3.Connection, path: Path) -> dict[str, str]:
    """Return what the store is about; raises InputError for somebody else's file."""
    if _number(rows, "PRAGMA application_id") != APPLICATION:
        raise InputError("is another program's database", field=str(path), allowed=ALLOWED)
    layout = _number(rows, "PRAGMA user_version")
    if layout != LAYOUT:
        allowed = f"one of layout {LAYOUT}: a new file, in which the replications run again"
        raise InputError(f"is a store of layout {layout}", field=str(path), allowed=allowed)
    entries = dict(rows.execute("SELECT key, value FROM about"))
    if entries.pop(CHECKSUM, None) != checksum(sorted(entries.items())).hex():
        raise damaged(path, "what it is about is not as it was written")
    return entries


def checksum(values: Any) -> bytes:
    """Return what tells whether values are as they were written: texts, numbers and bytes."""
    return hashlib.sha256(repr(values).encode("utf-8", "surrogatepass")).digest()


def damaged(path: Path, what: str) -> InputError:
    """Return the error for a store in which something is not as it was written."""
    return InputError(f"is a damaged store: {what}", field=str(path), allowed=ALLOWED)


def add(rows: sqlite3.Connection, values: tuple[Any, ...]) -> None:
    """Commit a row of `COLUMNS` with its checksum, unless its key is there."""
    places = ", ".join("?" * (len(COLUMNS) + 1))
    rows.execute(f"INSERT OR IGNORE INTO replications VALUES ({places})", (*values, checksum(values)))


def rows(
    connection: sqlite3.Connection, path: Path, where: str, values: tuple[Any, ...] = ()
) -> Iterator[dict[str, Any]]:
    """Yield rows by column; raise InputError for one that is not as it was written."""
    query = f"SELECT {', '.join(COLUMNS)}, checksum FROM replications {where}"
    for *row, written in connection.execute(query, values):
        if written != checksum(tuple(row)):
            number = row[COLUMNS.index("replication")]
            raise damaged(path, f"the row of replication {number!r} is not as it was written")
        yield dict(zip(COLUMNS, row, strict=True))


def _number(rows: sqlite3.Connection, query: str) -> int:
    number: int = rows.execute(query).fetchone()[0]
    return number
