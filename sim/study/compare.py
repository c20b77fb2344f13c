"""Compare: scenarios under the same luck, what they differ by, and which is best.

All scenarios get the same seed and replication numbers, so every source of randomness they have in common
draws the same (`sim.engine.streams`). Figures are those of `replicate`; differences are paired
(`sim.study.paired`), which is best is chosen as a search does (`sim.study.choice`).

With a precision, replications go on until the interval of every pair's difference, of cost per day and of
job latency p95, has a half-width of at most g/(1+g) of the smaller of the two means: a difference of more
than g is then seen. Rounds are those of `replicate`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from statistics import mean
from typing import TYPE_CHECKING, Any

from sim.errors import InputError
from sim.model.metrics import COMPARED, COMPARED_JOBS, COST, LATENCY, START, WORK_COST
from sim.model.scenario import Scenario
from sim.report.metrics import Tree
from sim.report.summary import CONFIDENCE, interval
from sim.report.work_cost import differs
from sim.study.best import (
    CHEAPEST,
    CHEAPEST_THAT_HOLDS,
    FASTEST,
    Best,
    Question,
    Target,
    among,
    best,
    nobody,
)
from sim.study.hazards import Doubt, Shown, doubts, shown, unseen
from sim.study.paired import INDIFFERENCE, Difference, differ
from sim.study.replicate import REPLICATIONS, TARGETS, Trees, replicate_together
from sim.study.result import Result
from sim.version import VERSION

if TYPE_CHECKING:
    import pandas as pd

ESTIMAND = (
    "difference of the means over replications of each one's figure, on common random numbers, with 95 %"
    " interval of the paired differences"
)


@dataclass(frozen=True, slots=True)
class Row:
    """One figure, of all work or of a pipeline, of one scenario less that of another."""

    figure: str
    pipeline: str
    scenario: str
    minus: str
    difference: Difference

    def document(self) -> dict[str, Any]:
        """Return the form that JSON has."""
        found = self.difference
        return {
            "figure": self.figure,
            "pipeline": self.pipeline,
            "scenario": self.scenario,
            "minus": self.minus,
            "difference": found.mean.document(),
            "relative": found.relative,
            "verdict": found.verdict.value,
            "chance_below": found.chance_below,
            "variance_reduction": found.variance_reduction,
            "replications": found.replications,
            "more_replications": found.more_replications,
        }


def compare(
    scenarios: Sequence[Scenario],
    replications: int = REPLICATIONS,
    seed: int | None = None,
    *,
    precision: float | None = None,
    indifference: float = INDIFFERENCE,
    executor: Executor | None = None,
    progress: bool | None = None,
) -> Comparison:
    """Return what two or more scenarios differ by, over the same replications.

    Parameters
    ----------
    seed
        Of all of them; without one that of the first scenario.
    precision
        Largest error of the differences in cost per day and job latency p95, as a share of what they are.
    indifference
        Share of a figure below which a difference does not matter.
    executor, progress
        As in `replicate`; one task is a replication of every scenario.

    Ctrl-C ends it early: the comparison then holds what all have done, and warns.
    """
    names = [scenario.name for scenario in scenarios]
    if len(names) < 2:  # noqa: PLR2004  # it takes two
        raise InputError(field="scenarios", value=len(names), allowed="two or more")
    if not 0.0 <= indifference < 1.0:
        raise InputError(
            field="indifference", value=indifference, allowed="0 or more and below 1, such as 2%"
        )
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise InputError(f"two scenarios are called {twice}; give each its name", field="scenarios")
    how: dict[str, Any] = {"precision": precision, "executor": executor, "progress": progress}
    return Comparison(replicate_together(scenarios, replications, seed, precise_enough, **how), indifference)


def precise_enough(replications: Sequence[Trees], precision: float) -> bool:
    """Say whether each difference is known to g/(1+g) of the smaller of the two means."""
    columns: list[Trees] = list(zip(*replications, strict=True))
    pairs = list(combinations(columns, 2))
    return all(
        _known(numbers(a, "metrics", name), numbers(b, "metrics", name), len(pairs), precision)
        for name in TARGETS
        for a, b in pairs
    )


class Comparison:
    """Results of several scenarios over the same replications, and what they differ by."""

    def __init__(self, results: Sequence[Result], indifference: float = INDIFFERENCE) -> None:
        self.indifference = indifference
        self.results = {result.scenario.name: result for result in results}

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C ended it early."""
        return any(result.interrupted for result in self.results.values())

    @cached_property
    def rows(self) -> list[Row]:
        """Every difference: each figure of each pair, the later scenario less the earlier."""
        pairs = list(combinations(self.results, 2))
        return [
            Row(
                figure,
                pipeline,
                second,
                first,
                differ(
                    self._numbers(second, keys), self._numbers(first, keys), len(pairs), self.indifference
                ),
            )
            for figure, pipeline, keys in self._figures()
            for first, second in pairs
        ]

    @cached_property
    def compared_on(self) -> str:
        """Which cost decides: the bill, or that of the window's work where it differs for any scenario."""
        bills, works = (self._by_scenario(name) for name in (COST, WORK_COST))
        differing = any(differs(mean(works[name]), mean(bills[name]), self.indifference) for name in bills)
        scenarios = (result.scenario for result in self.results.values())
        drained = all(each.last_us > each.horizon_us for each in scenarios)
        return WORK_COST if differing and drained else COST

    @cached_property
    def best(self) -> list[Best]:
        """Which is cheapest, fastest, and the cheapest that holds its targets if there are any.

        A scenario that does not keep up is never the answer: its figures are those of its horizon.
        """
        known = [name for name in (LATENCY, START) if not _absent(self._by_scenario(name))]
        latency = [self._best(FASTEST, name) for name in known[:1]]
        targets = self._targets()
        held = [self._best(CHEAPEST_THAT_HOLDS, self.compared_on, targets)] if all(targets.values()) else []
        return [self._best(CHEAPEST, self.compared_on), *latency, *held]

    def _best(self, name: str, figure: str, targets: Mapping[str, Sequence[Target]] | None = None) -> Best:
        seen = self._by_scenario(figure)
        if not seen:
            return nobody(name, figure, self.results)
        return among(
            self.results, best(Question(name, figure, seen, self.indifference, targets, self._hazards))
        )

    @cached_property
    def _hazards(self) -> dict[str, list[float]]:
        """The mean numbers of the rare events that each scenario names and that were in no replication."""
        return {
            name: list(unseen(result.scenario, self._shown[name]).values())
            for name, result in self.results.items()
        }

    @cached_property
    def _shown(self) -> dict[str, list[Shown]]:
        return {
            name: [shown(tree) for tree in result.replications.values()]
            for name, result in self.results.items()
        }

    def _doubts(self) -> dict[str, list[Doubt]]:
        return {name: doubts(result.scenario, self._shown[name]) for name, result in self.results.items()}

    @property
    def differences(self) -> pd.DataFrame:
        """A row per difference, as in ``summary``, with ``low`` and ``high`` of its interval."""
        import pandas as pd

        return pd.DataFrame(_flat(row) for row in self.summary["differences"])

    @cached_property
    def summary(self) -> dict[str, Any]:
        """The document of ``docs/json.md``."""
        summaries = {name: result.summary for name, result in self.results.items()}
        first = next(iter(summaries.values()))
        return {
            "scenarios": list(self.results),
            "version": VERSION,
            "seed": first["seed"],
            "replications": first["replications"],
            "estimand": ESTIMAND,
            "confidence_each": 1 - (1 - CONFIDENCE) / len(list(combinations(self.results, 2))),
            "indifference": self.indifference,
            "compared_on": self.compared_on,
            **{
                key: {name: document[key] for name, document in summaries.items()}
                for key in ("warmup_s", "warmup_found", "metrics", "slo", "unstable", "drift")
            },
            "differences": [row.document() for row in self.rows],
            "best": [best.document() for best in self.best],
            "unseen": {name: [each.document() for each in found] for name, found in self._doubts().items()},
            "warnings": [*self._unlike(), *self._unsure(), *_merged(summaries)],
        }

    def _figures(self) -> Iterator[tuple[str, str, tuple[str, ...]]]:
        """Yield name, pipeline and keys of the figures that all scenarios have."""
        trees = [next(iter(result.replications.values())) for result in self.results.values()]
        shared = [name for name in _names(trees[0]) if all(name in _names(tree) for tree in trees)]
        every: list[tuple[str, str, tuple[str, ...]]] = [(name, "", ("metrics", name)) for name in COMPARED]
        if any(len(_names(tree)) > 1 for tree in trees):
            every += [
                (figure, name, ("pipelines", name, figure)) for name in shared for figure in COMPARED_JOBS
            ]
        for figure, pipeline, keys in every:
            if not _absent({name: self._numbers(name, keys) for name in self.results}):
                yield figure, pipeline, keys

    def _targets(self) -> dict[str, list[Target]]:
        """Return the targets of each scenario with their latencies by replication."""
        return {
            name: [
                (slo, self._numbers(name, ("slo", str(n), "latency_s")))
                for n, slo in enumerate(result.scenario.slos)
            ]
            for name, result in self.results.items()
        }

    def _by_scenario(self, figure: str) -> dict[str, list[float]]:
        """Return a figure of the scenarios that keep up."""
        return {
            name: self._numbers(name, ("metrics", figure))
            for name, result in self.results.items()
            if not result.marks.unstable
        }

    def _numbers(self, name: str, keys: Sequence[str]) -> list[float]:
        return numbers(self.results[name].replications.values(), *keys)

    def _unlike(self) -> Iterator[str]:
        """Yield what makes the scenarios hard to compare."""
        scenarios = [result.scenario for result in self.results.values()]
        if len({(each.start, each.horizon_us, each.warmup_us) for each in scenarios}) > 1:
            yield "the scenarios are measured over different spans: start, horizon or warm-up differ"
        if len({each.slos for each in scenarios}) > 1:
            yield "the scenarios have different targets; each is held against its own"

    def _unsure(self) -> Iterator[str]:
        """Yield what the scenarios say that happens and no replication showed."""
        for name, found in self._doubts().items():
            yield from (f"{name}: {doubt.sentence()}" for doubt in found)


def numbers(trees: Iterable[Tree], *keys: str) -> list[float]:
    """Return one number of each replication."""
    return [_number(tree, keys) for tree in trees]


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a difference of the document as one row: its mean, and low and high beside it."""
    low, high = row["difference"]["ci95"]
    at = list(row).index("difference")
    items = list(row.items())
    spread = {"difference": row["difference"]["mean"], "low": low, "high": high}
    return dict([*items[:at], *spread.items(), *items[at + 1 :]])


def _number(branch: Any, keys: Sequence[str]) -> float:
    for key in keys:
        branch = branch[key]
    return float(branch)


def _names(tree: Tree) -> list[str]:
    """Return the pipelines of a replication."""
    pipelines = tree["pipelines"]
    assert isinstance(pipelines, Mapping)
    return list(pipelines)


def _absent(seen: Mapping[str, Sequence[float]]) -> bool:
    """Say whether some scenario never has the figure."""
    return any(all(map(math.isnan, each)) for each in seen.values())


def _known(first: Sequence[float], second: Sequence[float], pairs: int, precision: float) -> bool:
    means = [interval(values).mean for values in (first, second)]
    if None in means:
        return True  # nothing there to be precise about
    half = differ(first, second, pairs).mean.half_width
    least = min(abs(mean) for mean in means if mean is not None)
    return half is not None and half <= precision / (1 + precision) * least


def _merged(summaries: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return every warning once, with whose it is unless it is everybody's."""
    whose: dict[str, list[str]] = {}
    for name, summary in summaries.items():
        for warning in summary["warnings"]:
            whose.setdefault(warning, []).append(name)
    return [
        warning if len(names) == len(summaries) else f"{', '.join(names)}: {warning}"
        for warning, names in whose.items()
    ]
