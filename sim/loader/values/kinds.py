"""Kinds: what one field of a scenario may hold, read once, described once.

A kind turns raw YAML into a value of the model, and says it in words and as JSON Schema. Here is
what a kind is, and those made of other kinds; single texts and numbers are in ``scalars``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol, runtime_checkable

from sim.documents.fields import Field
from sim.errors import InputError, nearest
from sim.model.pods import Pairs

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

    def schema(self) -> Json:
        """Return the JSON Schema of what ``read`` takes."""
        ...


@runtime_checkable
class Printed(Kind, Protocol):
    """A kind whose values are printed too: defaults, assumptions and flags."""

    def write(self, value: Any) -> Any:
        """Return what ``read`` takes to give ``value``."""
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

    def schema(self) -> Json:
        """Return the schema of a mapping with free keys."""
        return {"type": "object", "additionalProperties": self.kind.schema()}


@dataclass(frozen=True, slots=True)
class PairsOf:
    """Labels: texts under texts, kept as pairs in the order given."""

    unit: str = "labels"

    def read(self, at: Field) -> Pairs:
        """Read a mapping of texts."""
        return at.pairs()

    def schema(self) -> Json:
        """Return the schema of labels."""
        return {"type": "object", "additionalProperties": {"type": "string"}}


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

    def schema(self) -> Json:
        """Return both."""
        return {"anyOf": [self.short.schema(), self.long.schema()]}
