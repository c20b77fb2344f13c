import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.errors import InputError
from sim.model.paths import PathStep, find, item_step, key_step, name_of, parse_path, print_path


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        pytest.param("horizon", ["horizon"], id="one key"),
        pytest.param(
            "pipelines[edges].parallelismSpec.constant",
            ["pipelines", "[edges]", "parallelismSpec", "constant"],
            id="an item by name",
        ),
        pytest.param(
            "cluster.autoscaler.scan-interval", ["cluster", "autoscaler", "scan-interval"], id="flag"
        ),
        pytest.param(
            "nodeSelector[eks.amazonaws.com/capacityType]",
            ["nodeSelector", "[eks.amazonaws.com/capacityType]"],
            id="a key with dots in brackets",
        ),
        pytest.param("pods[0].arrivals", ["pods", "[0]", "arrivals"], id="an item by index"),
    ],
)
def test_parsed(text: str, steps: list[str]) -> None:
    assert [str(step) for step in parse_path(text)] == steps
    assert print_path(parse_path(text)) == text


@pytest.mark.parametrize("text", ["", ".", "a..b", "a.", "[]", "a[b", "a]b", "a[b]c", ".a", "a" * 1000])
def test_refused(text: str) -> None:
    with pytest.raises(InputError, match="is not a path"):
        parse_path(text)


letters = st.characters(exclude_characters="[]") | st.sampled_from(". ")
keys = st.text(letters, min_size=1, max_size=20)


@given(st.lists(keys.map(key_step), min_size=1, max_size=8))
def test_a_printed_path_reads_back(steps: list[PathStep]) -> None:
    assert parse_path(print_path(steps)) == tuple(steps)


@pytest.mark.parametrize(
    ("item", "name"),
    [
        pytest.param({"name": "cpu"}, "cpu", id="its own"),
        pytest.param({"pipeline": {"name": "edges"}}, "edges", id="a spec's"),
        pytest.param({"metadata": {"name": "cluster-autoscaler"}}, "cluster-autoscaler", id="its metadata's"),
        pytest.param({"spec": {"pipeline": {"name": "edges"}}}, "edges", id="that of the spec it holds"),
        pytest.param({"name": 3}, "", id="none that is a text"),
        pytest.param("cpu", "", id="no mapping"),
    ],
)
def test_names_of_items(item: object, name: str) -> None:
    assert name_of(item) == name
    assert str(item_step(item, 4)) == f"[{name or 4}]"


@pytest.mark.parametrize(
    ("value", "text", "where"),
    [
        pytest.param({"parallelism_spec": 1}, "parallelismSpec", "parallelism_spec", id="the other spelling"),
        pytest.param({"a_b": 1, "aB": 2}, "aB", "aB", id="its own spelling first"),
        pytest.param([{"name": "a"}, {"name": "b"}], "[b]", 1, id="by name"),
        pytest.param([{"name": "1"}, {"name": "b"}], "[1]", 0, id="a name wins over an index"),
        pytest.param([1, 2], "[2]", None, id="past the end"),
        pytest.param({}, "a", None, id="not there"),
        pytest.param("text", "a", None, id="nothing to go down into"),
    ],
)
def test_found(value: object, text: str, where: object) -> None:
    assert find(value, parse_path(text)[0]) == where
