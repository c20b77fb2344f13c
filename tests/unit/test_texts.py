"""Texts from files, shown on terminals, in spreadsheets, in Markdown and in a shell: they mean themselves."""

import csv
import re
import shlex
import subprocess
import warnings
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from sim.errors import InputError
from sim.texts import brief, cell, markdown, one_line, pictured, quoted, visible

CONTROLS = [chr(n) for n in (*range(32), *range(127, 160), 0x200E, 0x202E, 0x2066, 0x2028)]
ANY = st.text() | st.text(st.sampled_from([*CONTROLS, "$", "`", "'", '"', "\\", ";", "a", "=", "-", "|"]))


@pytest.mark.parametrize("control", [each for each in CONTROLS if each != "\n"])
def test_controls_are_spelled_out(control: str) -> None:
    shown = visible(f"a{control}b")
    assert shown.isprintable()
    assert shown.encode().decode("unicode_escape") == f"a{control}b"


@given(ANY)
def test_what_is_shown_is_printable(text: str) -> None:
    assert visible(text).replace("\n", "").isprintable()
    assert one_line(text).isprintable()
    assert str(InputError("is", field=text, value=text, allowed=text, nearest=text, file=text)).isprintable()


@given(st.text(st.characters(categories=["L", "N", "P", "S"])))
def test_what_is_printable_stays(text: str) -> None:
    assert visible(text) == text


def test_an_error_is_short_however_long_its_field() -> None:
    assert len(str(InputError("is not a known key", field="k" * 1_000_000, value="v" * 1_000_000))) < 500


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("=1+1", "'=1+1"),
        ("@SUM(1)", "'@SUM(1)"),
        ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
        ("-2+3", "'-2+3"),
        ("\t=1", "\\t=1"),
        ("\uff1d1", "'\uff1d1"),
        ("-", "-"),
        ("-5", "-5"),
        ("+1.5 %", "+1.5 %"),
        ("a=1", "a=1"),
        (-5, -5),
        (None, None),
    ],
)
def test_cells(text: object, written: object) -> None:
    assert cell(text) == written


@given(ANY)
def test_no_cell_begins_like_a_formula(text: str) -> None:
    out = StringIO()
    csv.writer(out).writerow([cell(text), "x"])
    (read,) = csv.reader(StringIO(out.getvalue(), newline=""))
    number = read[0].rstrip("% ").replace(",", "").replace(".", "")
    assert (
        len(read[0]) < 2 or read[0][0] not in "=+-@\t\r\uff1d\uff0b\uff0d\uff20" or float(number) is not None
    )


@pytest.mark.parametrize(
    "text", ["```sh", "a`b`", "<script>", "a|b", "# a", "- a", "[a](b)", "a\n```sh\nrm\n```"]
)
def test_markdown_is_one_line_that_opens_nothing(text: str) -> None:
    shown = markdown(text)
    assert "\n" not in shown
    bare = re.sub(r"\\[\\`<>|(]", "", shown)
    assert not {*"`<>|"} & {*bare}
    assert "](" not in bare
    assert not shown.startswith(("#", "-", "~", "+"))


@given(ANY, st.integers(10, 100))
def test_a_brief_text_is_short_and_has_both_ends(text: str, longest: int) -> None:
    shown = brief(text, longest)
    assert len(shown) <= longest
    assert shown == text or (text.startswith(shown[:2]) and text.endswith(shown[-2:]))


@pytest.mark.parametrize("name", ["$\\frac", "$\\foo{$", "a_$x$", "縁" * 100, "a\x1bb", "$"])
def test_pictures_take_any_name(name: str, tmp_path: Path) -> None:
    figure = Figure()
    figure.suptitle(pictured(name))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph")
        figure.savefig(tmp_path / "f.png")


@given(ANY)
def test_a_quoted_text_is_one_word(text: str) -> None:
    assert shlex.split(quoted(text)) == [visible(text).replace("\n", "\\n")]


@pytest.mark.parametrize("text", ["$(touch pwned)", "`touch pwned`", "a; touch pwned", "a'; touch pwned; '"])
def test_a_shell_runs_nothing_of_it(text: str) -> None:
    shown = subprocess.run(
        ["/bin/sh", "-c", f"printf %s {quoted(text)}"], capture_output=True, text=True, check=True
    )
    assert shown.stdout == text
