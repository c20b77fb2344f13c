"""Scheduling passes against the worked examples of karpenter.md §11 and its traps (§12)."""

from __future__ import annotations

from typing import Any

from sim.decisions.karpenter.refusals import ClaimRefusal, OptionRefusal
from tests.unit.decisions.karpenter.worlds import ON_DEMAND, a_pass, a_pool, a_world, pods

A_NODE: dict[str, Any] = {
    "name": "n1",
    "node_pool": "default",
    "type": "g1.xlarge",
    "zone": "zone-a",
    "capacity_type": "on-demand",
    "state": "initialized",
}


def test_a_claim_keeps_every_type_that_would_do() -> None:
    """Example 2: large types fall out at the second pod, 2000 > 1930."""
    (claim,) = a_pass(a_world(pods(3, 1000, 1024))).new_claims
    assert len(claim.pods) == 3
    assert len(claim.options) == 12
    assert claim.options[0].name == "c1.xlarge"


def test_a_new_claim_opens_only_when_no_open_one_fits() -> None:
    """Example 3."""
    claims = a_pass(a_world(pods(33, 1930, 3500))).new_claims
    assert [len(claim.pods) for claim in claims] == [16, 16, 1]


def test_limits_are_counted_as_if_the_largest_type_were_launched() -> None:
    """Example 4: the first claim takes two pods and still lists 8xlarge, 32 of 34 cpu."""
    result = a_pass(a_world(pods(3, 15_000, 1000), a_pool(limits={"cpu": "34"})))
    (claim,) = result.new_claims
    assert [pod.name for pod in claim.pods] == ["p-00", "p-01"]
    assert any(option.name.endswith("8xlarge") for option in claim.options)
    (refused,) = result.unschedulable["p-02"]
    assert refused.options["c1.large"] is OptionRefusal.RESOURCES
    assert refused.options["c1.8xlarge"] is OptionRefusal.LIMITS


def test_a_limit_of_nodes_is_not_enforced_inside_a_batch() -> None:
    """Trap 5: only a remainder of exactly zero blocks."""
    assert len(a_pass(a_world(pods(3, 31_000, 1000), a_pool(limits={"nodes": "1"}))).new_claims) == 3
    assert not a_pass(a_world(pods(3, 31_000, 1000), a_pool(limits={"nodes": "0"}))).new_claims


def test_pools_go_by_weight_then_by_name_descending() -> None:
    """Trap 6."""
    worlds = {
        ("alpha", "beta"): "beta",
        ("gamma", "beta"): "gamma",
    }
    for names, first in worlds.items():
        (claim,) = a_pass(a_world(pods(1, 100, 100), *map(a_pool, names))).new_claims
        assert claim.pool.name == first
    heavy = a_pass(a_world(pods(1, 100, 100), a_pool("alpha", weight=1), a_pool("beta")))
    assert heavy.new_claims[0].pool.name == "alpha"


def test_the_smallest_overhead_of_daemon_sets_is_what_a_claim_records() -> None:
    """Trap 7; the larger one of c1 keeps its types out where it would not fit."""
    agents = [
        {"name": "all", "cpu_m": 100, "mem_mib": 100},
        {
            "name": "c1",
            "cpu_m": 1000,
            "mem_mib": 100,
            "node_selector": {"karpenter.k8s.aws/instance-family": "c1"},
        },
    ]
    (claim,) = a_pass(a_world(pods(1, 1500, 1000), daemonsets=agents)).new_claims
    assert (claim.requests.cpu_m, claim.requests.pods) == (1600, 2)
    names = {option.name for option in claim.options}
    assert "g1.large" in names
    assert "c1.large" not in names


def test_a_node_that_is_launched_takes_pods_before_it_exists() -> None:
    """Trap 8: 3920 m of g1.xlarge hold three pods of 1200 m."""
    launched = {**A_NODE, "state": "launched"}
    result = a_pass(a_world(pods(4, 1200, 1000), a_pool(), nodes=[launched]))
    assert [[pod.name for pod in one.pods] for one in result.existing] == [["p-00", "p-01", "p-02"]]
    assert len(result.new_claims) == 1


def test_a_startup_taint_counts_once_a_node_is_initialised() -> None:
    not_ready = [{"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}]
    for state, taken in (("registered", 1), ("initialized", 0)):
        node = {**A_NODE, "state": state, "taints": not_ready}
        assert len(a_pass(a_world(pods(1, 100, 100), a_pool(), nodes=[node])).existing) == taken


def test_zone_anti_affinity_places_one_pod_a_pass() -> None:
    """A claim whose zone is open blocks all its zones (§4.8)."""
    apart = {"anti_affinity": [{"key": "topology.kubernetes.io/zone", "selector": {"app": "p"}}]}
    result = a_pass(a_world(pods(3, 100, 100, labels={"app": "p"}, **apart)))
    assert [len(claim.pods) for claim in result.new_claims] == [1]
    assert {one.why for one in result.unschedulable["p-01"]} == {ClaimRefusal.TOPOLOGY}


def test_a_preference_counts_as_required_until_it_is_relaxed() -> None:
    arm = [{"weight": 1, "reqs": [{"key": "kubernetes.io/arch", "op": "In", "values": ["arm64"]}]}]
    zone = [{"weight": 1, "reqs": [{"key": "topology.kubernetes.io/zone", "op": "In", "values": ["zone-b"]}]}]
    (given_up,) = a_pass(a_world(pods(1, 100, 100, affinity_preferred=arm))).new_claims
    assert given_up.requirements["kubernetes.io/arch"].only == "amd64"
    (kept,) = a_pass(a_world(pods(1, 100, 100, affinity_preferred=zone))).new_claims
    assert kept.requirements["topology.kubernetes.io/zone"].only == "zone-b"


def test_each_type_says_why_it_was_refused() -> None:
    gone = [{"type": "c1.8xlarge"}]
    result = a_pass(a_world(pods(1, 20_000, 100_000), unavailable=gone))
    assert len(result.new_claims) == 1
    result = a_pass(a_world(pods(1, 20_000, 300_000), a_pool(requirements=ON_DEMAND[:2])))
    ((refused,),) = result.unschedulable.values()
    assert refused.why is ClaimRefusal.INSTANCE_TYPES
    assert set(refused.options.values()) == {OptionRefusal.RESOURCES}


def test_a_taint_that_is_not_tolerated_is_named() -> None:
    tainted = a_pool(taints=[{"key": "team", "value": "a", "effect": "NoSchedule"}])
    ((refused,),) = a_pass(a_world(pods(1, 100, 100), tainted)).unschedulable.values()
    assert (refused.pool, refused.why, refused.label) == ("default", ClaimRefusal.TAINTS, "team")
