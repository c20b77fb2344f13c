"""Texts: what somebody wrote, made safe to show on a terminal, in a cell, in Markdown and in a shell.

Names and questions come from files that others may have sent. A terminal obeys control characters, a
spreadsheet runs cells that begin like a formula, Markdown opens blocks, a shell runs what is not quoted.
Every place that shows a text asks here.

Sources: ECMA-48 (C0 and C1 controls), Unicode TR36 §2.5 (bidirectional text), OWASP "CSV Injection",
CommonMark 0.31 §2.4 (backslash escapes), POSIX.1-2017 XCU §2.2 (quoting, by ``shlex``).
"""

from __future__ import annotations

import re
import shlex
from typing import Any

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_MARKDOWN = re.compile(r"[\\`<>|]|(?<=\])\(|^[#~+-]")
_NUMBER = re.compile(r"[-+]?[0-9][0-9.,]*(?:[eE][-+]?[0-9]+)?\s?%?", re.ASCII)
_KEPT = " \n"


def visible(text: str) -> str:
    r"""Return a text whose control and other unprintable characters are spelled out; line ends stay.

    >>> visible("red\x1b[31m")
    'red\\x1b[31m'
    """
    if text.isprintable():
        return text
    return "".join(
        each if each.isprintable() or each in _KEPT else each.encode("unicode_escape").decode()
        for each in text
    )


def one_line(text: str) -> str:
    """Return a visible text on one line, with single spaces."""
    return visible(" ".join(text.split()))


def brief(text: str, longest: int = 1000) -> str:
    """Return a text without its middle where it is too long to read.

    >>> brief("x" * 50 + "the end", 20)
    'xxxxxxxx ... the end'
    """
    half = (longest - len(" ... ")) // 2
    return text if len(text) <= longest else f"{text[: half + 1]} ... {text[-half:]}"


def cell(value: Any) -> Any:
    """Return what a CSV file may hold without a spreadsheet running it; numbers stay numbers.

    >>> cell("=1+1"), cell(-1.5), cell("-")
    ("'=1+1", -1.5, '-')
    """
    if not isinstance(value, str):
        return value
    text = visible(value)
    runs = len(text) > 1 and text.startswith(_FORMULA) and not _NUMBER.fullmatch(text)
    return f"'{text}" if runs else text


def markdown(text: str) -> str:
    """Return a text as one line of Markdown that means itself: no code, HTML, link, cell or block."""
    return _MARKDOWN.sub(lambda found: f"\\{found[0]}", one_line(text))


def pictured(text: str, longest: int = 60) -> str:
    """Return a text for a picture: one short line, in which matplotlib sees no formula."""
    return brief(one_line(text), longest).replace("$", "\\$")


def quoted(text: object) -> str:
    """Return one word of a shell, whatever is in it.

    >>> quoted("ns$(touch pwned)")
    "'ns$(touch pwned)'"
    """
    return shlex.quote(visible(str(text)).replace("\n", "\\n"))


def within_quotes(text: str) -> str:
    """Return what may stand between double quotes of a shell and mean itself."""
    return re.sub(r'[\\"$`]', lambda found: f"\\{found[0]}", visible(text).replace("\n", "\\n"))
