"""Choice: which of several configurations is best, and how sure that is; searches and comparisons ask here.

Everything is arrays: objectives of shape ``(configurations, replications)``, NaN where there is none yet, and
what is known of each constraint (`held`). Reading from top to bottom:

1. *What holds.* A constraint on a mean holds with the chance that the true mean is on its right side
   (`sim.study.statistics`). One on a share of the replications holds with the exact chance of Clopper
   and Pearson: one less that of so few bad replications or fewer, were the share of bad ones as large as it
   may be. An endless mean never holds.
2. *What was never seen.* A count or a share that was the same in every replication has no variance to go by.
   Were it on the wrong side in the long run, something happens in a share p of the replications that was in
   none of n, and the chance of that is (1 - p)**n. For p see `unseen_share`. Where the scenario fixes what
   could make a count other than 0 (`sim.study.luck`), there is nothing that was not seen.
3. *What is wrong.* An answer is wrong if it breaks a constraint, or if another that clearly keeps them is
   better by more than the indifference. The chances of each way to be wrong are summed (Bonferroni's
   inequality), so that the sum bounds the chance of being wrong whatever common random numbers do to their
   dependence. The choice is the candidate with the smallest sum.
4. *None.* Where nothing seems to keep the constraints the answer is none, and wrong if something clearly
   does.
5. *Looks.* Who looks after every round and stops at the first sure answer errs more often than once, so sums
   count ``looks`` times. What was never seen counts once: that n replications show nothing implies that the
   first of them did not either, so further looks add no way to be wrong.

Source: Clopper and Pearson, Biometrika 26 (1934) 404-413; Hanley and Lippman-Hand, If nothing goes wrong, is
everything all right?, JAMA 249 (1983) 1743-1745 (300 for 1 %).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc

from sim.model.metrics import COUNT, SHARE, quantity
from sim.model.study import MOSTLY
from sim.study.statistics import Estimates, Float, estimates, share_above, shares

if TYPE_CHECKING:
    from sim.model.study import Constraint

Flags: TypeAlias = NDArray[np.bool_]
EVEN = 0.5
CANDIDATES = 8  # the choice is among the cheapest few that seem to keep the constraints
RARE = 1 - MOSTLY  # share of replications below which nobody minds that a count is not 0
DIGITS = 3  # of chances; in more of them no two are equally sure
LEAST_GAP = 0.5  # standard errors; below, a difference says no more than that it is small


@dataclass(frozen=True, slots=True)
class Held:
    """What is known of one constraint, by configuration.

    ``holds`` is the chance that it holds, ``clearly`` that it does with room to spare, ``unseen`` the chance
    that what would break it was merely not seen, ``seems`` what makes it a candidate,
    ``effort`` what telling costs.
    """

    holds: Float
    clearly: Float
    unseen: Float
    seems: Float
    effort: Float


@dataclass(frozen=True, slots=True)
class Choice:
    """The row that is best, None for none, and the chances of each way to be wrong.

    ``wrong`` is each row's part, ``unseen`` what counts once.
    """

    best: int | None
    wrong: Float
    unseen: float

    def chance(self, looks: int) -> float:
        """Return the chance, at least, that the choice is right, after so many looks."""
        return max(0.0, 1.0 - looks * float(self.wrong.sum()) - self.unseen)


def held(
    values: Float,
    constraint: Constraint,
    indifference: float,
    replications: int | None = None,
    known: Float | None = None,
) -> Held:
    """Return what values of a constraint's metric say of it, or as many ``replications`` would.

    ``known`` is 1 for configurations whose scenario lets it hold for sure unless replications showed
    otherwise, 0 where it surely does not, NaN where only replications can tell.
    """
    known = np.full(len(values), np.nan) if known is None else known
    if constraint.spans is not None:
        in_spans = _held_in_spans(values, constraint, constraint.spans, indifference, replications)
        return _as_known(in_spans, known)
    limit, sign = constraint.limit, -1.0 if constraint.at_least else 1.0
    figure = estimates(np.where(np.isposinf(values), values, sign * values)).after(replications)
    nothing = (figure.count == 0) & (figure.mean != np.inf)
    holds = np.where(nothing, 0.0, figure.below(sign * limit, or_equal=True))
    clearly = np.where(nothing, 0.0, figure.below(sign * limit - indifference * abs(limit)))
    room = np.where((figure.variance == 0) & (holds == 1), sign * limit - figure.mean, np.nan)
    often = unseen_share(room, constraint.metric)
    missed = np.nan_to_num((1.0 - often) ** figure.count)
    effort = np.maximum(ratio(figure, sign * limit - figure.mean), np.nan_to_num(1.0 / often))
    return _as_known(Held(holds, clearly, missed, holds, effort), known)


def _as_known(seen: Held, known: Float) -> Held:
    """Return what is known of a constraint where a scenario says more than replications have shown."""
    sure = (known == 0.0) | ((known == 1.0) & (seen.holds == 1.0) & (seen.seems == 1.0))
    holds, clearly, seems = (np.where(sure, known, x) for x in (seen.holds, seen.clearly, seen.seems))
    unseen, effort = (np.where(sure, 0.0, x) for x in (seen.unseen, seen.effort))
    return Held(holds, clearly, unseen, seems, effort)


def _held_in_spans(
    values: Float, constraint: Constraint, wanted: float, indifference: float, replications: int | None
) -> Held:
    """Return what is known of a constraint on the share of replications that keep a limit."""
    good, count = shares(values, constraint.limit, at_least=constraint.at_least)
    share = (good + 0.5) / (count + 1)
    seems = np.where((count > 0) & (good >= wanted * count), 1.0, 0.0)
    if replications is not None:
        good, count = good / np.maximum(count, 1) * replications, np.where(count > 0, replications, 0.0)
    clean = (good == count) & (count > 0)
    exact = 1.0 - betainc(np.maximum(good, 1e-9), count - good + 1, wanted)
    more = min(wanted + indifference, (1 + wanted) / 2)
    gap = np.maximum(np.abs(share - wanted), (1 - wanted) / 4)
    return Held(
        np.where(clean, 1.0, exact),
        share_above(good, count, more),
        np.where(clean, wanted**count, 0.0),
        seems,
        share * (1 - share) / gap**2,
    )


def unseen_share(room: Float, metric: str) -> Float:
    """Return in what share of the replications there would be what none of them showed, NaN for nothing.

    ``room`` is the distance to the limit of a figure that was the same in every replication, NaN of others.
    Were the mean of a share beyond it, a share ``room`` of the replications at least would be otherwise. A
    count that is off by one now and then (Poisson) would be so in 1 - exp(-room) of them. Below ``RARE``
    nobody minds. Times and money are what they are.
    """
    if quantity(metric) is SHARE:
        return np.clip(room, RARE, 1.0)
    if quantity(metric) is COUNT:
        return np.maximum(1.0 - np.exp(-room), RARE)
    return np.full_like(room, np.nan)


def hazard(per_replication: Float, counts: Float) -> Held:
    """Return what is known of events whose mean number a replication is given, and of which none was seen.

    They are as a constraint that holds unless luck alone kept them away (Poisson). 0 where there is no such
    hazard, or where it was seen.
    """
    missed = np.where(per_replication > 0, np.exp(-per_replication * counts), 0.0)
    with np.errstate(divide="ignore"):
        effort = np.where(per_replication > 0, 1.0 / per_replication, 0.0)
    sure = np.ones_like(missed)
    return Held(sure, sure, missed, sure, effort)


def choose(
    x: Float,
    constraints: Sequence[Held],
    indifference: float,
    there: Flags,
    replications: int | None = None,
) -> Choice:
    """Return the best of the rows of the objectives ``x`` that are ``there``."""
    clearly = together([each.clearly for each in constraints], there)
    rows = candidates(x, constraints, there)
    if not rows:
        return Choice(None, clearly, 0.0)
    choices = [wrong(x, row, constraints, clearly, indifference, replications=replications) for row in rows]
    return max(choices, key=lambda each: round(each.chance(1), DIGITS))  # the cheapest of equally sure ones


def wrong(
    x: Float,
    row: int,
    constraints: Sequence[Held],
    rivals: Float,
    indifference: float,
    *,
    replications: int | None = None,
) -> Choice:
    """Return the choice of a row with the chances that it is wrong.

    ``rivals`` is the chance of each row that it counts: an answer is not wrong for one that breaks a
    constraint.
    """
    below = paired(x, row, replications).below(-indifference * abs(float(np.nanmean(x[row]))))
    parts = below * rivals
    parts[row] = sum(1.0 - float(each.holds[row]) for each in constraints)
    return Choice(row, parts, sum(float(each.unseen[row]) for each in constraints))


def together(chances: Sequence[Float], there: Flags) -> Float:
    """Return the chance that all constraints hold, at least (Bonferroni)."""
    lost = sum((1.0 - each for each in chances), np.zeros(len(there)))
    return np.maximum(0.0, 1.0 - lost) * there


def holding(constraints: Sequence[Held], there: Flags) -> Float:
    """Return the chance that each row keeps all constraints, at least, what was never seen counted."""
    known = together([each.holds for each in constraints], there)
    return np.maximum(0.0, known - sum((each.unseen for each in constraints), np.zeros(len(there)))) * there


def candidates(x: Float, constraints: Sequence[Held], there: Flags) -> list[int]:
    """Return the rows that may be best, cheapest first: they seem to keep the constraints."""
    level = levels(x)
    rows = np.flatnonzero(np.isfinite(level) & seeming(constraints, there))
    return sorted(rows.tolist(), key=lambda row: (level[row], row))[:CANDIDATES]


def seeming(constraints: Sequence[Held], there: Flags) -> Flags:
    """Return which rows keep all constraints more likely than not, as far as was seen."""
    return together([each.seems for each in constraints], there) >= EVEN


def levels(x: Float) -> Float:
    """Return means as if all had seen the days of the most replicated row.

    Otherwise one that saw three cheap days would look better than another that saw these and a hundred more.
    """
    objective = estimates(x)
    most = int(np.argmax(np.where(np.isfinite(objective.mean), (~np.isnan(x)).sum(axis=1), -1)))
    level = paired(x, most).mean + objective.mean[most]
    return np.where(np.isfinite(level), level, objective.mean)


def paired(x: Float, row: int, replications: int | None = None) -> Estimates:
    """Return the difference of each row from one, replication by replication; endless stays endless."""
    with np.errstate(invalid="ignore"):
        return estimates(np.where(np.isposinf(x), np.inf, x - x[row]), signed=True).after(replications)


def ratio(figure: Estimates, gap: Float) -> Float:
    """Return variance over squared gap: the replications that tell the gap from nothing, up to a factor."""
    variance = np.nan_to_num(figure.variance)
    with np.errstate(divide="ignore", invalid="ignore"):
        error2 = variance / np.maximum(figure.count, 1)
        told = variance / np.maximum(
            np.nan_to_num(gap, nan=0.0, posinf=np.inf, neginf=-np.inf) ** 2, LEAST_GAP**2 * error2
        )
    return np.nan_to_num(told, nan=0.0, posinf=0.0)
