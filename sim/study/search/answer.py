"""The answer of a study: a winner and how sure it is, what is nearly as good, and what it depends on.

``Answer.document`` is what ``pachsim search --format json`` prints; ``docs/json.md`` describes its keys.
Means over replications come with Student's t 95 % intervals, as everywhere.
"""

from __future__ import annotations

import json
import math
import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.errors import InputError
from sim.model.scenario import Scenario
from sim.model.study import Constraint
from sim.model.units import print_duration
from sim.report import folder as whole
from sim.report.caveats import caveats
from sim.report.checksums import SUMS, write_sums
from sim.report.csv_file import write_csv
from sim.report.summary import WARMUP_FOUND
from sim.study.choice import levels
from sim.study.hazards import Doubt
from sim.study.long_run import goes_on
from sim.study.marks import Marks
from sim.study.search.exclusions import Kind
from sim.study.search.figures import Figure
from sim.study.search.insight import Insight
from sim.study.search.misses import what_it_would_take
from sim.study.search.rounds import Found, Stop
from sim.study.search.selection import nearest_miss
from sim.study.search.space import Point
from sim.study.statistics import Float, estimates
from sim.version import VERSION

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure as Picture

NEAR = 0.02  # of the winner's objective: an alternative
FILE, PICTURE, TABLE = "answer.json", "pareto.png", "configurations.csv"
ALLOWED = "a new or empty folder, or an earlier answer"


class Answer:
    """What a search came to; ``winner`` is None where no configuration holds the constraints."""

    def __init__(self, found: Found, insight: Insight) -> None:
        self._found = found
        self._insight = insight
        self.study = found.study

    @property
    def winner(self) -> dict[str, Any] | None:
        """The best configuration, with its figures and its margin to each constraint."""
        best = self._best
        return None if best is None else {**self._entry(best, 0), **self._long_run(best)}

    @property
    def holds(self) -> bool:
        """Whether there is a configuration that holds the constraints."""
        return self._best is not None

    @cached_property
    def document(self) -> dict[str, Any]:
        """Everything, as plain values."""
        found, study, verdict = self._found, self.study, self._found.verdict
        winner = self.winner
        return {
            "study": study.name,
            "question": study.question,
            "version": VERSION,
            "seed": study.seed,
            "warmup_s": self._simulated.warmup_us / 1e6,
            "warmup_found": WARMUP_FOUND[self._simulated.warmup_is],
            "objectives": list(study.objectives),
            "compared_on": found.samples.objective.metric,
            "constraints": [_constraint(each) for each in study.constraints],
            "confidence": study.confidence,
            "indifference": study.indifference,
            "winner": winner,
            "metrics": {} if self._best is None else self._metrics(self._best),
            "probability_of_correct_selection": verdict.good,
            "probability_of_best": verdict.correct,
            "stopped_because": found.stop.value,
            "undecided": found.stop in {Stop.BUDGET, Stop.UNDECIDED},
            "excluded": self.excluded,
            "unseen": [doubt.document() for doubt in self._doubts()],
            "nearest_miss": None if self.holds else self._nearest_miss(),
            "pareto": self.pareto,
            "alternatives": self.alternatives,
            "evaluated": {
                "configurations": len(found.samples.points),
                "of": found.space.size,
                "replications": found.samples.replications,
                "rounds": found.rounds,
                "replications_for_long_run": found.finalists.replications,
                "replications_for_insight": self._insight.replications,
                "whole_space": found.whole,
            },
            "pruned": {
                "configurations": len(found.space.pruned),
                "reasons": [{"reason": why, "configurations": n} for why, n in found.space.counted()],
            },
            **self._insight.document(),
            "warnings": self._warnings(),
        }

    @cached_property
    def excluded(self) -> dict[str, list[dict[str, Any]]]:
        """Configurations that may not be named, by kind, each with the reason."""
        space = self._found.space
        why = {kind: dict[Point, str]() for kind in Kind}
        why[Kind.NOT_DEPLOYABLE] |= space.invalid
        for point, exclusion in self._found.exclusions.items():
            why[exclusion.kind][point] = exclusion.reason
        return {
            kind.value: [
                {"configuration": space.labels(point), "reason": reason}
                for point, reason in sorted(points.items())
            ]
            for kind, points in why.items()
        }

    @cached_property
    def pareto(self) -> list[dict[str, Any]]:
        """Configurations that no other beats on both axes, by the first axis."""
        x, y = self._axes
        return [
            {"configuration": self._found.space.labels(self._points[row]), **self._at(row)}
            for row in front(x, y)
        ]

    @cached_property
    def alternatives(self) -> list[dict[str, Any]]:
        """Configurations that hold the constraints nearly as cheaply, numbered from 1, with what differs."""
        best = self._best
        if best is None:
            return []
        row = self._points.index(best)
        x = self._found.samples.values(self._found.samples.objective)
        with np.errstate(invalid="ignore"):  # endless less endless
            more = estimates(x - x[row], signed=True).mean  # on the days that both saw
        most = max(NEAR, self.study.indifference) * abs(self._found.verdict.objective.mean[row])
        near = [n for n in np.flatnonzero((more <= most) & (self._found.verdict.seems)) if n != row]
        near.sort(key=lambda n: (more[n], n))
        return [self._entry(self._points[n], number) for number, n in enumerate(near, 1)]

    @property
    def table(self) -> pd.DataFrame:
        """A row per configuration that was simulated, in order of the objective."""
        import pandas as pd

        rows = [
            {
                **self._found.space.labels(point),
                "replications": self._found.samples.count(point),
                **self._at(n),
            }
            for n, point in enumerate(self._points)
        ]
        decides = self._found.samples.objective.metric
        return pd.DataFrame(rows).sort_values(decides, kind="stable", ignore_index=True)

    @property
    def plot(self) -> Plots:
        """Pictures, as matplotlib Figures."""
        return Plots(self)

    def scenario(self, number: int = 0) -> Scenario:
        """Return the scenario of the winner, or of a numbered alternative, to simulate or to export."""
        entries = [each for each in (self.winner, *self.alternatives) if each is not None]
        for each in entries:
            if each["number"] == number:
                return (self.study.written or self.study.configure)(tuple(each["sets"]))
        some = f"0 to {len(entries) - 1}" if entries else "none: no configuration holds the constraints"
        raise InputError(field="alternative", value=number, allowed=some)

    @staticmethod
    def check_folder(folder: str | Path) -> None:
        """Raise InputError for a folder that ``save`` would refuse: a file, or a folder of something else."""
        whole.check_folder(Path(folder), _is_answer, ALLOWED)

    def save(self, folder: str | Path) -> None:
        """Write the answer, a table and the picture of the front into a folder, or nothing."""
        base = _seen_from(Path(folder), self.study.base)
        saved = {**self.document, "base": base, "sets": list(self.study.sets)}

        def fill(draft: Path) -> None:
            (draft / FILE).write_text(json.dumps(saved, indent=2) + "\n", encoding="utf-8")
            write_csv(self.table, draft / TABLE, index=False)
            self.plot.pareto().savefig(draft / PICTURE, dpi=150)
            write_sums(draft)

        whole.write_folder(Path(folder), fill, _is_answer, ALLOWED)

    def axes(self) -> tuple[Figure, Figure]:
        """Return what the front is of: what decides, and the next figure of the study."""
        samples = self._found.samples
        return samples.objective, samples.figures.axes[1]

    def clouds(self) -> dict[str, Any]:
        """Return what a picture of the front needs: positions, what holds, and the winner's row."""
        x, y = self._axes
        best = None if self._best is None else self._points.index(self._best)
        return {
            "x": x,
            "y": y,
            "holds": self._found.verdict.seems,
            "best": best,
            "front": front(x, y),
        }

    @cached_property
    def _simulated(self) -> Scenario:
        """The scenario of the winner, or of the nearest miss, as it was simulated."""
        scenario = self._found.space.built(self._best or self._nearest)
        assert scenario is not None
        return scenario

    @property
    def _points(self) -> list[Point]:
        return self._found.samples.points

    @cached_property
    def _best(self) -> Point | None:
        best = self._found.verdict.best
        return None if best is None else self._points[best]

    def _entry(self, point: Point, number: int) -> dict[str, Any]:
        space, samples = self._found.space, self._found.samples
        entry = {
            "number": number,
            "configuration": space.labels(point),
            "sets": list(space.sets(point)),
            "replications": samples.count(point),
            **{
                f.metric: self._figure(point, f)
                for f in dict.fromkeys((*samples.figures.objectives, *self.axes()))
            },
            "constraints": [
                self._margin(point, constraint, figure)
                for constraint, figure in zip(
                    self.study.constraints, samples.figures.constraints, strict=True
                )
            ],
            "holds_probability": float(self._found.verdict.holds[self._points.index(point)]),
        }
        if self._best is not None and point != self._best:
            entry["differs"] = space.differences(point, self._best)
        return entry

    def _long_run(self, point: Point) -> dict[str, Any]:
        """Return whether the winner stood the long run, None where it was not asked, and the promise."""
        finalists = self._found.finalists
        if point not in finalists:
            return {"stable": None, "holds_at": [], "promise": ""}
        stand = finalists.stand(point)
        return {
            "stable": stand.trouble is None if goes_on(self._simulated) else None,
            "holds_at": [print_duration(age) for age in stand.ages_us],
            "promise": stand.promise,
        }

    def _margin(self, point: Point, constraint: Constraint, figure: Figure) -> dict[str, Any]:
        """Return a constraint with its figure, and how far on the right side that is, over the limit."""
        values = self._values(point, figure)
        told = {**_constraint(constraint), "figure": self._figure(point, figure)}
        sign = -1.0 if constraint.at_least else 1.0
        if constraint.spans is not None:
            held = [sign * value <= sign * constraint.limit for value in values if not math.isnan(value)]
            return {**told, "share_held": sum(held) / len(held) if held else 0.0}
        mean = told["figure"]["mean"]
        off = None if mean is None else sign * (constraint.limit - mean)
        return {
            **told,
            "margin": None if off is None or not constraint.limit else off / abs(constraint.limit),
        }

    def _figure(self, point: Point, figure: Figure) -> dict[str, Any]:
        return self._found.samples.over_replications(point, figure.metric).document()

    def _values(self, point: Point, figure: Figure) -> list[float]:
        values: list[float] = self._found.samples.values(figure, [point])[0].tolist()
        return values

    def _metrics(self, point: Point) -> dict[str, Any]:
        metrics = self._found.samples.metrics(point)
        samples = self._found.samples
        return {name: samples.over_replications(point, name).document() for name in metrics}

    def _nearest_miss(self) -> dict[str, Any]:
        """Return the configuration that breaks the constraints least, and what it would take."""
        point = self._nearest
        entry = self._entry(point, 0)
        return {**entry, "what_it_would_take": what_it_would_take(entry, self._found.space, point)}

    @cached_property
    def _axes(self) -> tuple[Float, Float]:
        """Return where configurations are on both axes, as if all had seen the same days."""
        samples = self._found.samples
        x, y = (samples.values(figure) for figure in self.axes())
        return levels(x), levels(y)

    @cached_property
    def _nearest(self) -> Point:
        found = self._found
        return self._points[nearest_miss(found.samples, self.study, found.verdict, found.exclusions)]

    def _warnings(self) -> list[str]:
        """Return what a reader must know of the winner, or of the nearest miss, before believing it."""
        metrics = self._found.samples.metrics(self._best or self._nearest)
        trees = [
            {"metrics": dict(zip(metrics, each, strict=True)), "refused": {}}
            for each in zip(*metrics.values(), strict=True)
        ]
        part = Marks(self._simulated, ()).part_of_period
        unseen = [doubt.sentence() for doubt in self._doubts()]
        return [*unseen, *caveats(self._simulated, trees), *([part] if part else [])]

    def _doubts(self) -> list[Doubt]:
        """Return the rare events of the winner, or of the nearest miss, that were not seen."""
        return self._found.samples.doubts(self._best or self._nearest)

    def _at(self, row: int) -> dict[str, Any]:
        """Return where a configuration is on both axes, and whether it holds the constraints."""
        first, second = self.axes()
        x, y = (float(values[row]) for values in self._axes)
        return {
            first.metric: x if math.isfinite(x) else None,
            second.metric: y if math.isfinite(y) else None,
            "holds_probability": float(self._found.verdict.holds[row]),
        }


class Plots:
    """Pictures of an answer; each method returns a matplotlib Figure, which Jupyter shows."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def pareto(self) -> Picture:
        """Draw every configuration by both axes, the front, the winner and the limit."""
        from sim.report.pareto import pareto

        x, y = self._answer.axes()
        limits = {each.metric: each.limit for each in self._answer.study.constraints if each.spans is None}
        return pareto((x.metric, y.metric), limits=limits, **self._answer.clouds())


def front(x: Float, y: Float) -> list[int]:
    """Return the rows that no other row is at most as large on both axes and smaller on one."""
    chosen: list[int] = []
    lowest = np.inf
    for row in np.lexsort((y, x)).tolist():
        if np.isfinite(x[row]) and y[row] < lowest:
            chosen.append(row)
            lowest = y[row]
    return chosen


def _constraint(constraint: Constraint) -> dict[str, Any]:
    bound = "at_least" if constraint.at_least else "at_most"
    return {"metric": constraint.metric, bound: constraint.limit, "probability": constraint.spans}


def _seen_from(folder: Path, file: str) -> str:
    """Return the way from a folder to a file, which holds where both are moved together."""
    return Path(os.path.relpath(file, folder)).as_posix() if file else ""


def _is_answer(folder: Path) -> bool:
    """Say whether a folder holds an answer and nothing else, such as the store of its study."""
    return (folder / FILE).is_file() and {each.name for each in folder.iterdir()} <= {
        FILE,
        PICTURE,
        TABLE,
        SUMS,
    }
