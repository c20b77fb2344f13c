"""Logs written by hand: each call adds one life, in seconds; ``log()`` puts the rows in order."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from sim.model.arrivals import TimesArrivals
from sim.model.cluster import Cluster, DaemonSet, NodeGroup
from sim.model.distributions import Constant
from sim.model.log import EventLog, JobState, NodeState, PodEnd, TaskEnd
from sim.model.pipelines import Pipeline
from sim.model.pods import PodClass
from sim.model.resources import Resources
from sim.model.scenario import PipelineLoad, PodLoad, Prices, Scenario

FREE = Prices(
    fargate_vcpu_hour=0.0,
    fargate_gib_hour=0.0,
    fargate_ephemeral_gib_hour=0.0,
    control_plane_hour=0.0,
    ebs_gib_month=0.0,
    public_ipv4_hour=0.0,
    nat_gateway_hour=0.0,
    nat_gib=0.0,
)


def us(seconds: float) -> int:
    return round(seconds * 1_000_000)


def a_group(name: str = "cpu", usd_per_hour: float = 0.36, **changes: object) -> NodeGroup:
    """Return a group of 4000m / 16000 MiB nodes; 0.36 $/h is 100 µ$ a second."""
    room = Resources(cpu_m=4000, memory_mib=16_000)
    options: dict[str, object] = {
        "capacity": room,
        "allocatable": room,
        "max_pods": 58,
        "volume_gib": 0,
        **changes,
    }
    return NodeGroup.alike(name=name, usd_per_hour=usd_per_hour, **options)  # type: ignore[arg-type]  # keywords of NodeGroup


def a_class(name: str, cpu_m: int = 1000, memory_mib: int = 1000) -> PodClass:
    requests = Resources(cpu_m=cpu_m, memory_mib=memory_mib)
    return PodClass(name=name, requests=requests, container_requests=requests, owner=name)


class World:
    """A log in the making."""

    def __init__(self, horizon_s: float = 1000.0, warmup_s: float = 0.0, drain_s: float = 0.0) -> None:
        end_s = horizon_s + drain_s
        self._log = EventLog(horizon_us=us(horizon_s), warmup_us=us(warmup_s), end_us=us(end_s))
        self._classes: dict[str, int] = {}
        self._end_s = end_s

    def name(self, kind: str, name: str) -> int:
        """Return the row of a name, added on first use."""
        names = self._log.names[kind]
        if name not in names:
            names.append(name)
        return names.index(name)

    def add(self, table: str, at_s: float | None, *rest: int) -> None:
        """Add a row, unless it never happened or comes after the end of the log."""
        if at_s is not None and at_s < self._end_s:
            self._log[table].add((us(at_s), *rest))

    def node(
        self,
        group: str = "cpu",
        requested: float = 0.0,
        launched: float | None = None,
        ready: float | None = None,
        terminated: float | None = None,
        gone: float | None = None,
        **states: float,
    ) -> int:
        """Add a node; ``states`` are other NodeStates by lower-case name."""
        node = len(self._log["nodes"])
        index = self.name("group", group)
        self.add("nodes", requested, index, node, index)
        known = {"launched": launched, "ready": ready, "terminating": terminated, "gone": gone, **states}
        for state, at_s in known.items():
            self.add("node_states", at_s, node, NodeState[state.upper()])
        return node

    def pod(
        self,
        pod_class: PodClass,
        source: str = "plain",
        created: float = 0.0,
        node: int | None = None,
        bound: float | None = None,
        running: float | None = None,
        ended: float | None = None,
        reason: PodEnd = PodEnd.COMPLETED,
        unschedulable: float | None = None,
        pulled: float | None = None,
        pulled_bytes: int = 0,
        replaces: int = -1,
    ) -> int:
        """Add a pod on EC2; a pod with ``pulled`` begins its pull when bound."""
        pod = self._created(pod_class, source, created, replaces)
        self.add("pod_unschedulable", unschedulable, pod)
        if node is not None:
            self.add("pod_bound", bound, pod, node)
        self._started(pod, bound, pulled, pulled_bytes, running)
        self.add("pod_ended", ended, pod, reason)
        return pod

    def fargate_pod(
        self,
        pod_class: PodClass,
        source: str = "plain",
        created: float = 0.0,
        granted: float | None = None,
        ready: float | None = None,
        pulled: float | None = None,
        pulled_bytes: int = 0,
        running: float | None = None,
        ended: float | None = None,
        reason: PodEnd = PodEnd.COMPLETED,
        vcpu_m: int = 1000,
        memory_mib: int = 5 * 1024,
        ephemeral_mib: int = 0,
        replaces: int = -1,
    ) -> int:
        """Add a pod on Fargate, of a size."""
        pod = self._created(pod_class, source, created, replaces)
        self.add("fargate_pods", created, pod, vcpu_m, memory_mib, ephemeral_mib)
        self.add("fargate_granted", granted, pod)
        self.add("fargate_ready", ready, pod)
        self._started(pod, ready, pulled, pulled_bytes, running)
        self.add("pod_ended", ended, pod, reason)
        return pod

    def job(self, pipeline: str, created: float, **states: float) -> int:
        """Add a job; ``states`` are JobStates by lower-case name."""
        job = len(self._log["jobs"])
        self.add("jobs", created, self.name("pipeline", pipeline), job, -1)
        self.state(job, "created", created)
        for state, at_s in states.items():
            self.state(job, state, at_s)
        return job

    def state(self, job: int, state: str, at: float) -> None:
        """Add one more state to a job."""
        self.add("job_states", at, job, JobState[state.upper()])

    def task(self, job: int, created: float, phase: int = 0, datums: int = 1) -> int:
        """Add a task of a job."""
        self.add("tasks", created, job, phase, datums)
        return len(self._log["tasks"]) - 1

    def claim(
        self, task: int, pod: int, start: float, end: float | None, outcome: TaskEnd = TaskEnd.DONE
    ) -> None:
        """Add one claim of a task."""
        self.add("task_claims", start, task, pod)
        self.add("task_ends", end, task, pod, outcome)

    def log(self) -> EventLog:
        """Return the log, events in order of time; tables whose row numbers are ids stay as added."""
        for name, table in self._log.tables.items():
            if name not in {"pod_classes", "pods", "nodes", "jobs", "tasks"} and "time_us" in table.columns:
                rows = table.rows()
                table.replace(rows[np.argsort(rows[:, 0], kind="stable")])
        return self._log

    def _created(self, pod_class: PodClass, source: str, created: float, replaces: int) -> int:
        if pod_class.name not in self._log.names["pod_class"]:
            r = pod_class.requests
            self._log["pod_classes"].add((r.cpu_m, r.memory_mib, r.ephemeral_mib, r.gpu))
        pod = len(self._log["pods"])
        self.add(
            "pods", created, self.name("pod_class", pod_class.name), self.name("source", source), replaces
        )
        return pod

    def _started(
        self, pod: int, pull: float | None, pulled: float | None, pulled_bytes: int, running: float | None
    ) -> None:
        if pulled is not None:
            self.add("image_pulls", pull, pod, pulled_bytes)
            self.add("pod_pulled", pulled, pod)
        self.add("pod_running", running, pod)


def a_scenario(
    log: EventLog,
    *groups: NodeGroup,
    prices: Prices = FREE,
    daemons: tuple[PodClass, ...] = (),
    plain: tuple[str, ...] = ("plain",),
) -> Scenario:
    """Return a scenario that fits a log: its pipelines, and plain pods called ``plain``."""
    a_pod = a_class("any")
    return Scenario(
        name="by hand",
        start=datetime(2026, 1, 5, tzinfo=UTC),
        horizon_us=log.horizon_us,
        warmup_us=log.warmup_us,
        cluster=Cluster(
            node_groups=groups or (a_group(),), daemon_sets=tuple(DaemonSet(daemon) for daemon in daemons)
        ),
        pipelines=tuple(
            PipelineLoad(Pipeline(name.rpartition("/")[2]), pod_class=a_pod, datum_s=Constant(1.0))
            for name in log.names["pipeline"]
        ),
        pods=tuple(PodLoad(name, TimesArrivals(()), a_pod) for name in plain),
        prices=prices,
    )


PLACED = ("admitted", "started")
PHASES = (
    "parallel_planned", "parallel_done", "parallel_collected", "base_finished", "serial_planned",
    "serial_done", "serial_collected", "finishing",
)  # fmt: skip
END = ("success", "failure", "killed")
SOURCES = ("plain", "base", "default/a", "default/b")


class RandomWorld(World):
    """A world in which anything legal happens: crowded nodes, lost pods, open ends."""

    def __init__(self, seed: int) -> None:
        super().__init__(horizon_s=1000.0)
        self._rng = np.random.default_rng(seed)
        self._pods_of: dict[str, list[int]] = {}
        self._pod_classes = [a_class(f"c{n}", self._upto(4000), self._upto(16_000)) for n in range(4)]
        jobs = [self.job(SOURCES[2 + n % 2], 0) for n in range(4)]
        self._tasks = [self.task(job, 0) for job in jobs]
        for _ in range(self._upto(4)):
            self._any_node()
        for _ in range(self._upto(6)):
            created, granted, ready, pulled, running, ended = self._instants(6)
            source = self._upto(4) - 1
            pod = self.fargate_pod(
                self._any_class(), SOURCES[source], created, granted, ready, pulled, 10**9, running, ended,
                vcpu_m=4000, memory_mib=16_384,
            )  # fmt: skip
            self._work(pod, source, running, ended)
        for pipeline in SOURCES[2:]:
            pods = self._pods_of.get(pipeline, [])
            for _ in range(self._upto(3)):
                self._any_job(pipeline, pods)

    def _any_node(self) -> None:
        requested, launched, ready, unneeded, terminated, gone = self._instants(6)
        node = self.node("cpu", requested, launched, ready, terminated, gone, unneeded=unneeded)
        for _ in range(self._upto(8)):
            bound, running, ended = self._instants(3, ready)
            if bound >= min(terminated, 1000.0):
                continue
            reason = PodEnd.NODE_GONE if ended > terminated else PodEnd(self._upto(3) - 1)
            ended = min(ended, terminated)
            running = min(running, ended)
            source = self._upto(4) - 1
            pod = self.pod(
                self._any_class(), SOURCES[source], requested, node, bound, running, ended, reason,
                pulled=bound, pulled_bytes=10**9,
            )  # fmt: skip
            self._work(pod, source, running, ended)

    def _work(self, pod: int, source: int, running: float, ended: float) -> None:
        """Have a worker do tasks of its pipeline's jobs one after another, the last one cut short."""
        self._pods_of.setdefault(SOURCES[source], []).append(pod)
        at = running
        for _ in range(self._upto(4)):
            start, end = self._instants(2, at)
            if source > 1 and start < min(ended, 1000.0):
                task = self._tasks[source - 2 + 2 * self._upto(2) - 2]
                outcome = TaskEnd.DONE if end <= ended else TaskEnd.WORKER_LOST
                self.claim(task, pod, start, min(end, ended), outcome)
            at = end

    def _any_job(self, pipeline: str, pods: list[int]) -> None:
        """Add a job that goes through every state, with restarts, ends somewhere, or does not end."""
        at = self._instants(30)
        job = self.job(pipeline, at[0])
        states = ["admitted", "inputs_ready", "started"] if self._upto(2) == 1 else ["inputs_ready", *PLACED]
        for _ in range(self._upto(3) - 1):
            states += [*PHASES[: self._upto(len(PHASES))], "restarted", *PLACED]
        states += [*PHASES, END[self._upto(3) - 1]]
        if self._upto(4) == 1:
            states = states[: self._upto(len(states))]
        times = [float(n) for n in np.sort(self._rng.uniform(at[0], 1000.0, len(states))).round(3)]
        for state, at_s in zip(states, times, strict=True):
            self.state(job, state, at_s)
        for at_s in (at[1], at[5]):
            if pods:
                self.add("masters", at_s, self.name("pipeline", pipeline), pods[self._upto(len(pods)) - 1])

    def _any_class(self) -> PodClass:
        return self._pod_classes[self._upto(4) - 1]

    def _upto(self, most: int) -> int:
        return int(self._rng.integers(1, most + 1))

    def _instants(self, count: int, after: float = 0.0) -> list[float]:
        """Return rising instants; some lie beyond the horizon and so never happen."""
        return sorted((after + self._rng.exponential(300.0, count)).round(6).tolist())
