"""How kube-scheduler likes the nodes that fit: one function per score plugin, 0 to 100 each.

Every function takes columns, one entry per node, and returns one float per node that holds a whole
number. What is left of a node is left with the pod already on it. The total is the weighted sum;
plugins that have nothing to say about a pod are left out, as upstream skips them, and so is
InterPodAffinity, whose preferences are not modelled.

Source: Kubernetes v1.31.13 pkg/scheduler/framework/plugins: noderesources/least_allocated.go and
balanced_allocation.go, tainttoleration, podtopologyspread/scoring.go, imagelocality, and
default_plugins.go for the weights; cluster-autoscaler.md §5.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from sim.kernels.choice import BEST

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Column = NDArray[np.float64]

TAINT_TOLERATION = 3.0
POD_TOPOLOGY_SPREAD = 2.0
NODE_AFFINITY = 2.0

UNSET_CPU_M = 100
UNSET_MEMORY_MIB = 200

HOSTNAME_MAX_SKEW = 3
ZONE_MAX_SKEW = 5

MIB = 1024 * 1024
LEAST_IMAGE_BYTES = 23 * MIB
MOST_IMAGE_BYTES = 1000 * MIB


def unset_request(regular: Sequence[int | None], init: Sequence[int | None], default: int) -> int:
    """Return what scores add to a pod's request of one resource for containers that ask for none (None).

    Requests are max(sum of the containers, each init container), for scores with ``default`` filled in
    first. Source: noderesources/resource_allocation.go (calculatePodResourceRequest), component-helpers
    resource.PodRequests (NonMissingContainerRequests).
    """

    def request(missing: int) -> int:
        amounts = [missing if amount is None else amount for amount in regular]
        return max([sum(amounts), *(missing if amount is None else amount for amount in init)])

    return request(default) - request(0)


def least_allocated(left: Column, everything: Column) -> Column:
    """Return the mean of what is left of cpu and memory, each in whole per cent, rounded down.

    Both have the shape ``(2, nodes)``; what is overdrawn counts as nothing left.
    """
    shares = np.floor(np.maximum(left, 0.0) * BEST / everything)
    mean: Column = np.floor((shares[0] + shares[1]) / 2)
    return mean


def balanced_allocation(left: Column, everything: Column) -> Column:
    """Return 100 less half the difference between the shares taken of cpu and memory, truncated.

    In double precision as upstream computes it: what would be whole may come out one lower.
    """
    fractions = (everything - left) / everything
    score: Column = np.floor((1 - np.abs((fractions[0] - fractions[1]) / 2)) * BEST)
    return score


def taint_toleration(intolerable: Column) -> Column:
    """Return 100 for nodes without a PreferNoSchedule taint the pod minds, 0 for those with most."""
    most = intolerable[intolerable.argmax()]
    minded = intolerable * BEST
    if most > 1:
        minded /= most
        np.floor(minded, minded)
    np.subtract(BEST, minded, minded)
    return minded


def spread_crowd(counts: Column, domains: int, max_skew: int) -> Column:
    """Return what pods in a node's domain count against it; few domains weigh less: log(domains + 2) each."""
    return counts * math.log(domains + 2) + (max_skew - 1)


def topology_spread(crowd: Column, ignored: NDArray[np.bool_] | None = None) -> Column:
    """Return how few pods the domains of a node hold, against the most and least crowded node.

    ``crowd`` sums ``spread_crowd`` over the constraints; ``ignored`` nodes lack a label and score 0.
    """
    crowd = np.floor(crowd + 0.5)
    judged = crowd if ignored is None else crowd[~ignored]
    if not len(judged):
        return np.zeros(len(crowd))
    most, least = judged.max(), judged.min()
    score = np.floor(BEST * (most + least - crowd) / most) if most else np.full(len(crowd), BEST)
    if ignored is not None:
        score[ignored] = 0.0
    return score


def node_affinity(weights: Column) -> Column:
    """Return the weights of the preferences that a node meets, against the most that any meets."""
    most = weights.max()
    return np.floor(weights * BEST / most) if most else weights


def image_locality(present_bytes: Column, containers: int) -> Column:
    """Return how much of a pod's images a node has, from 23 MiB to 1000 MiB a container.

    ``present_bytes`` sums the sizes of those images, each times the share of nodes that have it.
    Upstream reads sizes on disk; here they are compressed, as nothing else is known.
    """
    most = MOST_IMAGE_BYTES * containers
    present = np.clip(present_bytes, LEAST_IMAGE_BYTES, most)
    return np.floor((present - LEAST_IMAGE_BYTES) * BEST / (most - LEAST_IMAGE_BYTES))
