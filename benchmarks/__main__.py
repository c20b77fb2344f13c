"""All speed and memory figures of the project, against their targets.

    python -m benchmarks [--quick] [NAME ...]

Prints one line a figure and writes ``benchmarks/results.csv``. Ratios are medians over five interleaved
rounds within this run. ``--quick`` takes a tenth of the pods and one round: a look, not a figure.
"""

from __future__ import annotations

import csv
import sys
from dataclasses import astuple, fields
from pathlib import Path

from benchmarks.measure import Figure
from benchmarks.suites import SUITES

RESULTS = Path(__file__).parent / "results.csv"


def main() -> None:
    """Run the suites named, or all."""
    quick = "--quick" in sys.argv
    named = [name for name in sys.argv[1:] if name in SUITES] or list(SUITES)
    figures = []
    for name in named:
        for figure in SUITES[name](quick):
            figures.append(figure)
            verdict = "" if not figure.target else ("ok" if figure.holds else "SHORT")
            print(f"{figure.name:55} {figure.value:14,.4g} {figure.unit:9} {figure.target:9} {verdict}")
    if not quick and len(named) == len(SUITES):
        with RESULTS.open("w", newline="") as out:
            rows = csv.writer(out)
            rows.writerow(field.name for field in fields(Figure))
            rows.writerows(astuple(figure) for figure in figures)


if __name__ == "__main__":
    main()
