"""Problems: small worlds as studies, to try selection and search on.

The two of ``selection`` have answers known by formula. The three of ``search`` do not, but everything is so
small that all configurations can be simulated a hundred times to know the truth. Customers are pods; what a
pod waits is a customer's wait, and prices are ours.

- *Servers* and *sizes*: see ``selection``.
- *Fargate size*: how much vCPU and memory a pod asks for, and how large its image is. More of each is dearer
  and faster, with less and less to gain: the cheapest is in between.
- *Fargate quota*: vCPU, memory and the account's quota, with most pods starting at once as a constraint.
- *Burst*: how many nodes, how large and how fast, for everything that comes in at once; a node keeps room for
  itself. The shortest wait that a fixed sum a day buys.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sim.model.arrivals import BatchArrivals, PoissonArrivals
from sim.model.autoscaler import AutoscalerOptions
from sim.model.cluster import (
    Cluster,
    FargateProfile,
    FargateQuotas,
    NodeGroup,
    SchedulerKind,
    SchedulerOptions,
    Selector,
)
from sim.model.distributions import Constant, Distribution, Exponential, Poisson, Uniform
from sim.model.latency import FargateLatency, Latencies
from sim.model.machines import FargateSize
from sim.model.metrics import ALL, COST, WORK_COST, usual
from sim.model.pods import PodClass
from sim.model.resources import Resources
from sim.model.scenario import PodLoad, Prices, Scenario
from sim.model.study import Choice, Constraint, Factor, Study
from sim.report.bill import make_bill
from sim.report.durations import Measured
from sim.report.intervals import lives
from sim.report.metrics import Tree
from sim.report.pod_numbers import PodNumbers
from sim.study.evaluate import Task
from sim.study.replicate import run

US = 1_000_000
FREE = Prices(control_plane_hour=0, ebs_gib_month=0, nat_gateway_hour=0, nat_gib=0, nat_gateways=0)
FIRST_COME = SchedulerOptions(SchedulerKind.FIRST_FIT, 0, 0)
BY_HAND = AutoscalerOptions(enabled=False)
FARGATE_KEEPS_MIB = 256  # of a size (aws.md §1)
SIZED_PER_S = 0.02
VCPU, MEMORY = "vcpu", "memory"


def queue(servers: int, arrival_per_s: float, service: Distribution, horizon_s: int) -> Scenario:
    """Return M/G/c, first come first served: one node with room for all servers, each a dollar an hour."""
    customer = _pods(Resources(1_000, 1))
    room = Resources(1_000 * servers, servers)
    group = NodeGroup.alike("servers", room, room, servers, 1, 1, 1, usd_per_hour=float(servers))
    cluster = Cluster(node_groups=(group,), autoscaler=BY_HAND, scheduler=FIRST_COME)
    load = PodLoad("customers", PoissonArrivals(arrival_per_s), customer, service)
    return _scenario(cluster, load, horizon_s)


def study(
    name: str, factors: Mapping[str, Sequence[int]], world: Callable[..., Scenario], **said: Any
) -> Study:
    """Return a study whose configurations are the world's arguments."""

    def configure(sets: tuple[str, ...]) -> Scenario:
        return world(**{each.partition("=")[0]: int(each.partition("=")[2]) for each in sets})

    varied = tuple(
        Factor(factor, tuple(Choice(f"{n}", (f"{factor}={n}",)) for n in choices), ordered=True)
        for factor, choices in factors.items()
    )
    return Study(name, varied, configure, **said)


def fargate_size(**said: Any) -> Study:
    """Return the study of how much vCPU, memory and image a pod on Fargate should have."""
    factors = {VCPU: range(1, 11), MEMORY: range(1, 11), "image": range(1, 11)}
    return study("fargate size", factors, _sized, **said)


def fargate_quota(**said: Any) -> Study:
    """Return the study of vCPU, memory and quota, in which nineteen of twenty pods start within a minute."""
    factors = {VCPU: range(1, 9), MEMORY: range(1, 9), "quota": range(4, 68, 4)}
    constraints = (Constraint("pod_start_p95_s", 60.0),)
    return study("fargate quota", factors, _sized, constraints=constraints, **said)


def burst(**said: Any) -> Study:
    """Return the study of the nodes that a fixed sum a day buys, for the shortest wait."""
    factors = {"nodes": range(1, 17), "size": range(2, 10), "speed": range(1, 9)}
    constraints = (Constraint("cost_usd_per_day", 20.0),)
    return study("burst", factors, _burst, objectives=("pod_start_p95_s",), constraints=constraints, **said)


def servers(**said: Any) -> Study:
    """Return the study of how many servers M/M/c needs, at 30 customers a minute of 10 s each."""
    limit = Constraint("pod_start_p95_s", 14.0)
    return study("servers", {"servers": range(5, 12)}, _servers, constraints=(limit,), **said)


def sizes(**said: Any) -> Study:
    """Return the study of eight Fargate sizes; work is never longer than the warm-up."""
    return study("sizes", {VCPU: range(1, 9)}, _size, **said)


def usd_per_day_of_size(vcpu: int) -> float:
    """Return what a day of ``sizes`` costs by Little's law: arrival rate x price x mean work."""
    price = (FREE.fargate_vcpu_hour * vcpu / 2 + FREE.fargate_gib_hour * 2) / 3_600
    return 86_400 * SIZED_PER_S * price * _sized_work_s(vcpu)


def _servers(servers: int) -> Scenario:
    return queue(servers, 0.5, Exponential(10.0), 600)


def _size(vcpu: int) -> Scenario:
    """Return pods of one size on Fargate, part of whose work is serial."""
    mean = _sized_work_s(vcpu)
    load = PodLoad(
        "customers",
        PoissonArrivals(SIZED_PER_S),
        _pods(Resources(500 * vcpu, 2 * 1_024 - FARGATE_KEEPS_MIB)),
        Uniform(0.8 * mean, 1.2 * mean),
    )
    scenario = _scenario(_fargate(FargateSize(500 * vcpu, 2 * 1_024)), load, 2_400)
    return replace(scenario, warmup_us=600 * US)


def _sized_work_s(vcpu: int) -> float:
    return 50.0 + 400.0 / vcpu


def _fargate(size: FargateSize, quota_vcpu: float = 1_000.0) -> Cluster:
    return Cluster(
        fargate_profiles=(FargateProfile("all", (Selector("default"),)),),
        fargate_sizes=(size,),
        fargate_quotas=FargateQuotas(vcpu=quota_vcpu, launch_burst=1_000, launch_per_s=1_000.0),
        autoscaler=BY_HAND,
        scheduler=FIRST_COME,
    )


def _sized(vcpu: int, memory: int, image: int = 4, quota: int = 1_000) -> Scenario:
    """Return pods on Fargate whose work is part serial, and slower with little memory or a small image."""
    size = FargateSize(500 * vcpu, 1_024 * memory)
    asked = Resources(size.vcpu_m, size.memory_mib - FARGATE_KEEPS_MIB)
    work_s = 3.0 + 2.0 * image + 250.0 / vcpu + 250.0 / memory + 60.0 / image
    load = PodLoad("customers", PoissonArrivals(0.03), _pods(asked), Exponential(work_s))
    return _finite(_scenario(_fargate(size, quota / 2), load, 900, start_s=30.0))


def _burst(nodes: int, size: int, speed: int) -> Scenario:
    """Return nodes of ``size`` slots, one of which the node keeps, for batches of pods."""
    room = Resources(1_000 * (size - 1), size - 1)
    usd_per_hour = 0.02 * size**1.1 * (1 + 0.5 * (speed - 1) ** 1.2)
    group = NodeGroup.alike("nodes", room, room, size - 1, nodes, nodes, nodes, usd_per_hour=usd_per_hour)
    cluster = Cluster(node_groups=(group,), autoscaler=BY_HAND, scheduler=FIRST_COME)
    arrivals = BatchArrivals(PoissonArrivals(1 / 600), Poisson(30.0))
    load = PodLoad("customers", arrivals, _pods(Resources(1_000, 1)), Exponential(90.0 / speed))
    return _finite(_scenario(cluster, load, 1_500))


def _finite(scenario: Scenario) -> Scenario:
    """Return the scenario as one whose span is the whole story, with all of its work done in the end."""
    return replace(scenario, finite=True, drain_us=None)


def few(scenario: Scenario, seed: int, replication: int) -> Tree:
    """Return the cost and the waits of a replication, which is all that is asked for, and NaN else."""
    log = run(scenario, seed, replication)
    lived, at_horizon = lives(log), lives(log.to_horizon())
    bill = make_bill(log.to_horizon(), scenario, at_horizon, log.warmup_us)
    numbers = PodNumbers(log, lived, at_horizon, bill.window, scenario.pods).numbers()
    waits = {name: math.inf if isinstance(each, Measured) else each for name, each in numbers.items()}
    usd_per_day = bill.total_usd / bill.window.hours * 24
    return {
        "metrics": {
            **dict.fromkeys(usual(ALL), math.nan),
            COST: usd_per_day,
            WORK_COST: usd_per_day,
            **waits,
        },
        "slo": {f"{n}": {"latency_s": math.nan} for n in range(len(scenario.slos))},
    }


def few_of(tasks: Sequence[Task]) -> list[Tree]:
    """Evaluate tasks one after the other, here."""
    return [few(task.scenario, task.seed, task.replication) for task in tasks]


def _pods(asked: Resources) -> PodClass:
    return PodClass("customer", asked, asked, "customers")


def _scenario(cluster: Cluster, load: PodLoad, horizon_s: int, start_s: float = 0.0) -> Scenario:
    return Scenario(
        name=load.name,
        start=datetime(2026, 1, 5, tzinfo=UTC),
        horizon_us=horizon_s * US,
        drain_us=None,
        cluster=cluster,
        pods=(load,),
        latency=Latencies(fargate=FargateLatency(ready_s=Constant(start_s)), container_start_s=Constant(0)),
        prices=FREE,
    )
