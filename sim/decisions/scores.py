"""How kube-scheduler likes the nodes that fit: one function per score plugin, 0 to 100 each.

Every function takes columns, one entry per node, and returns one float per node that holds a whole
number. Fractions are of allocatable, with the pod already on the node. The total is the weighted
sum; NodeAffinity and InterPodAffinity give no preference here and are left out, as upstream skips
plugins that have nothing to say about a pod.

Source: Kubernetes v1.31.13 pkg/scheduler/framework/plugins: noderesources/least_allocated.go and
balanced_allocation.go, tainttoleration, podtopologyspread/scoring.go, imagelocality, and
default_plugins.go for the weights; cluster-autoscaler.md §5.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Column = NDArray[np.float64]

BEST = 100.0
HAIR = 1e-7  # percentages are sums of two quotients: this keeps whole numbers whole
ALL = 100.0 + HAIR
TAINT_TOLERATION = 3.0
POD_TOPOLOGY_SPREAD = 2.0

UNSET_CPU_M = 100
UNSET_MEMORY_MIB = 200

HOSTNAME_MAX_SKEW = 3
ZONE_MAX_SKEW = 5

MIB = 1024 * 1024
LEAST_IMAGE_BYTES = 23 * MIB
MOST_IMAGE_BYTES = 1000 * MIB


def resource_scores(percent: Column) -> Column:
    """Return LeastAllocated plus BalancedAllocation, both of weight 1.

    ``percent``, shape ``(4, nodes)``, says what would be taken of allocatable: cpu and memory with
    100m and 200 MiB for each container that asks for nothing, then cpu and memory as requested.
    LeastAllocated is the mean of what is left of the first two, each in whole per cent rounded down
    and at least 0, rounded down; BalancedAllocation is 100 less half the difference of the others,
    rounded down. The argument's first two rows are used up.
    """
    taken = percent[:2]
    taken -= HAIR
    np.ceil(taken, out=taken)
    np.minimum(taken, BEST, out=taken)
    score = np.empty_like(taken)
    np.add(percent[0], percent[1], out=score[0])
    np.subtract(percent[2], percent[3], out=score[1])
    np.abs(score[1], out=score[1])
    score *= -0.5
    score += ALL
    np.floor(score, out=score)
    total: Column = score[0] + score[1]
    return total


def taint_toleration(intolerable: Column) -> Column:
    """Return 100 for nodes without a PreferNoSchedule taint the pod minds, 0 for those with most."""
    most = intolerable.max()
    if most == 0:
        return np.full(len(intolerable), BEST)
    minded = intolerable * BEST
    minded /= most
    np.floor(minded, out=minded)
    return BEST - minded


def topology_spread(on_node: Column, in_zone: Column, zones: int) -> Column:
    """Return how few pods of the same owner a node and its zone hold, by the cluster's default spread.

    ``on_node`` and ``in_zone`` count them; ``zones`` is the number of zones among the nodes, 0 when
    they have none. Counts in topologies with few values weigh less: log(values + 2) each.
    """
    crowd = on_node * math.log(len(on_node) + 2)
    crowd += HOSTNAME_MAX_SKEW - 1
    if zones:
        crowd += in_zone * math.log(zones + 2)
        crowd += ZONE_MAX_SKEW - 1
    crowd += 0.5
    np.floor(crowd, out=crowd)
    most, least = crowd.max(), crowd.min()
    crowd *= -BEST
    crowd += BEST * (most + least)
    crowd /= most
    return np.floor(crowd, out=crowd)


def image_locality(present_bytes: Column, containers: int) -> Column:
    """Return how much of a pod's images a node has, from 23 MiB to 1000 MiB a container.

    ``present_bytes`` sums the sizes of those images, each times the share of nodes that have it.
    Upstream reads sizes on disk; here they are compressed, as nothing else is known.
    """
    most = MOST_IMAGE_BYTES * containers
    present = np.clip(present_bytes, LEAST_IMAGE_BYTES, most)
    return np.floor((present - LEAST_IMAGE_BYTES) * BEST / (most - LEAST_IMAGE_BYTES))
