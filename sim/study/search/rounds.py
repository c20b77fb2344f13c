"""search: rounds of replications until the answer is sure enough, or the budget ends.

A small space is simulated whole. Of a large one, bounds and proposals choose what to look at, until half of
the budget is spent. Then replications go where they decide (`selection`), in rounds whose size does not
depend on how many workers there are. What a round decides depends on the study and on the results of earlier
rounds alone, so searching again over a store that knows the results takes the same way, and goes on where it
ended.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from itertools import count

import numpy as np

from sim.errors import InputError
from sim.model.scenario import Scenario, WarmUp
from sim.model.study import Study
from sim.report.summary import interval
from sim.study.choice import EVEN
from sim.study.evaluate import Evaluator
from sim.study.replicate import is_precise
from sim.study.search.bounds import overloaded, share_in_time, too_dear
from sim.study.search.exclusions import Exclusion, Exclusions
from sim.study.search.figures import Figures
from sim.study.search.finalists import Finalists
from sim.study.search.samples import Samples
from sim.study.search.selection import Verdict, allocate, judge, nearest_miss, scores
from sim.study.search.space import Point, Space
from sim.study.warm_up import with_warm_up

LOOK = 3  # replications by which a configuration of a large space is judged at first
SURE = 0.99  # that a configuration holds everything, before its cost rules out others
FAR = 5.0  # standard errors that its cost may be off


class Stop(Enum):
    """Why a search ended."""

    CONFIDENCE = "confidence"
    INDIFFERENCE = "indifference"
    UNDECIDED = "undecided"
    BUDGET = "budget"


@dataclass(frozen=True, slots=True)
class Found:
    """What a search came to: everything the answer is made of."""

    study: Study
    space: Space
    samples: Samples
    verdict: Verdict
    exclusions: Exclusions
    finalists: Finalists
    stop: Stop
    rounds: int
    whole: bool


def find(study: Study, evaluate: Evaluator) -> Found:
    """Return what the search for the best configuration comes to.

    Raises InputError where no configuration can be simulated at all.
    """
    return _Search(study, evaluate).run()


class _Search:
    """One search under way."""

    def __init__(self, study: Study, evaluate: Evaluator) -> None:
        self.study = study
        self.figures = Figures(study)
        self.space = Space(study, self._prepared)
        self.samples = Samples(self.space, self.figures, evaluate, study.seed)
        self.budget = max(1, round(study.budget * (1 - study.explain)))
        self.exclusions: dict[Point, Exclusion] = {}
        self.finalists = Finalists(study, self.figures, self.space, self.samples, evaluate)
        self.rounds = 0
        self._warmed: Scenario | None = None

    def run(self) -> Found:
        """Look, then select."""
        size, half = self.space.size, self.budget // 2
        whole = size * LOOK <= half
        if whole:
            self._look_at_all(max(LOOK, min(self.study.replications, half // size)))
        else:
            self._look_around(half)
        if not self.samples.points:
            self._look_at_what_comes_nearest()
        if not self.samples.points:
            raise self._nothing()
        stop = self._select(whole=whole)
        return Found(
            self.study,
            self.space,
            self.samples,
            self._judged(),
            self.exclusions,
            self.finalists,
            stop,
            self.rounds,
            whole,
        )

    def _prepared(self, scenario: Scenario) -> Scenario:
        """Return a scenario ready to be measured; a warm-up to be found is the first one's for all."""
        if scenario.warmup_is is WarmUp.AUTO:
            if self._warmed is None:
                (self._warmed,) = with_warm_up([scenario], self.study.seed)
            found = self._warmed
            why = found.warnings[-1:] if found.warmup_is is WarmUp.NOT_FOUND else ()
            scenario = replace(
                scenario,
                warmup_us=found.warmup_us,
                warmup_is=found.warmup_is,
                warnings=(*scenario.warnings, *why),
            )
        return self.figures.prepared(scenario)

    def _look_at_all(self, replications: int) -> None:
        points = list(self.space.points())
        each = max(1, self.study.round // replications)
        for begin in range(0, len(points), each):
            self._look_at(points[begin : begin + each], replications)

    def _look_around(self, most: int) -> None:
        from sim.study.search.proposals import first_round, next_round  # optuna takes half a second

        wanted = max(1, self.study.round // LOOK)
        points = first_round(self.space, wanted, self.study.seed)
        for number in count(1):
            left = max(LOOK, most - self.samples.replications)
            self._look_at(points[: left // LOOK], LOOK)
            if self.samples.replications >= most:
                break
            ranked = [*scores(self.samples, self.study, self.exclusions)] if self.samples.points else []
            ranked += [(point, float("inf")) for point in self.space.pruned if point not in self.samples]
            points = next_round(self.space, ranked, wanted, self.study.seed, number)
            if not points:
                break

    def _look_at(self, points: Sequence[Point], replications: int) -> None:
        """Simulate those of some new configurations that may win."""
        self._bound(points)
        self._add([(point, replications) for point in points if self.space.scenario(point) is not None])

    def _look_at_what_comes_nearest(self) -> None:
        """Simulate some where bounds rule out everything: that nothing holds has a nearest miss too."""
        built = [(point, self.space.built(point)) for point in self.space.pruned]
        near = sorted(
            (-share_in_time(scenario, self.study), point) for point, scenario in built if scenario is not None
        )[: max(1, self.study.round // LOOK)]
        for _, point in near:
            self.space.restore(point)
        self._add(_first([(point, LOOK) for _, point in near], max(LOOK, self.budget)))

    def _bound(self, points: Sequence[Point]) -> None:
        """Leave out what cannot win."""
        best_usd = self._best_usd()
        for point in points:
            scenario = self.space.scenario(point)
            if scenario is None:
                continue
            unstable = self.finalists.overloaded(scenario)
            if unstable is not None:
                self.exclusions[point] = unstable
                self.space.prune(point, unstable.reason)
                continue
            reason = overloaded(scenario, self.study) or too_dear(scenario, self.study, best_usd)
            if reason:
                self.space.prune(point, reason)

    def _best_usd(self) -> float:
        """Return what the best configuration that surely holds everything costs at most."""
        if not self.samples.points:
            return float("inf")
        verdict = self._judged()
        if verdict.best is None or verdict.holds[verdict.best] < SURE:
            return float("inf")
        return float(verdict.objective.upper(FAR)[verdict.best])

    def _select(self, *, whole: bool) -> Stop:
        """Replicate until the answer is sure enough or the budget ends."""
        while True:
            verdict = self._judged()
            left = self.budget - self.samples.replications
            more: list[tuple[Point, int]] = []
            if verdict.decided >= self.study.confidence:
                more = self._checks(verdict, whole=whole) or self._until_precise(verdict, left)
                if not more and self._excludes_the_best(verdict):
                    continue
                if not more:
                    return self._stop(verdict)
            if left <= 0:
                return Stop.BUDGET
            if not more:
                points = self.samples.points
                more = [(points[n], times) for n, times in allocate(verdict, min(self.study.round, left))]
            self._add(_first(more, left))

    def _excludes_the_best(self, verdict: Verdict) -> bool:
        """Say whether the best does not stand the long run, which excludes it."""
        if verdict.best is None:
            return False
        points = self.samples.points
        order = np.argsort(verdict.level, kind="stable").tolist()
        rivals = [points[n] for n in order if verdict.holds[n] >= EVEN and n != verdict.best]
        exclusion = self.finalists.exclusion(points[verdict.best], rivals)
        if exclusion is not None:
            self.exclusions[points[verdict.best]] = exclusion
        return exclusion is not None

    def _stop(self, verdict: Verdict) -> Stop:
        """Return why there is nothing left that replications would tell."""
        if verdict.correct >= self.study.confidence:
            return Stop.CONFIDENCE
        return Stop.INDIFFERENCE if verdict.good >= self.study.confidence else Stop.UNDECIDED

    def _checks(self, verdict: Verdict, *, whole: bool) -> list[tuple[Point, int]]:
        """Return what an answer has to stand yet: enough replications, and neighbours nobody looked at."""
        points = self.samples.points
        if verdict.best is None:
            best = points[nearest_miss(self.samples, self.study, verdict, self.exclusions)]
        else:
            best = points[verdict.best]
        if verdict.best is not None and self.samples.count(best) < self.study.replications:
            return [(best, self.study.replications - self.samples.count(best))]
        if whole:
            return []
        near = [point for point in self.space.neighbours(best) if point not in self.samples]
        self._bound(near)
        return [(point, LOOK) for point in near if self.space.scenario(point) is not None]

    def _until_precise(self, verdict: Verdict, left: int) -> list[tuple[Point, int]]:
        """Return more replications of the winner while its figures are not as precise as asked."""
        asked, study = self.study.precision, self.study
        if asked is None or verdict.best is None or left <= 0:
            return []
        best = self.samples.points[verdict.best]
        limited = [
            figure
            for figure, each in zip(self.figures.constraints, study.constraints, strict=True)
            if each.spans is None
        ]
        for figure in (self.samples.objective, *limited):
            values = self.samples.values(figure, [best])[0]
            if not is_precise(interval(values[np.isfinite(values)].tolist()), asked):
                return [(best, study.replications)]
        return []

    def _add(self, wanted: list[tuple[Point, int]]) -> None:
        if wanted:
            self.samples.add(wanted)
            self.rounds += 1

    def _judged(self) -> Verdict:
        return judge(self.samples, self.study, self.exclusions)

    def _nothing(self) -> InputError:
        reason, times = self.space.counted()[0]
        looked = len(self.space.pruned)
        return InputError(
            f"has no configuration that can be simulated; of {looked} looked at, {times}: {reason}",
            field="vary",
            file=self.study.file,
        )


def _first(wanted: list[tuple[Point, int]], most: int) -> list[tuple[Point, int]]:
    """Return so many of the replications wanted, in their order."""
    kept = []
    for point, times in wanted:
        kept.append((point, min(times, most)))
        most -= kept[-1][1]
    return [(point, times) for point, times in kept if times > 0]
