"""YAML as libyaml reads it, of which the YAML of Go programs is a port: nodes with their lines.

What would take too long is refused on the way, before anything is made of it: a file of ten million brackets
at the sixty-first. An anchor that is used again names the later node from there on (YAML 1.2.2 §7.1). libyaml
gives 600,000 values a second, where a scanner in Python gives 17,000.

Nothing is resolved here: a plain scalar is a text until a dialect (``go_yaml.py``) says what it means, and an
alias stays one, so that a dialect can refuse it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NoReturn

import yaml

from sim.errors import InputError

LOADER: Any = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
LONG_TAG = "tag:yaml.org,2002:"
MAX_VALUES = 100_000  # a billion laughs is ten levels of ten; no spec or cluster comes near this
MAX_DEPTH = 60
MAX_TEXT = 200_000


@dataclass(slots=True, eq=False)
class Node:
    """One value of a document; ``tag`` is empty for a plain scalar whose form says what it is.

    ``items`` has the entries of a sequence, or the keys and values of a mapping in turn.
    """

    kind: str
    line: int
    tag: str = ""
    text: str = ""
    items: list[Node] = field(default_factory=list)
    target: Node | None = None

    def pairs(self) -> Iterator[tuple[Node, Node]]:
        """Yield the keys and values of a mapping."""
        return zip(self.items[::2], self.items[1::2], strict=True)


SCALAR, SEQUENCE, MAPPING, ALIAS = "scalar", "sequence", "mapping", "alias"


def documents(text: str, file: str) -> Iterator[Node]:
    """Yield the documents of a text, one after the other, so that the first may be taken alone.

    Raises InputError for what is no YAML, and above 100,000 values, 60 levels or 200,000 characters a text.
    """
    try:
        yield from _Composer(file).documents(yaml.parse(text, LOADER))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = f"is not valid YAML: {error.problem or error.context}"
        last = (
            text.rstrip().count("\n") + 1
        )  # where a text ends in the middle, libyaml names the line after it
        raise InputError(problem, file=file, line=min(mark.line + 1, last) if mark else None) from None
    except yaml.YAMLError as error:
        raise InputError(f"is not valid YAML: {str(error).splitlines()[0]}", file=file) from None


class _Composer:
    """Puts events together to nodes, without recursion."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.open: list[Node] = []
        self.anchors: dict[str, Node] = {}
        self.values = 0

    def documents(self, events: Iterator[Any]) -> Iterator[Node]:
        for event in events:
            match event:
                case yaml.ScalarEvent():
                    node = Node(SCALAR, _line(event), _scalar_tag(event), event.value)
                case yaml.AliasEvent():
                    node = Node(ALIAS, _line(event), target=self._target(event))
                case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                    kind = MAPPING if isinstance(event, yaml.MappingStartEvent) else SEQUENCE
                    node = Node(kind, _line(event), event.tag or "")
                case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                    done = self.open.pop()
                    if not self.open:
                        yield done
                    continue
                case yaml.DocumentStartEvent():
                    self.anchors = {}
                    continue
                case _:
                    continue
            yield from self._put(node, event)

    def _put(self, node: Node, event: Any) -> Iterator[Node]:
        """Put a new node where it belongs; yield it if it is a document of its own."""
        self.values += 1
        if self.values > MAX_VALUES:
            self._fail(event, "is too large", f"at most {MAX_VALUES:,} values")
        if len(self.open) > MAX_DEPTH:
            self._fail(event, "is nested too deeply", f"{MAX_DEPTH} levels")
        if len(node.text) > MAX_TEXT:
            self._fail(event, f"is a text of {len(node.text):,} characters", f"at most {MAX_TEXT:,}")
        if node.kind != ALIAS and event.anchor:
            self.anchors[event.anchor] = node
        if self.open:
            self.open[-1].items.append(node)
        elif node.kind in {SCALAR, ALIAS}:
            yield node
        if node.kind in {MAPPING, SEQUENCE}:
            self.open.append(node)

    def _target(self, event: Any) -> Node:
        target = self.anchors.get(event.anchor)
        if target is None:
            self._fail(event, f"uses the anchor {event.anchor}, which is not set before")
        if target in self.open:
            self._fail(event, f"has the anchor {event.anchor}, which contains itself")
        return target

    def _fail(self, event: Any, problem: str, allowed: str = "an anchor set above") -> NoReturn:
        raise InputError(problem, allowed=allowed, file=self.file, line=_line(event))


def _scalar_tag(event: Any) -> str:
    if event.tag and event.tag != "!":
        return str(event.tag)
    return "" if event.implicit[0] and not event.tag else f"{LONG_TAG}str"


def _line(event: Any) -> int:
    line: int = event.start_mark.line
    return line + 1
