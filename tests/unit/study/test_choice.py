"""Which is best and how sure that is, against formulas and worked by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from sim.model.study import Constraint
from sim.study.choice import Held, choose, hazard, held, holding, levels, ratio, seeming, unseen_share, wrong
from sim.study.statistics import Float, estimates

THREE = np.ones(3, np.bool_)


def rows(*means: float, deviation: float = 1.0, count: int = 9) -> Float:
    """Return nine days about each mean; the differences of any two vary, all with that deviation."""
    drawn = np.random.default_rng(20261201).normal(size=(len(means), count))
    drawn -= drawn.mean(axis=1, keepdims=True)
    x: Float = np.array(means)[:, None] + deviation * drawn / drawn.std(axis=1, ddof=1, keepdims=True)
    return x


def below(x: Float, row: int, other: int, slack: float) -> float:
    """Return the chance that a row is below another by more than a slack: Student's, of the paired days."""
    apart = x[row] - x[other]
    return float(
        stats.t.cdf((-slack - apart.mean()) / apart.std(ddof=1) * math.sqrt(len(apart)), len(apart) - 1)
    )


def test_the_chance_of_being_wrong_is_the_sum_of_its_parts_times_the_looks() -> None:
    """Bonferroni: neither the largest part, nor one look of three."""
    x = rows(10.0, 10.9, 11.0)
    choice = choose(x, [], 0.02, THREE)
    parts = [below(x, row, 0, 0.02 * 10.0) for row in (1, 2)]
    assert choice.best == 0
    assert choice.wrong.tolist() == pytest.approx([0.0, *parts])
    assert min(parts) > 0.01
    assert choice.chance(1) == pytest.approx(1 - sum(parts))
    assert choice.chance(3) == pytest.approx(1 - 3 * sum(parts))


def test_a_rival_counts_by_the_chance_that_it_clearly_holds() -> None:
    """Not by that of holding at all, nor with certainty."""
    x = rows(10.0, 10.3, 11.0)
    known = Held(
        holds=np.array([0.99, 0.8, 0.9]),
        clearly=np.array([0.9, 0.25, 0.0]),
        unseen=np.zeros(3),
        seems=np.ones(3),
        effort=np.zeros(3),
    )
    choice = choose(x, [known], 0.02, THREE)
    assert choice.best == 0
    assert choice.wrong.tolist() == pytest.approx([0.01, 0.25 * below(x, 1, 0, 0.2), 0.0])


def test_each_constraint_of_the_choice_may_break() -> None:
    x = rows(10.0, 20.0, 30.0)
    held_by = [
        Held(np.array([h, 1.0, 1.0]), np.ones(3), np.array([u, 0.0, 0.0]), np.ones(3), np.zeros(3))
        for h, u in ((0.98, 0.01), (0.97, 0.0))
    ]
    choice = wrong(x, 0, held_by, np.ones(3), 0.0)
    assert choice.wrong[0] == pytest.approx(0.02 + 0.03)
    assert choice.chance(3) == pytest.approx(1 - 3 * 0.05 - 0.01, abs=1e-4), "what was never seen counts once"
    assert holding(held_by, THREE).tolist() == pytest.approx([1 - 0.05 - 0.01, 1.0, 1.0])


def test_none_is_wrong_by_what_clearly_holds() -> None:
    x = rows(10.0, 20.0, 30.0)
    values = rows(99.0, 101.0, 104.0, deviation=3.0)
    no = held(values, Constraint("job_latency_p95_s", 90.0), 0.02)
    choice = choose(x, [no], 0.02, THREE)
    assert choice.best is None
    assert choice.wrong.tolist() == pytest.approx(no.clearly.tolist())
    assert choice.chance(3) == pytest.approx(1 - 3 * no.clearly.sum())
    tight = held(values, Constraint("cost_usd_per_day", 99.0), 0.0)
    assert tight.clearly[0] == pytest.approx(0.5, abs=0.05)


def test_clearly_is_with_room_of_the_indifference_to_spare() -> None:
    values = rows(0.0, deviation=1.0)  # of both signs: no skewness is expected of so few
    found = held(values, Constraint("backlog_growth", 10.0), 0.02)
    for chance, limit in ((found.holds, 10.0), (found.clearly, 9.8)):
        assert chance[0] == pytest.approx(stats.t.cdf(limit * 3.0, 8))
    least = held(values, Constraint("backlog_growth", 0.5, at_least=True), 0.02)
    assert least.holds[0] == pytest.approx(stats.t.cdf(-0.5 * 3, 8))
    assert least.clearly[0] == pytest.approx(stats.t.cdf(-0.51 * 3, 8))


@pytest.mark.parametrize("bad", [math.inf, math.nan], ids=["endless", "nothing there"])
def test_what_is_endless_or_not_there_never_holds_and_never_wins(bad: float) -> None:
    values = rows(1.0, 1.0, 1.0)
    values[0, 3 if math.isinf(bad) else slice(None)] = bad
    for constraint in (
        Constraint("job_latency_p95_s", 1e9),
        Constraint("job_latency_p95_s", 0.0, at_least=True),
    ):
        found = held(values, constraint, 0.02)
        assert found.holds[0] == found.clearly[0] == found.seems[0] == 0.0
    x = rows(10.0, 20.0, 30.0)
    x[0, 3 if math.isinf(bad) else slice(None)] = bad
    choice = choose(x, [], 0.02, np.isfinite(x.mean(axis=1)))
    assert choice.best == 1
    assert choice.wrong[0] == 0.0


@pytest.mark.parametrize(("clean", "sure"), [(298, False), (299, True)])
def test_that_a_count_is_never_above_0_takes_299_clean_spans(clean: int, sure: bool) -> None:
    """0.99 ** 299 = 0.0495: one in a hundred spans would have shown by then with 95 %."""
    found = held(np.zeros((1, clean)), Constraint("pods_stuck", 0.0), 0.02)
    assert found.unseen[0] == pytest.approx(0.99**clean)
    choice = wrong(np.ones((1, clean)), 0, [found], np.ones(1), 0.02)
    assert (choice.chance(3) >= 0.95) is sure
    assert found.seems[0] == 1.0


@pytest.mark.parametrize(("bad", "count"), [(1, 150), (3, 1000), (10, 1000)])
def test_a_share_of_the_spans_has_the_exact_chance(bad: int, count: int) -> None:
    values = np.array([[1.0] * bad + [0.0] * (count - bad)])
    found = held(values, Constraint("tasks_oom_killed", 0.0), 0.02)
    assert found.holds[0] == pytest.approx(1 - stats.binom.cdf(bad, count, 0.01))
    assert found.unseen[0] == 0.0
    assert found.seems[0] == float(bad <= 0.01 * count)
    asked = held(values, Constraint("tasks_oom_killed", 0.0, probability=0.9), 0.02)
    assert asked.holds[0] == pytest.approx(1 - stats.binom.cdf(bad, count, 0.1))


@pytest.mark.parametrize(
    ("metric", "room", "often"),
    [
        pytest.param("pods_stuck", 0.0, 0.01, id="a count without room: one in a hundred spans"),
        pytest.param("pods_stuck", 0.5, 1 - math.exp(-0.5), id="a count with room: Poisson"),
        pytest.param("slo.0.share_within", 0.05, 0.05, id="a share: so many spans at least are otherwise"),
        pytest.param("slo.0.share_within", 0.0, 0.01, id="a share without room"),
        pytest.param("job_latency_p95_s", 1.0, math.nan, id="a time is what it is"),
    ],
)
def test_how_often_there_is_what_was_never_seen(metric: str, room: float, often: float) -> None:
    assert unseen_share(np.array([room]), metric)[0] == pytest.approx(often, nan_ok=True)


def test_a_share_that_was_always_1_is_sure_after_59_spans() -> None:
    """0.95 ** 59 = 0.0485."""
    for count, sure in ((58, False), (59, True)):
        found = held(np.ones((1, count)), Constraint("slo.0.share_within", 0.95, at_least=True), 0.0)
        assert bool(1 - found.unseen[0] >= 0.95) is sure
        assert found.holds[0] == 1.0


def test_a_hazard_that_has_not_shown_counts_until_three_were_expected() -> None:
    found = hazard(np.array([0.01, 0.01, 0.0]), np.array([290.0, 300.0, 1.0]))
    assert found.unseen.tolist() == pytest.approx([math.exp(-2.9), math.exp(-3.0), 0.0])
    assert (found.unseen <= 0.05).tolist() == [False, True, True]
    assert found.effort.tolist() == pytest.approx([100.0, 100.0, 0.0])


def test_levels_are_as_if_all_had_seen_the_same_days() -> None:
    days = np.array([0.0, 0.0, 0.0, 6.0, 6.0, 6.0])
    x = np.vstack([10 + days, 11 + days])
    x[1, 3:] = np.nan  # 11 on three cheap days
    assert levels(x).tolist() == pytest.approx([13.0, 14.0])


def test_as_if_there_were_more_replications() -> None:
    x = rows(10.0, 10.5, 30.0)
    choice = choose(x, [], 0.0, THREE, replications=40)
    apart = x[1] - x[0]
    assert choice.wrong[1] == pytest.approx(stats.t.cdf(-apart.mean() / apart.std(ddof=1) * 40**0.5, 39))


def test_what_a_scenario_lets_hold_needs_no_300_spans() -> None:
    """Known to hold, to break, and nothing known: of the last one ten clean spans say little."""
    known = np.array([1.0, 0.0, np.nan])
    found = held(np.zeros((3, 10)), Constraint("pods_stuck", 0.0), 0.02, known=known)
    assert found.holds.tolist() == [1.0, 0.0, 1.0]
    assert found.clearly[:2].tolist() == [1.0, 0.0]
    assert found.clearly[2] < 0.5
    assert found.seems.tolist() == [1.0, 0.0, 1.0]
    assert found.unseen.tolist() == pytest.approx([0.0, 0.0, 0.99**10])
    assert found.effort[:2].tolist() == [0.0, 0.0]
    assert found.effort[2] > 0


def test_what_was_seen_is_believed_before_what_a_scenario_says() -> None:
    values = np.zeros((1, 10))
    values[0, 3] = 1.0
    plain, told = (
        held(values, Constraint("pods_stuck", 0.0), 0.02, known=known) for known in (None, np.array([1.0]))
    )
    assert told.holds.tolist() == plain.holds.tolist()
    assert told.seems.tolist() == [0.0]


def test_a_count_that_cannot_be_otherwise_holds_a_limit_on_its_mean() -> None:
    values, limit = np.zeros((2, 4)), Constraint("pods_lost", 0.5)
    assert held(values, limit, 0.02).unseen.tolist() == pytest.approx([math.exp(-0.5 * 4)] * 2)
    assert held(values, limit, 0.02, known=np.array([1.0, np.nan])).unseen[0] == 0.0


@pytest.mark.parametrize(("bad", "count"), [(0, 10), (1, 50), (40, 50)])
def test_what_telling_a_share_takes_is_its_variance_over_the_squared_gap(bad: int, count: int) -> None:
    """With half a replication of each kind more; a gap below a quarter of what may be bad counts as that."""
    found = held(
        np.array([[1.0] * bad + [0.0] * (count - bad)]), Constraint("pods_stuck", 0.0, probability=0.9), 0.02
    )
    share = (count - bad + 0.5) / (count + 1)
    gap = max(abs(share - 0.9), 0.1 / 4)
    assert found.effort[0] == pytest.approx(share * (1 - share) / gap**2)


def test_what_was_never_measured_does_not_seem_to_hold() -> None:
    found = held(np.full((1, 3), np.nan), Constraint("pods_stuck", 0.0), 0.02)
    assert (found.seems[0], found.unseen[0]) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("gap", "replications"),
    [
        pytest.param(2.0, 0.25, id="variance 1 over the squared gap"),
        pytest.param(0.01, 9 / 0.5**2, id="a gap below half a standard error says no more than that"),
        pytest.param(math.nan, 9 / 0.5**2, id="nor does one that is not known"),
    ],
)
def test_how_many_replications_tell_a_gap_from_nothing(gap: float, replications: float) -> None:
    assert ratio(estimates(rows(0.0), signed=True), np.array([gap]))[0] == pytest.approx(replications)


def test_an_even_chance_is_enough_to_be_looked_at() -> None:
    one = held(np.array([[5.0]]), Constraint("job_latency_p95_s", 9.0), 0.02)
    assert one.seems[0] == 0.5
    assert seeming([one], np.ones(1, np.bool_)).tolist() == [True]
    assert seeming([one, one], np.ones(1, np.bool_)).tolist() == [False]
