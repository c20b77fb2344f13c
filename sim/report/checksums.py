"""Checksums of a folder: whether what is read is what was written, to the last bit.

``checksums.json`` has the SHA-256 of every file that is read back, and the version that wrote them. Tables
and pictures are for people and are not read back: they may be edited.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import NoReturn

from sim.errors import InputError
from sim.version import VERSION

SUMS = "checksums.json"


def write_sums(folder: Path) -> None:
    """Write the checksums of a folder that is complete."""
    sums = {name: _sum(folder / name) for name in sorted(_read_back(folder))}
    (folder / SUMS).write_text(json.dumps({"pachsim": VERSION, "files": sums}, indent=2), encoding="utf-8")


def check_sums(folder: Path, what: str, again: str) -> str:
    """Return the version that wrote a folder; raise InputError where anything in it is not as written.

    ``what`` the folder is, and how it is made ``again``, are for the message.
    """
    if not (folder / SUMS).is_file():
        problem = f"is {what} without {SUMS}, as earlier versions wrote it"
        raise InputError(problem, field=str(folder), allowed=again)
    try:
        said = json.loads((folder / SUMS).read_bytes())
        version, sums = str(said["pachsim"]), dict(said["files"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        _fail(folder, what, SUMS, "cannot be read", again)
    for name in sorted({*sums, *map(str, _read_back(folder))}):
        if name not in sums:
            _fail(folder, what, name, "was not written with it", again)
        if not _is_plain(folder, name):
            _fail(folder, what, name, "is not there", again)
        if _sum(folder / name) != sums[name]:
            _fail(folder, what, name, "is not as it was written", again)
    return version


def _read_back(folder: Path) -> set[str]:
    """Return the files that loading may read: JSON, and whatever is in a folder of its own."""
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and path.name != SUMS and (path.parent != folder or path.suffix == ".json")
    }


def _is_plain(folder: Path, name: str) -> bool:
    """Say whether a file is in the folder itself, behind no link."""
    path = folder / name
    inside = not Path(name).is_absolute() and ".." not in Path(name).parts
    return inside and path.is_file() and path.resolve() == folder.resolve() / name


def _sum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _fail(folder: Path, what: str, name: str, problem: str, again: str) -> NoReturn:
    raise InputError(
        f"is a damaged {what.split(' ', 1)[1]}: {name} {problem}", field=str(folder), allowed=again
    )
