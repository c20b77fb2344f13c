"""Canonical specs: any spelling the server accepts, turned into the one its JSON schema accepts.

camelCase keys in the order they were written, whole numbers as numbers, enums by name. Removed fields are
translated or dropped, and said. Any key that is neither is an error, as it is on the server.

Source: pachyderm/pachyderm e237475e9910, src/server/pps/server/defaults.go makeMessageCanonicalizer;
protobuf's JSON mapping (protojson), which takes numbers as texts and rejects a field given twice.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from sim.adapters.pachyderm.keys import MESSAGES, NOT_SIMULATED, ONE_OF, READ, REMOVED, SPEC, SUBMITTED
from sim.adapters.pachyderm.scalars import SCALARS
from sim.documents.fields import Field
from sim.documents.yaml_read import Document, Key
from sim.model.notices import Notice
from sim.model.pods import Pairs

COLLECTIONS = ("texts", "ints", "map")
# A merge patch takes away what null stands for; without a transform there is no pipeline. The others are
# looked at by pachctl itself (src/server/pps/cmds/cmds.go pipelineHelper).
NEVER_NULL = frozenset({("transform",), ("pipeline", "project"), *((key,) for key in SUBMITTED)}) - {
    ("specCommit",)
}
_SUBMIT = "says how to submit the spec, not what it holds; dropped"


class Canonical:
    """One spec on its way to canonical form: what was said about it, what was kept, and its lines.

    ``older`` takes the fields that upstream no longer has; without it they are unknown, as on the server.
    """

    def __init__(self, field: Field, message: str = SPEC, *, older: bool = True) -> None:
        self.notices: list[Notice] = list(field.document.notices)
        self._older = older
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
        spelled = _SPELLINGS[message]
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
            read = self._value(place, MESSAGES[message][key], (*path, key))
            if message == SPEC and key in SUBMITTED:
                self.notices.append(place.notice(_SUBMIT))
                continue
            result[key] = read
            self._note(message, key, place, (*path, key), read)
        alone = [key for key in ONE_OF.get(message, ()) if result.get(key) is not None]
        if len(alone) > 1:
            raise field.error(f"has {' and '.join(alone)}", allowed="one of them")
        return result

    def _removed(self, around: Field, message: str, spelling: str) -> str:
        """Return what a removed field is called now, or nothing when it is dropped."""
        gone = REMOVED.get(message, {}).get(camel_case(spelling))
        if gone is None or not self._older:
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
        """Return a value as JSON has it; null says nothing, but where a list or a map has to be."""
        if kind.startswith("["):
            return [self._message(item, kind[1:-1], (*path, n)) for n, item in enumerate(field.items())]
        if kind in COLLECTIONS or field.value is not None:
            return self._message(field, kind, path) if kind in MESSAGES else SCALARS[kind](field)
        if path[self._depth :] in NEVER_NULL:
            raise field.error("is null", allowed="a value, or no such key")
        return None


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


def _dotted(path: Key) -> str:
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


_SPELLINGS = {
    message: {spelling: key for key in kinds for spelling in (key, snake_case(key))}
    for message, kinds in MESSAGES.items()
}
