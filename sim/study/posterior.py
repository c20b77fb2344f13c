"""Posterior: the chance that each of several scenarios is best, after so many paired replications.

The mean figures of all scenarios have, after n replications, a multivariate t distribution with n - 1
degrees of freedom around what was seen, with covariance of what was seen over n: normal replications with
unknown means and covariance under the prior |covariance| ** -k for k figures. Of the usual
vague priors it is the one under which each single difference has the distribution that the paired t test
has, so a probability here agrees with an interval there but for what skewness adds to that. It needs no more
replications than two, however many scenarios there are. Common random numbers come in through the covariance.

Chances are shares of ``DRAWS`` draws with a seed of their own, so the same figures give the same
chance; their standard error is at most 0.0023.

Source: Geisser and Cornfield, Posterior distributions for multivariate normal parameters, J. R. Stat.
Soc. B 25 (1963) 368-376; Chick and Inoue, New procedures to select the best simulated system using common
random numbers, Management Science 47 (2001) 1133-1149.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Draws: TypeAlias = NDArray[np.float64]
    Shares: TypeAlias = list[float]
    Flags: TypeAlias = NDArray[np.bool_]

DRAWS = 50_000
SEED = 20260105
TIE = 1e-9  # relative; scenarios that do the same cost the same but for rounding


class Posterior:
    """What is known about some mean figures, shape ``(figures,)``, and would be after more replications.

    Parameters
    ----------
    seen
        Shape ``(replications, figures)``, finite, at least two replications.
    """

    def __init__(self, seen: Draws) -> None:
        self.replications = len(seen)
        self._mean = seen.mean(axis=0)
        root = np.linalg.qr(seen - self._mean, mode="r")
        self._deviations = np.random.default_rng(SEED).standard_normal((DRAWS, len(root))) @ root

    def draws(self, replications: int | None = None) -> Draws:
        """Return means drawn from it, shape ``(DRAWS, figures)``.

        With ``replications`` as if there were so many, with the mean and covariance seen.
        """
        n = self.replications if replications is None else replications
        chi_squared = np.random.default_rng(SEED + 1).chisquare(n - 1, (DRAWS, 1))
        per_replication = (n - 1) / (self.replications - 1)
        spread = self._deviations * np.sqrt(per_replication / (n * chi_squared))
        means: Draws = self._mean + spread
        return means


def chances_lowest(means: Draws, holds: Flags | None = None, within: float = 0.0) -> tuple[Shares, Shares]:
    """Return for each column its chance to be the lowest, and to be at most a share ``within`` above it.

    With ``holds``, of the same shape, only columns that hold count. Ties share the first chance.
    """
    among = means if holds is None else np.where(holds, means, np.inf)
    lowest = among.min(axis=1, keepdims=True)
    slack = np.abs(np.where(np.isinf(lowest), 0.0, lowest))
    best = np.isfinite(among) & (among <= lowest + TIE * slack)
    winners = np.maximum(best.sum(axis=1, keepdims=True), 1)
    near = np.isfinite(among) & (among <= lowest + max(within, TIE) * slack)
    return (best / winners).mean(axis=0).tolist(), near.mean(axis=0).tolist()
