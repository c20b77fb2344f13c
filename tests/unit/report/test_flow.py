"""Flow: backlogs put together by hand."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pytest

from sim.report.arrays import Int
from sim.report.flow import BLOCKS, DAY_US, Numbers, backlog, climb

SECOND = 1_000_000


def us(*seconds: float) -> Int:
    return np.array([round(each * SECOND) for each in seconds], np.int64)


def blocks(found: Numbers, key: str) -> list[float]:
    values = found[key]
    assert isinstance(values, Mapping)
    return list(values.values())


def test_saturated_time_and_what_leaves_in_it_by_hand() -> None:
    """Two are in the system from 10 to 25 and from 30 to 50; three leave then: at 25, 40 and 50."""
    found = backlog(us(0, 10, 30, 40), us(25, 50, 40, 60), 2, 0, 60 * SECOND)
    assert sum(blocks(found, "saturated_s")) == pytest.approx(15 + 10 + 10)
    assert sum(blocks(found, "done")) == 3
    assert found["created"] == 4
    assert found["free_last"] == pytest.approx(0.5)  # of 40 to 60, 50 to 60
    assert found["middle"] == pytest.approx((5 * 2 + 5 * 1 + 10 * 2) / 20)
    assert found["last"] == pytest.approx((10 * 2 + 10 * 1) / 20)


def test_what_never_leaves_is_in_the_backlog_to_the_end_and_what_came_before_counts() -> None:
    end = 120 * SECOND
    found = backlog(us(0, 0, 0), np.array([end, end, end]), 3, 60 * SECOND, end)
    assert found["created"] == 0
    assert found["last"] == found["middle"] == 3
    assert found["free_last"] == 0
    assert blocks(found, "saturated_s") == [pytest.approx(5)] * BLOCKS
    assert not any(blocks(found, "done"))


def test_whoever_does_not_wait_is_no_backlog() -> None:
    found = backlog(us(1, 2, 3), us(1, 2, 3), 1, 0, 10 * SECOND)
    assert found["created"] == 3
    assert not any(blocks(found, "saturated_s"))
    assert not any(blocks(found, "done"))
    assert found["free_last"] == 1


def test_latency_that_grows_by_an_hour_a_day_climbs_so() -> None:
    days = np.arange(7, dtype=np.int64)
    found = climb(days * DAY_US + 6 * 3600 * SECOND, 1000 + 3600.0 * days.astype(np.float64), 0, 7 * DAY_US)
    assert found["climb_s_per_day"] == pytest.approx(3600)


def test_two_blocks_are_no_climb() -> None:
    found = climb(us(0, 10), np.array([1.0, 2.0]), 0, 80 * SECOND)
    assert math.isnan(found["climb_s_per_day"])
