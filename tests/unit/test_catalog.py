from __future__ import annotations

from collections.abc import Callable

import pytest

from sim.catalog import Catalog
from sim.errors import InputError
from sim.model.machines import InstanceType, is_trusted


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return Catalog()


def test_an_instance_type(catalog: Catalog) -> None:
    """aws.md §7.2, columns m5.xlarge and g4dn.xlarge."""
    assert catalog.instance("m5.xlarge") == InstanceType("m5.xlarge", 4, 16384, max_pods=58)
    assert catalog.instance("g4dn.xlarge") == InstanceType(
        "g4dn.xlarge", 4, 16384, gpu=1, gpu_name="t4", max_pods=29
    )
    assert catalog.instances()["c5.4xlarge"] == catalog.instance("c5.4xlarge")


def test_every_price_has_a_date_a_status_and_a_source(catalog: Catalog) -> None:
    for region in catalog.regions():
        for price in catalog.on_demand_prices(region).values():
            assert (price.date, price.status, bool(price.source)) in {
                ("2026-07-20", "list", True),
                ("2025-03-02", "observed", True),
                ("2025-03-02", "scaled", True),
            }
        for rate in catalog.prices(region).values():
            assert rate.date >= "2026"
            assert rate.source


def test_prices_elsewhere_than_in_us_east_1_and_govcloud_are_not_to_be_trusted(catalog: Catalog) -> None:
    trusted = {
        region
        for region in catalog.regions()
        if any(is_trusted(price.status) for price in catalog.on_demand_prices(region).values())
    }
    assert trusted == {"us-east-1", "us-gov-east-1", "us-gov-west-1"}
    assert len(catalog.regions()) == 34


def test_ephemeral_storage_is_estimated_where_the_source_is_silent(catalog: Catalog) -> None:
    """aws.md §4: 0.025 of the price of memory, and flagged."""
    known, silent = catalog.fargate_price("us-east-1"), catalog.fargate_price("eu-west-1")
    assert (known.usd_per_ephemeral_gib_hour, known.ephemeral_status) == (0.000111, "verified")
    assert silent.usd_per_ephemeral_gib_hour == pytest.approx(0.025 * 0.004445)
    assert (silent.status, silent.ephemeral_status) == ("verified", "estimated")
    assert catalog.fargate_price("ap-south-1").status == "disputed"


def test_other_prices_hold_elsewhere_only_by_assumption(catalog: Catalog) -> None:
    """aws.md §5: the NAT gateway of Singapore is the exception the sheet names."""
    singapore = catalog.prices("ap-southeast-1")
    assert (singapore["nat_gateway"].usd, singapore["nat_gateway"].status) == (0.059, "verified")
    assert (singapore["ebs_gp3"].usd, singapore["ebs_gp3"].status) == (0.08, "assumed")
    assert catalog.prices("us-east-1")["eks_control_plane"].usd == 0.10
    assert catalog.prices("us-east-1")["eks_control_plane_extended"].usd == 0.60


def test_spot_advice_prices_and_hazard(catalog: Catalog) -> None:
    """aws.md §6: price = on demand × (1 − saving); the saving of m5.xlarge is in the advisor's table."""
    advice = catalog.spot("us-east-1", "c4.2xlarge")
    price = advice.price(catalog.on_demand("us-east-1", "c4.2xlarge"))
    assert (advice.savings_ratio, advice.interruption_band) == (0.54, "10-15%")
    assert price.usd_per_hour == pytest.approx(0.398 * 0.46)
    assert advice.hazard_per_hour == pytest.approx(1.83e-4, rel=0.003)
    assert not is_trusted(price.status)


def test_spot_falls_back_where_the_advisor_is_silent(catalog: Catalog) -> None:
    """aws.md §6: fallback ratio 0.40."""
    advice = catalog.spot("us-gov-east-1", "m5.xlarge")
    assert advice.status == "assumed"
    assert advice.price(catalog.on_demand("us-gov-east-1", "m5.xlarge")).usd_per_hour == pytest.approx(
        0.4 * catalog.on_demand("us-gov-east-1", "m5.xlarge").usd_per_hour
    )


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        pytest.param(
            lambda c: c.instance("m5.xlrge"),
            "m5.xlrge is not a known EC2 instance type; allowed: one of `pachsim catalog ec2`; "
            "did you mean m5.xlarge?",
            id="unknown type",
        ),
        pytest.param(
            lambda c: c.on_demand("us-east-1", "m5.xlrge"),
            "did you mean m5.xlarge?",
            id="unknown type to price",
        ),
        pytest.param(
            lambda c: c.spot("us-east-1", "m5.xlrge"), "did you mean m5.xlarge?", id="unknown Spot type"
        ),
        pytest.param(
            lambda c: c.on_demand("eu-west-1", "g6.xlarge"),
            "g6.xlarge has no On-Demand price in eu-west-1; allowed: a type priced there",
            id="known type without a price there",
        ),
        pytest.param(
            lambda c: c.on_demand("us-east1", "m5.xlarge"), "did you mean us-east-1?", id="unknown region"
        ),
        pytest.param(
            lambda c: c.prices("../../etc"), "region is '../../etc'; allowed: af-south-1", id="a path"
        ),
        pytest.param(
            lambda c: c.fargate_price("us-gov-east-1"),
            "region has no Fargate price in us-gov-east-1; allowed: one of af-south-1",
            id="Fargate in GovCloud",
        ),
    ],
)
def test_unknown_names_are_errors_with_the_nearest_match(
    catalog: Catalog, ask: Callable[[Catalog], object], message: str
) -> None:
    with pytest.raises(InputError) as caught:
        ask(catalog)
    assert message in str(caught.value)
