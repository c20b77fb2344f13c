"""The text of a spec file: what pachctl reads, and what it prints.

``pachctl create pipeline -f`` reads YAML, and JSON as the YAML it is. ``pachctl list pipeline --raw`` prints
records in a row with nothing between them, which is neither; such a file is taken if all of it are records.
"""

from __future__ import annotations

from collections.abc import Iterator

from sim.adapters.pachyderm.info import is_info
from sim.documents.fields import root
from sim.documents.go_yaml import read_as_pachctl
from sim.documents.yaml_read import Document, read_json
from sim.errors import InputError


def pachctl_text(text: str, file: str) -> Iterator[Document]:
    """Yield the specs, or the records, of a text."""
    try:
        specs = tuple(read_as_pachctl(text, file))
    except InputError:
        records = _records(text, file)
        if not records:
            raise
        specs = records
    yield from specs


def _records(text: str, file: str) -> tuple[Document, ...]:
    """Return what pachctl printed, nothing where a text is anything else."""
    if not text.lstrip().startswith("{"):
        return ()
    try:
        records = tuple(read_json(text, file))
    except InputError:
        return ()
    return records if all(is_info(root(record)) for record in records) else ()
