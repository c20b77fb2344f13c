"""Checking: is a scenario valid, what does it take for granted, and what is to be known beforehand."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sim.loader import load
from sim.model.scenario import Assumption, Scenario
from sim.study.marks import Marks


@dataclass(frozen=True, slots=True)
class Check:
    """A valid scenario: each assumption in force with its source, and warnings."""

    scenario: str
    assumptions: tuple[Assumption, ...]
    warnings: tuple[str, ...]


def check(scenario: str | Path | Scenario, sets: Iterable[str] = ()) -> Check:
    """Return what a scenario, or the scenario in a file, takes for granted and warns of.

    ``sets`` change a file as in ``load``. Raises InputError for what cannot be used.

    Examples
    --------
    >>> checked = check("scenarios/edges-fargate.yaml")
    >>> [each.value for each in checked.assumptions if each.field == "pachyderm.poll"]
    ['2s']
    """
    if not isinstance(scenario, Scenario):
        scenario = load(scenario, sets)
    marks = Marks(scenario, ())
    return Check(scenario.name, scenario.assumptions, (*scenario.warnings, *marks.beforehand()))
