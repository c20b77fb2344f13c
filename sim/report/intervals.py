"""Intervals: the log's rows put together into the lives of pods, nodes, jobs and task claims.

Each life is a row of a few arrays. An instant that was never reached is set to the end of the life,
and a life that goes on when the log ends is cut there and flagged, so every stage is the difference of
two arrays and never negative. A stage that was left out has length zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

from sim.model.log import JOB_ENDS, JobState, NodeState
from sim.report.arrays import Code, Flag, Int, Small, stable_order

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sim.model.log import EventLog


NEVER = np.iinfo(np.int64).max
NOWHERE = -1


@dataclass(frozen=True, slots=True)
class Pods:
    """Pod lives, shape ``(pods,)``; every instant is at most ``ended_us``.

    ``granted_us`` and ``ready_us`` are Fargate's (on EC2 they equal ``created_us`` and
    ``bound_us``), so an image pull begins at ``ready_us`` everywhere. ``reason`` is a PodEnd, -1
    while the pod lives; ``node`` is -1 on Fargate and before a pod is bound. A pod evicted with a
    grace ends when it is evicted: its work stops there.
    """

    created_us: Int
    unschedulable_us: Int
    granted_us: Int
    ready_us: Int
    pulled_us: Int
    running_us: Int
    ended_us: Int
    node: Small
    reason: Code
    pod_class: Small
    source: Small
    replaces: Small
    fargate: Flag
    ran: Flag

    def __len__(self) -> int:
        """Return the number of pods."""
        return len(self.created_us)


@dataclass(frozen=True, slots=True)
class Nodes:
    """EC2 nodes, shape ``(nodes,)``; every instant is at most ``terminated_us``.

    The meter runs from ``launched_us`` (the request, for a node that came up without a launch being
    logged; never, for a placeholder) to ``terminated_us``: the terminate call, which puts an
    instance into ``shutting-down``, where EC2 stops charging (aws.md §0 fact 9, EC2 "Instance
    lifecycle"), or GONE for one that was interrupted. The Node object is there from ``ready_us`` to
    ``gone_us``; from ``usable_us`` its GPUs are there too, if it has any. ``unneeded_us`` begins the
    last spell in which the autoscaler found the node unneeded, if it was terminated in it.
    """

    requested_us: Int
    launched_us: Int
    ready_us: Int
    usable_us: Int
    unneeded_us: Int
    terminated_us: Int
    gone_us: Int
    group: Small
    shape: Small
    finished: Flag
    came_up: Flag
    launched: Flag

    def __len__(self) -> int:
        """Return the number of nodes."""
        return len(self.requested_us)


@dataclass(frozen=True, slots=True)
class Jobs:
    """Jobs, shape ``(jobs,)``; ``reached_us`` has one row per JobState, NEVER where not reached.

    ``state`` is the JobState in which the job ended, -1 while it goes on; ``ended_us`` is the
    end of the log then.
    """

    created_us: Int
    ended_us: Int
    state: Code
    pipeline: Small
    reached_us: Int

    def __len__(self) -> int:
        """Return the number of jobs."""
        return len(self.created_us)


@dataclass(frozen=True, slots=True)
class Claims:
    """Claims of tasks by workers, shape ``(claims,)``, sorted by worker and then time.

    ``stopped_us`` is when the work stopped (at the latest the end of the pod), ``ended_us`` when the
    end was logged; ``outcome`` is a TaskEnd, -1 while the claim goes on.
    """

    claimed_us: Int
    stopped_us: Int
    ended_us: Int
    pod: Small
    task: Small
    job: Small
    outcome: Code

    def __len__(self) -> int:
        """Return the number of claims."""
        return len(self.claimed_us)


@dataclass(frozen=True, slots=True)
class Lives:
    """Everything that lived in one replication."""

    pods: Pods
    nodes: Nodes
    jobs: Jobs
    claims: Claims


class SourceKind(IntEnum):
    """What creates pods: a pipeline, a set of plain pods, or the base load of the cluster."""

    PIPELINE = 0
    PLAIN = 1
    SYSTEM = 2


def lives(log: EventLog) -> Lives:
    """Put the whole log together."""
    pods = pod_lives(log)
    return Lives(pods, node_lives(log), job_lives(log), task_claims(log, pods))


def pod_lives(log: EventLog) -> Pods:
    """Put the pods' rows together."""
    created_us = log["pods"].column("time_us")
    count = len(created_us)
    reason = np.full(count, -1, np.int8)
    reason[_at(log, "pod_ended", "pod")] = _at(log, "pod_ended", "reason")
    ended_us = np.minimum(_once(log, "pod_ended", count), log.end_us)
    node = np.full(count, NOWHERE, np.int32)
    node[_at(log, "pod_bound", "pod")] = _at(log, "pod_bound", "node")
    fargate = np.zeros(count, np.bool_)
    fargate[log["fargate_pods"].column("pod")] = True
    node[fargate] = NOWHERE
    granted_us, ready_us = created_us, _once(log, "pod_bound", count)
    if fargate.any():  # else the same array serves twice, as with pulls below
        granted_us = np.where(fargate, _once(log, "fargate_granted", count), created_us)
        ready_us = np.where(fargate, _once(log, "fargate_ready", count), ready_us)
    running_us = _once(log, "pod_running", count)
    ran = running_us <= ended_us
    unschedulable_us = _first(log, "pod_unschedulable", "pod", count)
    for instants in (running_us, ready_us, granted_us):
        np.minimum(instants, ended_us, out=instants)
    np.minimum(unschedulable_us, ready_us, out=unschedulable_us)
    pulled_us = ready_us
    if len(log["pod_pulled"]):
        pulled_us = _once(log, "pod_pulled", count)
        np.copyto(pulled_us, ready_us, where=pulled_us == NEVER)
        np.minimum(pulled_us, running_us, out=pulled_us)
    return Pods(
        created_us=created_us,
        unschedulable_us=unschedulable_us,
        granted_us=granted_us,
        ready_us=ready_us,
        pulled_us=pulled_us,
        running_us=running_us,
        ended_us=ended_us,
        node=node,
        reason=reason,
        pod_class=_small(log, "pods", "pod_class"),
        source=_small(log, "pods", "source"),
        replaces=_small(log, "pods", "replaces"),
        fargate=fargate,
        ran=ran,
    )


def node_lives(log: EventLog) -> Nodes:
    """Put the nodes' rows together."""
    requested_us = log["nodes"].column("time_us")
    count = len(requested_us)
    rows = log["node_states"].rows()

    def first(*states: NodeState) -> Int:
        return _first_of(rows[np.isin(rows[:, 2], states)], count)

    stopped_us = first(NodeState.TERMINATING, NodeState.GONE, NodeState.FAILED)
    terminated_us = np.minimum(stopped_us, log.end_us)
    ready_us = first(NodeState.READY)
    gpus_us = first(NodeState.GPU_READY)
    usable_us = np.where(gpus_us < NEVER, gpus_us, ready_us)
    launched_us = first(NodeState.LAUNCHED)
    launched = (launched_us < NEVER) | (ready_us < NEVER)
    np.copyto(launched_us, requested_us, where=(launched_us == NEVER) & launched)
    gone_us = np.minimum(first(NodeState.GONE, NodeState.FAILED), log.end_us)
    judged = rows[np.isin(rows[:, 2], (NodeState.UNNEEDED, NodeState.NEEDED))]
    last = np.full(count, NEVER)
    last[judged[:, 1]] = np.where(judged[:, 2] == NodeState.UNNEEDED, judged[:, 0], NEVER)
    last[stopped_us == NEVER] = NEVER
    return Nodes(
        requested_us=requested_us,
        launched_us=np.minimum(launched_us, terminated_us),
        ready_us=np.minimum(ready_us, terminated_us),
        usable_us=np.minimum(usable_us, terminated_us),
        unneeded_us=np.clip(last, np.minimum(ready_us, terminated_us), terminated_us),
        terminated_us=terminated_us,
        gone_us=gone_us,
        group=_small(log, "nodes", "group"),
        shape=_small(log, "nodes", "shape"),
        finished=stopped_us < NEVER,
        came_up=ready_us < NEVER,
        launched=launched,
    )


def job_lives(log: EventLog) -> Jobs:
    """Put the jobs' rows together."""
    count = len(log["jobs"])
    rows = log["job_states"].rows()
    reached_us = np.full((len(JobState), count), NEVER)
    reached_us[rows[:, 2], rows[:, 1]] = rows[:, 0]
    reached_us[JobState.CREATED] = log["jobs"].column("time_us")
    ends = rows[np.isin(rows[:, 2], JOB_ENDS)]
    state = np.full(count, -1, np.int8)
    state[ends[:, 1]] = ends[:, 2]
    return Jobs(
        created_us=reached_us[JobState.CREATED],
        ended_us=np.minimum(reached_us[list(JOB_ENDS)].min(axis=0), log.end_us),
        state=state,
        pipeline=_small(log, "jobs", "pipeline"),
        reached_us=reached_us,
    )


def task_claims(log: EventLog, pods: Pods) -> Claims:
    """Put each claim together with its end: the k-th claim of a worker has its k-th end."""
    claims = log["task_claims"].rows()
    claims = claims[stable_order(claims[:, 2])]
    ends = log["task_ends"].rows()
    ends = ends[stable_order(ends[:, 2])]
    pod = claims[:, 2]
    ended_us = np.full(len(claims), log.end_us)
    outcome = np.full(len(claims), -1, np.int8)
    claimed, ended = (np.bincount(each, minlength=len(pods)) for each in (pod, ends[:, 2]))
    missing = np.append(0, np.cumsum(claimed - ended))[ends[:, 2]]  # ends, among the pods before
    of = np.arange(len(ends)) + missing
    ended_us[of] = ends[:, 0]
    outcome[of] = ends[:, 3]
    return Claims(
        claimed_us=claims[:, 0].copy(),
        stopped_us=np.minimum(ended_us, pods.ended_us[pod]),
        ended_us=ended_us,
        pod=pod.astype(np.int32),
        task=claims[:, 1].astype(np.int32),
        job=log["tasks"].column("job")[claims[:, 1]].astype(np.int32),
        outcome=outcome,
    )


def source_kinds(log: EventLog, plain: Sequence[str]) -> Code:
    """Return a SourceKind for each source; those in ``plain`` are plain pods, unknown ones base load."""
    kinds = {
        **dict.fromkeys(log.names["pipeline"], SourceKind.PIPELINE),
        **dict.fromkeys(plain, SourceKind.PLAIN),
    }
    return np.array([kinds.get(name, SourceKind.SYSTEM) for name in log.names["source"]], np.int8)


def _small(log: EventLog, table: str, column: str) -> Small:
    return _at(log, table, column).astype(np.int32)


def _once(log: EventLog, table: str, count: int) -> Int:
    """Return the instant of each pod's only row, NEVER where there is none."""
    instants = np.full(count, NEVER)
    instants[_at(log, table, "pod")] = _at(log, table, "time_us")
    return instants


def _first(log: EventLog, table: str, column: str, count: int) -> Int:
    """Return the first instant of each entity; rows are in order of time."""
    instants = np.full(count, NEVER)
    instants[_at(log, table, column)[::-1]] = _at(log, table, "time_us")[::-1]
    return instants


def _at(log: EventLog, table: str, column: str) -> Int:
    """Return a column where it is, for a moment: the log cannot grow while somebody has it."""
    view = log[table].view()
    return view[:, log[table].columns.index(column)]


def _first_of(rows: Int, count: int) -> Int:
    instants = np.full(count, NEVER)
    instants[rows[::-1, 1]] = rows[::-1, 0]
    return instants
