"""The choice of a node for one pod, as kube-scheduler makes it: filter, sample, score, pick.

The loops of ``sim.engine.placement.Placement.choose``, which says what the rules are and where from; the
twin there also knows the rules that few pods have.
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
CPU, MEMORY, MORE_CPU, MORE_MEMORY, FREE_GPU, FREE_EPHEMERAL, AVOID, ZONE, GROUP = range(9)
# Columns of what a class asks for, by node group: the same in per cent, for scores and for filters.
SCORED_CPU, SCORED_MEMORY, ASKED_CPU, ASKED_MEMORY = range(4)

BEST = 100.0
HAIR = 1e-7  # percentages are sums of two quotients: this keeps whole numbers whole
FULLEST = 100.0 + HAIR
HALF = 0.5 - HAIR / 100.0

WORTH = 70_000  # choices: each saves about 7 microseconds


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
    draw: float,
) -> tuple[int, int]:
    """Return the position of the best node, -1 if the pod fits nowhere, and where the next search starts.

    ``table`` has a column per node, ``asked`` a row per node group, ``found``, of shape ``(2, nodes)``,
    is memory to use. At most ``wanted`` nodes are scored. Nodes with pods in the row ``apart`` are left
    out, unless that is -1; nodes to ``avoid`` lose that many points; ``draw``, from 0 to 1, decides between
    equals.
    """
    count = ahead = 0
    is_sample = False
    first = start if start < nodes else 0
    for step in range(nodes):
        node = first + step
        if node >= nodes:
            node -= nodes
        group = int(table[GROUP, node])
        if (
            table[CPU, node] + asked[group, ASKED_CPU] > FULLEST
            or table[MEMORY, node] + asked[group, ASKED_MEMORY] > FULLEST
            or (gpu > 0 and table[FREE_GPU, node] < gpu)
            or (ephemeral_mib > 0 and table[FREE_EPHEMERAL, node] < ephemeral_mib)
            or (apart >= 0 and table[apart, node] > 0)
        ):
            continue
        if count == wanted:
            is_sample = True
            break
        found[0, count] = node
        count += 1
        ahead += node >= first
    if count == 0:
        return -1, start
    if is_sample:
        start = (found[0, count - 1] + 1) % nodes
        ahead = 0  # the order is that of the search; without a sample it is that of the nodes
    ties = 0
    least = np.inf
    for rank in range(ahead, ahead + count):
        node = found[0, rank if rank < count else rank - count]
        group = int(table[GROUP, node])
        cpu, memory = table[CPU, node], table[MEMORY, node]
        scored_cpu = min(cpu + asked[group, SCORED_CPU] + table[MORE_CPU, node], BEST)
        scored_memory = min(memory + asked[group, SCORED_MEMORY] + table[MORE_MEMORY, node], BEST)
        apart_by = abs((cpu + asked[group, ASKED_CPU]) - (memory + asked[group, ASKED_MEMORY]))
        penalty = np.ceil((np.ceil(scored_cpu) + np.ceil(scored_memory)) * HALF) + np.ceil(apart_by * HALF)
        penalty += avoid * table[AVOID, node] - image_score[node]
        if penalty <= least:
            if penalty < least:
                least = penalty
                ties = 0
            found[1, ties] = node
            ties += 1
    return found[1, int(draw * ties)], start


CHOICE = Kernel(choose, WORTH)
