"""The event log: typed columns, one table per kind of event, the only source of every result.

A row is a few 64-bit integers appended to one array, so a pod's whole life takes about a hundred
bytes and writing a row costs one call. Ids are row numbers: the n-th row of ``pods`` is pod n, of
``nodes`` node n, of ``jobs`` job n, of ``tasks`` task n. Names stand once, in ``names``; reasons
and states are the integer values of the enums below. Times are microseconds of simulated time.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from enum import IntEnum
from struct import Struct
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray


class PodEnd(IntEnum):
    """Why a pod ended."""

    COMPLETED = 0
    SCALED_DOWN = 1
    DRAINED = 2
    PREEMPTED = 3
    NODE_GONE = 4
    SPOT_INTERRUPTED = 5
    OOM_KILLED = 6


class NodeState(IntEnum):
    """Steps in a node's life after the request, which is its row in ``nodes``.

    LAUNCHED the instance runs, and costs; one that never gets there is a failed placeholder. FAILED
    the placeholder reports its error; GONE it, or the instance, is no longer listed.
    """

    LAUNCHED = 0
    READY = 1
    UNNEEDED = 2
    NEEDED = 3
    TAINTED = 4
    UNTAINTED = 5
    TERMINATING = 6
    GONE = 7
    FAILED = 8
    INTERRUPTION_NOTICE = 9
    GPU_READY = 10


class BackoffReason(IntEnum):
    """Why the autoscaler leaves a node group alone for a while."""

    TIMEOUT = 0
    OUT_OF_RESOURCES = 1


class RefusalKind(IntEnum):
    """What was refused, and so what ``subject`` is: a row of ``names["group"]`` or of ``nodes``."""

    SCALE_UP = 0
    SCALE_DOWN = 1


class Reason(IntEnum):
    """Why the autoscaler did not act, in upstream's words; NoReason ends an earlier refusal.

    Sources, 1.31.5: core/scaleup/orchestrator/skippedreasons.go and rejectedreasons.go;
    simulator/cluster.go (UnremovableReason); utils/drain/drain.go (BlockingPodReason).
    """

    NoReason = 0
    # a group that is not scaled up
    BackoffReason = 1
    MaxLimitReachedReason = 2
    NotReadyReason = 3
    MaxResourceLimitReached = 4
    NoPodsFit = 5
    # a node that is not removed
    NotAutoscaled = 10
    NotUnneededLongEnough = 11
    NotUnreadyLongEnough = 12
    NodeGroupMinSizeReached = 13
    MinimalResourceLimitExceeded = 14
    CurrentlyBeingDeleted = 15
    NotUnderutilized = 16
    NotUnneededOtherReason = 17
    RecentlyUnremovable = 18
    NoPlaceToMovePods = 19
    # a pod that blocks the removal of its node
    NotReplicated = 30
    UnmovableKubeSystemPod = 31
    NotSafeToEvictAnnotation = 32
    LocalStorageRequested = 33
    NotEnoughPdb = 34


class JobState(IntEnum):
    """Steps of a job; names follow Pachyderm's, with the instants between them that waits need.

    CREATED commit opened; INPUTS_READY all provenance FINISHED; ADMITTED by the limiter of P jobs;
    STARTED a master has it (JOB_RUNNING); PARALLEL_PLANNED and SERIAL_PLANNED preprocessing ended
    and tasks exist; PARALLEL_DONE and SERIAL_DONE the last task of the phase ended; PARALLEL_COLLECTED
    and SERIAL_COLLECTED the master has stored every result of the phase; BASE_FINISHED the base job's
    meta commit is FINISHED; FINISHING output handed to compaction; then the end. RESTARTED the master
    was lost or the base job failed: ADMITTED or STARTED and what follows are written again. The order
    of rows and what is missing when is told in ``sim/engine/pachyderm/jobs.py``.
    """

    CREATED = 0
    INPUTS_READY = 1
    ADMITTED = 2
    STARTED = 3
    PARALLEL_PLANNED = 4
    PARALLEL_DONE = 5
    BASE_FINISHED = 6
    SERIAL_PLANNED = 7
    SERIAL_DONE = 8
    FINISHING = 9
    SUCCESS = 10
    FAILURE = 11
    KILLED = 12
    UNRUNNABLE = 13
    PARALLEL_COLLECTED = 14
    SERIAL_COLLECTED = 15
    RESTARTED = 16


JOB_ENDS = (JobState.SUCCESS, JobState.FAILURE, JobState.KILLED, JobState.UNRUNNABLE)


class TaskEnd(IntEnum):
    """How one claim of a task ended; SUPERSEDED: into a dead key, a new master had issued it again."""

    DONE = 0
    WORKER_LOST = 1
    OOM_KILLED = 2
    JOB_ENDED = 3
    SUPERSEDED = 4


class PipelineState(IntEnum):
    """States of a pipeline (pachyderm.md §2.1)."""

    STARTING = 0
    STANDBY = 1
    RUNNING = 2
    CRASHING = 3
    FAILURE = 4


TABLES: dict[str, tuple[str, ...]] = {
    # one row per pod class: the requests that all its pods take of a node
    "pod_classes": ("cpu_m", "memory_mib", "ephemeral_mib", "gpu"),
    # one row per pod; source is a row of names["source"]: a pipeline or a set of plain pods
    "pods": ("time_us", "pod_class", "source", "replaces"),
    "pod_unschedulable": ("time_us", "pod"),
    "pod_bound": ("time_us", "pod", "node"),
    "image_pulls": ("time_us", "pod", "pulled_bytes"),
    "pod_pulled": ("time_us", "pod"),
    "pod_running": ("time_us", "pod"),
    "pod_ended": ("time_us", "pod", "reason"),
    # one row per EC2 instance requested or node there at the start; group: -1 for none, number: of its group
    # or, without one, of its shape, a row of names["shape"]
    "nodes": ("time_us", "group", "number", "shape"),
    "node_states": ("time_us", "node", "state"),
    # Fargate: the pod is its own node; queued at creation, granted by quota and rate, then Ready
    "fargate_pods": ("time_us", "pod", "vcpu_m", "memory_mib", "billed_ephemeral_mib"),
    "fargate_granted": ("time_us", "pod"),
    "fargate_ready": ("time_us", "pod"),
    # a pod that Fargate cannot run stays pending; reason is a row of names["reason"], one row each
    "fargate_refusals": ("time_us", "pod", "reason"),
    # autoscaler decisions
    "scale_ups": ("time_us", "look", "group", "delta", "target"),
    # what the expanders chose from; tied: left when only chance could decide
    "scale_up_options": ("time_us", "look", "group", "nodes", "pods", "tied"),
    "backoffs": ("time_us", "group", "until_us", "kind"),
    # written when the reason of a subject changes, and holds until the next row of that subject
    "refusals": ("time_us", "look", "subject", "kind", "reason"),
    # Pachyderm
    "commits": ("time_us", "repo", "new_datums", "changed_datums"),
    # base: nearest older job of the pipeline not failed at that time, -1 none; commit: a row of commits
    "jobs": ("time_us", "pipeline", "commit", "base"),
    "job_states": ("time_us", "job", "state"),
    # at the end of a job that started; base as it really was; phases that never came count nothing
    "job_datums": ("job", "parallel", "serial", "skipped", "failed", "total", "base"),
    # a worker takes the master lock, and holds it until its pod ends or its container is killed
    "masters": ("time_us", "pipeline", "pod"),
    "tasks": ("time_us", "job", "phase", "datums"),
    "task_claims": ("time_us", "task", "pod"),
    "task_ends": ("time_us", "task", "pod", "outcome"),
    # a task can be claimed again: its lost claim has lapsed, or a new master has issued it again
    "task_requeues": ("time_us", "task"),
    "pipeline_states": ("time_us", "pipeline", "state"),
    "replicas": ("time_us", "pipeline", "target"),
}


class Table:
    """Rows of one kind of event; ``add`` takes a tuple with one integer per column.

    ``append(row(...))`` does the same in half the time, for those who write several rows a pod.
    """

    __slots__ = ("_data", "add", "append", "columns", "row")

    def __init__(self, columns: tuple[str, ...]) -> None:
        """Start empty."""
        self.columns = columns
        self._data = array("q")
        self.add: Callable[[tuple[int, ...]], None] = self._data.extend
        self.append: Callable[[bytes | memoryview], None] = self._data.frombytes
        self.row: Callable[..., bytes] = Struct(f"{len(columns)}q").pack

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self._data) // len(self.columns)

    @property
    def nbytes(self) -> int:
        """Return the bytes that the rows take."""
        return len(self._data) * self._data.itemsize

    def rows(self) -> NDArray[np.int64]:
        """Return all rows, shape ``(rows, columns)``; a copy, so that the log can go on growing."""
        return self.view().copy()

    def column(self, name: str) -> NDArray[np.int64]:
        """Return one column, shape ``(rows,)``; a copy as well."""
        return self.view()[:, self.columns.index(name)].copy()

    def where(self, name: str, value: int) -> NDArray[np.int64]:
        """Return the rows that have a value in one column, shape ``(rows, columns)``."""
        view = self.view()
        rows: NDArray[np.int64] = view[view[:, self.columns.index(name)] == value]
        return rows

    def view(self) -> NDArray[np.int64]:
        """Return all rows where they are; the log cannot grow while somebody has them."""
        return np.frombuffer(self._data, np.int64).reshape(-1, len(self.columns))

    def first(self, rows: int) -> Table:
        """Return the first rows, as a table of their own."""
        table = Table(self.columns)
        table.append(memoryview(self._data).cast("B")[: rows * len(self.columns) * self._data.itemsize])
        return table

    def replace(self, rows: NDArray[np.int64]) -> None:
        """Put ``rows``, shape ``(rows, columns)``, in place of what is here."""
        self._data[:] = array("q", rows.astype(np.int64).tobytes())


@dataclass(slots=True)
class EventLog:
    """All tables of one replication, and the names that ids stand for.

    It was simulated to ``end_us``: the horizon, or later, where counted work was not done by then.
    """

    tables: dict[str, Table] = field(
        default_factory=lambda: {name: Table(columns) for name, columns in TABLES.items()}
    )
    names: dict[str, list[str]] = field(
        default_factory=lambda: {
            kind: [] for kind in ("pod_class", "source", "group", "shape", "pipeline", "repo", "reason")
        }
    )
    horizon_us: int = 0
    warmup_us: int = 0
    end_us: int = 0

    def __post_init__(self) -> None:
        """End at the horizon, unless told otherwise."""
        self.end_us = max(self.end_us, self.horizon_us)

    def to_horizon(self) -> EventLog:
        """Return the log as it was at the horizon; tables without times, as ``job_datums``, stay whole."""
        if self.end_us == self.horizon_us:
            return self
        tables = {name: _before(table, self.horizon_us) for name, table in self.tables.items()}
        return EventLog(tables, self.names, self.horizon_us, self.warmup_us)

    def __getitem__(self, table: str) -> Table:
        """Return one table."""
        return self.tables[table]

    @property
    def nbytes(self) -> int:
        """Return the bytes that all rows take."""
        return sum(table.nbytes for table in self.tables.values())


def _before(table: Table, at_us: int) -> Table:
    """Return the rows before an instant; those of a table without time are all of them."""
    if table.columns[0] != "time_us":
        return table
    return table.first(int(np.searchsorted(table.view()[:, 0], at_us)))
