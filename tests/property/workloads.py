"""Small random workloads, as values: plain pods, repositories, pipelines; the plainest choice first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from typing import TypeVar

from hypothesis import strategies as st

from sim.model.arrivals import (
    Arrivals,
    BatchArrivals,
    BurstArrivals,
    CronArrivals,
    PoissonArrivals,
    TimesArrivals,
    TraceArrivals,
)
from sim.model.distributions import (
    Constant,
    Counts,
    Distribution,
    Empirical,
    Exponential,
    NegativeBinomial,
    Poisson,
)
from sim.model.pipelines import (
    Combine,
    CombinedInput,
    CronInput,
    DatumSetSpec,
    Input,
    Kind,
    PfsInput,
    Pipeline,
    Reprocess,
)
from sim.model.pods import Controller, Image, Pairs, PodClass, Toleration
from sim.model.resources import Resources
from sim.model.scenario import (
    BaseLoad,
    PachydermOptions,
    PipelineLoad,
    PodLoad,
    Repo,
)
from sim.model.units import MINUTE, SECOND

T = TypeVar("T")

FARGATE: Pairs = (("node", "fargate"),)
POOL: Pairs = (("pool", "work"),)
TOLERANT = (Toleration("dedicated", exists=True),)
PULLED = (Image("worker", 100_000_000), Image("pachd", 150_000_000), Image("user", 400_000_000))


def one_of(*choices: T) -> st.SearchStrategy[T]:
    return st.sampled_from(choices)


def rarely(value: T, otherwise: T) -> st.SearchStrategy[T]:
    return st.sampled_from((otherwise, otherwise, otherwise, value))


# -- arrivals ---------------------------------------------------------------------------------

SECONDS = st.integers(0, 3_600).map(lambda second: second * SECOND)
TIMES = st.lists(SECONDS, max_size=4).map(lambda times: TimesArrivals(tuple(sorted(times))))


def arrivals(per_h: float) -> st.SearchStrategy[Arrivals]:
    poisson = PoissonArrivals(per_h / 3_600)
    return TIMES | one_of(
        poisson,
        PoissonArrivals(per_h / 3_600, weights=(0.0, 3.0) * 12),
        CronArrivals("*/20 * * * *"),
        BatchArrivals(replace(poisson, per_s=poisson.per_s / 3), Constant(3)),
        BurstArrivals(per_h / 7_200, per_h / 360, quiet_s=1_800, burst_s=300),
    )


TRACE = TraceArrivals(
    source="a trace",
    times_us=(60 * SECOND, 60 * SECOND, 1_200 * SECOND),
    datums=(1, 4, 2),
    datum_s=(30.0, 200.0, 5.0),
    cpu_m=(500, 1_000, 2_000),
    memory_mib=(512, 1_024, 4_096),
    gpu=(0, 0, 0),
)


# -- pods -------------------------------------------------------------------------------------


@st.composite
def pod_classes(draw: st.DrawFn, name: str) -> PodClass:
    """Pods that may land anywhere, or nowhere."""
    requests = Resources(
        draw(one_of(1_000, 1_000, 250, 1_900, 0, 3_900)),
        draw(one_of(1_024, 1_024, 64, 6_000, 0, 16_000)),
        draw(one_of(0, 0, 0, 2_048, 30_720)),
        gpu=draw(one_of(*(0,) * 9, 1)),
    )
    return PodClass(
        name,
        requests,
        requests,
        owner=name,
        controller=draw(one_of(Controller.REPLICATION_CONTROLLER, Controller.NONE)),
        namespace="work",
        labels=draw(one_of((), (), FARGATE)),
        node_selector=draw(one_of((), (), (), POOL)),
        tolerations=draw(one_of(TOLERANT, ())),
        priority=draw(one_of(0, 0, 100, -10, -20)),
        grace_us=draw(one_of(0, 0, 30, 700)) * SECOND,
        safe_to_evict=draw(one_of(None, None, False, True)),
        local_storage=draw(st.booleans()),
        system=draw(rarely(True, False)),
        disruptions_allowed=draw(one_of(None, None, 0, 1)),
        anti_affinity=draw(rarely(True, False)),
        spread=draw(rarely(True, False)),
        images=draw(one_of((), PULLED)),
        unset_cpu_m=0 if requests.cpu_m else 100,
        unset_memory_mib=0 if requests.memory_mib else 200,
    )


DURATIONS: st.SearchStrategy[Distribution] = st.sampled_from(
    (Constant(300.0), Exponential(900.0), Constant(0.0))
)


@st.composite
def pod_loads(draw: st.DrawFn, name: str) -> PodLoad:
    traced = draw(rarely(True, False))
    return PodLoad(
        name,
        TRACE if traced else draw(arrivals(20.0)),
        draw(pod_classes(name)),
        None if traced else draw(DURATIONS),
        kept_us=draw(one_of(0, 0, 90, 86_400)) * SECOND,
    )


@st.composite
def base_loads(draw: st.DrawFn) -> BaseLoad:
    return BaseLoad(draw(pod_classes("base")), draw(st.integers(1, 3)))


# -- pipelines --------------------------------------------------------------------------------


NEW_FILES: st.SearchStrategy[Counts] = st.sampled_from(
    (Constant(3), Poisson(4.0), NegativeBinomial(8.0, 1.2), Constant(0))
)


@st.composite
def repos(draw: st.DrawFn, name: str) -> Repo:
    commits: Arrivals | None = draw(arrivals(6.0) | st.sampled_from((TRACE, None)))
    return Repo(
        name,
        files=draw(one_of(0, 1, 10)),
        commits=commits,
        new_per_commit=draw(NEW_FILES),
        changed_per_commit=draw(one_of(Constant(0), Constant(2))),
    )


@st.composite
def inputs(draw: st.DrawFn, sources: Sequence[str], outputs: Sequence[str]) -> Input:
    """One or two leaves; only sources are crossed, so that datums do not multiply without end."""
    numbers = count()

    def leaf(names: Sequence[str]) -> Input:
        if not names or draw(rarely(True, False)):
            return CronInput(f"tick{next(numbers)}", "@every 15m", overwrite=draw(st.booleans()))
        glob = draw(one_of("/*", "/*", "/"))
        return PfsInput(draw(st.sampled_from(names)), glob, reference=draw(rarely(True, False)))

    combine = draw(one_of(None, None, *Combine))
    if combine is None:
        return leaf([*outputs, *sources])
    names = sources if combine is Combine.CROSS else [*outputs, *sources]
    return CombinedInput(combine, (leaf(names), leaf(names)))


SETS = one_of(
    None,
    None,
    DatumSetSpec(number=1),
    DatumSetSpec(number=7),
    DatumSetSpec(per_worker=2),
    DatumSetSpec(size_bytes=3_000_000),
)
PEAKS: tuple[Distribution | None, ...] = (
    None,
    None,
    Constant(100.0),
    Empirical((100.0, 900.0, 1_100.0)),
    Empirical((500.0,) * 20 + (20_000.0,)),
)


DATUM_TIMES: st.SearchStrategy[Distribution] = st.sampled_from(
    (Constant(20.0), Exponential(30.0), Constant(0.0))
)
BYTES: st.SearchStrategy[Distribution] = st.sampled_from((Constant(0), Constant(1e6), Exponential(50e6)))


@st.composite
def pipelines(draw: st.DrawFn, name: str, reads: Input) -> PipelineLoad:
    spec = Pipeline(
        name,
        kind=draw(one_of(*(Kind.TRANSFORM,) * 7, Kind.SERVICE)),
        input=reads,
        parallelism=draw(st.integers(1, 6)),
        autoscaling=draw(one_of(True, True, False)),
        datum_set_spec=draw(SETS),
        datum_tries=draw(one_of(3, 1)),
        datum_timeout_us=draw(one_of(None, None, 40 * SECOND)),
        job_timeout_us=draw(one_of(None, None, 5 * MINUTE)),
        reprocess=draw(rarely(Reprocess.EVERY_JOB, Reprocess.UNTIL_SUCCESS)),
    )
    pod_class = replace(
        draw(pod_classes(name)),
        controller=Controller.REPLICATION_CONTROLLER,
        grace_us=0,
        images=PULLED,
    )
    return PipelineLoad(
        spec,
        pod_class,
        draw(DATUM_TIMES),
        memory_peak_mib=draw(one_of(*PEAKS)),
        memory_limit_mib=draw(one_of(None, 1_000)),
        sidecar_memory_mib=draw(one_of(0, 64)),
        download_bytes=draw(BYTES),
        upload_bytes=draw(BYTES),
        outputs_per_datum=draw(one_of(1, 2, 0)),
        failure=draw(one_of(0.0, 0.0, 0.3)),
        groups=draw(one_of(1.0, 0.5)),
    )


PACHYDERM = st.builds(
    PachydermOptions,
    namespace=st.just("work"),
    transfer_cap_bytes_per_s=one_of(None, 20e6),
    preprocessing_workers=one_of(1, 3),
    oom_kills_container=one_of(None, True, False),
)
