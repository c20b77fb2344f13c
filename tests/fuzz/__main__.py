"""``python -m tests.fuzz --inputs 20000 --seed 1 --workers 2``: hostile inputs, and what came of them.

Prints each new kind of fault with the number of its input, and the counts; exit 1 where there were any.
``--only 1234`` tries one input and shows its command.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from tests.fuzz.inputs import an_input
from tests.fuzz.judge import faults

WARM_UP = range(60)  # some of every command
MEMORY = 4 * 2**30  # of address space: what asks for more is a MemoryError, not the end of the machine


def say(*words: object) -> None:
    """Print words at once."""
    sys.stdout.write(" ".join(str(each)[:500] for each in words) + "\n")
    sys.stdout.flush()


def limited() -> None:
    """Bound the memory of this process, once all is loaded: an import must not be broken off half way."""
    for number in WARM_UP:
        faults(an_input(1, number), limit_s=600.0)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def tried(seed: int, number: int) -> tuple[int, str, list[str], float]:
    """Return number, command, faults and seconds of an input."""
    given, start = an_input(seed, number), time.monotonic()
    return number, given.command[0], faults(given), time.monotonic() - start


def main() -> int:
    """Try inputs, and return an exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--only", type=int)
    asked = parser.parse_args()
    if asked.only is not None:
        say(an_input(asked.seed, asked.only).command, faults(an_input(asked.seed, asked.only)))
        return 0
    commands, kinds, slowest = Counter[str](), Counter[str](), 0.0
    with ProcessPoolExecutor(asked.workers, initializer=limited, max_tasks_per_child=None) as pool:
        numbers = range(asked.first, asked.first + asked.inputs)
        for number, command, found, spent_s in pool.map(partial(tried, asked.seed), numbers, chunksize=20):
            commands[command[:12]] += 1
            slowest = max(slowest, spent_s)
            for fault in found:
                kind = fault.split(": ", 2)[1] if fault.startswith("traceback:") else fault.split(" ", 1)[0]
                kinds[kind] += 1
                if kinds[kind] <= 3:
                    say(f"{number}: {command}: {fault}")
            if (number + 1) % 500 == 0:
                say(f"{number + 1} done, {sum(kinds.values())} faults")
    say(f"{asked.inputs} inputs, {sum(kinds.values())} faults, slowest {slowest:.1f} s")
    say(dict(commands.most_common(10)))
    say(dict(kinds.most_common()))
    return 1 if kinds else 0


if __name__ == "__main__":
    sys.exit(main())
