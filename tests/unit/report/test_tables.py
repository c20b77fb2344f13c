"""Text tables: how figures read, and what is shown."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sim.model.scenario import Prices, Slo
from sim.report.metrics import measure
from sim.report.summary import summarise
from sim.report.tables import TextTable, number, text_tables, time, usd, with_interval
from tests.unit.report.worlds import World, a_class, a_scenario


def figure(mean: float | None, low: float | None = None, high: float | None = None) -> dict[str, Any]:
    return {"mean": mean, "ci95": [low, high]}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (usd(1234.5), "1,234.50"),
        (usd(0.0123456), "0.0123"),
        (number(12_345.6), "12,346"),
        (number(1.23456), "1.235"),
        (time(figure(95.25)), "95.2 s"),
        (time(figure(600.0, 540.0, 660.0)), "10 [9, 11] min"),
        (time(figure(7200.0)), "2 h"),
        (time(figure(None)), "–"),
        (with_interval(figure(6.0, 6.0, 6.0), number), "6"),
    ],
)
def test_figures_read_well(text: str, expected: str) -> None:
    assert text == expected


def tables(pipelines: int = 2) -> dict[str, TextTable]:
    trees = []
    for extra in range(2):
        world = World(horizon_s=86_400)
        node = world.node(ready=0)
        for n in range(pipelines):
            w = world.pod(a_class("w"), f"p{n}", 5, node, bound=5, running=20)
            job = world.job(f"p{n}", 0, inputs_ready=0, admitted=20, started=20, success=600 + 60 * extra)
            world.claim(world.task(job, 20), w, 20, 500)
        log = world.log()
        scenario = replace(a_scenario(log, prices=Prices(nat_gateways=0)), slos=(Slo(0.95, 900.0, "p0"),))
        trees.append(measure(log, scenario))
    return {table.title: table for table in text_tables(summarise(scenario, 1, trees))}


def test_what_a_run_shows() -> None:
    found = tables()
    assert found["Cost"].rows[0] == ("per day", "11.04"), "0.36 + 0.10 $/h for 24 hours"
    jobs = {row[0]: row[1:] for row in found["Jobs"].rows}
    assert jobs["p1"][:4] == ("1", "0", "0", "10.5 [4.15, 16.9] min"), "t(1) is 12.7 times 0.5 minutes"
    assert jobs["all"][0] == "2"
    uses = {row[0]: row[2] for row in found["What the money was for"].rows}
    assert uses["system"] == "21.7%", "0.10 of 0.46"
    assert found["Where a completed job's time went, mean"].columns == ("", "p0", "p1")
    (target,) = found["Targets"].rows
    assert (target[0], target[3]) == ("p0: p95 at most 15 min", "uncertain")


def test_waits_of_many_pipelines_are_shown_together() -> None:
    assert tables(7)["Where a completed job's time went, mean"].columns == ("", "all jobs")


@pytest.mark.parametrize("title", ["Jobs", "Targets", "Where a completed job's time went, mean"])
def test_tables_without_rows_are_left_out(title: str) -> None:
    log = World().log()
    scenario = a_scenario(log)
    assert title not in {
        table.title for table in text_tables(summarise(scenario, 1, [measure(log, scenario)]))
    }
