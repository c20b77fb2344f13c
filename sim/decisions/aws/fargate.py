"""Fargate size: what a pod gets, and pays for, for what it asks.

The first combination, by vCPU and then memory, that holds the pod's requests and 256 MiB for kubelet,
kube-proxy and containerd. No combination: the pod stays Pending. Requests of a whole number of GiB
therefore buy one GiB more than they say, which `cheaper_request` points out.

Source: awsdocs/amazon-eks-user-guide 4d52b4d05e34 fargate-pod-configuration.adoc; AWS "Amazon EKS
Fargate adds support for larger ephemeral volumes"; aws.md §1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sim.model.machines import FARGATE_OVERHEAD_MIB, FargateSize
from sim.model.resources import Resources

LARGEST_STORAGE_MIB = 175 * 1024


def fargate_size(requests: Resources, sizes: Sequence[FargateSize]) -> FargateSize | None:
    """Return the size of a pod with these effective requests, or None when no size holds it.

    ``sizes`` come in the catalog's order. Memory that was rounded up to whole MiB gives the same answer
    as exact bytes, because every size is a whole number of MiB.
    """
    return _first_that_holds(requests.cpu_m, requests.memory_mib + FARGATE_OVERHEAD_MIB, sizes)


def usable_memory_mib(size: FargateSize) -> int:
    """Return what the containers of a pod of this size can use together; there is no bursting beyond."""
    return size.memory_mib - FARGATE_OVERHEAD_MIB


@dataclass(frozen=True, slots=True)
class CheaperRequest:
    """A little less memory that lands the pod on a smaller size."""

    memory_mib: int
    size: FargateSize


def cheaper_request(requests: Resources, sizes: Sequence[FargateSize]) -> CheaperRequest | None:
    """Return the largest request, at most 256 MiB lower, that buys a smaller size; None if there is none.

    A pod of exactly N GiB lands on the next size, or on none; (N · 1024 − 256) MiB lands on N.
    """
    smaller = _first_that_holds(requests.cpu_m, requests.memory_mib, sizes)
    if smaller is None or smaller == fargate_size(requests, sizes):
        return None
    advised = CheaperRequest(smaller.memory_mib - FARGATE_OVERHEAD_MIB, smaller)
    assert fargate_size(replace(requests, memory_mib=advised.memory_mib), sizes) == smaller
    return advised


def _first_that_holds(cpu_m: int, memory_mib: int, sizes: Sequence[FargateSize]) -> FargateSize | None:
    holding = (size for size in sizes if size.vcpu_m >= cpu_m and size.memory_mib >= memory_mib)
    return next(holding, None)
