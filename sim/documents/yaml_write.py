"""Plain values written as YAML that people read: blocks, short leaves in flow style, comments beside keys.

ruamel.yaml writes YAML too, but places comments by columns of a document it has read; these documents
are new. Texts are quoted whenever any YAML reader could take them for something else (``"1.33"``, ``"true"``,
``"on"``), because eksctl, helm and kubectl read YAML 1.1 as well as 1.2.

Source: YAML 1.2.2 §7.3.3 (plain style), YAML 1.1 types bool, int, float, null and timestamp.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from sim.documents.yaml_read import Key

Comments = Mapping[Key, str]
WIDTH = 110
FLOW_WIDTH = 70
_WORD = re.compile(r"[A-Za-z_/](?:[A-Za-z0-9_./@+*()-]| (?=[A-Za-z0-9_/])|:(?=[A-Za-z0-9_/]))*", re.ASCII)
_AMOUNT = re.compile(r"[1-9][0-9]*(?:[KMGTPE]i|[kMGTP]?B|[kMGT]|ms?|[smhd])", re.ASCII)
_WHOLE = re.compile(r"0|[1-9][0-9]{0,8}", re.ASCII)
_RESERVED = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})
_UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


def yaml_text(value: Mapping[str, Any], comments: Comments | None = None, head: str = "") -> str:
    """Return a document; ``head`` is a comment above all, ``comments`` stand beside or above their keys."""
    lines = [f"# {line}".rstrip() for line in head.splitlines()]
    return "\n".join([*lines, *_block(value, 0, (), _Comments(comments or {}))]) + "\n"


def block_lines(value: Any, indent: int) -> list[str]:
    """Return a mapping or list that is not empty as lines, each ``indent`` spaces in."""
    return list(_block(value, indent, (), _Comments({})))


def flow(value: Any) -> str:
    """Return a value on one line, as it may stand anywhere in a document.

    >>> flow({"key": "nvidia.com/gpu", "value": "true", "sizes": [1, 2.5, None]})
    '{key: nvidia.com/gpu, value: "true", sizes: [1, 2.5, null]}'
    """
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_key(key)}: {flow(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(flow, value)) + "]"
    return scalar(value)


def scalar(value: Any) -> str:
    """Return a single text, number, boolean or null.

    >>> [scalar(each) for each in ("m5.large", "1.33", "10m", "on", 1e-05, True)]
    ['m5.large', '"1.33"', '10m', '"on"', '1.0e-05', 'true']
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, int):
        return str(value)
    return _text(str(value))


def fits_in_flow(value: Any, width: int = FLOW_WIDTH) -> bool:
    """Say whether a value is better on one line: single, empty, or a few single ones."""
    if not isinstance(value, Mapping | list | tuple) or not value:
        return True
    inner = value.values() if isinstance(value, Mapping) else value
    return not any(isinstance(each, Mapping | list | tuple) for each in inner) and len(flow(value)) <= width


class _Comments(dict[Key, str]):
    """Comments by path, and the paths of what has one inside it."""

    def __init__(self, comments: Comments) -> None:
        super().__init__(comments)
        self.outside = {path[:depth] for path in comments for depth in range(len(path))}


def _block(value: Any, indent: int, path: Key, comments: _Comments) -> Iterator[str]:
    pad = " " * indent
    if isinstance(value, Mapping):
        for key, each in value.items():
            below = (*path, key)
            yield from _entry(f"{pad}{_key(key)}:", each, indent, below, comments)
        return
    for n, each in enumerate(value):
        below = (*path, n)
        if _in_flow(each, below, comments):
            yield f"{pad}- {flow(each)}"
            continue
        if below in comments:
            yield f"{pad}# {comments[below]}"
        first, *rest = _block(each, indent + 2, below, comments)
        while first.lstrip().startswith("#"):
            yield first[2:]
            first, *rest = rest
        yield f"{pad}- {first[indent + 2 :]}"
        yield from rest


def _entry(head: str, value: Any, indent: int, path: Key, comments: _Comments) -> Iterator[str]:
    inline = _in_flow(value, path, comments)
    line = f"{head} {flow(value)}" if inline else head
    if comment := comments.get(path):
        if len(line) + len(comment) + 3 <= WIDTH:
            line = f"{line} # {comment}"
        else:
            yield f"{' ' * indent}# {comment}"
    yield line
    if not inline:
        yield from _block(value, indent + 2, path, comments)


def _in_flow(value: Any, path: Key, comments: _Comments) -> bool:
    return fits_in_flow(value) and path not in comments.outside


def _key(key: str) -> str:
    """Return a key; a whole number stays bare, as the priority expander needs it (map[int][]string)."""
    return key if _WHOLE.fullmatch(key) else scalar(key)


def _text(text: str) -> str:
    plain = _WORD.fullmatch(text) and text.casefold() not in _RESERVED
    if plain or _AMOUNT.fullmatch(text):
        return text
    quoted = json.dumps(text, ensure_ascii=False)
    return _UNPRINTABLE.sub(lambda match: f"\\u{ord(match[0]):04x}", quoted)


def _number(value: float) -> str:
    if math.isnan(value):
        return ".nan"
    if math.isinf(value):
        return ".inf" if value > 0 else "-.inf"
    mantissa, exponent, power = repr(value).partition("e")
    return f"{mantissa}.0e{power}" if exponent and "." not in mantissa else f"{mantissa}{exponent}{power}"
