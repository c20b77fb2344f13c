"""Preemption: who makes way and where, criterion by criterion (cluster-autoscaler.md §5)."""

from __future__ import annotations

import pytest

from sim.decisions.kubernetes.preemption import (
    Placed,
    Victims,
    candidates_to_find,
    choose_node,
    select_victims,
    split_by_budget,
)


def a_pod(pod_id: int, priority: int = 0, start: int = 0, cpu: int = 1, allowed: int | None = None) -> Placed:
    return Placed(pod_id, priority, start, (cpu, 1), budget="app", disruptions_allowed=allowed)


def ids(victims: Victims | None) -> list[int] | None:
    return None if victims is None else [pod.pod_id for pod in victims.pods]


def test_as_few_as_needed_make_way_the_least_important_first() -> None:
    """Three pods of 1 cpu, one cpu free, two asked for: only the latest of the lowest priority goes."""
    lower = [a_pod(1, priority=-10, start=1), a_pod(2, priority=-10, start=2), a_pod(3, priority=-5)]
    assert ids(select_victims((1, 0), (2, 1), lower)) == [2]


def test_a_pod_too_small_to_help_is_put_back() -> None:
    """The big one must go, and then the small one may stay although it is less important."""
    lower = [a_pod(1, priority=-10, cpu=1), a_pod(2, priority=-5, cpu=4)]
    assert ids(select_victims((0, 0), (4, 1), lower)) == [2]


def test_nobody_goes_when_it_would_not_help() -> None:
    assert select_victims((0, 0), (4, 1), [a_pod(1), a_pod(2)]) is None
    assert select_victims((0, 0), (4, 1), []) is None


def test_those_with_a_budget_to_break_are_put_back_first() -> None:
    """Pod 1 is more important, but pod 2's budget allows no disruption, so pod 1 goes."""
    lower = [a_pod(1, priority=-5), a_pod(2, priority=-10, allowed=0)]
    victims = select_victims((0, 0), (1, 1), lower)
    assert victims is not None
    assert (ids(victims), victims.violations) == ([1], 0)


def test_a_budget_counts_down_from_the_most_important() -> None:
    pods = [a_pod(n, allowed=1) for n in (1, 2, 3)]
    breaking, others = split_by_budget(pods)
    assert ([pod.pod_id for pod in breaking], [pod.pod_id for pod in others]) == ([2, 3], [1])


def harm(*pods: tuple[int, int], violations: int = 0) -> Victims:
    """Return victims given by (priority, start)."""
    return Victims(tuple(a_pod(n, *pod) for n, pod in enumerate(sorted(pods, reverse=True))), violations)


@pytest.mark.parametrize(
    ("worse", "better"),
    [
        pytest.param(harm((0, 9), violations=1), harm((5, 1), (5, 1)), id="fewest broken budgets"),
        pytest.param(harm((5, 9)), harm((4, 1), (4, 1), (4, 1)), id="lowest highest priority"),
        pytest.param(harm((5, 9), (4, 9)), harm((5, 1), (3, 1)), id="lowest sum"),
        pytest.param(harm((-10, 9), (-10, 9)), harm((-10, 1)), id="each victim counts, negative or not"),
        pytest.param(harm((5, 1), (1, 9)), harm((5, 2), (1, 0)), id="latest start of the most important"),
        pytest.param(harm((5, 2), (5, 1)), harm((5, 2), (5, 2)), id="the earliest of them decides"),
    ],
)
def test_least_harm(worse: Victims, better: Victims) -> None:
    assert choose_node([worse, better]) == 1
    assert choose_node([better, worse]) == 0
    assert choose_node([better, better]) == 0


def test_a_tenth_of_the_nodes_are_candidates_enough() -> None:
    assert [candidates_to_find(nodes) for nodes in (7, 100, 500, 2000)] == [7, 100, 100, 200]
