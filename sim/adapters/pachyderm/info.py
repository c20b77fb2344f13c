"""What pachd answers: the spec inside each PipelineInfo record of ``pachctl list pipeline --raw``.

The user's own spec (``user_spec_json``, since 2.8) where the record has it, so that cluster defaults are
merged once; else ``details``, which is the spec with defaults merged in and some run-time fields beside.

Source: pachyderm/pachyderm e237475e9910, src/pps/pps.proto PipelineInfo; pachyderm.md §6.
"""

from __future__ import annotations

from dataclasses import replace

from sim.adapters.pachyderm.canonical import camel_case
from sim.documents.fields import Field, root
from sim.documents.yaml_read import read_text
from sim.model.notices import Notice

DEFAULTS_KEY = "clusterDefaultsJson"
INFO_KEYS = frozenset({"details", "userSpecJson"})
RUN_TIME_DETAILS = frozenset(
    {
        "createdAt",
        "createdBy",
        "reason",
        "recentError",
        "unclaimedTasks",
        "updatedAt",
        "workerRc",
        "workersAvailable",
        "workersRequested",
        "workersStartedAt",
    }
)


def is_info(field: Field) -> bool:
    """Say whether a mapping is a PipelineInfo and not a spec."""
    return any(camel_case(key) in INFO_KEYS for key in field.mapping())


def spec_in(field: Field) -> tuple[Field, tuple[Notice, ...]]:
    """Return the spec of a PipelineInfo, and what the record says beyond it."""
    said = {camel_case(key): place for key, place in field.children()}
    stopped = said.get("stopped")
    notices = (
        (stopped.notice("is true; simulated as if it were started"),) if stopped and stopped.value else ()
    )
    if own := said.get("userSpecJson"):
        return _within(own), notices
    details = said.get("details")
    if details is None:
        raise field.missing("details", "the output of pachctl list pipeline --raw")
    spec = {key: value for key, value in details.mapping().items() if camel_case(key) not in RUN_TIME_DETAILS}
    pipeline = said.get("pipeline")
    return Field(details.document, details.path, {"pipeline": pipeline and pipeline.value} | spec), notices


def defaults_in(field: Field) -> Field:
    """Return the cluster defaults inside a GetClusterDefaultsResponse; pachctl prints them without it."""
    said = {camel_case(key): place for key, place in field.children()}
    return _within(said[DEFAULTS_KEY]) if {*said} == {DEFAULTS_KEY} else field


def _within(own: Field) -> Field:
    """Return the document that a text holds; all of it is on the text's line."""
    line, document = own.line(), read_text(own.text(), own.document.file)[0]
    return root(replace(document, lines={} if line is None else {(): line}))
