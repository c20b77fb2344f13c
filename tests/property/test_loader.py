"""Whatever a scenario holds, loading it gives a scenario or one line that says what is wrong."""

import copy
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.documents.fields import Field
from sim.documents.yaml_read import Document, read_file, read_text
from sim.errors import InputError
from sim.loader.assembly import compiled
from sim.loader.overrides import named, overridden
from sim.loader.values.distributions import BYTES_VARYING, COUNT_VARYING, SECONDS_VARYING
from sim.loader.values.kinds import Printed
from sim.loader.values.scalars import (
    BYTE_RATE,
    CPU,
    DURATION,
    MEMORY_MIB,
    RATE,
    SHARE,
    SIZE,
)
from sim.model.distributions import (
    Constant,
    Exponential,
    Gamma,
    Lognormal,
    NegativeBinomial,
    Poisson,
    Uniform,
    Weibull,
)
from sim.model.paths import parse_path, print_path
from sim.model.scenario import Scenario
from tests.conftest import PROJECT
from tests.trees import places

FOLDER = PROJECT / "scenarios"
NAMES = ("edges-fargate", "edges-autoscaled", "training-spot-gpu", "trace-replay", "office-platform")
FILES = {name: read_file(FOLDER / f"{name}.yaml")[0] for name in NAMES}
TEXTS = {name: (FOLDER / f"{name}.yaml").read_text(encoding="utf-8") for name in NAMES}
SCALARS: st.SearchStrategy[Any] = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(
        [
            "",
            "10m",
            "-1s",
            "4Gi",
            "1e999999",
            "edges",
            "99999999999999999999d",
            "p95",
            "@every 1s",
            "*",
            "\u00b5",
            "1.33",
            "∞",
        ]
    )
)
WORDS = st.sampled_from(
    ["poisson", "constant", "trace", "file", "name", "spec", "p95", "requests", "cpu", "median", "edges", "0"]
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=6,
)


def outcome(load: Callable[[], Scenario]) -> str:
    """Return what is wrong, or nothing; anything but a scenario or an InputError is a failure."""
    try:
        load()
    except InputError as error:
        return str(error)
    return ""


def held_to_one_line(load: Callable[[], Scenario]) -> str:
    told = outcome(load)
    assert "\n" not in told
    assert len(told) < 4000
    return told


def loaded(document: Document, *sets: str) -> Scenario:
    return compiled(named(overridden(document, sets)))


@settings(max_examples=150)
@given(st.data())
def test_a_part_replaced_by_anything(data: st.DataObject) -> None:
    document = FILES[data.draw(st.sampled_from(NAMES))]
    value = copy.deepcopy(document.value)
    *way, last = data.draw(st.sampled_from(places(value)))
    inner = value
    for key in way:
        inner = inner[key]
    inner[last] = data.draw(VALUES)
    held_to_one_line(lambda: loaded(Document(value, document.file, document.lines)))


@settings(max_examples=60)
@given(st.data())
def test_a_text_cut_or_garbled(data: st.DataObject) -> None:
    text = TEXTS[data.draw(st.sampled_from(NAMES))]
    begin = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(begin, len(text)))
    garbled = text[:begin] + data.draw(st.text(max_size=8)) + text[end:]
    held_to_one_line(lambda: loaded(read_text(garbled, str(FOLDER / "garbled.yaml"))[0]))


@settings(max_examples=60)
@given(st.sampled_from(NAMES), st.text(max_size=30), SCALARS)
def test_any_set(name: str, path: str, value: Any) -> None:
    held_to_one_line(partial(loaded, FILES[name], f"{path}={value}"))


def test_the_scenarios_themselves_load() -> None:
    assert [outcome(partial(loaded, document)) for document in FILES.values()] == [""] * len(FILES)


seconds = st.integers(0, 10**12).map(lambda us: us / 1e6)
sizes = st.integers(0, 2**50).map(float)
positive = st.floats(0.01, 1e6, allow_nan=False)
counts = st.integers(0, 10**8)
spreads = st.floats(0.01, 1, allow_nan=False)


def distributions(amounts: st.SearchStrategy[float]) -> st.SearchStrategy[Any]:
    return st.one_of(
        amounts.map(Constant),
        st.tuples(amounts, amounts).map(lambda pair: Uniform(min(pair), max(pair))),
        amounts.map(Exponential),
        st.builds(Lognormal, amounts.filter(bool), sigma=spreads),
        amounts.filter(bool).map(lambda median: Lognormal(median, median * 2)),
        st.builds(Gamma, amounts, spreads),
        st.builds(Weibull, st.floats(1, 100), amounts),
    )


count_distributions: st.SearchStrategy[Any] = st.one_of(
    counts.map(Constant),
    st.builds(Poisson, positive),
    st.floats(1, 1000).map(lambda mean: NegativeBinomial(mean, 2.0)),
)
rates = st.floats(1e-6, 1e4, allow_nan=False)


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        pytest.param(DURATION, st.integers(0, 10**15), id="durations"),
        pytest.param(SIZE, st.integers(0, 2**50), id="sizes"),
        pytest.param(MEMORY_MIB, st.integers(0, 2**30), id="memory"),
        pytest.param(CPU, st.integers(0, 10**8), id="cpu"),
        pytest.param(RATE, rates, id="rates"),
        pytest.param(BYTE_RATE, st.floats(1e3, 1e15), id="byte rates"),
        pytest.param(SHARE, st.floats(0, 1), id="shares"),
        pytest.param(SECONDS_VARYING, distributions(seconds), id="durations that vary"),
        pytest.param(
            BYTES_VARYING,
            distributions(sizes).filter(lambda d: not isinstance(d, Lognormal)),
            id="sizes that vary",
        ),
        pytest.param(COUNT_VARYING, count_distributions, id="counts that vary"),
    ],
)
@given(data=st.data())
def test_a_printed_value_reads_back(
    kind: Printed, values: st.SearchStrategy[Any], data: st.DataObject
) -> None:
    value = data.draw(values)
    written = kind.write(value)
    assert kind.read(Field(Document(written, "s.yaml", {}), (), written)) == value


@given(st.sampled_from(NAMES), st.data())
def test_a_path_of_an_error_is_one_that_set_takes(name: str, data: st.DataObject) -> None:
    document = FILES[name]
    steps = data.draw(st.sampled_from(places(document.value)))
    path = Field(document, steps, None).name()
    assert print_path(parse_path(path)) == path
    assert overridden(document, [f"{path}=3"]).value != document.value


def test_nothing_is_written(tmp_path: Path) -> None:
    bad = tmp_path / "scenario.yaml"
    bad.write_text("horizon: 1", encoding="utf-8")
    with pytest.raises(InputError):
        compiled(read_file(bad)[0])
    assert list(tmp_path.iterdir()) == [bad]
