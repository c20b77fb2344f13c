"""Notes: what was assumed and what to warn of, gathered while a scenario is put together.

A default that carries a source is an assumption in force, and so is whatever the loader worked out for
itself. ``check`` prints all of them; the warnings go with every result.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from sim.documents.fields import Field
from sim.loader.values.kinds import Kind, ListOf, MapOf
from sim.loader.values.sections import REQUIRED, Key, Section
from sim.model.machines import Rate, is_trusted
from sim.model.notices import Notice
from sim.model.scenario import Assumption


@dataclass(slots=True)
class Notes:
    """Assumptions and warnings so far; of the prices used, their dates and the ones to be careful with."""

    assumptions: list[Assumption] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    price_dates: list[str] = field(default_factory=list)
    low_prices: list[str] = field(default_factory=list)

    def assume(self, path: str, value: object, source: str) -> None:
        """Note something in force that the file does not say."""
        self.assumptions.append(Assumption(path, flow(value), source))

    def warn(self, warning: str) -> None:
        """Note something the user should know, once."""
        if warning not in self.warnings:
            self.warnings.append(warning)

    def price(self, name: str, date: str, status: str) -> None:
        """Note a price in use."""
        self.price_dates.append(date)
        low = f"{name} is {status} ({date})"
        if not is_trusted(status) and low not in self.low_prices:
            self.low_prices.append(low)

    def rate(self, path: str, rate: Rate) -> float:
        """Note a rate of the price tables in use, and return it."""
        where = f"{rate.source} ({rate.status}, {rate.date})"
        if not any(each.field == path for each in self.assumptions):  # a price in steps is said once
            self.assume(path, f"${rate.usd:g} per {rate.unit}", where)
        self.price(path.removeprefix("prices."), rate.date, rate.status)
        return rate.usd

    def add(self, notices: Iterable[Notice]) -> None:
        """Warn of what an adapter noticed."""
        for notice in notices:
            self.warn(str(notice))


def defaults_in_force(section: Section, at: Field, besides: Section) -> Iterator[Assumption]:
    """Yield every default with a source that a document leaves in force, in the order of the keys.

    Those of the section ``besides`` depend on more than the document, and are noted elsewhere.
    """
    for each in section.keys:
        if each.kind is besides:
            continue
        child = at.child(each.name) if isinstance(at.value, dict) else None
        path = f"{at.name()}.{each.name}".lstrip(".")
        if child is not None:
            yield from _within(each.kind, child, besides)
        elif isinstance(each.kind, Section):
            yield from _all_of(each.kind, path, besides)
        elif each.source and each.default is not REQUIRED and each.default is not None:
            yield _assumption(each, path)


def _within(kind: Kind, at: Field, besides: Section) -> Iterator[Assumption]:
    if isinstance(kind, Section) and isinstance(at.value, dict):
        yield from defaults_in_force(kind, at, besides)
    elif isinstance(kind, ListOf) and isinstance(at.value, list):
        for item in at.items():
            yield from _within(kind.kind, item, besides)
    elif isinstance(kind, MapOf) and isinstance(at.value, dict):
        for _, item in at.children():
            yield from _within(kind.kind, item, besides)


def _all_of(section: Section, path: str, besides: Section) -> Iterator[Assumption]:
    """Yield the defaults of a section that is not there at all."""
    for each in section.keys:
        below = f"{path}.{each.name}"
        if each.kind is besides:
            continue
        if isinstance(each.kind, Section):
            yield from _all_of(each.kind, below, besides)
        elif each.source and each.default is not REQUIRED and each.default is not None:
            yield _assumption(each, below)


def _assumption(each: Key, path: str) -> Assumption:
    return Assumption(path, flow(each.printed(each.default)), each.source)


def flow(value: object) -> str:
    """Return a written value as YAML on one line: ``{uniform: {low: 3s, high: 15s}}``."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {flow(each)}" for name, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)
