"""The study: a question with everything that may be varied to answer it.

A study names factors and the choices of each, what is to be small (objectives), what has to hold
(constraints), and how sure the answer shall be. One choice of each factor is a configuration; what it puts
into the base scenario are ``--set`` texts. How a configuration becomes a scenario is the loader's to say.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sim.model.metrics import COST, COUNT, LATENCY, METRIC, asked, quantity
from sim.model.scenario import Scenario

MOSTLY = 0.99  # of the spans that nothing happened in, where none shall happen


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing a factor may be: what tables call it, and the ``path=value`` texts it puts in."""

    label: str
    sets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Factor:
    """Something that may be varied; the choices of an ``ordered`` one go up like numbers."""

    name: str
    choices: tuple[Choice, ...]
    ordered: bool = False


@dataclass(frozen=True, slots=True)
class Latency:
    """A percentile of job latency: of one pipeline, or of all ("")."""

    quantile: float
    pipeline: str = ""


def latency_of(metric: str) -> Latency | None:
    """Return the latency percentile that a metric names, None for any other metric.

    >>> latency_of("pipelines.edges.job_latency_p99.5_s")
    Latency(quantile=0.995, pipeline='edges')
    """
    found = asked(metric)
    if found is None or found.metric is not METRIC[LATENCY]:
        return None
    assert found.number is not None
    return Latency(found.number / 100, found.work)


@dataclass(frozen=True, slots=True)
class Constraint:
    """What has to hold of a metric: its mean, or with ``probability`` that share of the replications.

    That a count is at most 0 can only be said of a share: without ``probability`` ``MOSTLY``.
    """

    metric: str
    limit: float
    at_least: bool = False
    probability: float | None = None

    @property
    def spans(self) -> float | None:
        """The share of the replications in which it has to hold; None: its mean has to."""
        never = self.probability is None and not self.limit and not self.at_least
        return MOSTLY if never and quantity(self.metric) is COUNT else self.probability


@dataclass(frozen=True, slots=True)
class Study:
    """A question, what may be varied, and what counts as an answer.

    The first objective decides; further ones are axes of the Pareto front. ``indifference`` is the
    relative difference of objective or limit that nobody cares about. ``replications`` is how often a
    configuration is run before it is judged, ``round`` how many replications are decided on at a time,
    which makes the answer independent of who runs them. ``precision`` is the largest relative error of the
    winner's objective and of what its constraints limit on average; None: whatever it comes to. ``explain``
    is the share of the budget kept to say which inputs matter and where the answer tips over. ``holds_at_us``
    are the ages of the repositories at which the constraints have to hold; none: for ever. ``written``
    does as ``configure`` does, and keeps what the scenario was read from, for export.
    """

    name: str
    factors: tuple[Factor, ...]
    configure: Callable[[tuple[str, ...]], Scenario]
    written: Callable[[tuple[str, ...]], Scenario] | None = None
    objectives: tuple[str, ...] = (COST,)
    constraints: tuple[Constraint, ...] = ()
    question: str = ""
    file: str = ""
    base: str = ""
    sets: tuple[str, ...] = ()
    confidence: float = 0.95
    indifference: float = 0.02
    budget: int = 2_000
    replications: int = 10
    round: int = 64
    seed: int = 1
    explain: float = 0.25
    precision: float | None = None
    holds_at_us: tuple[int, ...] = ()
