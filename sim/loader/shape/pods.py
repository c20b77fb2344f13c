"""Pods in a scenario: what they ask for and where they may run, in Kubernetes' own words.

Three kinds of pods are stated this way: plain pods that arrive, the base load that is there from the
start, and DaemonSets. Pipelines' workers come from their specs.
"""

from __future__ import annotations

from dataclasses import dataclass

from sim.loader.shape.placing import AFFINITY, NO_AFFINITY, PREEMPTION_POLICY, SPREADS, AffinityFile
from sim.loader.values.arrivals import PODS
from sim.loader.values.distributions import SECONDS_VARYING
from sim.loader.values.kinds import Choice, ListOf, PairsOf, choice_of
from sim.loader.values.scalars import (
    COUNT,
    CPU,
    DURATION,
    FLAG,
    INTEGER,
    LABEL,
    MEMBERS,
    MEMORY_MIB,
    NAMESPACE,
    TEXT,
)
from sim.loader.values.sections import Key, key, section_of
from sim.model.arrivals import Arrivals
from sim.model.distributions import Distribution
from sim.model.pods import Controller, Effect, Pairs, SpreadConstraint, Toleration
from sim.model.resources import Resources

REQUESTS = section_of(
    Resources,
    Key("cpu", CPU, "cores", attribute="cpu_m"),
    Key("memory", MEMORY_MIB, "memory", attribute="memory_mib"),
    Key("ephemeral", MEMORY_MIB, "ephemeral storage", attribute="ephemeral_mib"),
    Key("gpu", MEMBERS, "GPUs"),
)


def _toleration(
    operator: str = "Equal", key: str = "", value: str = "", effect: Effect | None = None
) -> Toleration:
    if operator == "Equal" and not key:
        raise ValueError("has no key; allowed: a key, or the operator Exists")
    if operator == "Exists" and value:
        raise ValueError("has a value; allowed: no value with the operator Exists")
    return Toleration(key, value, effect, operator == "Exists")


TOLERATION = section_of(
    _toleration,
    Key("key", LABEL, "taint key; left out: every key"),
    Key("operator", Choice(("Equal", "Exists")), "whether the value counts"),
    Key("value", LABEL, "taint value"),
    Key("effect", choice_of(Effect), "taint effect; left out: every effect"),
)
TOLERATIONS = ListOf(TOLERATION)
LABELS = PairsOf()


@dataclass(frozen=True, slots=True, kw_only=True)
class PodFile:
    """What every kind of pod can say."""

    name: str = key(TEXT, "what reports call it")
    requests: Resources = key(REQUESTS, "requests of one pod, all containers together", Resources())
    namespace: str = key(NAMESPACE, "namespace, which Fargate profiles select by", "default")
    labels: Pairs = key(LABELS, "labels, which Fargate profiles select by", ())
    selector: Pairs = key(LABELS, "nodeSelector: labels its node must have", ())
    tolerations: tuple[Toleration, ...] = key(TOLERATIONS, "taints it puts up with", ())


@dataclass(frozen=True, slots=True, kw_only=True)
class MovablePodFile(PodFile):
    """What pods can say that the scheduler may preempt and the autoscaler may move."""

    affinity: AffinityFile = key(AFFINITY, "nodes and pods it must or would rather be with", NO_AFFINITY)
    topology_spread: tuple[SpreadConstraint, ...] = key(
        SPREADS, "how evenly pods lie over domains of nodes", (), name="topologySpreadConstraints"
    )
    preemption_policy: str = key(
        PREEMPTION_POLICY,
        "whether it may have less important pods make way",
        "PreemptLowerPriority",
        source="Kubernetes v1.31 core/v1 PreemptionPolicy",
        name="preemptionPolicy",
    )

    priority: int | None = key(INTEGER, "scheduling priority; left out: that of priority_class", None)
    priority_class: str = key(TEXT, "name of a priority class", "")
    grace: int = key(
        DURATION, "termination grace", 30_000_000, source="Kubernetes v1.31 terminationGracePeriodSeconds"
    )
    local_storage: bool = key(FLAG, "mounts an emptyDir or hostPath, which pins its node", False)
    safe_to_evict: bool | None = key(
        FLAG, "cluster-autoscaler.kubernetes.io/safe-to-evict, when annotated", None
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PodsFile(MovablePodFile):
    """Plain pods that arrive by themselves."""

    arrivals: Arrivals = key(PODS, "when they appear")
    duration: Distribution | None = key(SECONDS_VARYING, "how long each runs; a trace brings its own", None)
    ttl_seconds_after_finished: int = key(
        DURATION,
        "how long a pod that completed is there before it is deleted; Fargate bills it until then",
        0,
        source="assumption: deleted at once; Kubernetes keeps a Job's pods until something deletes them",
        name="ttlSecondsAfterFinished",
    )
    image: str = key(TEXT, "image it pulls, see images", "")
    controller: Controller = key(choice_of(Controller), "what re-creates it when it is lost", Controller.JOB)
    anti_affinity: bool = key(FLAG, "never two of them on one node", False)


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseLoadFile(MovablePodFile):
    """Pods that are there from the start and never end."""

    replicas: int = key(MEMBERS, "how many", 1)
    controller: Controller = key(
        choice_of(Controller), "what re-creates them when they are lost", Controller.REPLICA_SET
    )
    disruptions_allowed: int | None = key(
        COUNT, "disruptionsAllowed of a PodDisruptionBudget, where there is one", None
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DaemonSetFile(PodFile):
    """A pod on every node that its selector matches."""


PODS_FILE = section_of(PodsFile)
BASE_LOAD = section_of(BaseLoadFile)
DAEMON_SET = section_of(DaemonSetFile)
