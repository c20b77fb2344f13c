"""Stability: whether a backlog grows for ever, by formula where that is certain, else from simulated flow.

By formula: the work that arrives each second, over what can be done at most (`sim.study.offered_load`).
1 or more is unstable with certainty, whatever luck brings; less proves nothing, for overheads are left out.

From flow (`sim.report.flow`), source by source, in this order:

- *free*: in every replication the source is not saturated for a fifth of the last third. A random walk that
  drifts upwards, or not at all, does not come back so often.
- *rate*: what leaves while it is saturated, over that time, against the known mean of what arrives. The
  luck of the arrivals is not in that comparison (the expected number serves as control variate), so few
  jobs tell a load of 1.02 from 1: of services with a coefficient of variation c, some (3.5 c / 0.02)^2.
  Blocks of the saturated time give the error of the rate (ratio estimator, Cochran, Sampling
  Techniques, 3rd ed., §6.4).
- *level*: where every job waits a while anyway (nodes that come up, inputs upstream), the backlog itself,
  whose growth from the middle to the last third is no more than half a per cent of what arrived.

What none of them tells is undecided. The chance of a false alarm is `ALARM` for each source.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, cast

from sim.report.summary import t_quantile

if TYPE_CHECKING:
    from sim.report.metrics import Tree

ALARM = 0.005
FREE = 0.2
LEVEL = 0.005
LEAST_CREATED = 30  # over all replications; of fewer nothing is said
LEAST_BLOCKS = 5
DAY_S = 86_400.0


class Flow(Enum):
    """What is known of a backlog."""

    STABLE = "stable"
    UNSTABLE = "unstable"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Backlog:
    """What is known of one source's backlog; ``load`` over capacity where it was seen, growth per day."""

    flow: Flow
    load: float | None = None
    growth_per_day: float = 0.0

    def sentence(self, name: str) -> str:
        """Say in words what is wrong with it."""
        if self.flow is Flow.UNDECIDED:
            return f"whether {name} keeps up is not known: it is loaded to about its capacity"
        if self.load is None or math.isinf(self.load):
            return f"{name} does not keep up: nothing of it ends while more waits"
        return (
            f"{name} does not keep up: {self.load:.3g} times what it can do arrives, and its backlog grows by"
            f" {self.growth_per_day:,.3g} a day"
        )


def backlogs(
    replications: Sequence[Tree], rates_per_s: Mapping[str, float], span_s: float
) -> dict[str, Backlog]:
    """Return what flow says of each source with a known rate; ``span_s`` is the window's length."""
    flows = [cast("Mapping[str, Tree]", tree.get("flow", {})) for tree in replications]
    return {
        name: judged([flow[name] for flow in flows], rate, span_s)
        for name, rate in rates_per_s.items()
        if rate > 0 and all(name in flow for flow in flows)
    }


def judged(seen: Sequence[Tree], rate_per_s: float, span_s: float) -> Backlog:
    """Return what the replications of one source's flow say."""
    created = sum(_number(each, "created") for each in seen)
    if min(_number(each, "free_last") for each in seen) >= FREE or created < LEAST_CREATED:
        return Backlog(Flow.STABLE)
    rate, error = _rate(seen)
    growth = [_number(each, "last") - _number(each, "middle") for each in seen]
    per_day = sum(growth) / len(growth) / (span_s / 3) * DAY_S
    load = rate_per_s / rate if rate else math.inf
    if rate - rate_per_s > error:
        return Backlog(Flow.STABLE, load)
    grows = sum(growth) > 0 and sum(_number(each, "free_last") for each in seen) < FREE * len(seen)
    if rate_per_s - rate > error and grows:
        return Backlog(Flow.UNSTABLE, load, per_day)
    if _most([each / (rate_per_s * span_s / 3) for each in growth]) <= LEVEL:
        return Backlog(Flow.STABLE, load)
    return Backlog(Flow.UNDECIDED, load, per_day)


def _rate(seen: Sequence[Tree]) -> tuple[float, float]:
    """Return what leaves a second while saturated, and the half-width of its interval at `ALARM`."""
    spans, done = ([*_blocks(seen, key)] for key in ("saturated_s", "done"))
    kept = [(span, left) for span, left in zip(spans, done, strict=True) if span > 0]
    total = sum(span for span, _ in kept)
    if len(kept) < LEAST_BLOCKS:
        return 0.0, math.inf
    rate = sum(left for _, left in kept) / total
    count = len(kept)
    squares = sum((left - rate * span) ** 2 for span, left in kept)
    error = math.sqrt(squares * count / (count - 1)) / total
    return rate, error * t_quantile(count - 1, 1 - ALARM)


def _most(values: Sequence[float]) -> float:
    """Return the upper end of the mean at `ALARM`."""
    count = len(values)
    if count < 2:  # noqa: PLR2004  # one value has no spread
        return math.inf
    mean = sum(values) / count
    deviation = math.sqrt(sum((value - mean) ** 2 for value in values) / (count - 1))
    return mean + deviation * t_quantile(count - 1, 1 - ALARM) / math.sqrt(count)


def _blocks(seen: Sequence[Tree], key: str) -> list[float]:
    return [value for each in seen for value in cast("Mapping[str, float]", each[key]).values()]


def _number(tree: Tree, key: str) -> float:
    return cast("float", tree[key])
