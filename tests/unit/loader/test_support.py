"""Extended support of the control plane: by version and date, as the user guide's calendar says."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from sim.catalog import Catalog
from sim.model.scenario import Scenario
from sim.model.units import DAY, HOUR
from tests.unit.loader.worlds import SCENARIO, loaded


def of_version(folder: Path, version: str, start: str, *sets: str) -> Scenario:
    return loaded(folder, SCENARIO.replace('"1.33"', f'"{version}"'), f"start={start}", *sets)


@pytest.mark.parametrize(
    ("version", "standard", "extended"),
    [
        pytest.param("1.29", "2025-03-23", "2026-03-23", id="1.29"),
        pytest.param("1.30", "2025-07-23", "2026-07-23", id="1.30"),
        pytest.param("1.31", "2025-11-26", "2026-11-26", id="1.31"),
        pytest.param("1.32", "2026-03-23", "2027-03-23", id="1.32"),
        pytest.param("1.33", "2026-07-29", "2027-07-29", id="1.33"),
        pytest.param("1.34", "2026-12-02", "2027-12-02", id="1.34"),
    ],
)
def test_the_calendar_of_the_user_guide(version: str, standard: str, extended: str) -> None:
    support = Catalog().support(version)
    assert support is not None
    days = (support.standard_until, support.extended_until)
    assert days == (date.fromisoformat(standard), date.fromisoformat(extended))


@pytest.mark.parametrize(
    ("version", "start", "from_us"),
    [
        pytest.param("1.33", "2026-07-28T22:00Z", 2 * HOUR, id="at midnight"),
        pytest.param("1.33", "2026-07-28T20:00-04:00", 0, id="midnight of UTC"),
        pytest.param("1.33", "2026-12-01T00:00Z", 0, id="long past"),
        pytest.param("1.29", "2026-01-05T00:00Z", 0, id="1.29 in 2026"),
        pytest.param("1.34", "2026-12-01T00:00Z", DAY, id="the day after tomorrow"),
    ],
)
def test_extended_support_begins_with_the_day(
    tmp_path: Path, version: str, start: str, from_us: int | None
) -> None:
    scenario = of_version(tmp_path, version, start)
    assert scenario.prices.extended_from_us == from_us
    assert scenario.prices.control_plane_hour == 0.1
    assert scenario.prices.control_plane_extended_hour == 0.6


def test_a_version_without_a_date_is_billed_as_in_standard_support(tmp_path: Path) -> None:
    scenario = loaded(tmp_path, SCENARIO, "cluster.kubernetes_version='1.99'")
    assert scenario.prices.extended_from_us is None
    assert any("no date is known" in each.source for each in scenario.assumptions)


@pytest.mark.parametrize(
    ("said", "from_us", "usd"),
    [
        pytest.param("prices.extended_support=true", 0, 0.1, id="whatever the date"),
        pytest.param("prices.extended_support=false", None, 0.1, id="never"),
        pytest.param("prices.control_plane_hour=0.3", None, 0.3, id="a price of one's own"),
    ],
)
def test_the_scenario_may_say_otherwise(tmp_path: Path, said: str, from_us: int | None, usd: float) -> None:
    for start in ("2026-01-05T00:00Z", "2026-12-01T00:00Z"):
        scenario = of_version(tmp_path, "1.33", start, said)
        assert scenario.prices.extended_from_us == from_us
        assert scenario.prices.control_plane_hour == usd
        assert not [line for line in scenario.warnings if "support" in line]


@pytest.mark.parametrize(
    ("start", "horizon", "told"),
    [
        pytest.param("2026-04-29T00:00Z", "1d", None, id="more than 90 days before"),
        pytest.param(
            "2026-04-29T00:00Z", "95d", "leaves standard support on 2026-07-29, before the", id="horizon"
        ),
        pytest.param("2026-05-01T00:00Z", "1d", "2026-07-29, 89 days after the start", id="within 90 days"),
        pytest.param("2026-07-29T00:00Z", "1d", "left standard support on 2026-07-29", id="on the day"),
        pytest.param(
            "2027-07-29T00:00Z", "1d", "EKS upgrades control planes of Kubernetes 1.33", id="both past"
        ),
    ],
)
def test_what_is_said_of_the_end_of_support(
    tmp_path: Path, start: str, horizon: str, told: str | None
) -> None:
    scenario = of_version(tmp_path, "1.33", start, f"horizon={horizon}")
    lines = [line for line in scenario.warnings if "support" in line or "EKS upgrades" in line]
    assert bool(lines) == bool(told)
    assert not told or any(told in line for line in lines)
    assert all("$0.60 an hour instead of $0.10" in line for line in lines if "standard" in line)


def test_a_version_that_nobody_says_is_one_in_standard_support(tmp_path: Path) -> None:
    scenario = loaded(tmp_path, SCENARIO.replace(', version: "1.33"', ""), "start=2026-12-01T00:00Z")
    support = Catalog().support(scenario.cluster.kubernetes_version)
    assert support is not None
    assert support.standard_until > datetime(2026, 12, 1, tzinfo=UTC).date()
    assert scenario.prices.extended_from_us is not None
    assert scenario.prices.extended_from_us > 0
