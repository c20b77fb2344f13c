"""Plain pods: work that needs no Pachyderm, as in a cluster trace.

A pod arrives, waits for a place, runs for its duration and is gone. One that is lost is replaced
by its controller, if it has one, at once and from the beginning.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sim.engine.clock import Phase
from sim.engine.entities import RUNNING
from sim.model.log import PodEnd
from sim.model.pods import Controller

if TYPE_CHECKING:
    from sim.engine.clock import Call, Clock
    from sim.engine.entities import ClassState, Pod
    from sim.engine.state import ClusterState

ARRIVALS, PODS_ENDED, COMPLETED = (
    Phase.ARRIVALS,
    Phase.PODS_ENDED,
    PodEnd.COMPLETED,
)  # looked up for every pod

Arrival = tuple[int, "ClassState", int]
"""When, of which class, and for how long it runs (negative: for ever), in microseconds."""


class PlainPods:
    """One set of pods that arrive by themselves; one pending arrival at a time."""

    def __init__(self, clock: Clock, state: ClusterState, name: str, arrivals: Iterator[Arrival]) -> None:
        """Wait for the first arrival; arrivals are in order of time."""
        self.clock = clock
        self.state = state
        self.source = len(state.log.names["source"])
        state.log.names["source"].append(name)
        self._arrivals = arrivals
        self._on_arrival = self._arrive
        self._on_ended = self._ended
        self._lost: list[Pod] = []  # to be replaced at this instant
        first = next(arrivals, None)
        if first is not None:
            clock.call_at(first[0], ARRIVALS, self._on_arrival, first)

    def _arrive(self, arrival: Arrival) -> None:
        following = next(self._arrivals, None)
        if following is not None:
            self.clock.call_at(following[0], ARRIVALS, self._on_arrival, following)
        pod = self.state.create_pod(arrival[1], self, self.source)
        pod.work_us = arrival[2]

    def pod_running(self, pod: Pod) -> None:
        """Run the pod for its duration."""
        if pod.work_us >= 0:
            clock = self.clock
            clock.call_at(clock.now_us + pod.work_us, PODS_ENDED, self._on_ended, pod)

    def pod_refused(self, pod: Pod) -> None:
        """Let the pod wait."""

    def _ended(self, pod: Pod) -> None:
        if pod.state is RUNNING:  # else it was lost in the meantime
            self.state.end(pod, COMPLETED)

    def pod_lost(self, pod: Pod, _: PodEnd) -> None:
        """Have the controller create a replacement."""
        if pod.cls.spec.controller is not Controller.NONE:
            self._lost.append(pod)
            if len(self._lost) == 1:
                phase = self.clock.before_or_after_look(Phase.REQUEUE, Phase.REQUEUE_AFTER_LOOK)
                self.clock.at(self.clock.now_us, phase, self._replace, None)

    def _replace(self, _: Call[None]) -> None:
        """Create the replacements, in the order of the pods that they stand for."""
        lost = sorted(self._lost, key=lambda pod: pod.order)
        self._lost.clear()
        for old in lost:
            pod = self.state.create_pod(old.cls, self, self.source, replaces=old)
            pod.work_us = old.work_us
