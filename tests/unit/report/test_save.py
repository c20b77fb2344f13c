"""Saved results: what comes back is what went in, and a failed save leaves nothing behind."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sim.errors import InputError
from sim.model.log import TABLES
from sim.report import save as module
from sim.report.metrics import Tree, measure
from sim.report.save import Saved, load, save
from sim.report.summary import summarise
from tests.unit.report.worlds import RandomWorld, a_scenario

EXPECTED = [
    "autoscaler.csv", "bill.csv", "bill.png", "checksums.json", "first.png", "jobs.csv", "log", "nodes.csv",
    "pods.csv", "replications.json", "scenario.yaml", "summary.json", "timeline.png", "waits.csv",
    "waits.png",
]  # fmt: skip


def saved(folder: Path, seed: int = 1) -> tuple[Saved, Saved]:
    """Save a random world; return what went in and what comes back."""
    log = RandomWorld(seed).log()
    scenario = replace(a_scenario(log), name="縁")  # matplotlib's own font has no such letter
    trees: dict[int, Tree] = {0: measure(log, scenario)}
    document = summarise(scenario, 1, list(trees.values()))
    result = Saved(document, trees, log)
    save(folder, scenario, result, {"scenario.yaml": b"name: by hand\n"})
    return result, load(folder)


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Save without pictures, which take most of the time."""
    monkeypatch.setattr(module, "_save_pictures", lambda *_: None)


def same(one: Tree, other: Tree) -> bool:
    return repr(one) == repr(other)


def test_round_trip(tmp_path: Path) -> None:
    before, after = saved(tmp_path / "new" / "result")
    assert after.document == before.document
    assert same(after.replications[0], before.replications[0])
    assert after.log.names == before.log.names
    assert (after.log.horizon_us, after.log.warmup_us) == (before.log.horizon_us, before.log.warmup_us)
    for name in TABLES:
        assert np.array_equal(after.log[name].rows(), before.log[name].rows())
    assert sorted(path.name for path in (tmp_path / "new" / "result").iterdir()) == EXPECTED


def test_what_json_has_no_number_for_comes_back() -> None:
    tree: Tree = {"slo": {"0": {"latency_s": math.inf, "share_within": math.nan}}, "metrics": {"a": 1.5}}
    kept = module.plain(tree)
    assert json.loads(json.dumps(kept, allow_nan=False)) == kept
    assert same(module.numbers(kept), tree)


@pytest.mark.usefixtures("undrawn")
def test_an_earlier_result_is_replaced_and_nothing_else_is(tmp_path: Path) -> None:
    folder = tmp_path / "result"
    saved(folder, seed=1)
    (folder / "stale.txt").write_text("from before")
    before, after = saved(folder, seed=2)
    assert after.document == before.document
    assert not (folder / "stale.txt").exists()
    other = tmp_path / "thesis"
    other.mkdir()
    (other / "summary.json").write_text("mine too")
    (other / "chapter.txt").write_text("mine")
    with pytest.raises(InputError, match="holds something else; allowed: a new or empty folder"):
        saved(other)
    assert sorted(path.name for path in other.iterdir()) == ["chapter.txt", "summary.json"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["result", "thesis"]


@pytest.mark.usefixtures("undrawn")
def test_a_failed_save_leaves_the_earlier_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "result"
    before, _ = saved(folder)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "_save_pictures", full)
    with pytest.raises(InputError, match="cannot be written: No space left on device"):
        saved(folder, seed=2)
    assert load(folder).document == before.document
    assert [path.name for path in tmp_path.iterdir()] == ["result"]


@pytest.mark.usefixtures("undrawn")
def test_a_folder_that_is_no_result(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is no result of a run"):
        load(tmp_path)
    saved(tmp_path / "result")
    (tmp_path / "result" / "summary.json").write_text("{")
    with pytest.raises(InputError, match="is a damaged result"):
        load(tmp_path / "result")
