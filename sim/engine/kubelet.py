"""The kubelet: what lies between a pod's place on a node and its containers running.

Images that the node does not hold are pulled, each once per node, in parallel with others
(``serializeImagePulls: false`` on AL2023); a pod that needs an image being pulled waits for that
pull. Then the containers start. A pod without images on a cluster without start latency runs at
once. Source: cluster-autoscaler.md §6.4; rates and start time aws.md §8.2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.engine.clock import Phase
from sim.engine.state import Node, Pod, PodState

if TYPE_CHECKING:
    from sim.engine.clock import Call, Clock
    from sim.engine.state import ClusterState
    from sim.engine.streams import Delays, Streams
    from sim.model.latency import Latencies


class Kubelets:
    """Starts pods on EC2 nodes."""

    def __init__(self, clock: Clock, state: ClusterState, latency: Latencies, streams: Streams) -> None:
        """Take charge of every pod that is bound in ``state``."""
        self.clock = clock
        self.state = state
        self.latency = latency
        self.streams = streams
        self._start = streams.delays("container-start", latency.container_start_s)
        self._rates: dict[str, Delays] = {}
        state.on_bound = self.bound

    def bound(self, pod: Pod, node: Node) -> None:
        """Pull what is missing, then start the containers."""
        pulled_us = self.clock.now_us
        pulled_bytes = 0
        for image in pod.cls.spec.images:
            ready_us = node.images.get(image.name)
            if ready_us is None:
                ready_us = self.clock.now_us + self._pull_us(image.name, image.size_bytes)
                node.images[image.name] = ready_us
                pulled_bytes += image.size_bytes
            pulled_us = max(pulled_us, ready_us)
        start_us = self._start.next_us()
        if pulled_us > self.clock.now_us:
            pod.start_us = start_us
            self.state.log.tables["image_pulls"].add((self.clock.now_us, pod.id, pulled_bytes))
            pod.call = self.clock.at(pulled_us, Phase.WORK_ENDED, self._pulled, pod)
        elif start_us > 0:
            pod.call = self.clock.at(self.clock.now_us + start_us, Phase.WORK_ENDED, self._run, pod)
        else:
            self.state.run(pod)

    def _pulled(self, call: Call[Pod]) -> None:
        pod = call.argument
        now_us = self.clock.now_us
        self.state.log.tables["pod_pulled"].add((now_us, pod.id))
        pod.call = self.clock.at(now_us + pod.start_us, Phase.WORK_ENDED, self._run, pod)

    def _run(self, call: Call[Pod]) -> None:
        pod = call.argument
        pod.call = None
        if pod.state is PodState.BOUND:
            self.state.run(pod)

    def _pull_us(self, image: str, size_bytes: int) -> int:
        """Draw how long one pull takes: bytes over a rate, faster on EC2 than on Fargate."""
        seconds = self._rates.get(image)
        if seconds is None:
            # delays in seconds per byte would round to nothing: draw the rate, scaled to seconds
            seconds = self.streams.delays(f"image-pull/{image}", self.latency.image_pull.bytes_per_s)
            self._rates[image] = seconds
        bytes_per_s = seconds.next_us() / 1_000_000 * self.latency.image_pull.ec2_factor
        return round(size_bytes / bytes_per_s * 1_000_000)
