"""Kinds: what one field of a scenario may hold, read once, written once, described once.

A kind turns raw YAML into a value of the model and back, and says it in words and as JSON Schema. All
texts go through ``sim.model.units``; nothing else parses them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol

from sim.adapters.fields import Field
from sim.errors import InputError, nearest
from sim.model.pods import Pairs
from sim.model.quantity import milli
from sim.model.resources import MIB, mib_up
from sim.model.units import (
    BYTE_RATE_ALLOWED,
    DURATION_ALLOWED,
    PROBABILITY_ALLOWED,
    RATE_ALLOWED,
    SECOND,
    SIZE_ALLOWED,
    parse_byte_rate,
    parse_duration,
    parse_probability,
    parse_rate,
    parse_size,
    print_byte_rate,
    print_duration,
    print_probability,
    print_rate,
    print_size,
)

Json = dict[str, Any]


class Kind(Protocol):
    """What a field may hold."""

    @property
    def unit(self) -> str:
        """What the value is measured in, for the table of fields."""
        ...

    def read(self, at: Field) -> Any:
        """Return the value; raise InputError where it is none."""
        ...

    def write(self, value: Any) -> Any:
        """Return what ``read`` takes to give ``value``."""
        ...

    def schema(self) -> Json:
        """Return the JSON Schema of what ``read`` takes."""
        ...


@dataclass(frozen=True, slots=True)
class Scalar:
    """A single text or number."""

    unit: str
    allowed: str
    parse: Callable[[Any], Any]
    print: Callable[[Any], Any]
    types: tuple[str, ...] = ("string",)
    limits: Mapping[str, Any] = field(default_factory=dict)

    def read(self, at: Field) -> Any:
        """Parse it."""
        try:
            return self.parse(at.value)
        except InputError as error:
            raise at.locate(error) from None
        except OverflowError:
            raise at.error(allowed=f"{self.allowed}, and a smaller one") from None

    def write(self, value: Any) -> Any:
        """Print it."""
        return self.print(value)

    def schema(self) -> Json:
        """Return its JSON types."""
        types = list(self.types) if len(self.types) > 1 else self.types[0]
        return {"type": types, "description": self.allowed, **self.limits}


LARGEST_SIZE = 2**60
LARGEST_COUNT = 10**12  # more files, datums or nodes than any cluster holds; keeps sums inside int64


def _number(
    allowed: str, least: float = -math.inf, most: float = LARGEST_COUNT, *, above: bool = False
) -> Callable[[object], float]:
    def parse(raw: object) -> float:
        if isinstance(raw, bool) or not isinstance(raw, int | float):
            raise InputError(value=raw, allowed=allowed)
        try:
            value = float(raw)
        except OverflowError:
            raise InputError(value=raw, allowed=allowed) from None
        if not (math.isfinite(value) and least <= value <= most) or (above and value == least):
            raise InputError(value=raw, allowed=allowed)
        return value

    return parse


def _whole(allowed: str, least: int = 0) -> Callable[[object], int]:
    def parse(raw: object) -> int:
        if isinstance(raw, bool) or not isinstance(raw, int) or not least <= raw <= LARGEST_COUNT:
            raise InputError(value=raw, allowed=allowed)
        return raw

    return parse


def _text(raw: object) -> str:
    if not isinstance(raw, str) or not raw.strip() or "\n" in raw.strip():
        raise InputError(value=raw, allowed=TEXT.allowed)
    return raw.strip()


def _prose(raw: object) -> str:
    if not isinstance(raw, str):
        raise InputError(value=raw, allowed=PROSE.allowed)
    return raw.strip()


def _flag(raw: object) -> bool:
    if not isinstance(raw, bool):
        raise InputError(value=raw, allowed=FLAG.allowed)
    return raw


def _label(raw: object) -> str:
    if not isinstance(raw, str):
        raise InputError(value=raw, allowed=LABEL.allowed)
    return raw


def _cpu(raw: object) -> int:
    amount = (
        None if isinstance(raw, bool) else milli(str(raw)) if isinstance(raw, int | float | str) else None
    )
    if amount is None or not 0 <= amount <= LARGEST_COUNT:
        raise InputError(value=raw, allowed=CPU.allowed)
    return amount


def _version(raw: object) -> str:
    """Return a version such as 2.11; a bare number is one too, unless a zero may have been lost."""
    text = str(raw).strip() if isinstance(raw, str | float) else ""
    lost_zero = isinstance(raw, float) and text.endswith(".1")
    if not text or "\n" in text or lost_zero:
        raise InputError(value=raw, allowed=VERSION.allowed)
    return text


def _size(raw: object) -> int:
    size = parse_size(raw)  # type: ignore[arg-type]  # it refuses anything but texts and whole numbers
    if size > LARGEST_SIZE:
        raise InputError(value=raw, allowed="at most 1Ei")
    return size


def _seconds(raw: object) -> float:
    return parse_duration(raw) / SECOND  # type: ignore[arg-type]  # it refuses anything but text and 0


def _seconds_printed(seconds: float) -> str:
    return print_duration(round(seconds * SECOND))


TEXT = Scalar("text", "a text on one line", _text, str)
PROSE = Scalar("text", "a text", _prose, str)
VERSION = Scalar(
    "version",
    "a version in quotes, such as '2.11': a bare 2.10 reads as 2.1",
    _version,
    str,
    ("string", "number"),
)
LABEL = Scalar("text", "a text; quote numbers and booleans", _label, str)
FLAG = Scalar("yes or no", "true or false", _flag, bool, ("boolean",))
DURATION = Scalar("duration", DURATION_ALLOWED, parse_duration, print_duration, ("string", "integer"))
SECONDS = Scalar("duration", DURATION_ALLOWED, _seconds, _seconds_printed, ("string", "integer"))
SIZE = Scalar("size", SIZE_ALLOWED, _size, print_size, ("string", "integer"))
MEMORY_MIB = Scalar(
    "size",
    SIZE_ALLOWED,
    lambda raw: mib_up(_size(raw)),
    lambda mib: print_size(mib * MIB),
    ("string", "integer"),
)
MEMORY_FLOAT_MIB = Scalar(
    "size",
    SIZE_ALLOWED,
    lambda raw: _size(raw) / MIB,
    lambda mib: print_size(round(mib * MIB)),
    ("string", "integer"),
)
CPU = Scalar(
    "cores",
    "a Kubernetes CPU quantity such as 500m, 0.5 or 4",
    _cpu,
    lambda m: m // 1000 if m % 1000 == 0 else f"{m}m",
    ("string", "number"),
)
RATE = Scalar("rate", RATE_ALLOWED, parse_rate, print_rate)
BYTE_RATE = Scalar("bytes per time", BYTE_RATE_ALLOWED, parse_byte_rate, print_byte_rate)
SHARE = Scalar("share", PROBABILITY_ALLOWED, parse_probability, print_probability, ("string", "number"))
COUNT = Scalar(
    "count",
    "a whole number, 0 or more",
    _whole("a whole number, 0 or more"),
    int,
    ("integer",),
    {"minimum": 0},
)
ONE_OR_MORE = Scalar(
    "count",
    "a whole number, 1 or more",
    _whole("a whole number, 1 or more", 1),
    int,
    ("integer",),
    {"minimum": 1},
)
INTEGER = Scalar("number", "a whole number", _whole("a whole number", -LARGEST_COUNT), int, ("integer",))
NUMBER = Scalar(
    "number", "a number, 0 or more", _number("a number, 0 or more", 0), float, ("number",), {"minimum": 0}
)
POSITIVE = Scalar(
    "number",
    "a number above 0",
    _number("a number above 0", 0, above=True),
    float,
    ("number",),
    {"exclusiveMinimum": 0},
)
USD_PER_HOUR = Scalar(
    "USD/h",
    "a price in USD, 0 or more",
    _number("a price in USD, 0 or more", 0),
    float,
    ("number",),
    {"minimum": 0},
)


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few words."""

    words: tuple[str, ...]
    enum: type[Enum] | None = None

    @property
    def unit(self) -> str:
        """The words."""
        return " or ".join(self.words)

    def read(self, at: Field) -> Any:
        """Return the word, or the member of the enum it names."""
        word = at.value
        if not isinstance(word, str) or word not in self.words:
            near = nearest(word, self.words) if isinstance(word, str) else None
            raise at.error(allowed=", ".join(self.words), near=near)
        return word if self.enum is None else self.enum(word)

    def write(self, value: Any) -> Any:
        """Return the word."""
        return value if self.enum is None else value.value

    def schema(self) -> Json:
        """Return the words."""
        return {"enum": list(self.words)}


def choice_of(enum: type[Enum]) -> Choice:
    """Return the kind that holds one member of an enum of words."""
    return Choice(tuple(member.value for member in enum), enum)


@dataclass(frozen=True, slots=True)
class ListOf:
    """Several of a kind, in order."""

    kind: Kind
    least: int = 0

    @property
    def unit(self) -> str:
        """What the items are."""
        return f"list of {self.kind.unit}"

    def read(self, at: Field) -> tuple[Any, ...]:
        """Read each item."""
        if not isinstance(at.value, list) or len(at.value) < self.least:
            some = "a list" if self.least == 0 else f"a list of at least {self.least}"
            raise at.error(allowed=f"{some} of {self.kind.unit}")
        return tuple(self.kind.read(item) for item in at.items())

    def write(self, value: tuple[Any, ...]) -> list[Any]:
        """Write each item."""
        return [self.kind.write(item) for item in value]

    def schema(self) -> Json:
        """Return the schema of a list."""
        return {
            "type": "array",
            "items": self.kind.schema(),
            **({"minItems": self.least} if self.least else {}),
        }


@dataclass(frozen=True, slots=True)
class MapOf:
    """Values of one kind under names that the user chooses."""

    kind: Kind
    names: str = "name"

    @property
    def unit(self) -> str:
        """What the values are."""
        return f"{self.kind.unit} by {self.names}"

    def read(self, at: Field) -> dict[str, Any]:
        """Read each value; a name without one is left out."""
        if not isinstance(at.value, dict):
            raise at.error(allowed=f"a mapping from {self.names} to {self.kind.unit}")
        return {name: self.kind.read(child) for name, child in at.children()}

    def write(self, value: Mapping[str, Any]) -> Json:
        """Write each value."""
        return {name: self.kind.write(item) for name, item in value.items()}

    def schema(self) -> Json:
        """Return the schema of a mapping with free keys."""
        return {"type": "object", "additionalProperties": self.kind.schema()}


@dataclass(frozen=True, slots=True)
class PairsOf:
    """Labels: texts under texts, kept as pairs in the order given."""

    unit: str = "labels"

    def read(self, at: Field) -> Pairs:
        """Read a mapping of texts."""
        return tuple(MapOf(LABEL, "label").read(at).items())

    def write(self, value: Pairs) -> Json:
        """Return the mapping."""
        return dict(value)

    def schema(self) -> Json:
        """Return the schema of labels."""
        return MapOf(LABEL).schema()


@dataclass(frozen=True, slots=True)
class Either:
    """A short form and a long one: texts and numbers are the first, anything else the second."""

    short: Kind
    long: Kind

    @property
    def unit(self) -> str:
        """Both."""
        return self.short.unit

    def read(self, at: Field) -> Any:
        """Read the one its type says."""
        return (self.long if isinstance(at.value, dict | list) else self.short).read(at)

    def write(self, value: Any) -> Any:
        """Write the long form; the short one cannot say everything."""
        return self.long.write(value)

    def schema(self) -> Json:
        """Return both."""
        return {"anyOf": [self.short.schema(), self.long.schema()]}
