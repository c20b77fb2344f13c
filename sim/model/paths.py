"""Paths: one way to name a field, for ``--set``, studies and error messages.

``cluster.eksctl.managedNodeGroups[cpu].maxSize``: keys with dots between them, and in brackets the name of
a list's item, its index, or a key that itself holds a dot. An item is named by its ``name``, by that of
its ``metadata``, or by that of the pipeline it specifies. Keys match in any spelling the formats use
(``parallelism_spec``, ``parallelismSpec``), the one in the document first.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sim.errors import InputError, nearest

LONGEST = 400
ALLOWED = "a path such as cluster.autoscaler.scan-interval or pipelines[edges].parallelismSpec.constant"
_STEP = re.compile(r"(?:^|\.)([^.\[\]]+)|\[([^\[\]]+)\]")


@dataclass(frozen=True, slots=True)
class PathStep:
    """One step down: a key, or what stands in brackets."""

    text: str
    bracket: bool = False

    def __str__(self) -> str:
        return f"[{self.text}]" if self.bracket else self.text


Path = tuple[PathStep, ...]


def parse_path(text: str) -> Path:
    """Return the steps of a path.

    >>> [str(step) for step in parse_path("pipelines[edges].parallelismSpec.constant")]
    ['pipelines', '[edges]', 'parallelismSpec', 'constant']
    """
    steps, at = [], 0
    while at < len(text) <= LONGEST:
        match = _STEP.match(text, at)
        if match is None or text.startswith("."):
            break
        steps.append(PathStep(match[2], bracket=True) if match[2] else PathStep(match[1]))
        at = match.end()
    if not steps or at < len(text):
        raise InputError(f"{text[:LONGEST]!r} is not a path", allowed=ALLOWED)
    return tuple(steps)


def print_path(steps: Sequence[PathStep]) -> str:
    """Return a path as it is written."""
    printed = ""
    for step in steps:
        printed += str(step) if step.bracket or not printed else f".{step}"
    return printed


def key_step(key: str) -> PathStep:
    """Return the step to a mapping's entry; a key that would not read back goes in brackets."""
    return PathStep(key, bracket=bool(set(key) & set(".[]")))


def item_step(item: object, index: int) -> PathStep:
    """Return the step to a list's item, by its name where it has one."""
    return PathStep(name_of(item) or str(index), bracket=True)


def name_of(item: object) -> str:
    """Return what an item of a list is called, or nothing."""
    if not isinstance(item, dict):
        return ""
    name = item.get("name")
    if isinstance(name, str):
        return name
    return next(
        (found for inner in ("pipeline", "metadata", "spec") if (found := name_of(item.get(inner)))), ""
    )


def find(value: object, step: PathStep) -> str | int | None:
    """Return the key or index that a step means in a mapping or list, or None where it means nothing."""
    if isinstance(value, dict):
        plain = plain_key(step.text)
        return next(
            (k for k in (step.text, *value) if k in value and (k == step.text or plain_key(k) == plain)), None
        )
    if isinstance(value, list):
        named = next((i for i, item in enumerate(value) if name_of(item) == step.text), None)
        if named is None and step.text.isascii() and step.text.isdigit() and int(step.text) < len(value):
            return int(step.text)
        return named
    return None


def lost(value: object, walked: Sequence[PathStep], step: PathStep) -> InputError:
    """Return the error for a step that leads nowhere from what ``walked`` led to."""
    there: list[str] = []
    if isinstance(value, list):
        there = [item_step(item, i).text for i, item in enumerate(value)]
    elif isinstance(value, dict):
        there = list(value)
    return InputError(
        "is not there",
        field=print_path((*walked, step)),
        allowed=", ".join(there[:10]) if there else "a path to something the file says",
        nearest=nearest(step.text, there),
    )


def plain_key(key: str) -> str:
    """Return a key, or a whole path, in the spelling that all the formats' own have in common."""
    return key.replace("_", "").replace("-", "").casefold()
