"""A result on disk and back, and a scenario exactly as it was."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

import sim
from sim.errors import InputError
from sim.study.executors import process_pool
from sim.study.model_json import from_json, to_json
from tests.conftest import PROJECT

SCENARIOS = sorted((PROJECT / "scenarios").glob("*.yaml"))
FARGATE = PROJECT / "scenarios" / "edges-fargate.yaml"
SHORT = ("horizon=1d", "warmup=0s")


@pytest.fixture(scope="module")
def result() -> sim.Result:
    return sim.replicate(sim.load(FARGATE, [*SHORT, "pipelines[edges].parallelismSpec.constant=3"]), 2)


@pytest.fixture(scope="module")
def saved(result: sim.Result, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a result, to be read or copied."""
    folder = tmp_path_factory.mktemp("saved") / "out"
    result.save(folder)
    return folder


@pytest.mark.parametrize("file", SCENARIOS, ids=lambda file: file.stem)
def test_a_scenario_is_the_same_after_json(file: Path) -> None:
    scenario = sim.load(file)
    assert from_json(json.loads(json.dumps(to_json(scenario), allow_nan=False))) == scenario


@pytest.mark.parametrize(
    "start",
    [
        datetime(2026, 1, 5, tzinfo=ZoneInfo("America/New_York")),
        datetime(2026, 1, 5, tzinfo=timezone(timedelta(hours=-5))),
        datetime(2026, 1, 5, tzinfo=UTC),
    ],
    ids=str,
)
def test_a_time_keeps_its_zone_and_its_clock_changes(start: datetime) -> None:
    again = from_json(to_json(start))
    assert again == start
    assert again + timedelta(days=180) == start + timedelta(days=180)
    assert (again + timedelta(days=180)).utcoffset() == (start + timedelta(days=180)).utcoffset()


def test_infinity_and_sets_are_the_same_after_json() -> None:
    for value in (float("inf"), float("-inf"), frozenset({"cpu", "disk"}), (1, (2.5, None), "a", True)):
        assert from_json(json.loads(json.dumps(to_json(value), allow_nan=False))) == value


def test_a_pool_of_processes_gives_the_same_numbers() -> None:
    scenario = sim.load(FARGATE, SHORT)
    with process_pool(2) as pool:
        pooled = sim.replicate(scenario, 4, executor=pool)
    assert json.dumps(pooled.summary) == json.dumps(sim.replicate(scenario, 4).summary)


def test_why_a_job_took_its_time_adds_up_to_its_latency(result: sim.Result) -> None:
    job = int(result.jobs["latency_s"].argmax())
    why = result.why(job)
    assert why["seconds"].sum() == pytest.approx(result.jobs["latency_s"][job], abs=1e-6)
    with pytest.raises(InputError, match="job is -1; allowed: 0 to"):
        result.why(-1)


def test_a_saved_result_is_loaded_as_it_was(result: sim.Result, saved: Path) -> None:
    again = sim.load_result(saved)
    assert again.scenario == result.scenario
    assert again.summary == result.summary
    assert json.dumps(again.replications) == json.dumps(result.replications)
    assert again.jobs.equals(result.jobs)
    assert again.pods.equals(result.pods)
    assert again.bill.equals(result.bill)
    assert sim.load(saved / "scenario.json") == result.scenario
    names = {path.name for path in saved.iterdir()}
    assert {"summary.json", "timeline.png", "waits.png", "bill.png", "jobs.csv", "log"} <= names


def test_a_scenario_changed_in_python_is_saved_as_it_was_run(tmp_path: Path) -> None:
    scenario = replace(sim.load(FARGATE, SHORT), name="changed")
    sim.simulate(scenario).save(tmp_path / "out")
    assert sim.load_result(tmp_path / "out").scenario.name == "changed"


def test_pictures_are_matplotlib_figures(result: sim.Result) -> None:
    for figure in (result.plot.timeline(), result.plot.waits(), result.plot.bill()):
        assert type(figure).__name__ == "Figure"


@pytest.mark.parametrize("damage", ["nothing there", "no model", "a class there is not", "half a file"])
def test_what_is_no_result_is_one_line(tmp_path: Path, saved: Path, damage: str) -> None:
    folder = tmp_path / "out"
    if damage != "nothing there":
        shutil.copytree(saved, folder)
    model = folder / "model.json"
    if damage == "no model":
        model.unlink()
    if damage == "a class there is not":
        model.write_text('{"is": "os.system"}', encoding="utf-8")
    if damage == "half a file":
        model.write_text(model.read_text(encoding="utf-8")[:100], encoding="utf-8")
    with pytest.raises(InputError, match="out") as raised:
        sim.load_result(folder)
    assert "\n" not in str(raised.value)


def test_a_folder_with_other_things_is_left_alone(tmp_path: Path, result: sim.Result) -> None:
    (tmp_path / "thesis.tex").write_text("years of work", encoding="utf-8")
    with pytest.raises(InputError, match="holds something else"):
        result.save(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]
