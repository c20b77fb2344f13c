"""Disruption against the worked examples of karpenter.md §11, its traps (§12) and the rules of §8."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from sim.decisions.karpenter.amounts import Amounts
from sim.decisions.karpenter.balanced import score
from sim.decisions.karpenter.candidates import (
    Blocked,
    Candidate,
    Disruptable,
    by_savings,
    candidates,
    eviction_cost,
)
from sim.decisions.karpenter.commands import Command, Why
from sim.decisions.karpenter.consolidation import consolidated, worst_launch_usd
from sim.decisions.karpenter.disruption_budgets import bound, is_active
from sim.decisions.karpenter.methods import METHODS, multi_node
from sim.decisions.karpenter.node_pools import Budget, DisruptionReason
from sim.decisions.karpenter.pod_specs import PodSpec
from sim.decisions.karpenter.requirements import requirement
from sim.decisions.karpenter.rescheduling import go_duration_s, may_not_be_disrupted
from sim.decisions.karpenter.validation import validated
from sim.model.cron import CalendarSchedule, parse_cron
from tests.oracle.karpenter_world import budgets_of, surroundings_of
from tests.unit.decisions.karpenter.worlds import CATALOGUES, a_pool, a_world


def a_node(name: str, kind: str = "g1.xlarge", **more: Any) -> dict[str, Any]:
    own = {"node_pool": "default", "zone": "zone-a", "capacity_type": "on-demand", "state": "initialized"}
    return {"name": name, "type": kind, **own, **more}


def pods_on(node: str, count: int, cpu_m: int = 100, **more: Any) -> list[dict[str, Any]]:
    return [
        {"name": f"{node}-{n:02}", "cpu_m": cpu_m, "mem_mib": 100, "node": node, **more} for n in range(count)
    ]


def a_view(nodes: list[dict[str, Any]], pods: list[dict[str, Any]], **more: Any) -> Disruptable:
    pools = more.pop("pools", [a_pool()])
    world = a_world(pods, *pools, nodes=nodes, **more)
    return Disruptable(surroundings_of(world, CATALOGUES), budgets=tuple(budgets_of(world)))


def found_in(view: Disruptable) -> list[Candidate]:
    return candidates(view)[0]


@pytest.mark.parametrize(
    ("budget", "nodes", "allowed"),
    [("10%", 5, 1), ("20%", 11, 3), ("10%", 11, 2), ("10%", 1, 1), ("100%", 7, 7), ("3", 2, 3), ("0", 9, 0)],
)
def test_percents_round_up(budget: str, nodes: int, allowed: int) -> None:
    """Example 6 and trap 14."""
    assert bound(Budget(budget), nodes) == allowed


def test_a_budget_is_active_from_a_hit_until_its_duration_is_over() -> None:
    """A hit lies in (now - duration, now] (§8.4)."""
    schedule = parse_cron("0 4 * * *")
    assert isinstance(schedule, CalendarSchedule)
    budget = Budget("0", schedule=schedule, duration_s=3600)
    at = [
        datetime(2026, 1, 5, hour, minute, tzinfo=UTC) for hour, minute in ((3, 59), (4, 0), (4, 59), (5, 0))
    ]
    assert [is_active(budget, now) for now in at] == [False, True, True, False]


def test_candidates_go_by_price_over_cost() -> None:
    """Example 8: ratios 0.096, 0.0192 and 0.0425 go first, third and second."""
    view = a_view(
        [a_node("a"), a_node("b"), a_node("c", "c1.large")],
        [*pods_on("a", 1), *pods_on("b", 9), *pods_on("c", 1)],
    )
    ordered = by_savings(found_in(view))
    assert [one.name for one in ordered] == ["a", "c", "b"]
    assert [round(one.savings_ratio, 3) for one in ordered] == [0.096, 0.043, 0.019]


@pytest.mark.parametrize(
    ("priority", "deletion_cost", "cost"),
    [(0, 0, 1.0), (2**25, 0, 2.0), (0, 2**27, 2.0), (2**30, 0, 10.0), (-(2**30), 0, -10.0)],
)
def test_eviction_costs(priority: int, deletion_cost: int, cost: float) -> None:
    """§8.3."""
    pod = PodSpec("p", Amounts(), priority=priority, deletion_cost=deletion_cost)
    assert eviction_cost(pod) == cost


def test_a_node_whose_pods_cost_nothing_is_empty() -> None:
    (candidate,) = found_in(a_view([a_node("a")], pods_on("a", 3, priority=-(2**26))))
    assert candidate.is_empty


@pytest.mark.parametrize(
    ("annotation", "running_s", "holds"),
    [("true", 1e9, True), ("10m", 599, True), ("10m", 600, False), ("1h30m", 5399, True), ("yes", 0, False)],
)
def test_do_not_disrupt_is_true_or_a_duration(annotation: str, running_s: float, holds: bool) -> None:
    """§8.2: a duration holds until the pod has run that long; anything else is ignored."""
    pod = PodSpec("p", Amounts(), do_not_disrupt=annotation, running_s=running_s)
    assert may_not_be_disrupted(pod) is holds


def test_durations_as_go_reads_them() -> None:
    assert go_duration_s("1.5h") == 5400
    assert go_duration_s("2m30s") == 150
    assert go_duration_s("10 m") is None


@pytest.mark.parametrize(
    ("node", "pod", "why"),
    [
        pytest.param({"node_pool": None}, {}, Blocked.NOT_MANAGED, id="not managed"),
        pytest.param({"state": "registered"}, {}, Blocked.NOT_INITIALIZED, id="not initialised"),
        pytest.param({"deleting": True}, {}, Blocked.BEING_DELETED, id="going already"),
        pytest.param({"nominated": True}, {}, Blocked.NOMINATED, id="nominated"),
        pytest.param({}, {"do_not_disrupt": "true"}, Blocked.POD_DO_NOT_DISRUPT, id="a pod"),
        pytest.param({}, {"do_not_disrupt": "true", "daemonset": "d"}, Blocked.POD_DO_NOT_DISRUPT, id="any"),
        pytest.param({}, {"labels": {"app": "web"}}, Blocked.PDB_BLOCKS, id="a budget"),
        pytest.param({}, {"labels": {"app": "web", "db": "1"}}, Blocked.TWO_PDBS, id="two budgets"),
    ],
)
def test_what_keeps_a_node(node: dict[str, Any], pod: dict[str, Any], why: Blocked) -> None:
    """§8.2, and trap 21."""
    budgets = [
        {"name": "web", "selector": {"app": "web"}, "disruptions_allowed": 0},
        {"name": "db", "selector": {"db": "1"}, "disruptions_allowed": 5},
    ]
    row = {key: value for key, value in a_node("a", **node).items() if value is not None}
    view = a_view([row], pods_on("a", 1, **pod), pdbs=budgets)
    assert candidates(view) == ([], {"a": why})


def test_the_dearest_offering_of_the_capacity_type_that_would_launch_must_be_cheaper() -> None:
    """Example 7: Spot at 0.07 to 0.11 replaces 0.192, and the launch is restricted to Spot."""
    both = [
        {"key": "kubernetes.io/arch", "op": "In", "values": ["amd64"]},
        {"key": "karpenter.sh/capacity-type", "op": "In", "values": ["spot", "on-demand"]},
    ]
    view = a_view([a_node("a")], pods_on("a", 1, 1000), pools=[a_pool(requirements=both)])
    command = consolidated(view, found_in(view), "single")
    assert isinstance(command, Command)
    (claim,) = command.replacements
    assert claim.requirements["karpenter.sh/capacity-type"].only == "spot"
    same = next(option for option in claim.options if option.name == "g1.xlarge")
    spot = [one.usd_per_hour for one in same.offerings if one.capacity_type == "spot"]
    asked = {"karpenter.sh/capacity-type": requirement("In", ["spot", "on-demand"])}
    assert worst_launch_usd(same, asked) == max(spot) < 0.1922


def test_spot_is_not_replaced_by_spot_unless_the_gate_is_on() -> None:
    """Trap 12, and fifteen cheaper types."""
    spot = [{"key": "karpenter.sh/capacity-type", "op": "In", "values": ["spot"]}]
    view = a_view(
        [a_node("a", "g1.8xlarge", capacity_type="spot")], pods_on("a", 1), pools=[a_pool(requirements=spot)]
    )
    assert consolidated(view, found_in(view), "single") is Why.SPOT_TO_SPOT_OFF
    gated = replace(view, spot_to_spot=True)
    command = consolidated(gated, found_in(gated), "single")
    assert isinstance(command, Command)
    assert len(command.replacements[0].options) == 15
    small = replace(
        a_view(
            [a_node("a", "g1.large", capacity_type="spot")],
            pods_on("a", 1),
            pools=[a_pool(requirements=spot)],
        ),
        spot_to_spot=True,
    )
    assert consolidated(small, found_in(small), "single") is Why.TOO_FEW_SPOT_TYPES


def test_balanced_weighs_savings_against_disruption() -> None:
    """Example 9, with prices that are not rounded: 0.0856 of 3 × 0.1922 + 0.0856."""
    for pods, share in ((8, 9 / 18), (2, 3 / 12)):
        expected = 0.0856 / (3 * 0.1922 + 0.0856) / share
        nodes = [a_node("a"), a_node("b"), a_node("c"), a_node("d", "c1.large")]
        running = [*pods_on("a", 2), *pods_on("b", 2), *pods_on("c", 2), *pods_on("d", pods)]
        pool = a_pool(consolidation_policy="Balanced")
        view = a_view(nodes, running, pools=[pool])
        cheap = next(one for one in found_in(view) if one.name == "d")
        command = Command(DisruptionReason.UNDERUTILIZED, "single", (cheap,))
        assert score(view.world, command, cheap.pool) == pytest.approx(expected)
        assert isinstance(consolidated(view, (cheap,), "single"), Command) is (expected >= 0.5)


def test_several_nodes_are_not_replaced_by_the_like_of_one_that_goes() -> None:
    """§8.7: only types cheaper than the cheapest node of a listed type stay."""
    view = a_view([a_node("a"), a_node("b")], [*pods_on("a", 1, 700), *pods_on("b", 1, 700)])
    outcome = multi_node(view, found_in(view), {"default": 2})
    assert outcome.command is not None
    (claim,) = outcome.command.replacements
    assert [option.name for option in claim.options] == ["c1.large", "g1.large", "r1.large", "c1.xlarge"]


def test_multi_node_says_of_each_prefix_why_not() -> None:
    large = [a_node("a", "g1.8xlarge"), a_node("b", "g1.8xlarge")]
    view = a_view(large, [*pods_on("a", 1, 20_000), *pods_on("b", 1, 20_000)])
    outcome = multi_node(view, found_in(view), {"default": 2})
    assert outcome.command is None
    assert outcome.reasons == {("a", "b"): Why.SEVERAL_NODES}


def test_a_move_across_pools_is_scored_with_each_pools_share() -> None:
    """Half of what is saved is of each pool; one pool alone counts in its own totals."""
    pools = [a_pool("x", consolidation_policy="Balanced"), a_pool("y")]
    nodes = [a_node("a", node_pool="x"), a_node("b", node_pool="x"), a_node("c", node_pool="y")]
    view = a_view(nodes, [*pods_on("a", 1), *pods_on("b", 1), *pods_on("c", 1)], pools=pools)
    going = tuple(one for one in found_in(view) if one.name in {"a", "c"})
    command = Command(DisruptionReason.UNDERUTILIZED, "multi", going)
    assert score(view.world, command, going[0].pool) == pytest.approx(1.0)


def test_empty_nodes_go_in_one_command_and_those_that_filled_up_stay() -> None:
    """Trap 15 and §8.5."""
    method = METHODS[0]
    view = a_view([a_node("a"), a_node("b"), a_node("c", "g1.2xlarge")], [])
    command = method.decide(view, list(filter(method.wants, found_in(view))), {"default": 2}).command
    assert command is not None
    assert [one.name for one in command.nodes] == ["c", "a"]
    later = a_view([a_node("a"), a_node("b"), a_node("c", "g1.2xlarge")], pods_on("c", 1))
    left = validated(later, command, list(filter(method.wants, found_in(later))), {"default": 2})
    assert left is not None
    assert [one.name for one in left.nodes] == ["a"]


def test_a_command_falls_when_its_simulation_gives_another_shape() -> None:
    """§8.10: a pod that waits now takes the room."""
    view = a_view([a_node("a"), a_node("b")], [*pods_on("a", 1, 1500), *pods_on("b", 1, 1500)])
    single = METHODS[3]
    command = single.decide(view, found_in(view), {"default": 2}).command
    assert command is not None
    assert not command.replacements
    assert validated(view, command, found_in(view), {"default": 2}) == command
    late = replace(view, pending=(PodSpec("late", Amounts(2000, 100, 1)),))
    assert validated(late, command, found_in(late), {"default": 2}) is None
    assert validated(view, command, found_in(view), {"default": 0}) is None


def test_pods_that_move_keep_away_from_nodes_that_settle() -> None:
    """§8.9, new in 1.14."""
    nodes = [a_node("a"), a_node("b", "c1.xlarge", consolidatable=False)]
    view = a_view(nodes, pods_on("a", 1, 3500))
    command = consolidated(view, [one for one in found_in(view) if one.name == "a"], "single")
    assert isinstance(command, Command)
    assert command.replacements
    settled = a_view([a_node("a"), a_node("b", "c1.xlarge")], pods_on("a", 1, 3500))
    command = consolidated(settled, [one for one in found_in(settled) if one.name == "a"], "single")
    assert isinstance(command, Command)
    assert not command.replacements
