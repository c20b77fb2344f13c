"""Globs: which files and folders of a commit are the entries of a pfs input, each of them one datum.

``*`` and ``?`` stop at a slash, ``**`` does not; ``[a-z]``, ``[!a]`` and ``{a,b}`` are as in a shell,
``(…)`` is a group for join_on and group_by, ``@(a|b)`` and its like say how often. A folder is an entry as a
file is: ``/*`` matches top-level folders, ``/**`` folders and files alike. A glob without a wildcard is one
path, so it is one datum however much the repository holds; braces and classes alone are as many paths as
they spell.

A scenario counts files and names few of them. Files without a stated name are matched by every glob with a
wildcard whose depth is theirs; of a path that no name settles, one file is taken to be there, and to change
as often as any other file does.

Source: pachyderm/pachyderm v2.11.6, src/server/worker/datum/worker.go (GlobFile of the pattern in the whole
commit), src/server/pfs/server/server_file.go globFile, paths.go globMatchFunction with
github.com/pachyderm/ohmyglob; pachyderm.md §3.2.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import accumulate, chain

from sim.decisions.pachyderm.datums import Entries
from sim.model.layout import FLAT, Layout

MOST_PATHS = 1_000
"""A glob that spells more paths than this counts as one with a wildcard."""

_TOKEN = re.compile(r"\\.|\*\*|\[[!^]?[^\]]+\]|[?*+@!]\(|.", re.DOTALL)
_GROUP_ENDS = {"?": ")?", "*": ")*", "+": ")+", "@": ")", "!": ")", "": ")"}


@dataclass(frozen=True, slots=True)
class Glob:
    """A glob, read: ``paths`` are all it can match where it has no wildcard, else None.

    ``level`` is how deep its matches lie; with ``deeper`` that and everything below, and ``named`` says that
    only files do (their last part has a text of its own, as in ``/**.csv``).
    """

    text: str
    paths: tuple[str, ...] | None
    level: int
    deeper: bool
    named: bool


@cache
def read_glob(text: str) -> Glob:
    """Return a clean glob, which begins with a slash and does not end with one."""
    parts = [part for part in text.split("/") if part]
    last = parts[-1] if parts else ""
    fixed = [part for part in parts if part != "**"]
    deeper = "**" in text
    level = len(fixed) + (1 if last == "**" else 0)
    return Glob(text, _spelled(text), max(level, 1), deeper, named=deeper and last.strip("*") != "")


@cache
def named_entries(text: str, names: tuple[str, ...]) -> int:
    """Return how many of the named files, and of the folders they lie in, a glob matches."""
    matches = re.compile(_regex(text), re.DOTALL).fullmatch
    paths = chain.from_iterable(accumulate(f"/{part}" for part in name.split("/") if part) for name in names)
    return sum(1 for path in dict.fromkeys(paths) if matches(path))


def matched(glob: Glob, layout: Layout, files: int, new: int, changed: int) -> Entries:
    """Return a glob's entries among ``files``, so many of them new and so many changed since the base."""
    old = files - new
    if glob.paths is not None:
        return _of_paths(glob, layout, files, old, changed)
    if layout == FLAT:
        return Entries(old - changed, changed, new)
    named = named_entries(glob.text, layout.names) if old or files else 0
    held = named if old else 0
    levels = _levels(glob, layout)
    rest, rest_before = (max(count - len(layout.names), 0) for count in (files, old))
    parts = [_of_level(layout.files_in_one(level), rest, rest_before, changed) for level in levels]
    unchanged, touched, added = (sum(column) for column in zip(*parts, strict=True)) if parts else (0, 0, 0)
    return Entries(unchanged + held, touched, added + named - held)


def _levels(glob: Glob, layout: Layout) -> range:
    """Return the levels of files without a name at which a glob matches."""
    if glob.named:
        return range(layout.depth, layout.depth + 1 if glob.level <= layout.depth else layout.depth)
    last = layout.depth if glob.deeper else min(glob.level, layout.depth)
    return range(glob.level, last + 1)


def _of_level(size: int, files: int, old: int, changed: int) -> Entries:
    """Return the entries of one level: a folder that gets a file, or holds a changed one, is changed."""
    before, now = -(-old // size), -(-files // size)
    grown = 1 if old % size and files > old else 0
    touched = min(before, -(-changed // size) + grown)
    return Entries(before - touched, touched, now - before)


def _of_paths(glob: Glob, layout: Layout, files: int, old: int, changed: int) -> Entries:
    assert glob.paths is not None
    spelled = named_entries(glob.text, layout.names) if layout.names else len(glob.paths)
    before, now = min(spelled, old), min(spelled, files)
    touched = min(before, (2 * before * changed + old) // (2 * old)) if old else 0
    return Entries(before - touched, touched, now - before)


def _spelled(text: str) -> tuple[str, ...] | None:
    """Return the paths that a glob spells out, or None where a wildcard leaves them open."""
    if re.search(r"(?<!\\)[*?(]|\[[!^]", text):
        return None
    found: list[str] = []
    for path in _expanded(text):
        found.append(path)
        if len(found) > MOST_PATHS:
            return None
    return tuple(dict.fromkeys(found))


def _expanded(text: str) -> Iterator[str]:
    """Yield a text for each choice of its first class or innermost braces, until none is left."""
    choice = re.search(r"\{([^{}]*)\}|\[([^\]]+)\]", text)
    if choice is None:
        yield text
        return
    picks = choice[1].split(",") if choice[1] is not None else _members(choice[2])
    for pick in picks:
        yield from _expanded(text[: choice.start()] + pick + text[choice.end() :])


def _members(inside: str) -> list[str]:
    members: list[str] = []
    for span in re.finditer(r"(.)-(.)|(.)", inside):
        if span[3] is not None:
            members.append(span[3])
        else:
            members += map(chr, range(ord(span[1]), ord(span[2]) + 1))
    return members


def _regex(text: str) -> str:
    """Return a glob as a regular expression."""
    made: list[str] = []
    closing: list[str] = []
    for token in _TOKEN.findall(text):
        if token == "**":
            made.append(".*")
        elif token == "*":
            made.append("[^/]*")
        elif token == "?":
            made.append("[^/]")
        elif token[0] == "[" and len(token) > 1:
            made.append("[" + re.sub(r"^[!^]", "^", token[1:-1]).replace("\\", "\\\\") + "]")
        elif token in ("{", "(") or (len(token) == len("?(") and token[1] == "("):
            made.append("(?!" if token == "!(" else "(?:")
            closing.append(")[^/]*" if token == "!(" else ")" if token == "{" else _GROUP_ENDS[token[:-1]])
        elif token in ("}", ")") and closing:
            made.append(closing.pop())
        elif token in (",", "|") and closing:
            made.append("|")
        else:
            made.append(re.escape(token[-1]))
    return "".join(made)
