"""The long run: what is simulated, and when a constraint holds in it."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from sim.model.study import Constraint
from sim.study.long_run import Trouble, goes_on, held, plans, whole_periods
from tests.unit.loader.worlds import SCENARIO, loaded
from tests.unit.study.test_ages import MORNING

DAY = 86_400_000_000
LATENCY = Constraint("job_latency_p95_s", 100.0)


@pytest.mark.parametrize(
    ("values", "trouble"),
    [
        ([90, 95, 99, 105], None),  # 97 on average
        ([180, 200, 220, 200], Trouble.UNSTABLE),  # 200 ± 26
        ([60, 220, 90, 90], Trouble.UNDECIDED),  # 115 ± 114
        ([math.inf, 80, 90, 90], Trouble.UNDECIDED),
        ([math.inf, math.inf, math.inf, 90], Trouble.UNSTABLE),
        ([math.nan] * 4, None),
    ],
)
def test_a_limit_in_the_long_run(values: list[float], trouble: Trouble | None) -> None:
    """Half-widths are those of Student's t with three degrees of freedom, 3.182."""
    assert held(LATENCY, values, 7.0, 0.02)[0] is trouble


def test_counts_are_those_of_a_window_and_a_limit_of_zero_is_not_judged() -> None:
    failed = [60.0, 62.0, 61.0, 63.0]
    assert held(Constraint("jobs_failed", 10.0), failed, 7.0, 0.02)[0] is None
    assert held(Constraint("jobs_failed", 10.0), failed, 3.0, 0.02)[0] is Trouble.UNSTABLE
    assert held(Constraint("tasks_oom_killed", 0.0), failed, 7.0, 0.02)[0] is None
    assert held(Constraint("jobs_completed", 10.0, at_least=True), failed, 7.0, 0.02)[0] is Trouble.UNSTABLE
    assert held(Constraint("peak_nodes", 10.0), failed, 7.0, 0.02)[0] is None


def test_it_lasts_eight_windows_of_whole_weeks_and_leaves_out_the_first(tmp_path: Path) -> None:
    commits = "pipelines[edges].commits={poisson: {per_hour: 4, profile: office-hours}}"
    scenario = loaded(tmp_path, SCENARIO, "horizon=2d", commits)
    assert not whole_periods(scenario)
    (plan,) = plans(scenario, (), 10, 0)
    assert (plan.scenario.warmup_us, plan.scenario.horizon_us) == (7 * DAY, 8 * 7 * DAY)
    assert whole_periods(loaded(tmp_path, SCENARIO, "horizon=8d", "warmup=1d", commits))


def test_it_begins_where_sets_no_longer_grow_unless_ages_are_named(tmp_path: Path) -> None:
    scenario = loaded(tmp_path, MORNING)
    (plan,) = plans(scenario, (), 10, 0)
    assert plan.scenario.age_us == 40 * DAY
    assert plan.for_ever
    named = plans(scenario, (0, 90 * DAY), 10, 0)
    assert [(each.scenario.age_us, each.scenario.horizon_us) for each in named] == [(0, DAY), (90 * DAY, DAY)]
    assert not any(each.for_ever for each in named)


@pytest.mark.parametrize("change", ["finite=true", "pipelines[edges].commits={times: [1h, 2h]}"])
def test_nothing_is_asked_beyond_a_span_that_is_the_whole_story(tmp_path: Path, change: str) -> None:
    scenario = loaded(tmp_path, SCENARIO, change)
    assert not goes_on(scenario)
    assert plans(scenario, (), 10, 0) == []
