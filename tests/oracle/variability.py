"""Hold the random orders against ten runs of the unmodified autoscaler, where those differ.

    python tests/oracle/variability.py DIR [--seeds N]

Of every case with a measure whose recorded range has a width: does the mean over N seeds lie inside
each such range, and how often does a single draw? Ten recorded runs hold a new one with chance about
9 in 11 where a measure is continuous, and more often where few outcomes are possible.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean

PROJECT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT))

from sim.model.autoscaler import Orders  # noqa: E402  # run as a file, not as a module
from tests.oracle.cases import Case, options_of, simulate  # noqa: E402
from tests.oracle.traces import Trace, summary_of  # noqa: E402
from tests.recordings import RECORDINGS, cases_of  # noqa: E402

RECORDED = RECORDINGS / "cluster-autoscaler"

MEASURES = ("node_seconds_total", "mean_pod_wait_s", "peak_nodes")


@dataclass(frozen=True)
class Comparison:
    """One measure of one case: the recorded range, and what each seed gave."""

    case: str
    measure: str
    low: float
    high: float
    draws: tuple[float, ...]

    @property
    def mean_inside(self) -> bool:
        """Whether the mean of the draws lies in the recorded range."""
        return self.low <= round(fmean(self.draws), 6) <= self.high


def measures_of(case: Case, seed: int) -> dict[str, float]:
    """Run a case with random orders."""
    options = replace(options_of(case), orders=Orders.RANDOM)
    log = simulate(case, options, seed)
    summary = summary_of(log, case, Trace(log, case).events())
    return {
        "node_seconds_total": sum(summary["node_seconds_by_group"].values()),
        "mean_pod_wait_s": round(summary["mean_pod_wait_s"] or 0.0, 3),
        "peak_nodes": summary["peak_nodes"],
    }


def comparisons(case: Case, seeds: int) -> Iterator[Comparison]:
    """Compare a case, if anything about it was left to chance."""
    ranges = {measure: case["variability"].get(measure) for measure in MEASURES}
    ranges = {measure: found for measure, found in ranges.items() if found and found[0] < found[2]}
    if not ranges:
        return
    runs = [measures_of(case, seed) for seed in range(seeds)]
    for measure, (low, _, high) in ranges.items():
        yield Comparison(case["id"], measure, low, high, tuple(run[measure] for run in runs))


def _print_counts(name: str, groups: list[list[Comparison]]) -> None:
    """Print how often the means, and single draws, lie inside all ranges of a group."""
    means = sum(all(item.mean_inside for item in group) for group in groups)
    draws = [
        all(item.low <= item.draws[seed] <= item.high for item in group)
        for group in groups
        for seed in range(len(group[0].draws))
    ]
    print(
        f"{name}: mean inside in {means} of {len(groups)} ({means / len(groups):.1%}),"
        f" single draws inside {sum(draws)} of {len(draws)} ({sum(draws) / len(draws):.1%})"
    )


def main(arguments: list[str] | None = None) -> int:
    """Print the counts of each measure, and of all."""
    parser = argparse.ArgumentParser(description="Compare random orders with recorded ranges.")
    parser.add_argument("folder", nargs="?", type=Path, metavar="DIR", default=RECORDED)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--verbose", action="store_true", help="list the means that lie outside")
    asked = parser.parse_args(arguments)
    found = [item for case in cases_of(asked.folder) for item in comparisons(case, asked.seeds)]
    by_case: dict[str, list[Comparison]] = defaultdict(list)
    for item in found:
        by_case[item.case].append(item)
    for measure in MEASURES:
        _print_counts(measure, [[item] for item in found if item.measure == measure])
    _print_counts("all of a case", list(by_case.values()))
    if asked.verbose:
        for item in found:
            if not item.mean_inside:
                print(
                    f"  {item.case} {item.measure}: [{item.low}, {item.high}], mean {fmean(item.draws):.1f}"
                )
    return 0


if __name__ == "__main__":
    sys.exit(main())
