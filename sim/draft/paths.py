"""Paths: files a scenario refers to, seen from the folder it is in."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sim.errors import InputError


def matching(patterns: Iterable[str | Path]) -> list[Path]:
    """Return the files that patterns such as ``specs/*.json`` match, each once."""
    files: dict[Path, None] = {}
    for pattern in map(str, patterns):
        matched = [pattern] if Path(pattern).is_file() else sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207  # patterns may be absolute, which Path.glob refuses
        found = [Path(each) for each in matched if Path(each).is_file()]
        if not found:
            raise InputError(f"matches no file: {pattern}", field="--pipelines", allowed="specs/*.json")
        files |= dict.fromkeys(found)
    if not files:
        raise InputError(
            "is missing", field="--pipelines", allowed="one or more patterns such as specs/*.json"
        )
    return list(files)


def reference(file: Path, folder: Path) -> str:
    """Return the path of a file as a scenario in a folder says it."""
    return Path(os.path.relpath(file, folder)).as_posix()


def moved(value: Any, before: Path, after: Path) -> Any:
    """Return values whose paths were relative to one folder, as they are from another."""
    if isinstance(value, dict):
        return {key: moved(each, before, after) for key, each in value.items()}
    if isinstance(value, list):
        return [moved(each, before, after) for each in value]
    if (
        isinstance(value, str)
        and "." in value
        and not set("\n\0") & set(value)
        and (before / value).is_file()
    ):
        return reference(before / value, after)
    return value
