"""Replay recorded autoscaler runs through the product's own engine and compare trace and summary.

    python tests/oracle/replay.py DIR [--case ID] [--category NAME] [--diff]

Exit status 0 only if every case is exact.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT))

from tests.oracle.cases import Case, options_of, simulate  # noqa: E402  # run as a file, not as a module
from tests.oracle.traces import Trace, summary_of  # noqa: E402
from tests.recordings import RECORDINGS, cases_of  # noqa: E402

RECORDED = RECORDINGS / "cluster-autoscaler"


def compare(case: Case) -> list[str]:
    """Return what differs, the first event and every summary field; empty if exact."""
    try:
        options = options_of(case)
    except LookupError as unknown:
        return [str(unknown)]
    log = simulate(case, options)
    trace = Trace(log, case).events()
    differences = []
    for index in range(max(len(trace), len(case["trace"]))):
        ours = trace[index] if index < len(trace) else None
        theirs = case["trace"][index] if index < len(case["trace"]) else None
        if ours != theirs:
            differences.append(f"event {index}: recorded {theirs}, simulated {ours}")
            break
    summary = summary_of(log, case, trace)
    for name, recorded in case["summary"].items():
        simulated = summary.get(name)
        if not _equal(simulated, recorded):
            differences.append(f"summary {name}: recorded {recorded}, simulated {simulated}")
    return differences


def _equal(simulated: Any, recorded: Any) -> bool:
    if isinstance(simulated, float):
        return bool(round(simulated, 3) == recorded)  # as recordings are rounded
    return bool(simulated == recorded)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Replay recorded autoscaler runs and compare.")
    parser.add_argument("folder", nargs="?", type=Path, metavar="DIR", default=RECORDED)
    parser.add_argument("--case", help="only this case")
    parser.add_argument("--category", help="only this category")
    parser.add_argument("--diff", action="store_true", help="say what differs first in each failing case")
    asked = parser.parse_args(arguments)
    total: Counter[str] = Counter()
    exact: Counter[str] = Counter()
    for case in cases_of(asked.folder):
        if asked.case not in (None, case["id"]) or asked.category not in (None, case["category"]):
            continue
        differences = compare(case)
        total[case["category"]] += 1
        exact[case["category"]] += not differences
        if differences and asked.diff:
            print(f"{case['id']}:", *differences, sep="\n  ")
    for category in sorted(total):
        print(f"{category}: {exact[category]} / {total[category]}")
    print(f"{exact.total()}/{total.total()} cases exact")
    return 0 if total.total() and exact.total() == total.total() else 1


if __name__ == "__main__":
    sys.exit(main())
