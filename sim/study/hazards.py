"""Hazards: rare events that a scenario names, and that replications may not have shown yet.

A Spot interruption once in sixty days is in none of twenty days three times out of four, and the next one
may break what held in all of them; so may a datum above its memory limit, or one that fails all its tries.
What was never seen, although the scenario says that it happens, counts against being sure
(`sim.study.choice.hazard`), each kind by itself.

A count of such events needs no replications where the chance of one event is known: a replication of n
datums, each of which is above its limit with chance p, has none with (1 - p)^n. That decides whether "none in
99 of 100 spans" holds, however few were seen.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from sim.engine.pachyderm.memory import container_killed
from sim.study.choice import RARE
from sim.study.luck import is_fixed, memory_mib
from sim.study.tails import above

if TYPE_CHECKING:
    from sim.model.scenario import PipelineLoad, Scenario
    from sim.model.study import Constraint
    from sim.report.metrics import Tree

WORTH_SAYING = 0.01  # of being missed by luck


class Event(Enum):
    """What a scenario says that happens now and then."""

    INTERRUPTION = "a Spot interruption"
    MEMORY = "a datum above its memory limit"
    FAILURE = "a datum that fails all its tries"


NEGLIGIBLE = {Event.INTERRUPTION: 1e-4, Event.MEMORY: RARE, Event.FAILURE: RARE}
"""Events a replication that nobody plans for.

An interruption takes a node with all that runs there. A datum is one of many, and as with counts
(`sim.study.choice`) nobody minds what happens in fewer than one replication of a hundred.
"""


@dataclass(frozen=True, slots=True)
class Shown:
    """What one replication shows of rare events; ``datums`` processed are by pipeline, NaN is not known."""

    node_hours: float = 0.0
    pods_lost: float = 0.0
    killed: float = 0.0
    datums_failed: float = 0.0
    datums: Mapping[str, float] = field(default_factory=dict)
    longest_wait_s: float = math.nan


def shown(tree: Tree) -> Shown:
    """Return what the metrics of a replication show; those of earlier versions do not have all of it."""
    metrics, pipelines = _branch(tree, "metrics"), _branch(tree, "pipelines")
    return Shown(
        _number(metrics, "node_hours"),
        _number(metrics, "pods_lost"),
        _number(metrics, "tasks_oom_killed") + _number(metrics, "pods_oom_killed"),
        _number(metrics, "datums_failed"),
        {name: _number(_branch(pipelines, name), "datums_processed") for name in pipelines},
        _number(_branch(tree, "longest"), "wait_s", math.nan),
    )


def unseen(scenario: Scenario, replications: Sequence[Shown]) -> dict[Event, float]:
    """Return the mean number of each rare event a replication, 0 of what was seen or is negligible."""
    count = max(len(replications), 1)
    hours = sum(each.node_hours for each in replications) / count
    lost, killed, failed = (
        any(getattr(each, name) > 0 for each in replications)
        for name in ("pods_lost", "killed", "datums_failed")
    )
    means = {
        Event.INTERRUPTION: 0.0 if lost else interruptions(scenario, hours),
        Event.MEMORY: 0.0 if killed or failed else _events(scenario, replications, _too_big),
        Event.FAILURE: 0.0 if failed else _events(scenario, replications, _fails),
    }
    return {event: mean if mean >= NEGLIGIBLE[event] else 0.0 for event, mean in means.items()}


@dataclass(frozen=True, slots=True)
class Doubt:
    """A rare event that was in none of some replications, with ``chance`` of being missed by all of them."""

    event: Event
    per_replication: float
    replications: int

    @property
    def chance(self) -> float:
        """Return the chance that so many replications show none (Poisson)."""
        return math.exp(-self.per_replication * self.replications)

    def document(self) -> dict[str, object]:
        """Return the form that JSON has."""
        chance = {"per_replication": self.per_replication, "chance_of_none": self.chance}
        return {"event": self.event.value, **chance}

    def sentence(self) -> str:
        """Return why one cannot be sure."""
        return (
            f"not seen yet: {self.event.value}, which comes {self.per_replication:.2g} times a replication"
            f" and was in none of {self.replications}, so what it does is not in the figures"
        )


def doubts(scenario: Scenario, replications: Sequence[Shown]) -> list[Doubt]:
    """Return the rare events that replications have missed and may well have."""
    found = [Doubt(*each, len(replications)) for each in unseen(scenario, replications).items()]
    return [doubt for doubt in found if doubt.per_replication and doubt.chance >= WORTH_SAYING]


def interruptions(scenario: Scenario, node_hours: float) -> float:
    """Return the mean number of Spot interruptions a replication.

    ``node_hours`` are those of all groups, of which a group that starts empty has at most all.
    """
    hours = (scenario.horizon_us - scenario.warmup_us) / 3.6e9
    events = 0.0
    for group in scenario.cluster.node_groups:
        standing = max(group.min_size, group.initial) * hours
        rate = group.interruptions_per_hour if group.spot else 0.0
        events += rate * (standing or min(node_hours, group.max_size * hours))
    return events


def known(scenario: Scenario, constraint: Constraint, replications: Sequence[Shown]) -> float:
    """Return 1 where a constraint on a count holds for sure if none was seen, 0 where it surely does not.

    NaN is for what replications have to show.
    """
    if constraint.limit or constraint.at_least:
        return math.nan
    if is_fixed(constraint.metric, scenario, [each.longest_wait_s for each in replications]):
        return 1.0
    wanted = constraint.spans
    clean = [_clean(scenario, constraint.metric, each) for each in replications]
    if wanted is None or not clean or any(map(math.isnan, clean)):
        return math.nan
    if max(clean) < wanted:
        return 0.0
    return 1.0 if min(clean) >= wanted else math.nan


def _clean(scenario: Scenario, metric: str, replication: Shown) -> float:
    """Return the chance that a replication has nothing to count, NaN where there is no formula for it."""
    if metric != "tasks_oom_killed":
        return math.nan
    chances = {load.pipeline.shown_name: _killed(load, scenario) for load in scenario.pipelines}
    logs = [
        replication.datums.get(name, math.nan) * (-math.inf if chance == 1 else math.log1p(-chance))
        for name, chance in chances.items()
        if chance
    ]
    return math.exp(sum(logs))


def _killed(load: PipelineLoad, scenario: Scenario) -> float:
    """Return the chance that a datum has its container killed; NaN where something else may happen to it."""
    least, most = memory_mib(load, scenario.cluster)
    if load.memory_peak_mib is None or not above(load.memory_peak_mib, least):
        return 0.0
    kills = container_killed(scenario) and least == most
    return above(load.memory_peak_mib, least) if kills else math.nan


def _too_big(load: PipelineLoad, scenario: Scenario) -> float:
    """Return the chance, at least, that a datum is above its limit."""
    peak = load.memory_peak_mib
    return 0.0 if peak is None else above(peak, memory_mib(load, scenario.cluster)[1])


def _fails(load: PipelineLoad, _: Scenario) -> float:
    return load.failure**load.pipeline.datum_tries


def _events(
    scenario: Scenario,
    replications: Sequence[Shown],
    chance: Callable[[PipelineLoad, Scenario], float],
) -> float:
    """Return to how many datums a replication something happens that each has some chance of."""
    chances = {load.pipeline.shown_name: chance(load, scenario) for load in scenario.pipelines}
    datums = sum(each.datums.get(name, 0.0) * p for each in replications for name, p in chances.items())
    return datums / max(len(replications), 1)


def _branch(tree: Tree, name: str) -> Tree:
    branch = tree.get(name, {})
    return branch if isinstance(branch, Mapping) else {}


def _number(branch: Tree, name: str, without: float = 0.0) -> float:
    number = branch.get(name, without)
    assert not isinstance(number, Mapping)
    return number
