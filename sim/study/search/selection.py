"""Selection: which configuration is best, how sure that is, and where more replications would tell.

A winner is wrong if it breaks a constraint, or if another configuration that keeps them is better by more
than the indifference. The chances of each are added up (Bonferroni's inequality), so their sum bounds the
chance of being wrong whatever common random numbers do to their dependence; the winner is whichever has the
smallest sum. Where no configuration keeps the constraints more likely than not, the answer is none, and
wrong if one clearly does.

Next replications follow OCBA: in proportion to the variance of the difference from the winner over the square
of the difference (C.-H. Chen, J. Lin, E. Yücesan and S. Chick, Simulation budget allocation for further
enhancing the efficiency of ordinal optimization, 2000), of a constraint where that decides (L. H. Lee,
N. Pujowidianto, L.-W. Li, C.-H. Chen and C. M. Yap, Approximate simulation budget allocation for selecting
the best design in the presence of stochastic constraints, 2012), one after the other to whichever is furthest
behind its share. Differences are paired, so the winner has at least as many replications as any other.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sim.model.study import Constraint, Study
from sim.study.search.exclusions import NONE, Exclusions, Kind
from sim.study.search.samples import Samples
from sim.study.search.space import Point
from sim.study.search.statistics import Estimates, Float, estimates, share_above, shares

CANDIDATES = 8  # the winner is among the cheapest few that seem to keep the constraints
EVEN = 0.5
LOOKS = 3  # a round's chance of being wrong counts so often: there is one after every round, and each may err
SETTLED = 4 * LOOKS  # such a part of an equal share of the error, and a configuration needs no replications
ENDLESS = 1e3  # times the limit: what work that never ends counts as
TIE = 1e-9  # of limits; such misses differ by rounding
LEAST_GAP = 0.5  # standard errors; below, a difference says no more than that it is small


@dataclass(frozen=True, slots=True)
class Held:
    """One constraint: the chance that it holds, that it holds with room to spare, and what telling costs."""

    holds: Float
    clearly: Float
    effort: Float


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the samples say; arrays are by configuration, ``best`` is a row or None for none.

    ``good`` is the chance that the winner keeps the constraints and nothing that does is better by more than
    the indifference, ``correct`` that nothing is better at all, ``decided`` what ``good`` would be if what
    is undecided were no rival. ``effort`` is in proportion to the replications that OCBA wants, 0 for what is
    settled, ``level`` to compare means of unequally many days by.
    """

    best: int | None
    good: float
    decided: float
    correct: float
    holds: Float
    objective: Estimates
    level: Float
    effort: Float
    counts: Float


def judge(samples: Samples, study: Study, exclusions: Exclusions = NONE) -> Verdict:
    """Return what the samples say of all configurations; what is excluded neither wins nor holds."""
    points = samples.points
    x = samples.values(samples.figures.objectives[0])
    held = [
        _held(samples.values(figure), constraint, study.indifference)
        for figure, constraint in zip(samples.figures.constraints, study.constraints, strict=True)
    ]
    objective = estimates(x)
    there = np.isfinite(objective.mean) & [point not in exclusions for point in points]
    holds = _all([each.holds for each in held], there.astype(np.float64))
    clearly = _all([each.clearly for each in held], there.astype(np.float64))
    unknown = np.array([_is_undecided(point, exclusions) for point in points], np.float64)
    counts = np.array([float(samples.count(point)) for point in points])
    level = levels(x, objective, counts)
    candidates = _candidates(level, holds)
    if not candidates:
        none = max(0.0, 1.0 - LOOKS * float(clearly.sum()))
        effort = np.where(there, _effort_of_none(held, clearly, study), 0.0)
        good = 0.0 if unknown.any() else none
        return Verdict(None, good, none, good, holds, objective, level, effort, counts)
    wrong = [_wrong(x, row, study.indifference, holds, clearly) for row in candidates]
    sums = [float(each.sum()) for each in wrong]
    chosen = min(range(len(candidates)), key=lambda n: min(sums[n], 1.0))
    best, errors = candidates[chosen], wrong[chosen]
    strictly = float(_wrong(x, best, 0.0, holds, np.maximum(holds, unknown)).sum())
    unsettled = float(_wrong(x, best, study.indifference, holds, np.maximum(clearly, unknown)).sum())
    good, correct, decided = (max(0.0, 1 - LOOKS * each) for each in (unsettled, strictly, sums[chosen]))
    effort = np.where(there, _effort(x, best, held, errors, study), 0.0)
    return Verdict(best, good, decided, correct, holds, objective, level, effort, counts)


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
    score = np.where((verdict.holds >= EVEN) & np.isfinite(mean), mean, broken)
    return list(zip(samples.points, score.tolist(), strict=True))


def violations(samples: Samples, study: Study) -> Float:
    """Return by how much each configuration breaks the constraints, relative to their limits; 0 for none."""
    total = np.zeros(len(samples.points))
    for figure, constraint in zip(samples.figures.constraints, study.constraints, strict=True):
        values = samples.values(figure)
        if constraint.probability is not None:
            yes, count = shares(values, constraint.limit, at_least=constraint.at_least)
            off = constraint.probability - yes / np.maximum(count, 1)
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


def holding(constrained: Sequence[Float], study: Study, rows: int) -> Float:
    """Return the chance that each row holds all constraints, of the values of each constraint's figure."""
    held = [
        _held(values, constraint, study.indifference).holds
        for values, constraint in zip(constrained, study.constraints, strict=True)
    ]
    return _all(held, np.ones(rows))


def chances(x: Float, best: int) -> Float:
    """Return the chance that each row is below another, replication by replication."""
    return _paired(x, best).below(0.0)


def _held(values: Float, constraint: Constraint, indifference: float) -> Held:
    """Return what samples of a constraint's metric say of it."""
    limit, sign = constraint.limit, -1.0 if constraint.at_least else 1.0
    if constraint.probability is not None:
        wanted = constraint.probability
        yes, count = shares(values, limit, at_least=constraint.at_least)
        more = min(wanted + indifference, (1 + wanted) / 2)
        share = (yes + 0.5) / (count + 1)
        gap = np.maximum(np.abs(share - wanted), (1 - wanted) / 4)
        effort = share * (1 - share) / gap**2
        return Held(share_above(yes, count, wanted), share_above(yes, count, more), effort)
    figure = estimates(np.where(np.isposinf(values), values, sign * values))
    tight = sign * limit - indifference * abs(limit)
    holds = figure.below(sign * limit, or_equal=True)
    nothing = figure.count == 0
    return Held(
        np.where(nothing & (figure.mean != np.inf), 0.0, holds),
        np.where(nothing, 0.0, figure.below(tight)),
        _ratio(figure, sign * limit - figure.mean),
    )


def _all(chances: list[Float], there: Float) -> Float:
    """Return the chance that all constraints hold, at least (Bonferroni)."""
    return np.maximum(0.0, 1.0 - sum((1.0 - each for each in chances), np.zeros_like(there))) * there


def levels(x: Float, objective: Estimates, counts: Float) -> Float:
    """Return means as if all had seen the days of the most replicated configuration.

    Otherwise one that saw three cheap days would look better than another that saw these and a hundred more.
    """
    most = int(np.argmax(np.where(np.isfinite(objective.mean), counts, -1)))
    levels = _paired(x, most).mean + objective.mean[most]
    return np.where(np.isfinite(levels), levels, objective.mean)


def _candidates(level: Float, holds: Float) -> list[int]:
    """Return the rows that may be best, cheapest first: they keep the constraints more likely than not."""
    rows = np.flatnonzero(np.isfinite(level) & (holds >= EVEN))
    return sorted(rows.tolist(), key=lambda row: (level[row], row))[:CANDIDATES]


def _wrong(x: Float, best: int, indifference: float, holds: Float, rivals: Float) -> Float:
    """Return each configuration's part of the chance that ``best`` is the wrong answer."""
    difference = _paired(x, best)
    beats = difference.below(-indifference * abs(float(np.nanmean(x[best]))))
    wrong = beats * rivals
    wrong[best] = 1.0 - holds[best]
    return wrong


def _paired(x: Float, best: int) -> Estimates:
    """Return the difference of each row from the best, replication by replication."""
    with np.errstate(invalid="ignore"):
        return estimates(np.where(np.isposinf(x), np.inf, x - x[best]), signed=True)


def _effort(x: Float, best: int, held: list[Held], errors: Float, study: Study) -> Float:
    """Return what telling each configuration from the best takes; 0 where it is settled."""
    difference = _paired(x, best)
    slack = study.indifference * abs(float(np.nanmean(x[best])))
    gap = difference.mean + slack
    effort = _ratio(difference, gap)
    if held:
        breaks = np.min([np.where(each.holds < EVEN, each.effort, np.inf) for each in held], axis=0)
        effort = np.where(gap > 0, np.minimum(effort, breaks), np.where(np.isfinite(breaks), breaks, effort))
        effort[best] = np.max([each.effort[best] for each in held])
    else:
        effort[best] = 0.0
    settled = errors < (1 - study.confidence) / (SETTLED * len(errors))
    return np.where(settled | ~np.isfinite(effort), 0.0, effort)


def _effort_of_none(held: list[Held], clearly: Float, study: Study) -> Float:
    """Return what showing takes that a configuration breaks a constraint."""
    if not held:
        return np.ones_like(clearly)
    settled = clearly < (1 - study.confidence) / (SETTLED * len(clearly))
    effort = np.min([each.effort for each in held], axis=0)
    return np.where(settled | ~np.isfinite(effort), 0.0, effort)


def _ratio(figure: Estimates, gap: Float) -> Float:
    """Return variance over squared gap: the replications that tell the gap from nothing, up to a factor."""
    variance = np.nan_to_num(figure.variance)
    with np.errstate(divide="ignore", invalid="ignore"):
        error2 = variance / np.maximum(figure.count, 1)
        ratio = variance / np.maximum(np.nan_to_num(gap, nan=0.0, posinf=np.inf) ** 2, LEAST_GAP**2 * error2)
    return np.nan_to_num(ratio, nan=0.0, posinf=0.0)
