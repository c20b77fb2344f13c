"""Scores against the formulas of cluster-autoscaler.md §5 and upstream's own test tables (v1.31).

Cases named after upstream are from least_allocated_test.go, balanced_allocation_test.go,
taint_toleration_test.go and image_locality_test.go.
"""

from __future__ import annotations

from fractions import Fraction
from math import floor, log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.decisions.kubernetes.scores import (
    MIB,
    balanced_allocation,
    image_locality,
    least_allocated,
    node_affinity,
    spread_crowd,
    taint_toleration,
    topology_spread,
    unset_request,
)

# (cpu requested, cpu allocatable, memory requested, memory allocatable), pod included
WORKED = [
    pytest.param((3000, 4000, 5000, 10_000), 37, 87, id="upstream: requested, 4000m / 10000"),
    pytest.param((3000, 6000, 5000, 10_000), 50, 100, id="upstream: requested, 6000m / 10000"),
    pytest.param((6000, 10_000, 5000, 20_000), 57, 82, id="upstream: node 2 of scheduled pods"),
    pytest.param((6000, 10_000, 10_000, 20_000), 45, 95, id="upstream: node 2 with the pod's request"),
    pytest.param(
        (1000, 3920, 4096, 14_162), 72, 98, id="74.4 % and 71.07 % left of m5.xlarge: (74 + 71) / 2"
    ),
    pytest.param((3920, 3920, 14_162, 14_162), 0, 100, id="full"),
    pytest.param((0, 3920, 0, 14_162), 100, 100, id="empty"),
    pytest.param((3920, 3920, 0, 14_162), 50, 50, id="all cpu, no memory"),
]


def columns(*rows: float) -> tuple[np.ndarray, np.ndarray]:
    """Return what is left of one node's cpu and memory, and all of it."""
    cpu, all_cpu, memory, all_memory = rows
    return np.array([[all_cpu - cpu], [all_memory - memory]]), np.array([[all_cpu], [all_memory]])


@pytest.mark.parametrize(("node", "least", "balanced"), WORKED)
def test_resource_scores(node: tuple[int, int, int, int], least: int, balanced: int) -> None:
    assert least_allocated(*columns(*map(float, node))).tolist() == [least]
    assert balanced_allocation(*columns(*map(float, node))).tolist() == [balanced]


def test_what_is_overdrawn_counts_as_nothing_left() -> None:
    """Fifty containers without requests count as 5000m and 10000 MiB: no cpu left, 29 % of memory."""
    assert least_allocated(*columns(5000.0, 3920.0, 10_000.0, 14_162.0)).tolist() == [29 // 2]


def test_balanced_allocation_truncates_doubles() -> None:
    """Exact whole results may come out one lower: of all pairs of per cents 146 do (DIFFERENCES.md)."""
    cpu, memory = (grid.astype(float).ravel() for grid in np.mgrid[0:101, 0:101])
    whole = np.full(len(cpu), 100.0)
    found = balanced_allocation(np.array([whole - cpu, whole - memory]), np.array([whole, whole]))
    exact = np.floor((200 - np.abs(cpu - memory)) / 2)
    assert np.count_nonzero(found != exact) == 146
    assert set(exact - found) == {0.0, 1.0}


@given(
    cpu_m=st.integers(1, 200_000),
    memory_mib=st.integers(1, 4_000_000),
    shares=st.tuples(st.fractions(0, 1), st.fractions(0, 1)),
)
def test_least_allocated_is_the_integer_formula(
    cpu_m: int, memory_mib: int, shares: tuple[Fraction, Fraction]
) -> None:
    """Whatever is taken, in whole millicores and MiB: ((capacity - requested) * 100 / capacity, in int64."""
    taken = [int(total * share) for total, share in zip((cpu_m, memory_mib), shares, strict=True)]
    left = [(total - part) * 100 // total for total, part in zip((cpu_m, memory_mib), taken, strict=True)]
    node = (float(taken[0]), float(cpu_m), float(taken[1]), float(memory_mib))
    assert least_allocated(*columns(*node)).tolist() == [sum(left) // 2]
    exact = floor((1 - abs(Fraction(taken[0], cpu_m) - Fraction(taken[1], memory_mib)) / 2) * 100)
    assert balanced_allocation(*columns(*node))[0] in {exact - 1, exact}


@pytest.mark.parametrize(
    ("regular", "init", "expected"),
    [
        pytest.param([None], [], 100, id="one container that asks for nothing"),
        pytest.param([None, 250], [], 100, id="only who asks for nothing"),
        pytest.param([None, None], [500], 0, id="an init container asks for more than both"),
        pytest.param([50], [None], 50, id="an init container that asks for nothing counts as one that asks"),
        pytest.param([0], [], 0, id="zero is asked for"),
    ],
)
def test_unset_requests_are_filled_in_before_the_maximum(
    regular: list[int | None], init: list[int | None], expected: int
) -> None:
    """Upstream's rule: max(sum of containers, each init container), 100m for each that names no cpu."""
    assert unset_request(regular, init, 100) == expected


def test_node_affinity_is_against_the_best() -> None:
    """Weights 0, 4 and 6: 100 x 4 / 6 is 66 (upstream's DefaultNormalizeScore, in int64)."""
    assert node_affinity(np.array([0.0, 4.0, 6.0])).tolist() == [0, 66, 100]
    assert node_affinity(np.zeros(2)).tolist() == [0, 0]


@pytest.mark.parametrize(
    ("intolerable", "expected"),
    [
        pytest.param([0, 1], [100, 0], id="upstream: node without untolerated taints wins"),
        pytest.param([0, 1, 2], [100, 50, 0], id="upstream: the more untolerated, the lower"),
        pytest.param([0, 0], [100, 100], id="upstream: all tolerated"),
        pytest.param([1, 1], [0, 0], id="all alike"),
    ],
)
def test_taint_toleration(intolerable: list[float], expected: list[float]) -> None:
    assert taint_toleration(np.array(intolerable, dtype=np.float64)).tolist() == expected


@pytest.mark.parametrize(
    ("sizes_mib", "containers", "expected"),
    [
        pytest.param([40 / 2], 2, 0, id="upstream: 40 MiB on one of two nodes"),
        pytest.param([250 / 2], 2, 5, id="upstream: 250 MiB on one of two nodes"),
        pytest.param([250 / 2, 40 / 2], 2, 6, id="100 x (145 - 23) / (2000 - 23)"),
        pytest.param([4000], 1, 100, id="capped at 1000 MiB a container"),
        pytest.param([], 1, 0, id="nothing there"),
    ],
)
def test_image_locality(sizes_mib: list[float], containers: int, expected: int) -> None:
    present = np.array([sum(sizes_mib) * MIB])
    assert image_locality(present, containers).tolist() == [expected]


def test_spread_over_hosts_of_one_region_without_zones() -> None:
    """Two nodes weigh log 4: 0 pods give 2, 4 pods give round(4 log 4 + 2) = 8; 100 and 100 x 2 / 8."""
    assert round(4 * log(4) + 2) == 8
    assert topology_spread(spread_crowd(np.array([0.0, 4.0]), 2, 3)).tolist() == [100, 25]


def test_spread_over_zones_outweighs_one_pod_on_the_host() -> None:
    """Hosts weigh log 5 = 1.61, two zones log 4 = 1.39; skews add 2 and 4.

    Node 1: 0 pods, zone of 3: round(2 + 4.16 + 4) = 10; node 2: 1 pod, zone of 1: round(3.61 + 5.39) = 9;
    node 3: 3 pods, zone of 3: round(6.83 + 8.16) = 15. Scores 100 x (15 + 9 - s) / 15.
    """
    hosts = spread_crowd(np.array([0.0, 1.0, 3.0]), 3, 3)
    found = topology_spread(hosts + spread_crowd(np.array([3.0, 1.0, 3.0]), 2, 5))
    assert found.tolist() == [93, 100, 60]


def test_nodes_without_a_label_of_an_own_constraint_score_nothing() -> None:
    """Crowds 2 and 8 of labelled nodes, the third ignored: 100, 100 x 2 / 8, 0."""
    found = topology_spread(np.array([2.0, 8.0, 1.0]), np.array([False, False, True]))
    assert found.tolist() == [100, 25, 0]
