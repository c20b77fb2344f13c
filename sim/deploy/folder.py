"""A folder written whole or not at all, and nothing outside it.

Everything is written into a new folder beside the one asked for, which takes its name in one step. A folder
that holds something is refused; with ``force`` an earlier export is replaced, and anything else is moved
aside to ``NAME.old``, because nobody should lose a folder to a mistyped name.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath

from sim.documents.json_read import HOSTILE
from sim.errors import InputError

MARKS = ("README.md", "prediction.json", "scenario.yaml")  # what every export holds
LONGEST_NAME = 200


def check_folder(folder: Path, *, force: bool) -> None:
    """Raise InputError for a folder that ``write_folder`` would refuse."""
    try:
        _check_folder(folder, force=force)
    except OSError as error:  # a name too long, a folder that may not be looked into
        raise InputError(f"cannot be written: {error.strerror or error}", field=str(folder)) from None


def _check_folder(folder: Path, *, force: bool) -> None:
    if folder.is_symlink():
        raise InputError("is a symbolic link", field=str(folder), allowed="a folder of its own")
    if folder.exists() and not folder.is_dir():
        raise InputError("is a file", field=str(folder), allowed="a new or empty folder")
    if folder.resolve() in (here := Path.cwd().resolve(), *here.parents):  # it would move away under you
        problem = "is the folder you are in, or around it"
        raise InputError(problem, field=str(folder), allowed="another folder")
    if folder.is_dir() and any(folder.iterdir()):
        if not force:
            raise InputError("is not empty", field=str(folder), allowed="a new or empty folder, or --force")
        if not _is_export(folder) and _aside(folder).exists():
            problem = f"is no export, and {_aside(folder).name} is in the way of moving it aside"
            raise InputError(problem, field=str(folder), allowed="a new or empty folder")


def write_folder(
    folder: Path, files: Mapping[str, bytes], check: Callable[[Path], None], *, force: bool = False
) -> None:
    """Write files by path within the folder; ``check`` sees them before they take its place."""
    check_folder(folder, force=force)
    for name in files:
        check_name(name)
    folder = Path(os.path.abspath(folder))  # noqa: PTH100  # resolve() would follow a symbolic link
    draft = folder.parent / f".{folder.name}.{os.getpid()}"
    old = folder.parent / f".{folder.name}.{os.getpid()}.old"
    try:
        draft.mkdir(parents=True)
        put_files(draft, files)
        check(draft)
        if folder.exists():
            old = old if _is_export(folder) or not any(folder.iterdir()) else _aside(folder)
            folder.rename(old)
        draft.rename(folder)
    except OSError as error:
        if old.exists() and not folder.exists():
            old.rename(folder)
        raise InputError(f"cannot be written: {error.strerror or error}", field=str(folder)) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
        if old != _aside(folder):
            shutil.rmtree(old, ignore_errors=True)


def put_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files by path within a folder that is there."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def check_name(name: str) -> None:
    """Raise InputError for a path that would not stay in the folder, or that not every disk can hold."""
    path = PurePosixPath(name)
    bad = (
        not name
        or path.is_absolute()
        or str(path) != name
        or {"..", "."} & {*path.parts}
        or "\\" in name
        or any(ord(character) < ord(" ") for character in name)
        or HOSTILE.search(name)
        or max(map(len, path.parts)) > LONGEST_NAME
    )
    if bad:
        raise InputError("is no name of an exported file", field=repr(name), allowed="a name in the folder")


def _is_export(folder: Path) -> bool:
    return all((folder / name).is_file() for name in MARKS)


def _aside(folder: Path) -> Path:
    return folder.parent / f"{folder.name}.old"
