"""The yardstick: an empty SimPy loop, one process a pod, two timeouts each, and nothing else."""

from __future__ import annotations

import time
from collections.abc import Generator

import simpy


def pods_per_s(pods: int) -> float:
    """Return how many pods a second SimPy takes through arrival, start and end; one arrival pending."""
    env = simpy.Environment()

    def pod() -> Generator[simpy.Event, None, None]:
        yield env.timeout(2)
        yield env.timeout(30)

    def source() -> Generator[simpy.Event, None, None]:
        for _ in range(pods):
            yield env.timeout(1)
            env.process(pod())

    env.process(source())
    start = time.perf_counter()
    env.run()
    return pods / (time.perf_counter() - start)
