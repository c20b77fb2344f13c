"""Containers of one pod: pulled if they must be, started, running; on a node or on Fargate.

Delays are drawn per class, one per pod, so that the n-th pod of a class has the same luck wherever
and whenever it starts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.engine.clock import Phase
from sim.engine.entities import PodState
from sim.engine.streams import constant_us
from sim.model.units import SECOND

if TYPE_CHECKING:
    from sim.engine.clock import Call, Clock
    from sim.engine.entities import ClassState, Pod
    from sim.engine.state import ClusterState
    from sim.engine.streams import Delays, Streams
    from sim.model.distributions import Distribution
    from sim.model.latency import Latencies


class Containers:
    """Carries out pulls and starts of pods that have a place."""

    def __init__(self, clock: Clock, state: ClusterState, latency: Latencies, streams: Streams) -> None:
        """Draw nothing yet."""
        self.clock = clock
        self.state = state
        self.start_delays = PerClass(streams, "container-start", latency.container_start_s)

    def start(self, pod: Pod, pulled_us: int, pulled_bytes: int, start_us: int) -> None:
        """Have a pod's images there at ``pulled_us``, and its containers running ``start_us`` later."""
        now_us = self.clock.now_us
        if pulled_us > now_us:
            pod.start_us = start_us
            self.state.log.tables["image_pulls"].add((now_us, pod.id, pulled_bytes))
            pod.call = self.clock.at(pulled_us, Phase.WORK_ENDED, self._pulled, pod)
        elif start_us > 0:
            pod.call = self.clock.at(now_us + start_us, Phase.WORK_ENDED, self._run, pod)
        else:
            self.state.run(pod)

    def _pulled(self, call: Call[Pod]) -> None:
        pod = call.argument
        now_us = self.clock.now_us
        self.state.log.tables["pod_pulled"].add((now_us, pod.id))
        if pod.node is not None:
            self.state.scheduler.images_changed(pod.node)
        pod.call = self.clock.at(now_us + pod.start_us, Phase.WORK_ENDED, self._run, pod)

    def _run(self, call: Call[Pod]) -> None:
        pod = call.argument
        pod.call = None
        if pod.state is PodState.BOUND:
            self.state.run(pod)


class PerClass:
    """Delays of one kind, a stream per name of pod class."""

    def __init__(self, streams: Streams, name: str, distribution: Distribution) -> None:
        """Draw nothing yet."""
        self._streams = streams
        self._name = name
        self._distribution = distribution
        self._delays: dict[str, Delays] = {}
        self.constant_us = constant_us(distribution)

    def next_us(self, cls: ClassState) -> int:
        """Draw the next delay of a class."""
        if self.constant_us is not None:
            return self.constant_us
        name = cls.spec.name
        delays = self._delays.get(name)
        if delays is None:
            delays = self._delays[name] = self._streams.delays(f"{self._name}/{name}", self._distribution)
        return delays.next_us()


def pull_duration_us(size_bytes: float, millionth_bytes_per_s: int) -> int:
    """Return how long a pull takes; the rate is as ``Delays`` draws it, in millionths of a byte."""
    return round(size_bytes * SECOND * SECOND / max(millionth_bytes_per_s, 1))
