"""Damages of files: what a disk, a copy that broke off, or a hand does to them."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

VALUES = ("NULL", "5", "'{}'", "'[]'", "'[['", "'null'", "x'00ff'", "''", "-1", "'{\"metrics\": 5}'")
JSON = (
    "",
    "[]",
    "5",
    "null",
    "{}",
    "{",
    '{"0": 5}',
    '{"0": {"a": [1]}}',
    '{"x": {}}',
    '{"is": "Scenario"}',
    "[" * 9000,
)
Damage = Callable[[random.Random, Path], None]


def flip(draw: random.Random, path: Path) -> None:
    """Change some bits of a file."""
    content = bytearray(path.read_bytes())
    for _ in range(draw.choice([1, 1, 3, 20])):
        if content:
            content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
    path.write_bytes(content)


def cut(draw: random.Random, path: Path) -> None:
    """Leave the beginning of a file."""
    content = path.read_bytes()
    path.write_bytes(content[: draw.randrange(len(content) + 1)])


def scramble(draw: random.Random, path: Path) -> None:
    """Write other bytes over a stretch."""
    content = bytearray(path.read_bytes())
    at, length = draw.randrange(len(content) + 1), draw.choice([1, 16, 512, 4096])
    content[at : at + length] = draw.randbytes(length)
    path.write_bytes(content)


def rewrite(draw: random.Random, path: Path) -> None:
    """Put another JSON value in the place of a file, or change a digit in it."""
    text = path.read_bytes()
    digits = [n for n, byte in enumerate(text) if chr(byte).isdigit()]
    if digits and draw.random() < 0.5:
        n = draw.choice(digits)
        path.write_bytes(text[:n] + draw.choice([b"7", b"-", b"e9", b"1e999"]) + text[n + 1 :])
    else:
        path.write_text(draw.choice(JSON), encoding="utf-8")


def remove(draw: random.Random, path: Path) -> None:
    """Take a file away, or put a folder or a link to nowhere in its place."""
    path.unlink()
    if (kind := draw.randrange(3)) == 1:
        path.mkdir()
    elif kind == 2:
        path.symlink_to("nowhere")


def swap(draw: random.Random, path: Path) -> None:
    """Exchange a file with another of the folder."""
    other = draw.choice([each for each in sorted(path.parent.iterdir()) if each.is_file()])
    mine, theirs = path.read_bytes(), other.read_bytes()
    path.write_bytes(theirs)
    other.write_bytes(mine)


OF_FILES: tuple[Damage, ...] = (flip, cut, scramble, rewrite, remove, swap)
STATEMENTS = (
    "UPDATE replications SET {column} = {value} WHERE rowid = {row}",
    "UPDATE replications SET {column} = {value}",
    "UPDATE OR IGNORE replications SET metrics = (SELECT metrics FROM replications WHERE rowid = {other}) "
    "WHERE rowid = {row}",
    "UPDATE about SET value = {value}",
    "UPDATE about SET value = {value} WHERE key = '{about}'",
    "DELETE FROM about",
    "DELETE FROM about WHERE key = '{about}'",
    "DELETE FROM replications WHERE rowid = {row}",
    "DROP TABLE {table}",
    "ALTER TABLE replications RENAME COLUMN {column} TO {column}_2",
    "ALTER TABLE replications ADD COLUMN more TEXT",
    "CREATE TABLE other (key)",
    "PRAGMA user_version = {row}",
    "PRAGMA application_id = {row}",
)


def edit(draw: random.Random, path: Path) -> None:
    """Change a store by a statement of SQL."""
    statement = draw.choice(STATEMENTS).format(
        column=draw.choice(
            ["key", "configuration", "scenario", "seed", "replication", "finished", "metrics"]
        ),
        value=draw.choice(VALUES),
        row=draw.randint(0, 4),
        other=draw.randint(1, 4),
        about=draw.choice(["study", "question", "pachsim", "numpy", "checksum"]),
        table=draw.choice(["about", "replications"]),
    )
    with closing(sqlite3.connect(path, isolation_level=None)) as rows:
        try:
            rows.execute(statement)
        except sqlite3.Error:  # a value that the table refuses: nothing is damaged
            return


OF_STORES: tuple[Damage, ...] = (edit, edit, flip, cut, scramble)
