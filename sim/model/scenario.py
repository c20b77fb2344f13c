"""The scenario: everything one simulation needs, resolved and validated.

The loader turns a scenario file into these values: units parsed, real formats read, instance facts
and prices looked up. Nothing here is optional for the engine; what the file leaves out has
upstream's default or a modelling assumption that ``check`` prints with its source.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any

from sim.model.arrivals import Arrivals
from sim.model.cluster import Cluster
from sim.model.distributions import Constant, Counts, Distribution, Uniform
from sim.model.latency import Latencies
from sim.model.layout import FLAT, Layout
from sim.model.machines import FargateRates, VolumeRates
from sim.model.pipelines import Pipeline
from sim.model.pods import Image, PodClass
from sim.model.units import MB


@dataclass(frozen=True, slots=True)
class PachydermOptions:
    """How pachd behaves: constants of pachyderm.md §9 from upstream's source, and what to calibrate.

    Upstream: ``poll`` … ``lease_silence``. Unverified, to calibrate from history: ``state_change_s``
    (row change to controller step), ``standby_s`` (FINISHING to replicas 0), ``task_overhead_s``
    (master, serial, per finished task), ``preprocessing_s`` and ``preprocessing_per_datum_s`` (per
    phase), ``compaction_s`` and ``compaction_bytes_per_s``.
    ``preprocessing_workers`` take one job's phase at a time: pachd itself, more with pachw (§3.2).
    ``oom_kills_container``: None follows Kubernetes, whose 1.28 began to kill the container and not
    only the user's process (§4).
    """

    version: str = "2.11"
    namespace: str = "default"
    poll_us: int = 2_000_000
    scale_up_interval_us: int = 30_000_000
    crashing_backoff_us: int = 15_000_000
    master_lock_us: int = 15_000_000
    lease_silence_s: Distribution = Uniform(20.0, 30.0)
    state_change_s: Distribution = Constant(0.2)
    standby_s: Distribution = Constant(1.0)
    task_overhead_s: Distribution = Constant(0.02)
    preprocessing_s: Distribution = Constant(0.5)
    preprocessing_per_datum_s: float = 0.00005
    preprocessing_workers: int = 1
    job_restart_s: Distribution = Uniform(0.25, 0.75)
    compaction_s: Distribution = Constant(2.0)
    compaction_bytes_per_s: float = 100.0 * MB
    transfer_bytes_per_s: float = 100.0 * MB
    transfer_cap_bytes_per_s: float | None = None
    oom_kills_container: bool | None = None


@dataclass(frozen=True, slots=True)
class Repo:
    """A source repository: what it holds at the start and what each commit brings.

    Counts are of files, each ``file_bytes`` large where that is known; ``layout`` says where they lie, from
    which globs of several depths make their datums. Commits are made on ``branch``.
    """

    name: str
    project: str = "default"
    files: int = 0
    commits: Arrivals | None = None
    new_per_commit: Counts = Constant(1)
    changed_per_commit: Counts = Constant(0)
    branch: str = "master"
    layout: Layout = FLAT
    file_bytes: int = 0


@dataclass(frozen=True, slots=True)
class PipelineLoad:
    """A pipeline and what its datums cost: seconds of user code, bytes in and out, peak memory.

    ``outputs_per_datum`` files appear in the output repo for each datum, which the next pipeline's
    glob sees, and lie as ``output_layout`` says. ``failure`` is the chance that one attempt of a
    datum's user code fails.
    ``recovers``: the spec's err_cmd, where it has one, succeeds. ``egress_s`` is how long egress takes.
    ``join_matches`` and ``groups`` state what no spec can: how many datums a join or group yields
    per new file of its first input. ``datum_s`` None takes each datum's seconds from the trace that
    feeds the repository. ``sidecar_memory_mib`` is what the storage container takes of a pod's memory
    where no limit says what the user container may use.
    """

    pipeline: Pipeline
    pod_class: PodClass
    datum_s: Distribution | None
    memory_peak_mib: Distribution | None = None
    memory_limit_mib: int | None = None
    sidecar_memory_mib: int = 0
    download_bytes: Distribution = Constant(0)
    upload_bytes: Distribution = Constant(0)
    outputs_per_datum: int = 1
    failure: float = 0.0
    join_matches: float = 1.0
    groups: float = 1.0
    output_layout: Layout = FLAT
    recovers: bool = True
    egress_s: Distribution = Constant(0)


@dataclass(frozen=True, slots=True)
class PodLoad:
    """Plain pods: what arrives, when, and for how long each runs (None: from the trace).

    ``dropped`` holds the rows of a trace that fit nowhere, each as its instant and how many pods it has: they
    are not simulated, and count as pods that never start. ``kept_us`` is how long a pod is there after it
    completed, until it is deleted: on Fargate it is billed until then (aws.md §0 fact 5).
    """

    name: str
    arrivals: Arrivals
    pod_class: PodClass
    duration_s: Distribution | None = None
    kept_us: int = 0
    dropped: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class BaseLoad:
    """Pods that are there from the start and never end: pachd, etcd, coredns and the like."""

    pod_class: PodClass
    replicas: int = 1


@dataclass(frozen=True, slots=True)
class Prices:
    """Prices of one region (EC2 prices stand on the node groups); discounts are shares off.

    The control plane costs ``control_plane_extended_hour`` from ``extended_from_us`` on, the instant at which
    its version leaves standard support; None: it does not. ``ebs_…`` are of gp3, ``other_volumes`` has the
    other types that the cluster uses. ``notes`` name the rows whose status is below ``verified``.
    """

    fargate_vcpu_hour: float = 0.04048
    fargate_gib_hour: float = 0.004445
    fargate_ephemeral_gib_hour: float = 0.000111
    control_plane_hour: float = 0.10
    control_plane_extended_hour: float = 0.60
    extended_from_us: int | None = None
    ebs_gib_month: float = 0.08
    ebs_iops_month: float = 0.005
    ebs_throughput_month: float = 0.04
    other_volumes: tuple[tuple[str, VolumeRates], ...] = ()
    public_ipv4_hour: float = 0.005
    nat_gateway_hour: float = 0.045
    nat_gib: float = 0.045
    nat_gateways: int = 1
    pulls_through_nat: bool = True
    ec2_discount: float = 0.0
    fargate_discount: float = 0.0
    date: str = ""
    notes: tuple[str, ...] = ()

    def volume_rates(self, kind: str) -> VolumeRates:
        """Return what a volume type costs a month; gp3 includes 3000 IOPS and 125 MiB/s (aws.md §5)."""
        if kind == "gp3":
            above = ((3000, self.ebs_iops_month),), ((125, self.ebs_throughput_month),)
            return VolumeRates(self.ebs_gib_month, *above)
        return dict(self.other_volumes)[kind]

    @property
    def fargate_rates(self) -> FargateRates:
        """What Fargate costs after discounts, which leave ephemeral storage as it is (aws.md §4)."""
        keep = 1.0 - self.fargate_discount
        return FargateRates(
            self.fargate_vcpu_hour * keep, self.fargate_gib_hour * keep, self.fargate_ephemeral_gib_hour
        )


@dataclass(frozen=True, slots=True)
class Slo:
    """A target: quantile ``quantile`` of a pipeline's job latency (all pipelines: "") at most this."""

    quantile: float
    at_most_s: float
    pipeline: str = ""


@dataclass(frozen=True, slots=True)
class Assumption:
    """One thing in force that the file does not say: what, how much, and where it is from."""

    field: str
    value: str
    source: str


@dataclass(frozen=True, slots=True)
class Origin:
    """What a scenario was read from: the document as plain values, and what is to lie beside it by name.

    ``files`` say where each was found; ``texts`` are files that ``--set`` changed. ``bases`` say, by the
    place in the document (``cluster.eksctl``, ``pipelines[2].spec``), which file ``--set`` reached into.
    """

    document: Any
    files: tuple[tuple[str, str], ...] = ()
    texts: tuple[tuple[str, str], ...] = ()
    bases: tuple[tuple[str, str], ...] = ()


class WarmUp(Enum):
    """Where the warm-up comes from; AUTO until it has been looked for."""

    GIVEN = "given"
    AUTO = "auto"
    FOUND = "found"
    NOT_FOUND = "not found"


@dataclass(frozen=True, slots=True)
class Scenario:
    """One question put to the simulator.

    ``drain_us`` is how long the simulation may go on past the horizon, uncounted, until the work that was
    created between warm-up and horizon is done; None: as long as these are apart. ``measured`` names
    metrics that are wanted besides the usual ones (`sim.model.metrics`).
    ``finite``: its span is the whole story, and nobody asks what comes after it. ``age_us``: for how long the
    same arrivals have come already; repositories hold what that brought, as done.
    """

    name: str
    start: datetime
    horizon_us: int
    cluster: Cluster
    warmup_us: int = 0
    warmup_is: WarmUp = WarmUp.GIVEN
    drain_us: int | None = 0
    seed: int = 1
    question: str = ""
    pachyderm: PachydermOptions = PachydermOptions()
    repos: tuple[Repo, ...] = ()
    pipelines: tuple[PipelineLoad, ...] = ()
    pods: tuple[PodLoad, ...] = ()
    base_load: tuple[BaseLoad, ...] = ()
    latency: Latencies = Latencies()
    prices: Prices = Prices()
    slos: tuple[Slo, ...] = ()
    images: tuple[Image, ...] = ()
    finite: bool = False
    age_us: int = 0
    assumptions: tuple[Assumption, ...] = ()
    warnings: tuple[str, ...] = ()
    measured: tuple[str, ...] = ()
    origin: Origin | None = field(default=None, compare=False, repr=False)

    @property
    def window_us(self) -> int:
        """Return how long it is counted."""
        return self.horizon_us - self.warmup_us

    @property
    def last_us(self) -> int:
        """Return the instant at which the simulation ends whatever is not done."""
        return self.horizon_us + (self.window_us if self.drain_us is None else self.drain_us)
