"""Units: worked spellings, refusals, and that printing and parsing are inverse."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.errors import InputError
from sim.model import units


@pytest.mark.parametrize(
    ("text", "duration_us"),
    [
        pytest.param("10m", 600_000_000, id="minutes"),
        pytest.param("1h30m", 5_400_000_000, id="two terms"),
        pytest.param("7d", 604_800_000_000, id="days, which Go does not know"),
        pytest.param("90s", 90_000_000, id="more seconds than a minute holds"),
        pytest.param("500ms", 500_000, id="milliseconds"),
        pytest.param("4m30s", 270_000_000, id="as Fargate's start is quoted"),
        pytest.param("0s", 0, id="a flag switched off"),
        pytest.param("0", 0, id="the one bare number Go takes"),
        pytest.param(0, 0, id="the same, unquoted in YAML"),
        pytest.param("1.5h", 5_400_000_000, id="a fraction"),
        pytest.param("168h0m0s", 604_800_000_000, id="as Go prints a week"),
        pytest.param("12.500s", 12_500_000, id="as protobuf prints a duration"),
        pytest.param("1500ns", 2, id="finer than the clock: to the nearest microsecond, even"),
    ],
)
def test_durations(text: str | int, duration_us: int) -> None:
    assert units.parse_duration(text) == duration_us


@pytest.mark.parametrize(
    "text", ["", "10", 10, "-5m", "10 m", "m", "1h-5m", "10min", "1.2.3s", "9999999999d"]
)
def test_refused_durations(text: str | int) -> None:
    with pytest.raises(InputError):
        units.parse_duration(text)


@pytest.mark.parametrize(
    ("text", "size_bytes"),
    [
        pytest.param("1.6GB", 1_600_000_000, id="decimal, as registries say"),
        pytest.param("4Gi", 4 * 2**30, id="binary, as Kubernetes says"),
        pytest.param("2.1Gi", 2_254_857_831, id="2254857830.4 bytes, rounded up"),
        pytest.param("64M", 64_000_000, id="Pachyderm's sidecar default"),
        pytest.param("500 MiB", 500 * 2**20, id="a space and a B"),
        pytest.param("1024", 1024, id="bare bytes"),
        pytest.param(1024, 1024, id="bare bytes, unquoted"),
        pytest.param("1e3", 1000, id="an exponent"),
        pytest.param("1E", 10**18, id="exa, not an exponent"),
    ],
)
def test_sizes(text: str | int, size_bytes: int) -> None:
    assert units.parse_size(text) == size_bytes


@pytest.mark.parametrize("text", ["", "-1Gi", "4gib", "4 Gb", "128m", "Gi", "1.2.3", "4G i"])
def test_refused_sizes(text: str) -> None:
    with pytest.raises(InputError):
        units.parse_size(text)


@pytest.mark.parametrize(
    "text", ["9" * 1_000_000, "٣s", "9" * 5_000 + "s"], ids=["a megabyte of digits", "not ASCII", "too long"]
)
def test_texts_no_amount_needs_are_refused_at_once(text: str) -> None:
    for parse in (units.parse_duration, units.parse_size, units.parse_rate, units.parse_probability):
        with pytest.raises(InputError):
            parse(text)


def test_a_wrong_unit_names_the_nearest() -> None:
    with pytest.raises(InputError, match=r"did you mean GiB\?"):
        units.parse_size("4gib")


@pytest.mark.parametrize(
    ("text", "per_s"), [("4/h", 4 / 3600), ("0.5/s", 0.5), ("120 / m", 2.0), ("1/10m", 1 / 600), ("0/d", 0.0)]
)
def test_rates(text: str, per_s: float) -> None:
    assert units.parse_rate(text) == per_s


@pytest.mark.parametrize("text", ["4", "4/", "/h", "4/hour", "-4/h", "4MB/h", "4/0s"])
def test_refused_rates(text: str) -> None:
    with pytest.raises(InputError):
        units.parse_rate(text)


@pytest.mark.parametrize(
    ("text", "bytes_per_s"),
    [("20 MB/s", 20e6), ("1Gi/s", 2.0**30), ("6 MB/m", 1e5), ("1.5kB/s", 1500.0)],
)
def test_byte_rates(text: str, bytes_per_s: float) -> None:
    assert units.parse_byte_rate(text) == bytes_per_s


@pytest.mark.parametrize("text", ["20 MB", "20 Mbit/s", "MB/s", "-1MB/s", "0MB/s", "1e-400B/s"])
def test_refused_byte_rates(text: str) -> None:
    with pytest.raises(InputError):
        units.parse_byte_rate(text)


@pytest.mark.parametrize(
    ("text", "share"), [("5%", 0.05), (0.05, 0.05), ("0.1%", 0.001), (1, 1.0), ("100%", 1.0)]
)
def test_probabilities(text: str | float, share: float) -> None:
    assert units.parse_probability(text) == share


@pytest.mark.parametrize("text", ["", "101%", 1.5, "-5%", "5 percent", "nan"])
def test_refused_probabilities(text: str | float) -> None:
    with pytest.raises(InputError):
        units.parse_probability(text)


@pytest.mark.parametrize(
    ("duration_us", "printed", "go"),
    [
        (0, "0s", "0s"),
        (5_400_000_000, "1h30m", "1h30m"),
        (604_800_000_000, "7d", "168h"),
        (1_500_000, "1s500ms", "1s500ms"),
    ],
)
def test_printed_durations(duration_us: int, printed: str, go: str) -> None:
    assert units.print_duration(duration_us) == printed
    assert units.print_go_duration(duration_us) == go


@pytest.mark.parametrize(
    ("per_s", "printed"), [(4 / 3600, "4/h"), (2.0, "2/s"), (0.0, "0/s"), (1 / 600, "6/h")]
)
def test_printed_rates(per_s: float, printed: str) -> None:
    assert units.print_rate(per_s) == printed


@given(st.integers(0, units.LONGEST_US))
def test_durations_come_back(duration_us: int) -> None:
    assert units.parse_duration(units.print_duration(duration_us)) == duration_us
    assert units.parse_duration(units.print_go_duration(duration_us)) == duration_us


@given(
    st.one_of(
        st.integers(0, 2**64), st.builds(lambda n, k: n << 10 * k, st.integers(0, 4096), st.integers(0, 5))
    )
)
def test_sizes_come_back(size_bytes: int) -> None:
    assert units.parse_size(units.print_size(size_bytes)) == size_bytes


@given(st.floats(0, 1e12, exclude_min=True))
def test_rates_come_back(per_s: float) -> None:
    assert units.parse_rate(units.print_rate(per_s)) == per_s
    assert units.parse_byte_rate(units.print_byte_rate(per_s)) == per_s


@given(st.floats(0, 1))
def test_probabilities_come_back(share: float) -> None:
    assert units.parse_probability(units.print_probability(share)) == share
