"""Nodes that the autoscaler gives up: those that take longer to be Ready than max-node-provision-time.

It takes a node that comes too late for a failed scale-up: it backs the group off, deletes the instance and
asks for another, which is late as well.

Source: cluster-autoscaler.md §1.4; kubernetes/autoscaler #6810, #3490.
"""

from __future__ import annotations

from sim.decisions.aws.start_times import share_later_than
from sim.loader.notes import Notes
from sim.model.cluster import Cluster
from sim.model.latency import Latencies
from sim.model.units import SECOND, print_duration

FEW = 0.01  # of the nodes of a group: the rare one is luck


def warn_of_late_nodes(cluster: Cluster, latency: Latencies, notes: Notes) -> None:
    """Warn of groups whose nodes are often Ready only after the autoscaler has given them up."""
    options = cluster.autoscaler
    if not options.enabled:
        return
    limit_us = options.max_node_provision_time_us
    for group in cluster.node_groups:
        late, typical_s = share_later_than(limit_us / SECOND, group, latency.ec2)
        if group.max_size > group.min_size and late >= FEW:
            backoff = print_duration(options.initial_node_group_backoff_duration_us)
            notes.warn(
                f"group {group.name}: {late:.0%} of its nodes take longer to be Ready than "
                f"max-node-provision-time ({print_duration(limit_us)}), typically {typical_s:.0f} s: the "
                f"autoscaler gives them up, deletes them and leaves the group alone for {backoff} and longer"
            )
