"""Which pods may be moved, and which keep their node where it is.

``do-not-disrupt`` is ``true``, or a duration for which it holds from the pod's start (1.12); anything else is
ignored. Owners and local storage are not asked about, and kube-system is a namespace like any other.

Source: sigs.k8s.io/karpenter v1.14.1 pkg/utils/pod/scheduling.go, pkg/utils/pdb/pdb.go.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sim.decisions.karpenter.labels import DISRUPTED, NODE_POOL
from sim.decisions.karpenter.pod_specs import PodSpec
from sim.model.pods import Operator, Requirements, meets

UNIT_S = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h)")


@dataclass(frozen=True, slots=True)
class DisruptionBudget:
    """A PodDisruptionBudget: how many more pods of its selector may be evicted now.

    ``blocks_for_good``: maxUnavailable is 0 or 0 %, or minAvailable 100 %, so that none ever may.
    """

    name: str
    selector: Requirements
    disruptions_allowed: int
    blocks_for_good: bool = False

    def covers(self, pod: PodSpec) -> bool:
        """Say whether a pod counts here."""
        return meets(self.selector, pod.labels)


def is_provisionable(pod: PodSpec) -> bool:
    """Say whether nodes may be made for a pending pod: not for one that wants none of any pool."""
    wants_no_pool = any(
        one.key == NODE_POOL and one.operator is Operator.DOES_NOT_EXIST
        for term in pod.node_affinity
        for one in term
    )
    return pod.daemon_set is None and not wants_no_pool


def go_duration_s(text: str) -> float | None:
    """Return a duration such as 1h30m in seconds, None if it is none (Go's time.ParseDuration)."""
    parts = _PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        return None
    return sum(float(number) * UNIT_S[unit] for number, unit in parts)


def may_not_be_disrupted(pod: PodSpec) -> bool:
    """Say whether a pod's annotation keeps it where it is now."""
    if pod.do_not_disrupt == "true":
        return True
    lasting_s = go_duration_s(pod.do_not_disrupt or "")
    return lasting_s is not None and pod.running_s < lasting_s


def is_evictable(pod: PodSpec) -> bool:
    """Say whether a drain evicts a pod: it does not tolerate the taint of a disruption."""
    return not any(toleration.tolerates(DISRUPTED) for toleration in pod.tolerations)


def reschedulable(pods: Iterable[PodSpec]) -> tuple[PodSpec, ...]:
    """Return the pods that need another place when their node goes: all but those of DaemonSets."""
    return tuple(pod for pod in pods if pod.daemon_set is None)


def to_be_placed(pods: Iterable[PodSpec], budgets: Sequence[DisruptionBudget]) -> tuple[PodSpec, ...]:
    """Return the pods of a node marked for deletion that a pass finds a place for already.

    What keeps a pod where it is for good, or for now, keeps it out (provisioner.go, GetPendingPods).
    """
    return tuple(
        pod
        for pod in reschedulable(pods)
        if not may_not_be_disrupted(pod)
        and not any(budget.blocks_for_good and budget.covers(pod) for budget in budgets)
    )
