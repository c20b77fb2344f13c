"""Best: which scenario is cheapest, fastest, or the cheapest that holds its targets, and how sure that is.

A question is settled when the choice of `sim.study.choice` is right with 95 %, or when none holds its targets
with that chance: the same rule, on the same figures, as a search has. Where it is open, the number of
replications that would settle it is found as if means and variances stayed as they are. A target is held when
the mean over replications of its latency is at most what it says; an endless latency, of a failed job, makes
the mean endless, which never holds and is never the lowest. A scenario without jobs to judge holds nothing.

The chance of each scenario to be the best is in proportion to the chance that it holds and that none of those
which hold is below it, each pair as if on its own; for two scenarios that is the chance of the paired test.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.model.study import Constraint
from sim.report.summary import CONFIDENCE
from sim.study.choice import Choice, Held, choose, hazard, held, holding, paired, together, wrong
from sim.study.paired import MOST
from sim.study.statistics import Float, estimates

if TYPE_CHECKING:
    from sim.model.scenario import Slo

CHEAPEST = "cheapest"
FASTEST = "fastest"
CHEAPEST_THAT_HOLDS = "cheapest that holds its targets"
Target = tuple["Slo", Sequence[float]]


@dataclass(frozen=True, slots=True)
class Best:
    """A question, the chance of each answer, and the answer if it is sure enough.

    ``chance`` of being best is by scenario, and 1 with ``chance_none``; ``chance_within`` is the least that
    being within the indifference of the best has. None where there is too little to tell. ``settled``
    without an ``answer`` says that none holds its targets.
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


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be small, by scenario and replication, and with what it counts.

    ``hazards`` are the mean numbers, a replication, of each scenario's rare events that were not seen.
    """

    name: str
    figure: str
    seen: Mapping[str, Sequence[float]]
    indifference: float
    targets: Mapping[str, Sequence[Target]] | None = None
    hazards: Mapping[str, Sequence[float]] | None = None

    @property
    def x(self) -> Float:
        """The figures, shape ``(scenarios, replications)``."""
        return np.array(list(self.seen.values()), np.float64)

    def constraints(self, replications: int | None) -> list[Held]:
        """Return what is known of targets and hazards, or would be after so many replications."""
        most = max(map(len, (self.targets or {}).values()), default=0)
        known = [self._target(n, replications) for n in range(most)]
        counts = np.full(len(self.seen), float(replications or self.x.shape[1]))
        events = [] if self.hazards is None else zip(*(self.hazards[name] for name in self.seen), strict=True)
        return [*known, *(hazard(np.array(each), counts) for each in events)]

    def _target(self, n: int, replications: int | None) -> Held:
        """Return what is known of the n-th target of each scenario; one that has fewer holds it."""
        parts = []
        for name in self.seen:
            targets = (self.targets or {})[name]
            slo, values = targets[n] if n < len(targets) else (None, [0.0] * self.x.shape[1])
            limit = Constraint(f"slo.{n}.latency_s", 0.0 if slo is None else slo.at_most_s)
            parts.append(held(np.array([values], np.float64), limit, self.indifference, replications))
        columns = ("holds", "clearly", "unseen", "seems", "effort")
        return Held(*(np.concatenate([getattr(part, column) for part in parts]) for column in columns))


def best(question: Question) -> Best:
    """Return the answer of a question, as far as it is known."""
    x, names = question.x, list(question.seen)
    objective = estimates(x)
    if (objective.count < 2).any() or x.shape[1] < 2:  # noqa: PLR2004  # one replication has no spread
        return Best(
            question.name,
            question.figure,
            None,
            None,
            None,
            settled=False,
            answer=None,
            more_replications=None,
        )
    there = np.isfinite(objective.mean)
    constraints = question.constraints(None)
    choice = _choice(question, None)
    settled = choice.chance(1) >= CONFIDENCE
    chances, none = _chances(x, holding(constraints, there), targets=question.targets is not None)
    clearly = together([each.clearly for each in constraints], there)
    within = [
        wrong(x, row, constraints, clearly, question.indifference).chance(1) if there[row] else 0.0
        for row in range(len(x))
    ]
    return Best(
        question.name,
        question.figure,
        chance=dict(zip(names, chances, strict=True)),
        chance_within=dict(zip(names, within, strict=True)),
        chance_none=none,
        settled=settled,
        answer=names[choice.best] if settled and choice.best is not None else None,
        more_replications=0 if settled else _more(x.shape[1], lambda count: _choice(question, count)),
    )


def among(names: Iterable[str], found: Best) -> Best:
    """Return an answer among more scenarios, of which the others are surely not it."""
    chance, within = (
        None if shares is None else {name: shares.get(name, 0.0) for name in names}
        for shares in (found.chance, found.chance_within)
    )
    return replace(found, chance=chance, chance_within=within)


def nobody(question: str, figure: str, names: Iterable[str]) -> Best:
    """Return that no scenario is the answer, with certainty."""
    never = dict.fromkeys(names, 0.0)
    return Best(question, figure, never, never, 1.0, settled=True, answer=None, more_replications=0)


def _choice(question: Question, replications: int | None) -> Choice:
    x = question.x
    there = np.isfinite(estimates(x).mean)
    return choose(x, question.constraints(replications), question.indifference, there, replications)


def _chances(x: Float, holds: Float, *, targets: bool) -> tuple[list[float], float]:
    """Return each row's chance to be the best, and that none holds its targets; together they are 1."""
    found = []
    for row in range(len(x)):
        beaten = np.delete(paired(x, row).below(0.0) * holds, row)
        found.append(float(holds[row]) * float(np.prod(1.0 - np.nan_to_num(beaten))))
    none = float(np.prod(1.0 - holds)) if targets or not holds.any() else 0.0
    total = sum(found) + none
    return [each / total for each in found], none / total


def _more(done: int, choice: Callable[[int], Choice]) -> int | None:
    """Return how many more replications would settle it; None for more than is worth asking."""

    def settled(replications: int) -> bool:
        return choice(replications).chance(1) >= CONFIDENCE

    low = high = done
    while not settled(high):
        if high > MOST:
            return None
        low, high = high, 2 * high
    while high - low > max(low // 50, 1):
        middle = (low + high) // 2
        low, high = (low, middle) if settled(middle) else (middle, high)
    return high - done
