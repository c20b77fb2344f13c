"""The choice of a node for one pod, as kube-scheduler makes it: filter, sample, score, pick.

The loops of ``sim.engine.kubernetes.placement.Placement.choose``, which says what the rules are and where
from; the twin there also knows the rules that few pods have.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sim.kernels.kernel import Kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

# Rows of the table of nodes: requests in per cent of allocatable, what scores add to them for containers
# that ask for nothing, and what few pods ask about.
CPU, MEMORY, MORE_CPU, MORE_MEMORY, FREE_GPU, FREE_EPHEMERAL, AVOID, ZONE, SHAPE = range(9)
# Columns of what a class asks for, by shape of node: the same in per cent, for scores and for filters.
SCORED_CPU, SCORED_MEMORY, ASKED_CPU, ASKED_MEMORY = range(4)

BEST = 100.0
HAIR = 1e-7  # percentages are sums of two quotients: this keeps whole numbers whole
FULLEST = 100.0 + HAIR
HALF = 0.5 - HAIR / 100.0

# Choices. Each saves 7 microseconds, so 60,000 pay for loading numba; who came half as far mostly goes on.
WORTH = 30_000


def choose(  # noqa: PLR0917  # numba takes no keywords, and an array costs it more than three numbers
    table: Floats,
    asked: Floats,
    image_score: Floats,
    found: NDArray[np.intp],
    nodes: int,
    wanted: int,
    start: int,
    gpu: int,
    ephemeral_mib: int,
    apart: int,
    avoid: float,
    assumed: bool,
    draw: float,
) -> tuple[int, int]:
    """Return the position of the best node, -1 if the pod fits nowhere, and where the next search starts.

    ``table`` has a column per node, ``asked`` a row per shape, ``image_score`` an entry per node or none
    at all; ``found``, of shape ``(2, nodes)``, is memory to use. At most ``wanted`` nodes are scored. Nodes
    with pods in the row ``apart`` are left out, unless that is -1; nodes to ``avoid`` lose that many points;
    ``assumed`` says that any node or the pod has containers that ask for nothing; ``draw``, from 0 to 1,
    decides between equals.

    Memory is what takes time: rows are read only where they matter. A node is written down before it is
    known to fit, because the processor would guess that wrong too often.
    """
    node = start if start < nodes else 0
    count = before_the_end = 0
    several = len(asked) > 1
    for _ in range(nodes):
        shape = int(table[SHAPE, node]) if several else 0
        fits = (
            (table[CPU, node] + asked[shape, ASKED_CPU] <= FULLEST)
            & (table[MEMORY, node] + asked[shape, ASKED_MEMORY] <= FULLEST)
            & (gpu == 0 or table[FREE_GPU, node] >= gpu)
            & (ephemeral_mib == 0 or table[FREE_EPHEMERAL, node] >= ephemeral_mib)
            & (apart < 0 or table[apart, node] == 0)
        )
        found[0, count] = node
        count += fits
        if count > wanted:
            break
        node += 1
        if node == nodes:
            node = 0
            before_the_end = count
    if count == 0:
        return -1, start
    if count > wanted:  # then equals are in the order of the search, otherwise in that of the nodes
        count = wanted
        start = (found[0, count - 1] + 1) % nodes
        before_the_end = 0
    ties = 0
    least = np.inf
    for rank in range(before_the_end, before_the_end + count):
        node = found[0, rank if rank < count else rank - count]
        shape = int(table[SHAPE, node]) if several else 0
        cpu, memory = table[CPU, node], table[MEMORY, node]
        difference = abs((cpu + asked[shape, ASKED_CPU]) - (memory + asked[shape, ASKED_MEMORY]))
        cpu += asked[shape, SCORED_CPU]
        memory += asked[shape, SCORED_MEMORY]
        if assumed:
            cpu = min(cpu + table[MORE_CPU, node], BEST)
            memory = min(memory + table[MORE_MEMORY, node], BEST)
        penalty = np.ceil((np.ceil(cpu) + np.ceil(memory)) * HALF) + np.ceil(difference * HALF)
        penalty -= image_score[node] if len(image_score) > 0 else 0.0
        penalty += avoid * table[AVOID, node] if avoid > 0 else 0.0
        if penalty <= least:
            if penalty < least:
                least = penalty
                ties = 0
            found[1, ties] = node
            ties += 1
    return found[1, int(draw * ties)], start


CHOICE = Kernel(choose, WORTH)
