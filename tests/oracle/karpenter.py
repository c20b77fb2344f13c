"""Replay recorded decisions of the real Karpenter through the product's own, and compare.

    python tests/oracle/karpenter.py DIR [--case ID] [--category NAME] [--diff]

DIR holds the bank's files, compressed or not; tests/oracle/recordings/karpenter if none is given. A launch
is exact if every filter, the list of types, capacity type and overrides are; a scheduling pass, if claims,
pods on existing nodes and pods that are left are. What cannot be expressed is not exact: runs in virtual
time need an engine, which no scenario can ask for yet. Exit status 0 only if every case is exact.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT))

from sim.decisions.karpenter.amounts import Amounts  # noqa: E402  # run as a file, not as a module
from sim.decisions.karpenter.commands import Command  # noqa: E402
from sim.decisions.karpenter.labels import NODE_POOL, TYPE  # noqa: E402
from sim.decisions.karpenter.launch import decide_launch  # noqa: E402
from sim.decisions.karpenter.new_claims import NewClaim  # noqa: E402
from sim.decisions.karpenter.requirements import LabelRequirement  # noqa: E402
from sim.decisions.karpenter.scheduler import schedule  # noqa: E402
from tests.oracle.karpenter_disruption import Loop, launched  # noqa: E402
from tests.oracle.karpenter_world import (  # noqa: E402
    Case,
    Catalogues,
    catalogues_in,
    options_of,
    pass_options,
    pending_pods,
    requirements_of,
    surroundings_of,
)
from tests.recordings import RECORDINGS, cases_of  # noqa: E402

Difference = Callable[[Case, Catalogues], list[str]]


def compare(case: Case, catalogues: Catalogues) -> list[str]:
    """Return what differs; empty if exact. What cannot be expressed differs."""
    kind = kind_of(case)
    if kind not in KINDS:
        return [f"cannot be expressed: {kind} needs an engine"]
    try:
        return KINDS[kind](case, catalogues)
    except (KeyError, ValueError) as unknown:
        return [f"cannot be expressed: {type(unknown).__name__} {unknown}"]


def kind_of(case: Case) -> str:
    """Return what was recorded of a case: launch, prov, disr or trace."""
    kind: str = case["id"].partition("-")[0]
    return kind


def differing_launch(case: Case, catalogues: Catalogues) -> list[str]:
    """Return what differs in the call for one claim."""
    requests = Amounts(case["requests_cpu_m"], case["requests_mem_mib"], 1, case.get("requests_gpu", 0))
    asked = decide_launch(options_of(case, catalogues), requirements_of(case["requirements"]), requests)
    decided = {
        "types_after_filter": dict(asked.left_after),
        "types": list(asked.options),
        "capacity_type": asked.capacity_type,
        "overrides": [
            {
                "type": one.option,
                "zone": one.zone,
                "capacity_type": asked.capacity_type,
                "price": one.usd_per_hour,
                **({"reservation_id": one.reservation} if one.reservation else {}),
            }
            for one in asked.overrides
        ],
        "insufficient_capacity_at": asked.insufficient_at,
    }
    return differing(case["expected"], {key: value for key, value in decided.items() if value})


def differing(recorded: Case, decided: Case) -> list[str]:
    """Return a line for each field that differs; an empty one counts as absent."""
    return [
        f"{key}: recorded {recorded.get(key)}, decided {decided.get(key)}"
        for key in sorted({*recorded, *decided})
        if (recorded.get(key) or None) != (decided.get(key) or None)
    ]


def differing_pass(case: Case, catalogues: Catalogues) -> list[str]:
    """Return what differs in one scheduling pass: claims, pods on nodes, pods that are left."""
    world = case["world"]
    surroundings = surroundings_of(world, catalogues)
    result = schedule(surroundings, pending_pods(world, surroundings), pass_options(world))
    recorded = dict(case["expected"])
    recorded["unschedulable"] = sorted(one["pod"] for one in recorded["unschedulable"])
    recorded["existing_nodes"] = {one["node"]: one["pods"] for one in recorded["existing_nodes"]}
    decided = {
        "new_node_claims": list(map(told_claim, result.new_claims)),
        "existing_nodes": {
            one.node.hostname.removeprefix("nc-"): [pod.name for pod in one.pods] for one in result.existing
        },
        "unschedulable": sorted(result.unschedulable),
    }
    return differing(recorded, decided)


def told_claim(claim: NewClaim) -> Case:
    """Return a claim as the bank writes it."""
    requirements = [
        row for key, one in sorted(claim.requirements.items()) for row in told_requirement(key, one)
    ]
    told = {
        "node_pool": claim.pool.name,
        "pods": [pod.name for pod in claim.pods],
        "instance_types": [option.name for option in claim.options],
        "requirements": requirements,
        "requests_cpu_m": claim.requests.cpu_m,
        "requests_mem_mib": claim.requests.memory_mib,
        "requests_pods": claim.requests.pods,
        "requests_gpu": claim.requests.gpu,
        "taints": [
            {
                "key": taint.key,
                "effect": taint.effect.value,
                **({"value": taint.value} if taint.value else {}),
            }
            for taint in claim.pool.taints
        ],
        "min_values_relaxed": claim.min_values_relaxed,
    }
    return {key: value for key, value in told.items() if value or key in NUMBERS}


NUMBERS = {"requests_cpu_m", "requests_mem_mib", "requests_pods"}


def told_requirement(key: str, one: LabelRequirement) -> list[Case]:
    """Return a requirement as the operators Karpenter writes; types and pool stand elsewhere."""
    least = {"min_values": one.min_values} if one.min_values is not None else {}
    if key == NODE_POOL or (key == TYPE and not least):
        return []
    if key == TYPE:
        return [{"key": key, "op": "minValues", **least}]
    bounds = [("Gte", one.gte), ("Lte", one.lte)]
    rows = [{"key": key, "op": op, "values": [str(bound)]} for op, bound in bounds if bound is not None]
    if one.values:
        rows.append({"key": key, "op": one.operator, "values": sorted(one.values)})
    return [{**row, **least} for row in rows or [{"key": key, "op": one.operator}]]


def differing_loop(case: Case, catalogues: Catalogues) -> list[str]:
    """Return what differs in the first pass of the disruption loop that is not as recorded."""
    decided = list(Loop(case, catalogues).steps())
    recorded = case["expected"]["steps"]
    for number, (real, ours) in enumerate(zip(recorded, decided, strict=False)):
        found = differing(told_recorded(real), told_step(ours))
        if found:
            return [f"step {number}, {line}" for line in found]
    return (
        [] if len(recorded) == len(decided) else [f"steps: recorded {len(recorded)}, decided {len(decided)}"]
    )


def told_recorded(step: Case) -> Case:
    """Return a recorded step with its floats rounded; a command that was rejected counts once."""
    return rounded({**step, "rejected": bool(step.get("rejected"))})


def told_step(step: Case) -> Case:
    """Return a step as the bank writes it; rejections are told where nothing came of the pass."""
    commands = list(map(told_command, step["commands"]))
    places = {
        command.nodes[number].name: "/".join(launched(claim))
        for command in step["commands"]
        for number, claim in enumerate(command.replacements)
    }
    rejected = bool(step["rejected"]) and not commands
    return rounded({**step, "commands": commands, "launched": places, "rejected": rejected})


def told_command(command: Command) -> Case:
    """Return a command as the bank writes it."""
    return {
        "reason": command.reason.value,
        "consolidation_type": command.method,
        "decision": "replace" if command.replacements else "delete",
        "nodes": [candidate.name for candidate in command.nodes],
        "replacements": list(map(told_claim, command.replacements)),
        "pods_to_existing": [
            {"node": one.node.name, "pods": [pod.name for pod in one.pods]} for one in command.to_existing
        ],
        "estimated_savings": command.saved_usd_per_hour,
    }


def rounded(step: Case) -> Case:
    """Return a step with its floats to nine digits: sums are told in Go's order, not in ours."""
    told: Case = json.loads(json.dumps(step), parse_float=lambda text: round(float(text), 9))
    return told


KINDS: dict[str, Difference] = {"launch": differing_launch, "prov": differing_pass, "disr": differing_loop}


def results(folder: Path, category: str = "", case_id: str = "") -> Iterator[tuple[Case, list[str]]]:
    """Yield the cases of a folder, each with what differs."""
    catalogues = catalogues_in(folder)
    for case in cases_of(folder):
        if name_of(case).startswith(category) and case_id in {"", case["id"]}:
            yield case, compare(case, catalogues)


def name_of(case: Case) -> str:
    """Return kind and category of a case."""
    return f"{kind_of(case)}-{case['category']}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", nargs="?", type=Path, default=RECORDINGS / "karpenter")
    parser.add_argument("--case", default="")
    parser.add_argument("--category", default="")
    parser.add_argument("--diff", action="store_true")
    options = parser.parse_args()
    exact, cases = Counter[str](), Counter[str]()
    for case, found in results(options.folder, options.category, options.case):
        cases[name_of(case)] += 1
        exact[name_of(case)] += not found
        if options.diff and found:
            print(case["id"], *found[:3], sep="\n  ")
    for name, count in sorted(cases.items()):
        print(f"{name:28} {exact[name]}/{count} exact")
    print(f"{exact.total()}/{cases.total()} cases exact")
    return 0 if exact.total() == cases.total() > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
