"""The yardstick: an empty SimPy loop, one process a pod, two timeouts each, and nothing else.

What SimPy takes for a pod depends on how many are in flight: with thirty a third less than with a thousand.
So the loop takes the pods of the timed world (``worlds.pods``): as many a second, running as long.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable
from itertools import repeat
from random import Random

import simpy

from benchmarks.worlds import MEAN_RUN_S, PODS_PER_S

START_S = 2.0


def pods_per_s(pods: int) -> float:
    """Return the speed with the timed world's pods, about a thousand in flight; times are drawn before."""
    draw = Random(1).expovariate
    gaps_s = [draw(PODS_PER_S) for _ in range(pods)]
    runs_s = [draw(1 / MEAN_RUN_S) for _ in range(pods)]
    return pods / _seconds(gaps_s, runs_s)


def pods_per_s_of_few(pods: int) -> float:
    """Return the speed with 32 pods in flight, all alike."""
    return pods / _seconds(repeat(1.0, pods), repeat(30.0, pods))


def _seconds(gaps_s: Iterable[float], runs_s: Iterable[float]) -> float:
    """Take pods through arrival, start and end, one arrival pending."""
    env = simpy.Environment()

    def pod(run_s: float) -> Generator[simpy.Event, None, None]:
        yield env.timeout(START_S)
        yield env.timeout(run_s)

    def source() -> Generator[simpy.Event, None, None]:
        for gap_s, run_s in zip(gaps_s, runs_s, strict=True):
            yield env.timeout(gap_s)
            env.process(pod(run_s))

    env.process(source())
    start = time.perf_counter()
    env.run()
    return time.perf_counter() - start
