"""Fargate profiles against a scenario's pods: labels meant for one, and profiles that take none.

Routing is silent: a pod that no selector matches goes to the nodes. A pipeline that asks for Fargate and is
not taken is therefore an error; so is one that comes close to a profile nobody else uses, by the namespace or
by the value of a label. A profile that has nothing to do with the scenario's pods is a warning.

Source: aws.md §3; seed.txt (the label ``node: fargate`` of the post).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sim.decisions.aws.fargate_admission import PROFILE_LABEL, selects
from sim.errors import nearest
from sim.loader.compile.fit import profile_for
from sim.loader.compile.pipelines import PlacedLoad
from sim.loader.notes import Notes
from sim.model.cluster import Cluster, FargateProfile, Selector
from sim.model.pods import PodClass

COMPUTE_TYPE = "eks.amazonaws.com/compute-type"


def check_profiles(
    loads: Sequence[PlacedLoad], others: Iterable[PodClass], cluster: Cluster, notes: Notes
) -> None:
    """Raise InputError for a pipeline that was meant for Fargate and is not taken; warn of idle profiles."""
    for placed in loads:
        _check_asked_for(placed, cluster)
    classes = [*(placed.load.pod_class for placed in loads), *others]
    for profile in cluster.fargate_profiles:
        if any(_takes(selector, pods) for selector in profile.selectors for pods in classes):
            continue
        for placed in loads:
            _check_near_miss(placed, profile, cluster)
        notes.warn(f"Fargate profile {profile.name}: its selectors match no pod of this scenario")


def _check_asked_for(placed: PlacedLoad, cluster: Cluster) -> None:
    pods = placed.load.pod_class
    taken = profile_for(pods, cluster)
    wanted = dict(pods.labels).get(PROFILE_LABEL)
    names = [profile.name for profile in cluster.fargate_profiles]
    if wanted is not None and (taken is None or taken.name != wanted):
        raise placed.error(
            "metadata",
            f"asks for Fargate profile {wanted}, which does not match its pods",
            allowed=", ".join(names) or "a cluster with Fargate profiles",
            near=nearest(wanted, names),
        )
    if taken is None and dict(pods.node_selector).get(COMPUTE_TYPE) == "fargate":
        raise placed.error(
            "schedulingSpec",
            "asks for Fargate, and no profile's selector matches its pods",
            allowed=_spelled(cluster.fargate_profiles),
        )


def _check_near_miss(placed: PlacedLoad, profile: FargateProfile, cluster: Cluster) -> None:
    pods = placed.load.pod_class
    if profile_for(pods, cluster) is not None:
        return
    for selector in profile.selectors:
        shared = [(key, value) for key, value in pods.labels if key in dict(selector.labels)]
        if not shared:
            continue
        in_its_namespace = _takes(Selector(selector.namespace), pods)
        if in_its_namespace or _takes(Selector(pods.namespace, selector.labels), pods):
            told = ", ".join(f"{key}={value}" for key, value in shared)
            raise placed.error(
                "metadata",
                f"has the label {told} in namespace {pods.namespace}, which no Fargate profile selects",
                allowed=_spelled([profile]),
            )


def _takes(selector: Selector, pods: PodClass) -> bool:
    return selects(selector, pods.namespace, dict(pods.labels))


def _spelled(profiles: Iterable[FargateProfile]) -> str:
    """Return the selectors in words."""
    told = [
        f"{', '.join(f'{key}={value}' for key, value in selector.labels) or 'any label'} in namespace "
        f"{selector.namespace} (profile {profile.name})"
        for profile in profiles
        for selector in profile.selectors
    ]
    return "; ".join(told) or "a cluster with Fargate profiles"
