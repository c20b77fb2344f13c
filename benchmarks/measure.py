"""How figures are taken: interleaved rounds, the median of their ratios, memory in a fresh process."""

from __future__ import annotations

import multiprocessing
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sim.kernels.kernel import compile_now

PROJECT = Path(__file__).resolve().parents[1]
ROUNDS = 5
MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure and the target it is held against."""

    name: str
    value: float
    unit: str
    target: str
    holds: bool


@dataclass(frozen=True, slots=True)
class Ratio:
    """The median of rounds: the thing measured, the yardstick beside it, and their ratio."""

    value: float
    yardstick: float
    ratio: float


def against(yardstick: Callable[[], float], measured: Callable[[], float], rounds: int = ROUNDS) -> Ratio:
    """Measure both in turn and return the medians of each and of the ratio within a round."""
    pairs = [(yardstick(), measured()) for _ in range(rounds)]
    return Ratio(
        statistics.median(value for _, value in pairs),
        statistics.median(base for base, _ in pairs),
        statistics.median(value / base for base, value in pairs),
    )


def peak_over_start_bytes(work: Callable[[], None]) -> int:
    """Return by how much ``work`` raises the peak memory of a fresh process that has its imports (Linux)."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    child = context.Process(target=_report_peak, args=(work, there))
    child.start()
    there.close()
    peak: int = here.recv()
    child.join()
    return peak


def _report_peak(work: Callable[[], None], out: multiprocessing.connection.Connection) -> None:
    compiled = compile_now(_nothing)
    if compiled is not None:
        compiled()  # libraries are there before, and numba loads most of itself when it first compiles
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak, which a child inherits
    before = _peak_bytes()
    work()
    out.send(_peak_bytes() - before)


def _nothing() -> None:
    """Be compiled."""


def _peak_bytes() -> int:
    status = Path("/proc/self/status").read_text().splitlines()
    line = next(line for line in status if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024
