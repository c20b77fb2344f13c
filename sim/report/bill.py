"""The bill: what AWS charges for one replication, and the same money split in two ways.

Split A says for whom: sources (pipelines, plain pods, base load) and jobs. Split B says for what, see
``Use``. Both are sums over the same pieces, and the pieces sum to the bill.

- EC2 time is shared as ``sharing`` says; a Fargate pod is a node of its size, and what its request
  leaves of the size is rounding.
- A worker starts up until it runs (with the NAT data of its image pull), is useful while it has a
  task that ends DONE or goes on at the horizon, loses the work of a task that ends otherwise, and
  idles without one.
- A job has the cost of its tasks, and of the start of each worker whose first task was its own. The
  rest of a pipeline (idle workers, rounding) is overhead: in ``by_source`` only.
- A plain pod is useful if it completes or goes on at the horizon, else lost. Pipelines that run no
  jobs (spouts, services) are like plain pods.
- Base load, DaemonSets, control plane, NAT gateways and their addresses are system overhead.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

from sim.model.billing import control_plane_usd, gateways_usd_per_hour
from sim.model.log import PodEnd, TaskEnd
from sim.model.pipelines import Kind
from sim.report.arrays import Code, Flag, Float, Int, Small
from sim.report.intervals import SourceKind, source_kinds
from sim.report.meters import Window, fargate_meters, node_meters, private_pods, pull_usd
from sim.report.sharing import NodeShares, share_nodes

if TYPE_CHECKING:
    from sim.model.cluster import Cluster, NodeGroup
    from sim.model.log import EventLog
    from sim.model.scenario import Scenario
    from sim.report.intervals import Claims, Lives, Nodes, Pods
    from sim.report.meters import FargateMeters, NodeMeters


class Use(IntEnum):
    """What money was spent on (split B)."""

    USEFUL_WORK = 0
    START_UP = 1
    IDLE = 2
    SCALE_DOWN_TAIL = 3
    ROUNDING = 4
    SYSTEM = 5
    LOST_WORK = 6


@dataclass(frozen=True, slots=True)
class Cost:
    """USD in the window: of each pod's start and running time, shape ``(pods,)``, and of each claim."""

    start_usd: Float
    run_usd: Float
    claim_usd: Float


@dataclass(frozen=True, slots=True)
class Pieces:
    """What is paid because of single jobs and pods, USD of each job and then of each pod.

    ``on_nodes`` are their parts of nodes that come and go with the work (their groups scale, from nothing
    up), which cost ``nodes_usd`` in all, of which pods asked for ``asked_usd``. ``elsewhere`` is Fargate, NAT
    data, and parts of nodes of other groups that scale. Groups of one size cost the same whatever runs there.
    """

    on_nodes: Float
    elsewhere: Float
    nodes_usd: float
    asked_usd: float


@dataclass(frozen=True, slots=True)
class Bill:
    """The bill of a window, in USD.

    ``items`` are the lines of the invoice. ``by_source`` has shape ``(sources + 1, uses)``: its last
    row is what no source can be charged with (boot, free room, tail, system). ``by_job`` has shape
    ``(jobs, uses)`` and is part of the pipelines' rows.
    """

    window: Window
    items: Mapping[str, float]
    by_source: Float
    by_job: Float
    pieces: Pieces

    @property
    def total_usd(self) -> float:
        """Return the sum of the invoice's lines."""
        return sum(self.items.values())

    @property
    def by_use(self) -> Float:
        """Return split B, shape ``(uses,)``."""
        split: Float = self.by_source.sum(axis=0)
        return split


def make_bill(log: EventLog, scenario: Scenario, lives: Lives, from_us: int = 0) -> Bill:
    """Return the bill of ``[from_us, end of the log)``."""
    window = Window(from_us, log.end_us)
    prices, pods, nodes = scenario.prices, lives.pods, lives.nodes
    ec2 = node_meters(nodes, scenario.cluster.shapes, prices, window)
    fargate = fargate_meters(log, pods, scenario, window)
    pulls_usd = pull_usd(log, private_pods(pods, nodes, scenario.cluster.shapes), prices, window)
    shares = share_nodes(log, pods, nodes, scenario.cluster, window)
    items = {
        **ec2.items,
        "fargate": fargate.usd,
        "control_plane": control_plane_usd(prices, window.from_us, window.to_us),
        "nat_hours": 0.0,
        "nat_data": float(pulls_usd.sum()),
    }
    gateways = {line: usd * window.hours for line, usd in gateways_usd_per_hour(prices).items()}
    items |= {line: items[line] + usd for line, usd in gateways.items()}
    cost = _price(lives, shares, _usd_per_us(pods, shares, ec2, fargate), window)
    pieces = _pieces(lives, cost, scenario.cluster, (ec2, fargate), pulls_usd)
    cost = replace(cost, start_usd=cost.start_usd + pulls_usd)
    kinds = _kinds(log, scenario)
    shared = _shared(nodes, shares, ec2, window)
    shared[Use.SYSTEM] += items["control_plane"] + sum(gateways.values())
    by_source = np.vstack((_split_sources(lives, cost, fargate, kinds), shared))
    return Bill(window, items, by_source, _split_jobs(lives, cost), pieces)


def _usd_per_us(pods: Pods, shares: NodeShares, ec2: NodeMeters, fargate: FargateMeters) -> Float:
    """Return what each pod's share of its place costs."""
    usd_per_us = shares.pod_share.copy()
    placed = np.flatnonzero(pods.node >= 0)
    usd_per_us[placed] *= ec2.usd_per_us[pods.node[placed]]
    usd_per_us[fargate.pod] = fargate.usd_per_us * fargate.share
    return usd_per_us


def _price(lives: Lives, shares: NodeShares, usd_per_us: Float, window: Window) -> Cost:
    """Return what places cost the pods on them, and the tasks in them."""
    pods, claims = lives.pods, lives.claims

    def counted(pod: Int | Small, at_us: Int) -> Float:
        return shares.counted_us(pods.node[pod], window.clip(at_us))

    started = np.flatnonzero(pods.running_us > pods.ready_us)
    running = shares.ready_us.copy()
    running[started] = counted(started, pods.running_us[started])
    return Cost(
        start_usd=(running - shares.ready_us) * usd_per_us,
        run_usd=(shares.ended_us - running) * usd_per_us,
        claim_usd=(counted(claims.pod, claims.stopped_us) - counted(claims.pod, claims.claimed_us))
        * usd_per_us[claims.pod],
    )


def _split_sources(lives: Lives, cost: Cost, fargate: FargateMeters, kinds: Code) -> Float:
    """Sum the pieces by source and use."""
    pods, claims = lives.pods, lives.claims
    kind = kinds[pods.source]
    system = kind == SourceKind.SYSTEM
    start_use = np.where(system, Use.SYSTEM, Use.START_UP).astype(np.int8)
    run_use = np.where(system, Use.SYSTEM, Use.IDLE).astype(np.int8)
    plain = kind == SourceKind.PLAIN
    kept = (pods.reason == PodEnd.COMPLETED) | (pods.reason < 0)
    run_use[plain] = np.where(kept[plain], Use.USEFUL_WORK, Use.LOST_WORK)
    over_use = np.where(system[fargate.pod], Use.SYSTEM, Use.ROUNDING)
    worker = pods.source[claims.pod]
    count = len(kinds)
    return (
        _tally(pods.source, start_use, cost.start_usd, count)
        + _tally(pods.source, run_use, cost.run_usd, count)
        + _tally(worker, _use_of(claims), cost.claim_usd, count)
        - _tally(worker, run_use[claims.pod], cost.claim_usd, count)
        + _tally(pods.source[fargate.pod], np.full(len(fargate.pod), Use.IDLE), fargate.kept_usd, count)
        + _tally(pods.source[fargate.pod], over_use, fargate.over_usd + fargate.rounding_usd, count)
    )


def _split_jobs(lives: Lives, cost: Cost) -> Float:
    """Sum tasks by job, and the start of each worker by the job of its first task."""
    claims, count = lives.claims, len(lives.jobs)
    first = np.flatnonzero(np.diff(claims.pod, prepend=-1))
    start_use = np.full(len(first), Use.START_UP)
    return _tally(claims.job, _use_of(claims), cost.claim_usd, count) + _tally(
        claims.job[first], start_use, cost.start_usd[claims.pod[first]], count
    )


def _pieces(
    lives: Lives, cost: Cost, cluster: Cluster, meters: tuple[NodeMeters, FargateMeters], pulls_usd: Float
) -> Pieces:
    """Sum by job and by pod, apart for where it was paid; ``cost`` is without the pulls."""
    ec2, fargate = meters
    pods, nodes = lives.pods, lives.nodes
    scaled = np.array([*(_scales(group, cluster) for group in cluster.node_groups), False])
    from_zero = scaled & np.array([*(group.min_size == 0 for group in cluster.node_groups), False])
    group = _group_of(pods, nodes)
    here = _part(lives, cost, from_zero[group])
    there = _part(lives, cost, (scaled & ~from_zero)[group] | pods.fargate)
    there = replace(there, start_usd=there.start_usd + pulls_usd)
    of_pods = there.start_usd + there.run_usd
    of_pods[fargate.pod] += fargate.over_usd + fargate.rounding_usd
    asked_usd = here.start_usd + here.run_usd
    return Pieces(
        on_nodes=np.concatenate((_split_jobs(lives, here).sum(axis=1), asked_usd)),
        elsewhere=np.concatenate((_split_jobs(lives, there).sum(axis=1), of_pods)),
        nodes_usd=float(ec2.usd[from_zero[nodes.group]].sum()),
        asked_usd=float(asked_usd.sum()),
    )


def _scales(group: NodeGroup, cluster: Cluster) -> bool:
    """Say whether what runs decides how many nodes a group has."""
    return cluster.autoscaler.enabled and group.max_size > group.min_size


def _group_of(pods: Pods, nodes: Nodes) -> Int | Small:
    """Return the group of each pod's node, -1 without one."""
    groups = np.append(nodes.group, np.int32(-1))
    return groups[np.where(pods.node >= 0, pods.node, -1)]


def _part(lives: Lives, cost: Cost, pods: Flag) -> Cost:
    """Return the costs of some pods, and of the tasks in them."""
    return Cost(cost.start_usd * pods, cost.run_usd * pods, cost.claim_usd * pods[lives.claims.pod])


def _shared(nodes: Nodes, shares: NodeShares, ec2: NodeMeters, window: Window) -> Float:
    """Return what no pod asked for, by use."""
    row = np.zeros(len(Use))
    everywhere = np.arange(len(nodes), dtype=np.int32)
    ready_us, stop_us = window.clip(nodes.ready_us), window.clip(nodes.terminated_us)
    daemon_us = shares.counted_us(everywhere, stop_us) - shares.counted_us(everywhere, ready_us)
    row[Use.START_UP] = shares.boot_us @ ec2.usd_per_us
    row[Use.IDLE] = shares.idle_us @ ec2.usd_per_us
    row[Use.SCALE_DOWN_TAIL] = shares.tail_us @ ec2.usd_per_us
    row[Use.ROUNDING] = ec2.rounding_usd.sum()
    row[Use.SYSTEM] = (daemon_us * shares.daemon_share) @ ec2.usd_per_us
    return row


def _use_of(claims: Claims) -> Int:
    """Return the use of each claim; one that goes on at the horizon is useful so far."""
    useful = (claims.outcome == TaskEnd.DONE) | (claims.outcome < 0)
    return np.where(useful, Use.USEFUL_WORK, Use.LOST_WORK)


def _kinds(log: EventLog, scenario: Scenario) -> Code:
    """Return the kind of each source; pipelines that run no jobs count as plain pods."""
    plain = [load.name for load in scenario.pods]
    loads = zip(log.names["pipeline"], scenario.pipelines, strict=False)
    plain += [name for name, load in loads if load.pipeline.kind is not Kind.TRANSFORM]
    return source_kinds(log, plain)


def _tally(rows: Int | Small, uses: Int | Code, usd: Float, count: int) -> Float:
    """Sum ``usd`` into a table of shape ``(count, uses)``."""
    key = rows * len(Use) + uses
    table = np.bincount(key, weights=usd, minlength=count * len(Use)).astype(np.float64, copy=False)
    return table.reshape(count, len(Use))
