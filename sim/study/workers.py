"""Workers: here while there is little to do, then a pool of processes; or the executor that was given.

A pool starts in about a second, so it is started once what was done and what is asked come to more than
``IN_PROCESS_S`` here. The first replication of all runs here in any case: it says how long the others take.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import ExitStack
from time import perf_counter
from types import TracebackType
from typing import Self, TypeVar

from sim.study.executors import batch_size, cores, gather, process_pool

S = TypeVar("S")
T = TypeVar("T")

IN_PROCESS_S = 2.0


class Workers:
    """Whoever does the work, for the time of a ``with``.

    Parameters
    ----------
    executor
        Where to work; None: here or on a pool.
    count
        How many processes, or how many workers the executor has; None: one per core.
    each_s
        How long an item takes; None: the first one shows it.
    """

    def __init__(
        self, executor: Executor | None = None, count: int | None = None, each_s: float | None = None
    ) -> None:
        self._executor = executor
        self._may_start_a_pool = executor is None and count != 1
        self._count = count or cores()
        self._each_s = each_s
        self._spent_s = 0.0
        self._done = 0
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        return self._stack.__exit__(kind, error, trace)

    def run(self, work: Callable[[S], T], items: Sequence[S]) -> Iterator[tuple[S, T]]:
        """Yield each item with what ``work`` made of it, in the order they end."""
        left = list(reversed(items))
        while left and self._here(len(left)):
            item = left.pop()
            yield item, self._timed(work, item)
        if left:
            if self._executor is None:
                self._executor = self._stack.enter_context(process_pool(self._count))
            batch = batch_size(len(left), self._each_s or 0.0, self._count)
            yield from gather(self._executor, work, left[::-1], batch)

    def _here(self, items: int) -> bool:
        if self._each_s is None:
            return True
        if self._executor is None:
            return not self._may_start_a_pool or self._spent_s + items * self._each_s <= IN_PROCESS_S
        return False

    def _timed(self, work: Callable[[S], T], item: S) -> T:
        started = perf_counter()
        result = work(item)
        self._spent_s += perf_counter() - started
        self._done += 1
        self._each_s = self._spent_s / self._done
        return result
