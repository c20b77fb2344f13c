"""The search as a whole, where the truth is known because it was made up."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from sim.errors import InputError
from sim.model.scenario import Scenario, WarmUp
from sim.model.study import Constraint, Study
from sim.report.metrics import Tree
from sim.study.evaluate import Task, in_process
from sim.study.search import Answer, search
from sim.study.search.rounds import LOOK
from tests.unit.study.search.queues import queue_study
from tests.unit.study.search.worlds import Drawn, a_study, factor

LATENCY = "job_latency_p95_s"


def bowl(chosen: dict[str, int]) -> dict[str, float]:
    """Return the cost of a configuration, smallest at a = 3, and a latency that falls with a."""
    return {"cost_usd_per_day": 50 + 1.5 * abs(chosen["a"] - 3), LATENCY: 1000 / (chosen["a"] + 1)}


def answer(study: Study, shared: float = 1.0, own: float = 0.5) -> Answer:
    return search(study, Drawn(bowl, shared, own))


def test_the_cheapest_wins_where_nothing_is_in_its_way() -> None:
    document = answer(a_study(factor("a", 8)), own=1.0).document
    assert document["winner"]["configuration"] == {"a": "3"}
    assert document["stopped_because"] in {"confidence", "indifference"}
    assert document["probability_of_correct_selection"] >= 0.95
    assert document["evaluated"]["replications"] < 2000


def test_the_winner_is_replicated_until_its_figures_are_as_precise_as_asked() -> None:
    """The day's luck is most of the deviation, so that a choice is sure long before a mean is precise."""
    study = a_study(factor("a", 8), constraints=(Constraint(LATENCY, 400.0),))
    rough = answer(study, shared=5.0).document
    fine = answer(replace(study, precision=0.01), shared=5.0).document
    assert fine["winner"]["configuration"] == rough["winner"]["configuration"] == {"a": "3"}
    assert fine["stopped_because"] != "budget"
    asked = 0.01 / 1.01
    for name in ("cost_usd_per_day", LATENCY):
        low, high = fine["metrics"][name]["ci95"]
        assert (high - low) / 2 <= asked * fine["metrics"][name]["mean"]
    low, high = rough["metrics"]["cost_usd_per_day"]["ci95"]
    assert (high - low) / 2 > asked * rough["metrics"]["cost_usd_per_day"]["mean"]


def test_a_precision_out_of_reach_ends_with_the_budget_and_leaves_the_answer_sure() -> None:
    study = replace(a_study(factor("a", 8)), precision=1e-6, budget=400)
    document = answer(study, shared=5.0).document
    assert document["stopped_because"] in {"confidence", "indifference"}
    assert document["evaluated"]["replications"] <= 400


def test_a_constraint_moves_the_winner_and_its_margin_is_told() -> None:
    study = a_study(factor("a", 8), constraints=(Constraint(LATENCY, 180.0),))  # a = 5 has 167, a = 4 has 200
    winner = answer(study, shared=5.0, own=5.0).document["winner"]
    assert winner["configuration"] == {"a": "5"}
    assert winner["constraints"][0]["margin"] == pytest.approx(1 - 1000 / 6 / 180, abs=0.02)
    assert winner["holds_probability"] > 0.95


def test_a_constraint_in_most_replications_asks_for_more_room() -> None:
    constraint = Constraint(LATENCY, 180.0, probability=0.9)
    document = answer(a_study(factor("a", 8), constraints=(constraint,)), shared=5.0, own=15.0).document
    assert document["winner"]["configuration"] == {"a": "6"}  # 143, and 180 is more than two deviations away


def test_that_no_configuration_holds_is_an_answer_with_what_it_would_take() -> None:
    found = answer(a_study(factor("a", 8), constraints=(Constraint(LATENCY, 60.0),)), own=1.0)
    document = found.document
    assert not found.holds
    assert document["winner"] is None
    assert document["probability_of_correct_selection"] >= 0.95
    assert document["nearest_miss"]["configuration"] == {"a": "7"}
    limit, end = document["nearest_miss"]["what_it_would_take"]
    assert re.fullmatch(r"job_latency_p95_s is 12\S+ where at most 60 is wanted; it would hold 12\S+", limit)
    assert end == "a is at the largest value of the study, 7: what lies beyond was not tried"
    with pytest.raises(InputError, match="alternative is 0; allowed: none"):
        found.scenario()


def test_alternatives_are_nearly_as_cheap_and_say_what_differs() -> None:
    def flat(chosen: dict[str, int]) -> dict[str, float]:
        return {"cost_usd_per_day": 50.0 + 0.4 * chosen["a"] + 10 * chosen["b"], LATENCY: 1.0}

    found = search(a_study(factor("a", 3), factor("b", 2)), Drawn(flat, own=0.1))
    alternatives = found.document["alternatives"]
    assert [(each["number"], each["differs"]) for each in alternatives] == [
        (1, ["a 1 instead of 0"]),
        (2, ["a 2 instead of 0"]),
    ]
    assert found.scenario(2).name == "a=2 b=0"


def test_invalid_configurations_are_counted_by_reason() -> None:
    document = answer(a_study(factor("a", 8), factor("b", 2), invalid="b=1")).document
    assert document["pruned"] == {
        "configurations": 8,
        "reasons": [{"reason": "cannot have b=1", "configurations": 8}],
    }
    with pytest.raises(
        InputError, match="no configuration that can be simulated; of 1 looked at, 1: cannot have a=0"
    ):
        answer(a_study(factor("a", 1), invalid="a=0"))


def test_the_budget_ends_a_search_that_is_not_sure() -> None:
    document = answer(a_study(factor("a", 8), budget=100, indifference=0.001), own=20.0).document
    assert document["stopped_because"] == "budget"
    assert document["evaluated"]["replications"] == 100


def valley(chosen: dict[str, int]) -> dict[str, float]:
    off = [chosen["a"] - 7, chosen["b"] - 2]
    cost = 50 + off[0] ** 2 + off[1] ** 2 + (off[0] + off[1]) ** 2 / 2 + (4 if chosen["c"] != 5 else 0)
    return {"cost_usd_per_day": cost, LATENCY: 1.0}


def test_a_large_space_is_searched_without_looking_at_most_of_it() -> None:
    study = a_study(factor("a", 12), factor("b", 12), factor("c", 10, ordered=False), budget=900)
    found = search(study, Drawn(valley, own=0.5))
    winner = found.document["winner"]["configuration"]
    assert valley({name: int(value) for name, value in winner.items()})["cost_usd_per_day"] <= 51.0
    assert found.document["evaluated"]["configurations"] < 400 < found.document["evaluated"]["of"]


def test_a_search_asks_for_each_replication_once_and_always_in_the_same_order() -> None:
    study = a_study(factor("a", 12), factor("b", 12), factor("c", 10, ordered=False), budget=400, seed=3)
    first, second = Drawn(valley), Drawn(valley)
    assert search(study, first).document == search(study, second).document
    asked = [(task.configuration, task.replication) for task in first.asked]
    assert asked == [(task.configuration, task.replication) for task in second.asked]
    assert len(set(asked)) == len(asked)


def test_a_large_space_with_few_valid_configurations_is_searched_all_the_same() -> None:
    study = a_study(factor("a", 20), factor("b", 20, ordered=False), budget=90)
    only = replace(study, configure=_only(study))
    document = search(only, Drawn(lambda chosen: {"cost_usd_per_day": 50.0 + chosen["a"]}, own=0.1)).document
    assert document["winner"]["configuration"]["b"] == "3"
    assert document["pruned"]["configurations"] > 100


def _only(study: Study) -> Callable[[tuple[str, ...]], Scenario]:
    """Return what refuses all configurations but those of one choice."""

    def configure(sets: tuple[str, ...]) -> Scenario:
        if "b=3" not in sets:
            raise InputError("has another b")
        return study.configure(sets)

    return configure


def test_a_warm_up_that_is_found_is_the_same_for_all_configurations() -> None:
    study = queue_study(range(2, 4), 0.1, horizon_s=600, budget=12, explain=0.0)
    seen: set[tuple[int, WarmUp]] = set()

    def evaluate(tasks: Sequence[Task]) -> list[Tree]:
        seen.update((task.scenario.warmup_us, task.scenario.warmup_is) for task in tasks)
        return in_process(tasks)

    def sought(sets: tuple[str, ...]) -> Scenario:
        return replace(study.configure(sets), warmup_is=WarmUp.AUTO)

    document = search(replace(study, configure=sought), evaluate).document
    ((warmup_us, warmup_is),) = seen
    assert warmup_is in {WarmUp.FOUND, WarmUp.NOT_FOUND}
    assert document["warmup_s"] == warmup_us / 1e6
    assert document["warmup_found"] is (warmup_is is WarmUp.FOUND)


@pytest.mark.parametrize("budget", [1, 3, 10, 47])
def test_no_search_spends_more_than_its_budget(budget: int) -> None:
    study = a_study(factor("a", 12), factor("b", 12), budget=max(budget, LOOK))
    drawn = Drawn(lambda chosen: {"cost_usd_per_day": 50.0 + chosen["a"] + chosen["b"]})
    search(study, drawn)
    assert len(drawn.asked) == max(budget, LOOK)


def test_that_none_holds_is_said_after_the_neighbours_of_the_nearest_miss() -> None:
    study = a_study(factor("a", 400), constraints=(Constraint(LATENCY, 1.0),), budget=300, round=12)
    found = answer(study, shared=0.1, own=0.1)
    miss = found.document["nearest_miss"]["configuration"]["a"]
    assert {int(miss) - 1, int(miss) + 1} & set(range(400)) <= {int(a) for a in found.table["a"]}
