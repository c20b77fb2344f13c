"""Overrides: ``--set path=value``, applied to what was written before anything is validated.

A path may lead into the files a scenario refers to: ``pipelines[edges].parallelismSpec.constant`` changes the
spec, ``cluster.eksctl.managedNodeGroups[cpu].maxSize`` the ClusterConfig. What is not a key of a pipeline's
entry is looked for in its spec. The value is YAML; an empty one takes the field, or the item of a list, away.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path as FilePath
from typing import Any

from sim.documents.yaml_read import Document, read_text
from sim.errors import LONGEST_VALUE, InputError
from sim.loader.compile.pipelines import names_of
from sim.loader.shape.workload import PIPELINE
from sim.loader.values.references import resolved
from sim.model.paths import (
    Path,
    PathStep,
    find,
    key_step,
    lost,
    name_of,
    parse_path,
    plain_key,
    print_path,
)
from sim.model.pipelines import DEFAULT_PROJECT

SET = "--set"
HOME = f"{DEFAULT_PROJECT}/"
_REFERENCES = {("pachyderm", "cluster_defaults"), ("cluster", "eksctl"), ("cluster", "autoscaler", "values")}
_SPEC = key_step("spec")


def overridden(document: Document, sets: Iterable[str]) -> Document:
    """Return the scenario document with each ``path=value`` applied, in order."""
    value = document.value
    for text in sets:
        path, new = parse_set(text)
        try:
            removes = new is None and text.rstrip().endswith("=")
            value = _Assignment(document.file, new, removes=removes).at(value, path, ())
        except InputError as error:
            raise error.inside(file=SET) from None
    return replace(document, value=value)


def parse_set(text: str) -> tuple[Path, Any]:
    """Return path and value of ``path=value``; an ``=`` in brackets belongs to the path."""
    depth = 0
    for at, character in enumerate(text):
        depth += {"[": 1, "]": -1}.get(character, 0)
        if character == "=" and depth == 0:
            try:
                return parse_path(text[:at].strip()), _yaml(text[at + 1 :], text)
            except InputError as error:
                raise error.inside(file=SET) from None
    problem = "has a bracket that is not closed" if depth > 0 else "has no ="
    raise InputError(problem, field=text[:LONGEST_VALUE], allowed="path=value", file=SET)


def _yaml(text: str, whole: str) -> Any:
    try:
        return read_text(f"value: {text}", SET)[0].value["value"]
    except (InputError, KeyError):
        raise InputError("has a value that is not YAML", field=whole[:LONGEST_VALUE]) from None


def blamed(error: InputError, sets: Iterable[str], was_there: Callable[[], bool]) -> InputError:
    """Return the error as one of ``--set`` where that put the field, or what is around it, there.

    It is also to blame for what it put inside the field, unless the error ``was_there`` without it. A line
    of a file that ``--set`` only pointed to stays where it is.
    """
    for text in sets:
        steps, value = parse_set(text)
        path, field = _plain(print_path(steps)), _plain(error.field)
        led = _is_inside(field, path) or (_is_inside(path, field) and not was_there())
        if led and not (error.line and isinstance(value, str) and _is_file(error.file, value)):
            error.file, error.line = SET, None
    return error


def _is_inside(path: str, outer: str) -> bool:
    return path == outer or path.startswith(f"{outer}.")


def _is_file(file: str, reference: str) -> bool:
    return FilePath(file).as_posix().endswith(FilePath(reference).as_posix())


def _plain(path: str) -> str:
    """Return a path in one spelling; ``spec`` may be left out after a pipeline."""
    return re.sub(
        r"\[([^\]]*)\]", r".\1", re.sub(r"^(pipelines\[[^\]]*\])\.spec(?=\.)", r"\1", plain_key(path))
    )


def named(document: Document) -> Document:
    """Return the scenario document with its spec files read, and pipelines called by the name in them."""
    entries = document.value.get("pipelines") if isinstance(document.value, dict) else None
    if not isinstance(entries, list):
        return document
    changed = {**document.value, "pipelines": [_named(entry, document.file) for entry in entries]}
    return replace(document, value=changed)


def _named(entry: Any, file: str) -> Any:
    specs = _specs(entry, file)
    if len(specs) != 1 or not name_of(specs[0].value):
        return entry
    return {**entry, "spec": specs, "name": entry.get("name") or name_of(specs[0].value)}


def _specs(entry: Any, file: str) -> tuple[Document, ...]:
    """Return the documents of a pipeline entry's spec file; none where it is inline or cannot be read."""
    try:
        specs = resolved(entry.get("spec"), file, "spec") if isinstance(entry, dict) else ()
    except InputError:
        return ()
    return specs if isinstance(specs, tuple) else ()


class _Assignment:
    """One value on its way to its place; copies what it changes."""

    def __init__(self, file: str, new: Any, *, removes: bool) -> None:
        self.file = file
        self.new = new
        self.removes = removes  # rather than put a null there, which means something to Pachyderm

    def at(self, value: Any, path: Path, walked: Path) -> Any:
        """Return ``value`` with the new one at ``path`` below it."""
        if not path:
            return self.new
        if isinstance(value, tuple):
            return self._in_documents(value, path, walked)
        step, rest = path[0], path[1:]
        if _is_entry(walked) and isinstance(value, dict) and step.text not in PIPELINE.by_name:
            return self._below(value, "spec", _SPEC, path, walked)
        if value is None:
            value = {}
        where = self._find(value, step, walked)
        if where is None and isinstance(value, dict):
            where = step.text
        if where is None:
            raise lost(self._pipelines(value, walked) or value, walked, step)
        return self._below(value, where, step, rest, walked)

    def _below(self, value: Any, where: Any, step: PathStep, rest: Path, walked: Path) -> Any:
        walked = (*walked, step)
        there = not isinstance(value, dict) or where in value
        inner = value[where] if there else None
        if rest and _is_reference(walked):
            inner = resolved(inner, self.file, walked[-1].text)
        changed = dict(value) if isinstance(value, dict) else list(value)
        changed[where] = self.at(inner, rest, walked)
        if not rest and there and (self.removes or (self.new is None and isinstance(value, list))):
            del changed[where]
        return changed

    def _find(self, value: Any, step: PathStep, walked: Path) -> str | int | None:
        found = self._pipelines(value, walked).get(step.text)
        return find(value, step) if found is None else found

    def _pipelines(self, value: Any, walked: Path) -> dict[str, int]:
        """Return the index of each pipeline's entry by name, its spec file's too; elsewhere nothing."""
        names: dict[str, int] = {}
        if print_path(walked) == "pipelines" and isinstance(value, list):
            for index, entry in reversed(list(enumerate(value))):
                chosen = name_of(entry)  # an entry that names one document of its file means no other
                inline = entry.get("spec") if isinstance(entry, dict) else None
                specs = [inline, *(each.value for each in _specs(entry, self.file))]
                called = [pair for pair in map(names_of, specs) if pair[0] and chosen in ("", *pair)]
                names |= {name.removeprefix(HOME): index for pair in called for name in pair}
        return names

    def _in_documents(self, documents: tuple[Document, ...], path: Path, walked: Path) -> Any:
        """Change the document that the path has named, or the only one."""
        names = [names_of(each.value) for each in documents]
        called = [step.text for step in walked if step.bracket and any(step.text in each for each in names)]
        index = next(n for n, each in enumerate(names) if called[-1] in each) if called else 0
        if not called and len(documents) > 1:
            raise lost(dict.fromkeys(name for name, _ in names), walked, path[0])
        changed = self.at(documents[index].value, path, (*walked, PathStep("", bracket=True)))
        return (*documents[:index], replace(documents[index], value=changed), *documents[index + 1 :])


def _is_entry(walked: Path) -> bool:
    return len(walked) == 2 and walked[0].text == "pipelines"  # noqa: PLR2004  # pipelines, and one of them


def _is_reference(walked: Path) -> bool:
    texts = tuple(step.text for step in walked)
    return texts in _REFERENCES or (len(walked) == 3 and _is_entry(walked[:2]) and texts[2] == "spec")  # noqa: PLR2004
