"""Studies that are killed at random times and resumed give the answer of one that was left alone."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from multiprocessing import get_context
from pathlib import Path

import pytest

from sim.errors import InputError
from sim.study.evaluate import evaluator, in_process
from sim.study.store import Store
from tests.conftest import PROJECT
from tests.e2e.watching import wait_for
from tests.unit.study.tasks import answer

KILLS = 20
ROUNDS, CONFIGURATIONS = 4, 2
ON_A_POOL = """
import sys
from sim.study.evaluate import evaluator
from sim.study.executors import process_pool
from tests.unit.study.tasks import answer
with process_pool(2) as pool, evaluator("study", executor=pool, store=sys.argv[1], resume=True) as evaluate:
    answer(evaluate, ROUNDS, CONFIGURATIONS)
"""


@pytest.fixture(scope="module")
def expected() -> str:
    return answer(in_process, ROUNDS, CONFIGURATIONS)


def study(path: Path) -> str:
    """Return the answer of the study, with what is in the store and the rest run here."""
    with evaluator("study", store=path, workers=1, resume=True) as evaluate:
        return answer(evaluate, ROUNDS, CONFIGURATIONS)


def finished(path: Path) -> int:
    """Return how many replications a store holds that nobody has open."""
    if not path.exists():
        return 0
    with Store(path, "study", resume=True) as store:
        return len(store)


def seconds_to_live() -> Iterator[float]:
    """Yield random times, over all of a study's life and a little more."""
    started = time.monotonic()
    answer(in_process, ROUNDS, CONFIGURATIONS)
    longest_s = 1.5 * (time.monotonic() - started)
    luck = random.Random(20)
    while True:
        yield luck.uniform(0, longest_s)


@pytest.mark.slow
def test_killed_at_random_times_and_resumed_a_study_gives_the_same_answer(
    tmp_path: Path, expected: str
) -> None:
    processes = get_context("fork")  # which is there at once, so that also the first instants are hit
    kept = []
    for number, life_s in zip(range(KILLS), seconds_to_live(), strict=False):
        path = tmp_path / f"{number}.db"
        process = processes.Process(target=study, args=(path,))
        process.start()
        process.join(life_s)
        process.kill()
        process.join()
        kept.append(finished(path))
        assert study(path) == expected
    assert min(kept) < max(kept)  # they were killed early and late


@pytest.mark.slow
def test_with_two_workers_a_kill_loses_what_was_in_flight_and_nothing_else(
    tmp_path: Path, expected: str
) -> None:
    path = tmp_path / "study.db"
    script = ON_A_POOL.replace("ROUNDS", str(ROUNDS)).replace("CONFIGURATIONS", str(CONFIGURATIONS))
    for kept in (5, 20):
        command = [sys.executable, "-c", script, str(path)]
        with subprocess.Popen(command, cwd=PROJECT) as process:
            wait_for(path, kept)
            process.send_signal(signal.SIGSTOP)
            with pytest.raises(InputError, match="is in use by another process"):
                Store(path, "study", resume=True)
            process.kill()
        assert finished(path) >= kept
    assert study(path) == expected
