"""docs/evidence.md shows the last run of each part as it was recorded, and nothing fell short in it."""

from __future__ import annotations

import csv
from collections.abc import Iterator

import pytest

from tests.conftest import PROJECT

PAGE = (PROJECT / "docs" / "evidence.md").read_text(encoding="utf-8")
with (PROJECT / "evidence" / "results.csv").open(encoding="utf-8") as results:
    ROWS = list(csv.DictReader(results))


def last(part: str) -> dict[str, dict[str, str]]:
    """Return the figures of the last run of a part, by name."""
    rows = [row for row in ROWS if row["part"] == part]
    return {row["name"]: row for row in rows if row["started"] == rows[-1]["started"]}


def coverage() -> Iterator[str]:
    figures = last("coverage")
    for name, held in figures.items():
        of, _, what = name.rpartition(", ")
        if what == "held":
            world, _, figure = of.partition(": ")
            counts = [held, figures[f"{of}, truth above"], figures[f"{of}, truth below"]]
            yield " | ".join(["", world, figure, *(f"{float(row['value']):,.0f}" for row in counts)]).strip()


def common_luck() -> Iterator[str]:
    figures = last("common_luck")
    for name, cost in figures.items():
        pair, _, figure = name.partition(": ")
        if figure == "cost":
            cuts = [float(row["value"]) for row in (cost, figures[f"{pair}: p95 latency"])]
            yield f"| {pair} | {cuts[0]:,.3g}x | {_many(cuts[1])}x |"


def selection() -> Iterator[str]:
    figures = last("selection")
    for name, right in figures.items():
        problem, _, what = name.partition(": ")
        if what == "right":
            spent = float(figures[f"{problem}: replications of a search"]["value"])
            yield f"| {problem} | {float(right['value']):.0f} | {spent:.3g} |"


def search() -> Iterator[str]:
    figures = last("search")
    for name, size in figures.items():
        problem, _, what = name.partition(": ")
        if what == "configurations":
            right = float(figures[f"{problem}: searches within 2 %"]["value"])
            saved = float(figures[f"{problem}: replications not spent"]["value"])
            yield f"| {problem} | {float(size['value']):,.0f} | {right:.0f} | {saved:.1%} |"


def _many(cut: float) -> str:
    return f"{cut:,.0f}" if cut >= 1_000 else f"{cut:.3g}"


@pytest.mark.parametrize("row", [*coverage(), *common_luck(), *selection(), *search()])
def test_every_row_is_as_recorded(row: str) -> None:
    assert row in PAGE


@pytest.mark.parametrize("part", ["coverage", "common_luck", "selection", "search"])
def test_nothing_fell_short(part: str) -> None:
    assert [name for name, row in last(part).items() if row["holds"] == "SHORT"] == []
