"""Executors: where replications run, and how they are gathered whatever the order they end in.

A pool of processes starts fresh interpreters (``spawn``), so that no thread, lock or generator of the
caller comes along; they do not import the caller's script either, so a script needs no main guard.
Ctrl-C reaches the coordinator alone, which ends the workers and keeps what is done; workers end with it,
also when it is killed. When a worker dies its pool breaks: another takes its place and what was not
finished runs again, which gives the same, because a replication draws from (seed, number) alone.

Work goes out in batches of about ``BATCH_S``, because a message costs about 2 ms, and a quarter of a worker's
share at most, so that workers end together; see guided self-scheduling (Polychronopoulos and Kuck, 1987).
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import (
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    ProcessPoolExecutor,
    as_completed,
)
from contextlib import contextmanager
from multiprocessing.connection import wait
from types import ModuleType
from typing import Any, TypeVar

from sim.errors import SimError

S = TypeVar("S")
T = TypeVar("T")

BATCH_S = 0.25
SHARES = 4  # batches a worker gets at least, where there are that many items
DEATHS = 3  # of workers, one after the other without anything finished: then it is the work that kills


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class ProcessPool(Executor):
    """A pool of fresh processes that is replaced when one of them has died."""

    def __init__(self, workers: int | None = None) -> None:
        self.workers = workers or cores()
        self._pool = self._started()

    def submit(self, work: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Run ``work`` in one of the processes."""
        with _without_main():
            try:
                return self._pool.submit(work, *args, **kwargs)
            except BrokenExecutor:
                self._pool.shutdown()
                self._pool = self._started()
                return self._pool.submit(work, *args, **kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the processes when their work is done."""
        self._pool.shutdown(wait, cancel_futures=cancel_futures)

    def _started(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(
            self.workers, mp_context=multiprocessing.get_context("spawn"), initializer=_follow_the_coordinator
        )


@contextmanager
def process_pool(workers: int | None = None) -> Iterator[ProcessPool]:
    """Give a pool of fresh processes; leaving it early by an exception ends them at once."""
    others = set(multiprocessing.active_children())
    pool = ProcessPool(workers)
    try:
        yield pool
    except BaseException:
        for worker in set(multiprocessing.active_children()) - others:
            worker.terminate()
        pool.shutdown(wait=True, cancel_futures=True)
        raise
    pool.shutdown()


def gather(
    executor: Executor, work: Callable[[S], T], items: Sequence[S], batch: int = 1
) -> Iterator[tuple[S, T]]:
    """Yield each item with what ``work`` made of it, in the order they end; stop at the first error.

    What was lost with a worker runs again; raises SimError when workers die time after time.
    """
    todo = [list(items[at : at + batch]) for at in range(0, len(items), batch)]
    deaths = 0
    while todo:
        futures = {executor.submit(_all_of, work, some): some for some in todo}
        died: BrokenExecutor | None = None
        try:
            for future in as_completed(futures):
                error = future.exception()
                if isinstance(error, BrokenExecutor):
                    died = error
                    continue
                yield from zip(futures[future], future.result(), strict=True)
                deaths = 0
                futures[future] = []
        except CancelledError:  # not by us: the executor has given up
            raise
        except BaseException:
            for future in futures:
                future.cancel()
            raise
        todo = [some for some in reversed(futures.values()) if some]  # what the worker died of comes last
        deaths += bool(todo)
        if deaths >= DEATHS:
            raise SimError(f"{deaths} workers died in a row with nothing finished: out of memory?") from died


def batch_size(items: int, each_s: float, workers: int) -> int:
    """Return how many items that take ``each_s`` to send to a worker at once.

    >>> [batch_size(items, 0.03, workers=2) for items in (1_000, 20, 1)]
    [8, 3, 1]
    """
    return max(1, min(round(BATCH_S / max(each_s, 1e-6)), -(-items // (SHARES * workers))))


def _all_of(work: Callable[[S], T], items: Sequence[S]) -> list[T]:
    return [work(item) for item in items]


@contextmanager
def _without_main() -> Iterator[None]:
    """Hide the caller's script while workers start: what they run lives in this package."""
    script = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = script


def _follow_the_coordinator() -> None:
    """Leave Ctrl-C to the coordinator, and end when it is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_the_coordinator, daemon=True).start()


def _end_with_the_coordinator() -> None:
    coordinator = multiprocessing.parent_process()
    if coordinator is not None:
        wait([coordinator.sentinel])
        os._exit(1)
