"""The launch of a claim against karpenter.md §5."""

from __future__ import annotations

from typing import Any

from sim.decisions.karpenter.amounts import Amounts
from sim.decisions.karpenter.launch import MAX_LAUNCH_TYPES, FleetRequest, decide_launch
from tests.oracle.karpenter_world import options_of, requirements_of
from tests.unit.decisions.karpenter.worlds import CATALOGUES


def a_launch(*capacity_types: str, asked: tuple[dict[str, Any], ...] = (), **world: Any) -> FleetRequest:
    rows = [{"key": "karpenter.sh/capacity-type", "op": "In", "values": capacity_types}, *asked]
    options = options_of({"catalogue": "huge", **world}, CATALOGUES)
    return decide_launch(options, requirements_of(rows), Amounts(500, 500, 1))


def test_sixty_types_by_price_and_one_capacity_type() -> None:
    launch = a_launch("spot", "on-demand")
    prices = [one.usd_per_hour for one in launch.overrides]
    assert len(launch.options) == MAX_LAUNCH_TYPES
    assert launch.capacity_type == "spot"
    assert prices == sorted(prices)


def test_spot_dearer_than_the_cheapest_on_demand_is_dropped() -> None:
    """Trap 11."""
    cheapest = min(one.usd_per_hour for one in a_launch("on-demand").overrides)
    assert max(one.usd_per_hour for one in a_launch("spot", "on-demand").overrides) <= cheapest
    assert max(one.usd_per_hour for one in a_launch("spot").overrides) > cheapest


def test_on_demand_only_when_no_listed_type_has_spot() -> None:
    """Trap 11: the fall-back is by what is available, per launch."""
    names = [row["name"] for row in CATALOGUES["huge"]]
    gone = [{"type": name, "capacity_type": "spot"} for name in names]
    assert a_launch("spot", "on-demand", unavailable=gone[1:]).capacity_type == "spot"
    assert a_launch("spot", "on-demand", unavailable=gone).capacity_type == "on-demand"
    assert a_launch("spot", unavailable=gone).insufficient_at == "compatible-available-filter"


def test_metal_and_accelerators_go_unless_variety_is_asked_for() -> None:
    family = {"key": "karpenter.k8s.aws/instance-family", "op": "Exists", "min_values": 2}
    plain, varied = (
        dict(a_launch("on-demand").left_after),
        dict(a_launch("on-demand", asked=(family,)).left_after),
    )
    assert plain["exotic-instance-filter"] < plain["reserved-offering-filter"]
    assert varied["exotic-instance-filter"] == varied["reserved-offering-filter"]


def test_too_few_values_among_the_sixty_is_insufficient_capacity() -> None:
    sizes = {"key": "node.kubernetes.io/instance-type", "op": "Exists", "min_values": MAX_LAUNCH_TYPES + 1}
    assert a_launch("on-demand", asked=(sizes,)).insufficient_at == "truncate"


def test_of_reservations_the_fullest_of_each_type_and_zone() -> None:
    two = [
        {"id": "few", "type": "g2.xlarge", "zone": "zone-a", "count": 1, "kind": "default"},
        {"id": "many", "type": "g2.xlarge", "zone": "zone-a", "count": 9, "kind": "default"},
    ]
    launch = a_launch("reserved", "on-demand", reservations=two)
    assert (launch.capacity_type, [one.reservation for one in launch.overrides]) == ("reserved", ["many"])
