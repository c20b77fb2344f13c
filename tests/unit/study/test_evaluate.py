"""Evaluators: the order asked, whoever does the work; nothing is run twice; versions that do not fit."""

from __future__ import annotations

import random
import re
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from sim.errors import InputError, SimError
from sim.model.scenario import Assumption, Origin
from sim.study import evaluate as module
from sim.study.evaluate import evaluator, in_process
from sim.study.store import Store
from sim.study.versions import said, versions
from tests.unit.study.tasks import answer, tasks, text


@pytest.fixture(scope="module")
def expected() -> str:
    return answer(in_process)


def test_metrics_come_in_the_order_asked() -> None:
    asked = tasks()
    random.Random(5).shuffle(asked)
    by_task = {
        (task.configuration, task.replication): tree
        for task, tree in zip(tasks(), in_process(tasks()), strict=True)
    }
    with ThreadPoolExecutor(3) as threads, evaluator("study", executor=threads) as evaluate:
        assert text(evaluate(asked)) == text(
            [by_task[task.configuration, task.replication] for task in asked]
        )


@pytest.mark.parametrize("stored", [False, True], ids=["without a store", "with a store"])
@pytest.mark.parametrize("threads", [0, 1, 4])
def test_the_answer_is_the_same_whoever_does_the_work(
    tmp_path: Path, expected: str, threads: int, stored: bool
) -> None:
    store = tmp_path / "study.db" if stored else None
    executor: Executor | None = ThreadPoolExecutor(threads) if threads else None
    with evaluator("study", workers=1, executor=executor, store=store) as evaluate:
        assert answer(evaluate) == expected
    if executor is not None:
        executor.shutdown()


def test_what_is_in_the_store_is_not_run_again(
    tmp_path: Path, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> None:
        raise AssertionError

    with evaluator("study", store=tmp_path / "study.db", workers=1) as evaluate:
        answer(evaluate)
    monkeypatch.setattr(module, "outcome", never)
    with evaluator("study", store=tmp_path / "study.db", workers=1, resume=True) as evaluate:
        assert answer(evaluate) == expected


def test_a_changed_scenario_is_run_and_what_is_said_about_it_does_not_matter(tmp_path: Path) -> None:
    (task,) = tasks(1, [0])
    said = replace(
        task.scenario,
        question="?",
        warnings=("w",),
        assumptions=(Assumption("a", "b", "c"),),
        origin=Origin({}),
    )
    changed = replace(task.scenario, horizon_us=300_000_000)
    path = tmp_path / "study.db"
    with evaluator("study", store=path, workers=1) as evaluate:
        first = text(evaluate([task]))
        assert text(evaluate([replace(task, scenario=said)])) == first
        other = [replace(task, scenario=changed), replace(task, seed=2)]
        assert text(evaluate(other)) == text(in_process(other))
    with Store(path, "study", resume=True) as store:
        assert len(store) == 3


def test_a_worker_of_another_version_is_refused() -> None:
    here = re.escape(said(versions()))
    with pytest.raises(
        SimError, match=rf"a worker runs {here}; allowed: pachsim 0\.0\.1 with numpy 2, as here"
    ):
        module._metrics(("0.0.1", "2"), (0, tasks(1, [0])[0]))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"workers": 0}, "workers is 0; allowed: 1 or more"),
        ({"resume": True}, "resume needs a store; allowed: with --store FILE"),
    ],
    ids=str,
)
def test_what_cannot_be_asked(options: dict[str, int], message: str) -> None:
    with pytest.raises(InputError) as raised, evaluator("study", **options):  # type: ignore[arg-type] # they differ in type
        pass
    assert str(raised.value) == message
