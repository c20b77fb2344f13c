"""A node as Karpenter's cluster state has it: a Node, or a NodeClaim that was launched and has none yet.

A managed node that is not initialised is taken as its claim promised: with the claim's capacity, and without
startup and ephemeral taints, which are expected to go.

Source: sigs.k8s.io/karpenter v1.14.1 pkg/controllers/state/statenode.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sim.decisions.karpenter.amounts import Amounts, total
from sim.decisions.karpenter.labels import EPHEMERAL, READINESS_PREFIX
from sim.decisions.karpenter.pod_specs import PodSpec
from sim.model.pods import HOSTNAME, Taint


@dataclass(frozen=True)
class StateNode:
    """One node; ``pool`` is None where Karpenter does not manage it, ``option`` the name of its type.

    ``registered``: the Node exists. ``marked``: it is being deleted. ``nominated``: pods of a late pass are
    expected. ``consolidatable`` and ``drifted_s`` (since when) are conditions of its claim; ``settling``:
    it is within its pool's ``consolidateAfter``, and pods that a consolidation moves keep away.
    """

    name: str
    labels: Mapping[str, str]
    capacity: Amounts
    allocatable: Amounts
    pool: str | None = None
    option: str = ""
    taints: tuple[Taint, ...] = ()
    startup_taints: tuple[Taint, ...] = ()
    annotations: Mapping[str, str] = field(default_factory=dict)
    registered: bool = True
    initialized: bool = True
    ready: bool = True
    marked: bool = False
    nominated: bool = False
    consolidatable: bool = False
    settling: bool = False
    drifted_s: float | None = None
    pods: tuple[PodSpec, ...] = ()

    @property
    def hostname(self) -> str:
        """Return its host name; its name where it has none yet."""
        return self.labels.get(HOSTNAME, self.name)

    def lasting_taints(self) -> tuple[Taint, ...]:
        """Return the taints that pods must tolerate to be expected here."""
        if self.initialized or self.pool is None:
            return self.taints
        startup = {(taint.key, taint.effect) for taint in self.startup_taints}
        passing = startup | {(taint.key, taint.effect) for taint in EPHEMERAL}
        return tuple(
            taint
            for taint in self.taints
            if (taint.key, taint.effect) not in passing and not taint.key.startswith(READINESS_PREFIX)
        )

    def available(self) -> Amounts:
        """Return what its pods leave."""
        return self.allocatable.minus(total(pod.requests for pod in self.pods))

    def daemon_requests(self) -> Amounts:
        """Return what pods of DaemonSets ask for here."""
        return total(pod.requests for pod in self.pods if pod.daemon_set is not None)
