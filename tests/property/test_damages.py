"""A damaged or edited store, result or answer is one line, exit 2, and nothing is lost: never a traceback.

``make`` tries a few; ``PACHSIM_EXAMPLES=500 pytest tests/property/test_damages.py`` as many of each.
"""

from __future__ import annotations

import os
import random
import shutil
from pathlib import Path
from typing import Any

import pytest

import sim
from sim.study.store import Store
from tests.commands import pachsim
from tests.property.damages import OF_FILES, OF_STORES, Damage

EXAMPLES = int(os.environ.get("PACHSIM_EXAMPLES", "25"))
SCENARIO = """
horizon: 2h
cluster: {eksctl: {managedNodeGroups: [{name: w, instanceTypes: [m5.2xlarge], minSize: 1, maxSize: 2}]}}
pipelines:
  - spec: {pipeline: {name: p}, input: {pfs: {repo: r, glob: "/*"}}, transform: {image: x, cmd: [sh]}}
    commits: {poisson: {per_hour: 4}}
    datums: {new_per_commit: 2}
    datum_time: 30s
"""
STUDY = """
base: s.yaml
vary: {"cluster.eksctl.managedNodeGroups[w].maxSize": [1, 2]}
budget: 8
explain: 0
"""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a result, an answer and a store."""
    folder = tmp_path_factory.mktemp("whole")
    (folder / "s.yaml").write_text(SCENARIO, encoding="utf-8")
    (folder / "study.yaml").write_text(STUDY, encoding="utf-8")
    run = pachsim(folder, "run", "s.yaml", "--replications", "2", "--out", "result")
    assert run.returncode == 0, run.stderr
    searched = pachsim(folder, "search", "study.yaml", "--workers", "1", "--store", "s.db", "--out", "answer")
    assert searched.returncode == 0, searched.stderr
    return folder


def damaged(whole: Path, name: str, draw: random.Random, damages: tuple[Damage, ...]) -> Path:
    """Return a copy of what was written in which one thing is damaged."""
    folder = whole.parent / f"damaged-{whole.name}"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(whole, folder)
    place = folder / name
    inside = [path for path in sorted(place.rglob("*")) if path.suffix not in {".csv", ".png"}]
    files = [path for path in inside if path.is_file()] if place.is_dir() else [place]
    draw.choice(damages)(draw, draw.choice(files))
    return folder


def seen_of_a_result(folder: Path) -> Any:
    result = sim.load_result(folder / "result")
    return (result.summary, result.bill.to_csv(), result.jobs.to_csv(), result.pods.to_csv())


def seen_of_an_answer(folder: Path) -> Any:
    return sim.load_winner(folder / "answer").name


def seen_of_a_store(folder: Path) -> Any:
    study = sim.open_study(folder / "s.db")
    return (study.about, study.configurations.to_csv(), study.half_widths.to_csv(), study.rounds.to_csv())


@pytest.mark.parametrize("seed", range(EXAMPLES))
@pytest.mark.parametrize(
    ("name", "seen", "damages"),
    [
        pytest.param("result", seen_of_a_result, OF_FILES, id="result"),
        pytest.param("answer", seen_of_an_answer, OF_FILES, id="answer"),
        pytest.param("s.db", seen_of_a_store, OF_STORES, id="store"),
    ],
)
def test_damaged(whole: Path, name: str, seen: Any, damages: tuple[Damage, ...], seed: int) -> None:
    folder = damaged(whole, name, random.Random(seed), damages)
    before = seen(whole)
    try:
        after = seen(folder)
    except sim.InputError as error:
        assert len(str(error).splitlines()) == 1  # noqa: PT017  # most are refused, and some do no harm
        return
    rows_were_deleted = name == "s.db"  # rows that are gone run again
    assert after == before or rows_were_deleted


@pytest.mark.parametrize("seed", range(EXAMPLES // 5))
def test_a_search_goes_on_with_a_damaged_store_or_says_so(whole: Path, seed: int) -> None:
    folder = damaged(whole, "s.db", random.Random(seed), OF_STORES)
    content = (folder / "s.db").read_bytes()
    search = ("search", "study.yaml", "--workers", "1", "--store", "s.db", "--resume", "--format", "json")
    done = pachsim(folder, *search)
    assert "Traceback" not in done.stderr
    if done.returncode == 2:
        assert len([line for line in done.stderr.splitlines() if not line.startswith("warning")]) == 1
        assert (folder / "s.db").read_bytes() == content
    else:
        assert done.stdout == pachsim(folder, *search[:4], "--format", "json").stdout


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE replications SET metrics='{}'",
        "UPDATE replications SET metrics='[['",
        "UPDATE replications SET metrics='[]'",
        "DELETE FROM about",
        "DELETE FROM about WHERE key='study'",
        "UPDATE replications SET configuration=x'00ff'",
    ],
)
def test_edited_stores(whole: Path, tmp_path: Path, statement: str) -> None:
    import sqlite3

    shutil.copy(whole / "s.db", tmp_path / "s.db")
    with sqlite3.connect(tmp_path / "s.db") as rows:
        rows.execute(statement)
    rows.close()
    with pytest.raises(sim.InputError, match="is a damaged store: "):
        _ = sim.open_study(tmp_path / "s.db").replications
    if "about" in statement:
        with pytest.raises(sim.InputError, match="is a damaged store: "):
            Store(tmp_path / "s.db", "study", resume=True)
