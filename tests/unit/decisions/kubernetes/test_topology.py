"""Domains of nodes, against upstream's own tables (podtopologyspread/filtering_test.go, v1.31)."""

from __future__ import annotations

import numpy as np
import pytest

from sim.decisions.kubernetes.topology import in_domain, room_by_spread

ALL = np.ones(4, dtype=np.bool_)
ZONES = np.array([0, 0, 1, 1])  # node-a, node-b in zone1, node-x, node-y in zone2
HOSTS = np.arange(4)


@pytest.mark.parametrize(
    ("pods", "domain", "max_skew", "fits"),
    [
        pytest.param([0, 0, 0, 0], ZONES, 1, [1, 1, 1, 1], id="upstream: no existing pods"),
        pytest.param([2, 1, 0, 0], ZONES, 1, [0, 0, 1, 1], id="upstream: pods spread across zones as 3/0"),
        pytest.param([2, 1, 2, 0], ZONES, 1, [0, 0, 1, 1], id="zones as 3/2"),
        pytest.param([2, 1, 2, 1], ZONES, 1, [1, 1, 1, 1], id="upstream: across zones as 3/3"),
        pytest.param([2, 1, 0, 3], HOSTS, 1, [0, 0, 1, 0], id="upstream: across nodes as 2/1/0/3"),
        pytest.param([2, 1, 0, 3], HOSTS, 2, [0, 1, 1, 0], id="upstream: the same, maxSkew 2"),
    ],
)
def test_hard_spread(pods: list[int], domain: np.ndarray, max_skew: int, fits: list[int]) -> None:
    room = room_by_spread(np.array(pods, float), domain, int(domain.max()) + 1, ALL, max_skew, 1)
    assert (room >= 1).astype(int).tolist() == fits


def test_a_node_without_the_label_takes_none_and_sets_no_minimum() -> None:
    """upstream: pods spread across zones as 1/0 with one node that has no zone."""
    room = room_by_spread(np.array([1.0, 0, 0, 0]), np.array([0, 0, 1, -1]), 2, ALL, 1, 1)
    assert (room >= 1).tolist() == [False, False, True, False]


def test_nodes_that_affinity_forbids_set_no_minimum() -> None:
    """upstream: pod with a nodeAffinity to zone1: the empty zone2 does not count."""
    counted = np.array([True, True, False, False])
    room = room_by_spread(np.array([2.0, 1, 0, 0]), HOSTS, 4, counted, 1, 1)
    assert (room >= 1).tolist()[:2] == [False, True]


def test_too_few_domains_count_as_an_empty_one() -> None:
    """upstream: minDomains 3 of 2 zones as 1/1: the global minimum is 0."""
    room = room_by_spread(np.array([1.0, 0, 1, 0]), ZONES, 2, ALL, 1, 3)
    assert (room >= 1).tolist() == [False] * 4


def test_counts_are_by_domain() -> None:
    found = in_domain(np.array([1.0, 2, 4, 8]), np.array([0, 0, 1, -1]), 2)
    assert found.tolist() == [3, 3, 4, 0]
