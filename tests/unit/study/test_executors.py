from __future__ import annotations

import math
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from sim.study.executors import cores, gather, process_pool


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


def test_cores_are_those_this_process_may_use() -> None:
    assert 1 <= cores() <= (os.cpu_count() or 1)
