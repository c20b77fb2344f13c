"""Domains of nodes: which ones hard spread constraints and inter-pod (anti-)affinity leave to a pod.

Every function takes columns, one entry per node, and returns one flag per node. ``domain`` is the index of
the node's value of a label, -1 where it has none.

Source: Kubernetes v1.31.13 pkg/scheduler/framework/plugins: podtopologyspread/filtering.go,
interpodaffinity/filtering.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Column = NDArray[np.float64]
    Flags = NDArray[np.bool_]
    Positions = NDArray[np.intp]


def in_domain(on_node: Column, domain: Positions, domains: int, counted: Flags | None = None) -> Column:
    """Return how many pods each node's domain holds on nodes that are ``counted``; 0 without a domain."""
    judged = domain >= 0 if counted is None else counted & (domain >= 0)
    totals = np.bincount(domain[judged], on_node[judged], minlength=domains + 1).astype(
        np.float64, copy=False
    )
    held: Column = totals[domain]  # index -1 is the last, which is empty
    return held


def room_by_spread(  # noqa: PLR0917  # columns, then numbers
    on_node: Column,
    domain: Positions,
    domains: int,
    counted: Flags,
    max_skew: int,
    min_domains: int,
) -> Column:
    """Return how many more matching pods each node's domain may hold now; -inf without the label.

    The least crowded domain is judged among nodes that are ``counted``: with all labels of the pod's hard
    constraints, and which its node affinity lets it use. With fewer than ``min_domains`` it counts as empty.
    """
    judged = counted & (domain >= 0)
    sizes = np.bincount(domain[judged], minlength=domains + 1)
    totals = np.bincount(domain[judged], on_node[judged], minlength=domains + 1)
    present = totals[sizes > 0]
    least = 0.0 if len(present) < min_domains else present.min(initial=np.inf)
    room = np.asarray(max_skew + least - totals[domain], dtype=np.float64)
    room[domain < 0] = -np.inf
    return room
