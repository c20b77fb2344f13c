"""Sharing: how much of each node-second belongs to each pod on it, and what is left over.

A pod's share of its node is max(cpu, memory) of its requests over allocatable: what it takes away
from others. DaemonSet pods have theirs from Ready on. While the shares on a node sum to more than one
(one pod heavy in cpu, another in memory), each is divided by the sum, so a node-second is never given
away twice; while they sum to less, the rest is nobody's: boot until Ready, then idle, and tail once
the node is unneeded for good.

One sweep over the sorted starts and ends on all nodes, some nodes at a time. Shares are counted in whole
2^-40, so that a running sum of millions of them comes back to exactly zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from sim.report.arrays import Float, Int, Small

if TYPE_CHECKING:
    from sim.model.cluster import Cluster, NodeShape
    from sim.model.log import EventLog
    from sim.report.intervals import Nodes, Pods
    from sim.report.meters import Window


ONE = 1 << 40
AT_A_TIME = 50_000  # pods, so that what is needed in between stays small


@dataclass(frozen=True, slots=True)
class NodeShares:
    """How nodes were shared inside a window.

    ``pod_share`` is each pod's part of its node, shape ``(pods,)``, and ``ready_us`` and ``ended_us`` the
    time that counts up to these instants of it (see ``counted_us``). ``daemon_share`` is the part of a
    node's DaemonSets, shape ``(nodes,)``; the others count microseconds of whole nodes that nobody took.
    """

    pod_share: Float
    ready_us: Float
    ended_us: Float
    daemon_share: Float
    boot_us: Float
    idle_us: Float
    tail_us: Float
    _stop_us: Int
    _crowding: Crowding | None

    def counted_us(self, node: Small, at_us: Int) -> Float:
        """Return the time that counts for shares of a node up to an instant (-1: for no node).

        It goes on while the node is paid for, less what division by sums above one takes away.
        """
        counted = at_us.astype(np.float64)
        placed = np.flatnonzero(node >= 0)
        for first in range(0, len(placed), AT_A_TIME):
            rows = placed[first : first + AT_A_TIME]
            on = node[rows]
            until_us = np.minimum(at_us[rows], self._stop_us[on])
            counted[rows] = until_us
            if self._crowding is not None:
                counted[rows] -= self._crowding.until(on, until_us)
        return counted


@dataclass(frozen=True, slots=True)
class Crowding:
    """Time that division by sums above one has taken away, up to each of the sorted ``keys``."""

    keys: Int
    lost_us: Float
    span_us: int

    def until(self, node: Small, at_us: Int) -> Float:
        """Return the time lost up to an instant; it grows linearly between keys."""
        at = node * np.int64(self.span_us) + at_us
        order = np.argsort(at)  # a sorted search is many times faster than one that jumps about
        at = at[order]
        before = np.clip(np.searchsorted(self.keys, at, side="right") - 1, 0, len(self.keys) - 2)
        width = np.maximum(self.keys[before + 1] - self.keys[before], 1)
        part = np.clip((at - self.keys[before]) / width, 0.0, 1.0)
        lost = np.empty(len(at))
        lost[order] = self.lost_us[before] + part * (self.lost_us[before + 1] - self.lost_us[before])
        return lost


def share_nodes(log: EventLog, pods: Pods, nodes: Nodes, cluster: Cluster, window: Window) -> NodeShares:
    """Share every node that is paid for in the window."""
    shapes = cluster.shapes
    room = np.array([(s.allocatable.cpu_m, s.allocatable.memory_mib) for s in shapes]).reshape(-1, 2)
    of_class = _whole(log["pod_classes"].rows()[:, None, :2], room)
    of_daemons = np.array([_daemon_share(shape, cluster) for shape in shapes], np.int64)
    launched, ready, unneeded, stop = (
        window.clip(instants)
        for instants in (nodes.launched_us, nodes.ready_us, nodes.unneeded_us, nodes.terminated_us)
    )
    span_us = window.to_us + 1
    if len(nodes) * span_us > np.iinfo(np.int64).max:
        raise OverflowError("nodes times horizon exceed 292,000 years")
    start = np.arange(len(nodes)) * span_us
    steps = start[:, None] + np.stack((launched, ready, unneeded, stop), axis=1)
    daemons = np.zeros(steps.shape, np.int64)
    daemons[:, 1] = of_daemons[nodes.shape]
    daemons[:, 3] = -daemons[:, 1]

    pod_share = np.zeros(len(pods))
    ready_us, ended_us = (window.clip(at).astype(np.float64) for at in (pods.ready_us, pods.ended_us))
    left = np.zeros((len(nodes), 3))
    bends = [(np.zeros(0, np.int64), np.zeros(0))]
    lost_us = 0.0
    for some in _some_nodes(pods, len(nodes)):
        rows = np.flatnonzero((pods.node >= some.start) & (pods.node < some.stop))
        node = pods.node[rows]
        share = of_class[pods.pod_class[rows], nodes.shape[node]]
        pod_share[rows] = share / ONE
        for at_us in (ready_us, ended_us):
            at_us[rows] = np.minimum(at_us[rows], stop[node])
        stay = [node * np.int64(span_us) + at_us[rows].astype(np.int64) for at_us in (ready_us, ended_us)]
        keys = np.concatenate((steps[some].ravel(), *stay))
        change = np.concatenate((daemons[some].ravel(), share, -share))
        left[some], lost, keys, bent = _sweep(keys, change, steps[some], lost_us)
        for at_us, until in zip((ready_us, ended_us), np.split(lost[steps[some].size :], 2), strict=True):
            at_us[rows] -= until
        if len(keys):
            bends.append((keys, bent))
            lost_us = bent[-1]
    at_bends, lost_at = (np.concatenate(column) for column in zip(*bends, strict=True))
    return NodeShares(
        pod_share=pod_share,
        ready_us=ready_us,
        ended_us=ended_us,
        daemon_share=daemons[:, 1] / ONE,
        boot_us=left[:, 0],
        idle_us=left[:, 1],
        tail_us=left[:, 2],
        _stop_us=stop,
        _crowding=Crowding(at_bends, lost_at, span_us) if len(at_bends) else None,
    )


def _some_nodes(pods: Pods, nodes: int) -> list[slice]:
    """Cut the nodes into parts with about ``AT_A_TIME`` pods each."""
    pods_up_to = np.cumsum(np.bincount(pods.node[pods.node >= 0], minlength=nodes))
    cuts = np.searchsorted(pods_up_to, np.arange(AT_A_TIME, len(pods), AT_A_TIME)) + 1
    edges = sorted({0, *np.minimum(cuts, nodes).tolist(), nodes})
    return [slice(begin, end) for begin, end in pairwise(edges)]


def _sweep(keys: Int, change: Int, steps: Int, lost_us: float) -> tuple[Float, Float, Int, Float]:
    """Go through the changes of load on some nodes in order of their keys.

    Return what is nobody's from step to step, shape ``(nodes, 3)``; the time lost to crowding up to each
    key, ``lost_us`` on earlier nodes included; and the keys at which it begins or ends to be lost, with it.
    """
    order = np.argsort(keys)
    keys, load = keys[order], np.cumsum(change[order])
    lasted_us = np.diff(keys, append=keys[-1:])
    left = _between(keys, steps, np.maximum(ONE - load, 0) / ONE * lasted_us)
    crowded = np.flatnonzero((load > ONE) & (lasted_us > 0))
    lost = np.zeros(len(keys))
    lost[:1] = lost_us
    lost[crowded + 1] += lasted_us[crowded] * (1.0 - ONE / load[crowded])
    np.cumsum(lost, out=lost)
    until = np.empty(len(keys))
    until[order] = lost
    bends = np.zeros(len(keys), np.bool_)
    bends[crowded] = bends[crowded + 1] = True
    return left, until, keys[bends], lost[bends]


def _between(keys: Int, steps: Int, amounts: Float) -> Float:
    """Sum ``amounts``, one per gap after a key, from each of a node's steps to the next."""
    at = np.searchsorted(keys, steps.ravel())
    sums = np.zeros(len(at))
    if len(at):
        sums = np.where(np.diff(at, append=at[-1]) > 0, np.add.reduceat(amounts, at), 0.0)
    by_node: Float = sums.reshape(steps.shape)[:, :-1]
    return by_node


def _whole(requests: Int, room: Int) -> Int:
    """Return max(cpu, memory) of requests over room (last axis), in units of 2^-40, at most one."""
    share = (requests / np.maximum(room, 1)).max(axis=-1, initial=0.0)
    whole: Int = np.rint(np.minimum(share, 1.0) * ONE).astype(np.int64)
    return whole


def _daemon_share(shape: NodeShape, cluster: Cluster) -> int:
    """Return the share of the DaemonSet pods that run on a node of a shape."""
    room = np.array([(shape.allocatable.cpu_m, shape.allocatable.memory_mib)])
    requests = [daemon.requests for daemon in cluster.daemons_on(shape)]
    return int(sum(_whole(np.array([(r.cpu_m, r.memory_mib)]), room)[0] for r in requests))
