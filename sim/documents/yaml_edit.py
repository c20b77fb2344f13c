"""A YAML text changed until it says something else, and changed nowhere it need not be.

Comments, anchors, quotes, order and blank lines of everything that stays are the user's bytes, because they
are never printed again: each difference is put into the text at its place, and the text is read anew. Items
of lists are told apart by their names. Where what an anchor stands for changes or goes, those who refer to it
get what they had, spelled out. ruamel's round trip re-indents lists and re-wraps lines nobody decided about.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any

from sim.documents.yaml_read import Key, read_text
from sim.documents.yaml_tree import Place, layout
from sim.documents.yaml_write import block_lines, fits_in_flow, flow, yaml_text
from sim.model.paths import name_of

MOST_EDITS = 2_000
MERGE = "<<"


class How(Enum):
    """What a difference does to its place."""

    REPLACED = "replaced"
    TAKEN_OUT = "taken out"
    PUT_IN = "put in"


@dataclass(frozen=True, slots=True)
class Difference:
    """One place that has to change: a value that is wanted there, taken out or put in.

    ``path`` counts items as they are; ``wanted`` are the values wanted at each step of it, the whole first.
    """

    path: Key
    wanted: tuple[Any, ...]
    how: How = How.REPLACED


def edited(text: str, wanted: dict[str, Any]) -> str:
    """Return the text changed to say ``wanted``; without need nothing is changed. JSON is written anew."""
    if text.lstrip().startswith("{"):
        same = read_text(text)[0].value == wanted
        return text if same else json.dumps(wanted, indent=2, ensure_ascii=False) + "\n"
    for _ in range(MOST_EDITS):
        there = read_text(text)[0].value
        difference = next(differences(there, wanted), None)
        if difference is None:
            return text
        tree = layout(text)
        changed = _applied(text, tree, difference)
        anchors = _anchors(tree)
        lost = anchors - _anchors(layout(changed)) if anchors else anchors
        text = _spelled_out(text, tree, there, lost) or changed
    return yaml_text(wanted)


def _anchors(tree: Place) -> set[tuple[str, str]]:
    """Return each anchor with the kind of what it stands for: one that << merges has to stay a mapping."""
    places = (place for _, place, _ in tree.walk())
    return {(place.anchor, place.kind) for place in places if place.anchor and place.kind != "alias"}


def _spelled_out(text: str, tree: Place, there: Any, anchors: set[tuple[str, str]]) -> str:
    """Return the text with the first reference to a lost anchor spelled out; nothing where there is none."""
    lost = {anchor for anchor, _ in anchors}
    alias = next((path for path, p, _ in tree.walk() if p.kind == "alias" and p.anchor in lost), None)
    if alias is None:
        return ""
    path = alias[: alias.index(MERGE)] if MERGE in alias else alias
    place, parent = next((place, parent) for each, place, parent in tree.walk() if each == path)
    for step in path:
        there = there[step]
    return _replaced(text, place, there, parent)


def differences(
    there: Any, wanted: Any, path: Key = (), around: tuple[Any, ...] = ()
) -> Iterator[Difference]:
    """Yield what has to change; after the first is put in, the others may lie elsewhere."""
    around = (*around, wanted)
    if isinstance(there, dict) and isinstance(wanted, dict):
        for key, value in wanted.items():
            if key in there:
                yield from differences(there[key], value, (*path, key), around)
            else:
                yield Difference((*path, key), (*around, value), How.PUT_IN)
        for key in there:
            if key not in wanted:
                yield Difference((*path, key), (*around, None), How.TAKEN_OUT)
    elif isinstance(there, list) and isinstance(wanted, list):
        if there != wanted:
            yield from _of_lists(there, wanted, path, around)
    elif there != wanted or type(there) is not type(wanted):
        yield Difference(path, around)


def _of_lists(
    there: list[Any], wanted: list[Any], path: Key, around: tuple[Any, ...]
) -> Iterator[Difference]:
    """Yield the differences of lists whose items keep their order; others are replaced."""
    now, then = _names(there), _names(wanted)
    staying = [name for name in then if name in now]
    if not staying or [name for name in now if name in then] != staying:
        yield Difference(path, around)
        return
    for n, name in reversed(list(enumerate(now))):
        if name not in then:
            yield Difference((*path, n), (*around, None), How.TAKEN_OUT)
    for name in staying:
        n = now.index(name)
        yield from differences(there[n], wanted[then.index(name)], (*path, n), around)
    for n, name in enumerate(then):
        if name not in now:
            yield Difference((*path, n), (*around, wanted[n]), How.PUT_IN)


def _names(items: list[Any]) -> list[str]:
    """Return what tells items apart: their names, or where not all have one of their own, what they say."""
    names = [name_of(each) for each in items]
    if all(names) and len({*names}) == len(names):
        return names
    said = [json.dumps(each, sort_keys=True) for each in items]
    return said if len({*said}) == len(said) else [str(n) for n in range(len(items))]


def _applied(text: str, place: Place, difference: Difference) -> str:
    """Return the text with one difference put in, or the nearest place around it that is written there."""
    path, wanted = difference.path, difference.wanted
    parent: Place | None = None
    for depth, step in enumerate(path):
        last, below = depth == len(path) - 1, place.step(step)
        if last and difference.how is How.PUT_IN and place.kind == "sequence":
            return _item_put_in(text, place, int(step), wanted[-1])
        if below is None and difference.how is not How.TAKEN_OUT and place.kind == "mapping":
            return _key_put_in(text, place, str(step), wanted[depth + 1])  # what << brings in is spelled out
        if below is None:
            return _replaced(text, place, wanted[depth], parent)
        if last and difference.how is How.TAKEN_OUT:
            return _taken_out(text, place, step) or _replaced(text, place, wanted[depth], parent)
        place, parent = below, place
        if place.kind == "alias":
            return _replaced(text, place, wanted[depth + 1], parent)
    return _replaced(text, place, wanted[-1], parent)


def _replaced(text: str, place: Place, new: Any, parent: Place | None) -> str:
    """Return the text with another value at a place; its anchor stays."""
    anchor = f"&{place.anchor} " if place.anchor and place.kind != "alias" else ""
    in_flow = parent is None or parent.flow or fits_in_flow(new)
    if not in_flow and parent is not None:
        indent = parent.column + 2
        if parent.kind == "sequence":
            lines = block_lines(new, indent)
            return text[: place.start] + anchor + "\n".join(lines)[indent:] + text[place.end :]
        start = len(text[: place.start].rstrip(" \n"))
        head = text[:start] if not anchor else text[:start] + " " + anchor.rstrip()
        return head + "\n" + "\n".join(block_lines(new, indent)) + text[place.end :]
    printed = json.dumps(new, ensure_ascii=False) if place.quote and isinstance(new, str) else flow(new)
    start = place.start
    if place.kind in {"mapping", "sequence"} and not place.flow:
        start = len(text[:start].rstrip(" \n"))
    space = "" if text[start - 1 : start] in {" ", "[", "{", ""} else " "
    return text[:start] + space + anchor + printed + text[place.end :]


def _key_put_in(text: str, mapping: Place, key: str, value: Any) -> str:
    """Return the text with a key more at the end of a mapping."""
    if mapping.flow:
        return _into_flow(text, mapping, f"{flow({key: value})[1:-1]}")
    return _after(text, mapping.items[-1], block_lines({key: value}, mapping.column))


def _item_put_in(text: str, sequence: Place, index: int, value: Any) -> str:
    """Return the text with an item more before the one at ``index``."""
    if sequence.flow:
        if index < len(sequence.items):
            at = sequence.items[index].start
            return f"{text[:at]}{flow(value)}, {text[at:]}"
        return _into_flow(text, sequence, flow(value))
    lines = block_lines([value], sequence.column)
    if index == 0:
        first = "\n".join([*lines, " " * sequence.column]).lstrip(" ")
        return text[: sequence.start] + first + text[sequence.start :]
    return _after(text, sequence.items[index - 1], lines)


def _into_flow(text: str, place: Place, printed: str) -> str:
    if place.items:
        at = place.items[-1].end
        return f"{text[:at]}, {printed}{text[at:]}"
    return f"{text[: place.end - 1]}{printed}{text[place.end - 1 :]}"


def _after(text: str, place: Place, lines: list[str]) -> str:
    end = _line_end(text, place.end)
    return text[:end] + "\n" + "\n".join(lines) + text[end:]


def _taken_out(text: str, parent: Place, step: str | int) -> str:
    """Return the text without a key or item, or nothing where it is the only one."""
    index = parent.names.index(str(step)) if parent.kind == "mapping" else int(step)
    heads = parent.keys if parent.kind == "mapping" else parent.items
    if len(heads) == 1:
        return ""
    head, value = heads[index], parent.items[index]
    if parent.flow:
        if index + 1 < len(heads):
            return text[: head.start] + text[heads[index + 1].start :]
        return text[: parent.items[index - 1].end] + text[value.end :]
    line = text.rfind("\n", 0, head.start) + 1
    alone = text[line : head.start].strip(" ") == ("" if parent.kind == "mapping" else "-")
    if not alone:  # it shares its line with the dash of the item it is in
        return text[: head.start] + text[heads[index + 1].start :]
    return text[:line] + text[min(_line_end(text, value.end) + 1, len(text)) :]


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end
