"""Small random worlds, as values: everything a scenario may say that could upset the books.

Each draw lists the plainest choice first, so that a failing world shrinks to a plain one. Latencies keep
their random defaults; sizes, quotas and timers are small, so that an hour or two holds scale-ups, drains,
failures and restarts.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import strategies as st

from sim.catalog import Catalog
from sim.model.autoscaler import VERSIONS, AutoscalerOptions, Orders, options_for
from sim.model.cluster import (
    Cluster,
    DaemonSet,
    FailMode,
    FailWindow,
    FargateProfile,
    FargateQuotas,
    NodeGroup,
    ScheduledMinimum,
    SchedulerKind,
    SchedulerOptions,
    Selector,
)
from sim.model.distributions import Constant
from sim.model.machines import Volume, VolumeRates
from sim.model.pods import Controller, Effect, PodClass, Taint, Toleration
from sim.model.resources import Resources
from sim.model.scenario import PipelineLoad, Prices, Scenario
from sim.model.units import HOUR, MINUTE, SECOND
from tests.property.workloads import (
    FARGATE,
    PACHYDERM,
    POOL,
    base_loads,
    inputs,
    one_of,
    pipelines,
    pod_loads,
    rarely,
    repos,
)

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
SIZES = Catalog().fargate_sizes()[::6]  # a dozen are enough, and a failing world stays readable
DEDICATED = Taint("dedicated", "work")
SOFT = Taint("dedicated", "work", Effect.PREFER_NO_SCHEDULE)
EVERYWHERE = (Toleration(exists=True),)

# nominal, allocatable, most pods
MACHINES = (
    (Resources(4_000, 16_384, 81_920), Resources(3_920, 14_162, 72_704), 58),
    (Resources(2_000, 8_192, 81_920), Resources(1_930, 7_031, 72_704), 29),
    (Resources(8_000, 32_768, 81_920), Resources(7_910, 28_624, 72_704), 6),
    (Resources(4_000, 16_384, 81_920, gpu=1), Resources(3_920, 14_481, 72_704, gpu=1), 29),
)


FAST_DISK, FASTER_DISK = Volume(100, "gp3", 16_000, 1_000), Volume(50, "io2", 70_000)
DISKS = st.lists(st.sampled_from((Volume(), FAST_DISK, FASTER_DISK)), max_size=2).map(tuple)
IO2 = ("io2", VolumeRates(0.125, ((0, 0.065), (32_000, 0.0455), (64_000, 0.03185))))


# -- cluster ----------------------------------------------------------------------------------


@st.composite
def node_groups(draw: st.DrawFn, number: int) -> NodeGroup:
    nominal, allocatable, max_pods = draw(one_of(*MACHINES))
    max_size = draw(st.integers(1, 4))
    initial = draw(st.integers(0, max_size))
    min_size = draw(st.integers(0, initial))
    group = NodeGroup.alike(
        f"group-{number}",
        nominal,
        allocatable,
        max_pods,
        min_size=min_size,
        max_size=max_size,
        initial=initial,
        labels=draw(one_of(POOL, POOL, ())),
        taints=draw(one_of((), (), (), (), (DEDICATED,), (SOFT,))),
        zone=draw(one_of("", "a", "b")),
        template=draw(one_of(None, nominal)),
        template_pods=draw(one_of(None, 110)),
        usd_per_hour=0.192,
        fail_windows=draw(rarely(draw(st.tuples(fail_windows())), ())),
        scheduled_minimums=draw(rarely(minimums(max_size), ())),
        deletion_s=draw(one_of(None, Constant(0.0), Constant(90.0))),
    )
    if draw(st.booleans()):
        return group
    shape = replace(group.shape, spot=draw(st.booleans()), volumes=draw(DISKS), public_ip=draw(st.booleans()))
    if not shape.spot:
        return replace(group, shapes=(shape,))
    shape = replace(shape, interruptions_per_hour=draw(one_of(0.5, 3.0)))
    return replace(group, shapes=(shape,))


@st.composite
def fail_windows(draw: st.DrawFn) -> FailWindow:
    from_us = draw(one_of(0, 20 * MINUTE))
    return FailWindow(
        from_us,
        from_us + 30 * MINUTE,
        draw(one_of(FailMode.ERROR, FailMode.NEVER)),
        after_us=draw(one_of(0, 45 * SECOND)),
        allow=draw(one_of(0, 1)),
    )


def minimums(max_size: int) -> tuple[ScheduledMinimum, ...]:
    return ScheduledMinimum("10 * * * *", max_size), ScheduledMinimum("40 * * * *", 0)


@st.composite
def autoscalers(draw: st.DrawFn) -> AutoscalerOptions:
    return replace(
        options_for(draw(one_of("1.33", *VERSIONS))),
        enabled=draw(rarely(False, True)),
        scan_interval_us=draw(one_of(10, 10, 30)) * SECOND,
        expander=draw(one_of(("least-waste",), ("random",), ("most-pods", "least-nodes"), ("priority",))),
        expander_priorities=((10, (".*0",)), (20, (".*1",))),
        orders=draw(one_of(Orders.PINNED, Orders.RANDOM)),
        balance_similar_node_groups=draw(st.booleans()),
        skip_nodes_with_local_storage=draw(st.booleans()),
        scale_down_unneeded_time_us=draw(one_of(1, 10)) * MINUTE,
        scale_down_delay_after_add_us=draw(one_of(1, 10)) * MINUTE,
        scale_down_delay_type_local=draw(st.booleans()),
        scale_down_utilization_threshold=draw(one_of(0.5, 0.9)),
        max_drain_parallelism=draw(one_of(1, 3)),
        max_nodes_total=draw(one_of(0, 3)),
        max_node_provision_time_us=draw(one_of(15, 2)) * MINUTE,
        node_deletion_batcher_interval_us=draw(one_of(0, 5)) * SECOND,
        new_pod_scale_up_delay_us=draw(one_of(0, 20)) * SECOND,
        enforce_node_group_min_size=draw(st.booleans()),
    )


QUOTAS = st.builds(
    FargateQuotas,
    vcpu=one_of(6.0, 1.0, 20.0),
    launch_burst=one_of(100, 1),
    launch_per_s=one_of(20.0, 0.02),
)
SCHEDULERS = st.builds(
    SchedulerOptions,
    kind=one_of(SchedulerKind.FIRST_FIT, SchedulerKind.UPSTREAM, SchedulerKind.UPSTREAM),
    initial_backoff_us=one_of(1_000_000, 0),
)


@st.composite
def clusters(draw: st.DrawFn) -> Cluster:
    daemon = PodClass(
        "daemon",
        Resources(150, 64),
        Resources(150, 64),
        owner="daemon",
        controller=Controller.DAEMON_SET,
        namespace="kube-system",
        tolerations=draw(one_of((), EVERYWHERE)),
        node_selector=draw(one_of((), (), POOL)),
    )
    return Cluster(
        kubernetes_version=draw(one_of("1.33", "1.27")),
        node_groups=tuple(draw(node_groups(number)) for number in range(draw(one_of(1, 1, 2, 3, 0)))),
        fargate_profiles=(FargateProfile("profile", (Selector("work*", FARGATE),)),),
        fargate_quotas=draw(QUOTAS),
        fargate_sizes=SIZES,
        daemon_sets=draw(one_of((), (DaemonSet(daemon),))),
        autoscaler=draw(autoscalers()),
        scheduler=draw(SCHEDULERS),
    )


@st.composite
def scenarios(draw: st.DrawFn) -> Scenario:
    """Draw a whole world; it lasts an hour mostly, sometimes more."""
    sources = [f"repo-{number}" for number in range(draw(one_of(1, 2, 0)))]
    loads: list[PipelineLoad] = []
    for number in range(draw(one_of(1, 2, 3, 4, 0))):
        outputs = [load.pipeline.name for load in loads]
        loads.append(draw(pipelines(f"pipeline-{number}", draw(inputs(sources, outputs)))))
    horizon_us = draw(one_of(1, 1, 1, 2, 4)) * HOUR
    return Scenario(
        "world",
        MONDAY,
        horizon_us,
        draw(clusters()),
        warmup_us=draw(one_of(0, horizon_us // 2)),
        pachyderm=draw(PACHYDERM),
        repos=tuple(draw(repos(name)) for name in sources),
        pipelines=tuple(loads),
        pods=tuple(draw(pod_loads(f"pods-{number}")) for number in range(draw(one_of(0, 1, 2)))),
        base_load=tuple(draw(st.lists(base_loads(), max_size=1))),
        prices=draw(
            one_of(
                Prices(other_volumes=(IO2,)),
                Prices(
                    other_volumes=(IO2,),
                    ec2_discount=0.3,
                    fargate_discount=0.2,
                    nat_gateways=2,
                    pulls_through_nat=False,
                    extended_from_us=30 * MINUTE,
                ),
            )
        ),
    )
