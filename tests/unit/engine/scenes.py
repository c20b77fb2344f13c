"""Scenes: node groups with an autoscaler and plain pods that come by the second, simulated as a whole."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sim.engine.run import simulate
from sim.model.arrivals import TimesArrivals
from sim.model.autoscaler import AutoscalerOptions, Orders, options_for
from sim.model.cluster import Cluster, NodeGroup, SchedulerKind, SchedulerOptions
from sim.model.distributions import Constant
from sim.model.latency import Latencies
from sim.model.log import EventLog, NodeState, PodEnd, Reason, RefusalKind
from sim.model.pods import Controller, PodClass
from sim.model.resources import Resources
from sim.model.scenario import PodLoad, Scenario
from sim.model.units import SECOND

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
FOR_EVER = 1e9
FIRST_FIT = SchedulerOptions(SchedulerKind.FIRST_FIT)


def a_class(name: str = "work", cpu_m: int = 3_000, memory_mib: int = 1_000, **rest: Any) -> PodClass:
    requests = Resources(cpu_m, memory_mib, gpu=rest.pop("gpu", 0))
    options = {"owner": name, "controller": Controller.REPLICATION_CONTROLLER, **rest}
    return PodClass(name, requests, requests, **options)


def a_group(name: str = "nodes", **rest: Any) -> NodeGroup:
    """Return a group of 4-core nodes that take 60 s to come up and vanish with the terminate call."""
    room = rest.pop("room", Resources(4_000, 16_000))
    options = {"max_size": 10, "provision_s": Constant(60.0), "deletion_s": Constant(0.0), **rest}
    return NodeGroup.alike(name, room, room, **{"max_pods": 58, **options})


def flags(version: str = "1.31", **changed: Any) -> AutoscalerOptions:
    """Return a version's defaults, without chance, with an up-to-date view of AWS."""
    plain = replace(options_for(version), orders=Orders.PINNED, aws_refresh_interval_us=0)
    return replace(plain, **changed)


class Scene:
    """One simulated scene, read back from its log in seconds."""

    def __init__(
        self,
        groups: list[NodeGroup],
        pods: Sequence[tuple[float, PodClass, float]],
        options: AutoscalerOptions | None = None,
        *,
        until_s: float = 3_600.0,
        latency: Latencies | None = None,
        seed: int = 1,
        **cluster: Any,
    ) -> None:
        """Simulate pods given as (when, which, for how long); nodes start containers at once."""
        arrivals: defaultdict[tuple[PodClass, float], list[int]] = defaultdict(list)
        for time_s, spec, run_s in pods:
            arrivals[spec, run_s].append(round(time_s * SECOND))
        loads = tuple(
            PodLoad(f"{spec.name}-{run_s:g}", TimesArrivals(tuple(times)), spec, Constant(run_s))
            for (spec, run_s), times in arrivals.items()
        )
        self.scenario = Scenario(
            "scene",
            MONDAY,
            round(until_s * SECOND),
            Cluster(
                node_groups=tuple(groups),
                autoscaler=options or flags(),
                **{"scheduler": FIRST_FIT, **cluster},
            ),
            pods=loads,
            latency=latency or replace(Latencies(), container_start_s=Constant(0.0)),
        )
        self.log: EventLog = simulate(self.scenario, seed, checks=True)

    def seconds(self, table: str) -> list[float]:
        """Return when the rows of a table were written."""
        return [time_us / SECOND for time_us in self.log[table].column("time_us").tolist()]

    def nodes(self, state: NodeState) -> list[tuple[float, int]]:
        """Return (when, which) of each node that reached a state."""
        rows = self.log["node_states"].rows().tolist()
        return [(time_us / SECOND, node) for time_us, node, reached in rows if reached == state]

    def when(self, state: NodeState) -> list[float]:
        return [time_s for time_s, _ in self.nodes(state)]

    def scale_ups(self) -> list[tuple[float, str, int]]:
        """Return (when, which group, by how many) of each increase."""
        names = self.log.names["group"]
        rows = self.log["scale_ups"].rows().tolist()
        return [(time_us / SECOND, names[group], delta) for time_us, _, group, delta, _ in rows]

    def bound(self) -> list[float]:
        """Return when each pod was placed, in order of pods that were."""
        rows = sorted(self.log["pod_bound"].rows().tolist(), key=lambda row: row[1])
        return [row[0] / SECOND for row in rows]

    def on(self) -> dict[int, int]:
        """Return the node of each pod that was placed."""
        return {pod: node for _, pod, node in self.log["pod_bound"].rows().tolist()}

    def ends(self, reason: PodEnd) -> list[tuple[float, int]]:
        """Return (when, which) of the pods that ended for a reason."""
        rows = self.log["pod_ended"].rows().tolist()
        return [(time_us / SECOND, pod) for time_us, pod, why in rows if why == reason]

    def refusals(self, kind: RefusalKind) -> set[Reason]:
        """Return every reason that was given."""
        rows = self.log["refusals"].rows().tolist()
        return {Reason(reason) for *_, of, reason in rows if of == kind} - {Reason.NoReason}
