"""How long nodes of a group take from the request to Ready, as a sample.

GPUs count where their label has the autoscaler wait for them.

Source: latencies aws.md §8.2; GPUs cluster-autoscaler.md §3.6.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sim.model.cluster import GPU_LABEL, NodeGroup
from sim.model.latency import Ec2Latency

if TYPE_CHECKING:
    from numpy.typing import NDArray

SAMPLE = 4_000


def share_later_than(limit_s: float, group: NodeGroup, ec2: Ec2Latency) -> tuple[float, float]:
    """Return the share of a group's nodes that are Ready later than a limit, and the median in seconds."""
    starts_s = typical_starts_s(group, ec2)
    return float(np.mean(starts_s > limit_s)), float(np.median(starts_s))


def typical_starts_s(group: NodeGroup, ec2: Ec2Latency) -> NDArray[np.float64]:
    """Return seconds from request to Ready of many nodes, the same ones each time: ``(SAMPLE,)``."""
    rng = np.random.default_rng(0)
    if group.provision_s is not None:
        return group.provision_s.sample(rng, SAMPLE)
    slow = group.allocatable.gpu > 0 or ".metal" in group.instance_type
    boot_s = ec2.ready_s.sample(rng, SAMPLE) * (ec2.metal_factor if slow else 1.0)
    ready_s = ec2.launch_s.sample(rng, SAMPLE) + boot_s + (ec2.nvme_raid_s if group.shape.nvme_raid else 0.0)
    if not group.allocatable.gpu:
        return ready_s
    gpus_s = ec2.gpu_total_s.sample(rng, SAMPLE)
    return np.maximum(ready_s, gpus_s) if GPU_LABEL in dict(group.labels) else np.minimum(ready_s, gpus_s)
