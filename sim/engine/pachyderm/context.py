"""What every part of one pipeline leans on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sim.engine.clock import Clock
from sim.engine.state import ClusterState
from sim.engine.streams import Delays, Streams
from sim.model.distributions import Distribution
from sim.model.layout import Layout
from sim.model.log import EventLog
from sim.model.scenario import PachydermOptions, PipelineLoad

if TYPE_CHECKING:
    from sim.model.pipelines import Pipeline


@dataclass(frozen=True, slots=True)
class PipelineContext:
    """A pipeline's number in the log, its load, and the simulation it lives in.

    ``layouts`` say how files lie in what it reads, input by input.
    """

    index: int
    load: PipelineLoad
    options: PachydermOptions
    state: ClusterState
    streams: Streams
    layouts: tuple[Layout, ...]

    @property
    def spec(self) -> Pipeline:
        """Return the pipeline as its spec says it."""
        return self.load.pipeline

    @property
    def clock(self) -> Clock:
        """Return the simulation's clock."""
        return self.state.clock

    @property
    def log(self) -> EventLog:
        """Return the simulation's log."""
        return self.state.log

    def delays(self, name: str, distribution: Distribution) -> Delays:
        """Return the delays of one kind of step of this pipeline, from a stream of its own."""
        return self.streams.delays(f"{name}/{self.spec.full_name}", distribution)
