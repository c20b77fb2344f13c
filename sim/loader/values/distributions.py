"""Distributions in a scenario: constant, lognormal, gamma … in the unit of the field that holds them.

``18s`` is always 18 s; ``{lognormal: {median: 18s, p95: 60s}}`` varies. Counts are whole numbers and have
their own few. Observations are ``empirical``: a list, or a column of a CSV file beside the scenario.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from sim.documents.fields import Field
from sim.errors import InputError
from sim.loader.values.kinds import Json, Kind, ListOf, Scalar
from sim.loader.values.scalars import (
    BYTE_RATE,
    DATUMS,
    MANY,
    MEMORY_FLOAT_MIB,
    SECONDS,
    SHAPE,
    SIGMA,
    SIZE,
    SOME,
    SPREAD,
    TEXT,
)
from sim.loader.values.sections import Key, Section, mapping, section_of
from sim.loader.values.tables import read_table
from sim.loader.values.tagged import Tagged
from sim.model.distributions import (
    Constant,
    Empirical,
    Exponential,
    Gamma,
    Lognormal,
    NegativeBinomial,
    Poisson,
    Uniform,
    Weibull,
)


@dataclass(frozen=True, slots=True)
class Observations:
    """Values seen, listed or in a column of a CSV file of numbers in the field's base unit."""

    kind: Kind

    @property
    def unit(self) -> str:
        """What they are."""
        return f"list of {self.kind.unit}, or {{file: NAME.csv, column: NAME}}"

    def read(self, at: Field) -> Empirical:
        """Read the list, or the column."""
        if isinstance(at.value, dict):
            return Empirical(self._column(at))
        listed = ListOf(self.kind, least=1).read(at)
        return Empirical(tuple(map(float, listed)))

    def _column(self, at: Field) -> tuple[float, ...]:
        said = _COLUMN.read(at)
        table = read_table(at, said["file"], [said["column"]])
        try:
            values = tuple(value for value in table.numbers(said["column"], least=0) if value is not None)
        except InputError as error:
            raise at.locate(error) from None
        if not values:
            raise at.error("has no values in that column", allowed="at least one")
        return values

    def schema(self) -> Json:
        """Return both forms."""
        return {"anyOf": [ListOf(self.kind, least=1).schema(), _COLUMN.schema()]}


@dataclass(frozen=True, slots=True)
class Constantly:
    """A plain value: always the same."""

    kind: Kind

    @property
    def unit(self) -> str:
        """That of the value."""
        return self.kind.unit

    def read(self, at: Field) -> Constant:
        """Read the value."""
        return Constant(self.kind.read(at))

    def schema(self) -> Json:
        """Return that of the value."""
        return self.kind.schema()


@dataclass(frozen=True, slots=True)
class Distributed:
    """A value of some kind that may vary, up to ``most``; constants are written plainly."""

    one_of: Tagged
    amount: Scalar
    most: float = 1e12

    @property
    def unit(self) -> str:
        """That of the values."""
        return self.one_of.unit

    def read(self, at: Field) -> Any:
        """Read the one it is."""
        value = self.one_of.read(at)
        if reach(value) > self.most:
            problem = f"comes to {reach(value):.3g} {self.unit.split(' or ')[0]}, now and then, in base units"
            raise at.error(problem, allowed=f"values that stay below {self.most:g}")
        return value

    def write(self, value: Any) -> Any:
        """Write the plain value, or the tagged form."""
        if isinstance(value, Constant):
            return self.amount.write(value.value)
        tag = _TAGS[type(value)]
        section = self.one_of.tags[tag]
        assert isinstance(section, Section)
        arguments = ((key, getattr(value, key.attribute)) for key in section.keys)
        return {tag: {key.name: key.printed(given) for key, given in arguments if given is not None}}

    def schema(self) -> Json:
        """Return all forms."""
        return self.one_of.schema()


_COLUMN = section_of(
    mapping, Key("file", TEXT, "CSV file beside the scenario"), Key("column", TEXT, "its column")
)


def _ordered_uniform(low: float, high: float) -> Uniform:
    if low > high:
        raise ValueError(f"low is {low:g}; allowed: at most high ({high:g})")
    return Uniform(low, high)


def reach(value: object) -> float:
    """Return about the largest of a thousand million draws: 6 standard deviations, or 28 means, away."""
    match value:
        case Lognormal():
            return value.median * math.exp(6 * value.log_sigma)
        case Gamma():
            return value.mean * (1 + 28 * value.cv**2)
        case Weibull():
            return float(value.scale * 28 ** (1 / value.shape))
        case Exponential():
            return 28 * value.mean
        case NegativeBinomial():
            return value.mean * (1 + 28 * value.cv**2)
    return 0.0  # what else there is has bounds of its own


def distribution_of(value: Scalar, name: str, most: float = 1e12) -> Distributed:
    """Return the kind of a varying amount whose plain form ``value`` reads."""
    constant = Constantly(value)
    tags: dict[str, Kind] = {
        "constant": constant,
        "uniform": section_of(_ordered_uniform, Key("low", value), Key("high", value)),
        "exponential": section_of(Exponential, Key("mean", value)),
        "lognormal": section_of(Lognormal, Key("median", value), Key("p95", value), Key("sigma", SIGMA)),
        "gamma": section_of(Gamma, Key("mean", value), Key("cv", SPREAD)),
        "weibull": section_of(Weibull, Key("shape", SHAPE), Key("scale", value)),
        "empirical": Observations(value),
    }
    return Distributed(Tagged(f"{name} or distribution", tags, constant), value, most)


_TAGS: dict[type, str] = {
    Uniform: "uniform",
    Exponential: "exponential",
    Lognormal: "lognormal",
    Gamma: "gamma",
    Weibull: "weibull",
    Poisson: "poisson",
    NegativeBinomial: "negative_binomial",
}

SECONDS_VARYING = distribution_of(SECONDS, "duration")
BYTES_VARYING = distribution_of(SIZE, "size", 1e18)
MEMORY_VARYING = distribution_of(MEMORY_FLOAT_MIB, "size")
BYTE_RATE_VARYING = distribution_of(BYTE_RATE, "bytes per time", 1e18)
COUNT_VARYING = Distributed(
    Tagged(
        "count or distribution",
        {
            "constant": Constantly(DATUMS),
            "poisson": section_of(Poisson, Key("mean", MANY)),
            "negative_binomial": section_of(NegativeBinomial, Key("mean", SOME), Key("cv", SPREAD)),
            "empirical": Observations(DATUMS),
        },
        Constantly(DATUMS),
    ),
    DATUMS,
)
