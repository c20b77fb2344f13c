"""Resources: what a container asks for and what a node can give.

Whole units only, so sums are exact: millicores, MiB, GPUs. Memory that Pachyderm or Fargate counts
in bytes stays in bytes on the container and is rounded up to MiB when a pod is scheduled.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

MIB = 1024 * 1024
GIB = 1024 * MIB
MIB_PER_GIB = 1024


@dataclass(frozen=True, slots=True)
class Resources:
    """Amounts of each schedulable resource; as a request or as a capacity."""

    cpu_m: int = 0
    memory_mib: int = 0
    ephemeral_mib: int = 0
    gpu: int = 0

    def __add__(self, other: Resources) -> Resources:
        """Return the sum, resource by resource."""
        return Resources(
            self.cpu_m + other.cpu_m,
            self.memory_mib + other.memory_mib,
            self.ephemeral_mib + other.ephemeral_mib,
            self.gpu + other.gpu,
        )


@dataclass(frozen=True, slots=True)
class Container:
    """One container of a pod: its requests, and its limits where it has any."""

    name: str
    cpu_m: int = 0
    memory_bytes: int = 0
    ephemeral_bytes: int = 0
    gpu: int = 0
    limit_memory_bytes: int | None = None
    init: bool = False


def mib_up(amount_bytes: int) -> int:
    """Return the smallest number of MiB that holds ``amount_bytes``."""
    return -(-amount_bytes // MIB)


def pod_requests(containers: tuple[Container, ...]) -> Resources:
    """Return the effective request of a pod: max(largest init container, sum of the others).

    Each resource on its own. Source: Kubernetes, "Resource sharing within containers";
    pachyderm.md §1.4, aws.md §1.2.
    """
    running = [c for c in containers if not c.init]
    starting = [c for c in containers if c.init]

    def effective(amount: Callable[[Container], int]) -> int:
        return max([sum(map(amount, running)), *map(amount, starting)])

    return Resources(
        cpu_m=effective(lambda c: c.cpu_m),
        memory_mib=mib_up(effective(lambda c: c.memory_bytes)),
        ephemeral_mib=mib_up(effective(lambda c: c.ephemeral_bytes)),
        gpu=effective(lambda c: c.gpu),
    )
