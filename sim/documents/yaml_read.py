"""Documents: YAML and JSON read safely into plain values that remember their lines.

A text that begins with ``{`` is JSON, one or many values in a row with or without ``---`` between them, as
``pachctl`` takes it; anything else is YAML. Anchors, merges and comments are fine. Refused in one line each:
files that are missing, empty, binary or too large, tags that would construct objects, aliases that expand
without end, duplicate keys, and control or bidirectional characters that make a text read as another.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sim.documents.json_read import HOSTILE, JsonReader
from sim.documents.yaml_nodes import (
    ALIAS,
    LONG_TAG,
    MAPPING,
    MAX_DEPTH,
    MAX_TEXT,
    MAX_VALUES,
    SCALAR,
    SEQUENCE,
    Node,
    documents,
)
from sim.errors import InputError
from sim.model.notices import Notice

MAX_BYTES = 10_000_000
BYTES_A_VALUE = 20  # kubectl's pods take 27 and more
MAX_DIGITS = 400

Key = tuple[str | int, ...]

_TRUE, _FALSE = ("true", "True", "TRUE"), ("false", "False", "FALSE")
_NULL = ("", "~", "null", "Null", "NULL")
_STARTS = ("", *"~nNtTfF+-.0123456789")
_INTEGER = re.compile(r"[-+]?(?:0b[01_]+|0o[0-7_]+|0x[0-9a-fA-F_]+|[0-9][0-9_]*)")
_FLOAT = re.compile(
    r"[-+]?(?:\.[0-9][0-9_]*|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?[0-9]+)?"
    r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)


@dataclass(frozen=True, slots=True)
class Document:
    """Plain dicts, lists and scalars, the line of each by its path, and what to know of the reading."""

    value: Any
    file: str
    lines: Mapping[Key, int]
    notices: tuple[Notice, ...] = ()

    def line(self, path: Key) -> int | None:
        """Return the line of a value, or of what is around it when it was not read but set."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path)


Dialect = Callable[[str, str], Iterator[Document]]


def read_file(
    path: Path, most_bytes: int = MAX_BYTES, dialect: Dialect | None = None
) -> tuple[Document, ...]:
    """Return the documents of a file, at least one; where it may be larger than others, with more values."""
    text = _text_of(path, most_bytes)
    values = MAX_VALUES if most_bytes <= MAX_BYTES else max(MAX_VALUES, len(text) // BYTES_A_VALUE)
    return read_text(text, str(path), dialect, json_values=values)


def read_text(
    text: str, file: str = "", dialect: Dialect | None = None, *, json_values: int = MAX_VALUES
) -> tuple[Document, ...]:
    """Return the documents of a text.

    ``file`` is for messages, ``dialect`` how another program reads it, ``json_values`` the most of JSON.
    """
    if match := HOSTILE.search(text):
        line = text.count("\n", 0, match.start()) + 1
        raise InputError(
            f"holds the character U+{ord(match[0]):04X}",
            allowed="text without hidden characters",
            file=file,
            line=line,
        )
    if dialect is not None:
        read = dialect(text, file)
    else:
        read = read_json(text, file, json_values) if text.lstrip().startswith("{") else _yaml(text, file)
    found = tuple(document for document in read if document.value is not None)
    if not found:
        raise InputError("is empty", allowed="at least one document", file=file)
    return found


def _text_of(path: Path, most_bytes: int) -> str:
    file = str(path)
    try:
        if path.stat().st_size > most_bytes:
            raise InputError(
                f"is {path.stat().st_size:,} bytes", allowed=f"at most {most_bytes:,}", file=file
            )
        with path.open("rb") as stream:  # a device or a pipe says no size, and may never end
            raw = stream.read(most_bytes + 1)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", file=file) from None
    if len(raw) > most_bytes:
        raise InputError("does not end", allowed=f"at most {most_bytes:,} bytes", file=file)
    if b"\x00" in raw:
        raise InputError("is a binary file", allowed="YAML or JSON text in UTF-8", file=file)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError("is not text in UTF-8", allowed="YAML or JSON text in UTF-8", file=file) from None


def read_json(text: str, file: str, max_values: int = MAX_VALUES) -> Iterator[Document]:
    """Yield JSON values in a row, with or without ``---`` between them, as pachctl prints them."""
    reader = JsonReader(text, file, max_depth=MAX_DEPTH, max_text=MAX_TEXT, max_values=max_values)
    for value, lines in reader.documents():
        yield Document(value, file, lines)


def _yaml(text: str, file: str) -> Iterator[Document]:
    for node in documents(text, file):
        reader = _YamlReader(file)
        yield Document(reader.value(node, ()), file, reader.lines)


class _YamlReader:
    """Turns the nodes of one document into plain values of YAML 1.2, counting as aliases expand."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.lines: dict[Key, int] = {}
        self._values = 0

    def value(self, node: Node, path: Key) -> Any:
        self.lines.setdefault(path, node.line)
        if node.kind == ALIAS and node.target is not None:
            node = node.target
        self._count(node, len(path))
        if node.kind == SCALAR:
            return self._scalar(node)
        if node.tag not in {"", f"{LONG_TAG}{'map' if node.kind == MAPPING else 'seq'}"}:
            raise self._error(node, f"has the tag {node.tag}", "plain values")
        if node.kind == MAPPING:
            return self._mapping(node, path)
        return [self.value(item, (*path, index)) for index, item in enumerate(node.items)]

    def _mapping(self, node: Node, path: Key) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key_node, value_node in node.pairs():
            if _merges(key_node):
                continue
            key = self._key(key_node)
            if key in result:
                raise self._error(key_node, f"says {key} twice", "each key once")
            self.lines[(*path, key)] = key_node.line
            result[key] = self.value(value_node, (*path, key))
        for key_node, value_node in self._merged(node, len(path)):
            if (key := self._key(key_node)) not in result:
                self.lines[(*path, key)] = key_node.line
                result[key] = self.value(value_node, (*path, key))
        return result

    def _key(self, node: Node) -> str:
        node = node.target or node
        if node.kind != SCALAR:
            raise self._error(node, "is not a text", "text as a key")
        self._check_text(node)
        return node.text

    def _merged(self, node: Node, depth: int) -> Iterator[tuple[Node, Node]]:
        """Yield the pairs that ``<<`` brings in, the nearest first."""
        for key_node, value_node in node.pairs():
            if not _merges(key_node):
                continue
            for each in value_node.items if value_node.kind == SEQUENCE else [value_node]:
                source = each.target or each
                if source.kind != MAPPING:
                    raise self._error(source, "is merged but is no mapping", "<<: *anchor of a mapping")
                self._count(source, depth, values=1 + len(source.items))
                yield from (pair for pair in source.pairs() if not _merges(pair[0]))
                yield from self._merged(source, depth + 1)

    def _scalar(self, node: Node) -> Any:
        text, form = node.text, _kind(node.text)
        self._check_text(node)
        kind = node.tag.removeprefix(LONG_TAG) or form
        if kind in {"str", "timestamp"}:
            return text
        if kind != form:
            raise self._error(node, f"has the tag {node.tag}", "plain values, and a tag that fits them")
        text = text.lower()
        match kind:
            case "null":
                return None
            case "bool":
                return text in _TRUE
            case "int":
                return _integer(text.replace("_", "")) if len(text) <= MAX_DIGITS else text
        return float(text.replace("_", "").replace(".inf", "inf").replace(".nan", "nan"))

    def _check_text(self, node: Node) -> None:
        if HOSTILE.search(node.text):  # also one that was escaped
            raise self._error(node, "holds a hidden character", "text without hidden characters")

    def _count(self, node: Node, depth: int, values: int = 1) -> None:
        self._values += values
        if depth > MAX_DEPTH:
            raise self._error(node, "is nested too deeply", f"{MAX_DEPTH} levels, aliases included")
        if self._values > MAX_VALUES:
            raise self._error(node, "expands without end", f"{MAX_VALUES:,} values, aliases included")

    def _error(self, node: Node, problem: str, allowed: str) -> InputError:
        return InputError(problem, allowed=allowed, file=self.file, line=node.line)


def _merges(node: Node) -> bool:
    return node.kind == SCALAR and node.text == "<<" and node.tag in {"", f"{LONG_TAG}merge"}


def _kind(text: str) -> str:
    """Return what a plain scalar is, by its form: YAML 1.2's core schema, and ``_`` between digits."""
    if text[:1] not in _STARTS:
        return "str"
    if text in _NULL:
        return "null"
    if text in _TRUE or text in _FALSE:
        return "bool"
    if _INTEGER.fullmatch(text):
        return "int"
    return "float" if _FLOAT.fullmatch(text) else "str"


def _integer(text: str) -> int:
    digits = text.lstrip("+-")
    return int(text, 0) if digits[:2].lower() in ("0x", "0o", "0b") else int(text)
