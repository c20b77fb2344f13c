"""Replay recorded runs of the real kube-scheduler through the product's own, and compare.

    python tests/oracle/scheduler.py DIR [--case ID] [--category NAME] [--diff]

DIR is one version's folder, whose name is the version, or their parent. A case is exact if every attempt is
(feasible nodes, totals, best nodes, victims; with the recorded outcomes made true) and the whole run is
(node and instant of every placement, victims, first refusals; ties decided as recorded). Exit status 0
only if every case is exact.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT))

from sim.model.log import PodEnd  # noqa: E402  # run as a file, not as a module
from tests.oracle.scheduler_attempts import differing_attempts  # noqa: E402
from tests.oracle.scheduler_world import Case, World, at_us  # noqa: E402
from tests.recordings import cases_of  # noqa: E402


def compare(case: Case, version: str) -> list[str]:
    """Return what differs; empty if exact. What cannot be expressed differs."""
    try:
        return differing_attempts(case, version) + differing_run(case, version)
    except (KeyError, ValueError) as unknown:
        return [f"cannot be expressed: {type(unknown).__name__} {unknown}"]


def differing_run(case: Case, version: str) -> list[str]:
    """Run a case through scheduler, queue and clock; return the first difference of each kind."""
    world = World(case, version)
    world.run()
    found = []
    for kind, recorded, simulated in zip(
        ("placement", "first refusal", "victim"), recorded_run(case), simulated_run(world), strict=True
    ):
        missing, extra = sorted(recorded - simulated), sorted(simulated - recorded)
        if missing or extra:
            found.append(f"run, {kind}: recorded {missing[:3]}, simulated {extra[:3]}")
    return found


Happening = tuple[int, str, str]


def recorded_run(case: Case) -> tuple[set[Happening], set[Happening], set[Happening]]:
    placements, refusals, victims = set(), set(), set()
    refused: set[str] = set()
    leaving = {event["pod"]: event["at"] for event in case.get("events") or () if "pod" in event}
    for attempt in case["trace"]:
        if attempt["event"] != "attempt":
            continue
        time_us, pod = at_us(attempt["t"]), attempt["pod"]
        if attempt["outcome"] == "bound":
            placements.add((time_us, pod, attempt["node"]))
        elif pod not in refused:
            refused.add(pod)
            refusals.add((time_us, pod, ""))
        for victim in (attempt.get("preempt") or {}).get("victims") or ():
            if leaving.get(victim, time_us) >= attempt["t"]:
                leaving[victim] = attempt["t"] - 1
                victims.add((time_us, victim, ""))
    return placements, refusals, victims


def simulated_run(world: World) -> tuple[set[Happening], set[Happening], set[Happening]]:
    log, names = world.log, world.names
    told = {pod["name"] for pod in world.case["pods"] if pod.get("node")}
    return (
        {
            (time_us, names[pod], world.told[node]["name"])
            for time_us, pod, node in log["pod_bound"].rows().tolist()
            if names[pod] not in told
        },
        {(time_us, names[pod], "") for time_us, pod in log["pod_unschedulable"].rows().tolist()},
        {
            (time_us, names[pod], "")
            for time_us, pod, reason in log["pod_ended"].rows().tolist()
            if reason == PodEnd.PREEMPTED
        },
    )


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Replay recorded kube-scheduler runs and compare.")
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--case", help="only this case")
    parser.add_argument("--category", help="only this category")
    parser.add_argument("--diff", action="store_true", help="say what differs first in each failing case")
    asked = parser.parse_args(arguments)
    total: Counter[str] = Counter()
    exact: Counter[str] = Counter()
    for version, case in cases_in(asked.folder):
        if asked.case not in (None, case["id"]) or asked.category not in (None, case["category"]):
            continue
        differences = compare(case, version)
        kind = f"{version} {case['category']}"
        total[kind] += 1
        exact[kind] += not differences
        if differences and asked.diff:
            print(f"{version} {case['id']}:", *differences, sep="\n  ")
    for kind in sorted(total):
        print(f"{kind}: {exact[kind]}/{total[kind]} exact")
    print(f"{exact.total()}/{total.total()} cases exact")
    return 0 if total.total() and exact.total() == total.total() else 1


def cases_in(folder: Path) -> list[tuple[str, Case]]:
    """Return the cases of one version's folder, or of each in it, with the version."""
    is_one = any(path.is_file() for path in folder.glob("*.jsonl*"))
    folders = [folder] if is_one else sorted(path for path in folder.iterdir() if path.is_dir())
    return [(place.resolve().name, case) for place in folders for case in cases_of(place)]


if __name__ == "__main__":
    sys.exit(main())
