"""Replicas: how many workers pachd's pipeline controller asks for, and how often it looks again.

An autoscaling pipeline starts with one worker and jumps to the number of tasks of its running batches,
finished ones included, up to its parallelism. It never shrinks before standby, which is not decided here.

Source: pachyderm/pachyderm v2.11.6, src/server/pps/server/pipeline_controller.go scaleUpPipeline,
poller.go, master.go; pachyderm.md §2.2 and §2.3.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import lru_cache


class Reason(Enum):
    """Why the target is what it is."""

    NOT_AUTOSCALING = "not autoscaling: always its parallelism"
    FIRST_WORKER = "woken up: one worker"
    NO_TASKS = "tasks not counted or none yet: unchanged"
    ENOUGH_WORKERS = "no more tasks than workers: unchanged"
    MORE_TASKS = "more tasks than workers"


@dataclass(frozen=True, slots=True)
class Replicas:
    """The target, why, and whether the controller arms its timer to look again."""

    target: int
    reason: Reason
    look_again: bool


@lru_cache(maxsize=1024)
def target_replicas(parallelism: int, current: int, tasks: int | None, autoscaling: bool) -> Replicas:
    """Return the replicas of a pipeline that is RUNNING or CRASHING.

    ``current`` is what was last asked for, not what is ready. ``tasks`` counts waiting, claimed and done
    ones of all running batches, None when counting failed. Few questions are asked, many times over.
    """
    if not autoscaling:
        target, reason = parallelism, Reason.NOT_AUTOSCALING
    elif current == 0:
        target, reason = 1, Reason.FIRST_WORKER
    elif not tasks:
        target, reason = current, Reason.NO_TASKS
    elif tasks <= current:
        target, reason = current, Reason.ENOUGH_WORKERS
    else:
        target, reason = min(tasks, parallelism), Reason.MORE_TASKS
    return Replicas(target, reason, look_again=target < parallelism)
