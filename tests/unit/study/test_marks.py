"""Marks of a window: overload, drift with its size and cure, and part of a week."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from sim.model.scenario import Scenario
from sim.report.metrics import measure
from sim.study.marks import Marks
from sim.study.replicate import run
from tests.unit.loader.worlds import SCENARIO, loaded
from tests.unit.study.search.test_finalists import SLOTS
from tests.unit.study.test_ages import MORNING

DAY_S = 86_400


def marks(scenario: Scenario, numbers: Sequence[int] = (0, 1, 2)) -> Marks:
    return Marks(scenario, [measure(run(scenario, 1, number), scenario) for number in numbers])


def test_overload_that_only_the_flow_shows(tmp_path: Path) -> None:
    """Three slots at 0.95 by formula; a minute in which each pod starts loads them to 1.27."""
    scenario = loaded(tmp_path, SLOTS, "pods[calls].arrivals.poisson.per_hour=57", "horizon=2d")
    assert marks(scenario).unstable == []
    slow = loaded(
        tmp_path,
        SLOTS,
        "pods[calls].arrivals.poisson.per_hour=57",
        "horizon=2d",
        "latency.container_start=1m",
    )
    found = marks(slow)
    assert found.unstable[0].startswith("calls does not keep up: 1.2")
    assert found.promise == "for these 2d only: see the warnings"


def test_overload_by_formula_needs_no_replication(tmp_path: Path) -> None:
    found = Marks(loaded(tmp_path, SLOTS, "pods[calls].arrivals.poisson.per_hour=66"), ())
    assert list(found.beforehand()) == ["unstable: calls does not keep up: 1.1 times what it can do arrives"]


def test_growing_sets_climb_by_what_they_grow(tmp_path: Path) -> None:
    """On day d a set has 600 d / 32 datums of 20 s, and the longest worker 6.25 min more each day."""
    found = marks(loaded(tmp_path, MORNING, "horizon=24d", "warmup=7d"))
    (drift,) = found.drift
    assert drift["pipeline"] == "p"
    assert drift["p95_s_per_week"] == pytest.approx(
        7 * 375, rel=0.35
    )  # in steps: whole turns of eight workers
    assert drift["cure"] == "datumSetSpec: {number: 19} on p"
    (warning,) = [each for each in found.warnings() if each.startswith("drift")]
    assert "a week" in warning
    assert "in 30 days" in warning


@pytest.mark.parametrize("change", ["pipelines[p].datumSetSpec.number=10", "age=60d"])
def test_sets_that_do_not_grow_do_not_climb(tmp_path: Path, change: str) -> None:
    found = marks(loaded(tmp_path, MORNING, "horizon=8d", change))
    assert found.document()["drift"] is None


def test_a_weekend_of_a_week_is_said(tmp_path: Path) -> None:
    office = "pipelines[edges].commits={poisson: {per_hour: 24, profile: office-hours}}"
    weekend = loaded(tmp_path, SCENARIO, "start='2026-01-10T00:00Z'", "horizon=2d", office)
    assert Marks(weekend, ()).part_of_period == (
        "cost per day and month are those of the measured part, Sat 00:00 to Sun 23:59, of arrivals that"
        " repeat each week: 6.37 arrivals an hour in it, 24 on average"  # 24 x 168 / 633
    )
    assert Marks(loaded(tmp_path, SCENARIO, "horizon=7d", office), ()).part_of_period is None
    assert Marks(loaded(tmp_path, SCENARIO, "horizon=2d", office, "finite=true"), ()).part_of_period is None
