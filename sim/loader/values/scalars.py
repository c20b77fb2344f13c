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
    DAY,
    DURATION_ALLOWED,
    HOUR,
    MILLISECOND,
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
# Bounds of each kind of quantity: far beyond what any cluster holds, and products of them stay inside int64.
LARGEST_SIZE = 2**50
LARGEST_COUNT = 10**12
LARGEST_FACTOR = 10**9
MOST_DATUMS = 10**8
MOST_PODS = 10**6
MOST_CPU_M = 10**8
LONGEST_US = 36_525 * DAY
LONGEST_HORIZON_US = 3_660 * DAY
SHORTEST_LOOP_US = 100 * MILLISECOND
LONGEST_STEP_US = HOUR
LEAST_BYTES_PER_S, MOST_BYTES_PER_S = 1e3, 1e15
LEAST_PER_S, MOST_PER_S = SECOND / LONGEST_US, 1e4


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


def _whole(allowed: str, least: int = 0, most: int = LARGEST_COUNT) -> Callable[[object], int]:
    def parse(raw: object) -> int:
        if isinstance(raw, bool) or not isinstance(raw, int) or not least <= raw <= most:
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
    if amount is None or not 0 <= amount <= MOST_CPU_M:
        raise InputError(value=raw, allowed=CPU.allowed)
    return amount


def _version(raw: object) -> str:
    """Return a version such as 2.11; a bare number is one too, unless a zero may have been lost."""
    text = str(raw).strip() if isinstance(raw, str | float) else ""
    lost_zero = isinstance(raw, float) and text.endswith(".1")
    if not text or "\n" in text or lost_zero:
        raise InputError(value=raw, allowed=VERSION.allowed)
    return text


def _between(least_us: int, most_us: int, allowed: str) -> Callable[[object], int]:
    def parse(raw: object) -> int:
        duration_us = parse_duration(raw)  # type: ignore[arg-type]  # it refuses anything but text and 0
        if not least_us <= duration_us <= most_us:
            raise InputError(value=raw, allowed=allowed)
        return duration_us

    return parse


def _spans(allowed: str, least_us: int = 0, most_us: int = LONGEST_US) -> Scalar:
    """Return the kind of a duration within bounds."""
    types = ("string",) if least_us else ("string", "integer")
    return Scalar("duration", allowed, _between(least_us, most_us, allowed), print_duration, types)


def _rate(raw: object) -> float:
    per_s = parse_rate(raw)  # type: ignore[arg-type]  # it refuses anything but text
    if per_s and not LEAST_PER_S <= per_s <= MOST_PER_S:
        raise InputError(value=raw, allowed=RATE_BETWEEN)
    return per_s


def _byte_rate(raw: object) -> float:
    bytes_per_s = parse_byte_rate(raw)  # type: ignore[arg-type]  # it refuses anything but text
    if not LEAST_BYTES_PER_S <= bytes_per_s <= MOST_BYTES_PER_S:
        raise InputError(value=raw, allowed="a rate from 1kB/s to 1PB/s")
    return bytes_per_s


def _size(raw: object) -> int:
    size = parse_size(raw)  # type: ignore[arg-type]  # it refuses anything but texts and whole numbers
    if size > LARGEST_SIZE:
        raise InputError(value=raw, allowed="a size of at most 1Pi")
    return size


def _seconds(raw: object) -> float:
    return int(DURATION.parse(raw)) / SECOND


def _step(raw: object) -> float:
    if (step_us := int(DURATION.parse(raw))) > LONGEST_STEP_US:
        raise InputError(value=raw, allowed=STEP.allowed)
    return step_us / SECOND


def _seconds_printed(seconds: float) -> str:
    return print_duration(round(seconds * SECOND))


def _warmup(raw: object) -> int | None:
    """Return a duration, None for one that is to be found."""
    try:
        return None if raw == AUTO else int(DURATION.parse(raw))
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
DURATION = _spans(f"{DURATION_ALLOWED}, at most 100 years (36525d)")
INTERVAL = _spans("a duration above 0 such as 10m, from 1ms to 100 years (36525d)", MILLISECOND)
LOOP = _spans("a duration above 0 such as 10s, from 100ms to 100 years (36525d)", SHORTEST_LOOP_US)
HORIZON = _spans("a duration above 0 such as 7d, at most 10 years (3660d)", 1, LONGEST_HORIZON_US)
WARMUP = Scalar(
    "duration or auto",
    f"auto, or {DURATION_ALLOWED}",
    _warmup,
    lambda us: AUTO if us is None else print_duration(us),
    ("string", "integer"),
)
STEP = Scalar("duration", "a duration of at most 1h", _step, _seconds_printed, ("string", "integer"))
SECONDS = Scalar("duration", DURATION.allowed, _seconds, _seconds_printed, ("string", "integer"))
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
    "a Kubernetes CPU quantity such as 500m, 0.5 or 4, at most 100,000 cores",
    _cpu,
    lambda m: m // 1000 if m % 1000 == 0 else f"{m}m",
    ("string", "number"),
)
RATE_BETWEEN = f"{RATE_ALLOWED}: 0, or from once in 100 years to 10000/s"
RATE = Scalar("rate", RATE_BETWEEN, _rate, print_rate)
BYTE_RATE = Scalar("bytes per time", f"{BYTE_RATE_ALLOWED}, from 1kB/s to 1PB/s", _byte_rate, print_byte_rate)
SHARE = Scalar("share", PROBABILITY_ALLOWED, parse_probability, print_probability, ("string", "number"))


def _up_to(most: int, told: str, least: int = 0) -> Scalar:
    """Return the kind of a whole number within bounds."""
    allowed = f"a whole number, {least} or more, at most {told}"
    limits = {"minimum": least, "maximum": most}
    return Scalar("count", allowed, _whole(allowed, least, most), int, ("integer",), limits)


DATUMS = _up_to(MOST_DATUMS, "100 million")
MEMBERS = _up_to(MOST_PODS, "a million")
WORKERS = _up_to(10_000, "10,000", least=1)
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


def _numbers(told: str, least: float, most: float, *, above: bool = False, unit: str = "number") -> Scalar:
    """Return the kind of a number within bounds."""
    limits = {"exclusiveMinimum" if above else "minimum": least, "maximum": most}
    return Scalar(unit, told, _number(told, least, most, above=above), float, ("number",), limits)


POSITIVE = _numbers("a number above 0, at most a thousand million", 0, LARGEST_FACTOR, above=True)
MANY = _numbers("a number from 0 to 100 million", 0, MOST_DATUMS)
SOME = _numbers("a number above 0, at most 100 million", 0, MOST_DATUMS, above=True)
FEW = _numbers("a number from 0 to a million", 0, 10**6)
FACTOR = _numbers("a number from 0.001 to 1000", 0.001, 1000)
SIGMA = _numbers("a number from 0 to 4", 0, 4)
SPREAD = _numbers("a number above 0, at most 20", 0, 20, above=True)
SHAPE = _numbers("a number from 0.2 to 100", 0.2, 100)
USD_PER_HOUR = _numbers("a price in USD, from 0 to a million", 0, 10**6, unit="USD/h")
