"""Queues as scenarios: plain pods on one node that holds as many as there are servers."""

from __future__ import annotations

from datetime import UTC, datetime

from sim.model.arrivals import PoissonArrivals
from sim.model.autoscaler import AutoscalerOptions
from sim.model.cluster import Cluster, NodeGroup, SchedulerKind, SchedulerOptions
from sim.model.distributions import Constant, Distribution
from sim.model.latency import Latencies
from sim.model.pods import PodClass
from sim.model.resources import Resources
from sim.model.scenario import PodLoad, Scenario

MEAN_SERVICE_S = 10.0


def a_queue(servers: int, load: float, service: Distribution, customers: int) -> Scenario:
    """Return a first-come-first-served queue that starts empty, over the time of so many arrivals.

    ``service`` has a mean of ``MEAN_SERVICE_S``.
    """
    per_s = load * servers / MEAN_SERVICE_S
    one, all_of_them = Resources(1_000, 1), Resources(1_000 * servers, servers)
    return Scenario(
        name="queue",
        start=datetime(2026, 1, 5, tzinfo=UTC),
        horizon_us=round(customers / per_s) * 1_000_000,
        cluster=Cluster(
            node_groups=(NodeGroup.alike("servers", all_of_them, all_of_them, servers, 1, 1, 1),),
            autoscaler=AutoscalerOptions(enabled=False),
            scheduler=SchedulerOptions(SchedulerKind.FIRST_FIT, 0, 0),
        ),
        pods=(
            PodLoad(
                "customers", PoissonArrivals(per_s), PodClass("customer", one, one, "customers"), service
            ),
        ),
        latency=Latencies(container_start_s=Constant(0)),
    )
