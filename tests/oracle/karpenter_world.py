"""Worlds of the recorded Karpenter: catalogues, pools, nodes and pods as the decisions' own values."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from sim.decisions.karpenter.amounts import Amounts
from sim.decisions.karpenter.instance_options import InstanceOption, Offering
from sim.decisions.karpenter.labels import (
    ARCH,
    CAPACITY_TYPE,
    NODE_POOL,
    OPERATING_SYSTEM,
    RESERVED,
    TYPE,
)
from sim.decisions.karpenter.node_pools import Budget, DisruptionReason, Limits, NodePool, Policy
from sim.decisions.karpenter.pod_specs import PodSpec, WeightedTerm
from sim.decisions.karpenter.requirements import (
    LabelRequirement,
    LabelRequirements,
    added,
    of_labels,
    requirement,
)
from sim.decisions.karpenter.rescheduling import DisruptionBudget, is_provisionable, to_be_placed
from sim.decisions.karpenter.scheduler import PassOptions, Surroundings
from sim.decisions.karpenter.state_nodes import StateNode
from sim.model.cron import CalendarSchedule, parse_cron
from sim.model.pods import (
    HOSTNAME,
    ZONE,
    Effect,
    NodePreference,
    Operator,
    PodTerm,
    Requirement,
    Requirements,
    SpreadConstraint,
    Taint,
    Toleration,
)
from sim.model.quantity import milli, whole
from sim.model.resources import MIB
from tests.recordings import text_of

Case = dict[str, Any]
Catalogues = dict[str, list[dict[str, Any]]]


def catalogues_in(folder: Path) -> Catalogues:
    """Read the instance types of a bank, compressed or not."""
    (path,) = folder.glob("catalogues.json*")
    found: Catalogues = json.loads(text_of(path))
    return found


def requirements_of(rows: Iterable[Mapping[str, Any]]) -> dict[str, LabelRequirement]:
    """Return requirements written as operators; rows of one label meet each other."""
    return added(
        *({row["key"]: requirement(row["op"], row.get("values", ()), row.get("min_values"))} for row in rows)
    )


def options_of(world: Case, catalogues: Catalogues) -> tuple[InstanceOption, ...]:
    """Return the types of a world, with what is unavailable and reserved in it."""
    return tuple(_option(row, world) for row in catalogues[world["catalogue"]])


def type_labels(row: Case) -> dict[str, str]:
    """Return the labels that all nodes of a type have."""
    return {**row["labels"], TYPE: row["name"], ARCH: row["arch"], OPERATING_SYSTEM: "linux"}


def _option(row: Case, world: Case) -> InstanceOption:
    offerings = [_offering(row["name"], one, world) for one in row["offerings"]]
    offerings += [
        _reservation(one, offerings) for one in world.get("reservations", ()) if one["type"] == row["name"]
    ]
    capacity = Amounts(row["cpu_m"], row["mem_mib"], row["pods"], row.get("gpu", 0))
    overhead = Amounts(row["overhead_cpu_m"], row["overhead_mem_mib"])
    requirements: LabelRequirements = {
        **of_labels(type_labels(row)),
        ZONE: LabelRequirement(frozenset(one.zone for one in offerings)),
        CAPACITY_TYPE: LabelRequirement(frozenset(one.capacity_type for one in offerings)),
    }
    return InstanceOption(row["name"], requirements, capacity, capacity.minus(overhead), tuple(offerings))


def _offering(name: str, row: Case, world: Case) -> Offering:
    gone = any(
        one["type"] == name
        and one.get("zone", row["zone"]) == row["zone"]
        and one.get("capacity_type", row["capacity_type"]) == row["capacity_type"]
        for one in world.get("unavailable", ())
    )
    return Offering(row["zone"], row["capacity_type"], row["price"], not gone)


def _reservation(row: Case, offerings: list[Offering]) -> Offering:
    like = next(o for o in offerings if o.zone == row["zone"] and o.capacity_type == "on-demand")
    return replace(
        like,
        capacity_type=RESERVED,
        usd_per_hour=like.usd_per_hour / 10_000_000,
        available=row["count"] > 0,
        reservation=row["id"],
        left=row["count"],
        block=row.get("kind") == "capacity-block",
        interruptible=row.get("interruptible", False),
    )


def surroundings_of(world: Case, catalogues: Catalogues) -> Surroundings:
    """Return pools, types, nodes with their pods, and DaemonSets."""
    options = options_of(world, catalogues)
    rows = {row["name"]: row for row in catalogues[world["catalogue"]]}
    pools = tuple(map(_pool, world["node_pools"]))
    by_pool = {pool.name: pool for pool in pools}
    pods = pods_of(world)
    nodes = tuple(
        _node(row, rows, {option.name: option for option in options}, by_pool, pods)
        for row in world.get("nodes", ())
    )
    running = {pod.daemon_set for node in nodes for pod in node.pods}
    daemons = tuple(_daemon(row, running) for row in world.get("daemonsets", ()))
    return Surroundings(pools, options, nodes, daemons)


def pass_options(world: Case) -> PassOptions:
    """Return the controller's options of a world."""
    options = dict(world["options"])
    known = {"preference_policy", "min_values_policy", "spot_to_spot_consolidation"}
    if unknown := set(options) - known:
        raise ValueError(f"options {sorted(unknown)}")
    return PassOptions(
        options.get("preference_policy") != "Ignore", options.get("min_values_policy") == "BestEffort"
    )


def pods_of(world: Case) -> dict[str, tuple[str | None, PodSpec, bool]]:
    """Return the pods by name: node, pod and whether it is marked unschedulable."""
    return {
        row["name"]: (row.get("node"), pod_of(row, uid), not row.get("not_marked_unschedulable", False))
        for uid, row in enumerate(world.get("pods", ()))
    }


def pod_of(row: Case, uid: int) -> PodSpec:
    """Return one pod; those of DaemonSets tolerate everything."""
    together, soft_together = _terms(row.get("pod_affinity", ()))
    apart, soft_apart = _terms(row.get("anti_affinity", ()))
    tolerations = tuple(map(_toleration, row.get("tolerations", ())))
    return PodSpec(
        row["name"],
        Amounts(row["cpu_m"], row["mem_mib"], 1, row.get("gpu", 0)),
        uid,
        row.get("labels", {}),
        -row.get("created_age_s", 0),
        tuple(sorted(row.get("node_selector", {}).items())),
        tuple(map(_term, row.get("affinity_terms", ()))),
        tuple(NodePreference(one["weight"], _term(one["reqs"])) for one in row.get("affinity_preferred", ())),
        (EVERYTHING,) if row.get("daemonset") else tolerations,
        tuple(map(_spread, row.get("spread", ()))),
        together,
        apart,
        soft_together,
        soft_apart,
        frozenset((row["host_port"],) if row.get("host_port") else ()),
        row.get("daemonset"),
        row.get("running_s", 0),
        row.get("do_not_disrupt"),
        row.get("priority", 0),
        row.get("pod_deletion_cost", 0),
    )


EVERYTHING = Toleration(exists=True)


def _daemon(row: Case, running: set[str | None]) -> PodSpec:
    known = {"name", "cpu_m", "mem_mib", "tolerations", "node_selector", "affinity"}
    if unknown := set(row) - known:
        raise ValueError(f"daemonset {sorted(unknown)}")
    terms = (row["affinity"],) if row.get("affinity") else ()
    pod = pod_of({**row, "affinity_terms": terms}, 0)
    if row["name"] not in running:
        return pod
    return replace(pod, tolerations=(EVERYTHING,), node_selector=())


def _terms(rows: Iterable[Case]) -> tuple[tuple[PodTerm, ...], tuple[WeightedTerm, ...]]:
    """Return required and preferred terms."""
    terms = [(one.get("weight", 0), PodTerm(one["key"], selector_of(one["selector"]))) for one in rows]
    return (
        tuple(term for weight, term in terms if not weight),
        tuple(WeightedTerm(weight, term) for weight, term in terms if weight),
    )


def _spread(row: Case) -> SpreadConstraint:
    hard = row["when"] == "DoNotSchedule"
    selector = selector_of(row["selector"])
    return SpreadConstraint(row["key"], selector, row["max_skew"], hard, row.get("min_domains", 1))


def _term(rows: Iterable[Case]) -> Requirements:
    return tuple(Requirement(row["key"], Operator(row["op"]), tuple(row.get("values", ()))) for row in rows)


def selector_of(labels: Mapping[str, str]) -> Requirements:
    """Return a selector of exactly these labels."""
    return tuple(Requirement(key, Operator.IN, (value,)) for key, value in sorted(labels.items()))


def _toleration(row: Case) -> Toleration:
    effect = Effect(row["effect"]) if row.get("effect") else None
    return Toleration(row.get("key", ""), row.get("value", ""), effect, row.get("op") == "Exists")


def _taint(row: Case) -> Taint:
    return Taint(row["key"], row.get("value", ""), Effect(row["effect"]))


LIMITED = {"cpu": ("cpu_m", milli), "memory": ("memory_mib", lambda text: whole(text) // MIB)}


def _limits(row: Mapping[str, str]) -> Limits:
    amounts = {LIMITED[key][0]: LIMITED[key][1](value) for key, value in row.items() if key != "nodes"}
    return Limits(amounts, int(row["nodes"]) if "nodes" in row else None)


def _pool(row: Case) -> NodePool:
    after_s = row.get("consolidate_after_s")
    return NodePool(
        row["name"],
        requirements_of(row["requirements"]),
        row.get("labels", {}),
        tuple(map(_taint, row.get("taints", ()))),
        tuple(map(_taint, row.get("startup_taints", ()))),
        _limits(row.get("limits", {})),
        row.get("weight", 0),
        Policy(row.get("consolidation_policy", Policy.WHEN_EMPTY_OR_UNDERUTILIZED.value)),
        math.inf if after_s is None else after_s,
        tuple(map(_budget, row["budgets"])) if "budgets" in row else (Budget(),),
    )


def _budget(row: Case) -> Budget:
    schedule = parse_cron(row["schedule"]) if row.get("schedule") else None
    if schedule is not None and not isinstance(schedule, CalendarSchedule):
        raise ValueError(f"schedule {row['schedule']}")
    reasons = frozenset(map(DisruptionReason, row.get("reasons") or ()))
    return Budget(str(row["nodes"]), reasons, schedule, row.get("duration_s", 0))


def _node(
    row: Case,
    types: Mapping[str, Case],
    options: Mapping[str, InstanceOption],
    pools: Mapping[str, NodePool],
    pods: Mapping[str, tuple[str | None, PodSpec, bool]],
) -> StateNode:
    pool, state = pools.get(row.get("node_pool", "")), row["state"]
    option = options[row["type"]]
    own = {ZONE: row["zone"], CAPACITY_TYPE: row["capacity_type"]}
    labels = {**type_labels(types[row["type"]]), **own, **(pool.labels if pool else {})}
    labels |= {NODE_POOL: pool.name} if pool else {}
    labels |= {HOSTNAME: row["name"]} if state != "launched" else {}
    taints = [*map(_taint, row.get("taints", ())), *(pool.taints if pool else ())]
    startup = pool.startup_taints if pool else ()
    judged = pool is not None and pool.consolidates and state == "initialized"
    consolidatable = judged and row.get("consolidatable", True)
    return StateNode(
        f"nc-{row['name']}" if state == "launched" and not row.get("replacement") else row["name"],
        {**labels, **row.get("labels", {})},
        option.capacity,
        option.allocatable,
        pool.name if pool else None,
        row["type"],
        (*taints, *(startup if state != "initialized" else ())),
        startup,
        row.get("annotations", {}),
        registered=state != "launched",
        initialized=state == "initialized",
        ready=state == "initialized" and not row.get("not_ready", False),
        marked=row.get("deleting", False),
        nominated=row.get("nominated", False),
        consolidatable=consolidatable,
        settling=judged and not consolidatable,
        drifted_s=0.0 if row.get("drifted") else None,
        pods=tuple(pod for node, pod, _ in pods.values() if node == row["name"]),
    )


def pending_pods(world: Case, surroundings: Surroundings) -> list[PodSpec]:
    """Return the pods of a pass: marked unschedulable, or on nodes that are marked for deletion."""
    pending = [pod for node, pod, marked in pods_of(world).values() if node is None and marked]
    leaving = [
        pod
        for node in surroundings.nodes
        if node.marked
        for pod in to_be_placed(node.pods, budgets_of(world))
    ]
    return [*filter(is_provisionable, pending), *leaving]


def budgets_of(world: Case) -> list[DisruptionBudget]:
    """Return the PodDisruptionBudgets of a world."""
    return [
        DisruptionBudget(
            row["name"],
            selector_of(row["selector"]),
            row["disruptions_allowed"],
            row.get("max_unavailable") in {"0", "0%"} or row.get("min_available") == "100%",
        )
        for row in world.get("pdbs", ())
    ]
