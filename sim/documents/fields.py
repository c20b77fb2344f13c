"""Fields: a value in a document, with its place, read as the type it should have.

What every adapter needs of a raw value, so that each wrong one gives the same kind of one-line error:
file, line, field, value, what is allowed and the nearest known word.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from sim.documents.yaml_read import Document, Key
from sim.errors import InputError, nearest
from sim.model.notices import Notice
from sim.model.paths import item_step, key_step, print_path
from sim.model.pods import Pairs


@dataclass(frozen=True, slots=True)
class Field:
    """One value of a document, and the way to it."""

    document: Document
    path: Key
    value: Any

    def child(self, key: str) -> Field | None:
        """Return what is under ``key``, or None where nothing or null is."""
        value = self.mapping().get(key)
        return None if value is None else Field(self.document, (*self.path, key), value)

    def children(self) -> Iterator[tuple[str, Field]]:
        """Yield what a mapping holds, in the order of the file, nulls left out."""
        for key, value in self.mapping().items():
            if value is not None:
                yield key, Field(self.document, (*self.path, key), value)

    def items(self) -> list[Field]:
        """Return what a list holds."""
        if not isinstance(self.value, list):
            raise self.error(allowed="a list")
        return [Field(self.document, (*self.path, n), value) for n, value in enumerate(self.value)]

    def mapping(self) -> dict[str, Any]:
        """Return the value as a mapping."""
        if not isinstance(self.value, dict):
            raise self.error(allowed="a mapping of keys to values")
        return self.value

    def known(self, keys: Collection[str]) -> Field:
        """Return the field itself once each of its keys is one of ``keys``."""
        for key in self.mapping():
            if key not in keys:
                raise self.unknown(key, keys)
        return self

    def text(self) -> str:
        """Return the value as a text; numbers and booleans lack their quotes."""
        if not isinstance(self.value, str):
            raise self.error(allowed="a text, in quotes if it looks like a number")
        return self.value

    def integer(self, least: int | None = None) -> int:
        """Return the value as a whole number, at least ``least``."""
        if isinstance(self.value, bool) or not isinstance(self.value, int):
            raise self.error(allowed="a whole number")
        if least is not None and self.value < least:
            raise self.error(allowed=f"{least} or more")
        return self.value

    def boolean(self) -> bool:
        """Return the value as true or false."""
        if not isinstance(self.value, bool):
            raise self.error(allowed="true or false")
        return self.value

    def texts(self) -> tuple[str, ...]:
        """Return a list of texts."""
        return tuple(item.text() for item in self.items())

    def pairs(self) -> Pairs:
        """Return a mapping of texts to texts, in the order of the file."""
        return tuple(
            (key, Field(self.document, (*self.path, key), value).text())
            for key, value in self.mapping().items()
        )

    def text_at(self, key: str, default: str = "") -> str:
        """Return the text under ``key``."""
        place = self.child(key)
        return place.text() if place else default

    def texts_at(self, key: str) -> tuple[str, ...]:
        """Return the list of texts under ``key``, empty where there is none."""
        place = self.child(key)
        return place.texts() if place else ()

    def pairs_at(self, key: str) -> Pairs:
        """Return the mapping of texts under ``key``, empty where there is none."""
        place = self.child(key)
        return place.pairs() if place else ()

    def items_at(self, key: str) -> list[Field]:
        """Return the items of the list under ``key``, none where there is none."""
        place = self.child(key)
        return place.items() if place else []

    def integer_at(self, key: str, least: int = 0) -> int | None:
        """Return the whole number under ``key``, at least ``least``."""
        place = self.child(key)
        return place.integer(least) if place else None

    def true_at(self, key: str) -> bool:
        """Say whether ``key`` is there and true."""
        place = self.child(key)
        return place is not None and place.boolean()

    def kept(self, keys: Collection[str], prefix: str = "") -> Pairs:
        """Return what the mapping holds of ``keys``, in its order, as (path, JSON)."""
        return tuple((f"{prefix}{key}", json.dumps(at.value)) for key, at in self.children() if key in keys)

    def name(self) -> str:
        """Return the path as ``--set`` takes it: ``managedNodeGroups[gpu-spot].maxSize``."""
        steps, value = [], self.document.value
        for step in self.path:
            value = _step(value, step)
            steps.append(item_step(value, step) if isinstance(step, int) else key_step(step))
        return print_path(steps)

    def line(self) -> int | None:
        """Return the line the value is on."""
        return self.document.line(self.path)

    def error(self, problem: str = "", *, allowed: str = "", near: str | None = None) -> InputError:
        """Return the error that says what is wrong here."""
        return InputError(
            problem,
            field=self.name(),
            value=self.value,
            allowed=allowed,
            nearest=near,
            file=self.document.file,
            line=self.line(),
        )

    def unknown(self, key: str, keys: Collection[str]) -> InputError:
        """Return the error that says ``key`` is not known here."""
        place = Field(self.document, (*self.path, key), None)
        return InputError(
            "is not a known key",
            field=place.name(),
            nearest=nearest(key, keys),
            file=self.document.file,
            line=place.line(),
        )

    def missing(self, key: str, allowed: str = "") -> InputError:
        """Return the error that says ``key`` is missing here."""
        place = Field(self.document, (*self.path, *key.split(".")), None)
        return InputError(
            "is missing", field=place.name(), allowed=allowed, file=self.document.file, line=self.line()
        )

    def locate(self, error: InputError) -> InputError:
        """Return a value's own error with this place around it."""
        return error.inside(self.name(), file=self.document.file, line=self.line())

    def notice(self, message: str) -> Notice:
        """Return what the user should know of this place."""
        return Notice(message, field=self.name(), file=self.document.file, line=self.line())


def root(document: Document) -> Field:
    """Return a whole document as a field."""
    return Field(document, (), document.value)


def _step(value: Any, step: str | int) -> Any:
    if isinstance(value, dict):
        return value.get(step)
    return value[step] if isinstance(value, list) and isinstance(step, int) and step < len(value) else None
