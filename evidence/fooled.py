"""Fooled: how often a search that says it is sure names what breaks its constraint in the long run.

Twenty studies of each kind of ``adversaries``, with numbers drawn anew for each, searched at confidence 0.95
with 200 replications. Who is sure is judged by what it named, under seeds of its own: ten times the window,
five times over, with everything counted until it is done; rare events by 400 windows of the study's own
length. A constraint is broken if the 95 % interval of its figure lies beyond the limit or the figure is
endless; a limit of none if it is passed in more than one window of a hundred. At most ten of 200 may be
fooled. Who is never sure is never fooled, so how many are sure is said beside it.
"""

from __future__ import annotations

import json
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import sim
from evidence.adversaries import KINDS, Adversary
from evidence.record import Figure
from sim.study.workers import Workers

SEED = 20261202  # of what is drawn; written before the first run
TRUTH_SEED = 20261203  # of the runs that judge
RUNS, QUICK_RUNS = 20, 2
MOST_FOOLED = 10  # of all 200
BUDGET = 200
TIMES, LONG_RUNS = 10, 5  # long runs: so many windows, so often
RARE = {"stuck", "spot"}
SPANS = 400
ALLOWED = 0.01  # share of windows in which a limit of none may be passed


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a search said: whether it was sure, what it named, and whether that breaks the constraint."""

    sure: bool
    named: str | None
    broken: bool
    replications: int

    @property
    def fooled(self) -> bool:
        """Whether it was sure of what is not so."""
        return self.sure and self.broken


def figures(quick: bool) -> Iterator[Figure]:
    """Yield for each kind how many searches were fooled and how many were sure, and the sum of all."""
    runs = QUICK_RUNS if quick else RUNS
    not_fooled = tried = 0
    with Workers() as workers:
        for kind in KINDS:
            found = [outcome for _, outcome in workers.run(partial(tried_out, kind), list(range(runs)))]
            right = sum(not outcome.fooled for outcome in found)
            sure = sum(outcome.sure for outcome in found)
            spent = sum(outcome.replications for outcome in found) / runs
            not_fooled, tried = not_fooled + right, tried + runs
            yield Figure(f"{kind}: not fooled", right, "searches", runs, SEED)
            yield Figure(f"{kind}: sure", sure, "searches", runs, SEED)
            yield Figure(f"{kind}: replications of a search", spent, "", runs, SEED)
    least = tried - MOST_FOOLED * tried / (RUNS * len(KINDS))
    yield Figure("all: not fooled", not_fooled, "searches", tried, SEED, least)


def tried_out(kind: str, number: int) -> Outcome:
    """Return what a search says of the numbered adversary of a kind, and whether that is so."""
    adversary = KINDS[kind](np.random.default_rng([SEED, zlib.crc32(kind.encode()), number]))
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        _write(adversary, place, seed=number + 1)
        document = sim.search(place / "study.yaml", workers=1, progress=False).document
        winner = document["winner"]
        sure = is_sure(document)
        broken = bool(sure and winner and _breaks(adversary, place, winner["sets"], rare=kind in RARE))
    named = ", ".join(winner["configuration"].values()) if winner else None
    return Outcome(sure, named, broken, document["evaluated"]["replications"])


def is_sure(document: Mapping[str, Any]) -> bool:
    """Say whether the document of a search stands by its answer."""
    chance: float = document["probability_of_correct_selection"]
    return chance >= document["confidence"] and document["stopped_because"] not in {"undecided", "budget"}


def _write(adversary: Adversary, place: Path, seed: int) -> None:
    study = {
        "question": "which one holds",
        "base": "base.yaml",
        "vary": adversary.vary,
        "constraints": [adversary.constraint],
        "budget": BUDGET,
        "explain": 0,
        "seed": seed,
    }
    documents = {"base.yaml": json.dumps(adversary.base), "study.yaml": json.dumps(study)}
    for name, text in {**documents, **adversary.files}.items():
        (place / name).write_text(text, encoding="utf-8")


def _breaks(adversary: Adversary, place: Path, sets: list[str], *, rare: bool) -> bool:
    """Say whether a configuration breaks the constraint, by long runs or many windows."""
    base, metric, limit = place / "base.yaml", adversary.constraint["metric"], adversary.constraint["at_most"]
    scenario = sim.load(base, sets)
    if rare:
        result = sim.replicate(scenario, SPANS, TRUTH_SEED, progress=False)
    else:
        hours = TIMES * scenario.horizon_us / 3.6e9
        long = scenario if adversary.files else sim.load(base, [*sets, f"horizon={hours:g}h"])
        result = sim.replicate(long, LONG_RUNS, TRUTH_SEED, progress=False)
    if limit == 0:
        passed = [tree["metrics"][metric] > 0 for tree in result.replications.values()]
        return sum(passed) > ALLOWED * len(passed)
    figure = result.summary["metrics"][metric]
    if figure["mean"] is None:
        return True
    low = figure["mean"] if figure["ci95"][0] is None else figure["ci95"][0]
    return bool(low > _seconds(limit))


def _seconds(text: str) -> float:
    """Return a duration of one number and one unit in seconds."""
    return float(text[:-1]) * {"s": 1, "m": 60, "h": 3600}[text[-1]]
