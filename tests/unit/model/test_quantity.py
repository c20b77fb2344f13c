"""Kubernetes quantities against the cases upstream tests its own parser with.

Expected values and spellings: kubernetes/apimachinery pkg/api/resource/quantity_test.go,
commit 357557a670d8 (TestQuantityParse, TestQuantityString, TestQuantityRoundUp, TestQuantityParseEmit,
TestNewSet, TestScaledValue).
"""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.errors import InputError
from sim.model.quantity import MAX_BINARY, Format, Quantity, milli, parse_quantity, print_quantity, whole

SI, BIN, EXP = Format.DECIMAL_SI, Format.BINARY_SI, Format.DECIMAL_EXPONENT

PARSED: list[tuple[str, str | int, Format]] = [
    # zeros keep their family
    ("0", 0, SI),
    ("0n", 0, SI),
    ("0m", 0, SI),
    ("0Ki", 0, BIN),
    ("0k", 0, SI),
    ("0Ti", 0, BIN),
    # binary
    ("1Ki", 1024, BIN),
    ("8Ki", 8 * 2**10, BIN),
    ("7Mi", 7 * 2**20, BIN),
    ("6Gi", 6 * 2**30, BIN),
    ("5Ti", 5 * 2**40, BIN),
    ("4Pi", 4 * 2**50, BIN),
    ("3Ei", 3 * 2**60, BIN),
    # decimal
    ("5n", "5/1000000000", SI),
    ("4u", "4/1000000", SI),
    ("3m", "3/1000", SI),
    ("9", 9, SI),
    ("8k", 8_000, SI),
    ("7M", 7_000_000, SI),
    ("6G", 6 * 10**9, SI),
    ("5T", 5 * 10**12, SI),
    ("2P", 2 * 10**15, SI),
    ("1E", 10**18, SI),
    # powers of ten
    ("1E-3", "1/1000", EXP),
    ("1e3", 1_000, EXP),
    ("1E6", 10**6, EXP),
    ("1e14", 10**14, EXP),
    ("1E18", 10**18, EXP),
    ("0.5e-2", "5/1000", EXP),
    ("1.3E+6", 1_300_000, EXP),
    ("1.53E12", 1_530_000_000_000, EXP),
    # fractions
    ("100.035k", 100_035, SI),
    ("0.0005k", "1/2", SI),
    ("0.00500", "5/1000", SI),
    ("7.123456M", 7_123_456, SI),
    ("1.01E", 101 * 10**16, SI),
    ("100.035Ki", "10243584/100", BIN),
    ("0.5Mi", 2**19, BIN),
    ("0.05Gi", "536870912/10", BIN),
    # rounded up at a nano, capped when binary
    ("3.001n", "4/1000000000", SI),
    ("1.1E-9", "2/1000000000", EXP),
    ("0.0000000001", "1/1000000000", SI),
    ("0.9n", "1/1000000000", SI),
    ("0.00000012345", "124/1000000000", SI),
    ("9Ei", MAX_BINARY, BIN),
    ("9223372036854775807Ki", MAX_BINARY, BIN),
    ("12E", 12 * 10**18, SI),
    ("0.00000000050", "1/1000000000", SI),
    ("0.5e-9", "1/1000000000", EXP),
    ("0.00000012354", "124/1000000000", SI),
    # more digits than a suffix shows
    ("6.987654321G", 6_987_654_321, SI),
    ("40.1T", 401 * 10**11, SI),
    ("1.7E18", 17 * 10**17, EXP),
    ("0.025Ti", "274877906944/10", BIN),
    ("100Ti", 100 * 2**40, BIN),
    # what upstream calls written by trolls
    ("0.000000000001Ki", "2/1000000000", SI),
    (".001", "1/1000", SI),
    (".0001k", "1/10", SI),
    ("1.", 1, SI),
    ("1.G", 10**9, SI),
    (".", 0, SI),
]


@pytest.mark.parametrize(("text", "value", "form"), PARSED)
@pytest.mark.parametrize("sign", ["", "+", "-"])
def test_parsed(sign: str, text: str, value: str | int, form: Format) -> None:
    quantity = parse_quantity(sign + text)
    assert quantity.value == Fraction(value) * (-1 if sign == "-" else 1)
    assert quantity.format is form


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1.1.M",
        "1+1.0M",
        "0.1mi",
        "0.1am",
        "aoeu",
        ".5i",
        "1i",
        "-3.01i",
        "-3.01e-",
        " 1",
        "1 ",
        "Non-Numeric",
        "4GB",
        "4gi",
        "1e",
        "٣",
        "1e99999",
        pytest.param("9" * 1_000_000, id="a megabyte of digits"),
    ],
)
def test_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"quantity|power of ten"):
        parse_quantity(text)


PRINTED: list[tuple[str, str]] = [
    ("1024Mi", "1Gi"),
    ("307200Ki", "300Mi"),
    ("6Ki", "6Ki"),
    ("1025024Mi", "1001Gi"),
    ("1024Gi", "1Ti"),
    ("1000M", "1G"),
    ("0.001T", "1G"),
    ("1000u", "1m"),
    ("1.08", "1080m"),
    ("1080000000n", "1080m"),
    ("1000E", "1e21"),
    ("5000E", "5e21"),
    ("1234567M", "1234567M"),
    ("3000", "3k"),
    ("00", "0"),
    (".001e12", "1e9"),
    ("0.001e0", "1e-3"),
    ("1000e-12", "1e-9"),
    ("80e-3", "80e-3"),
    ("1e2", "100"),
    ("108e-8", "1080e-9"),
    (".001Ki", "1024m"),
    (".000001Ki", "1024u"),
    (".000000001Ki", "1024n"),
    (".000000000001Ki", "2n"),
    ("1.5Gi", "1536Mi"),
    ("1.5", "1500m"),
    ("1.2345", "1234500u"),
    ("0.1", "100m"),
    ("100m", "100m"),
    ("1e3", "1e3"),
    ("1Ki", "1Ki"),
    ("129M", "129M"),
    ("0.5Ki", "512"),
    ("100.035Ki", "102435840m"),
    ("9Ei", "9223372036854775807"),
    ("18446744073709551616", "18446744073709551616"),
    ("1.500000", "1500m"),
    ("2.000000", "2"),
    # its shortcut looks at the last three digits only and repeats these as they are
    ("1.500", "1.500"),
    ("1.123456", "1.123456"),
]


@pytest.mark.parametrize(("text", "printed"), PRINTED)
def test_printed(text: str, printed: str) -> None:
    assert str(parse_quantity(text)) == printed
    if printed != "0":
        assert str(parse_quantity("-" + text)) == "-" + printed


BUILT: list[tuple[str | int, Format, str]] = [
    # amounts in a family whose own suffix does not fit them
    (5, BIN, "5"),
    ("1/2", BIN, "500m"),
    (1025, BIN, "1025"),
    (1025 * 2**20, BIN, "1025Mi"),
    ("1234567/1000", BIN, "1234567m"),
    ("1024/1000", BIN, "1024m"),
    (0, BIN, "0"),
    (0, EXP, "0"),
    ("108/100", SI, "1080m"),
    ("108/100000000", SI, "1080n"),
    (1_234_000, SI, "1234k"),
    (10**18, SI, "1E"),
    (10**24, SI, "1e24"),
    (300 * 10**6, EXP, "300e6"),
    (1, EXP, "1"),
]


@pytest.mark.parametrize(("value", "form", "printed"), BUILT)
def test_amounts_printed_in_a_family(value: str | int, form: Format, printed: str) -> None:
    assert print_quantity(Quantity(Fraction(value), form)) == printed
    if printed != "0":
        assert print_quantity(Quantity(-Fraction(value), form)) == f"-{printed}"


@pytest.mark.parametrize(
    ("text", "thousandths", "units"),
    [
        pytest.param("9.01", 9010, 10, id="up to the next unit"),
        pytest.param("-9.01", -9010, -10, id="and down to it below zero"),
        pytest.param("1n", 1, 1, id="a nano rounds up to one of either"),
        pytest.param("1u", 1, 1, id="so does a micro"),
        pytest.param("1m", 1, 1, id="a milli is exact in thousandths"),
        pytest.param("0.0001", 1, 1, id="rounding up below milli"),
        pytest.param("1500m", 1500, 2, id="one and a half"),
        pytest.param("-1500m", -1500, -2, id="negative: away from zero"),
        pytest.param("0.1Ki", 102_400, 103, id="102.4 bytes"),
        pytest.param("64M", 64_000_000_000, 64_000_000, id="Pachyderm's sidecar"),
        pytest.param("4352Mi", 4352 * 2**20 * 1000, 4352 * 2**20, id="the worker pod of pachyderm.md §1.4"),
    ],
)
def test_scaled_values(text: str, thousandths: int, units: int) -> None:
    assert milli(text) == thousandths
    assert whole(text) == units


@given(st.integers(-(10**30), 10**30), st.sampled_from(Format))
def test_what_is_printed_parses_to_the_same_value(nanos: int, form: Format) -> None:
    value = Fraction(nanos, 10**9)
    if form is Format.BINARY_SI:
        value = max(min(value, Fraction(MAX_BINARY)), Fraction(-MAX_BINARY))
    printed = print_quantity(Quantity(value, form))
    assert parse_quantity(printed).value == value
    assert print_quantity(parse_quantity(printed)) == printed


@given(st.text("0123456789.+-eEnumkKMGTPi", max_size=8))
def test_any_text_is_a_quantity_or_an_input_error(text: str) -> None:
    try:
        quantity = parse_quantity(text)
    except InputError:
        return
    assert parse_quantity(str(quantity)).value == quantity.value
