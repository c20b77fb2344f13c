"""Pipelines: what a Pachyderm spec says, as far as workers, datums and pods depend on it.

Whether something was said at all matters: cluster defaults fill each leaf that was left out, and an
explicit null takes a default away. So an absent message or leaf is None, a null is named in ``nulled``,
and 0 is a leaf that was said and asks for nothing. Where to read what: pachyderm.md §5.

Source: pachyderm/pachyderm v2.11, src/pps/pps.proto CreatePipelineRequest.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from sim.errors import InputError
from sim.model.pods import Pairs, Toleration

DEFAULT_PROJECT = "default"
DEFAULT_IMAGE = "ubuntu:20.04"
DEFAULT_DATUM_TRIES = 3
SETS_PER_WORKER = 4  # of datums, where no spec says otherwise (pachyderm.md §3.3)
DEFAULT_GPU = "nvidia.com/gpu"


class Kind(Enum):
    """What a pipeline does: only a transform runs jobs."""

    TRANSFORM = "transform"
    SPOUT = "spout"
    SERVICE = "service"


class Reprocess(Enum):
    """Whether a job skips what its base job already did."""

    UNTIL_SUCCESS = "until_success"
    EVERY_JOB = "every_job"


@dataclass(frozen=True, slots=True)
class Gpu:
    """A number of GPUs, by the name their device plugin gives them."""

    number: int
    type: str = DEFAULT_GPU


@dataclass(frozen=True, slots=True)
class ResourceSpec:
    """Resources as a spec states them: cores as written, memory and disk in bytes.

    ``nulled`` names the leaves given as null (``cpu``, ``memory``, ``disk``, ``gpu``), which take a
    cluster default away (pachyderm.md §1.3, layer A).
    """

    cpu: float | None = None
    memory_bytes: int | None = None
    disk_bytes: int | None = None
    gpu: Gpu | None = None
    nulled: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ClusterDefaults:
    """The resources that ``pachctl inspect defaults --cluster`` shows; None where it shows nothing."""

    resource_requests: ResourceSpec | None = None
    resource_limits: ResourceSpec | None = None
    sidecar_resource_requests: ResourceSpec | None = None
    sidecar_resource_limits: ResourceSpec | None = None


@dataclass(frozen=True, slots=True)
class DatumSetSpec:
    """How datums are cut into tasks; 0 is not set (pachyderm.md §3.3)."""

    number: int = 0
    size_bytes: int = 0
    per_worker: int = 0

    def __post_init__(self) -> None:
        """Refuse what makes the server divide by zero."""
        if min(self.number, self.size_bytes, self.per_worker) < 0:
            raise InputError("has a negative number", allowed="number, sizeBytes or perWorker above 0")
        if self.number == self.size_bytes == self.per_worker == 0:
            raise InputError(
                "is empty, which makes Pachyderm divide by zero",
                allowed="number, sizeBytes or perWorker above 0, or no datumSetSpec",
            )


@dataclass(frozen=True, slots=True)
class Trigger:
    """What moves an input's branch to the head of another branch of its repository (pachyderm.md §3.7)."""

    branch: str
    all: bool = False
    size_bytes: int | None = None
    commits: int = 0
    rate_limit: str = ""
    cron: str = ""


@dataclass(frozen=True, slots=True)
class PfsInput:
    """Files of a repository that a glob matches; each match is one entry.

    Commits of a branch that does not propagate to this input start no job by themselves.
    """

    repo: str
    glob: str
    name: str = ""
    project: str = DEFAULT_PROJECT
    branch: str = "master"
    join_on: str = ""
    group_by: str = ""
    outer_join: bool = False
    lazy: bool = False
    s3: bool = False
    reference: bool = False
    trigger: Trigger | None = None
    propagates: bool = True


@dataclass(frozen=True, slots=True)
class CronInput:
    """A tick that commits one file, replacing the one before it if ``overwrite``."""

    name: str
    spec: str
    overwrite: bool = False
    project: str = DEFAULT_PROJECT
    repo: str = ""
    start: str = ""


class Combine(Enum):
    """How an input made of inputs pairs them."""

    CROSS = "cross"
    UNION = "union"
    JOIN = "join"
    GROUP = "group"


@dataclass(frozen=True, slots=True)
class CombinedInput:
    """Inputs combined by one of Pachyderm's four rules."""

    combine: Combine
    inputs: tuple[Input, ...]


Leaf = PfsInput | CronInput
Input = PfsInput | CronInput | CombinedInput


def leaves(node: Input | None) -> Iterator[Leaf]:
    """Yield the repositories an input reads, in the order of the spec."""
    if isinstance(node, CombinedInput):
        for child in node.inputs:
            yield from leaves(child)
    elif node is not None:
        yield node


@dataclass(frozen=True, slots=True)
class Pipeline:
    """One pipeline, with upstream's defaults filled in where the cluster has no say.

    ``kept`` holds what the upstream schema knows and the simulator does not read, as (path, JSON).
    Timeouts are microseconds, None where there is none.
    """

    name: str
    project: str = DEFAULT_PROJECT
    kind: Kind = Kind.TRANSFORM
    input: Input | None = None
    parallelism: int = 1
    autoscaling: bool = False
    resource_requests: ResourceSpec | None = None
    resource_limits: ResourceSpec | None = None
    sidecar_resource_requests: ResourceSpec | None = None
    sidecar_resource_limits: ResourceSpec | None = None
    nulled: frozenset[str] = frozenset()
    datum_set_spec: DatumSetSpec | None = None
    datum_tries: int = DEFAULT_DATUM_TRIES
    datum_timeout_us: int | None = None
    job_timeout_us: int | None = None
    node_selector: Pairs = ()
    priority_class_name: str = ""
    tolerations: tuple[Toleration, ...] = ()
    labels: Pairs = ()
    annotations: Pairs = ()
    reprocess: Reprocess = Reprocess.UNTIL_SUCCESS
    s3_out: bool = False
    image: str = DEFAULT_IMAGE
    cmd: tuple[str, ...] = ()
    err_cmd: tuple[str, ...] = ()
    datum_batching: bool = False
    memory_volume: bool = False
    output_branch: str = "master"
    kept: Pairs = ()

    @property
    def full_name(self) -> str:
        """Return ``project/name``, which is unique in a cluster."""
        return f"{self.project}/{self.name}"

    @property
    def shown_name(self) -> str:
        """Return the full name as reports say it: without the default project."""
        return self.full_name.removeprefix(f"{DEFAULT_PROJECT}/")


def accelerator(spec: Pipeline) -> str:
    """Return the name of the resource that a pipeline's GPUs are, NVIDIA's where it asks for none."""
    asked = [each.gpu for each in (spec.resource_limits, spec.resource_requests) if each and each.gpu]
    return asked[0].type if asked else DEFAULT_GPU


def worker_labels(spec: Pipeline, version: int = 1) -> Pairs:
    """Return the labels of a worker pod: Pachyderm's own win over the user's (pachyderm.md §1.2)."""
    fixed = {
        "app": "pipeline",
        "suite": "pachyderm",
        "component": "worker",
        "pipelineName": spec.name,
        "pipelineVersion": str(version),
        "pipelineProject": spec.project,
    }
    return tuple({**dict(spec.labels), **fixed}.items())
