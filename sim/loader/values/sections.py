"""Sections: mappings with known keys, each key said once.

A ``Key`` says what a file adds to an argument: the kind of value, what it means and where its default is
from. Its default is the argument's own, of the dataclass or function that the section builds with. Where
the dataclass is the loader's, its fields carry the keys. Reading, the JSON Schema and the table in
``scenarios/README.md`` are all walks over keys.

pydantic's ``TypeAdapter`` was tried for this (DESIGN.md, decision 7). It costs 110 ms of a run that may
take 1.5 s, its errors on tagged unions list every alternative that failed, and units, defaults with
sources and printing back have to be said to it a second time; this walk is shorter than that glue.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields, replace
from enum import Enum
from functools import cached_property
from inspect import Parameter, signature
from typing import Any

from sim.documents.fields import Field
from sim.errors import InputError
from sim.loader.values.kinds import Json, Kind, Printed


class Default(Enum):
    """What stands in place of a default: that of the argument, or none at all."""

    OWN = "own"
    REQUIRED = "required"


OWN, REQUIRED = Default


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """What is known of one key of a section.

    ``attribute`` is its name as an argument; the default is in the model's unit, and None means that
    something else decides, as ``meaning`` says. ``section_of`` fills in both where they are left out.
    """

    name: str = field(kw_only=False)
    kind: Kind = field(kw_only=False)
    meaning: str = field(default="", kw_only=False)
    source: str = ""
    attribute: str = ""
    default: Any = OWN

    @property
    def required(self) -> bool:
        """Say whether the key has to be there."""
        return self.default is REQUIRED

    @property
    def description(self) -> str:
        """Meaning, unit and source in one sentence."""
        source = f" Source: {self.source}." if self.source else ""
        return f"{self.meaning} ({self.kind.unit}).{source}".strip()

    def printed(self, value: Any) -> Any:
        """Return a value of the key as a file would have it; only what is ever printed has a way to be."""
        assert isinstance(self.kind, Printed), f"{self.name}: {self.kind.unit}"
        return self.kind.write(value)


@dataclass(frozen=True)
class Section:
    """The kind that reads a mapping with known keys and builds something of it."""

    build: Callable[..., Any]
    keys: tuple[Key, ...]

    @property
    def unit(self) -> str:
        """A mapping."""
        return "mapping"

    @cached_property
    def by_name(self) -> Mapping[str, Key]:
        """The keys by name."""
        return {key.name: key for key in self.keys}

    def read(self, at: Field) -> Any:
        """Read every key that is there; unknown ones and missing ones are errors."""
        at.known(self.by_name)
        children = dict(at.children())
        for key in self.keys:
            if key.required and key.name not in children:
                raise at.missing(key.name, key.kind.unit)
        values = {
            key.attribute: key.kind.read(children[key.name]) for key in self.keys if key.name in children
        }
        return self._built(values, at)

    def _built(self, values: dict[str, Any], at: Field) -> Any:
        try:
            return self.build(**values)
        except InputError as error:
            raise at.locate(error) from None
        except ValueError as error:
            raise at.error(f"is refused: {error}") from None

    def schema(self) -> Json:
        """Return the schema of the mapping, closed."""
        required = [key.name for key in self.keys if key.required]
        return {
            "type": "object",
            "properties": {
                key.name: {**key.kind.schema(), "description": key.description} for key in self.keys
            },
            "additionalProperties": False,
            **({"required": required} if required else {}),
        }


def section_of(build: Callable[..., Any], *keys: Key, of: type | None = None) -> Section:
    """Return the section that builds something of keys, by default those of a dataclass made by ``key``.

    An argument of ``build`` that has no default is required. Where ``build`` takes any argument,
    they are those of ``of``.
    """
    own = {**(_defaults(of) if of else {}), **_defaults(build)}
    keys = keys or tuple(
        replace(each.metadata["key"], name=each.metadata["key"].name or each.name, attribute=each.name)
        for each in fields(build)  # type: ignore[arg-type]  # a dataclass, without keys
    )
    return Section(build, tuple(_complete(key, own) for key in keys))


def _complete(key: Key, own: Mapping[str, Any]) -> Key:
    attribute = key.attribute or key.name
    default = own.get(attribute, REQUIRED) if key.default is OWN else key.default
    return replace(key, attribute=attribute, default=default)


def _defaults(build: Callable[..., Any]) -> dict[str, Any]:
    """Return the defaults of arguments by name."""
    arguments = signature(build).parameters.values()
    return {each.name: each.default for each in arguments if each.default is not Parameter.empty}


def mapping(**values: Any) -> dict[str, Any]:
    """Return what was there, by attribute: the build of a section that builds nothing else."""
    return values


def key(kind: Kind, meaning: str, default: Any = REQUIRED, *, source: str = "", name: str = "") -> Any:
    """Return the dataclass field of one key; ``name`` where the key is no Python name."""
    metadata = {"key": Key(name, kind, meaning, source=source)}
    return field(default=MISSING if default is REQUIRED else default, metadata=metadata)
