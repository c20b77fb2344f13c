"""What was decided, and what it was decided from: a scenario's document and the real files behind it.

A file that ``--set`` reached into is known as it was before; so is one of an earlier export, which keeps
under ``before/`` what came in first.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sim.adapters.pachyderm.spec import read_spec
from sim.adapters.pachyderm.write import without_nulls
from sim.documents.fields import root
from sim.documents.yaml_read import Document, read_file, read_text
from sim.errors import InputError
from sim.loader.compile.pipelines import names_of
from sim.loader.values.references import DIALECTS
from sim.model.pipelines import Pipeline
from sim.model.scenario import Origin, Scenario

BEFORE = "before"
PREDICTION = "prediction.json"
NOT_FROM_A_FILE = "was not read from a file, so that there is nothing to write back"


@dataclass(frozen=True, slots=True)
class Spec:
    """A pipeline's spec as decided and as it came in, both canonical, and the file it is exported to."""

    pipeline: Pipeline
    file: str
    after: dict[str, Any]
    before: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Source:
    """A ClusterConfig or an autoscaler's values: as decided, and the user's own text (None: inline)."""

    documents: tuple[Document, ...]
    text: str | None

    @property
    def value(self) -> dict[str, Any]:
        """Return the only document, as decided."""
        value: dict[str, Any] = self.documents[0].value
        return value


@dataclass(frozen=True, slots=True)
class Sources:
    """All of it; ``specs`` are those of each entry under ``pipelines``, in order."""

    document: dict[str, Any]
    specs: tuple[tuple[Spec, ...], ...]
    cluster: Source | None
    values: Source | None
    files: Mapping[str, bytes]


def sources_of(scenario: Scenario) -> Sources:
    """Return what a scenario was made of; InputError where it was not read from a file."""
    if scenario.origin is None:
        raise InputError(NOT_FROM_A_FILE, field=scenario.name, allowed="what load or load_result returned")
    return _Reader(scenario.origin).sources()


class _Reader:
    """Reads an origin's files again, as plain documents."""

    def __init__(self, origin: Origin) -> None:
        self.document: dict[str, Any] = copy.deepcopy(origin.document)
        self.paths = dict(origin.files)
        self.texts = dict(origin.texts)
        self.bases = dict(origin.bases)

    def sources(self) -> Sources:
        cluster = self.document.get("cluster") or {}
        entries = self.document.get("pipelines") or ()
        names = _Names()
        return Sources(
            document=self.document,
            specs=tuple(tuple(self._specs(entry, n, names)) for n, entry in enumerate(entries)),
            cluster=self._source("cluster.eksctl", cluster.get("eksctl")),
            values=self._source("cluster.autoscaler.values", (cluster.get("autoscaler") or {}).get("values")),
            files={
                **{name: text.encode() for name, text in self.texts.items()},
                **{name: Path(path).read_bytes() for name, path in self.paths.items()},
            },
        )

    def _specs(self, entry: Mapping[str, Any], n: int, names: _Names) -> Iterator[Spec]:
        documents, base = self._documents(f"pipelines[{n}].spec", entry["spec"])
        wanted = entry.get("name")
        came_in = {names_of(each.value): each for each in _read(base, "spec")} if base else {}
        for document in documents:
            names_here = names_of(document.value)
            if wanted and wanted not in names_here:
                continue
            read = read_spec(root(document))
            after = without_nulls(read.canonical)
            before = _canonical(came_in[names_here]) if names_here in came_in else None
            yield Spec(read.pipeline, names.of(read.pipeline), after, before or after)

    def _source(self, place: str, value: Any) -> Source | None:
        if value is None:
            return None
        documents, base = self._documents(place, value)
        if base is None and isinstance(value, str):
            return Source(documents, self.texts.get(value) or _text(Path(self.paths[value])))
        return Source(documents, _text(base) if base else None)

    def _documents(self, place: str, value: Any) -> tuple[tuple[Document, ...], Path | None]:
        """Return the documents at a place, and the file they were before if they were another."""
        base = Path(self.bases[place]) if place in self.bases else None
        if isinstance(value, dict):
            return (Document(value, "", {}),), (base and _before(base)) or base
        if value in self.texts:
            return read_text(self.texts[value], value), (base and _before(base)) or base
        if value not in self.paths:
            raise InputError(f"is {value!r}, which was not kept", field=place, allowed="a file beside it")
        path = Path(self.paths[value])
        return _read(path, place.rpartition(".")[2]), _before(path)


def _read(path: Path, key: str) -> tuple[Document, ...]:
    """Return the documents of a file that stands under ``key``."""
    return read_file(path, dialect=DIALECTS.get(key))


def _canonical(document: Document) -> dict[str, Any] | None:
    """Return a spec as it came in, None where it became one only by what was decided."""
    try:
        return without_nulls(read_spec(root(document)).canonical)
    except InputError:
        return None


class _Names:
    """Names of spec files: the pipeline's own, with its project where two have one name on some disk."""

    def __init__(self) -> None:
        self.taken: set[str] = set()

    def of(self, pipeline: Pipeline) -> str:
        name = pipeline.name
        if name.casefold() in self.taken:
            name = f"{pipeline.project}.{pipeline.name}"
        while name.casefold() in self.taken:
            name += "-2"
        self.taken.add(name.casefold())
        return f"pipelines/{name}.json"


def _before(path: Path) -> Path | None:
    """Return what a file of an earlier export was before it; None for any other file."""
    for folder in (path.parent, path.parent.parent):
        kept = folder / BEFORE / path.relative_to(folder)
        if (folder / PREDICTION).is_file() and kept.is_file():
            return kept
    return None


def _text(path: Path) -> str:
    return path.read_bytes().decode("utf-8-sig")
