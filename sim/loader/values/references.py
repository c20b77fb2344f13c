"""References: a path to a real file beside the scenario, or the same keys inline.

Reading one gives the documents as ``Field``; which format they are in is for an adapter to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sim.adapters.pachyderm.text import pachctl_text
from sim.documents.fields import Field, root
from sim.documents.go_yaml import read_as_eksctl
from sim.documents.yaml_read import Dialect, read_file
from sim.errors import InputError
from sim.loader.values.kinds import Json

# The keys that refer to files which other programs read too, and how those read them.
DIALECTS: Mapping[str, Dialect] = {"spec": pachctl_text, "eksctl": read_as_eksctl}


def resolved(value: object, file: str, key: str) -> object:
    """Return the documents that a path beside ``file``, under ``key``, stands for; anything else as it is."""
    if not isinstance(value, str) or not value.strip() or "\x00" in value:
        return value
    return read_file(Path(file).parent / value, dialect=DIALECTS.get(key))


@dataclass(frozen=True, slots=True)
class Reference:
    """A path or a mapping, read to the documents it stands for."""

    unit: str

    def read(self, at: Field) -> tuple[Field, ...]:
        """Return the documents of the file, or the mapping itself."""
        if isinstance(at.value, dict):
            return (at,)
        try:
            documents = resolved(at.value, at.document.file, str(at.path[-1]) if at.path else "")
        except InputError as error:
            if error.line is not None:
                raise at.locate(error) from None
            raise at.error(f"is {at.value!r}, which {error.problem}", allowed=error.allowed) from None
        if not isinstance(documents, tuple):
            raise at.error(allowed=f"{self.unit}: a path beside the scenario, or the same keys inline")
        return tuple(root(document) for document in documents)

    def schema(self) -> Json:
        """Return both forms."""
        return {"anyOf": [{"type": "string"}, {"type": "object"}]}


SPEC = Reference("a pipeline spec")
CLUSTER_CONFIG = Reference("an eksctl ClusterConfig")
AUTOSCALER_VALUES = Reference("cluster-autoscaler chart values or manifests")
CLUSTER_DEFAULTS = Reference("what pachctl inspect defaults --cluster prints")
