"""Insight: what the answer depends on; which inputs matter, and where it tips over."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import compress
from operator import ne
from typing import Any

import numpy as np

from sim.study.evaluate import Evaluator
from sim.study.search.inputs import inputs
from sim.study.search.rounds import Found
from sim.study.search.screening import screen
from sim.study.search.tipping import Duel, spread, tip
from sim.study.statistics import estimates

AT_MOST = 2  # times what the study keeps for it, where the search itself has left more


@dataclass(frozen=True, slots=True)
class Insight:
    """What was found out about an answer; empty where the budget left nothing for it."""

    screening: tuple[dict[str, Any], ...] = ()
    tipping: tuple[dict[str, Any], ...] = ()
    replications: int = 0

    def document(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {"screening": list(self.screening), "tipping": list(self.tipping)}


def explain(found: Found, evaluate: Evaluator) -> Insight:
    """Return what the answer depends on, by the replications that the study keeps for that, or has left."""
    study, best = found.study, found.verdict.best
    kept = round(study.budget * study.explain)
    budget = min(AT_MOST * kept, study.budget - found.samples.replications)
    if best is None or budget == 0:
        return Insight()
    counted = _Counted(evaluate)
    point = found.samples.points[best]
    start = found.space.built(point)
    assert start is not None
    figures = found.samples.figures.deciding_by(found.samples.objective)
    screening = screen(study, found.space, figures, counted, start=start, budget=kept // 2)
    tipping: tuple[dict[str, Any], ...] = ()
    second = _runner_up(found, best)
    each = spread(budget - counted.replications, inputs(start))
    if second is not None and each:
        other = found.samples.points[second]
        against = found.space.built(other)
        assert against is not None
        duel = Duel(study, found.space, figures, counted, (point, other), (start, against), each)
        tipping = tuple(tip(duel, "; ".join(found.space.differences(other, point))))
    return Insight(screening, tipping, counted.replications)


def _runner_up(found: Found, best: int) -> int | None:
    """Return the row that holds the constraints and is next best, but no match for indifference.

    It is one of another kind, that differs in more than numbers, where there is one; where nothing is worse
    by so much, it is the next best whose figures are not the winner's own.
    """
    x = found.samples.values(found.samples.objective)
    with np.errstate(invalid="ignore"):
        difference = estimates(x - x[best], signed=True)
    alike = (difference.mean == 0) & (difference.variance == 0)
    slack = found.study.indifference * abs(float(found.verdict.objective.mean[best]))
    rows = np.flatnonzero(np.isfinite(difference.mean) & (found.verdict.seems) & ~alike).tolist()
    worse = [row for row in rows if difference.mean[row] > slack]
    points, kinds = found.samples.points, [not factor.ordered for factor in found.space.factors]
    unlike = [row for row in worse if any(compress(map(ne, points[row], points[best]), kinds))]
    return min(unlike or worse or rows, key=lambda row: (difference.mean[row], row), default=None)


class _Counted:
    """An evaluator that counts what it was asked for."""

    def __init__(self, evaluate: Evaluator) -> None:
        self._evaluate = evaluate
        self.replications = 0

    def __call__(self, tasks: Any) -> Any:
        """Return the metrics of each task."""
        self.replications += len(tasks)
        return self._evaluate(tasks)
