"""What of kube-scheduler a scenario relies on that is not simulated as it asks: said, never left out."""

from __future__ import annotations

from collections.abc import Iterable

from sim.decisions.kubernetes.scheduling import NEWEST_RULES, minor_version
from sim.loader.notes import Notes
from sim.model.cluster import Cluster, SchedulerKind
from sim.model.pods import PodClass


def warn_of_scheduling(classes: Iterable[PodClass], cluster: Cluster, notes: Notes) -> None:
    """Note a version whose rules are not known; warn of wishes that scheduler or autoscaler do not see."""
    upstream = cluster.scheduler.kind is SchedulerKind.UPSTREAM
    if upstream and minor_version(cluster.kubernetes_version) > NEWEST_RULES:
        newest = ".".join(map(str, NEWEST_RULES))
        of = f"the newest that are recorded; Kubernetes is {cluster.kubernetes_version}"
        notes.assume("cluster.scheduler", f"kube-scheduler by the rules of {newest}", of)
    grows = any(group.max_size > group.min_size for group in cluster.node_groups)
    for spec in classes:
        elsewhere = spec.terms_apart or spec.terms_together or any(c.hard for c in spec.spread_constraints)
        if not upstream and (elsewhere or spec.spread_constraints or spec.node_preferences):
            notes.warn(f"{spec.name}: first-fit ignores topology spread, pod affinity and preferences")
        elif elsewhere and cluster.autoscaler.enabled and grows:
            notes.warn(
                f"{spec.name}: the simulated autoscaler sees neither topology spread nor pod affinity; it "
                "may add no node where only they keep its pods waiting, or too few"
            )
