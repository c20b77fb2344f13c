"""A reduced ``make evidence``: the same parts, seeds and worlds, a fraction of the trials.

What has a threshold must meet it here too. `docs/evidence.md` shows the full figures.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

import pytest

from evidence import common_luck, coverage, fooled, search, selection
from evidence.adversaries import KINDS
from sim.study.workers import Workers

if TYPE_CHECKING:
    from evidence.record import Figure

S = TypeVar("S")
T = TypeVar("T")


class Here(Workers):
    """Does the work here, once it is sure that a pool of processes, which takes seconds, could do it too."""

    def __init__(self) -> None:
        super().__init__(count=1)

    def run(self, work: Callable[[S], T], items: Sequence[S]) -> Iterator[tuple[S, T]]:
        """Yield each item with what ``work`` made of it."""
        return super().run(pickle.loads(pickle.dumps(work)), items)


@pytest.fixture(autouse=True)
def no_pools(monkeypatch: pytest.MonkeyPatch) -> None:
    for part in (common_luck, coverage, fooled, search, selection):
        monkeypatch.setattr(part, "Workers", Here)


def met(figures: Iterator[Figure]) -> int:
    """Return how many figures have a threshold, all of them met."""
    held = [(each, each.value >= each.at_least) for each in figures if each.at_least is not None]
    assert [each for each, enough in held if not enough] == []
    return len(held)


@pytest.mark.slow
def test_coverage_of_intervals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coverage, "QUICK", 6)
    assert met(coverage.figures(quick=True)) == 9


@pytest.mark.slow
def test_the_cut_by_common_random_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(common_luck, "QUICK", 12)
    monkeypatch.setattr(common_luck, "DAY", ("horizon=12h", "warmup=0s"))
    monkeypatch.setattr(common_luck, "ELSEWHERE", ())
    assert met(common_luck.figures(quick=True)) == 4


@pytest.mark.slow
def test_the_selection_of_the_best(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selection, "QUICK_RUNS", 3)
    assert met(selection.figures(quick=True)) == 3


@pytest.mark.slow
def test_the_search_of_a_thousand(monkeypatch: pytest.MonkeyPatch) -> None:
    """With so small a budget, a search without its sampler or with another ranking is not right."""
    monkeypatch.setattr(search, "PROBLEMS", search.PROBLEMS[:1])
    monkeypatch.setattr(search, "BUDGET", 300)
    monkeypatch.setattr(search, "QUICK_SEEDS", range(3, 5))
    monkeypatch.setattr(search, "QUICK_REPLICATIONS", 2)
    assert met(search.figures(quick=True)) == 3


@pytest.mark.slow
def test_what_cannot_be_fooled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fooled, "QUICK_RUNS", 1)
    monkeypatch.setattr(fooled, "MOST_FOOLED", 0)
    few = ("overload", "night", "growing", "survivors")
    monkeypatch.setattr(fooled, "KINDS", {kind: KINDS[kind] for kind in few})
    assert met(fooled.figures(quick=True)) == 1
