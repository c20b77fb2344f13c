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
    Load,
    image_locality,
    taint_toleration,
    topology_spread,
)
from sim.kernels.choice import HAIR

Percent = tuple[float, ...]

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


def resource_score(held: Percent, asked: Percent = (0.0, 0.0), more: Percent = (0.0, 0.0)) -> float:
    """Return LeastAllocated plus BalancedAllocation of one node; scores ask for a hair less."""
    load = Load(1)
    for_both = np.array(asked * 2).reshape(2, 2, 1)
    for_both[0] -= HAIR
    load.add(np.array([held]).T, for_both)
    load.assume(np.array([more]).T)
    return 200.0 - float(load.resource_penalty()[0])


@pytest.mark.parametrize(("node", "least", "balanced"), WORKED)
def test_resource_scores(node: tuple[int, int, int, int], least: int, balanced: int) -> None:
    cpu, cpu_allocatable, memory, memory_allocatable = node
    shares = 100 * cpu / cpu_allocatable, 100 * memory / memory_allocatable
    assert resource_score(shares) == least + balanced


def test_defaults_for_missing_requests_may_exceed_the_node() -> None:
    """Fifty containers without requests count as 5000m and 10000 MiB: no cpu left, 29 % of memory."""
    assert resource_score((0.0, 0.0), more=(100 * 5000 / 3920, 100 * 10_000 / 14_162)) == 29 // 2 + 100


@given(
    cpu_m=st.integers(1, 200_000),
    memory_mib=st.integers(1, 4_000_000),
    before=st.tuples(st.fractions(0, 1), st.fractions(0, 1)),
    asked=st.tuples(st.fractions(0, 1), st.fractions(0, 1)),
)
def test_percentages_of_node_and_pod_add_up_to_the_integer_formula(
    cpu_m: int, memory_mib: int, before: tuple[Fraction, Fraction], asked: tuple[Fraction, Fraction]
) -> None:
    """Whatever is on the node and whatever is asked, in whole millicores and MiB, summed as two floats."""
    allocatable = (cpu_m, memory_mib)
    held = [int(total * share) for total, share in zip(allocatable, before, strict=True)]
    more = [int((total - part) * share) for total, part, share in zip(allocatable, held, asked, strict=True)]
    of_node = tuple(100.0 * h / t for t, h in zip(allocatable, held, strict=True))
    of_pod = tuple(100.0 * m / t for t, m in zip(allocatable, more, strict=True))
    left = [(t - h - m) * 100 // t for t, h, m in zip(allocatable, held, more, strict=True)]
    cpu, memory = (Fraction(h + m, t) for t, h, m in zip(allocatable, held, more, strict=True))
    expected = sum(left) // 2 + floor((1 - abs(cpu - memory) / 2) * 100)
    assert resource_score(of_node, of_pod) == expected


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
    assert topology_spread(np.array([0.0, 4.0])).tolist() == [100, 25]


def test_spread_over_zones_outweighs_one_pod_on_the_host() -> None:
    """Hosts weigh log 5 = 1.61, two zones log 4 = 1.39; skews add 2 and 4.

    Node 1: 0 pods, zone of 3: round(2 + 4.16 + 4) = 10; node 2: 1 pod, zone of 1: round(3.61 + 5.39) = 9;
    node 3: 3 pods, zone of 3: round(6.83 + 8.16) = 15. Scores 100 x (15 + 9 - s) / 15.
    """
    found = topology_spread(np.array([0.0, 1.0, 3.0]), np.array([3.0, 1.0, 3.0]), 2)
    assert found.tolist() == [93, 100, 60]
