"""Watching a store that another process writes."""

from __future__ import annotations

import time
from pathlib import Path

from sim.errors import InputError
from sim.study.open_study import open_study


def wait_for(path: Path, rows: int) -> None:
    """Return when the store has so many rows."""
    ended_by = time.monotonic() + 60
    while time.monotonic() < ended_by:
        try:
            if len(open_study(path).replications) >= rows:
                return
        except InputError:
            pass  # not made yet
        time.sleep(0.01)
    raise TimeoutError(path)
