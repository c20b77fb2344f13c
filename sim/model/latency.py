"""Latencies: how long AWS and Kubernetes take, with the defaults of aws.md §8.2.

All of these are modelling assumptions ([A] in the sheet): no public distribution with percentiles
exists for EKS Fargate, and node boot varies with image and type. Every one can be overridden, and
``run --sensitivity`` repeats a run with Fargate at 30, 45 and 75 s and node boot at +-50 %.
Distributions are in seconds; rates in bytes per second.
"""

from __future__ import annotations

from dataclasses import dataclass

from sim.model.distributions import Constant, Distribution, Lognormal, Uniform
from sim.model.pods import Image
from sim.model.units import MB


@dataclass(frozen=True, slots=True)
class Ec2Latency:
    """From SetDesiredCapacity to a Ready node, and from the terminate call to no node.

    ``ready_s`` applies to CPU nodes, ``metal_factor`` times that to GPU and metal ones, and
    ``nvme_raid_s`` more where local disks are made a RAID. The GPUs of a node can be used after
    ``gpu_total_s`` in all (cluster-autoscaler.md §7: median 150 s, p95 330 s, device plugin included).
    """

    launch_s: Distribution = Uniform(3.0, 15.0)
    ready_s: Distribution = Lognormal(median=50.0, sigma=0.25)
    gpu_total_s: Distribution = Lognormal(median=150.0, p95=330.0)
    metal_factor: float = 1.6
    nvme_raid_s: float = 8.0
    terminate_s: Distribution = Constant(60.0)


@dataclass(frozen=True, slots=True)
class FargateLatency:
    """From admission (token and quota granted) to a Ready kubelet, where the pull and bill start."""

    ready_s: Distribution = Lognormal(median=45.0, sigma=0.30)


@dataclass(frozen=True, slots=True)
class ImagePull:
    """Pull and unpack: compressed bytes over a rate; EC2 nodes pull twice as fast as Fargate.

    An image compressed with zstd takes ``zstd_factor`` of the time.
    """

    bytes_per_s: Distribution = Lognormal(median=20.0 * MB, sigma=0.40)
    ec2_factor: float = 2.0
    zstd_factor: float = 0.8

    def weight(self, image: Image) -> float:
        """Return the bytes whose pull takes as long as the image's."""
        return image.size_bytes * (self.zstd_factor if image.zstd else 1.0)


@dataclass(frozen=True, slots=True)
class Latencies:
    """All latency models of one scenario."""

    ec2: Ec2Latency = Ec2Latency()
    fargate: FargateLatency = FargateLatency()
    image_pull: ImagePull = ImagePull()
    container_start_s: Distribution = Lognormal(median=2.0, sigma=0.5)
