"""Fargate admission: which pods a profile sends there, and which of those can run.

A pod is routed when it is created, never later: any selector of a profile matches when its namespace
does and every label of it is on the pod; ``*`` stands for any characters and ``?`` for one, in all
three. Of several profiles the alphanumerically first takes the pod, unless its label names another
that matches. A routed pod that Fargate cannot run stays Pending; it is not sent elsewhere.

Source: awsdocs/amazon-eks-user-guide 4d52b4d05e34 fargate-profile.adoc and fargate.adoc; aws.md §2, §3.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from fnmatch import fnmatchcase

from sim.decisions.aws.fargate import LARGEST_STORAGE_MIB, fargate_size
from sim.model.cluster import FargateProfile, Selector
from sim.model.machines import FargateSize
from sim.model.resources import Resources

PROFILE_LABEL = "eks.amazonaws.com/fargate-profile"


def profile_of(
    namespace: str, labels: Mapping[str, str], profiles: Iterable[FargateProfile]
) -> FargateProfile | None:
    """Return the profile that takes a pod, or None when it goes to the ordinary nodes."""
    matching = [
        profile
        for profile in sorted(profiles, key=lambda profile: profile.name)
        if any(selects(selector, namespace, labels) for selector in profile.selectors)
    ]
    named = [profile for profile in matching if profile.name == labels.get(PROFILE_LABEL)]
    return next(iter(named + matching), None)


def selects(selector: Selector, namespace: str, labels: Mapping[str, str]) -> bool:
    """Say whether one selector matches a pod."""
    return _like(selector.namespace, namespace) and all(
        any(_like(key, k) and _like(value, v) for k, v in labels.items()) for key, value in selector.labels
    )


class Refusal(Enum):
    """Why Fargate on EKS cannot run a pod."""

    GPU = "Fargate has no GPUs"
    ARM = "EKS runs no ARM pods on Fargate"
    WINDOWS = "EKS runs no Windows pods on Fargate"
    DAEMON_SET = "DaemonSets do not run on Fargate"
    PRIVILEGED = "privileged containers do not run on Fargate"
    HOST_PORT = "HostPort and HostNetwork do not exist on Fargate"
    HOST_PATH = "hostPath volumes do not exist on Fargate"
    EBS_VOLUME = "EBS volumes cannot be mounted on Fargate"
    DYNAMIC_EFS = "EFS volumes must be provisioned statically on Fargate"
    TOO_LARGE = "no Fargate size holds its requests and 256 MiB"
    STORAGE = "Fargate gives at most 175 GiB of ephemeral storage"


@dataclass(frozen=True, slots=True)
class FargateCandidate:
    """What Fargate looks at in a pod: effective requests, platform and what it needs of a host."""

    requests: Resources
    arch: str = "amd64"
    windows: bool = False
    daemon_set: bool = False
    privileged: bool = False
    host_port: bool = False
    host_path: bool = False
    ebs_volume: bool = False
    dynamic_efs: bool = False


def refusals(pod: FargateCandidate, sizes: Sequence[FargateSize]) -> tuple[Refusal, ...]:
    """Return every reason why Fargate cannot run the pod; none means that it can."""
    reasons = {
        Refusal.GPU: pod.requests.gpu > 0,
        Refusal.ARM: pod.arch == "arm64",
        Refusal.WINDOWS: pod.windows,
        Refusal.DAEMON_SET: pod.daemon_set,
        Refusal.PRIVILEGED: pod.privileged,
        Refusal.HOST_PORT: pod.host_port,
        Refusal.HOST_PATH: pod.host_path,
        Refusal.EBS_VOLUME: pod.ebs_volume,
        Refusal.DYNAMIC_EFS: pod.dynamic_efs,
        Refusal.TOO_LARGE: fargate_size(pod.requests, sizes) is None,
        Refusal.STORAGE: pod.requests.ephemeral_mib > LARGEST_STORAGE_MIB,
    }
    return tuple(reason for reason, holds in reasons.items() if holds)


def _like(pattern: str, text: str) -> bool:
    """Match ``*`` and ``?`` only, minding case: brackets mean themselves."""
    return fnmatchcase(text, pattern.replace("[", "[[]"))
