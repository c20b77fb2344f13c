"""What a command may do with a hostile input: answer, or say what is wrong in one line; and nothing else."""

from __future__ import annotations

import hashlib
import os
import signal
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType

from tests.commands import pachsim
from tests.fuzz.inputs import Input, put

JUDGED_S, SIMULATED_S = 10.0, 20.0  # of wall time on a busy machine; 5 s of its own is what is promised
OUTPUTS = ("out", ".pachsim-")
CODES = {0, 1, 2}


class TooSlow(BaseException):
    """The time is up; no handler of errors should take it for one."""


def faults(given: Input, limit_s: float = 0.0) -> list[str]:
    """Return what is wrong with how an input was taken; nothing where all is well."""
    with TemporaryDirectory(prefix="fuzz-") as name:
        folder = Path(name) / "in" / "here"
        folder.mkdir(parents=True)
        put(folder, given.files)
        before = contents(Path(name))
        try:
            with (
                time_limit(limit_s or (SIMULATED_S if given.simulates else JUDGED_S)),
                warnings.catch_warnings(),
            ):
                warnings.simplefilter("error", RuntimeWarning)
                done = pachsim(folder, *given.command)
        except TooSlow:
            return ["slow simulation"] if given.simulates else ["slow"]
        except BaseException as error:  # whatever leaves main() is a finding
            return [f"traceback: {last_line(error)}"]
        found = list(of_output(done.returncode, done.stdout, done.stderr))
        after = contents(Path(name))
        touched = {path for path in {*before, *after} if before.get(path) != after.get(path)}
        outside = [
            path
            for path in sorted(touched)
            if not path.startswith(tuple(f"in/here/{each}" for each in OUTPUTS))
        ]
        return found + [f"outside: {path}" for path in outside]


def of_output(code: int, out: str, err: str) -> Iterator[str]:
    """Yield what is wrong with a code and what was printed."""
    if code not in CODES:
        yield f"exit {code}"
    if "Traceback" in err:
        yield "traceback printed"
    if not (out + err).replace("\n", "").isprintable():
        yield "control characters printed"
    lines = [line for line in err.splitlines() if not line.startswith("warning: ")]
    if code == 2 and len(lines) != 1 and not out.lstrip().startswith("Usage") and "Usage: " not in err:
        yield f"{len(lines)} lines"
    if any(len(line) > 2_000 for line in lines):
        yield "a line too long to read"


def last_line(error: BaseException) -> str:
    """Return an exception with the place in the project that raised it."""
    frames = [each for each in traceback.extract_tb(error.__traceback__) if "/sim/" in each.filename]
    place = f"{frames[-1].filename.rpartition('/sim/')[2]}:{frames[-1].lineno}" if frames else "?"
    return f"{type(error).__name__} at {place}: {str(error)[:150]}"


def contents(folder: Path) -> dict[str, str]:
    """Return a digest of every file below a folder."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise TooSlow where a block takes longer."""

    def stop(_: int, __: FrameType | None) -> None:
        raise TooSlow

    previous = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


def own_memory_mib() -> float:
    """Return the resident memory of this process."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
