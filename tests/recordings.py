"""Recorded decisions of real programs: banks of cases, a JSON object a line, compressed or not."""

from __future__ import annotations

import json
import lzma
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.conftest import PROJECT

RECORDINGS = PROJECT / "tests" / "oracle" / "recordings"


def text_of(path: Path) -> str:
    """Return what a file holds, whether it is compressed or not."""
    if path.suffix == ".xz":
        return lzma.decompress(path.read_bytes()).decode("utf-8")
    return path.read_text(encoding="utf-8")


def cases_of(folder: Path) -> Iterator[dict[str, Any]]:
    """Yield the cases of a folder, file by file in order of names."""
    for path in sorted([*folder.glob("*.jsonl"), *folder.glob("*.jsonl.xz")]):
        yield from (json.loads(line) for line in text_of(path).splitlines() if line.strip())
