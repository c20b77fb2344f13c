"""Pachyderm pipeline specs, read from JSON or YAML into ``Pipeline``.

One file may hold several specs, or what ``pachctl list pipeline --raw`` prints. What upstream's server
refuses is refused here, with file, line and field; what it drops is dropped with a notice: a malformed
quantity, fields it no longer has. What the simulator cannot follow (a spout, a service, a pod patch) is
said, with what is assumed instead.

Source: pachyderm/pachyderm e237475e9910, src/internal/ppsutil/decoder.go,
src/server/pps/server/api_server.go validatePipelineRequest, validateInput, setInputDefaults; pachyderm.md §5.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sim.adapters.pachyderm.canonical import Canonical
from sim.adapters.pachyderm.info import defaults_in, is_info, spec_in
from sim.adapters.pachyderm.inputs import read_input
from sim.adapters.pachyderm.keys import EFFECTS
from sim.adapters.pachyderm.rules import check_rules, checked_name
from sim.adapters.pachyderm.text import pachctl_text
from sim.documents.fields import Field, root
from sim.documents.yaml_read import read_file, read_text
from sim.errors import InputError
from sim.model.notices import Notice
from sim.model.pipelines import (
    DEFAULT_DATUM_TRIES,
    DEFAULT_GPU,
    DEFAULT_IMAGE,
    DEFAULT_PROJECT,
    ClusterDefaults,
    DatumSetSpec,
    Gpu,
    Kind,
    PfsInput,
    Pipeline,
    Reprocess,
    ResourceSpec,
    leaves,
    worker_labels,
)
from sim.model.pods import Effect, Pairs, Toleration
from sim.model.quantity import parse_quantity, whole
from sim.model.units import parse_duration

MOST_CPU = 1e6  # the field is a 32-bit float; no node has a thousandth of this
MOST_BYTES = 2**63 - 1  # where Quantity.Value overflows
MOST_WORKERS = 100_000  # of one pipeline; Kubernetes is built for 150,000 pods in a whole cluster
LONGEST_NAME = 51
LONGEST_RC_NAME = 63
RESOURCE_MESSAGES = {
    "resourceRequests": "resource_requests",
    "resourceLimits": "resource_limits",
    "sidecarResourceRequests": "sidecar_resource_requests",
    "sidecarResourceLimits": "sidecar_resource_limits",
}
BATCHED = "has datumBatching: datum_time is the time of one datum, and starts of the user code cost nothing"
LAZY = "has a lazy input: what datums download is moved before the user code as if it were not lazy"
RECOVERED = (
    "has an errCmd, after which a failed datum counts as done; that Pachyderm tries it again in the next job"
    " is not simulated"
)
_EFFECTS = dict(
    zip(EFFECTS, (None, Effect.NO_SCHEDULE, Effect.PREFER_NO_SCHEDULE, Effect.NO_EXECUTE), strict=True)
)


@dataclass(frozen=True, slots=True)
class ReadSpec:
    """A spec as the simulator sees it, what there is to say about it, and the document to write back.

    ``canonical`` is the user's own document in the schema's spelling, order and unread fields kept.
    """

    pipeline: Pipeline
    notices: tuple[Notice, ...]
    canonical: dict[str, Any]


def read_specs(path: Path) -> tuple[ReadSpec, ...]:
    """Return the pipeline specs of a file, in its order."""
    return tuple(read_spec(root(document)) for document in read_file(path, dialect=pachctl_text))


def read_specs_text(text: str, file: str = "", *, older: bool = True) -> tuple[ReadSpec, ...]:
    """Return the pipeline specs of a text; ``file`` is for messages, ``older`` as for ``read_spec``."""
    documents = read_text(text, file, pachctl_text)
    return tuple(read_spec(root(document), older=older) for document in documents)


def read_spec(field: Field, *, older: bool = True, defaults: SpecDefaults | None = None) -> ReadSpec:
    """Return the pipeline spec that a mapping holds: a file, an inline one, or a record of a list.

    Fields of Pachyderm 1.x are translated or dropped, and said; without ``older`` they are unknown keys.
    ``defaults`` are merged under it, but for resources; ``canonical`` stays the user's own.
    """
    said: tuple[Notice, ...] = ()
    if is_info(field):
        field, said = spec_in(field)
    canonical = Canonical(field, older=older)
    canonical.notices.extend(said)
    reader = _Reader(canonical.notices)
    effective, kept = canonical.field, canonical.kept
    if defaults is not None and defaults.spec:
        merged = _merge_patch(defaults.spec, effective.value)
        effective = Field(effective.document, effective.path, merged)
        kept = tuple({**dict(defaults.kept), **dict(kept)}.items())
    pipeline = reader.pipeline(effective, kept)
    return ReadSpec(pipeline, tuple(canonical.notices), canonical.field.value)


@dataclass(frozen=True, slots=True)
class SpecDefaults:
    """What cluster defaults say beside resources: canonical fields, and those that nobody reads."""

    spec: dict[str, Any]
    kept: Pairs = ()


def _merge_patch(under: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Return defaults with a spec merged over them (RFC 7396): a null takes a default away."""
    merged = dict(under)
    for key, value in over.items():
        if value is None and key not in RESOURCE_MESSAGES:
            merged.pop(key, None)
        elif isinstance(value, dict) and isinstance(merged.get(key), dict):
            merged[key] = _merge_patch(merged[key], value)
        else:
            merged[key] = value
    return merged


def read_cluster_defaults(field: Field) -> tuple[ClusterDefaults, SpecDefaults, tuple[Notice, ...]]:
    """Return what ``pachctl inspect defaults --cluster`` says, of resources and of everything else.

    The document is ``{"createPipelineRequest": {...}}``. Source: v2.11.6 src/server/pps/server/defaults.go
    makeEffectiveSpec.
    """
    keys = ("create_pipeline_request", "createPipelineRequest")
    place = next((place for _, place in defaults_in(field).known(keys).children()), None)
    if place is None:
        return ClusterDefaults(), SpecDefaults({}), ()
    canonical = Canonical(place)
    reader = _Reader(canonical.notices)
    resources = {
        name: reader.resources(canonical.field.child(key)) for key, name in RESOURCE_MESSAGES.items()
    }
    others = {key: value for key, value in canonical.field.value.items() if key not in RESOURCE_MESSAGES}
    return ClusterDefaults(**resources), SpecDefaults(others, canonical.kept), tuple(canonical.notices)


class _Reader:
    """Reads canonical messages, adding to the notices as it goes."""

    def __init__(self, notices: list[Notice]) -> None:
        self.notices = notices

    def pipeline(self, field: Field, kept: Pairs) -> Pipeline:
        """Return the pipeline of a whole spec."""
        name, project = _names(field)
        kind = self._kind(field)
        check_rules(field)
        transform = field.child("transform")
        scheduling, metadata = field.child("schedulingSpec"), field.child("metadata")
        pipeline = Pipeline(
            name=name,
            project=project,
            kind=kind,
            input=self._input(field, name, project, kind),
            parallelism=self._parallelism(field),
            autoscaling=bool(_get(field, "autoscaling", False)),
            nulled=frozenset(n for key, n in RESOURCE_MESSAGES.items() if field.value.get(key, 0) is None),
            datum_set_spec=_datum_set_spec(field.child("datumSetSpec")),
            datum_tries=_at_least_zero(field, "datumTries") or DEFAULT_DATUM_TRIES,
            datum_timeout_us=_timeout(field.child("datumTimeout")),
            job_timeout_us=_timeout(field.child("jobTimeout")),
            node_selector=_pairs(scheduling, "nodeSelector"),
            priority_class_name=_get(scheduling, "priorityClassName", ""),
            tolerations=_tolerations(field.child("tolerations")),
            labels=_pairs(metadata, "labels"),
            annotations=_pairs(metadata, "annotations"),
            reprocess=_reprocess(field.child("reprocessSpec")),
            s3_out=bool(_get(field, "s3Out", False)),
            image=_get(transform, "image", "") or DEFAULT_IMAGE,
            cmd=tuple(_get(transform, "cmd", ())),
            err_cmd=tuple(_get(transform, "errCmd", ())),
            datum_batching=bool(_get(transform, "datumBatching", False)),
            memory_volume=bool(_get(transform, "memoryVolume", False)),
            output_branch=_get(field, "outputBranch", "") or "master",
            kept=kept,
            **{name: self.resources(field.child(key)) for key, name in RESOURCE_MESSAGES.items()},
        )
        self._say_what_differs(field, pipeline)
        return pipeline

    def resources(self, field: Field | None) -> ResourceSpec | None:
        """Return a resource message, or None where there is none; malformed leaves ask for nothing."""
        if field is None:
            return None
        cpu = _get(field, "cpu", None)
        if cpu is not None and not 0 <= cpu <= MOST_CPU:
            raise field.error(allowed=f"cpu from 0 to {MOST_CPU:g}")
        return ResourceSpec(
            cpu=cpu,
            memory_bytes=self._amount(field.child("memory")),
            disk_bytes=self._amount(field.child("disk")),
            gpu=self._gpu(field.child("gpu")),
            nulled=frozenset(key for key, value in field.value.items() if value is None),
        )

    def _amount(self, field: Field | None) -> int | None:
        if field is None:
            return None
        if not field.value:
            return 0
        try:
            amount = whole(parse_quantity(field.value))
        except InputError as error:
            said = "is no Kubernetes quantity; Pachyderm drops it and goes on without"
            self.notices.append(field.notice(f"{said} (it is {error.shown})"))
            return 0
        if not 0 <= amount <= MOST_BYTES:
            raise field.error(allowed="a quantity from 0 to 2^63 - 1 bytes")
        return amount

    def _gpu(self, field: Field | None) -> Gpu | None:
        if field is None:
            return None
        if not _get(field, "type", ""):
            self.notices.append(field.notice(f"has no type, which Kubernetes refuses; {DEFAULT_GPU} assumed"))
        return Gpu(_at_least_zero(field, "number"), _get(field, "type", "") or DEFAULT_GPU)

    def _kind(self, field: Field) -> Kind:
        if spout := field.child("spout"):
            if _get(field, "autoscaling", False):
                raise field.error("is a spout with autoscaling", allowed="a spout without autoscaling")
            self.notices.append(
                spout.notice("runs no jobs; its workers are simulated as always on, its output as no commits")
            )
            return Kind.SPOUT
        if service := field.child("service"):
            self.notices.append(
                service.notice("serves and runs no jobs; simulated as a worker that is always on")
            )
            return Kind.SERVICE
        return Kind.TRANSFORM

    def _parallelism(self, field: Field) -> int:
        spec = field.child("parallelismSpec")
        parallelism = _at_least_zero(spec, "constant") if spec else 0
        if spec and parallelism > MOST_WORKERS:
            raise spec.error(allowed=f"a constant of at most {MOST_WORKERS:,}")
        return parallelism or 1

    def _input(self, field: Field, name: str, project: str, kind: Kind) -> Any:
        place = field.child("input")
        if place is None:
            if kind is not Kind.SPOUT:
                raise field.missing("input", "pfs, cron, cross, union, join or group")
            return None
        if kind is Kind.SPOUT and (spout := field.child("spout")) and not spout.child("service"):
            raise place.error("belongs to a spout without a service", allowed="no input")
        return read_input(place, name, project)

    def _say_what_differs(self, field: Field, pipeline: Pipeline) -> None:
        fixed = dict(worker_labels(pipeline))
        for key, value in pipeline.labels:
            if fixed[key] != value:
                self.notices.append(
                    field.notice(f"has the label {key}, which Pachyderm sets itself; ignored")
                )
        self._say_what_is_not_simulated(field, pipeline)
        if pipeline.kind is Kind.TRANSFORM and not pipeline.cmd:
            self.notices.append(field.notice("has no transform.cmd; Pachyderm lets such a pipeline fail"))

    def _say_what_is_not_simulated(self, field: Field, pipeline: Pipeline) -> None:
        """Say of each field that is read what of its effect is left out."""
        lazy = any(isinstance(leaf, PfsInput) and leaf.lazy for leaf in leaves(pipeline.input))
        unlike = [
            (pipeline.datum_batching, BATCHED),
            (lazy, LAZY),
            (bool(pipeline.err_cmd), RECOVERED),
        ]
        self.notices += [field.notice(what) for so, what in unlike if so]


def _names(field: Field) -> tuple[str, str]:
    place = field.child("pipeline")
    name = place.child("name") if place else None
    if place is None or name is None or not name.value:
        raise field.missing("pipeline.name", "a name of letters, digits, - and _")
    project_field = place.child("project")
    project = project_field.child("name") if project_field else None
    for named in (name, project):
        if named is not None and named.value:
            checked_name(named, alphanumeric_first=True)
            if len(named.value) > LONGEST_NAME:
                raise named.error(f"has {len(named.value)} characters", allowed=f"at most {LONGEST_NAME}")
    project_name = (project and project.value) or DEFAULT_PROJECT
    controller = f"{project_name}-{name.value}-v99"
    if len(controller) > LONGEST_RC_NAME:
        raise name.error(f"makes the name {controller}", allowed=f"at most {LONGEST_RC_NAME} characters")
    return name.value, project_name


def _datum_set_spec(field: Field | None) -> DatumSetSpec | None:
    if field is None:
        return None
    try:
        return DatumSetSpec(
            number=_get(field, "number", 0),
            size_bytes=_get(field, "sizeBytes", 0),
            per_worker=_get(field, "perWorker", 0),
        )
    except InputError as error:
        raise field.locate(error) from None


def _tolerations(field: Field | None) -> tuple[Toleration, ...]:
    return tuple(_toleration(item) for item in field.items()) if field else ()


def _toleration(field: Field) -> Toleration:
    return Toleration(
        key=_get(field, "key", ""),
        value=_get(field, "value", ""),
        effect=_EFFECTS[_get(field, "effect", "ALL_EFFECTS")],
        exists=_get(field, "operator", "") == "EXISTS",
    )


def _reprocess(field: Field | None) -> Reprocess:
    return Reprocess.UNTIL_SUCCESS if field is None or not field.value else Reprocess(field.value)


def _timeout(field: Field | None) -> int | None:
    return None if field is None else parse_duration(field.value) or None


def _at_least_zero(field: Field, key: str) -> int:
    place = field.child(key)
    return place.integer(least=0) if place else 0


def _pairs(field: Field | None, key: str) -> Pairs:
    return tuple(_get(field, key, {}).items())


def _get(field: Field | None, key: str, default: Any) -> Any:
    """Return a canonical value, whose type is checked already."""
    value = field.value.get(key) if field else None
    return default if value is None else value
