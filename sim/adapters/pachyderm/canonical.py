"""Canonical specs: any spelling the server accepts, turned into the one its JSON schema accepts.

camelCase keys in the order they were written, whole numbers as numbers, enums by name. Removed fields are
translated or dropped, and said. Any key that is neither is an error, as it is on the server.

Source: pachyderm/pachyderm e237475e9910, src/server/pps/server/defaults.go makeMessageCanonicalizer;
protobuf's JSON mapping (protojson), which takes numbers as texts and rejects a field given twice.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable
from typing import Any

from sim.adapters.pachyderm.keys import EFFECTS, MESSAGES, NOT_SIMULATED, OPERATORS, READ, REMOVED, SPEC
from sim.documents.fields import Field
from sim.documents.yaml_read import Document, Key
from sim.model.notices import Notice
from sim.model.pods import Pairs

LARGEST_INTEGER = 2**63 - 1

_INTEGER = re.compile(r"-?\d{1,19}", re.ASCII)
_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][-+]?\d{1,3})?", re.ASCII)
_DURATION = re.compile(r"\d{1,12}(\.\d{1,9})?s", re.ASCII)


class Canonical:
    """One spec on its way to canonical form: what was said about it, what was kept, and its lines."""

    def __init__(self, field: Field, message: str = SPEC) -> None:
        self.notices: list[Notice] = []
        self._kept: dict[str, str] = {}
        self._lines = dict(field.document.lines)
        self._depth = len(field.path)
        value = self._message(field, message, field.path)
        document = Document(field.document.value, field.document.file, self._lines)
        self.field = Field(document, field.path, value)

    @property
    def kept(self) -> Pairs:
        """Return what the simulator does not read, as (path in the spec, JSON)."""
        return tuple(self._kept.items())

    def _message(self, field: Field, message: str, path: Key) -> dict[str, Any]:
        spelled = {spelling: key for key in MESSAGES[message] for spelling in (key, snake_case(key))}
        given: dict[str, str] = {}
        result: dict[str, Any] = {}
        for spelling, value in field.mapping().items():
            place = Field(field.document, (*field.path, spelling), value)
            key = spelled.get(spelling) or self._removed(field, message, spelling)
            if not key:
                continue
            if key in given:
                both = {camel_case(spelling), camel_case(given[key])}
                if both & REMOVED.get(message, {}).keys() and value == field.value[given[key]]:
                    continue  # a spec of 1.13 says standby as well as autoscaling
                raise place.error(f"is given twice, the other time as {given[key]}")
            given[key] = spelling
            line = place.line()
            if line is not None:
                self._lines[(*path, key)] = line
            result[key] = None if value is None else self._value(place, MESSAGES[message][key], (*path, key))
            self._note(message, key, place, (*path, key), result[key])
        return result

    def _removed(self, around: Field, message: str, spelling: str) -> str:
        """Return what a removed field is called now, or nothing when it is dropped."""
        gone = REMOVED.get(message, {}).get(camel_case(spelling))
        if gone is None:
            spell = snake_case if _is_snake_case((spelling, *around.value)) else str
            raise around.unknown(spelling, sorted(map(spell, MESSAGES[message])))
        place = Field(around.document, (*around.path, spelling), around.value[spelling])
        self.notices.append(
            place.notice(f"{gone.why}; {f'read as {gone.instead}' if gone.instead else 'dropped'}")
        )
        return gone.instead

    def _note(self, message: str, key: str, place: Field, path: Key, value: Any) -> None:
        if value is None or key in READ.get(message, (key,)):
            return
        self._kept[_dotted(path[self._depth :])] = json.dumps(value)
        if warning := NOT_SIMULATED.get(message, {}).get(key):
            self.notices.append(place.notice(warning))

    def _value(self, field: Field, kind: str, path: Key) -> Any:
        if kind.startswith("["):
            items = [item for item in field.items() if item.value is not None]
            return [self._message(item, kind[1:-1], (*path, n)) for n, item in enumerate(items)]
        return self._message(field, kind, path) if kind in MESSAGES else _SCALARS[kind](field)


def _is_snake_case(keys: Iterable[str]) -> bool:
    """Say whether the first key that shows a style is spelled as the proto file spells keys."""
    return next(("_" in key for key in keys if not key.islower() or "_" in key), False)


def snake_case(key: str) -> str:
    """Return a key as the proto file spells it; ``URL`` stays as it is there too."""
    return key if key.isupper() else re.sub(r"([A-Z])", lambda match: f"_{match[1].lower()}", key)


def camel_case(key: str) -> str:
    """Return a key as the JSON schema spells it."""
    head, *rest = key.split("_")
    return head + "".join(part.capitalize() for part in rest)


def integer(field: Field) -> int:
    """Return a whole number, which JSON may also give as a text (int64)."""
    value = field.value
    as_text = isinstance(value, str) and _INTEGER.fullmatch(value)
    if as_text or (isinstance(value, float) and value.is_integer()):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > LARGEST_INTEGER:
        raise field.error(allowed="a whole number of 64 bits")
    return value


def number(field: Field) -> float:
    """Return a number, which JSON may also give as a text."""
    value = field.value
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise field.error(allowed="a number")
    return value


def _duration(field: Field) -> str:
    text = field.text()
    if not _DURATION.fullmatch(text):
        raise field.error(allowed="seconds as Pachyderm takes them, such as 600s or 0.5s")
    return text


def _enum(names: tuple[str, ...]) -> Callable[[Field], str]:
    def read(field: Field) -> str:
        value = field.value
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < len(names):
            return names[value]
        if value not in names:
            raise field.error(allowed=", ".join(names))
        return str(value)

    return read


_SCALARS: dict[str, Callable[[Field], Any]] = {
    "text": Field.text,
    "bool": Field.boolean,
    "int": integer,
    "number": number,
    "duration": _duration,
    "texts": lambda field: list(field.texts()),
    "ints": lambda field: [integer(item) for item in field.items()],
    "map": lambda field: dict(field.pairs()),
    "operator": _enum(OPERATORS),
    "effect": _enum(EFFECTS),
}


def _dotted(path: Key) -> str:
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text
