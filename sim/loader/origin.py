"""Origin: a scenario as it was written, with ``--set`` applied, so that a result can say what was run.

References stay references, to ``files/`` beside the scenario. A spec or ClusterConfig that ``--set``
reached into is kept as it became, and where it was read from.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sim.documents.yaml_read import Document
from sim.model.scenario import Origin

FILES = "files"


def origin_of(document: Document) -> Origin:
    """Return the origin of a scenario document, after ``overridden``."""
    keeper = _Keeper(Path(document.file).parent)
    value = keeper.kept(document.value)
    return Origin(
        value, tuple(keeper.files.items()), tuple(keeper.texts.items()), tuple(keeper.bases.items())
    )


class _Keeper:
    """Walks a document and gives each file it refers to a name of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files: dict[str, str] = {}
        self.texts: dict[str, str] = {}
        self.bases: dict[str, str] = {}

    def kept(self, value: Any, path: str = "") -> Any:
        """Return the value with its references by name; ``path`` is where it stands."""
        if isinstance(value, dict):
            return {key: self.kept(child, f"{path}.{key}".lstrip(".")) for key, child in value.items()}
        if isinstance(value, list):
            return [self.kept(child, f"{path}[{n}]") for n, child in enumerate(value)]
        if isinstance(value, tuple):
            self.bases[path] = value[0].file
            return self._documents(value)
        if isinstance(value, str) and _may_be_path(value) and (self.folder / value).is_file():
            return self._file(self.folder / value)
        return value

    def _documents(self, documents: tuple[Document, ...]) -> Any:
        if len(documents) == 1:
            return self.kept(documents[0].value)
        name = f"{FILES}/{Path(documents[0].file).stem}-{len(self.texts) + 1}.json"
        self.texts[name] = "\n---\n".join(json.dumps(document.value, indent=2) for document in documents)
        return name

    def _file(self, path: Path) -> str:
        for name in (f"{FILES}/{path.name}", f"{FILES}/{len(self.files) + 1}-{path.name}"):
            if self.files.setdefault(name, str(path)) == str(path):
                break
        return name


def _may_be_path(text: str) -> bool:
    return "." in text and "\n" not in text and "\x00" not in text
