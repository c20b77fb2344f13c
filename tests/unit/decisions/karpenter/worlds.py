"""Small worlds on the catalogue ``std`` of the recordings, the one of the sheet's worked examples."""

from __future__ import annotations

from typing import Any

from sim.decisions.karpenter.scheduler import PassResult, schedule
from tests.oracle.karpenter_world import catalogues_in, pass_options, pending_pods, surroundings_of
from tests.recordings import RECORDINGS

CATALOGUES = catalogues_in(RECORDINGS / "karpenter")
ON_DEMAND = [
    {"key": "kubernetes.io/arch", "op": "In", "values": ["amd64"]},
    {"key": "karpenter.sh/capacity-type", "op": "In", "values": ["on-demand"]},
    {"key": "karpenter.k8s.aws/instance-category", "op": "In", "values": ["m", "c", "r"]},
]


def a_pool(name: str = "default", **more: Any) -> dict[str, Any]:
    return {"name": name, "requirements": ON_DEMAND, "consolidate_after_s": 0, **more}


def pods(count: int, cpu_m: int, mem_mib: int, **more: Any) -> list[dict[str, Any]]:
    return [{"name": f"p-{n:02}", "cpu_m": cpu_m, "mem_mib": mem_mib, **more} for n in range(count)]


def a_world(pods: list[dict[str, Any]], *pools: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"catalogue": "std", "options": {}, "node_pools": pools or [a_pool()], "pods": pods, **more}


def a_pass(world: dict[str, Any]) -> PassResult:
    surroundings = surroundings_of(world, CATALOGUES)
    return schedule(surroundings, pending_pods(world, surroundings), pass_options(world))
