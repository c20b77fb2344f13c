"""YAML written here, read back as YAML 1.2 and as 1.1, of which eksctl, helm and kubectl read a mixture."""

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from sim.documents.json_read import HOSTILE
from sim.documents.yaml_read import read_text
from sim.documents.yaml_write import flow, scalar, yaml_text

LOOKALIKES = [
    *[
        "1.33",
        "yes",
        "NO",
        "~",
        "null",
        "1e3",
        "0x1F",
        "0o7",
        "1_000",
        "12:30",
        "2026-01-05",
        ".inf",
        "=",
        "<<",
    ],
    *[
        "a: b",
        "a #b",
        "- x",
        "*a",
        "&a",
        "!t",
        "%d",
        "{a",
        "[a",
        "'q'",
        '"',
        "|",
        "a:",
        "a\nb",
        " a",
        "a ",
        "1.",
    ],
    *["10m", "0s", "0d", "1E", "1s", "4Gi", "arn:aws:iam::111122223333:role/x", "python3 -c 'x'", "é", "😀"],
]
TEXTS = st.text(max_size=12).filter(lambda text: not HOSTILE.search(text)) | st.sampled_from(LOOKALIKES)
LEAVES = st.none() | st.booleans() | st.integers(-(10**12), 10**12) | TEXTS | st.floats(-1e9, 1e9)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=9,
)


def as_yaml_1_1(text: str) -> Any:
    reader = YAML(typ="safe", pure=True)
    reader.version = "1.1"
    return with_texts_as_keys(reader.load(text))


def with_texts_as_keys(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): with_texts_as_keys(each) for key, each in value.items()}
    return [with_texts_as_keys(each) for each in value] if isinstance(value, list) else value


@settings(max_examples=80)
@given(st.dictionaries(TEXTS, VALUES, min_size=1, max_size=3))
def test_what_is_written_reads_back(value: dict[str, Any]) -> None:
    text = yaml_text(value)
    assert read_text(text)[0].value == value
    assert as_yaml_1_1(text) == value
    assert as_yaml_1_1(flow(value)) == value


def test_comments_stand_beside_their_keys_or_above() -> None:
    value = {"groups": [{"name": "a", "sizes": {"min": 0, "max": 9}}], "tags": {"x": "1"}}
    comments = {
        ("groups", 0, "name"): "first",
        ("groups", 0, "sizes", "max"): "bounds the bill",
        ("tags",): "long " * 25,
    }
    text = yaml_text(value, comments, "What it is.")
    assert text == (
        "# What it is.\ngroups:\n  - name: a # first\n    sizes:\n"
        "      min: 0\n      max: 9 # bounds the bill\n"
        f"# {'long ' * 25}\n"
        'tags: {x: "1"}\n'
    )
    assert read_text(text)[0].value == value


def test_a_comment_above_the_first_key_of_an_item() -> None:
    text = yaml_text({"a": [{"b": 1, "c": 2}]}, {("a", 0, "b"): "w" * 120})
    assert text == f"a:\n  # {'w' * 120}\n  - b: 1\n    c: 2\n"
    assert read_text(text)[0].value == {"a": [{"b": 1, "c": 2}]}


@pytest.mark.parametrize(("value", "text"), [(math.inf, ".inf"), (-math.inf, "-.inf"), (1e300, "1.0e+300")])
def test_floats_of_every_size(value: float, text: str) -> None:
    assert scalar(value) == text
