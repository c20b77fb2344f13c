"""Back-off, flushes and sampling against cluster-autoscaler.md §5 and upstream's own test tables."""

from __future__ import annotations

import numpy as np
import pytest

from sim.decisions.kubernetes.scheduling import (
    attempts_that_matter,
    backoff_us,
    flushed_us,
    is_backing_off,
    leftover_flushed_us,
    nodes_to_find,
    retry_us,
    sample,
    scheduler_rules,
)

S = 1_000_000
OLD, NEW = scheduler_rules("1.31.13"), scheduler_rules("1.33")


def test_backoff_doubles_up_to_ten_seconds() -> None:
    """cluster-autoscaler.md §5: 1, 2, 4, 8, 10, 10, … s."""
    assert [backoff_us(n, S, 10 * S) // S for n in range(1, 8)] == [1, 2, 4, 8, 10, 10, 10]
    assert attempts_that_matter(S, 10 * S) == 5


def test_no_backoff_at_all() -> None:
    assert backoff_us(7, 0, 0) == 0
    assert attempts_that_matter(0, 0) == 1


@pytest.mark.parametrize(
    ("initial_s", "max_s", "expected_s"),
    [
        pytest.param(1, 60, [1, 2, 4, 8, 16, 32, 60], id="upstream's Test_CalculateBackoffDuration, 1 to 60"),
        pytest.param(1, 32, [1, 2, 4, 8, 16, 32, 32], id="the cap is a power of two"),
        pytest.param(20, 10, [10, 10], id="the cap is below the first"),
    ],
)
def test_other_backoffs(initial_s: int, max_s: int, expected_s: list[int]) -> None:
    found = [backoff_us(n, initial_s * S, max_s * S) // S for n in range(1, len(expected_s) + 1)]
    assert found == expected_s


def test_flushes() -> None:
    """Back-off every whole second; leftovers every 30 s once they are older than 5 minutes, strictly."""
    assert [flushed_us(0, at, OLD) for at in (1, S, S + 1)] == [S, S, 2 * S]
    assert flushed_us(3 * S, 3 * S, OLD) == 4 * S  # no back-off at all: still the next flush
    assert [leftover_flushed_us(round(at * S)) // S for at in (0, 29.9, 30)] == [330, 330, 360]


@pytest.mark.parametrize(
    ("moved_s", "expected_s"),
    [
        pytest.param(1, 6, id="moved during the back-off: the first flush after it"),
        pytest.param(5.5, 5.5, id="moved as the back-off ends, which does not hold it back any more"),
        pytest.param(5.75, 5.75, id="moved after the back-off: at once"),
        pytest.param(200, 200, id="moved much later"),
        pytest.param(400, 330, id="left over before it is moved"),
        pytest.param(None, 330, id="never moved"),
    ],
)
def test_retries_of_a_pod_that_failed_at_1500_ms_for_the_third_time(
    moved_s: float | None, expected_s: float
) -> None:
    moved_us = None if moved_s is None else round(moved_s * S)
    assert retry_us(1_500_000, 5_500_000, moved_us, OLD) == round(expected_s * S)


def test_from_1_33_on_an_idle_scheduler_waits_for_no_back_off() -> None:
    """v1.33.5 backoff_queue.go: back-offs end with their second; popped before by a scheduler with time."""
    assert [retry_us(S, 5 * S, moved, NEW) for moved in (2 * S, 7 * S)] == [2 * S, 7 * S]
    assert [flushed_us(0, at, NEW) for at in (S - 1, S)] == [S, 2 * S]
    assert [is_backing_off(5 * S, at, NEW) for at in (5 * S + S // 2, 6 * S)] == [True, False]
    assert [is_backing_off(5 * S, at, OLD) for at in (5 * S - 1, 5 * S)] == [True, False]


@pytest.mark.parametrize(
    ("version", "hints", "pops"),
    [("1.31.13", False, False), ("1.32", True, False), ("1.33", True, True), ("v1.36.1", True, True)],
)
def test_rules_by_version(version: str, hints: bool, pops: bool) -> None:
    """kube_features.go: SchedulerQueueingHints since 1.32, SchedulerPopFromBackoffQ since 1.33."""
    rules = scheduler_rules(version)
    assert (rules.queueing_hints, rules.pops_from_backoff) == (hints, pops)
    assert rules.asynchronous_preemption == pops
    assert rules.balances_without_requests != pops


@pytest.mark.parametrize(
    ("nodes", "expected"),
    [(10, 10), (99, 99), (100, 100), (200, 100), (1000, 420), (5000, 500), (6000, 300)],
)
def test_nodes_to_find(nodes: int, expected: int) -> None:
    """Among them the cases of upstream's TestNumFeasibleNodesToFind: 10, 1000 and 6000 nodes."""
    assert nodes_to_find(nodes) == expected


def test_the_search_goes_round_from_where_the_last_one_stopped() -> None:
    """150 of 200 nodes fit and 100 are enough: up to 132; then from 133, which fits, round to 65."""
    feasible = np.array([n for n in range(200) if n % 4 != 3])
    first, start = sample(feasible, 100, 200, 0)
    assert first.tolist() == feasible[:100].tolist()
    assert (first[-1], start) == (132, 133)
    second, start = sample(feasible, 100, 200, start)
    assert second.tolist() == [*feasible[100:].tolist(), *feasible[:50].tolist()]
    assert (second[-1], start) == (65, 66)
