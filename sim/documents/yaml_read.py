"""Documents: YAML and JSON read safely into plain values that remember their lines.

A text that begins with ``{`` is JSON, one or many values in a row with or without ``---`` between them, as
``pachctl`` takes it; anything else is YAML. Anchors, merges and comments are fine. Refused in one line each:
files that are missing, empty, binary or too large, tags that would construct objects, aliases that expand
without end, duplicate keys, and control or bidirectional characters that make a text read as another.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from sim.documents.json_read import HOSTILE, JsonReader
from sim.errors import InputError

MAX_BYTES = 10_000_000
MAX_VALUES = 200_000  # a billion laughs is ten levels of ten; no spec or cluster comes near this
MAX_DEPTH = 60
MAX_TEXT = 200_000
MAX_DIGITS = 400

Key = tuple[str | int, ...]

_TAG = "tag:yaml.org,2002:"
_MERGE = f"{_TAG}merge"


@dataclass(frozen=True, slots=True)
class Document:
    """Plain dicts, lists and scalars, and the line of each, by its path of keys and indices."""

    value: Any
    file: str
    lines: Mapping[Key, int]

    def line(self, path: Key) -> int | None:
        """Return the line of a value, or of what is around it when it was not read but set."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path)


def read_file(path: Path, most_bytes: int = MAX_BYTES) -> tuple[Document, ...]:
    """Return the documents of a file, at least one."""
    return read_text(_text_of(path, most_bytes), str(path))


def read_text(text: str, file: str = "") -> tuple[Document, ...]:
    """Return the documents of a text; ``file`` is for messages."""
    if match := HOSTILE.search(text):
        line = text.count("\n", 0, match.start()) + 1
        raise InputError(
            f"holds the character U+{ord(match[0]):04X}",
            allowed="text without hidden characters",
            file=file,
            line=line,
        )
    reader = _json if text.lstrip().startswith("{") else _yaml
    documents = tuple(document for document in reader(text, file) if document.value is not None)
    if not documents:
        raise InputError("is empty", allowed="at least one document", file=file)
    return documents


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


def _json(text: str, file: str) -> Iterator[Document]:
    reader = JsonReader(text, file, max_depth=MAX_DEPTH, max_text=MAX_TEXT)
    for value, lines in reader.documents():
        yield Document(value, file, lines)


def _yaml(text: str, file: str) -> Iterator[Document]:
    try:
        for node in YAML(typ="safe", pure=True).compose_all(text):
            reader = _YamlReader(file)
            yield Document(reader.value(node, ()), file, reader.lines)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else None
        raise InputError(
            f"is not valid YAML: {error.problem or error.context}", file=file, line=line
        ) from None
    except (YAMLError, ValueError) as error:
        raise InputError(f"is not valid YAML: {error}", file=file) from None
    except RecursionError:
        raise InputError("is nested too deeply", allowed=f"{MAX_DEPTH} levels", file=file) from None


class _YamlReader:
    """Turns one composed YAML document into plain values, counting as it goes."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.lines: dict[Key, int] = {}
        self._values = 0

    def value(self, node: Node | None, path: Key) -> Any:
        if node is None:
            return None
        self.lines.setdefault(path, node.start_mark.line + 1)
        self._count(node, depth=len(path))
        if isinstance(node, MappingNode):
            return self._mapping(node, path)
        if isinstance(node, SequenceNode):
            self._check_tag(node, "seq")
            return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]
        if isinstance(node, ScalarNode):
            return self._scalar(node)
        raise self._error(node, f"has the tag {node.tag}", "plain values")

    def _mapping(self, node: MappingNode, path: Key) -> dict[str, Any]:
        self._check_tag(node, "map")
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if str(key_node.tag) == _MERGE:
                continue
            if not isinstance(key_node, ScalarNode):
                raise self._error(key_node, "is not a text", "text as a key")
            key = str(key_node.value)
            if key in result:
                raise self._error(key_node, f"says {key} twice", "each key once")
            self.lines[(*path, key)] = key_node.start_mark.line + 1
            result[key] = self.value(value_node, (*path, key))
        for key_node, value_node in self._merged(node):
            key = str(key_node.value)
            if key not in result:
                self.lines[(*path, key)] = key_node.start_mark.line + 1
                result[key] = self.value(value_node, (*path, key))
        return result

    def _merged(self, node: MappingNode) -> Iterator[tuple[Node, Node]]:
        """Yield the pairs that ``<<`` brings in, the nearest first."""
        for key_node, value_node in node.value:
            if str(key_node.tag) != _MERGE:
                continue
            for source in value_node.value if isinstance(value_node, SequenceNode) else [value_node]:
                if not isinstance(source, MappingNode):
                    raise self._error(source, "is merged but is no mapping", "<<: *anchor of a mapping")
                self._count(source)
                yield from (pair for pair in source.value if str(pair[0].tag) != _MERGE)
                yield from self._merged(source)

    def _scalar(self, node: ScalarNode) -> Any:
        kind, text = str(node.tag).removeprefix(_TAG), str(node.value)
        if len(text) > MAX_TEXT:
            raise self._error(node, f"is a text of {len(text):,} characters", f"at most {MAX_TEXT:,}")
        if HOSTILE.search(text):
            raise self._error(node, "holds a hidden character", "text without hidden characters")
        match kind:
            case "null":
                return None
            case "bool":
                return text.casefold() in ("true", "yes", "on")
            case "int" if len(text) <= MAX_DIGITS:
                return _integer(text.replace("_", ""))
            case "float":
                return float(text.replace("_", "").replace(".inf", "inf").replace(".nan", "nan"))
            case "str" | "timestamp" | "value" | "int":
                return text
        raise self._error(node, f"has the tag {node.tag}", "plain values")

    def _count(self, node: Node, depth: int = 0) -> None:
        self._values += 1
        if self._values > MAX_VALUES or depth > MAX_DEPTH:
            raise self._error(node, "expands without end", f"{MAX_VALUES:,} values in {MAX_DEPTH} levels")

    def _check_tag(self, node: Node, kind: str) -> None:
        if str(node.tag) != f"{_TAG}{kind}":
            raise self._error(node, f"has the tag {node.tag}", "plain values")

    def _error(self, node: Node, problem: str, allowed: str) -> InputError:
        return InputError(problem, allowed=allowed, file=self.file, line=node.start_mark.line + 1)


def _integer(text: str) -> int:
    digits = text.lstrip("+-")
    return int(text, 0) if digits[:2].lower() in ("0x", "0o", "0b") else int(text)
