"""The nearest miss: what it would take for a configuration to hold the constraints that it breaks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sim.study.search.space import Point, Space


def what_it_would_take(entry: Mapping[str, Any], space: Space, point: Point) -> list[str]:
    """Return in words which limits it would hold, and which factors the study stops short of."""
    return [*_limits(entry), *_ends(space, point)]


def _limits(entry: Mapping[str, Any]) -> Iterator[str]:
    for told in entry["constraints"]:
        bound = "at_least" if "at_least" in told else "at_most"
        limit, name = told[bound], told["metric"]
        if told["probability"] is not None:
            if told["share_held"] < told["probability"]:
                held, wanted = told["share_held"], told["probability"]
                yield f"{name} holds {limit:g} in {held:.0%} of the replications, not in {wanted:.0%}"
            continue
        low, high = told["figure"]["ci95"]
        mean = told["figure"]["mean"]
        if mean is None:
            yield f"{name} has no end: work is left over or fails"
        elif told["margin"] is None or told["margin"] < 0:
            reachable = high if bound == "at_most" else low
            would = f"; it would hold {reachable:.4g}" if reachable is not None else ""
            yield f"{name} is {mean:.4g} where {bound.replace('_', ' ')} {limit:g} is wanted{would}"


def _ends(space: Space, point: Point) -> Iterator[str]:
    for factor, n in zip(space.factors, point, strict=True):
        last = len(factor.choices) - 1
        if factor.ordered and last > 0 and n in {0, last}:
            end = "largest" if n else "smallest"
            label = factor.choices[n].label
            yield f"{factor.name} is at the {end} value of the study, {label}: what lies beyond was not tried"
