"""Extended support: from when on the control plane's version costs more than the standard price.

EKS supports a Kubernetes minor for 14 months, and for another 12 at a higher price, which holds from the
first moment, in UTC, of the day on which standard support ends. After that EKS upgrades the control plane.

Source: Amazon EKS user guide, "Understand the Kubernetes version lifecycle on EKS"; aws.md §5.2.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time

from sim.catalog import HOME_REGION, Catalog
from sim.loader.notes import Notes
from sim.loader.shape.scenario import ScenarioFile
from sim.model.machines import VersionSupport
from sim.model.units import DAY, SECOND

AHEAD_US = 90 * DAY
PATH = "prices.extended_support"
CURE = "upgrade, or give prices.control_plane_hour"


def extended_from_us(said: ScenarioFile, version: str, catalog: Catalog, notes: Notes) -> int | None:
    """Return from when a version is billed as in extended support, None for never, and warn of it."""
    prices = said.prices
    if prices.control_plane_hour is not None:
        return None
    if prices.extended_support is not None:
        return 0 if prices.extended_support else None
    support = catalog.support(version)
    if support is None:
        notes.assume(
            PATH, "false", f"assumption: no date is known at which EKS {version} leaves standard support"
        )
        return None
    begins_us = _since(said.start, support.standard_until)
    notes.assume(PATH, f"from {support.standard_until} on", f"{support.source}, {support.status}")
    _warn(said, support, begins_us, _rise(catalog, said.region), notes)
    return max(0, begins_us)


def _warn(said: ScenarioFile, support: VersionSupport, begins_us: int, rise: str, notes: Notes) -> None:
    what = f"Kubernetes {support.version}"
    if begins_us <= 0:
        notes.warn(f"{what} left standard support on {support.standard_until}: {rise}; {CURE}")
    elif begins_us < max(said.horizon, AHEAD_US):
        when = (
            "before the horizon" if begins_us < said.horizon else f"{begins_us // DAY} days after the start"
        )
        notes.warn(
            f"{what} leaves standard support on {support.standard_until}, {when}: {rise} from then on; {CURE}"
        )
    if _since(said.start, support.extended_until) < said.horizon:
        notes.warn(f"EKS upgrades control planes of {what} by itself from {support.extended_until} on")


def _rise(catalog: Catalog, region: str) -> str:
    rates = catalog.prices(region or HOME_REGION)
    standard, extended = rates["eks_control_plane"].usd, rates["eks_control_plane_extended"].usd
    return f"the control plane costs ${extended:.2f} an hour instead of ${standard:.2f}"


def _since(start: datetime, day: date) -> int:
    """Return the time from the start to the first moment of a day, negative for one that is past."""
    gone = datetime.combine(day, time(), UTC) - start
    return round(gone.total_seconds()) * SECOND
