"""Controller steps: computed ones against the timers of pachyderm.md §2.2 simulated one by one."""

from __future__ import annotations

from heapq import heapify, heappop, heappush

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.engine.pachyderm.steps import Poll, Steps
from sim.model.units import SECOND

ECHO_US = 30 * SECOND


def every_step(poll: Poll, woken_us: int, rows_us: list[int], until_us: int) -> list[int]:
    """Run every timer: each step arms another 30 s later."""
    visits = [t for t in range(poll.first_us, until_us, poll.period_us) if t >= woken_us]
    timers = sorted({*visits, *rows_us})
    heapify(timers)
    steps: list[int] = []
    while timers and timers[0] < until_us:
        step_us = heappop(timers)
        if not steps or steps[-1] != step_us:
            steps.append(step_us)
            heappush(timers, step_us + ECHO_US)
    return steps


@given(
    pipelines=st.integers(1, 60),
    name_order=st.integers(0, 59),
    woken_s=st.integers(0, 200),
    rows_s=st.lists(st.floats(0, 100), max_size=3),
    look_s=st.floats(0, 200),
)
def test_next_step_is_that_of_every_timer_running(
    pipelines: int, name_order: int, woken_s: int, rows_s: list[float], look_s: float
) -> None:
    poll = Poll(2 * SECOND * (name_order % pipelines), 2 * SECOND * pipelines)
    woken_us = woken_s * SECOND
    rows_us = [woken_us + round(row_s * SECOND) for row_s in rows_s]
    steps = Steps(poll, ECHO_US)
    steps.wake(woken_us)
    for row_us in rows_us:
        steps.add(row_us)
    now_us = woken_us + round(look_s * SECOND)
    expected = next(t for t in every_step(poll, woken_us, rows_us, now_us + 400 * SECOND) if t >= now_us)
    assert steps.next_us(now_us) == expected


@pytest.mark.parametrize(("pipelines", "period_s"), [(2, 4), (15, 30), (40, 30)])
def test_scale_check_period(pipelines: int, period_s: int) -> None:
    steps = Steps(Poll(0, 2 * SECOND * pipelines), ECHO_US)
    steps.wake(1)
    steps.add(1)
    looks = [steps.next_us(look_us) - look_us for look_us in range(1 + ECHO_US, 200 * SECOND, SECOND // 2)]
    assert max(looks) <= period_s * SECOND
    if pipelines == 2:
        assert min(steps.next_us(t) for t in range(2, 5 * SECOND, SECOND)) == 4 * SECOND
