"""Small queues as studies: servers are the room of one node, which costs what its servers cost."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sim.model.arrivals import PoissonArrivals
from sim.model.autoscaler import AutoscalerOptions
from sim.model.cluster import Cluster, NodeGroup, SchedulerKind, SchedulerOptions
from sim.model.distributions import Constant, Distribution, Exponential
from sim.model.latency import Latencies
from sim.model.pods import PodClass
from sim.model.resources import Resources
from sim.model.scenario import PodLoad, Prices, Scenario
from sim.model.study import Choice, Factor, Study

US = 1_000_000
FREE = Prices(control_plane_hour=0, ebs_gib_month=0, nat_gateway_hour=0, nat_gib=0, nat_gateways=0)


def queue(servers: int, arrival_per_s: float, service: Distribution, horizon_s: int) -> Scenario:
    """Return M/G/c: first come first served, a server an hour for a dollar."""
    customer = PodClass("customer", Resources(1_000, 1), Resources(1_000, 1), "customers")
    room = Resources(1_000 * servers, servers)
    group = NodeGroup("servers", room, room, servers, 1, 1, 1, usd_per_hour=float(servers))
    return Scenario(
        name="queue",
        start=datetime(2026, 1, 5, tzinfo=UTC),
        horizon_us=horizon_s * US,
        cluster=Cluster(
            node_groups=(group,),
            autoscaler=AutoscalerOptions(enabled=False),
            scheduler=SchedulerOptions(SchedulerKind.FIRST_FIT, 0, 0),
        ),
        pods=(PodLoad("customers", PoissonArrivals(arrival_per_s), customer, service),),
        latency=Latencies(container_start_s=Constant(0)),
        prices=FREE,
    )


def queue_study(
    servers: range, arrival_per_s: float, *, mean_s: float = 10.0, horizon_s: int = 1_000, **said: Any
) -> Study:
    """Return a study of how many servers there should be."""

    def configure(sets: tuple[str, ...]) -> Scenario:
        count = int(sets[0].partition("=")[2])
        return replace(queue(count, arrival_per_s, Exponential(mean_s), horizon_s), name=sets[0])

    choices = tuple(Choice(f"{n}", (f"servers={n}",)) for n in servers)
    return Study("queue", (Factor("servers", choices, ordered=True),), configure, **said)
