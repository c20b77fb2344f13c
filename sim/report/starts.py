"""Starts: where the time from a pod's creation to its containers running went.

Every wait lies between two logged instants, and together they are the whole time:

- on EC2: the scheduler (to the first failed attempt, or to the placement if it succeeds), the
  autoscaler's next look that acts or finds the group blocked, room on nodes (until the node that
  takes the pod is asked for, or until the placement if the node was there already), that node's
  launch and boot and its GPUs' device plugin, the scheduler again, then image pull and start;
- on Fargate: quota and launch rate, launch and boot, image pull, container start.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

from sim.model.log import Reason, RefusalKind
from sim.report.arrays import Int, Small
from sim.report.intervals import NEVER

if TYPE_CHECKING:
    from sim.model.log import EventLog
    from sim.report.intervals import Lives, Nodes


class Wait(IntEnum):
    """What a job or a pod waited for."""

    INPUTS = 0
    ADMISSION = 1
    CONTROLLER_STEP = 2
    SCHEDULING = 3
    AUTOSCALER_SCAN = 4
    QUEUE_FOR_ROOM = 5
    NODE_PROVISIONING = 6
    FARGATE_QUOTA = 7
    FARGATE_START = 8
    IMAGE_PULL = 9
    CONTAINER_START = 10
    MASTER_LOCK = 11
    PREPROCESSING = 12
    QUEUE_FOR_WORKERS = 13
    PROCESSING = 14
    BASE_JOB = 15
    SERIAL_PHASE = 16
    LOST_WORK = 17
    RETRY = 18
    TASK_OVERHEAD = 19
    COMPACTION = 20


STEPS = (
    Wait.SCHEDULING,
    Wait.AUTOSCALER_SCAN,
    Wait.QUEUE_FOR_ROOM,
    Wait.NODE_PROVISIONING,
    Wait.SCHEDULING,
    Wait.FARGATE_QUOTA,
    Wait.FARGATE_START,
    Wait.IMAGE_PULL,
    Wait.CONTAINER_START,
)
"""The waits of a start, in order; steps that a pod did not take have length zero."""

BLOCKED = (
    Reason.BackoffReason,
    Reason.MaxLimitReachedReason,
    Reason.NotReadyReason,
    Reason.MaxResourceLimitReached,
)
"""Why a group is not scaled up for any pod."""


def start_steps(log: EventLog, lives: Lives, pod: Int | Small) -> Int:
    """Return the instants between the ``STEPS`` of some pods, shape ``(steps + 1, pods)``, rising.

    Steps not reached end with the pod, or at the horizon.
    """
    pods, nodes = lives.pods, lives.nodes
    created, running = pods.created_us[pod], pods.running_us[pod]
    placed = np.where(pods.fargate[pod], created, pods.ready_us[pod])
    marked = np.minimum(pods.unschedulable_us[pod], placed)
    requested, ready = placed.copy(), placed.copy()
    looked = placed.copy()
    waited = np.flatnonzero((pods.node[pod] >= 0) & (marked < placed))
    if len(waited):
        node = pods.node[pod[waited]]
        came_later = nodes.usable_us[node] > marked[waited]
        first = np.minimum(np.maximum(nodes.requested_us[node], marked[waited]), placed[waited])
        requested[waited] = np.where(came_later, first, placed[waited])
        ready[waited] = np.clip(nodes.usable_us[node], requested[waited], placed[waited])
        acted = np.minimum(_looked_us(log, nodes, node, marked[waited]), requested[waited])
        looked[waited] = np.where(came_later, acted, marked[waited])
    return np.stack(
        (
            created,
            marked,
            looked,
            requested,
            ready,
            placed,
            np.maximum(pods.granted_us[pod], placed),
            pods.ready_us[pod],
            pods.pulled_us[pod],
            running,
        )
    )


def _looked_us(log: EventLog, nodes: Nodes, node: Small, marked_us: Int) -> Int:
    """Return the first look after a mark that scaled up, or found the group of ``node`` blocked."""
    scale_ups = np.append(log["scale_ups"].column("time_us"), NEVER)
    looked_us: Int = scale_ups[np.searchsorted(scale_ups, marked_us)]
    refusals = log["refusals"].where("kind", RefusalKind.SCALE_UP)
    for group in np.unique(refusals[:, 2]):
        rows = refusals[refusals[:, 2] == group]
        blocked = np.isin(rows[:, 4], BLOCKED)
        at = np.flatnonzero(nodes.group[node] == group)
        last = np.searchsorted(rows[:, 0], marked_us[at], side="right") - 1
        held = (last >= 0) & blocked[last]
        later = np.append(rows[blocked, 0], NEVER)
        found_us = np.where(held, marked_us[at], later[np.searchsorted(later, marked_us[at])])
        looked_us[at] = np.minimum(looked_us[at], found_us)
    return looked_us
