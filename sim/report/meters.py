"""Meters: what AWS charges for, per second and with its floors, inside a window.

EC2, EBS and addresses: by the second from launch to the terminate call, at least 60 s (aws.md §0 fact 9, §5).
Fargate: by the second from the start of the image pull to the pod's end, at least 60 s, for the size
granted (aws.md §4); a pod that completed ends when it is deleted.
Control plane and NAT gateways: by the hour. NAT data: per GiB of images
pulled where there is no public address: on Fargate, and on nodes of private subnets.
What goes on at the horizon is charged up to it; the seconds that rounding adds are charged when the
meter stops. Savings Plan discounts take a share off On-Demand instances, and off Fargate's vCPU and
memory; Spot prices, volumes and ephemeral storage stay as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sim.model.billing import NODE_LINES, billed_s, granted_usd_per_hour
from sim.model.log import PodEnd
from sim.model.machines import FARGATE_OVERHEAD_MIB
from sim.model.resources import GIB
from sim.model.units import HOUR, SECOND, SECONDS_PER_HOUR
from sim.report.arrays import Flag, Float, Int

if TYPE_CHECKING:
    from sim.model.cluster import NodeShape
    from sim.model.log import EventLog
    from sim.model.scenario import Prices, Scenario
    from sim.report.intervals import Nodes, Pods


@dataclass(frozen=True, slots=True)
class Window:
    """The span that is charged, ``[from_us, to_us)``."""

    from_us: int
    to_us: int

    @property
    def hours(self) -> float:
        """Return its length."""
        return (self.to_us - self.from_us) / HOUR

    def clip(self, instants: Int) -> Int:
        """Return the instants moved into the window."""
        return np.clip(instants, self.from_us, self.to_us)

    def rounding_s(self, started_us: Int, stopped_us: Int, finished: Flag) -> Float:
        """Return the seconds that rounding up and the floor add when a meter stops in the window."""
        ran_us = stopped_us - started_us
        added_s = billed_s(ran_us) - ran_us / SECOND
        added: Float = np.where(finished & (stopped_us >= self.from_us), added_s, 0.0)
        return added


@dataclass(frozen=True, slots=True)
class NodeMeters:
    """EC2 nodes in the window, shape ``(nodes,)``: rate, USD that rounding adds, and all that each costs.

    ``items`` has the same by line of the bill.
    """

    usd_per_us: Float
    rounding_usd: Float
    usd: Float
    items: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class FargateMeters:
    """Fargate pods whose pull began, shape ``(pods started,)``.

    ``share`` is what the pod's request takes of its size; ``over_usd`` pays for the rest, ``kept_usd`` for
    pods that completed and were not deleted yet.
    """

    pod: Int
    usd_per_us: Float
    share: Float
    over_usd: Float
    kept_usd: Float
    rounding_usd: Float
    usd: float


def node_meters(nodes: Nodes, shapes: tuple[NodeShape, ...], prices: Prices, window: Window) -> NodeMeters:
    """Charge EC2 instances, their volumes and their addresses."""
    rates = {name: np.array([line(shape, prices) for shape in shapes]) for name, line in NODE_LINES.items()}
    ran_us = window.clip(nodes.terminated_us) - window.clip(nodes.launched_us)
    added_s = window.rounding_s(nodes.launched_us, nodes.terminated_us, nodes.finished & nodes.launched)
    hours = ran_us / HOUR + added_s / SECONDS_PER_HOUR
    usd_per_hour = np.sum([*rates.values()], axis=0)[nodes.shape]
    return NodeMeters(
        usd_per_us=usd_per_hour / HOUR,
        rounding_usd=usd_per_hour * added_s / SECONDS_PER_HOUR,
        usd=hours * usd_per_hour,
        items={name: float(hours @ rate[nodes.shape]) for name, rate in rates.items()},
    )


def fargate_meters(log: EventLog, pods: Pods, scenario: Scenario, window: Window) -> FargateMeters:
    """Charge Fargate pods until they are deleted."""
    prices = scenario.prices
    started = np.sort(log["fargate_ready"].column("pod"))
    rows = log["fargate_pods"].rows()
    rows = rows[np.argsort(rows[:, 1], kind="stable")]
    rows = rows[np.searchsorted(rows[:, 1], started)]
    vcpu_m, memory_mib, ephemeral_mib = rows[:, 2:5].T.astype(np.float64)
    usd_per_hour = granted_usd_per_hour(vcpu_m, memory_mib, ephemeral_mib, prices.fargate_rates)
    asked = log["pod_classes"].rows()[pods.pod_class[started]]
    share = np.maximum(asked[:, 0] / vcpu_m, (asked[:, 1] + FARGATE_OVERHEAD_MIB) / memory_mib)
    share = np.minimum(share, 1.0)
    from_us, to_us = pods.ready_us[started], pods.ended_us[started]
    deleted_us = to_us + _kept_us(log, pods, scenario)[started]
    deleted = (pods.reason[started] >= 0) & ((deleted_us == to_us) | (deleted_us < window.to_us))
    added_s = window.rounding_s(from_us, deleted_us, deleted)
    ran_us = window.clip(to_us) - window.clip(from_us)
    kept_us = window.clip(deleted_us) - window.clip(to_us)
    return FargateMeters(
        pod=started,
        usd_per_us=usd_per_hour / HOUR,
        share=share,
        over_usd=usd_per_hour / HOUR * (1.0 - share) * ran_us,
        kept_usd=usd_per_hour / HOUR * kept_us,
        rounding_usd=usd_per_hour * added_s / SECONDS_PER_HOUR,
        usd=float(((ran_us + kept_us) / HOUR + added_s / SECONDS_PER_HOUR) @ usd_per_hour),
    )


def _kept_us(log: EventLog, pods: Pods, scenario: Scenario) -> Int:
    """Return how long each pod is there after it completed, shape ``(pods,)``; of others 0."""
    by_name = {load.name: load.kept_us for load in scenario.pods}
    kept_us = np.array([by_name.get(name, 0) for name in log.names["source"]] or [0], np.int64)
    return np.where(pods.reason == PodEnd.COMPLETED, kept_us[pods.source], 0)


def pull_usd(log: EventLog, private: Flag, prices: Prices, window: Window) -> Float:
    """Return the NAT data charge of each pod's image pulls, shape ``(pods,)`` like ``private``."""
    pulls = log["image_pulls"].rows()
    pulls = pulls[(pulls[:, 0] >= window.from_us) & (pulls[:, 0] < window.to_us)]
    usd_per_byte = prices.nat_gib / GIB if prices.pulls_through_nat else 0.0
    charged = np.bincount(pulls[:, 1], weights=pulls[:, 2] * usd_per_byte, minlength=len(log["pods"]))
    return np.where(private, charged, 0.0)


def private_pods(pods: Pods, nodes: Nodes, shapes: tuple[NodeShape, ...]) -> Flag:
    """Say which pods reach the internet through NAT gateways alone, shape ``(pods,)``."""
    public = np.array([*(shape.public_ip for shape in shapes), False])
    shape = np.append(nodes.shape, np.int32(-1))  # the last is of a pod on Fargate
    private: Flag = ~public[shape[np.where(pods.node >= 0, pods.node, -1)]]
    return private
