"""Scalars: durations, sizes, rates and other single texts and numbers, in the model's units.

Texts go through ``sim.model.units`` and ``sim.model.quantity``; nothing else parses them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable

from sim.errors import InputError
from sim.loader.values.kinds import Scalar
from sim.model.quantity import milli
from sim.model.resources import MIB, mib_up
from sim.model.units import (
    BYTE_RATE_ALLOWED,
    DURATION_ALLOWED,
    PROBABILITY_ALLOWED,
    RATE_ALLOWED,
    SECOND,
    SIZE_ALLOWED,
    parse_byte_rate,
    parse_duration,
    parse_probability,
    parse_rate,
    parse_size,
    print_byte_rate,
    print_duration,
    print_probability,
    print_rate,
    print_size,
)

AUTO = "auto"
_DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
LARGEST_SIZE = 2**60
LARGEST_COUNT = 10**12  # more files, datums or nodes than any cluster holds; keeps sums inside int64


def _number(
    allowed: str, least: float = -math.inf, most: float = LARGEST_COUNT, *, above: bool = False
) -> Callable[[object], float]:
    def parse(raw: object) -> float:
        if isinstance(raw, bool) or not isinstance(raw, int | float):
            raise InputError(value=raw, allowed=allowed)
        try:
            value = float(raw)
        except OverflowError:
            raise InputError(value=raw, allowed=allowed) from None
        if not (math.isfinite(value) and least <= value <= most) or (above and value == least):
            raise InputError(value=raw, allowed=allowed)
        return value

    return parse


def _whole(allowed: str, least: int = 0) -> Callable[[object], int]:
    def parse(raw: object) -> int:
        if isinstance(raw, bool) or not isinstance(raw, int) or not least <= raw <= LARGEST_COUNT:
            raise InputError(value=raw, allowed=allowed)
        return raw

    return parse


def _text(raw: object) -> str:
    text = raw.strip() if isinstance(raw, str) else ""
    if not text or not text.isprintable():  # a terminal obeys some of what is not
        raise InputError(value=raw, allowed=TEXT.allowed)
    return text


def _namespace(raw: object) -> str:
    if not isinstance(raw, str) or not _DNS_LABEL.fullmatch(raw):
        raise InputError(value=raw, allowed=NAMESPACE.allowed)
    return raw


def _prose(raw: object) -> str:
    if not isinstance(raw, str):
        raise InputError(value=raw, allowed=PROSE.allowed)
    return raw.strip()


def _flag(raw: object) -> bool:
    if not isinstance(raw, bool):
        raise InputError(value=raw, allowed=FLAG.allowed)
    return raw


def _label(raw: object) -> str:
    if not isinstance(raw, str):
        raise InputError(value=raw, allowed=LABEL.allowed)
    return raw


def _cpu(raw: object) -> int:
    amount = (
        None if isinstance(raw, bool) else milli(str(raw)) if isinstance(raw, int | float | str) else None
    )
    if amount is None or not 0 <= amount <= LARGEST_COUNT:
        raise InputError(value=raw, allowed=CPU.allowed)
    return amount


def _version(raw: object) -> str:
    """Return a version such as 2.11; a bare number is one too, unless a zero may have been lost."""
    text = str(raw).strip() if isinstance(raw, str | float) else ""
    lost_zero = isinstance(raw, float) and text.endswith(".1")
    if not text or "\n" in text or lost_zero:
        raise InputError(value=raw, allowed=VERSION.allowed)
    return text


def _interval(raw: object) -> int:
    interval_us = parse_duration(raw)  # type: ignore[arg-type]  # it refuses anything but text and 0
    if interval_us == 0:
        raise InputError(value=raw, allowed=INTERVAL.allowed)
    return interval_us


def _size(raw: object) -> int:
    size = parse_size(raw)  # type: ignore[arg-type]  # it refuses anything but texts and whole numbers
    if size > LARGEST_SIZE:
        raise InputError(value=raw, allowed="at most 1Ei")
    return size


def _seconds(raw: object) -> float:
    return parse_duration(raw) / SECOND  # type: ignore[arg-type]  # it refuses anything but text and 0


def _seconds_printed(seconds: float) -> str:
    return print_duration(round(seconds * SECOND))


def _warmup(raw: object) -> int | None:
    """Return a duration, None for one that is to be found."""
    try:
        return None if raw == AUTO else parse_duration(raw)  # type: ignore[arg-type]  # it refuses all but texts
    except InputError:
        raise InputError(value=raw, allowed=WARMUP.allowed) from None


TEXT = Scalar("text", "a text on one line", _text, str)
NAMESPACE = Scalar(  # Kubernetes 1.31 ValidateNamespaceName: a DNS label of RFC 1123
    "namespace", "a namespace: a-z, 0-9 and -, 63 characters, a letter or digit at both ends", _namespace, str
)
PROSE = Scalar("text", "a text", _prose, str)
VERSION = Scalar(
    "version",
    "a version in quotes, such as '2.11': a bare 2.10 reads as 2.1",
    _version,
    str,
    ("string", "number"),
)
LABEL = Scalar("text", "a text; quote numbers and booleans", _label, str)
FLAG = Scalar("yes or no", "true or false", _flag, bool, ("boolean",))
DURATION = Scalar("duration", DURATION_ALLOWED, parse_duration, print_duration, ("string", "integer"))
INTERVAL = Scalar("duration", "a duration above 0 such as 10m", _interval, print_duration)
WARMUP = Scalar(
    "duration or auto",
    f"auto, or {DURATION_ALLOWED}",
    _warmup,
    lambda us: AUTO if us is None else print_duration(us),
    ("string", "integer"),
)
SECONDS = Scalar("duration", DURATION_ALLOWED, _seconds, _seconds_printed, ("string", "integer"))
SIZE = Scalar("size", SIZE_ALLOWED, _size, print_size, ("string", "integer"))
MEMORY_MIB = Scalar(
    "size",
    SIZE_ALLOWED,
    lambda raw: mib_up(_size(raw)),
    lambda mib: print_size(mib * MIB),
    ("string", "integer"),
)
MEMORY_FLOAT_MIB = Scalar(
    "size",
    SIZE_ALLOWED,
    lambda raw: _size(raw) / MIB,
    lambda mib: print_size(round(mib * MIB)),
    ("string", "integer"),
)
CPU = Scalar(
    "cores",
    "a Kubernetes CPU quantity such as 500m, 0.5 or 4",
    _cpu,
    lambda m: m // 1000 if m % 1000 == 0 else f"{m}m",
    ("string", "number"),
)
RATE = Scalar("rate", RATE_ALLOWED, parse_rate, print_rate)
BYTE_RATE = Scalar("bytes per time", BYTE_RATE_ALLOWED, parse_byte_rate, print_byte_rate)
SHARE = Scalar("share", PROBABILITY_ALLOWED, parse_probability, print_probability, ("string", "number"))
COUNT = Scalar(
    "count",
    "a whole number, 0 or more",
    _whole("a whole number, 0 or more"),
    int,
    ("integer",),
    {"minimum": 0},
)
ONE_OR_MORE = Scalar(
    "count",
    "a whole number, 1 or more",
    _whole("a whole number, 1 or more", 1),
    int,
    ("integer",),
    {"minimum": 1},
)
INTEGER = Scalar("number", "a whole number", _whole("a whole number", -LARGEST_COUNT), int, ("integer",))
NUMBER = Scalar(
    "number", "a number, 0 or more", _number("a number, 0 or more", 0), float, ("number",), {"minimum": 0}
)
POSITIVE = Scalar(
    "number",
    "a number above 0",
    _number("a number above 0", 0, above=True),
    float,
    ("number",),
    {"exclusiveMinimum": 0},
)
USD_PER_HOUR = Scalar(
    "USD/h",
    "a price in USD, 0 or more",
    _number("a price in USD, 0 or more", 0),
    float,
    ("number",),
    {"minimum": 0},
)
