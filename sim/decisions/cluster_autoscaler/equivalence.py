"""Pod equivalence groups: pods that the autoscaler estimates together.

Pods of one controller with one spec are a group, that is: a class. A pod without a controller is a
group of its own, and so is each pod of a controller's eleventh and further specs. Upstream's group
order is random; pinned, it is that of each group's first pod in the list.

Source: Cluster Autoscaler 1.31.5, core/scaleup/equivalence/groups.go.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from sim.decisions.cluster_autoscaler.snapshot_node import ClassView
from sim.model.pods import Controller

MAX_GROUPS_BY_CONTROLLER = 10


@dataclass(frozen=True, slots=True)
class PodGroup:
    """``count`` pods of one class; ``single``: each is estimated as a group of its own."""

    cls: ClassView
    count: int
    single: bool = False


def pod_groups(pods: Iterable[ClassView]) -> list[PodGroup]:
    """Group pods, given by their classes in list order."""
    counts: dict[int, int] = {}
    classes: list[ClassView] = []
    for cls in pods:
        if cls.index in counts:
            counts[cls.index] += 1
        else:
            counts[cls.index] = 1
            classes.append(cls)
    by_controller: Counter[tuple[str, Controller, str]] = Counter()
    groups = []
    for cls in classes:
        spec = cls.spec
        controller = (spec.namespace, spec.controller, spec.owner)
        by_controller[controller] += 1
        single = (
            spec.controller in (Controller.NONE, Controller.DAEMON_SET)
            or by_controller[controller] > MAX_GROUPS_BY_CONTROLLER
        )
        groups.append(PodGroup(cls, counts[cls.index], single))
    return groups
