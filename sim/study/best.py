"""Best: which scenario is cheapest, fastest, or the cheapest that holds its targets, and how sure that is.

A question is settled when the likeliest answer has a chance of 95 % to be within the indifference of the
best (`sim.study.posterior`), or when none holds its targets with that chance. Where it is open, the number
of replications that would settle it is found as if means and covariance stayed as they are.
A target is held when the mean over replications of its latency is at most what it says; one endless
latency, of a failed job, makes the mean endless. A scenario without jobs to judge holds nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from sim.report.summary import CONFIDENCE
from sim.study.paired import MOST
from sim.study.posterior import Posterior, chances_lowest

if TYPE_CHECKING:
    from sim.model.scenario import Slo
    from sim.study.posterior import Draws, Shares

    Chances: TypeAlias = Callable[[Draws], tuple[Shares, Shares]]

CHEAPEST = "cheapest"
FASTEST = "fastest"
CHEAPEST_THAT_HOLDS = "cheapest that holds its targets"


@dataclass(frozen=True, slots=True)
class Best:
    """A question, the chance of each answer, and the answer if it is sure enough.

    ``chance`` of being best is by scenario, and 1 with ``chance_none``; ``chance_within`` is that of being
    within the indifference of the best. None where there is too little to tell. ``settled`` without an
    ``answer`` says that none holds its targets.
    """

    question: str
    figure: str
    chance: dict[str, float] | None
    chance_within: dict[str, float] | None
    chance_none: float | None
    settled: bool
    answer: str | None
    more_replications: int | None

    def document(self) -> dict[str, Any]:
        """Return the form that JSON has."""
        return asdict(self)


def lowest(question: str, figure: str, seen: Mapping[str, Sequence[float]], indifference: float) -> Best:
    """Say which scenario has the lowest mean of a figure, given by scenario and replication."""
    columns = np.array(list(seen.values())).T
    return _best(
        question, figure, list(seen), columns, lambda means: chances_lowest(means, None, indifference)
    )


def cheapest_that_holds(
    figure: str,
    costs: Mapping[str, Sequence[float]],
    targets: Mapping[str, Sequence[tuple[Slo, Sequence[float]]]],
    indifference: float,
) -> Best:
    """Say which scenario has the lowest cost of those that hold all their targets.

    ``targets`` has for each scenario its targets with their latencies by replication.
    """
    latencies = [(n, slo, np.array(values)) for n, name in enumerate(costs) for slo, values in targets[name]]
    endless = {n for n, _, values in latencies if np.isinf(values).any() or np.isnan(values).all()}
    judged = [(n, slo, values) for n, slo, values in latencies if n not in endless]
    columns = np.array([*costs.values(), *(values for *_, values in judged)]).T

    def chances(means: Draws) -> tuple[Shares, Shares]:
        holds = np.full((len(means), len(costs)), fill_value=True)
        holds[:, sorted(endless)] = False
        for column, (n, slo, _) in enumerate(judged, len(costs)):
            holds[:, n] &= means[:, column] <= slo.at_most_s
        return chances_lowest(means[:, : len(costs)], holds, indifference)

    return _best(CHEAPEST_THAT_HOLDS, figure, list(costs), columns, chances)


def _best(question: str, figure: str, names: Sequence[str], columns: Draws, chances: Chances) -> Best:
    seen = columns[np.isfinite(columns).all(axis=1)]
    if len(seen) < 2:  # noqa: PLR2004  # one replication has no spread
        return Best(question, figure, None, None, None, settled=False, answer=None, more_replications=None)
    posterior = Posterior(seen)
    best, within = chances(posterior.draws())
    none = max(1.0 - sum(best), 0.0)
    settled = _settled(best, within)
    more = 0 if settled else _more(posterior, chances)
    answer = names[int(np.argmax(best))] if settled and none < CONFIDENCE else None
    return Best(
        question,
        figure,
        chance=dict(zip(names, best, strict=True)),
        chance_within=dict(zip(names, within, strict=True)),
        chance_none=none,
        settled=settled,
        answer=answer,
        more_replications=more,
    )


def _settled(best: Shares, within: Shares) -> bool:
    """Say whether the likeliest answer is good enough with 95 %, or that there is none."""
    return within[int(np.argmax(best))] >= CONFIDENCE or 1.0 - sum(best) >= CONFIDENCE


def _more(posterior: Posterior, chances: Chances) -> int | None:
    """Return how many more replications would settle it; None for more than is worth asking."""

    def settled(replications: int) -> bool:
        return _settled(*chances(posterior.draws(replications)))

    low = high = posterior.replications
    while not settled(high):
        if high > MOST:
            return None
        low, high = high, 2 * high
    while high - low > max(low // 50, 1):
        middle = (low + high) // 2
        low, high = (low, middle) if settled(middle) else (middle, high)
    return high - posterior.replications
