"""``docs/studies.md``, the schema of studies and the keys of an answer say what there is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from sim.loader.study_reference import PAGE, SCHEMA_FILE, printed_schema, with_table
from sim.model.study import Constraint
from sim.study.evaluate import in_process
from sim.study.search import search
from tests.conftest import PROJECT
from tests.unit.study.search.queues import queue_study

FOLDER = PROJECT / "studies"
STALE = "run `python -m sim.loader.study_reference studies`"
CHOSEN_BY_USER = {"configuration", "metrics"}
ELSEWHERE = {"mean", "ci95", "pod_start_p95_s", "cost_usd_per_day"}


def test_the_table_of_keys_is_current() -> None:
    page = (FOLDER / PAGE).read_text(encoding="utf-8")
    assert page == with_table(page), STALE


def test_the_schema_is_current() -> None:
    assert (FOLDER / SCHEMA_FILE).read_text(encoding="utf-8") == printed_schema(), STALE


def keys(tree: Any) -> Iterator[str]:
    if isinstance(tree, Mapping):
        for key, branch in tree.items():
            yield key
            if key not in CHOSEN_BY_USER:
                yield from keys(branch)
    elif isinstance(tree, list):
        for each in tree:
            yield from keys(each)


def test_every_key_of_an_answer_is_described_and_every_description_has_its_key() -> None:
    section = (
        (PROJECT / "docs" / "json.md").read_text(encoding="utf-8").partition("## The document of search")[2]
    )
    section = section.partition("\n## ")[0]
    cells = re.findall(r"^\| (`.*?) \|(.*)\|$", section, flags=re.MULTILINE)
    described = {name for cell, _ in cells for name in re.findall(r"`([a-z0-9_]+)`", cell)}
    in_words = {name for _, cell in cells for name in re.findall(r"`([a-z0-9_]+)`", cell)}
    found: set[str] = set()
    study = queue_study(range(2, 5), 0.12, horizon_s=60, budget=600, explain=0.8, indifference=0.5)
    for constraint in (
        Constraint("pod_start_p95_s", 30.0),
        Constraint("pod_start_p95_s", 1e-9, probability=0.9),
        Constraint("pod_start_p95_s", 1e-9, at_least=True),
    ):
        asked = replace(study, constraints=(constraint,), explain=0.8 if constraint.limit > 1 else 0.0)
        found |= set(keys(search(asked, in_process).document))
    assert described <= found
    assert found - ELSEWHERE <= described | in_words
