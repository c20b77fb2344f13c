"""Documents: YAML and JSON with their lines, and everything hostile refused in one line."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.documents.fields import root
from sim.documents.yaml_read import MAX_BYTES, read_file, read_text
from sim.errors import InputError

CLUSTER = """\
# a comment
base: &base
  maxSize: 4
  labels: {pool: cpu}
groups:
  - name: a
    <<: *base
  - name: b
    <<: [*base]
    maxSize: 9
version: "1.30"
"""


def test_yaml_anchors_merges_and_lines() -> None:
    (document,) = read_text(CLUSTER, "c.yaml")
    assert document.value["groups"][0] == {"name": "a", "maxSize": 4, "labels": {"pool": "cpu"}}
    assert document.value["groups"][1]["maxSize"] == 9
    assert document.line(("groups", 1, "maxSize")) == 10
    assert document.line(("groups", 0, "maxSize")) == 3
    assert document.line(("groups", 1, "not", "there")) == 8


def test_a_field_is_named_as_a_path_with_selectors() -> None:
    (document,) = read_text(CLUSTER, "c.yaml")
    groups = root(document).child("groups")
    assert groups is not None
    field = groups.items()[1].child("maxSize")
    assert field is not None
    assert field.name() == "groups[b].maxSize"
    assert str(field.error(allowed="a text")) == "c.yaml:10: groups[b].maxSize is 9; allowed: a text"
    with pytest.raises(InputError, match=r"c.yaml:11: version is not a known key; did you mean versions\?"):
        root(document).known(["base", "groups", "versions"])


def test_scalars_are_yaml_1_2() -> None:
    (document,) = read_text("[yes, true, 12, 0x1F, 012, 1.5, null, ~, 2024-01-01, '7', 1_000]")
    assert document.value == ["yes", True, 12, 31, 12, 1.5, None, None, "2024-01-01", "7", 1000]


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1}\n---\n{"a": 2}\n',
        '{"a": 1}{"a": 2}',
        '\n{"a": 1}\n\n{"a": 2}\n---',
        "a: 1\n---\na: 2\n",
        "---\na: 1\n---\n---\na: 2\n",
    ],
)
def test_several_documents(text: str) -> None:
    assert [document.value for document in read_text(text)] == [{"a": 1}, {"a": 2}]


def test_json_lines() -> None:
    first, second = read_text('{"a": 1}\n---\n{\n "b": [\n  1,\n\t{"c": null}]}')
    assert first.line(("a",)) == 1
    assert second.line(("b", 1, "c")) == 6


plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="ascii", exclude_characters="\x00")),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text('ab é"\\/\n', max_size=4), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.text("abc"), plain), st.sampled_from([None, 1, "\t"]))
def test_json_reads_what_the_standard_library_reads(
    value: dict[str, object], indent: int | str | None
) -> None:
    text = json.dumps(value, indent=indent)
    assert read_text(text)[0].value == json.loads(text)


def test_an_anchor_may_be_used_again(recwarn: pytest.WarningsRecorder) -> None:
    (document,) = read_text("a: &x 1\nb: *x\nc: &x 2\nd: *x")  # YAML 1.2.2 §7.1
    assert document.value == {"a": 1, "b": 1, "c": 2, "d": 2}
    assert not recwarn.list


def test_pairs_that_are_merged_count_as_values() -> None:
    pairs = ", ".join(f"k{n}: 1" for n in range(5_000))
    with pytest.raises(InputError, match="expands without end"):
        read_text(f"a: &a {{{pairs}}}\n" + "".join(f"m{n}: {{<<: *a}}\n" for n in range(2_000)))


def bomb() -> str:
    lines = ["a0: &a0 [x,x,x,x,x,x,x,x,x,x]"]
    lines += [f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    return "\n".join(lines)


def merge_bomb() -> str:
    lines = ["a0: &a0 {x: 1}"]
    lines += [f"a{n}: &a{n} {{<<: [{','.join([f'*a{n - 1}'] * 10)}]}}" for n in range(1, 10)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("", "is empty", id="nothing"),
        pytest.param("# only this\n---\n", "is empty", id="only a comment"),
        pytest.param(bomb(), "expands without end", id="billion laughs"),
        pytest.param(merge_bomb(), "expands without end", id="billion laughs by merging"),
        pytest.param("a: &a {<<: *a}", "contains itself", id="a merge of itself"),
        pytest.param("a: &a [*a]", "contains itself", id="an alias of itself"),
        pytest.param("a: !!python/object/apply:os.system [ls]", "tag", id="a tag that constructs"),
        pytest.param("a: !!binary aGk=", "tag", id="a binary tag"),
        pytest.param("a: !mine 3", "tag", id="a tag of one's own"),
        pytest.param("a: 1\na: 2", ":2: says a twice", id="a key twice"),
        pytest.param('{"a": 1,\n "a": 2}', ":2: says a twice", id="a key twice in JSON"),
        pytest.param("? [a]\n: 1", "is not a text", id="a list as a key"),
        pytest.param("a: [1", "is not valid YAML", id="not YAML"),
        pytest.param("a: *nowhere", "anchor nowhere, which is not set", id="an alias of nothing"),
        pytest.param("a: !!int x", "tag !!int|has the tag", id="a tag that does not fit"),
        pytest.param('{"a": 1', "ends in the middle", id="cut off"),
        pytest.param('{"a" 1}', "a : is missing", id="no colon"),
        pytest.param('{"a": 01}', "a , is missing", id="a leading zero"),
        pytest.param('{"a": nope}', "a value is missing", id="not a value"),
        pytest.param('{"a": 1} x', "a value is missing", id="something after it"),
        pytest.param('{"a": "b\nc"}', "does not end on its line", id="a raw line end"),
        pytest.param('{"a": "\\x"}', "is not valid JSON", id="an unknown escape"),
        pytest.param("a: b\u202ec", "U\\+202E", id="right to left"),
        pytest.param('{"a": "\\u202e"}', "hidden character", id="right to left, escaped"),
        pytest.param('a: "\\0"', "hidden character", id="NUL, escaped"),
        pytest.param('{"a": "\\ud800"}', "hidden character", id="half a character"),
        pytest.param("a\x01b: 1", "is not valid YAML", id="a control character"),
        pytest.param("[" * 5000, "nested|is not valid YAML", id="deep YAML"),
        pytest.param('{"a":' + "[" * 5000, "nested", id="deep JSON"),
        pytest.param("[" * 1_000_000, "nested too deeply; allowed: 60 levels", id="a million brackets"),
        pytest.param("- " * 1_000_000, "nested too deeply", id="a million dashes"),
        pytest.param("? " * 1_000_000, "nested too deeply", id="a million question marks"),
        pytest.param("[" + "1," * 100_000 + "]", "is too large; allowed: at most 100,000", id="many values"),
        pytest.param("---\na: 1\n" * 100_000, "is too large", id="many documents"),
        pytest.param('{"a": [' + "1," * 100_000 + "1]}", "is too large", id="many values in JSON"),
        pytest.param('{"a": "' + "x" * 1_000_000, "does not end", id="a long text in JSON that does not end"),
        pytest.param("a: " + "x" * 1_000_000, "1,000,000 characters", id="a long text"),
        pytest.param('{"a": "' + "x" * 1_000_000 + '"}', "1,000,000 characters", id="a long text in JSON"),
        pytest.param('{"a": ' + "9" * 10_000 + "}", "a number too long to read", id="a long number"),
    ],
)
def test_refused(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        read_text(text, "f.yaml")
    assert str(caught.value).startswith("f.yaml:")
    assert "\n" not in str(caught.value)


def test_files_that_are_none(tmp_path: Path) -> None:
    big, binary, latin = tmp_path / "big", tmp_path / "binary", tmp_path / "latin"
    with big.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    binary.write_bytes(b"\x7fELF\x00\x01")
    latin.write_bytes(b"name: caf\xe9")
    for path, message in [
        (big, r"is 10,000,001 bytes; allowed: at most 10,000,000"),
        (binary, "is a binary file"),
        (latin, "is not text in UTF-8"),
        (tmp_path / "none", "cannot be read: No such file"),
        (tmp_path, "cannot be read: Is a directory"),
        (Path("/dev/zero"), r"does not end; allowed: at most 10,000,000 bytes"),
    ]:
        with pytest.raises(InputError, match=message):
            read_file(path)


def test_a_byte_order_mark_is_no_character(tmp_path: Path) -> None:
    path = tmp_path / "bom.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1\n")
    assert read_file(path)[0].value == {"a": 1}
