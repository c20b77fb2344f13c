from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from sim.errors import SimError
from sim.study.executors import batch_size, cores, gather, process_pool


def die_once(folder: Path, number: int) -> int:
    """Return ``number``; a worker that is given 3 or 4 for the first time is gone."""
    if number in {3, 4} and not (folder / str(number)).exists():
        (folder / str(number)).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def die(number: int) -> int:
    """Return ``number``, if it is not 0."""
    if number == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def test_results_keep_their_numbers_whatever_the_order_they_end_in() -> None:
    with process_pool(2) as pool:
        found = dict(gather(pool, math.factorial, range(50)))
    assert found == {n: math.factorial(n) for n in range(50)}


def test_the_first_error_stops_the_rest() -> None:
    found: dict[int, float] = {}
    with pytest.raises(ValueError, match="math domain error"), process_pool(1) as pool:
        found.update(gather(pool, math.sqrt, [-1, *range(10_000)]))
    assert len(found) < 10_000


def test_leaving_early_ends_workers_in_the_middle_of_their_work() -> None:
    def interrupted_after_the_first() -> None:
        with process_pool(2) as pool:
            for _ in gather(pool, time.sleep, [0, 60]):
                raise KeyboardInterrupt

    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        interrupted_after_the_first()
    assert time.monotonic() - started < 20


def test_a_script_on_stdin_and_without_a_main_guard_may_start_a_pool() -> None:
    script = (
        "import math\n"
        "from sim.study.executors import gather, process_pool\n"
        "with process_pool(1) as pool:\n"
        "    print(dict(gather(pool, math.sqrt, [4])))\n"
    )
    done = subprocess.run(
        [sys.executable, "-"], input=script, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.stdout, done.stderr) == ("{4: 2.0}\n", "")


def test_any_executor_will_do() -> None:
    with ThreadPoolExecutor(2) as threads:
        assert dict(gather(threads, math.sqrt, [4, 9])) == {4: 2, 9: 3}


def test_what_was_lost_with_a_worker_runs_again(tmp_path: Path) -> None:
    with process_pool(2) as pool:
        found = list(gather(pool, partial(die_once, tmp_path), range(12), batch=2))
    assert sorted(found) == [(n, n) for n in range(12)]


def test_work_that_kills_its_workers_is_an_error_and_the_rest_is_done() -> None:
    found: dict[int, int] = {}

    def all_of_it() -> None:
        with process_pool(1) as pool:
            found.update(gather(pool, die, range(3)))  # which keeps what comes before an error

    with pytest.raises(SimError, match="3 workers died in a row with nothing finished: out of memory"):
        all_of_it()
    assert found == {1: 1, 2: 2}


def test_workers_end_with_a_coordinator_that_is_killed() -> None:
    script = (
        "import os, time\n"
        "from sim.study.executors import process_pool\n"
        "with process_pool(1) as pool:\n"
        "    print(pool.submit(os.getpid).result(), flush=True)\n"
        "    time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as coordinator:
        assert coordinator.stdout is not None
        assert int(coordinator.stdout.readline()) != coordinator.pid
        coordinator.kill()
        assert not coordinator.communicate(timeout=20)[0]  # an end: the worker could write there too


@pytest.mark.parametrize(
    ("items", "each_s", "size"),
    [
        pytest.param(1_000, 0.01, 25, id="a quarter of a second"),
        pytest.param(1_000, 0.5, 1, id="long ones go alone"),
        pytest.param(20, 0.001, 3, id="a quarter of a worker's share"),
        pytest.param(1_000, 0.0, 125, id="too short to time"),
    ],
)
def test_batches(items: int, each_s: float, size: int) -> None:
    assert batch_size(items, each_s, workers=2) == size


def test_cores_are_those_this_process_may_use() -> None:
    assert 1 <= cores() <= (os.cpu_count() or 1)
