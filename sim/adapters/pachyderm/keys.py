"""Pachyderm's keys: every message of a pipeline spec, what each field holds, and what became of old ones.

Fields are spelt as the JSON schema spells them; the server also takes snake_case. A field's kind is a
scalar (see ``SCALARS``), a message, or a list of messages in brackets. ``READ`` names what the simulator
uses; the rest is kept untouched.

Sources: pachyderm/pachyderm e237475e9910, src/internal/jsonschema/pps_v2/CreatePipelineRequest.schema.json;
removed fields from src/client/pps/pps.proto of v1.7 to v1.13.4 and CHANGELOG 2.0.
"""

from __future__ import annotations

from dataclasses import dataclass

SCALARS = (
    "text",
    "bool",
    "int32",
    "int64",
    "uint64",
    "number",
    "duration",
    "instant",
    "texts",
    "ints",
    "map",
    "operator",
    "effect",
    "format",
)

SPEC = "CreatePipelineRequest"

MESSAGES: dict[str, dict[str, str]] = {
    SPEC: {
        "pipeline": "Pipeline",
        "tfJob": "TFJob",
        "transform": "Transform",
        "parallelismSpec": "ParallelismSpec",
        "egress": "Egress",
        "outputBranch": "text",
        "s3Out": "bool",
        "resourceRequests": "ResourceSpec",
        "resourceLimits": "ResourceSpec",
        "sidecarResourceLimits": "ResourceSpec",
        "input": "Input",
        "description": "text",
        "service": "Service",
        "spout": "Spout",
        "datumSetSpec": "DatumSetSpec",
        "datumTimeout": "duration",
        "jobTimeout": "duration",
        "salt": "text",
        "datumTries": "int64",
        "schedulingSpec": "SchedulingSpec",
        "podSpec": "text",
        "podPatch": "text",
        "metadata": "Metadata",
        "reprocessSpec": "text",
        "autoscaling": "bool",
        "tolerations": "[Toleration]",
        "sidecarResourceRequests": "ResourceSpec",
        "determined": "Determined",
        "maximumExpectedUptime": "duration",
        "update": "bool",
        "reprocess": "bool",
        "specCommit": "Commit",
        "dryRun": "bool",
    },
    "Commit": {"repo": "Repo", "id": "text", "branch": "Branch"},
    "Repo": {"name": "text", "type": "text", "project": "Project"},
    "Branch": {"repo": "Repo", "name": "text"},
    "Pipeline": {"project": "Project", "name": "text"},
    "Project": {"name": "text"},
    "TFJob": {"tfJob": "text"},
    "Transform": {
        "image": "text",
        "cmd": "texts",
        "errCmd": "texts",
        "env": "map",
        "secrets": "[SecretMount]",
        "imagePullSecrets": "texts",
        "stdin": "texts",
        "errStdin": "texts",
        "acceptReturnCode": "ints",
        "debug": "bool",
        "user": "text",
        "workingDir": "text",
        "dockerfile": "text",
        "memoryVolume": "bool",
        "datumBatching": "bool",
    },
    "SecretMount": {"name": "text", "key": "text", "mountPath": "text", "envVar": "text"},
    "ParallelismSpec": {"constant": "uint64"},
    "Egress": {"URL": "text", "objectStorage": "ObjectStorageEgress", "sqlDatabase": "SQLDatabaseEgress"},
    "ObjectStorageEgress": {"url": "text"},
    "SQLDatabaseEgress": {
        "url": "text",
        "fileFormat": "SQLDatabaseEgress.FileFormat",
        "secret": "SQLDatabaseEgress.Secret",
    },
    "SQLDatabaseEgress.FileFormat": {"type": "format", "columns": "texts"},
    "SQLDatabaseEgress.Secret": {"name": "text", "key": "text"},
    "ResourceSpec": {"cpu": "number", "memory": "text", "gpu": "GPUSpec", "disk": "text"},
    "GPUSpec": {"type": "text", "number": "int64"},
    "Input": {
        "pfs": "PFSInput",
        "join": "[Input]",
        "group": "[Input]",
        "cross": "[Input]",
        "union": "[Input]",
        "cron": "CronInput",
    },
    "PFSInput": {
        "project": "text",
        "name": "text",
        "repo": "text",
        "repoType": "text",
        "branch": "text",
        "commit": "text",
        "glob": "text",
        "joinOn": "text",
        "outerJoin": "bool",
        "groupBy": "text",
        "lazy": "bool",
        "emptyFiles": "bool",
        "s3": "bool",
        "trigger": "Trigger",
        "propagationSpec": "PropagationSpec",
        "reference": "bool",
    },
    "Trigger": {
        "branch": "text",
        "all": "bool",
        "rateLimitSpec": "text",
        "size": "text",
        "commits": "int64",
        "cronSpec": "text",
    },
    "PropagationSpec": {"never": "bool"},
    "CronInput": {
        "name": "text",
        "project": "text",
        "repo": "text",
        "commit": "text",
        "spec": "text",
        "overwrite": "bool",
        "start": "instant",
    },
    "Service": {"internalPort": "int32", "externalPort": "int32", "ip": "text", "type": "text"},
    "Spout": {"service": "Service"},
    "DatumSetSpec": {"number": "int64", "sizeBytes": "int64", "perWorker": "int64"},
    "SchedulingSpec": {"nodeSelector": "map", "priorityClassName": "text"},
    "Metadata": {"annotations": "map", "labels": "map"},
    "Toleration": {
        "key": "text",
        "operator": "operator",
        "value": "text",
        "effect": "effect",
        "tolerationSeconds": "int64",
    },
    "Determined": {"workspaces": "texts"},
}

# How to submit the spec, not what it holds: pachctl takes these out of the file.
SUBMITTED = frozenset({"update", "reprocess", "specCommit", "dryRun"})

# One of each alone may be there (the proto's oneof).
ONE_OF = {"Egress": ("objectStorage", "sqlDatabase")}

# Read by the simulator; messages not named here are read whole or not at all, as their parent says.
READ: dict[str, frozenset[str]] = {
    SPEC: frozenset(MESSAGES[SPEC])
    - SUBMITTED
    - {
        "tfJob",
        "egress",
        "description",
        "salt",
        "podSpec",
        "podPatch",
        "determined",
        "maximumExpectedUptime",
    },
    "Transform": frozenset({"image", "cmd", "errCmd", "memoryVolume", "datumBatching"}),
    "PFSInput": frozenset(
        {
            "project",
            "name",
            "repo",
            "branch",
            "glob",
            "joinOn",
            "outerJoin",
            "groupBy",
            "lazy",
            "s3",
            "reference",
            "trigger",
            "propagationSpec",
        }
    ),
    "CronInput": frozenset({"name", "project", "repo", "spec", "overwrite", "start"}),
    "Toleration": frozenset({"key", "operator", "value", "effect"}),
}

# Kept, and said, because it changes what happens in a way the simulator does not follow.
NOT_SIMULATED: dict[str, dict[str, str]] = {
    SPEC: {
        "podSpec": "is kept but not applied (deprecated, use podPatch): it may change requests",
        "podPatch": "is applied only where it adds affinity, topologySpreadConstraints or preemptionPolicy",
    },
}


@dataclass(frozen=True, slots=True)
class Removed:
    """A field that upstream no longer has: why, and what took its place if anything did."""

    why: str
    instead: str = ""


REMOVED: dict[str, dict[str, Removed]] = {
    SPEC: {
        "standby": Removed("became autoscaling in 2.0", "autoscaling"),
        "chunkSpec": Removed("became datumSetSpec in 2.0", "datumSetSpec"),
        "hashtreeSpec": Removed("has no effect: hash trees are gone since 2.0"),
        "cacheSize": Removed("has no effect: the worker cache is gone since 2.0"),
        "enableStats": Removed("has no effect: statistics are always on since 2.0"),
        "maxQueueSize": Removed("has no effect: the datum queue is gone since 2.0"),
        "scaleDownThreshold": Removed("has no effect: workers stop when the last job ends; see autoscaling"),
        "incremental": Removed("has no effect: unchanged datums are always skipped since 1.8"),
        "batch": Removed("has no effect: gone since 1.9"),
    },
    "ParallelismSpec": {
        "coefficient": Removed(
            "is gone since 2.0, and a share of the nodes has no fixed number; see constant"
        ),
        "strategy": Removed("has no effect: constant is the only strategy since 1.4"),
    },
    "Transform": {"build": Removed("is gone since 2.0: images are built outside")},
    "Input": {"atom": Removed("became pfs in 1.8", "pfs")},
    "PFSInput": {"fromCommit": Removed("has no effect: inputs are branches since 1.6")},
    "Spout": {
        "overwrite": Removed("is gone since 2.0"),
        "marker": Removed("is gone since 2.0"),
    },
    "Service": {"annotations": Removed("became metadata.annotations in 1.11 and is not translated")},
}

OPERATORS = ("EMPTY", "EXISTS", "EQUAL")
FORMATS = ("UNKNOWN", "CSV", "JSON", "PARQUET")
EFFECTS = ("ALL_EFFECTS", "NO_SCHEDULE", "PREFER_NO_SCHEDULE", "NO_EXECUTE")
