"""docs/json.md names every key that a document has, and no other."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from sim.model.metrics import METRICS, Part
from sim.model.scenario import Slo
from sim.report.metrics import measure
from sim.study.compare import Comparison
from sim.study.result import Result
from tests.conftest import PROJECT
from tests.unit.report.worlds import RandomWorld, a_scenario

PAGE = (PROJECT / "docs" / "json.md").read_text(encoding="utf-8")
PARTS = dict(re.findall(r"^## ([^\n]*)\n(.*?)(?=^## |\Z)", PAGE, flags=re.MULTILINE | re.DOTALL))
NAMED_BY_USER = {"pipelines", "pods", "sources_usd"}
OTHER_DOCUMENTS = {"The document of compare", "The document of search"}


def document() -> dict[str, Any]:
    log = RandomWorld(1).log()
    asked = ("job_share_within_900_s", "pod_share_within_900_s")
    scenario = replace(a_scenario(log), slos=(Slo(0.95, 900.0),), measured=asked)
    return Result(scenario, 1, {0: measure(log, scenario)}, log).summary


def comparison() -> dict[str, Any]:
    logs = [RandomWorld(seed).log() for seed in (1, 2)]
    scenarios = [
        replace(a_scenario(log), name=name, slos=(Slo(0.95, 900.0),))
        for log, name in zip(logs, "ab", strict=True)
    ]
    measured = [
        {n: measure(log, scenario) for n in range(2)} for log, scenario in zip(logs, scenarios, strict=True)
    ]
    results = map(Result, scenarios, [1, 1], measured, logs)
    return Comparison(list(results)).summary


def keys(tree: Mapping[str, Any], named_by_user: bool = False) -> Iterator[str]:
    """Yield the keys of a document, those inside figures and chosen by the user left out."""
    for key, branch in tree.items():
        if not named_by_user:
            yield key
        if isinstance(branch, Mapping) and "ci95" not in branch:
            yield from keys(branch, key in NAMED_BY_USER)
        elif isinstance(branch, list):
            for each in branch:
                if isinstance(each, Mapping):
                    yield from keys(each)


def described(text: str) -> set[str]:
    """Return what the first column of the tables of some text names."""
    cells = re.findall(r"^\| (`.*?) \|", text, flags=re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`([a-z0-9_]+)`", cell)}


def test_every_key_is_described_and_every_description_has_its_key() -> None:
    text = "".join(part for title, part in PARTS.items() if title not in OTHER_DOCUMENTS)
    assert set(keys(document())) == described(text) | {"cost_usd"}


def test_every_key_of_a_comparison_is_described() -> None:
    found = comparison()
    rows = [row for name in ("differences", "best") for row in found[name]]
    said = {*found, *(key for row in rows for key in row)}
    assert said == described(PARTS["The document of compare"])


@pytest.mark.parametrize(
    "name",
    [
        "cost_usd_per_day",
        "cost_usd_per_month",
        "cost_usd_per_1000_datums",
        "job_latency_mean_s",
        "job_latency_p50_s",
        "job_latency_p95_s",
        "job_latency_p99_s",
        "jobs_completed",
        "jobs_unfinished",
        "jobs_failed",
        "datums_processed",
        "datums_lost",
        "pod_start_p50_s",
        "pod_start_p95_s",
        "peak_nodes",
        "mean_nodes",
        "peak_workers",
        "mean_workers",
        "node_hours",
        "fargate_pod_hours",
    ],
)
def test_what_was_promised_is_there(name: str) -> None:
    assert set(document()["metrics"][name]) - {"at_least", "endless"} == {"mean", "ci95"}


def test_every_metric_stands_in_the_table_with_its_meaning() -> None:
    rows = [metric for metric in METRICS if Part.ALL in metric.of]
    for metric in rows:
        names = metric.names or (metric.name.format(900),)
        assert f"| {', '.join(f'`{name}`' for name in names)} | {metric.meaning} |\n" in PARTS["metrics"]


@pytest.mark.parametrize("key", ["at_least", "endless", "replications_without"])
def test_what_a_figure_says_where_it_is_not_known_is_described(key: str) -> None:
    assert key in described(PAGE.partition("## Top level")[0])
