"""The sizing table of ``docs/scale.md``: how long studies take on so many cores, from measured figures.

    python -m benchmarks.sizing PER_CORE_S COORDINATOR_MS

``PER_CORE_S`` are days of the seed's scenario that a core simulates a second, ``COORDINATOR_MS`` the CPU
that the coordinator takes for each replication; ``python -m benchmarks replications`` prints both. More
cores than the coordinator can feed are not used.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

EFFICIENCY = 0.85  # the least that the benchmark asks for
CORES = (2, 15, 60, 240)


@dataclass(frozen=True, slots=True)
class Work:
    """A study: how many replications of how many simulated days."""

    name: str
    replications: int
    days: int


STUDIES = (
    Work("100 configurations × 20 days", 2_000, 1),
    Work("a search of 2,000 weeks", 2_000, 7),
    Work("a search of 20,000 months", 20_000, 30),
    Work("1,000 configurations × 100 weeks", 100_000, 7),
)


def table(per_core_s: float, coordinator_ms: float) -> str:
    """Return the table as Markdown."""
    rows = [("study", *(f"{cores} cores" for cores in CORES)), ("---",) * (len(CORES) + 1)]
    for work in STUDIES:
        each_s = work.days / per_core_s / EFFICIENCY
        times_s = [max(each_s / cores, coordinator_ms / 1_000) * work.replications for cores in CORES]
        rows.append((work.name, *(_said(seconds) for seconds in times_s)))
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _said(seconds: float) -> str:
    for unit_s, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * unit_s:
            return f"{seconds / unit_s:.0f} {unit}"
    return f"{seconds:.0f} s"


if __name__ == "__main__":
    print(table(float(sys.argv[1]), float(sys.argv[2])))
