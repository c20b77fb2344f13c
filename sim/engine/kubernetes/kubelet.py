"""The kubelet: what lies between a pod's place on a node and its containers running.

Images that the node does not hold are pulled, each once per node, in parallel with others
(``serializeImagePulls: false`` on AL2023); a pod that needs an image being pulled waits for that
pull. Then the containers start. A pod without images on a cluster without start latency runs at
once. Source: cluster-autoscaler.md §6.4; rates and start time aws.md §8.2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.engine.kubernetes.containers import Containers, pull_duration_us

if TYPE_CHECKING:
    from sim.engine.clock import Clock
    from sim.engine.entities import Node, Pod
    from sim.engine.state import ClusterState
    from sim.engine.streams import Delays, Streams
    from sim.model.latency import Latencies
    from sim.model.pods import Image, PodClass


class Kubelets:
    """Starts pods on EC2 nodes."""

    def __init__(self, clock: Clock, state: ClusterState, latency: Latencies, streams: Streams) -> None:
        """Start pods of ``state``."""
        self.clock = clock
        self.state = state
        self.latency = latency
        self.streams = streams
        self.containers = Containers(clock, state, latency, streams)
        self._rates: dict[str, Delays] = {}
        self._starts_at_once = self.containers.start_delays.constant_us == 0

    def runs_at_once(self, spec: PodClass) -> bool:
        """Say whether there is nothing to pull and no time to start."""
        return self._starts_at_once and not spec.images

    def bound(self, pod: Pod, node: Node) -> None:
        """Pull what is missing, then start the containers; for pods that do not run at once."""
        start_us = self.containers.start_delays.next_us(pod.cls)
        now_us = pulled_us = self.clock.now_us
        pulled_bytes = 0
        for image in pod.cls.spec.images:
            ready_us = node.images.get(image.name)
            if ready_us is None:
                ready_us = now_us + self._pull_us(image)
                node.images[image.name] = ready_us
                pulled_bytes += image.size_bytes
            pulled_us = max(pulled_us, ready_us)
        self.containers.start(pod, pulled_us, pulled_bytes, start_us)

    def _pull_us(self, image: Image) -> int:
        """Draw how long one pull takes: bytes over a rate, faster on EC2 than on Fargate."""
        pull = self.latency.image_pull
        rates = self._rates.get(image.name)
        if rates is None:
            rates = self.streams.delays(f"image-pull/{image.name}", pull.bytes_per_s)
            self._rates[image.name] = rates
        return round(pull_duration_us(pull.weight(image), rates.next_us()) / pull.ec2_factor)
