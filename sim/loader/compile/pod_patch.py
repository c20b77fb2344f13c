"""A spec's podPatch, as far as it says where workers may stand.

Pachyderm applies it to the worker's PodSpec as a JSON Patch (RFC 6902). What adds ``/affinity``,
``/topologySpreadConstraints`` or ``/preemptionPolicy`` is applied; the rest is said not to be, as is what
uses keys that the scheduler here does not know. Source: pachyderm.md §1.3, worker_rc.go v2.11.6.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from sim.documents.fields import Field
from sim.documents.yaml_read import Document
from sim.errors import InputError
from sim.loader.notes import Notes
from sim.loader.shape.placing import AFFINITY, NO_AFFINITY, PREEMPTION_POLICY, SPREADS, placing
from sim.loader.values.kinds import Kind
from sim.model.pods import PodClass

APPLIED: dict[str, Kind] = {
    "/affinity": AFFINITY,
    "/topologySpreadConstraints": SPREADS,
    "/preemptionPolicy": PREEMPTION_POLICY,
}
SETS = ("add", "replace")


def patched(spec: PodClass, patch: str, notes: Notes) -> PodClass:
    """Return a worker's class with what a podPatch (a JSON text) says of its place."""
    values: dict[str, Any] = {}
    for path, kind, value in _settings(patch):
        field = Field(Document(value, "podPatch", {}), (), value)
        try:
            values[path] = kind.read(field)
        except InputError as error:
            notes.warn(f"pipeline {spec.name}: {path} of its podPatch is not applied: {error}")
    said = placing(
        values.get("/affinity", NO_AFFINITY),
        values.get("/topologySpreadConstraints", ()),
        values.get("/preemptionPolicy", ""),
    )
    return replace(spec, **said)


def _settings(patch: str) -> list[tuple[str, Kind, Any]]:
    operations = json.loads(patch) if patch else []
    return [
        (operation["path"], APPLIED[operation["path"]], operation.get("value"))
        for operation in (operations if isinstance(operations, list) else [])
        if isinstance(operation, dict) and operation.get("op") in SETS and operation.get("path") in APPLIED
    ]
