"""Kubernetes quantities: parsed, rounded and printed exactly as upstream does.

A quantity is a number and one of three families of suffix: decimal (``n u m "" k M G T P E``), binary
(``Ki`` .. ``Ei``) or a power of ten (``1e3``). It is exact down to a nano-unit, below which it is rounded
away from zero; a binary one is capped at 2^63 - 1. Printing keeps the family, uses the largest suffix
that needs no fraction, and falls back to decimal where binary would lose something.

Source: kubernetes/apimachinery pkg/api/resource/quantity.go and suffix.go, commit 357557a670d8 (1.36).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum
from fractions import Fraction

from sim.errors import InputError

NANO_EXPONENT = -9
NANO = Fraction(1, 10**9)
KIBI = 1024
MAX_BINARY = 2**63 - 1
LARGEST_EXPONENT = 400  # upstream takes any int32; this side of it is every number a cluster can hold
LONGEST_TEXT = 400
ALLOWED = "a Kubernetes quantity such as 100m, 0.5, 2, 512Mi, 4Gi, 10G or 1e3"


class Format(Enum):
    """The family of suffixes a quantity was written in and is printed in."""

    DECIMAL_SI = "DecimalSI"
    BINARY_SI = "BinarySI"
    DECIMAL_EXPONENT = "DecimalExponent"


DECIMAL_SUFFIXES = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
BINARY_SUFFIXES = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_DECIMAL_PRINTED = {exponent: suffix for suffix, exponent in DECIMAL_SUFFIXES.items()}
_BINARY_PRINTED = {0: "", **{exponent: suffix for suffix, exponent in BINARY_SUFFIXES.items()}}

# Upstream's scanner lets a missing number be zero: "m", "." and "+" are all 0.
_QUANTITY = re.compile(r"([+-]?)(\d*)(?:\.(\d*))?([eEinumkKMGTP]*[-+]?\d*)", re.ASCII)
_EXPONENT = re.compile(r"[eE]([-+]?\d{1,9})", re.ASCII)
_FAST_DIGITS = 18  # decimal digits that certainly fit an int64 (upstream maxInt64Factors)


@dataclass(frozen=True, slots=True)
class Quantity:
    """An exact amount and how to print it; ``written`` is the text where upstream repeats it as it is."""

    value: Fraction
    format: Format = Format.DECIMAL_SI
    written: str | None = field(default=None, compare=False)

    def __str__(self) -> str:
        return self.written if self.written is not None else print_quantity(self)


def parse_quantity(text: str) -> Quantity:
    """Return what ``resource.ParseQuantity`` returns; refuse what it refuses.

    >>> str(parse_quantity("1.5Gi")), str(parse_quantity("0.1"))
    ('1536Mi', '100m')
    """
    match = _QUANTITY.fullmatch(text) if 0 < len(text) <= LONGEST_TEXT else None
    scale = _interpret(match[4]) if match else None
    if match is None or scale is None:
        raise InputError(value=text, allowed=ALLOWED)
    base, exponent, form = scale
    if abs(exponent) > LARGEST_EXPONENT:
        raise InputError(value=text, allowed=f"a power of ten from -{LARGEST_EXPONENT} to {LARGEST_EXPONENT}")
    number, decimals = match[2].lstrip("0") or "0", match[3] or ""
    value = Fraction(int(number + decimals), 10 ** len(decimals)) * Fraction(base) ** exponent
    value = _away_from_zero(value / NANO) * NANO
    if form is Format.BINARY_SI:
        value = min(value, Fraction(MAX_BINARY))
        form = Format.DECIMAL_SI if 0 < value < 1 else form
    written = text if _already_canonical(number, decimals, exponent, form) else None
    return Quantity(-value if match[1] == "-" else value, form, written)


def milli(quantity: Quantity | str) -> int:
    """Return thousandths, rounded away from zero (``MilliValue``): millicores of a CPU quantity.

    >>> milli("0.0001"), milli("1.5")
    (1, 1500)
    """
    return _away_from_zero(_value(quantity) * 1000)


def whole(quantity: Quantity | str) -> int:
    """Return whole units, rounded away from zero (``Value``): bytes of a memory quantity.

    >>> whole("64M"), whole("0.1Ki")
    (64000000, 103)
    """
    return _away_from_zero(_value(quantity))


def print_quantity(quantity: Quantity) -> str:
    """Return the canonical spelling: no fraction, the largest suffix, nothing lost."""
    value, form = quantity.value, quantity.format
    if value == 0:
        return "0"
    if form is Format.BINARY_SI and abs(value) >= KIBI and value.denominator == 1:
        amount, exponent = _factored(int(value), KIBI)
        return f"{amount}{_BINARY_PRINTED[10 * exponent]}"
    amount, exponent = _factored(int(value / NANO), 10)
    exponent += NANO_EXPONENT
    amount, exponent = amount * 10 ** (exponent % 3), exponent - exponent % 3
    if form is not Format.DECIMAL_EXPONENT and exponent in _DECIMAL_PRINTED:
        return f"{amount}{_DECIMAL_PRINTED[exponent]}"
    return f"{amount}e{exponent}" if exponent else f"{amount}"


def _interpret(suffix: str) -> tuple[int, int, Format] | None:
    """Return (base, exponent, family) of a suffix, or None when it is none."""
    if suffix in DECIMAL_SUFFIXES:
        return 10, DECIMAL_SUFFIXES[suffix], Format.DECIMAL_SI
    if suffix in BINARY_SUFFIXES:
        return 2, BINARY_SUFFIXES[suffix], Format.BINARY_SI
    if power := _EXPONENT.fullmatch(suffix):
        return 10, int(power[1]), Format.DECIMAL_EXPONENT
    return None


def _already_canonical(number: str, decimals: str, exponent: int, form: Format) -> bool:
    """Say whether upstream keeps the text instead of printing anew (its fast path's shortcut).

    It looks at the last digits only, so ``1.500`` and ``+1`` are also kept as they are.
    """
    digits = number + decimals
    if form is Format.BINARY_SI:
        room = 15 - len(number) - int(exponent * 3 / 10) - 1
        return not decimals and room >= 0 and int(number) % 8 != 0
    scale = exponent - len(decimals)
    fits = len(digits) <= _FAST_DIGITS and scale >= NANO_EXPONENT
    return fits and scale % 3 == 0 and not digits.endswith("000") and digits[0] != "0"


def _value(quantity: Quantity | str) -> Fraction:
    return (parse_quantity(quantity) if isinstance(quantity, str) else quantity).value


def _away_from_zero(value: Fraction) -> int:
    up = -(-abs(value.numerator) // value.denominator)
    return up if value >= 0 else -up


def _factored(amount: int, factor: int) -> tuple[int, int]:
    """Return ``amount`` without its factors, and how many there were."""
    times = 0
    while amount % factor == 0:
        amount, times = amount // factor, times + 1
    return amount, times
