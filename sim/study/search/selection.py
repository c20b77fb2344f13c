"""Selection: what the samples of a search say, and where more replications would tell.

Which configuration is best, and how sure that is, is `sim.study.choice`'s to say. Next replications follow
OCBA: in proportion to the variance of the difference from the winner over the square of the difference
(C.-H. Chen, J. Lin, E. Yücesan and S. Chick, Simulation budget allocation for further enhancing the
efficiency of ordinal optimization, 2000), of a constraint where that decides (L. H. Lee, N. Pujowidianto,
L.-W. Li, C.-H. Chen and C. M. Yap, Approximate simulation budget allocation for selecting the best design in
the presence of stochastic constraints, 2012), one after the other to whichever is furthest behind its share.
Differences are paired, so the winner has at least as many replications as any other.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sim.model.study import Study
from sim.study.choice import (
    EVEN,
    Choice,
    Flags,
    Held,
    choose,
    hazard,
    held,
    holding,
    levels,
    paired,
    ratio,
    seeming,
    together,
    wrong,
)
from sim.study.search.exclusions import NONE, Exclusions, Kind
from sim.study.search.samples import Samples
from sim.study.search.space import Point
from sim.study.statistics import Estimates, Float, estimates, shares

LOOKS = 3  # a round's chance of being wrong counts so often: there is one after every round, and each may err
SETTLED = 4 * LOOKS  # such a part of an equal share of the error, and a configuration needs no replications
ENDLESS = 1e3  # times the limit: what work that never ends counts as
TIE = 1e-9  # of limits; such misses differ by rounding


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the samples say; arrays are by configuration, ``best`` is a row or None for none.

    ``good`` is the chance that the winner keeps the constraints and nothing that does is better by more than
    the indifference, ``correct`` that nothing is better at all, ``decided`` what ``good`` would be if what
    is undecided were no rival. ``seems`` says what keeps the constraints as far as was seen; ``effort`` is in
    proportion to the replications that OCBA wants, 0 for what is settled; ``level`` is to compare means of
    unequally many days by.
    """

    best: int | None
    good: float
    decided: float
    correct: float
    holds: Float
    seems: Flags
    objective: Estimates
    level: Float
    effort: Float
    counts: Float


def judge(samples: Samples, study: Study, exclusions: Exclusions = NONE) -> Verdict:
    """Return what the samples say of all configurations; what is excluded neither wins nor holds."""
    points = samples.points
    x = samples.values(samples.objective)
    counts = np.array([float(samples.count(point)) for point in points])
    constraints = [
        held(samples.values(figure), constraint, study.indifference, known=samples.known(constraint))
        for figure, constraint in zip(samples.figures.constraints, study.constraints, strict=True)
    ]
    constraints += [hazard(each, counts) for each in samples.unseen_hazards()]
    objective = estimates(x)
    there = np.isfinite(objective.mean) & [point not in exclusions for point in points]
    unknown = np.array([_is_undecided(point, exclusions) for point in points], np.float64)
    choice = choose(x, constraints, study.indifference, there)
    holds, level, decided = holding(constraints, there), levels(x), choice.chance(LOOKS)
    seems = seeming(constraints, there)
    if choice.best is None:
        good = 0.0 if unknown.any() else decided
        effort = np.where(there, _effort_of_none(constraints, choice.wrong, study), 0.0)
        return Verdict(None, good, decided, good, holds, seems, objective, level, effort, counts)
    clearly = together([each.clearly for each in constraints], there)
    good, correct = (
        wrong(x, choice.best, constraints, np.maximum(rivals, unknown), indifference).chance(LOOKS)
        for rivals, indifference in ((clearly, study.indifference), (holds, 0.0))
    )
    effort = np.where(there, _effort(x, choice, constraints, study), 0.0)
    return Verdict(choice.best, good, decided, correct, holds, seems, objective, level, effort, counts)


def _is_undecided(point: Point, exclusions: Exclusions) -> bool:
    return point in exclusions and exclusions[point].kind is Kind.UNDECIDED


def allocate(verdict: Verdict, replications: int) -> list[tuple[int, int]]:
    """Return how many more replications each configuration gets, by row."""
    counts, effort = verdict.counts.copy(), verdict.effort
    if not (effort > 0).any():
        effort = np.ones_like(effort)
    left = replications
    while left > 0:
        row = int(np.argmax(effort / counts))
        best = row if verdict.best is None else verdict.best
        pair = {row} if counts[row] < counts[best] else {row, best}
        for each in sorted(pair if len(pair) <= left else {best}):
            counts[each] += 1
            left -= 1
    more = (counts - verdict.counts).astype(int)
    return [(int(row), int(more[row])) for row in np.flatnonzero(more)]


def scores(samples: Samples, study: Study, exclusions: Exclusions = NONE) -> list[tuple[Point, float]]:
    """Return configurations with their scores: the objective; above all others where a constraint breaks."""
    verdict = judge(samples, study, exclusions)
    mean = np.where(np.isfinite(verdict.level), verdict.level, np.nan)
    worst = float(np.nan_to_num(np.nanmax(mean))) if np.isfinite(mean).any() else 0.0
    excess = violations(samples, study)
    broken = worst + max(1.0, abs(worst)) * (1.0 + excess)
    score = np.where(verdict.seems & np.isfinite(mean), mean, broken)
    return list(zip(samples.points, score.tolist(), strict=True))


def violations(samples: Samples, study: Study) -> Float:
    """Return by how much each configuration breaks the constraints, relative to their limits; 0 for none."""
    total = np.zeros(len(samples.points))
    for figure, constraint in zip(samples.figures.constraints, study.constraints, strict=True):
        values = samples.values(figure)
        if constraint.spans is not None:
            yes, count = shares(values, constraint.limit, at_least=constraint.at_least)
            off = constraint.spans - yes / np.maximum(count, 1)
        else:
            sign = -1.0 if constraint.at_least else 1.0
            mean = estimates(values).mean
            off = sign * (mean - constraint.limit) / max(abs(constraint.limit), 1e-9)
        total += np.clip(np.nan_to_num(off, nan=ENDLESS, posinf=ENDLESS), 0.0, ENDLESS)
    return total


def nearest_miss(samples: Samples, study: Study, verdict: Verdict, exclusions: Exclusions = NONE) -> int:
    """Return the row that breaks the constraints least, the cheapest of equal ones.

    What is excluded is named only where nothing else was simulated.
    """
    excess = violations(samples, study)
    usable = [n for n, point in enumerate(samples.points) if point not in exclusions] or [*range(len(excess))]
    least = min(excess[n] for n in usable)
    cost = np.nan_to_num(verdict.level, nan=np.inf)
    equal = [n for n in usable if math.isclose(excess[n], least, abs_tol=TIE)]
    return min(equal, key=lambda n: (cost[n], n))


def _effort(x: Float, choice: Choice, constraints: Sequence[Held], study: Study) -> Float:
    """Return what telling each configuration from the best takes; 0 where it is settled."""
    assert choice.best is not None
    best, difference = choice.best, paired(x, choice.best)
    slack = study.indifference * abs(float(np.nanmean(x[best])))
    gap = difference.mean + slack
    effort = ratio(difference, gap)
    breaks = np.min([np.where(each.seems < EVEN, each.effort, np.inf) for each in constraints], axis=0)
    effort = np.where(gap > 0, np.minimum(effort, breaks), np.where(np.isfinite(breaks), breaks, effort))
    effort[best] = np.max([each.effort[best] for each in constraints])
    errors = choice.wrong.copy()
    errors[best] += choice.unseen
    settled = errors < (1 - study.confidence) / (SETTLED * len(errors))
    return np.where(settled | ~np.isfinite(effort), 0.0, effort)


def _effort_of_none(constraints: Sequence[Held], clearly: Float, study: Study) -> Float:
    """Return what showing takes that a configuration breaks a constraint."""
    settled = clearly < (1 - study.confidence) / (SETTLED * len(clearly))
    breaks = np.min([np.where(each.effort > 0, each.effort, np.inf) for each in constraints], axis=0)
    return np.where(settled | ~np.isfinite(breaks), 0.0, breaks)
