"""Sharing: how much of each node-second belongs to each pod on it, and what is left over.

A pod's share of its node is max(cpu, memory) of its requests over allocatable: what it takes away
from others. DaemonSet pods have theirs from Ready on. While the shares on a node sum to more than one
(one pod heavy in cpu, another in memory), each is divided by the sum, so a node-second is never given
away twice; while they sum to less, the rest is nobody's: boot until Ready, then idle, and tail once
the node is unneeded for good.

One sweep over the sorted starts and ends on all nodes. Shares are counted in whole 2^-40, so that a
running sum of millions of them comes back to exactly zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sim.report.arrays import Float, Int, Small

if TYPE_CHECKING:
    from sim.model.cluster import Cluster, NodeGroup
    from sim.model.log import EventLog
    from sim.report.intervals import Nodes, Pods
    from sim.report.meters import Window


ONE = 1 << 40
AT_A_TIME = 200_000  # pods, so that what is needed in between stays small


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
    groups = cluster.node_groups
    room = np.array([(g.allocatable.cpu_m, g.allocatable.memory_mib) for g in groups]).reshape(-1, 2)
    of_class = _whole(log["pod_classes"].rows()[:, None, :2], room)
    of_daemons = np.array([_daemon_share(group, cluster) for group in groups], np.int64)
    placed = np.flatnonzero(pods.node >= 0)
    on = pods.node[placed]
    share = of_class[pods.pod_class[placed], nodes.group[on]]
    pod_share = np.zeros(len(pods))
    pod_share[placed] = share / ONE

    launched, ready, unneeded, stop = (
        window.clip(instants)
        for instants in (nodes.launched_us, nodes.ready_us, nodes.unneeded_us, nodes.terminated_us)
    )
    span_us = window.to_us + 1
    if len(nodes) * span_us > np.iinfo(np.int64).max:
        raise OverflowError("nodes times horizon exceed 292,000 years")
    start = np.arange(len(nodes)) * span_us
    steps = start[:, None] + np.stack((launched, ready, unneeded, stop), axis=1)
    spans = (pods.ready_us, pods.ended_us)
    paid = [np.minimum(window.clip(instants[placed]), stop[on]) for instants in spans]
    keys = np.concatenate((steps.ravel(), *(on * np.int64(span_us) + instants for instants in paid)))
    daemons = np.zeros(steps.shape, np.int64)
    daemons[:, 1] = of_daemons[nodes.group]
    daemons[:, 3] = -daemons[:, 1]
    change = np.concatenate((daemons.ravel(), share, -share))
    del share, paid
    order = np.argsort(keys)
    keys, load = keys[order], np.cumsum(change[order])
    del change
    lasted_us = np.diff(keys, append=keys[-1:])
    free_us = np.maximum(ONE - load, 0) / ONE
    free_us *= lasted_us
    left = _between(keys, steps, free_us)
    del free_us
    crowded = np.flatnonzero((load > ONE) & (lasted_us > 0))
    crowding = None
    lost_until: Sequence[Float | float] = (0.0, 0.0)
    if len(crowded):
        lost_us = np.zeros(len(keys))
        lost_us[crowded + 1] = lasted_us[crowded] * (1.0 - ONE / load[crowded])
        crowding = Crowding(keys, np.cumsum(lost_us, out=lost_us), span_us)
        del load, lasted_us
        unsorted_us = np.empty(len(keys))
        unsorted_us[order] = lost_us
        lost_until = np.split(unsorted_us[steps.size :], 2)
    counted_us = [window.clip(instants).astype(np.float64) for instants in spans]
    for counted, lost in zip(counted_us, lost_until, strict=True):
        counted[placed] = np.minimum(counted[placed], stop[on]) - lost
    return NodeShares(
        pod_share=pod_share,
        ready_us=counted_us[0],
        ended_us=counted_us[1],
        daemon_share=daemons[:, 1] / ONE,
        boot_us=left[:, 0],
        idle_us=left[:, 1],
        tail_us=left[:, 2],
        _stop_us=stop,
        _crowding=crowding,
    )


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


def _daemon_share(group: NodeGroup, cluster: Cluster) -> int:
    """Return the share of the DaemonSet pods that run on a group's nodes."""
    room = np.array([(group.allocatable.cpu_m, group.allocatable.memory_mib)])
    requests = [
        daemon.pod_class.requests for daemon in cluster.daemon_sets if group.lets_in(daemon.pod_class)
    ]
    return int(sum(_whole(np.array([(r.cpu_m, r.memory_mib)]), room)[0] for r in requests))
