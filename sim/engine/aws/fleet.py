"""Fleets: instances of one shape, and how long each takes to launch, to boot and to go.

Source: latencies aws.md §8.2; Spot aws.md §6.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.model.distributions import Exponential
from sim.model.units import SECOND

if TYPE_CHECKING:
    from sim.engine.streams import Streams
    from sim.model.cluster import NodeGroup, NodeShape
    from sim.model.latency import Ec2Latency

METAL = ".metal"


class Fleet:
    """Instances of one shape that start and go alike: their delays, from streams of the fleet's ``name``."""

    def __init__(
        self,
        shape: int,
        spec: NodeShape,
        name: str,
        latency: Ec2Latency,
        streams: Streams,
        *,
        group: NodeGroup | None = None,
    ) -> None:
        """Draw nothing yet; ``shape`` is the number of ``spec``, the delays are the group's if it has any."""
        self.shape = shape
        self.spec = spec
        self.name = name
        self.created = 0  # of no group
        slow = spec.allocatable.gpu > 0 or METAL in spec.instance_type
        self._factor = latency.metal_factor if slow else 1.0
        self._raid_us = round(latency.nvme_raid_s * SECOND) if spec.nvme_raid else 0
        provision_s, deletion_s = (group.provision_s, group.deletion_s) if group else (None, None)
        self._provision = self._gpu_total = None
        if provision_s is not None:
            self._provision = streams.delays(f"ec2-provision/{name}", provision_s)
        elif spec.allocatable.gpu:
            self._gpu_total = streams.delays(f"ec2-gpu/{name}", latency.gpu_total_s)
        self._launch = streams.delays(f"ec2-launch/{name}", latency.launch_s)
        self._boot = streams.delays(f"ec2-ready/{name}", latency.ready_s)
        self._terminate = streams.delays(f"ec2-terminate/{name}", deletion_s or latency.terminate_s)
        self._life = self._pool = None
        together = spec.interruptions_per_hour * spec.reclaimed_together
        alone = spec.interruptions_per_hour - together
        if spec.spot and alone > 0:
            self._life = streams.delays(f"spot-interruption/{name}", Exponential(3600.0 / alone))
        if spec.spot and together > 0:
            self._pool = streams.delays(f"spot-pool/{name}", Exponential(3600.0 / together))

    def start_us(self) -> tuple[int, int, int]:
        """Draw the times from request to launched, to Ready, to GPUs published.

        ``gpu_total_s`` counts from the request; Ready comes no later.
        """
        if self._provision is not None:
            return 0, self._provision.next_us(), 0
        launch_us = self._launch.next_us()
        boot_us = round(self._boot.next_us() * self._factor) + self._raid_us
        if self._gpu_total is None:
            return launch_us, boot_us, 0
        total_us = self._gpu_total.next_us()
        boot_us = max(min(boot_us, total_us - launch_us), 0)
        return launch_us, boot_us, max(total_us - launch_us - boot_us, 0)

    def terminate_us(self) -> int:
        """Draw the time from the terminate call to no node."""
        return self._terminate.next_us()

    def life_us(self) -> int | None:
        """Draw when a Spot node is reclaimed by itself after it became Ready; None: never."""
        return None if self._life is None else self._life.next_us()

    def pool_reclaimed_us(self) -> int | None:
        """Draw how long it is until every Spot node is reclaimed at once; None: never."""
        return None if self._pool is None else self._pool.next_us()
