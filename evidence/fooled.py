"""Fooled: how often a search that says it is sure names what breaks its constraint in the long run.

Twenty studies of each kind of ``adversaries``, with numbers drawn anew for each, searched at confidence 0.95
with 200 replications. Who is sure is judged by what it named, under seeds of its own: ten times the window,
five times over, with everything counted until it is done; rare events by 400 windows of the study's own
length. A constraint is broken if the 95 % interval of its figure lies beyond the limit or the figure is
endless; a limit of none if it is passed in more than one window of a hundred. Who says that nothing holds is
fooled if the largest configuration does, with its whole interval. At most ten of 200 may be fooled. Who is
never sure is never fooled, so how many are sure is said beside it.
"""

from __future__ import annotations

import json
import math
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
from sim.report.metrics import Tree
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
    """What a search said: whether it was sure, what it named (None: none holds), and if that is not so."""

    sure: bool
    named: str | None
    fooled: bool
    replications: int


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
        wrong = sure and _is_wrong(adversary, place, winner, rare=kind in RARE)
    named = ", ".join(winner["configuration"].values()) if winner else None
    return Outcome(sure, named, wrong, document["evaluated"]["replications"])


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


def _is_wrong(adversary: Adversary, place: Path, winner: Mapping[str, Any] | None, *, rare: bool) -> bool:
    """Say whether what was named breaks the constraint, or, where nothing was, whether something holds it."""
    if winner is not None:
        low, _ = _excess(adversary, place, winner["sets"], rare=rare)
        return low > 0
    (factor,) = sim.load_study(place / "study.yaml").factors
    _, high = _excess(adversary, place, list(factor.choices[-1].sets), rare=rare)
    return high <= 0


def _excess(adversary: Adversary, place: Path, sets: list[str], *, rare: bool) -> tuple[float, float]:
    """Return by how much a configuration passes the limit in long runs or many windows, as an interval."""
    base, metric, limit = place / "base.yaml", adversary.constraint["metric"], adversary.constraint["at_most"]
    scenario = sim.load(base, sets)
    if rare:
        result = sim.replicate(scenario, SPANS, TRUTH_SEED, progress=False)
    else:
        hours = TIMES * scenario.horizon_us / 3.6e9
        long = scenario if adversary.files else sim.load(base, [*sets, f"horizon={hours:g}h"])
        result = sim.replicate(long, LONG_RUNS, TRUTH_SEED, progress=False)
    if limit == 0:
        passed = [_number(tree, metric) > 0 for tree in result.replications.values()]
        return (sum(passed) / len(passed) - ALLOWED,) * 2
    figure = result.summary["metrics"][metric]
    if figure["mean"] is None:
        return math.inf, math.inf
    low, high = (figure["mean"] if end is None else end for end in figure["ci95"])
    return low - _seconds(limit), high - _seconds(limit)


def _number(tree: Tree, metric: str) -> float:
    metrics = tree["metrics"]
    assert isinstance(metrics, Mapping)
    value = metrics[metric]
    assert isinstance(value, float)
    return value


def _seconds(text: str) -> float:
    """Return a duration of one number and one unit in seconds."""
    return float(text[:-1]) * {"s": 1, "m": 60, "h": 3600}[text[-1]]
