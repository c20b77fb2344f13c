"""``pachsim search`` as a user meets it: an answer, no answer, and from the answer to files."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

import sim
from sim.cli import app
from tests.conftest import PROJECT
from tests.e2e.conftest import Pachsim

EDGES = PROJECT / "studies" / "bases" / "edges.yaml"


def study(folder: Path, limit: str) -> Path:
    """Write a study of two widths and two places, of one day."""
    file = folder / "study.yaml"
    file.write_text(
        f"""
base: {EDGES}
set: {{horizon: 10h, warmup: 0s, "pipelines[edges].datumSetSpec.number": 16}}
vary:
  placement: {{edges: [workers, fargate-pachyderm]}}
  pipelines[edges].parallelismSpec.constant: [8, 12]
constraints: [{{metric: job_latency_p95_s, at_most: {limit}}}]
replications: 3
round: 12
indifference: 10%
budget: 14
explain: 0
""",
        encoding="utf-8",
    )
    return file


def test_from_the_question_to_the_files_of_an_alternative(pachsim: Pachsim, tmp_path: Path) -> None:
    done = pachsim("search", study(tmp_path, "2h"), "--workers", "1", "--out", tmp_path / "answer")
    assert done.returncode == 0, done.stderr
    assert "winner" in done.stdout.splitlines()[1].lower()
    assert "pipelines[edges].parallelismSpec.constant" in done.stdout
    assert "Not sure: " in done.stdout  # of fourteen replications
    assert "too little to tell which inputs matter" in done.stdout
    saved = {file.name for file in (tmp_path / "answer").iterdir()}
    assert saved == {"answer.json", "checksums.json", "configurations.csv", "pareto.png"}
    document = json.loads((tmp_path / "answer" / "answer.json").read_text(encoding="utf-8"))
    number = len(document["alternatives"])
    chosen = document["alternatives"][-1] if number else document["winner"]
    scenario = sim.load_winner(tmp_path / "answer", number)
    width = int(chosen["configuration"]["pipelines[edges].parallelismSpec.constant"])
    assert scenario.pipelines[0].pipeline.parallelism == width
    exported = pachsim(
        "export",
        tmp_path / "answer",
        "--alternative",
        f"{number}",
        "--replications",
        "1",
        "--out",
        tmp_path / "plan",
    )
    assert exported.returncode == 0, exported.stderr
    spec = json.loads((tmp_path / "plan" / "pipelines" / "edges.json").read_text(encoding="utf-8"))
    assert spec["parallelismSpec"] == {"constant": width}
    with pytest.raises(sim.InputError, match=f"alternative is 99; allowed: 0 to {number}"):
        sim.load_winner(tmp_path / "answer", 99)


def test_an_answer_that_is_not_sure_is_said_to_be_so(pachsim: Pachsim, tmp_path: Path) -> None:
    """Four configurations of which the budget allows three looks each, and ten replications of a winner."""
    file = study(tmp_path, "2h")
    unsure = file.read_text(encoding="utf-8").replace("replications: 3", "replications: 100")
    file.write_text(unsure, encoding="utf-8")
    done = pachsim("search", file, "--workers", "1")
    assert done.returncode == 0, done.stderr
    assert "Likeliest winner, not surely one" in done.stdout
    assert "Not sure: " in done.stdout
    assert "Right with a probability" not in done.stdout
    failed = pachsim("search", file, "--workers", "1", "--fail-on", "undecided", "--format", "json")
    assert failed.returncode == 1
    assert json.loads(failed.stdout)["undecided"] is True


def test_that_nothing_holds_the_target_is_an_answer(pachsim: Pachsim, tmp_path: Path) -> None:
    done = pachsim("search", study(tmp_path, "20s"), "--workers", "1", "--out", tmp_path / "answer")
    assert done.returncode == 1
    assert "No configuration holds the constraints" in done.stdout
    assert "where at most 20 is wanted; it would hold" in done.stdout
    with pytest.raises(sim.InputError, match="alternative is 0; allowed: none: no configuration holds"):
        sim.load_winner(tmp_path / "answer")


@pytest.mark.parametrize(
    ("holds", "undecided", "more", "code"),
    [
        pytest.param(True, False, (), 0, id="a winner"),
        pytest.param(True, True, (), 0, id="a likely winner"),
        pytest.param(True, True, ("--fail-on", "undecided"), 1, id="asked to be sure"),
        pytest.param(False, False, (), 1, id="surely none"),
        pytest.param(False, True, (), 0, id="none so far, and not sure: nothing is known to be missed"),
        pytest.param(False, True, ("--fail-on", "undecided"), 1, id="none so far, asked to be sure"),
    ],
)
def test_only_what_is_sure_or_asked_for_makes_the_exit_code_1(
    monkeypatch: pytest.MonkeyPatch, holds: bool, undecided: bool, more: tuple[str, ...], code: int
) -> None:
    answer = SimpleNamespace(holds=holds, document={"undecided": undecided, "warnings": []})
    monkeypatch.setattr(sim, "search", lambda *_, **__: answer)
    done = CliRunner().invoke(app, ["search", "study.yaml", "--format", "json", *more])
    assert done.exit_code == code, done.output


def test_what_is_wrong_is_said_before_anything_is_simulated(tmp_path: Path) -> None:
    file = study(tmp_path, "2h")
    with pytest.raises(
        sim.InputError, match=r"study\.yaml is a file: holds something else; allowed: a new or empty folder"
    ):
        sim.Answer.check_folder(file)
    with pytest.raises(sim.InputError, match="resume needs a store"):
        sim.search(file, resume=True)
    with pytest.raises(sim.InputError, match="budget is 0; allowed: 1 or more"):
        sim.search(file, budget=0)
