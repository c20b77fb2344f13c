"""Progress: one line on stderr that says how many replications are done and how long the rest takes."""

from __future__ import annotations

import sys
import time
from typing import TextIO

from sim.model.units import SECOND, print_duration

ON_A_TERMINAL_S, ELSEWHERE_S = 0.1, 1.0  # between two lines; the last one is always shown


class Progress:
    """Shows ``done/total`` and the time left: in place on a terminal, elsewhere in a line a second.

    Parameters
    ----------
    wanted
        Whether to show anything; None: only on a terminal.
    """

    def __init__(self, wanted: bool | None = None, stream: TextIO | None = None) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._terminal = self._stream.isatty()
        self._wanted = self._terminal if wanted is None else wanted
        self._started = self._due = time.monotonic()
        self._open = False

    def show(self, done: int, total: int, known: int = 0) -> None:
        """Say that ``done`` of ``total`` replications are done, of which ``known`` took no time."""
        now_s = time.monotonic()
        if not self._wanted or (now_s < self._due and done < total):
            return
        self._due = now_s + (ON_A_TERMINAL_S if self._terminal else ELSEWHERE_S)
        spent_s = now_s - self._started
        left = f", {time_left(spent_s, done - known, total - known)} left" if known < done < total else ""
        text = f"{done}/{total} replications{left}"
        self._stream.write(f"\r\x1b[K{text}" if self._terminal else f"{text}\n")
        self._stream.flush()
        self._open = self._terminal

    def close(self) -> None:
        """Take the line off the terminal."""
        if self._open:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
            self._open = False


def time_left(spent_s: float, done: int, total: int) -> str:
    """Return the time the rest takes if it goes on as before, in whole seconds.

    >>> time_left(spent_s=10.0, done=5, total=20)
    '30s'
    """
    return print_duration(round(spent_s / done * (total - done)) * SECOND)
