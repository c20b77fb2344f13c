"""Sections: mappings with known keys, each key said once.

A ``Key`` says everything about one key: the kind of value, the default in force when it is left out,
what it means and where the default is from. Reading, the JSON Schema and the table in
``scenarios/README.md`` are all walks over keys. What a section becomes is a frozen dataclass, whose own
fields carry the keys where the dataclass is the loader's (``section_of``).

pydantic's ``TypeAdapter`` was tried for this (DESIGN.md, decision 7). It costs 110 ms of a run that may
take 1.5 s, its errors on tagged unions list every alternative that failed, and units, defaults with
sources and printing back have to be said to it a second time; this walk is shorter than that glue.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from enum import Enum
from functools import cached_property
from typing import Any

from sim.documents.fields import Field
from sim.errors import InputError
from sim.loader.values.kinds import Json, Kind


class Required(Enum):
    """The default of a key that has none."""

    REQUIRED = "required"


REQUIRED = Required.REQUIRED


@dataclass(frozen=True, slots=True)
class Key:
    """What is known of one key of a section; ``attribute`` is its name as an argument."""

    name: str
    kind: Kind
    meaning: str = ""
    default: Any = REQUIRED
    source: str = ""
    attribute: str = ""

    @property
    def required(self) -> bool:
        """Say whether the key has to be there."""
        return self.default is REQUIRED

    @property
    def description(self) -> str:
        """Meaning, unit and source in one sentence."""
        source = f" Source: {self.source}." if self.source else ""
        return f"{self.meaning} ({self.kind.unit}).{source}".strip()


@dataclass(frozen=True)
class Section:
    """The kind that reads a mapping with known keys and builds something of it.

    ``said`` gives back what was built as attributes by name; None: they are the built value's own.
    """

    build: Callable[..., Any]
    keys: tuple[Key, ...]
    said: Callable[[Any], Mapping[str, Any]] | None = None

    @property
    def unit(self) -> str:
        """A mapping."""
        return "mapping"

    @cached_property
    def by_name(self) -> Mapping[str, Key]:
        """The keys by name."""
        return {each.name: each for each in self.keys}

    def read(self, at: Field) -> Any:
        """Read every key that is there; unknown ones and missing ones are errors."""
        at.known(self.by_name)
        said = dict(at.children())
        for each in self.keys:
            if each.required and each.name not in said:
                raise at.missing(each.name, each.kind.unit)
        values = {e.attribute or e.name: e.kind.read(said[e.name]) for e in self.keys if e.name in said}
        return self._built(values, at)

    def _built(self, values: dict[str, Any], at: Field) -> Any:
        try:
            return self.build(**values)
        except InputError as error:
            raise at.locate(error) from None
        except ValueError as error:
            raise at.error(f"is refused: {error}") from None

    def write(self, value: Any) -> Json:
        """Write the keys whose value is not the default."""
        said = self.said(value) if self.said else None
        written = {}
        for each in self.keys:
            name = each.attribute or each.name
            one = getattr(value, name) if said is None else said.get(name)
            if one is not None and one != each.default:
                written[each.name] = each.kind.write(one)
        return written

    def schema(self) -> Json:
        """Return the schema of the mapping, closed."""
        required = [each.name for each in self.keys if each.required]
        return {
            "type": "object",
            "properties": {e.name: {**e.kind.schema(), "description": e.description} for e in self.keys},
            "additionalProperties": False,
            **({"required": required} if required else {}),
        }


def key(kind: Kind, meaning: str, default: Any = REQUIRED, *, source: str = "", name: str = "") -> Any:
    """Return the dataclass field of one key; ``name`` where the key is no Python name.

    The default is in the model's unit; None means that something else decides, as ``meaning`` says.
    """
    said = {"key": Key(name, kind, meaning, default, source)}
    return field(default=MISSING if default is REQUIRED else default, metadata=said)


def section_of(build: type) -> Section:
    """Return the section of a dataclass whose fields were made by ``key``."""
    keys = []
    for each in fields(build):
        said: Key = each.metadata["key"]
        keys.append(
            Key(said.name or each.name, said.kind, said.meaning, said.default, said.source, each.name)
        )
    return Section(build, tuple(keys))
