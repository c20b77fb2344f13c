"""JSON with lines: values in a row, with or without ``---`` between them, as pachctl reads and prints.

A small reader of RFC 8259, because the standard one forgets where things were. Numbers stay exact
integers where they are integers. Duplicate keys, hidden characters and deep nesting are refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NoReturn

from sim.errors import InputError

Lines = dict[tuple[str | int, ...], int]

# NUL, half of a surrogate pair, and what reverses the reading direction: none belongs in a name.
HOSTILE = re.compile("[\x00\ud800-\udfff\u200e\u200f\u202a-\u202e\u2066-\u2069]")

_SPACE = re.compile(r"[ \t\r\n]*")
_BETWEEN = re.compile(r"(?:[ \t\r\n]+|---[ \t]*(?:\r?\n|$))*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_LITERAL = re.compile(r"true|false|null")
_LITERALS = {"true": True, "false": False, "null": None}
_STRING = re.compile(r'"[^"\\\x00-\x1f]*+(?:\\.[^"\\\x00-\x1f]*+)*+"')  # never looks back: a text may be long
_MAX_DIGITS = 400


class JsonReader:
    """Reads the JSON values of a text one after the other."""

    def __init__(self, text: str, file: str, *, max_depth: int, max_text: int, max_values: int) -> None:
        self._text = text
        self._file = file
        self._max_depth = max_depth
        self._max_text = max_text
        self._max_values = max_values
        self._values = 0
        self._lines: Lines = {}
        self._at = 0
        self._counted = 0  # how far lines were counted
        self._breaks = 0

    def documents(self) -> Iterator[tuple[Any, Lines]]:
        """Yield each value with the line of everything in it."""
        self._skip(_BETWEEN)
        while self._at < len(self._text):
            self._lines = {}
            yield self._value(()), self._lines
            self._skip(_BETWEEN)

    def _value(self, path: tuple[str | int, ...]) -> Any:
        if len(path) > self._max_depth:
            self._fail("is nested too deeply", f"{self._max_depth} levels")
        self._values += 1
        if self._values > self._max_values:
            self._fail("is too large", f"at most {self._max_values:,} values")
        self._lines.setdefault(path, self._line())
        match self._peek():
            case "{":
                return self._object(path)
            case "[":
                return self._array(path)
            case '"':
                return self._string()
        if match := _LITERAL.match(self._text, self._at):
            self._at = match.end()
            return _LITERALS[match[0]]
        return self._number()

    def _object(self, path: tuple[str | int, ...]) -> dict[str, Any]:
        result: dict[str, Any] = {}
        self._at += 1
        while self._peek() != "}":
            if result:
                self._expect(",")
            if self._peek() != '"':
                self._fail("is not valid JSON: a key in double quotes is missing")
            line = self._line()
            key = self._string()
            if key in result:
                self._fail(f"says {key} twice", "each key once")
            self._expect(":")
            self._lines[(*path, key)] = line
            self._skip(_SPACE)
            result[key] = self._value((*path, key))
        self._at += 1
        return result

    def _array(self, path: tuple[str | int, ...]) -> list[Any]:
        result: list[Any] = []
        self._at += 1
        while self._peek() != "]":
            if result:
                self._expect(",")
                self._skip(_SPACE)
            result.append(self._value((*path, len(result))))
        self._at += 1
        return result

    def _string(self) -> str:
        match = _STRING.match(self._text, self._at)
        if match is None:
            self._fail("is not valid JSON: a text does not end on its line")
        try:
            text = str(json.loads(match[0]))
        except json.JSONDecodeError as error:
            self._fail(f"is not valid JSON: {error.msg}")
        self._at = match.end()
        if len(text) > self._max_text:
            self._fail(f"is a text of {len(text):,} characters", f"at most {self._max_text:,}")
        if HOSTILE.search(text):
            self._fail("holds a hidden character", "text without hidden characters")
        return text

    def _number(self) -> int | float:
        match = _NUMBER.match(self._text, self._at)
        if match is None:
            self._fail("is not valid JSON: a value is missing")
        if match.end() - match.start() > _MAX_DIGITS:
            self._fail("is a number too long to read", f"at most {_MAX_DIGITS} digits")
        self._at = match.end()
        return float(match[0]) if match[1] or match[2] else int(match[0])

    def _peek(self) -> str:
        self._skip(_SPACE)
        if self._at >= len(self._text):
            self._fail("is not valid JSON: it ends in the middle")
        return self._text[self._at]

    def _expect(self, character: str) -> None:
        if self._peek() != character:
            self._fail(f"is not valid JSON: a {character} is missing")
        self._at += 1

    def _skip(self, pattern: re.Pattern[str]) -> None:
        if match := pattern.match(self._text, self._at):
            self._at = match.end()

    def _line(self) -> int:
        """Return the line of where it is; it only ever goes on."""
        self._breaks += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._breaks + 1

    def _fail(self, problem: str, allowed: str = "") -> NoReturn:
        raise InputError(problem, allowed=allowed, file=self._file, line=self._line())
