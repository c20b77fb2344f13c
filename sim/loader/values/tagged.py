"""One-of values: ``{lognormal: {median: 18s, p95: 60s}}``, ``{poisson: {per_hour: 4}}``, or plain ``18s``.

A mapping with a single key, which says what it is; what is under the key is a section of its own. A
plain text or number is the simplest of them, where there is one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sim.documents.fields import Field
from sim.errors import InputError, nearest
from sim.loader.values.kinds import Json, Kind


@dataclass(frozen=True, slots=True)
class Tagged:
    """The kind of a one-of value.

    ``plain`` reads texts and numbers; None: not allowed.
    """

    unit: str
    tags: Mapping[str, Kind]
    plain: Kind | None = None

    def read(self, at: Field) -> Any:
        """Read what the single key says, or the plain value."""
        if not isinstance(at.value, dict):
            if self.plain is None or isinstance(at.value, list):
                raise at.error(allowed=self._allowed())
            return self._plainly(self.plain, at)
        if len(at.value) != 1:
            raise at.error("has not exactly one key", allowed=self._allowed())
        (tag,) = at.value
        if tag not in self.tags:
            raise at.unknown(tag, self.tags)
        child = at.child(tag)
        if child is None:
            raise at.missing(tag, self.tags[tag].unit)
        return self.tags[tag].read(child)

    def _plainly(self, plain: Kind, at: Field) -> Any:
        try:
            return plain.read(at)
        except InputError as error:
            if isinstance(at.value, str) and (near := nearest(at.value, self.tags)):
                error.nearest = f"{{{near}: …}}"
            raise

    def _allowed(self) -> str:
        tags = ", ".join(f"{{{tag}: …}}" for tag in self.tags)
        return f"{self.plain.unit} or one of {tags}" if self.plain else f"one of {tags}"

    def schema(self) -> Json:
        """Return the plain form and one closed object a tag."""
        tagged: list[Json] = [
            {
                "type": "object",
                "properties": {tag: kind.schema()},
                "required": [tag],
                "additionalProperties": False,
            }
            for tag, kind in self.tags.items()
        ]
        return {"anyOf": [self.plain.schema(), *tagged] if self.plain else tagged}
