"""Which configuration is best, and how sure that is, worked by hand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from sim.model.study import Constraint, Study
from sim.report.metrics import Tree
from sim.study.choice import choose, held
from sim.study.evaluate import Task
from sim.study.search.exclusions import Exclusion, Exclusions, Kind
from sim.study.search.figures import Figures
from sim.study.search.samples import Samples
from sim.study.search.selection import judge, nearest_miss
from sim.study.search.space import Space
from tests.unit.study.search.worlds import a_study, factor

COST, STUCK = "cost_usd_per_day", "pods_stuck"
WOBBLE = (0.0, 1.0, -1.0, 2.0, -2.0, 0.5, -0.5, 1.5, -1.5, 0.0)


def samples_of(study: Study, figures: Sequence[dict[str, Sequence[float]]]) -> Samples:
    """Return samples with the figures given, by configuration, name and replication."""

    def evaluate(tasks: Sequence[Task]) -> list[Tree]:
        return [
            {"slo": {}, "metrics": {name: values[task.replication] for name, values in of.items()}}
            for task in tasks
            for of in [figures[int(task.configuration.partition("=")[2])]]
        ]

    read = Figures(study)
    read.all = tuple(figure for figure in read.all if figure.metric in figures[0])
    samples = Samples(Space(study, lambda scenario: scenario), read, evaluate, 1)
    samples.add([((n,), len(of[COST])) for n, of in enumerate(figures)])
    return samples


def costs(*means: float) -> list[dict[str, Sequence[float]]]:
    """Return costs about some means, each with a luck of its own."""
    return [
        {COST: [mean + 0.1 * WOBBLE[(3 * n + day) % 10] for day in range(10)]} for n, mean in enumerate(means)
    ]


@pytest.mark.parametrize("kind", list(Kind))
def test_what_is_excluded_neither_wins_nor_holds(kind: Kind) -> None:
    study = a_study(factor("a", 3))
    samples = samples_of(study, costs(10.0, 20.0, 30.0))
    assert judge(samples, study).best == 0
    verdict = judge(samples, study, {(0,): Exclusion(kind, "it grows")})
    assert verdict.best == 1
    assert verdict.holds.tolist() == [0.0, 1.0, 1.0]
    assert verdict.effort[0] == 0.0


def test_only_what_is_undecided_and_may_be_better_makes_an_answer_unsure() -> None:
    study = a_study(factor("a", 3))
    samples = samples_of(study, costs(10.0, 20.0, 30.0))
    known = judge(samples, study, {(0,): Exclusion(Kind.UNSTABLE, "it grows")})
    assert known.good > 0.99
    unknown = judge(samples, study, {(0,): Exclusion(Kind.UNDECIDED, "nobody knows")})
    assert (unknown.good, unknown.correct) == (0.0, 0.0)
    assert unknown.decided > 0.99
    dearer = judge(samples, study, {(2,): Exclusion(Kind.UNDECIDED, "nobody knows")})
    assert dearer.best == 0
    assert dearer.good > 0.99


def test_that_none_holds_is_not_sure_while_one_is_undecided() -> None:
    study = a_study(factor("a", 2), constraints=(Constraint(COST, 5.0),))
    samples = samples_of(study, costs(10.0, 20.0))
    assert judge(samples, study).good > 0.99
    verdict = judge(samples, study, {(0,): Exclusion(Kind.UNDECIDED, "nobody knows")})
    assert verdict.best is None
    assert verdict.decided > 0.99
    assert (verdict.good, verdict.correct) == (0.0, 0.0)


def test_the_nearest_miss_is_the_cheapest_of_the_equal_ones() -> None:
    study = a_study(factor("a", 3), constraints=(Constraint(STUCK, 2.0),))
    stuck = [[8.0] * 10, [4.0] * 10, [4.0] * 10]
    figures = [{**of, STUCK: values} for of, values in zip(costs(10.0, 30.0, 20.0), stuck, strict=True)]
    samples = samples_of(study, figures)
    assert nearest_miss(samples, study, judge(samples, study)) == 2
    left_out: Exclusions = {(2,): Exclusion(Kind.UNSTABLE, "it grows")}
    assert nearest_miss(samples, study, judge(samples, study, left_out), left_out) == 1


def test_a_round_may_err_as_often_as_there_are_looks() -> None:
    """Bonferroni over three looks: the parts of being wrong are those of the choice, summed, three times."""
    study = a_study(factor("a", 3))
    samples = samples_of(study, costs(10.0, 10.0, 10.05))
    x = samples.values(samples.objective)
    choice = choose(x, [], study.indifference, np.ones(3, np.bool_))
    verdict = judge(samples, study)
    assert 1e-4 < choice.wrong.sum() < 0.3
    assert verdict.decided == verdict.good == pytest.approx(1 - 3 * choice.wrong.sum())


def test_a_cheaper_rival_counts_by_the_chance_that_it_clearly_holds() -> None:
    """The cheaper one holds its limit of 4 with some chance, with 2 % to spare with less."""
    study = a_study(factor("a", 2), constraints=(Constraint(STUCK, 4.0),))
    stuck = [[4.4 + 0.5 * each for each in WOBBLE], [1.0 + 0.1 * each for each in WOBBLE]]
    figures = [{**of, STUCK: values} for of, values in zip(costs(10.0, 20.0), stuck, strict=True)]
    samples = samples_of(study, figures)
    known = held(np.array(stuck), study.constraints[0], study.indifference)
    verdict = judge(samples, study)
    assert verdict.best == 1
    assert 0.001 < known.clearly[0] < 0.7 * known.holds[0]
    assert verdict.good == pytest.approx(1 - 3 * known.clearly[0], abs=1e-6)
    assert verdict.correct == pytest.approx(1 - 3 * known.holds[0], abs=1e-6)
