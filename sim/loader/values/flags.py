"""Autoscaler options in a scenario, under the names of the Cluster Autoscaler's own flags.

A flag that is left out takes the default of ``version``. What the simulator honours is the whole list;
any other flag is an unknown key. Meanings and defaults: cluster-autoscaler.md §9, from ``main.go`` and
``config/flags/flags.go`` of kubernetes/autoscaler 1.31.5, and its §11 for later versions.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sim.adapters.cluster_autoscaler.read import mapping_within
from sim.documents.fields import Field
from sim.errors import InputError, nearest
from sim.loader.values.kinds import Json, Kind, ListOf, MapOf, Scalar, choice_of
from sim.loader.values.references import AUTOSCALER_VALUES
from sim.loader.values.scalars import (
    COUNT,
    DURATION,
    FLAG,
    INTEGER,
    LOOP,
    NUMBER,
    TEXT,
)
from sim.loader.values.sections import Key, mapping, section_of
from sim.model.autoscaler import VERSIONS, AutoscalerOptions, Orders
from sim.model.units import SECOND

SOURCE = "cluster-autoscaler.md §9 (kubernetes/autoscaler 1.31.5 main.go)"
OURS = "not a flag"
EXPANDERS = ("random", "most-pods", "least-nodes", "least-waste", "priority")


def _version(raw: object) -> str:
    text = str(raw).removeprefix("v") if isinstance(raw, str | float) else ""
    minor, patch = version_and_patch(text)
    if minor not in VERSIONS or (patch is None and text != minor):
        allowed = ", ".join(f'"{version}"' for version in VERSIONS)
        raise InputError(value=raw, allowed=f'{allowed}, with a patch or not, such as "{VERSIONS[-1]}.0"')
    return text


def version_and_patch(text: str) -> tuple[str, int | None]:
    """Return the minor of a version such as ``1.33.6``, and its patch, None where none is said."""
    minor, patch = ".".join(text.split(".")[:2]), text.split(".")[2:]
    said = len(patch) == 1 and re.fullmatch(r"\d{1,3}", patch[0])
    return minor, int(patch[0]) if said else None


def _seconds(raw: object) -> int:
    if isinstance(raw, bool) or not isinstance(raw, int) or not 0 <= raw <= 10**9:
        raise InputError(value=raw, allowed="a whole number of seconds")
    return raw * SECOND


def _range(raw: object) -> tuple[int, int]:
    match = re.fullmatch(r"(\d{1,9}):(\d{1,9})", raw) if isinstance(raw, str) else None
    if match is None or int(match[1]) > int(match[2]):
        raise InputError(value=raw, allowed="MIN:MAX such as 0:320000")
    return int(match[1]), int(match[2])


RELEASE = Scalar(
    "version",
    "a Kubernetes minor such as '1.33', or a release such as '1.33.6'",
    _version,
    str,
    ("string", "number"),
)
SECONDS_FLAG = Scalar("s", "a whole number of seconds", _seconds, lambda us: us // SECOND, ("integer",))
RANGE = Scalar("min:max", "MIN:MAX such as 0:320000", _range, lambda pair: f"{pair[0]}:{pair[1]}")


@dataclass(frozen=True, slots=True)
class Words:
    """A list, or a text with commas as the flag itself takes it; ``known`` limits the words."""

    unit: str
    known: tuple[str, ...] = ()

    def read(self, at: Field) -> tuple[str, ...]:
        """Read either form."""
        words: tuple[str, ...]
        if isinstance(at.value, list):
            words = ListOf(TEXT).read(at)
        else:
            words = tuple(word.strip() for word in str(TEXT.read(at)).split(","))
        for word in words:
            if self.known and word not in self.known:
                raise at.error(allowed=", ".join(self.known), near=nearest(word, self.known))
        return words

    def write(self, value: tuple[str, ...]) -> str:
        """Write the text with commas."""
        return ",".join(value)

    def schema(self) -> Json:
        """Return both forms."""
        word: Json = {"enum": list(self.known)} if self.known else {"type": "string"}
        return {"anyOf": [{"type": "string"}, {"type": "array", "items": word}]}


@dataclass(frozen=True, slots=True)
class Priorities:
    """The priority expander's ConfigMap: regular expressions on group names by priority."""

    unit: str = "list of regular expressions by priority"

    def read(self, at: Field) -> tuple[tuple[int, tuple[str, ...]], ...]:
        """Read them, highest first; also from a text that holds them, as in the ConfigMap."""
        at = mapping_within(at) or at
        said: dict[str, tuple[str, ...]] = MapOf(ListOf(TEXT, least=1), "priority").read(at)
        for priority, patterns in said.items():
            if not re.fullmatch(r"\d{1,9}", priority):
                raise at.error(f"has the priority {priority}", allowed="a whole number")
            for pattern in patterns:
                _check_pattern(pattern, at)
        return tuple(sorted(((int(p), patterns) for p, patterns in said.items()), reverse=True))

    def write(self, value: tuple[tuple[int, tuple[str, ...]], ...]) -> Json:
        """Write the mapping."""
        return {str(priority): list(patterns) for priority, patterns in value}

    def schema(self) -> Json:
        """Return a mapping of lists, or a text."""
        return {"anyOf": [MapOf(ListOf(TEXT, least=1)).schema(), {"type": "string"}]}


def _check_pattern(pattern: str, at: Field) -> None:
    try:
        re.compile(pattern)
    except re.error as error:
        raise at.error(f"has the pattern {pattern!r}: {error}", allowed="regular expressions") from None


_LABELS = Words("labels")
_EXPANDERS = Words("list of expanders", EXPANDERS)
_ROWS: tuple[tuple[str, str, Kind, str], ...] = (
    ("scan-interval", "scan_interval_us", LOOP, "time between two looks"),
    (
        "frequent-loops-enabled",
        "frequent_loops_enabled",
        FLAG,
        "look again at once after acting; true from 1.35",
    ),
    ("new-pod-scale-up-delay", "new_pod_scale_up_delay_us", DURATION, "age from which a pod is seen"),
    (
        "expander",
        "expander",
        _EXPANDERS,
        "how a node group is chosen, in order; least-waste from 1.33",
    ),
    (
        "expander-priorities",
        "expander_priorities",
        Priorities(),
        "regular expressions on Auto Scaling group names, highest number first",
    ),
    ("balance-similar-node-groups", "balance_similar_node_groups", FLAG, "spread over similar groups"),
    ("balancing-ignore-label", "balancing_ignore_label", _LABELS, "labels that do not make groups differ"),
    ("balancing-label", "balancing_label", _LABELS, "labels that alone make groups similar"),
    ("max-nodes-total", "max_nodes_total", COUNT, "most nodes in the cluster; 0: no limit"),
    ("cores-total", "cores_total", RANGE, "least and most cores in the cluster"),
    ("memory-total", "memory_total_gib", RANGE, "least and most GiB in the cluster"),
    ("enforce-node-group-min-size", "enforce_node_group_min_size", FLAG, "raise groups below their minimum"),
    ("max-nodes-per-scaleup", "max_nodes_per_scaleup", COUNT, "most nodes one estimate adds"),
    ("max-node-provision-time", "max_node_provision_time_us", DURATION, "when a launch is given up"),
    (
        "initial-node-group-backoff-duration",
        "initial_node_group_backoff_duration_us",
        DURATION,
        "first back-off",
    ),
    ("max-node-group-backoff-duration", "max_node_group_backoff_duration_us", DURATION, "longest back-off"),
    (
        "node-group-backoff-reset-timeout",
        "node_group_backoff_reset_timeout_us",
        DURATION,
        "when it is forgotten",
    ),
    (
        "max-total-unready-percentage",
        "max_total_unready_percentage",
        NUMBER,
        "unready share that halts it, in %",
    ),
    ("ok-total-unready-count", "ok_total_unready_count", COUNT, "unready nodes that never halt it"),
    ("scale-down-enabled", "scale_down_enabled", FLAG, "whether nodes are ever removed"),
    ("scale-down-unneeded-time", "scale_down_unneeded_time_us", DURATION, "how long a node must be unneeded"),
    ("scale-down-unready-time", "scale_down_unready_time_us", DURATION, "no effect: none is unready here"),
    (
        "scale-down-utilization-threshold",
        "scale_down_utilization_threshold",
        NUMBER,
        "unneeded below this share",
    ),
    (
        "scale-down-gpu-utilization-threshold",
        "scale_down_gpu_utilization_threshold",
        NUMBER,
        "the same for GPUs",
    ),
    ("scale-down-delay-after-add", "scale_down_delay_after_add_us", DURATION, "hold after any scale-up"),
    ("scale-down-delay-after-delete", "scale_down_delay_after_delete_us", DURATION, "hold after a removal"),
    (
        "scale-down-delay-after-failure",
        "scale_down_delay_after_failure_us",
        DURATION,
        "hold after a failed one",
    ),
    ("scale-down-delay-type-local", "scale_down_delay_type_local", FLAG, "holds per group, not cluster-wide"),
    (
        "ignore-daemonsets-utilization",
        "ignore_daemonsets_utilization",
        FLAG,
        "leave DaemonSets out of utilisation",
    ),
    ("max-scale-down-parallelism", "max_scale_down_parallelism", COUNT, "most nodes removed at once"),
    ("max-drain-parallelism", "max_drain_parallelism", COUNT, "most nodes drained at once"),
    (
        "unremovable-node-recheck-timeout",
        "unremovable_node_recheck_timeout_us",
        DURATION,
        "skip after a refusal",
    ),
    (
        "node-delete-delay-after-taint",
        "node_delete_delay_after_taint_us",
        DURATION,
        "wait between taint and drain",
    ),
    (
        "node-deletion-batcher-interval",
        "node_deletion_batcher_interval_us",
        DURATION,
        "collect deletions this long",
    ),
    ("max-graceful-termination-sec", "max_graceful_termination_us", SECONDS_FLAG, "longest grace in a drain"),
    ("max-pod-eviction-time", "max_pod_eviction_time_us", DURATION, "no effect: no eviction is refused here"),
    (
        "skip-nodes-with-local-storage",
        "skip_nodes_with_local_storage",
        FLAG,
        "emptyDir pins a node; the AWS example manifest says false",
    ),
    ("skip-nodes-with-system-pods", "skip_nodes_with_system_pods", FLAG, "kube-system pods pin a node"),
    (
        "skip-nodes-with-custom-controller-pods",
        "skip_nodes_with_custom_controller_pods",
        FLAG,
        "so do pods without an RC, ReplicaSet, StatefulSet or Job",
    ),
    (
        "blocking-system-pod-distruption-timeout",  # upstream's spelling
        "blocking_system_pod_disruption_timeout_us",
        DURATION,
        "how long kube-system pods pin a node, 0 for ever; 1h from 1.33",
    ),
    (
        "expendable-pods-priority-cutoff",
        "expendable_pods_priority_cutoff",
        INTEGER,
        "pods below it do not count",
    ),
    (
        "cordon-node-before-terminating",
        "cordon_node_before_terminating",
        FLAG,
        "cordon as well as taint; true from 1.34",
    ),
    ("max-bulk-soft-taint-count", "max_bulk_soft_taint_count", COUNT, "most soft taints a look changes"),
)


def _keys() -> tuple[Key, ...]:
    flags = [
        Key(flag, kind, meaning, source=SOURCE, attribute=attribute)
        for flag, attribute, kind, meaning in _ROWS
    ]
    ours = [
        Key(
            "values",
            AUTOSCALER_VALUES,
            "what is deployed: the Helm chart's values, or a manifest's command line, path or inline; "
            "the other keys replace its flags",
            source=OURS,
            default=None,
        ),
        Key(
            "version",
            RELEASE,
            "release whose defaults and behaviour hold; of a minor alone the patch that `check` names",
            source=OURS,
            default=None,
        ),
        Key(
            "enabled",
            FLAG,
            "whether the cluster has an autoscaler",
            source=OURS,
        ),
        Key(
            "orders",
            choice_of(Orders),
            "orders upstream leaves to chance: pinned or random",
            source=OURS,
        ),
        Key(
            "aws-refresh-interval",
            DURATION,
            "age of the cached view of Auto Scaling groups",
            source="cluster-autoscaler.md §3.9, a constant upstream",
            attribute="aws_refresh_interval_us",
        ),
    ]
    return (*ours, *flags)


AUTOSCALER = section_of(mapping, *_keys(), of=AutoscalerOptions)
"""Reads to the options said, by attribute; the version's defaults are filled in when compiled."""
