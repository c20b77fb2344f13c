"""Pachyderm in a scenario: its version and timing, repositories, and pipelines with their loads."""

from __future__ import annotations

from dataclasses import dataclass

from sim.documents.fields import Field
from sim.loader.values.arrivals import COMMITS
from sim.loader.values.distributions import (
    BYTES_VARYING,
    COUNT_VARYING,
    MEMORY_VARYING,
    SECONDS_VARYING,
)
from sim.loader.values.kinds import Choice, ListOf
from sim.loader.values.references import CLUSTER_DEFAULTS, SPEC
from sim.loader.values.scalars import (
    BYTE_RATE,
    DATUMS,
    DURATION,
    FEW,
    FLAG,
    LOOP,
    MEMBERS,
    NAMESPACE,
    ONE_OR_MORE,
    SHARE,
    SIZE,
    STEP,
    TEXT,
    VERSION,
    WORKERS,
)
from sim.loader.values.sections import Key, key, section_of
from sim.model.arrivals import Arrivals
from sim.model.distributions import Constant, Counts, Distribution
from sim.model.layout import FLAT, Layout
from sim.model.scenario import PachydermOptions

EDITION = Choice(("community", "enterprise"))
UPSTREAM = "pachyderm.md §9"
UNVERIFIED = "assumption, to calibrate (pachyderm.md §9: unverified)"


@dataclass(frozen=True, slots=True, kw_only=True)
class PachydermFile:
    """How pachd behaves, and the cluster defaults in force."""

    options: PachydermOptions
    cluster_defaults: tuple[Field, ...] | None = None
    edition: str | None = None


def _pachyderm(
    cluster_defaults: tuple[Field, ...] | None = None, edition: str | None = None, **options: object
) -> PachydermFile:
    made = PachydermOptions(**options)  # type: ignore[arg-type]  # each kind returns its attribute's type
    return PachydermFile(options=made, cluster_defaults=cluster_defaults, edition=edition)


PACHYDERM = section_of(
    _pachyderm,
    Key("version", VERSION, "picks the rules for worker requests", source="pachyderm.md §1.3"),
    Key("namespace", NAMESPACE, "namespace of the workers, which Fargate profiles select by"),
    Key(
        "edition",
        EDITION,
        "community: without an activation key, whose limits are then errors; left out: warned of",
    ),
    Key(
        "cluster_defaults",
        CLUSTER_DEFAULTS,
        "what `pachctl inspect defaults --cluster` prints, path or inline; left out: stock",
        source="pachyderm.md §1.3",
    ),
    Key("poll", LOOP, "one pipeline is looked at each", source=UPSTREAM, attribute="poll_us"),
    Key(
        "scale_up_interval",
        LOOP,
        "another step follows one below full width after",
        source=UPSTREAM,
        attribute="scale_up_interval_us",
    ),
    Key(
        "crashing_backoff",
        LOOP,
        "a CRASHING pipeline is looked at each",
        source=UPSTREAM,
        attribute="crashing_backoff_us",
    ),
    Key(
        "master_lock",
        DURATION,
        "another worker becomes master after",
        source=UPSTREAM,
        attribute="master_lock_us",
    ),
    Key(
        "lease_silence",
        SECONDS_VARYING,
        "lost worker to its task being claimed again",
        source="pachyderm.md §4 (a lease of 30 s, kept alive)",
        attribute="lease_silence_s",
    ),
    Key(
        "state_change",
        SECONDS_VARYING,
        "state change to the controller's step",
        source=UNVERIFIED,
        attribute="state_change_s",
    ),
    Key("standby", SECONDS_VARYING, "job FINISHING to replicas 0", source=UNVERIFIED, attribute="standby_s"),
    Key(
        "task_overhead",
        SECONDS_VARYING,
        "master's serial work for each finished task",
        source=UNVERIFIED,
        attribute="task_overhead_s",
    ),
    Key(
        "preprocessing",
        SECONDS_VARYING,
        "listing datums, for each phase, outside the workers",
        source=UNVERIFIED,
        attribute="preprocessing_s",
    ),
    Key(
        "preprocessing_per_datum",
        STEP,
        "the same for each datum of the whole commit",
        source=UNVERIFIED,
        attribute="preprocessing_per_datum_s",
    ),
    Key(
        "preprocessing_workers",
        WORKERS,
        "jobs whose datums are listed at once: pachd itself, more with pachw",
        source="pachyderm.md §3.2 (pachw.maxReplicas)",
    ),
    Key(
        "job_restart",
        SECONDS_VARYING,
        "wait before a failed job master tries again",
        source="pachyderm.md §9 (retry backoff)",
        attribute="job_restart_s",
    ),
    Key(
        "oom_kills_container",
        FLAG,
        "whether an OOM kills the container, not only the process; left out: from Kubernetes 1.28 on",
        source="pachyderm.md §4",
    ),
    Key(
        "compaction",
        SECONDS_VARYING,
        "finishing an output commit, outside the workers",
        source=UNVERIFIED,
        attribute="compaction_s",
    ),
    Key(
        "compaction_rate",
        BYTE_RATE,
        "the same for each byte of output",
        source=UNVERIFIED,
        attribute="compaction_bytes_per_s",
    ),
    Key(
        "transfer_rate",
        BYTE_RATE,
        "download and upload rate of one worker",
        source="assumption",
        attribute="transfer_bytes_per_s",
    ),
    Key(
        "transfer_cap",
        BYTE_RATE,
        "rate that all workers share; left out: none",
        attribute="transfer_cap_bytes_per_s",
    ),
    of=PachydermOptions,
)


FILES = section_of(
    Layout,
    Key(
        "per_folder",
        ListOf(ONE_OR_MORE),
        "entries in each folder, level by level from the top: [24, 60] is 24 folders of 60 files each; "
        "left out: all files at the top",
    ),
    Key(
        "names",
        ListOf(TEXT),
        "files there from the start, by path; the others have no names that a literal glob could match",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RepoFile:
    """A source repository, or one branch of it."""

    name: str = key(TEXT, "repository")
    project: str = key(TEXT, "project", "default")
    initial: int = key(DATUMS, "files (or datums) it holds at the start", 0)
    commits: Arrivals | None = key(COMMITS, "when commits are made; left out: never", None)
    new_per_commit: Counts = key(COUNT_VARYING, "files that each commit adds", Constant(1))
    changed_per_commit: Counts = key(COUNT_VARYING, "files that each commit changes", Constant(0))
    branch: str = key(
        TEXT, "branch that gets the commits; left out: the one that is read, or that a trigger watches", ""
    )
    files: Layout = key(
        FILES, "where files lie, for globs of several depths; left out: every wildcard matches all", FLAT
    )
    file_size: int = key(SIZE, "size of one file, for triggers by size; left out: unknown", 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class DatumsFile:
    """What each commit brings to a pipeline's only source repository."""

    initial: int = key(DATUMS, "datums there at the start; they rule the size of datum sets", 0)
    new_per_commit: Counts = key(COUNT_VARYING, "datums that each commit adds", Constant(1))
    changed_per_commit: Counts = key(COUNT_VARYING, "datums that each commit changes", Constant(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineFile:
    """A pipeline: its spec, what feeds it and what its datums cost."""

    spec: tuple[Field, ...] = key(SPEC, "a Pachyderm pipeline spec")
    name: str = key(
        TEXT,
        "which pipeline of the spec file, PROJECT/NAME where two are called alike; left out: all of them",
        "",
    )
    commits: Arrivals | None = key(COMMITS, "when its only source repository gets commits", None)
    datums: DatumsFile | None = key(section_of(DatumsFile), "what each commit brings", None)
    datum_time: Distribution | None = key(SECONDS_VARYING, "user code for one datum", None)
    memory_peak: Distribution | None = key(
        MEMORY_VARYING, "peak memory of one datum; left out: never too much", None
    )
    download: Distribution = key(BYTES_VARYING, "bytes that one datum downloads", Constant(0))
    upload: Distribution = key(BYTES_VARYING, "bytes that one datum uploads", Constant(0))
    outputs_per_datum: int = key(MEMBERS, "files in the output repository for each datum", 1)
    output_files: Layout = key(FILES, "where those files lie, for globs of several depths", FLAT)
    recovers: bool = key(FLAG, "whether the spec's err_cmd succeeds, where it has one", True)
    egress_time: Distribution | None = key(
        SECONDS_VARYING, "how long a job's egress takes, during which workers stay; left out: none", None
    )
    failure: float = key(SHARE, "chance that one attempt of a datum fails", 0.0)
    join_matches: float = key(FEW, "datums a join yields for each new file of its first input", 1.0)
    groups: float = key(FEW, "datums a group yields for each new file of its first input", 1.0)


REPO = section_of(RepoFile)
PIPELINE = section_of(PipelineFile)
