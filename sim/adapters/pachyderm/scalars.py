"""Scalars of a pipeline spec, as protobuf's JSON mapping takes them.

A whole number may be a text, or have a fraction of zero or an exponent; a float has 32 bits; a duration is
seconds. What pachctl reads goes through a float of 64 bits, so that the largest whole numbers are out of
range.

Source: google.golang.org/protobuf encoding/protojson, decode.go unmarshalInt, unmarshalFloat, unmarshalEnum,
well_known_types.go parseDuration, unmarshalTimestamp; pachyderm/pachyderm e237475e9910, src/pps/pps.proto.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

from sim.adapters.pachyderm.keys import EFFECTS, FORMATS, OPERATORS
from sim.documents.fields import Field

LARGEST_FLOAT = 3.4028235677973366e38  # where a float of 32 bits overflows
LONGEST_S = 315_576_000_000  # a protobuf Duration
LONGEST_NUMBER = 400
EXACT = 2**53
INTEGERS = {
    "int32": (-(2**31), 2**31 - 1, "a whole number of 32 bits"),
    "int64": (-(2**63), 2**63 - 1, "a whole number of 64 bits"),
    "uint64": (0, 2**64 - 1, "a whole number of 64 bits, 0 or more"),
}
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]{1,4})?")
_DURATION = re.compile(r"[-+]?(?=[0-9.])(0|[1-9][0-9]*)?(\.[0-9]{0,9})?s")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d([.,]\d{1,9})?(Z|[-+]\d\d:\d\d)", re.ASCII)


def integer(field: Field, kind: str = "int64") -> int:
    """Return a whole number of a kind, which JSON may also give as a text."""
    least, most, allowed = INTEGERS[kind]
    value = _decimal(field, allowed)
    whole = int(value) if value == value.to_integral_value() else None
    if whole is not None and not isinstance(field.value, str) and abs(whole) > EXACT:
        whole = int(float(whole))
    if whole is None or not least <= whole <= most:
        raise field.error(allowed=allowed)
    return whole


def number(field: Field) -> float:
    """Return a number of 32 bits, which JSON may also give as a text."""
    value = float(_decimal(field, "a number"))
    if abs(value) >= LARGEST_FLOAT:
        raise field.error(allowed="a number of 32 bits")
    return field.value if isinstance(field.value, int | float) else value


def _decimal(field: Field, allowed: str) -> Decimal:
    value = field.value
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise field.error(allowed=allowed)
    if isinstance(value, str) and (len(value) > LONGEST_NUMBER or not _NUMBER.fullmatch(value)):
        raise field.error(allowed=allowed)
    amount = Decimal(value if isinstance(value, str) else repr(value))
    if amount.adjusted() > LONGEST_NUMBER:
        raise field.error(allowed=allowed)
    return amount


def duration(field: Field) -> str:
    """Return seconds as ``600s``, without the plus that may stand before them."""
    text = field.text()
    if not _DURATION.fullmatch(text) or abs(float(text[:-1].strip("+.") or 0)) > LONGEST_S:
        raise field.error(allowed="seconds as Pachyderm takes them, such as 600s or 0.5s")
    return text.removeprefix("+")


def instant(field: Field) -> str:
    """Return an instant with its zone, as RFC 3339 has it."""
    text = field.text()
    if _INSTANT.fullmatch(text):
        with suppress(ValueError):
            datetime.fromisoformat(text[:19])
            return text
    raise field.error(allowed="an instant with its zone, such as 2026-01-05T08:00:00Z")


def json_text(field: Field | None) -> None:
    """Refuse a text that is no JSON value."""
    if field is None or not field.value:
        return
    with suppress(ValueError, RecursionError):
        json.loads(field.value, parse_constant=_refuse)
        return
    raise field.error("is no JSON", allowed="JSON in a text")


def _refuse(name: str) -> Any:
    raise ValueError(name)


def _enum(names: tuple[str, ...]) -> Callable[[Field], str]:
    def read(field: Field) -> str:
        value = field.value
        if isinstance(value, int | float) and not isinstance(value, bool) and value in range(len(names)):
            return names[int(value)]
        if value not in names:
            raise field.error(allowed=", ".join(names))
        return str(value)

    return read


SCALARS: Mapping[str, Callable[[Field], Any]] = {
    "text": Field.text,
    "bool": Field.boolean,
    **{kind: partial(integer, kind=kind) for kind in INTEGERS},
    "number": number,
    "duration": duration,
    "instant": instant,
    "texts": lambda field: list(field.texts()),
    "ints": lambda field: [integer(item) for item in field.items()],
    "map": lambda field: dict(field.pairs()),
    "operator": _enum(OPERATORS),
    "effect": _enum(EFFECTS),
    "format": _enum(FORMATS),
}
