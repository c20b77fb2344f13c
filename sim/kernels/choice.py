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

# Rows of the table of nodes: room by requests, what a node has of it, what scores add to the requests on it
# for containers that ask for nothing, and what few pods ask about.
(
    FREE_CPU, FREE_MEMORY, ALL_CPU, ALL_MEMORY, MORE_CPU, MORE_MEMORY, FREE_GPU, FREE_EPHEMERAL, AVOID, ZONE,
    SHAPE,
) = range(11)  # fmt: skip

BEST = 100.0

# Choices. Each saves 7 microseconds, so 60,000 pay for loading numba; who came half as far mostly goes on.
WORTH = 30_000


def choose(  # noqa: C901, PLR0917  # numba compiles one loop, takes no keywords, and an array costs it more than three numbers
    table: Floats,
    allowed: NDArray[np.bool_],
    image_score: Floats,
    found: NDArray[np.intp],
    order: NDArray[np.intp],
    nodes: int,
    wanted: int,
    start: int,
    cpu_m: int,
    memory_mib: int,
    unset_cpu_m: int,
    unset_memory_mib: int,
    gpu: int,
    ephemeral_mib: int,
    apart: int,
    avoid: float,
    assumed: bool,
    balanced: bool,
    draw: float,
) -> tuple[int, int]:
    """Return the position of the best node, -1 if the pod fits nowhere, and where the next search starts.

    ``table`` has a column per node, ``allowed`` one entry per shape, ``image_score`` one per node or none at
    all; ``found``, of shape ``(2, nodes)``, is memory to use; ``order`` is the search's, empty: that of
    nodes. At most ``wanted`` nodes are scored. Nodes with pods in the row ``apart`` are left out, unless that
    is -1; nodes to ``avoid`` lose that many points; ``assumed`` says that any node or the pod has containers
    that ask for nothing; ``balanced``, that BalancedAllocation counts; ``draw``, from 0 to 1, decides between
    equals.

    Memory is what takes time: rows are read only where they matter. A node is written down before it is
    known to fit, because the processor would guess that wrong too often.
    """
    step = start if start < nodes else 0
    count = before_the_end = 0
    several = len(allowed) > 1
    turns = len(order) > 0
    for _ in range(nodes):
        node = order[step] if turns else step
        fits = (
            (table[FREE_CPU, node] >= cpu_m)
            & (table[FREE_MEMORY, node] >= memory_mib)
            & (gpu == 0 or table[FREE_GPU, node] >= gpu)
            & (ephemeral_mib == 0 or table[FREE_EPHEMERAL, node] >= ephemeral_mib)
            & (apart < 0 or table[apart, node] == 0)
            & (not several or allowed[int(table[SHAPE, node])])
        )
        found[0, count] = node
        count += fits
        if count > wanted:
            break
        step += 1
        if step == nodes:
            step = 0
            before_the_end = count
    if count == 0:
        return -1, start
    if count > wanted:  # then equals are in the order of the search, otherwise in that of the nodes
        count = wanted
        start = step
        before_the_end = 0
    ties = 0
    least = np.inf
    for rank in range(before_the_end, before_the_end + count):
        node = found[0, rank if rank < count else rank - count]
        all_cpu, all_memory = table[ALL_CPU, node], table[ALL_MEMORY, node]
        cpu = table[FREE_CPU, node] - cpu_m
        memory = table[FREE_MEMORY, node] - memory_mib
        score = 0.0
        if balanced:
            difference = abs(((all_cpu - cpu) / all_cpu - (all_memory - memory) / all_memory) / 2)
            score = np.floor((1 - difference) * BEST)
        if assumed:
            cpu = max(cpu - unset_cpu_m - table[MORE_CPU, node], 0.0)
            memory = max(memory - unset_memory_mib - table[MORE_MEMORY, node], 0.0)
        score += np.floor((np.floor(cpu * BEST / all_cpu) + np.floor(memory * BEST / all_memory)) / 2)
        penalty = -score
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
