"""YAML as Go programs read it, against tables worked from the resolvers and decoders of yaml.v2 and v3."""

from __future__ import annotations

from typing import Any

import pytest

from sim.documents.go_yaml import read_as_eksctl, read_as_pachctl
from sim.documents.yaml_read import read_text
from sim.errors import InputError


def pachctl(text: str) -> list[Any]:
    return [document.value for document in read_text(text, "s.yaml", read_as_pachctl)]


def eksctl(text: str) -> Any:
    return read_text(text, "c.yaml", read_as_eksctl)[0].value


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("yes", "yes"),
        ("on", "on"),
        ("n", "n"),
        ("True", True),
        ("~", None),
        ("12", 12),
        ("-3", -3),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("'010'", "010"),
        ("!!str 3", "3"),
        ("1.2.3", "1.2.3"),
        ("2026-13-45", "2026-13-45"),
    ],
)
def test_scalars_that_pachctl_takes(said: str, read: Any) -> None:
    assert pachctl(f"a: {said}") == [{"a": read}]


@pytest.mark.parametrize(
    "said", ["010", "0x1F", "0o7", "0b1", "1_000", "+1", ".inf", "1.", "2026-01-05", "!!binary YQ==", "1e400"]
)
def test_scalars_that_pachctl_refuses(said: str) -> None:
    with pytest.raises(InputError, match=r"s\.yaml:1: is "):
        pachctl(f"a: {said}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: &x {b: c}\nd: *x", "2: is a YAML alias"),
        ("a: &x {b: c}\nd: {<<: *x}", "2: is a merge key"),
        ("1: a", "has the key 1"),
        ("---\n---\na: b", "is an empty document"),
        ("[]", "is an empty document"),
        ("only text", "is an empty document"),
        ('{"a": 1}{"b": 2}', "is not valid YAML"),
    ],
)
def test_documents_that_pachctl_refuses(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        pachctl(text)


def test_json_as_the_yaml_that_it_is() -> None:
    text = """# two specs\n[{"a": 1, 'b': ['x',], "$schema": "y", # of them\n}, {"c": {"$schema": "z"}}]"""
    assert pachctl(text) == [{"a": 1, "b": ["x"]}, {"c": {}}]


def test_the_last_of_two_keys_counts_and_is_told() -> None:
    (document,) = read_text("a: 1\nb: 2\na: 3\n", "s.yaml", read_as_pachctl)
    assert document.value == {"b": 2, "a": 3}
    assert [str(notice) for notice in document.notices] == [
        "s.yaml:3: a is given twice; the last one counts, as for pachctl"
    ]


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("yes", True),
        ("Off", False),
        ("n", False),
        ("'yes'", "yes"),
        ("010", 8),
        ("0x1F", 31),
        ("1_000", 1000),
        ("+1", 1),
        ("685_230.15", 685230.15),
        ("2026-01-05", "2026-01-05"),
        ("!!str yes", "yes"),
        ("!!float 3", 3.0),
        ("18446744073709551616", 18446744073709551616.0),
    ],
)
def test_scalars_of_yaml_1_1(said: str, read: Any) -> None:
    value = eksctl(f"a: {said}")["a"]
    assert (value, type(value)) == (read, type(read))


def test_merges_may_add_and_not_override() -> None:
    assert eksctl("a: &x {b: 1}\nc: {d: 2, <<: *x}\ne: {<<: [*x, {f: 3}]}") == {
        "a": {"b": 1},
        "c": {"d": 2, "b": 1},
        "e": {"f": 3, "b": 1},
    }
    for said in ("{<<: *x, b: 2}", "{b: 2, <<: *x}", "{<<: [*x, *x]}"):
        with pytest.raises(InputError, match="says b twice; allowed: each key once; a merged key cannot be"):
            eksctl(f"a: &x {{b: 1}}\nc: {said}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\na: 2", "says a twice"),
        ("a: &x [1, *x]", "contains itself"),
        ("a: *x", "not set before"),
        ("a: .nan", "a number that JSON has"),
        ("a: !!int x", "has the tag int"),
        ("~: 1", "is not a text"),
        ("a: {<<: 3}", "is merged but is no mapping"),
    ],
)
def test_documents_that_eksctl_refuses(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        eksctl(text)


def test_eksctl_reads_the_first_document_alone() -> None:
    (document,) = read_text("a: 1\n---\nb: 2\n---\n{", "c.yaml", read_as_eksctl)
    assert document.value == {"a": 1}
    assert [str(notice) for notice in document.notices] == [
        "c.yaml:3: a second document begins here, which eksctl does not read"
    ]


def test_keys_are_texts_and_aliases_keep_lines() -> None:
    (document,) = read_text("true: 1\n2: 3\na: &x\n  b: 4\nc: *x\n", "c.yaml", read_as_eksctl)
    assert document.value == {"true": 1, "2": 3, "a": {"b": 4}, "c": {"b": 4}}
    assert document.line(("c", "b")) == 4
