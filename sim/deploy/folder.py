"""The folder of an export: what names it may hold, and what may be replaced.

A folder that holds something is refused; with ``force`` an earlier export is replaced, and anything else is
moved aside to ``NAME.old``, because nobody should lose a folder to a mistyped name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath

from sim.documents.json_read import HOSTILE
from sim.errors import InputError
from sim.report import folder as whole
from sim.report.folder import absolute, put_files

MARKS = ("README.md", "prediction.json", "scenario.yaml")  # what every export holds
LONGEST_NAME = 200
ALLOWED = "a new or empty folder"


def check_folder(folder: Path, *, force: bool) -> None:
    """Raise InputError for a folder that ``write_folder`` would refuse."""
    whole.check_folder(folder, lambda _: True, ALLOWED)
    try:
        full = folder.is_dir() and any(folder.iterdir())
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror or error}", field=str(folder)) from None
    if full and not force:
        raise InputError("is not empty", field=str(folder), allowed=f"{ALLOWED}, or --force")
    if full and not _is_export(folder) and _aside(folder).exists():
        problem = f"is no export, and {_aside(folder).name} is in the way of moving it aside"
        raise InputError(problem, field=str(folder), allowed=ALLOWED)


def write_folder(
    folder: Path, files: Mapping[str, bytes], check: Callable[[Path], None], *, force: bool = False
) -> None:
    """Write files by path within the folder; ``check`` sees them before they take its place."""
    check_folder(folder, force=force)
    for name in files:
        check_name(name)
    folder = absolute(folder)

    def fill(draft: Path) -> None:
        put_files(draft, files)
        check(draft)
        check_folder(folder, force=force)
        if folder.is_dir() and any(folder.iterdir()) and not _is_export(folder):
            folder.rename(_aside(folder))

    whole.write_folder(folder, fill, lambda _: force, ALLOWED)


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
