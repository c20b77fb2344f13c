"""Retries of pods that the Fargate quota refused: 1, 2, 4, 8, then every 10 s (aws.md §3)."""

from __future__ import annotations

import pytest

from sim.decisions.aws.quota_retries import next_try_us
from sim.model.units import SECOND


@pytest.mark.parametrize(
    ("now_s", "try_s"),
    [(0, 0), (0.5, 1), (1, 1), (2, 3), (3.5, 7), (7.5, 15), (15, 15), (16, 25), (101, 105)],
)
def test_tries_of_a_pod_refused_at_the_start(now_s: float, try_s: float) -> None:
    assert next_try_us(0, round(now_s * SECOND)) == round(try_s * SECOND)
    assert next_try_us(7 * SECOND, round((now_s + 7) * SECOND)) == round((try_s + 7) * SECOND)
