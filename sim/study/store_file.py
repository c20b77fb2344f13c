"""The file of a store: an SQLite database that says whose it is, and what cannot be used in one line each.

While it is open there are ``FILE-wal`` and ``FILE-shm`` beside it, the write-ahead log; ``FILE-lock`` stays.
Source: SQLite, "Write-Ahead Logging" and "Database File Format" §1.3 (application id, user version).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

from sim.errors import InputError

APPLICATION = 0x70616368  # "pach"
LAYOUT = 1
ALLOWED = "a file that --store wrote, or a new one"
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
        metrics TEXT NOT NULL
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
    rows.executemany("INSERT INTO about VALUES (?, ?)", about.items())
    rows.execute(f"PRAGMA user_version = {LAYOUT}")
    rows.execute(f"PRAGMA application_id = {APPLICATION}")
    rows.execute("COMMIT")


def about(rows: sqlite3.Connection, path: Path) -> dict[str, str]:
    """Return what the store is about; raises InputError for somebody else's file."""
    if _number(rows, "PRAGMA application_id") != APPLICATION:
        raise InputError("is another program's database", field=str(path), allowed=ALLOWED)
    layout = _number(rows, "PRAGMA user_version")
    if layout != LAYOUT:
        raise InputError(f"is a store of layout {layout}", field=str(path), allowed=f"layout {LAYOUT}")
    return dict(rows.execute("SELECT key, value FROM about"))


def _number(rows: sqlite3.Connection, query: str) -> int:
    number: int = rows.execute(query).fetchone()[0]
    return number
