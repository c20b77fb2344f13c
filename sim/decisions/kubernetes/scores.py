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

from sim.kernels.choice import BEST, FULLEST, HALF

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Column = NDArray[np.float64]

_FULLEST = np.array(FULLEST)  # an array of no dimension is the operand numpy is fastest with
_HALF = np.array(HALF)
TAINT_TOLERATION = 3.0
POD_TOPOLOGY_SPREAD = 2.0

UNSET_CPU_M = 100
UNSET_MEMORY_MIB = 200

HOSTNAME_MAX_SKEW = 3
ZONE_MAX_SKEW = 5

MIB = 1024 * 1024
LEAST_IMAGE_BYTES = 23 * MIB
MOST_IMAGE_BYTES = 1000 * MIB


class Load:
    """What would be taken of each node with one more pod on it, in per cent; memory to reuse.

    ``scored`` and ``requested``, shape ``(2, nodes)``: cpu and memory, with and without 100m and 200 MiB for
    each container that asks for nothing.
    """

    __slots__ = (
        "_both", "_cpu", "_memory", "_penalties", "_penalty", "_percent", "_scored_cpu", "_scored_memory",
        "fits", "scored",
    )  # fmt: skip

    def __init__(self, nodes: int) -> None:
        """Reserve the memory."""
        self._percent = np.zeros((2, 2, nodes))
        self.scored, (self._cpu, self._memory) = self._percent
        self._scored_cpu, self._scored_memory = self.scored
        self.fits = np.zeros(nodes, dtype=np.bool_)
        self._both = np.zeros((2, nodes))
        self._penalty, self._penalties = self._both

    def add(self, held: Column, asked: Column) -> None:
        """Say what is taken, and ``fits``: whether that is there.

        ``held``, shape ``(2, nodes)``, is what nodes hold; ``asked``, shape ``(2, 2, nodes)``, is what a pod
        asks for, in scores and in filters.
        """
        np.add(held, asked, self._percent)
        np.maximum(self._cpu, self._memory, out=self._penalty)
        np.less_equal(self._penalty, _FULLEST, self.fits)

    def assume(self, more: Column) -> None:
        """Let scores add what stands in for missing requests of pods on the nodes, up to all there is."""
        np.add(self.scored, more, self.scored)
        np.minimum(self.scored, BEST, out=self.scored)

    def resource_penalty(self) -> Column:
        """Return 200 less LeastAllocated and BalancedAllocation, both of weight 1; uses up what ``add`` said.

        LeastAllocated is the mean of what is left of the first two, each in whole per cent rounded
        down and at least 0, rounded down; BalancedAllocation is 100 less half the difference of the
        others, rounded down. Counted from 100 down, all of these round up.
        """
        np.subtract(self._cpu, self._memory, self._penalties)
        np.abs(self._penalties, self._penalties)
        np.ceil(self.scored, self.scored)
        np.add(self._scored_cpu, self._scored_memory, self._penalty)
        np.multiply(self._both, _HALF, self._both)
        np.ceil(self._both, self._both)
        np.add(self._penalty, self._penalties, self._penalty)
        return self._penalty


def taint_toleration(intolerable: Column) -> Column:
    """Return 100 for nodes without a PreferNoSchedule taint the pod minds, 0 for those with most."""
    most = intolerable[intolerable.argmax()]
    minded = intolerable * BEST
    if most > 1:
        minded /= most
        np.floor(minded, minded)
    np.subtract(BEST, minded, minded)
    return minded


def topology_spread(on_node: Column, in_zone: Column | None = None, zones: int = 0) -> Column:
    """Return how few pods of the same owner a node and its zone hold, by the cluster's default spread.

    ``on_node`` and ``in_zone`` count them; ``zones`` is the number of zones among the nodes, if they
    have any. Counts in topologies with few values weigh less: log(values + 2) each.
    """
    crowd = on_node * math.log(len(on_node) + 2)
    crowd += HOSTNAME_MAX_SKEW - 1 + 0.5
    if in_zone is not None:
        crowd += in_zone * math.log(zones + 2)
        crowd += ZONE_MAX_SKEW - 1
    np.floor(crowd, crowd)
    most, least = crowd[crowd.argmax()], crowd[crowd.argmin()]
    np.subtract(most + least, crowd, crowd)
    crowd *= BEST
    crowd /= most
    np.floor(crowd, crowd)
    return crowd


def image_locality(present_bytes: Column, containers: int) -> Column:
    """Return how much of a pod's images a node has, from 23 MiB to 1000 MiB a container.

    ``present_bytes`` sums the sizes of those images, each times the share of nodes that have it.
    Upstream reads sizes on disk; here they are compressed, as nothing else is known.
    """
    most = MOST_IMAGE_BYTES * containers
    present = np.clip(present_bytes, LEAST_IMAGE_BYTES, most)
    return np.floor((present - LEAST_IMAGE_BYTES) * BEST / (most - LEAST_IMAGE_BYTES))
