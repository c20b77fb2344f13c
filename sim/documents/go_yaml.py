"""YAML as Go programs read it: pachctl (gopkg.in/yaml.v3) and eksctl (sigs.k8s.io/yaml, on yaml.v2).

Both take JSON as the YAML that it is, with comments, single quotes and trailing commas. They differ:

========================  =======================================  ========================================
what is written           pachctl                                  sigs.k8s.io/yaml, strict
========================  =======================================  ========================================
``yes``, ``on``, ``n``    a text                                   true or false (YAML 1.1)
``010``, ``0x1F``         refused: no JSON number                  a whole number
a date without quotes     refused                                  a text
an alias, a merge         refused                                  taken; no key may be there before
a key given twice         the last one counts                      refused
documents                 each is a spec or a list of specs        the first alone
``$schema``               left out wherever it is                  a key as any other
========================  =======================================  ========================================

Sources: pachyderm/pachyderm e237475e9910, src/internal/ppsutil/decoder.go (SpecReader, yamlToJSON);
gopkg.in/yaml.v3 and go.yaml.in/yaml/v2 v2.4.2, resolve.go, decode.go; sigs.k8s.io/yaml v1.6.0, yaml.go.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from typing import Any

from sim.documents.json_read import HOSTILE
from sim.documents.yaml_nodes import (
    ALIAS,
    LONG_TAG,
    MAPPING,
    MAX_DEPTH,
    MAX_VALUES,
    SCALAR,
    SEQUENCE,
    Node,
    documents,
)
from sim.documents.yaml_read import Document, Key
from sim.errors import InputError
from sim.model.notices import Notice

SCHEMA_KEY = "$schema"

_TRUE, _FALSE = ("true", "True", "TRUE"), ("false", "False", "FALSE")
_TRUE_1_1 = (*_TRUE, "y", "Y", "yes", "Yes", "YES", "on", "On", "ON")
_FALSE_1_1 = (*_FALSE, "n", "N", "no", "No", "NO", "off", "Off", "OFF")
_NULL = ("", "~", "null", "Null", "NULL")
_INFINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INTEGER = re.compile(r"[-+]?(0[bB][01]+|0[oO]?[0-7]+|0[xX][0-9a-fA-F]+|[1-9][0-9]*|0)")
_MOMENT = re.compile(
    r"(\d{4})-(\d\d?)-(\d\d?)"
    r"([Tt]\d\d?:\d\d?:\d\d?(\.\d+)?(Z|[-+]\d\d:\d\d)| \d\d?:\d\d?:\d\d?(\.\d+)?)?",
    re.ASCII,
)
_JSON_INTEGER = re.compile(r"0|-?[1-9][0-9]*")
_JSON_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
MOST_UNSIGNED, LEAST_SIGNED = 2**64, -(2**63)


def read_as_pachctl(text: str, file: str) -> Iterator[Document]:
    """Yield each spec of a file: each document, or each item of one that is a list."""
    for node in documents(text, file):
        specs = node.items if node.kind == SEQUENCE else [node]
        if node.kind == SCALAR or not specs:
            raise InputError(
                "is an empty document", allowed="a spec or a list of specs", file=file, line=node.line
            )
        for spec in specs:
            reader = _Pachctl(file)
            yield Document(reader.value(spec, ()), file, reader.lines, tuple(reader.notices))


def read_as_eksctl(text: str, file: str) -> Iterator[Document]:
    """Yield the first document of a file, which is all that sigs.k8s.io/yaml reads."""
    nodes = documents(text, file)
    for node in nodes:
        reader = _Strict(file)
        value = reader.value(node, ())
        with suppress(InputError):  # nor does it look at what is wrong further on
            if second := next(nodes, None):
                told = "a second document begins here, which eksctl does not read"
                reader.notices.append(Notice(told, file=file, line=second.line))
        yield Document(value, file, reader.lines, tuple(reader.notices))
        return


class _Reader:
    """Turns nodes into plain values, as one dialect has them."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.lines: dict[Key, int] = {}
        self.notices: list[Notice] = []
        self._values = 0

    def value(self, node: Node, path: Key) -> Any:
        self._values += 1
        if self._values > MAX_VALUES or len(path) > MAX_DEPTH:
            raise self.error(node, "expands without end", f"{MAX_VALUES:,} values in {MAX_DEPTH} levels")
        self.lines.setdefault(path, node.line)
        if node.kind == MAPPING:
            return self.mapping(node, path)
        if node.kind == SEQUENCE:
            return [self.value(item, (*path, n)) for n, item in enumerate(node.items)]
        if node.kind == ALIAS:
            return self.alias(node, path)
        if HOSTILE.search(node.text):
            raise self.error(node, "holds a hidden character", "text without hidden characters")
        return self.scalar(node)

    def mapping(self, node: Node, path: Key) -> dict[str, Any]:
        raise NotImplementedError

    def alias(self, node: Node, path: Key) -> Any:
        raise NotImplementedError

    def scalar(self, node: Node) -> Any:
        raise NotImplementedError

    def error(self, node: Node, problem: str, allowed: str = "") -> InputError:
        return InputError(problem, allowed=allowed, file=self.file, line=node.line)


class _Pachctl(_Reader):
    """What pachctl makes of a node on its way to JSON."""

    def mapping(self, node: Node, path: Key) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key_node, value_node in node.pairs():
            key = self.value(key_node, (*path, ""))
            if not isinstance(key, str):
                raise self.error(key_node, f"has the key {key}", "a text, in quotes if it looks otherwise")
            if key in result:
                at = (".".join(map(str, (*path, key))), self.file, key_node.line)
                self.notices.append(Notice("is given twice; the last one counts, as for pachctl", *at))
                del result[key]
            self.lines[(*path, key)] = key_node.line
            result[key] = self.value(value_node, (*path, key))
        result.pop(SCHEMA_KEY, None)
        return result

    def alias(self, node: Node, path: Key) -> Any:
        raise self.error(node, "is a YAML alias, which pachctl does not take", "the value itself")

    def scalar(self, node: Node) -> Any:
        kind = node.tag.removeprefix(LONG_TAG) or _kind(node.text, _TRUE, _FALSE)
        text = node.text
        match kind:
            case "str":
                return text
            case "null":
                return None
            case "bool" if text.lower() in ("true", "false"):
                return text.lower() == "true"
            case "int" if _JSON_INTEGER.fullmatch(text):
                return int(text)
            case "float" if _JSON_NUMBER.fullmatch(f"0{text}" if text.startswith(".") else text):
                return self._float(node)
        shown = "a merge key" if kind == "merge" else f"{text} of the YAML kind {kind}"
        raise self.error(node, f"is {shown}, which pachctl does not take", "a JSON value, or text in quotes")

    def _float(self, node: Node) -> float:
        value = float(node.text)
        if not math.isfinite(value):
            raise self.error(node, f"is {node.text}", "a number of 64 bits")
        return value


class _Strict(_Reader):
    """What sigs.k8s.io/yaml makes of a node when it is strict."""

    def mapping(self, node: Node, path: Key) -> dict[str, Any]:
        result: dict[str, Any] = {}
        self._fill(node, path, result)
        return result

    def _fill(self, node: Node, path: Key, result: dict[str, Any]) -> None:
        """Add the pairs of a mapping in the file's order, those that ``<<`` brings in among them."""
        for key_node, value_node in node.pairs():
            if _merges(key_node):
                for source in self._sources(value_node):
                    self._fill(source, path, result)
                continue
            key = self._key(key_node)
            if key in result:
                raise self.error(
                    key_node, f"says {key} twice", "each key once; a merged key cannot be overridden"
                )
            self.lines[(*path, key)] = key_node.line
            result[key] = self.value(value_node, (*path, key))

    def _sources(self, node: Node) -> Iterator[Node]:
        """Yield the mappings that are merged, in the order in which yaml.v2 takes them."""
        for source in reversed(node.items) if node.kind == SEQUENCE else [node]:
            mapping = source.target or source
            if mapping.kind != MAPPING:
                raise self.error(source, "is merged but is no mapping", "<<: *anchor of a mapping")
            self._values += 1
            yield mapping

    def _key(self, node: Node) -> str:
        key = self.value(node, ()) if node.kind in (SCALAR, ALIAS) else None
        if key is None or isinstance(key, dict | list):
            raise self.error(node, "is not a text", "text as a key")
        return (
            str(key).lower() if isinstance(key, bool) else f"{key:g}" if isinstance(key, float) else str(key)
        )

    def alias(self, node: Node, path: Key) -> Any:
        assert node.target is not None  # as long as it is an alias
        return self.value(node.target, path)

    def scalar(self, node: Node) -> Any:
        tag = node.tag.removeprefix(LONG_TAG)
        kind = _kind(node.text, _TRUE_1_1, _FALSE_1_1)
        if tag in ("bool", "int", "float", "null", "timestamp") and tag != kind:
            if (tag, kind) != ("float", "int"):
                raise self.error(node, f"has the tag {tag}", "a value of that kind")
            return float(_integer(node.text))
        match tag or kind:
            case "null":
                return None
            case "bool":
                return node.text in _TRUE_1_1
            case "int":
                return _integer(node.text)
            case "float":
                return self._float(node)
            case "binary":
                raise self.error(node, "has the tag binary", "plain values")
        return node.text

    def _float(self, node: Node) -> float:
        value = math.inf if _INFINITE.fullmatch(node.text) else float(node.text.replace("_", ""))
        if not math.isfinite(value):
            raise self.error(node, f"is {node.text}", "a number that JSON has")
        return value


def _merges(node: Node) -> bool:
    return node.kind == SCALAR and node.text == "<<" and node.tag in ("", f"{LONG_TAG}merge")


def _kind(text: str, true: tuple[str, ...], false: tuple[str, ...]) -> str:
    """Return the YAML kind of a plain scalar, by its form (resolve.go)."""
    if text in true or text in false:
        return "bool"
    if text in _NULL or text == "<<":
        return "merge" if text == "<<" else "null"
    if text[0] in "+-0123456789" and not _INFINITE.fullmatch(text):
        return _kind_of_digits(text)
    return "float" if _INFINITE.fullmatch(text) or (text[0] == "." and _FLOAT.fullmatch(text)) else "str"


def _kind_of_digits(text: str) -> str:
    if _is_moment(text):
        return "timestamp"
    plain = text.replace("_", "")
    if _INTEGER.fullmatch(plain) and LEAST_SIGNED <= _integer(plain) < MOST_UNSIGNED:
        return "int"
    return "float" if _FLOAT.fullmatch(plain) else "str"


def _is_moment(text: str) -> bool:
    if match := _MOMENT.fullmatch(text):
        with suppress(ValueError):
            date(int(match[1]), int(match[2]), int(match[3]))
            return True
    return False


def _integer(text: str) -> int:
    plain = text.replace("_", "")
    digits = plain.lstrip("+-").lower()
    octal = len(digits) > 1 and digits[0] == "0" and digits[1].isdigit()
    value = int(digits, 8) if octal else int(digits, 0)
    return -value if plain.startswith("-") else value
