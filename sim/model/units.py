"""Units: text such as ``10m``, ``4/h``, ``5%`` and ``2.1Gi``, parsed once and printed once.

Inside, a duration is whole microseconds, a size whole bytes (rounded up, as Kubernetes does), a rate
a float per second, a probability a float. Arithmetic on the way is exact; printing gives the shortest
text that parses back to the same value, so ``parse(print(x)) == x``.

Sources: durations are Go's ``time.ParseDuration``, as every autoscaler flag takes, and ``d`` for days;
size suffixes are those of Kubernetes (``Ki`` .. ``Ei``, ``k`` .. ``E``), with or without a ``B``.
"""

from __future__ import annotations

import math
import re
from fractions import Fraction

from sim.errors import InputError, nearest

MICROSECOND = 1
MILLISECOND = 1_000
SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
MB = 1_000_000
SECONDS_PER_HOUR = 3600.0
SECONDS_PER_DAY = 86_400.0

DURATION_UNITS: dict[str, Fraction] = {
    "d": Fraction(DAY),
    "h": Fraction(HOUR),
    "m": Fraction(MINUTE),
    "s": Fraction(SECOND),
    "ms": Fraction(MILLISECOND),
    "us": Fraction(MICROSECOND),
    "µs": Fraction(MICROSECOND),
    "ns": Fraction(MICROSECOND, 1_000),
}
PRINTED_DURATION_UNITS = ("d", "h", "m", "s", "ms", "us")
BINARY_UNITS = {suffix: 1024 ** (n + 1) for n, suffix in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"))}
DECIMAL_UNITS = {suffix: 1000 ** (n + 1) for n, suffix in enumerate(("k", "M", "G", "T", "P", "E"))}
SIZE_UNITS: dict[str, int] = {
    "": 1,
    **BINARY_UNITS,
    **DECIMAL_UNITS,
    "B": 1,
    **{f"{suffix}B": factor for suffix, factor in (BINARY_UNITS | DECIMAL_UNITS).items()},
    "KB": 1000,  # the one spelling people use against the SI
}

_NUMBER = r"(?:\d+(?:\.\d*)?|\.\d+)"
_DURATION = re.compile(rf"(?:{_NUMBER}[a-zµ]+)+", re.ASCII)
_DURATION_TERM = re.compile(rf"({_NUMBER})([a-zµ]+)", re.ASCII)
_AMOUNT = re.compile(rf"({_NUMBER}(?:[eE][-+]?\d{{1,3}})?)\s*([A-Za-z%]*)", re.ASCII)
LONGEST_TEXT = 80  # no amount needs more; a megabyte of digits is not worth an attempt
LONGEST_US = 2**63 - 1  # what an integer column of the log holds; 292,000 years

DURATION_ALLOWED = "a duration such as 90s, 10m, 1h30m or 7d, not negative"
GO_DURATION_ALLOWED = "a duration such as 90s, 10m or 24h"
SIZE_ALLOWED = "a size such as 500MB, 1.6GB, 512Mi or 4Gi, not negative"
RATE_ALLOWED = "a rate such as 4/h or 0.5/s, not negative"
BYTE_RATE_ALLOWED = "a rate such as 20 MB/s or 1Gi/s, above 0"
PROBABILITY_ALLOWED = "a share from 0 to 1 such as 0.05, or 0% to 100%"


def parse_duration(text: str | int) -> int:
    """Return microseconds; a bare ``0`` is a duration, any other bare number lacks its unit.

    >>> parse_duration("1h30m")
    5400000000
    """
    plain = _plain(text, DURATION_ALLOWED)
    if plain == "0":
        return 0
    if not _DURATION.fullmatch(plain):
        raise InputError(value=text, allowed=DURATION_ALLOWED)
    total = Fraction(0)
    for amount, unit in _DURATION_TERM.findall(plain):
        if unit not in DURATION_UNITS:
            raise InputError(value=text, allowed=DURATION_ALLOWED, nearest=nearest(unit, DURATION_UNITS))
        total += Fraction(amount) * DURATION_UNITS[unit]
    duration_us = round(total)
    if duration_us > LONGEST_US:
        raise InputError(value=text, allowed="less than 292,000 years")
    return duration_us


def parse_go_duration(text: str) -> int:
    """Return microseconds of what Go's ``time.ParseDuration`` takes: a sign is one, days are none.

    >>> parse_go_duration("-1h30m")
    -5400000000
    """
    sign, plain = (-1 if text[:1] == "-" else 1), text[text[:1] in {"+", "-"} :]
    if "d" in plain or plain != plain.strip() or plain[:1] in {"+", "-"}:
        raise InputError(value=text, allowed=GO_DURATION_ALLOWED)
    try:
        return sign * parse_duration(plain)
    except InputError:
        raise InputError(value=text, allowed=GO_DURATION_ALLOWED) from None


def print_duration(duration_us: int) -> str:
    """Return a duration as it is written in a scenario: ``7d``, ``1m30s``, ``500ms``.

    >>> print_duration(5_400_000_000)
    '1h30m'
    """
    return _terms(duration_us, PRINTED_DURATION_UNITS) or "0s"


def print_go_duration(duration_us: int) -> str:
    """Return a duration as upstream's flags take it, which know no days: ``168h``."""
    return _terms(duration_us, PRINTED_DURATION_UNITS[1:]) or "0s"


def parse_size(text: str | int) -> int:
    """Return bytes, rounded up to a whole one; a bare number is bytes.

    >>> parse_size("1.6GB"), parse_size("4Gi")
    (1600000000, 4294967296)
    """
    match = _AMOUNT.fullmatch(_plain(text, SIZE_ALLOWED))
    if match is None:
        raise InputError(value=text, allowed=SIZE_ALLOWED)
    amount, unit = match.groups()
    if unit not in SIZE_UNITS:
        raise InputError(value=text, allowed=SIZE_ALLOWED, nearest=nearest(unit, filter(None, SIZE_UNITS)))
    return math.ceil(Fraction(amount) * SIZE_UNITS[unit])


def print_size(size_bytes: int) -> str:
    """Return the shortest exact spelling of a size; binary suffixes win ties.

    >>> print_size(4294967296), print_size(1600000000)
    ('4Gi', '1600MB')
    """
    if size_bytes == 0:
        return "0B"
    spellings = [f"{size_bytes}B"]
    spellings += [f"{size_bytes // f}{s}" for s, f in BINARY_UNITS.items() if size_bytes % f == 0]
    spellings += [f"{size_bytes // f}{s}B" for s, f in DECIMAL_UNITS.items() if size_bytes % f == 0]
    return min(spellings, key=lambda spelling: (len(spelling), spelling.endswith("B")))


def parse_rate(text: str) -> float:
    """Return events per second.

    >>> parse_rate("90/h")
    0.025
    """
    amount, per = _split_rate(text, RATE_ALLOWED)
    match = _AMOUNT.fullmatch(amount)
    if match is None or match[2]:
        raise InputError(value=text, allowed=RATE_ALLOWED)
    return float(Fraction(match[1]) / per)


def print_rate(per_s: float) -> str:
    """Return a rate in the unit of time that spells it shortest.

    >>> print_rate(0.025)
    '90/h'
    """
    spellings = [f"{per_s!r}/s"]
    for unit in ("s", "m", "h", "d"):
        amount = per_s * float(DURATION_UNITS[unit] / SECOND)
        spellings.append(f"{amount:.12g}/{unit}")
    return min((s for s in spellings if parse_rate(s) == per_s), key=len)


def parse_byte_rate(text: str) -> float:
    """Return bytes per second.

    >>> parse_byte_rate("20 MB/s")
    20000000.0
    """
    amount, per = _split_rate(text, BYTE_RATE_ALLOWED)
    match = _AMOUNT.fullmatch(amount)
    if match is None or match[2] not in SIZE_UNITS:
        near = nearest(match[2], filter(None, SIZE_UNITS)) if match else None
        raise InputError(value=text, allowed=BYTE_RATE_ALLOWED, nearest=near)
    bytes_per_s = float(Fraction(match[1]) * SIZE_UNITS[match[2]] / per)
    if bytes_per_s == 0:
        raise InputError(value=text, allowed=BYTE_RATE_ALLOWED)
    return bytes_per_s


def print_byte_rate(bytes_per_s: float) -> str:
    """Return bytes per second, with a suffix where that is exact and shorter."""
    if bytes_per_s.is_integer():
        return f"{print_size(int(bytes_per_s))}/s"
    return f"{bytes_per_s!r}B/s"


def parse_probability(text: str | float) -> float:
    """Return a share from 0 to 1, given as such or in per cent.

    >>> parse_probability("5%")
    0.05
    """
    match = _AMOUNT.fullmatch(_plain(text, PROBABILITY_ALLOWED))
    if match is None or match[2] not in ("", "%"):
        raise InputError(value=text, allowed=PROBABILITY_ALLOWED)
    share = float(Fraction(match[1]) / (100 if match[2] else 1))
    if share > 1:
        raise InputError(value=text, allowed=PROBABILITY_ALLOWED)
    return share


def print_probability(share: float) -> str:
    """Return a share in per cent where that says the same value, else as it is.

    >>> print_probability(0.05)
    '5%'
    """
    percent = f"{share * 100:.12g}%"
    return percent if parse_probability(percent) == share else repr(share)


def _plain(text: object, allowed: str) -> str:
    plain = str(text).strip()
    if len(plain) > LONGEST_TEXT:
        raise InputError(value=text, allowed=allowed)
    return plain


def _terms(duration_us: int, units: tuple[str, ...]) -> str:
    printed = ""
    for unit in units:
        count, duration_us = divmod(duration_us, int(DURATION_UNITS[unit]))
        printed += f"{count}{unit}" if count else ""
    return printed


def _split_rate(text: str, allowed: str) -> tuple[str, Fraction]:
    """Return the amount before the slash and the seconds after it (``/h``, ``/10m``)."""
    amount, slash, per = _plain(text, allowed).partition("/")
    per = per.strip()
    if not slash:
        raise InputError(value=text, allowed=allowed)
    try:
        per_us = parse_duration(per if per[:1].isdigit() else f"1{per}")
    except InputError as error:
        raise InputError(value=text, allowed=allowed, nearest=error.nearest) from None
    if per_us == 0:
        raise InputError(value=text, allowed=allowed)
    return amount.strip(), Fraction(per_us, SECOND)
