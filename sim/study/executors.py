"""Executors: where replications run, and how they are gathered whatever the order they end in.

A pool of processes starts fresh interpreters (``spawn``), so that no thread, lock or generator of the
caller comes along; they do not import the caller's script either, so a script needs no main guard.
Ctrl-C reaches the coordinator alone, which ends the workers and keeps what is done.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from types import ModuleType
from typing import TypeVar

T = TypeVar("T")


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def process_pool(workers: int | None = None) -> Iterator[Executor]:
    """Give a pool of fresh processes; leaving it early by an exception ends them at once."""
    others = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(
        workers or cores(),
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_leave_interrupts_alone,
    )
    try:
        yield pool
    except BaseException:
        for worker in set(multiprocessing.active_children()) - others:
            worker.terminate()
        pool.shutdown(wait=True, cancel_futures=True)
        raise
    pool.shutdown()


def gather(executor: Executor, work: Callable[[int], T], numbers: Iterable[int]) -> Iterator[tuple[int, T]]:
    """Yield each number with what ``work`` made of it, in the order they end; stop at the first error."""
    with _without_main():
        futures = {executor.submit(work, number): number for number in numbers}
    try:
        for future in as_completed(futures):
            yield futures[future], future.result()
    except BaseException:
        for future in futures:
            future.cancel()
        raise


@contextmanager
def _without_main() -> Iterator[None]:
    """Hide the caller's script while workers start: what they run lives in this package."""
    script = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = script


def _leave_interrupts_alone() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
