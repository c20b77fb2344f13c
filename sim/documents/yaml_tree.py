"""A YAML text as a tree of places: where each key and value begins and ends, anchors and aliases as written.

What ``yaml_documents`` reads is what a text means; this is how it is laid out, for ``yaml_edit`` to change
one place and leave every other byte. Aliases stay aliases here, and ``<<`` is a key like any other.

Source: YAML 1.2.2 §7; the events and their marks are libyaml's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml
from yaml.events import (
    AliasEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from sim.documents.yaml_nodes import LOADER
from sim.documents.yaml_read import Key


@dataclass(slots=True)
class Place:
    """One value of the text, ``text[start:end]``, its anchor included; a block ends with its last value.

    ``kind`` is ``mapping``, ``sequence``, ``scalar`` or ``alias``, whose ``anchor`` is the one it refers to.
    ``keys`` and ``names`` are those of a mapping, in step with ``items``; ``quote`` is a scalar's.
    """

    kind: str
    start: int
    end: int
    column: int
    flow: bool = True
    anchor: str = ""
    quote: str = ""
    keys: list[Place] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    items: list[Place] = field(default_factory=list)

    def step(self, key: str | int) -> Place | None:
        """Return what is written under a key or index; None where nothing is."""
        if self.kind == "mapping":
            return self.items[self.names.index(str(key))] if key in self.names else None
        if self.kind == "sequence" and isinstance(key, int) and key < len(self.items):
            return self.items[key]
        return None

    def walk(self, path: Key = (), around: Place | None = None) -> Iterator[tuple[Key, Place, Place | None]]:
        """Yield path, place and what is around it, of this and everything in it."""
        yield path, self, around
        for n, each in enumerate(self.items):
            yield from each.walk((*path, self.names[n] if self.names else n), self)


def layout(text: str) -> Place:
    """Return the first document of a text that ``read_text`` has taken."""
    return _Builder(text).document()


class _Builder:
    """Builds places from libyaml's events, which come in the order of the text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._events: Iterator[Event] = yaml.parse(text, LOADER)

    def document(self) -> Place:
        event = next(self._events)
        while not isinstance(event, MappingStartEvent | SequenceStartEvent | ScalarEvent):
            event = next(self._events)
        return self._place(event)

    def _place(self, event: Event) -> Place:
        first, last = event.start_mark, event.end_mark
        assert first is not None
        assert last is not None
        start, end, column = first.index, last.index, first.column
        if isinstance(event, AliasEvent):
            return Place("alias", start, end, column, anchor=str(event.anchor))
        if isinstance(event, ScalarEvent):
            anchor = event.anchor or ""
            quote = event.style if event.style in {"'", '"'} else ""
            end = start + len(self._text[start:end].rstrip()) if not quote else end
            return Place("scalar", start, end, column, anchor=anchor, quote=quote)
        assert isinstance(event, MappingStartEvent | SequenceStartEvent)
        kind = "mapping" if isinstance(event, MappingStartEvent) else "sequence"
        place = Place(kind, start, end, column, bool(event.flow_style), event.anchor or "")
        return self._mapping(place) if kind == "mapping" else self._sequence(place)

    def _mapping(self, place: Place) -> Place:
        while not isinstance(event := next(self._events), MappingEndEvent):
            key = self._place(event)
            place.keys.append(key)
            place.names.append(event.value if isinstance(event, ScalarEvent) else "")
            value = self._place(next(self._events))
            if value.start == value.end:  # nothing is written: the place is behind the colon
                value.start = value.end = self._text.index(":", key.end) + 1
            place.items.append(value)
        return self._closed(place, event)

    def _sequence(self, place: Place) -> Place:
        while not isinstance(event := next(self._events), SequenceEndEvent):
            place.items.append(self._place(event))
        return self._closed(place, event)

    def _closed(self, place: Place, event: Event) -> Place:
        if place.flow:
            assert event.end_mark is not None
            place.end = event.end_mark.index
        elif place.items:
            place.end = place.items[-1].end
            first = place.keys[0] if place.keys else None
            place.column = first.column if first else place.column
        return place
