"""A study on a real Dask scheduler gives what it gives here, also when one of the workers is killed."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from sim.errors import InputError, SimError
from sim.study import dask_cluster
from sim.study.evaluate import evaluator, in_process
from sim.study.open_study import open_study
from tests.e2e.watching import wait_for
from tests.unit.study.tasks import answer, tasks

DASK = Path(sys.executable).with_name("dask")
ROUNDS, CONFIGURATIONS = 5, 6
Process = subprocess.Popen[bytes]


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[tuple[str, Process, list[Process]]]:
    """Start a scheduler and two workers on loopback; all are killed at the end, with nothing to say."""
    file = tmp_path / "scheduler.json"
    about = ("--scheduler-file", str(file), "--no-dashboard")

    def start(*arguments: str) -> Process:
        return subprocess.Popen([DASK, *arguments, *about], cwd=tmp_path, stderr=subprocess.DEVNULL)

    with ExitStack() as stack:
        processes = [
            start("scheduler", "--host", "127.0.0.1", "--port", "0"),
            *(start("worker", "--nthreads", "1", "--no-nanny") for _ in range(2)),
        ]
        for process in processes:
            stack.callback(process.wait)
            stack.callback(process.kill)
        yield address(file), processes[0], processes[1:]


def address(file: Path) -> str:
    """Return where the scheduler listens, once it says so."""
    for _ in range(2_000):
        if file.exists() and (content := file.read_text(encoding="utf-8")):
            return str(json.loads(content)["address"])
        time.sleep(0.01)
    pytest.fail("no scheduler")


@pytest.mark.slow
def test_a_worker_that_is_killed_costs_only_time_and_a_killed_scheduler_is_one_line(
    cluster: tuple[str, Process, list[Process]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at, scheduler, workers = cluster
    store = tmp_path / "study.db"
    monkeypatch.setattr(dask_cluster, "CONNECT_S", 3)

    def kill_one_in_mid_study() -> None:
        wait_for(store, ROUNDS * CONFIGURATIONS)
        workers[0].kill()
        left.append(ROUNDS * CONFIGURATIONS * 4 - len(open_study(store).replications))

    left: list[int] = []
    killer = threading.Thread(target=kill_one_in_mid_study)
    with evaluator("study", store=store, dask=at) as evaluate:
        killer.start()
        found = answer(evaluate, ROUNDS, CONFIGURATIONS)
    killer.join()
    assert workers[0].wait(timeout=10) != 0
    assert left[0] > 0
    assert found == answer(in_process, ROUNDS, CONFIGURATIONS)

    def with_the_scheduler_gone() -> None:
        with evaluator("study", dask=at) as evaluate:
            scheduler.kill()
            evaluate(tasks(1, range(100)))

    with pytest.raises(SimError, match="the scheduler is gone; what was finished is kept"):
        with_the_scheduler_gone()


def test_where_there_is_no_scheduler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask_cluster, "CONNECT_S", 0.1)
    with (
        pytest.raises(InputError, match=r"dask is 'tcp://127\.0\.0\.1:1'; allowed: the address of a running"),
        evaluator("study", dask="tcp://127.0.0.1:1"),
    ):
        pass
