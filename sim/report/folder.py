"""A folder written whole or not at all, and nothing outside it.

Everything is written into a new folder beside the one asked for, which takes its name in one step; so no
link in what was there is followed, and of two that write at once one comes whole after the other. What is in
the way is replaced where the caller says that it may be, else refused, before the work where that is known.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import mkdtemp

from sim.errors import InputError

LONGEST_NAME = 255  # bytes of one name: what ext4, APFS and NTFS hold
Test = Callable[[Path], bool]


def check_folder(folder: Path, replaceable: Test, allowed: str) -> None:
    """Raise InputError for a folder that ``write_folder`` would refuse; ``allowed`` is for the message."""
    try:
        _check_folder(folder, replaceable, allowed)
    except OSError as error:  # a name too long, a folder that may not be looked into
        raise InputError(f"cannot be written: {error.strerror or error}", field=str(folder)) from None


def _check_folder(folder: Path, replaceable: Test, allowed: str) -> None:
    field = str(folder)
    if folder.is_symlink():
        raise InputError("is a symbolic link", field=field, allowed="a folder of its own")
    if folder.exists() and not folder.is_dir():
        raise InputError("is a file: holds something else", field=field, allowed=allowed)
    if folder.resolve() in (here := Path.cwd().resolve(), *here.parents):  # it would move away under you
        raise InputError("is the folder you are in, or around it", field=field, allowed="another folder")
    if folder.is_dir() and any(folder.iterdir()) and not replaceable(folder):
        raise InputError("holds something else", field=field, allowed=allowed)
    _check_place(absolute(folder))


def _check_place(folder: Path) -> None:
    """Raise OSError where a folder could not be made."""
    if len(os.fsencode(folder.name)) > LONGEST_NAME:
        raise OSError(36, "File name too long")
    above = next(each for each in folder.parents if each.exists() or each.is_symlink())
    if not above.is_dir():
        raise NotADirectoryError(20, "Not a directory")
    if not os.access(above, os.W_OK | os.X_OK):
        raise PermissionError(13, "Permission denied")


def write_folder(folder: Path, fill: Callable[[Path], None], replaceable: Test, allowed: str) -> None:
    """Have ``fill`` write into a new folder, which then takes the place of ``folder``.

    Raises InputError where it cannot be written, or holds what is not ``replaceable``; it is then as it was.
    """
    check_folder(folder, replaceable, allowed)
    folder = absolute(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        work = Path(mkdtemp(prefix=".pachsim-", dir=folder.parent))
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror or error}", field=str(folder)) from error
    new, old = work / "new", work / "old"
    try:
        new.mkdir()
        fill(new)
        check_folder(folder, replaceable, allowed)  # others may have written meanwhile
        if folder.exists():
            folder.rename(old)
        new.rename(folder)
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror or error}", field=str(folder)) from error
    finally:
        if old.exists() and not folder.exists():
            old.rename(folder)
        shutil.rmtree(work, ignore_errors=True)


def absolute(folder: Path) -> Path:
    """Return the way to a folder from the root; links stay."""
    return Path(os.path.abspath(folder))  # noqa: PTH100  # resolve() would follow a symbolic link


def put_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files by path within a folder that is there."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def as_a_folder(name: str, field: str = "name") -> str:
    """Return a name that can be that of a folder within another; raises InputError for any other."""
    bad = name in {"", ".", ".."} or {"/", "\\", ":"} & {*name} or not name.isprintable()
    if bad or len(os.fsencode(name)) > LONGEST_NAME:
        allowed = f"a name that can be a folder's: no / or \\, not . or .., at most {LONGEST_NAME} bytes"
        raise InputError(field=field, value=name, allowed=allowed)
    return name
