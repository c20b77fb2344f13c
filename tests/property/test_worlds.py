"""Whatever the world: the log is consistent, the bill closes, the waits sum, the same seed repeats itself."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.engine.cluster_autoscaler.autoscaler import Autoscaler
from sim.engine.run import simulate
from sim.model.arrivals import PoissonArrivals, TraceArrivals
from sim.model.cluster import Cluster, FargateProfile, FargateQuotas, Selector
from sim.model.distributions import Constant
from sim.model.log import EventLog, NodeState, PodEnd
from sim.model.machines import Volume
from sim.model.pipelines import PfsInput, Pipeline
from sim.model.pods import Controller, PodClass
from sim.model.resources import Resources
from sim.model.scenario import PipelineLoad, PodLoad, Repo, Scenario
from sim.model.units import HOUR, SECOND
from sim.report.arrays import Float
from sim.report.bill import make_bill
from sim.report.intervals import lives
from sim.report.starts import start_steps
from sim.report.waits import job_waits
from sim.report.work_cost import work_usd
from tests.property import cluster_checks, pachyderm_checks
from tests.property.ledger import Ledger
from tests.property.thorough import thorough_looks
from tests.property.workloads import pod_loads
from tests.property.worlds import FAST_DISK, FASTER_DISK, MONDAY, SIZES, scenarios

SEED = 1
SPEED_USD_PER_MONTH = {Volume(): 0.0, FAST_DISK: 65 + 35.0, FASTER_DISK: 2_080 + 1_456 + 191.1}  # aws.md §5
CHECKS = [*cluster_checks.CHECKS, *pachyderm_checks.CHECKS]
EXTRA = Repo("extra-images", commits=PoissonArrivals(40 / 3_600))
WORKER = PodClass("extra-v1", Resources(500, 512), Resources(500, 512), owner="extra-v1")


@settings(max_examples=120)
@given(scenarios(), st.sampled_from((0, None)))
def test_the_books_balance(scenario: Scenario, drain_us: int | None) -> None:
    """Of the whole log, to the end of the drain if there is one."""
    scenario = replace(scenario, drain_us=drain_us)
    log = simulate(scenario, SEED, checks=True)
    ledger = Ledger(scenario, log)
    for check in CHECKS:
        check(ledger)
    check_bill(scenario, log)
    check_invoice(ledger)
    check_waits(log)
    check_work_cost(scenario, log)


def check_bill(scenario: Scenario, log: EventLog) -> None:
    """Both splits sum to the invoice, of the whole run and of what follows the warm-up."""
    for from_us in (0, scenario.warmup_us):
        bill = make_bill(log, scenario, lives(log), from_us)
        close = pytest.approx(bill.total_usd, rel=1e-9, abs=1e-12)
        assert bill.by_use.sum() == close
        assert bill.by_source.sum() == close
        assert min(bill.items.values()) >= 0
        assert bill.by_source.min() > -1e-9
        assert bill.by_job.min(initial=0.0) > -1e-9
        check_jobs_are_part_of_their_pipelines(log, bill.by_source, bill.by_job)
        assert bill.pieces.asked_usd <= bill.pieces.nodes_usd * (1 + 1e-9)
        of_jobs = (bill.pieces.on_nodes + bill.pieces.elsewhere)[: len(bill.by_job)]
        assert (of_jobs <= bill.by_job.sum(axis=1) + 1e-9).all()


def check_work_cost(scenario: Scenario, log: EventLog) -> None:
    """Add up what is nobody's in the window's bill, and all that counted jobs and plain pods ever cost."""
    to_horizon = log.to_horizon()
    bill = make_bill(to_horizon, scenario, lives(to_horizon), log.warmup_us)
    ever = make_bill(log, scenario, lives(log))
    raised = ever.pieces.nodes_usd / ever.pieces.asked_usd if ever.pieces.asked_usd else 1.0
    pods = log["pods"].rows()
    begun_us = pods[:, 0].copy()
    for pod, replaced in enumerate(pods[:, 3].tolist()):
        if replaced >= 0:
            begun_us[pod] = begun_us[replaced]
    names = [load.name for load in scenario.pods]
    plain = np.isin(pods[:, 2], [row for row, name in enumerate(log.names["source"]) if name in names])
    nobodys_usd, works_usd = bill.total_usd, 0.0
    for all_of_it in (False, True):
        of = ever if all_of_it else bill
        usd = of.pieces.on_nodes * raised + of.pieces.elsewhere
        jobs = len(of.by_job)
        for paid, at_us in (
            (usd[:jobs], log["jobs"].column("time_us")[:jobs]),
            (usd[jobs:], np.where(plain, begun_us, -1)[: len(usd) - jobs]),
        ):
            if all_of_it:
                works_usd += paid[(at_us >= log.warmup_us) & (at_us < log.horizon_us)].sum()
            else:
                nobodys_usd -= paid[at_us >= 0].sum()
    found = work_usd(log, scenario, lives(log), bill)
    assert found == pytest.approx(nobodys_usd + works_usd, rel=1e-9, abs=1e-9)


def check_invoice(ledger: Ledger) -> None:
    """Add the invoice up a second time, meter by meter (aws.md §4 and §5)."""
    scenario, end_us = ledger.scenario, ledger.log.end_us
    prices, hours = scenario.prices, ledger.log.end_us / HOUR
    items = make_bill(ledger.log, scenario, lives(ledger.log)).items
    kept_us = {load.name: load.kept_us for load in scenario.pods}
    source = [ledger.log.names["source"][row[2]] for row in ledger.rows("pods")]
    deleted: dict[int, int | None] = {}
    for ended_us, pod, reason in ledger.rows("pod_ended"):
        later_us = kept_us.get(source[pod], 0) if reason == PodEnd.COMPLETED else 0
        deleted[pod] = ended_us + later_us if not later_us or ended_us + later_us < end_us else None
    ec2 = ebs = speed = addresses = fargate = 0.0
    stopped = ledger.first(NodeState.TERMINATING, NodeState.GONE)
    for node, launched_us in ledger.first(NodeState.LAUNCHED).items():
        group = ledger.group_of(node)
        metered_h = metered_s(launched_us, stopped.get(node), end_us) / 3_600
        ec2 += metered_h * group.usd_per_hour * (1 if group.spot else 1 - prices.ec2_discount)
        for disk in group.shape.volumes or (Volume(group.volume_gib),):
            ebs += metered_h * disk.gib * (0.125 if disk.kind == "io2" else 0.08) / 730
            speed += metered_h * SPEED_USD_PER_MONTH[disk] / 730
        addresses += metered_h * group.shape.public_ip * 0.005
    started = ledger.once("fargate_ready")
    for _, pod, vcpu_m, memory_mib, storage_mib in ledger.rows("fargate_pods"):
        if pod in started:
            size = vcpu_m / 1_000 * prices.fargate_vcpu_hour + memory_mib / 1_024 * prices.fargate_gib_hour
            storage = storage_mib / 1_024 * prices.fargate_ephemeral_gib_hour
            metered_h = metered_s(started[pod], deleted.get(pod), end_us) / 3_600
            fargate += metered_h * (size * (1 - prices.fargate_discount) + storage)
    bound = {row[1]: row[2] for row in ledger.rows("pod_bound")}
    pulled_gib = 0.0
    for _, pod, size_bytes in (row[:3] for row in ledger.rows("image_pulls")):
        if pod not in bound or not ledger.group_of(bound[pod]).shape.public_ip:
            pulled_gib += size_bytes / 1_024**3
    extended_h = 0.0 if prices.extended_from_us is None else max(0.0, hours - 0.5)
    expected = {
        "ec2": ec2,
        "ebs": ebs,
        "ebs_performance": speed,
        "public_ipv4": addresses + prices.nat_gateways * 0.005 * hours,
        "fargate": fargate,
        "control_plane": 0.10 * hours + 0.50 * extended_h,
        "nat_hours": prices.nat_gateways * prices.nat_gateway_hour * hours,
        "nat_data": pulled_gib * prices.nat_gib * prices.pulls_through_nat,
    }
    assert items == pytest.approx(expected, rel=1e-9, abs=1e-12)


def metered_s(from_us: int, until_us: int | None, horizon_us: int) -> float:
    """Return the seconds charged: rounded up and a minute at least once the meter has stopped."""
    if until_us is None:
        return (horizon_us - from_us) / SECOND
    return max(60, -(-(until_us - from_us) // SECOND))


def check_jobs_are_part_of_their_pipelines(log: EventLog, by_source: Float, by_job: Float) -> None:
    names = log.names
    of_jobs = np.zeros_like(by_source)
    sources = np.array([names["source"].index(name) for name in names["pipeline"]], np.int64)
    np.add.at(of_jobs, sources[log["jobs"].column("pipeline")], by_job)
    assert (of_jobs <= by_source + 1e-9).all()


def check_waits(log: EventLog) -> None:
    """Follow a job's waits from its commit to its end, and a pod's steps from creation to Running."""
    lived = lives(log)
    waits = job_waits(log, lived)
    ended = lived.jobs.state >= 0
    took_us = np.where(ended, lived.jobs.ended_us - lived.jobs.created_us, 0)
    assert waits.total_us(len(lived.jobs)).sum(axis=1).tolist() == took_us.tolist()
    touching = waits.job[1:] == waits.job[:-1]
    assert (waits.from_us[1:][touching] == waits.to_us[:-1][touching]).all()
    assert (waits.from_us < waits.to_us).all()
    steps = start_steps(log, lived, np.arange(len(lived.pods)))
    assert (np.diff(steps, axis=0) >= 0).all()
    assert (steps[0] == lived.pods.created_us).all()
    assert (steps[-1] == lived.pods.running_us).all()


# -- the same day again -----------------------------------------------------------------------


@settings(max_examples=20)
@given(scenarios())
def test_the_same_seed_gives_the_same_log_byte_for_byte(scenario: Scenario) -> None:
    assert_alike(simulate(scenario, SEED, 3), simulate(scenario, SEED, 3, checks=True))


def assert_alike(once: EventLog, again: EventLog) -> None:
    assert once.names == again.names
    for name in once.tables:
        assert once[name].rows().tobytes() == again[name].rows().tobytes(), name


@settings(max_examples=20)
@given(scenarios())
def test_the_drain_moves_nothing_before_the_horizon(scenario: Scenario) -> None:
    undrained, drained = (simulate(replace(scenario, drain_us=us), SEED) for us in (0, None))
    before = drained.to_horizon()
    for name, table in undrained.tables.items():
        assert table.rows().tobytes() == before[name].rows()[: len(table)].tobytes(), name
        assert len(table) == len(before[name]) or "time_us" not in table.columns, name


@settings(max_examples=20)
@given(scenarios())
def test_what_the_autoscaler_leaves_out_changes_nothing(scenario: Scenario) -> None:
    skipping = simulate(scenario, SEED)
    naive = patch("sim.engine.run.Autoscaler", partial(Autoscaler, skip_quiet_looks=False))
    with naive, thorough_looks(scenario.cluster.autoscaler):
        looking = simulate(scenario, SEED)
    assert_alike(skipping, looking)


@settings(max_examples=20)
@given(scenarios())
def test_replications_and_seeds_are_other_days(scenario: Scenario) -> None:
    """At 40 commits an hour, two days alike in every microsecond would be a bug, not chance."""
    scenario = replace(scenario, repos=(*scenario.repos, replace(EXTRA, name="busy")))
    days = [arrivals_of(simulate(scenario, *day), "busy") for day in ((1, 0), (1, 1), (2, 0))]
    assert days[0] != days[1] != days[2] != days[0]


@settings(max_examples=20)
@given(scenarios(), pod_loads("pods-9"))
def test_adding_a_source_moves_no_other(scenario: Scenario, pods: PodLoad) -> None:
    """Common random numbers: another repository, another pipeline, other pods, the same arrivals."""
    reader = PipelineLoad(Pipeline("extra", input=PfsInput(EXTRA.name, "/*")), WORKER, Constant(10.0))
    more = replace(
        scenario,
        repos=(EXTRA, *scenario.repos),
        pipelines=(reader, *scenario.pipelines),
        pods=(pods, *scenario.pods),
    )
    alone, beside = simulate(scenario, SEED), simulate(more, SEED)
    assert arrivals_of(beside, EXTRA.name)
    for name in alone.names["repo"]:
        assert arrivals_of(alone, name) == arrivals_of(beside, name), name
    for load in scenario.pods:
        assert created(alone, load.name) == created(beside, load.name), load.name


def arrivals_of(log: EventLog, repo: str) -> list[list[int]]:
    """Return when each commit came to a repository, with what it brought."""
    index = log.names["repo"].index(repo)
    return [[row[0], *row[2:]] for row in log["commits"].rows().tolist() if row[1] == index]


def created(log: EventLog, source: str) -> list[int]:
    """Return when pods of a source came, replacements apart."""
    index = log.names["source"].index(source)
    return [row[0] for row in log["pods"].rows().tolist() if row[2] == index and row[3] < 0]


# -- Fargate quota ----------------------------------------------------------------------------

PODS = st.sampled_from((4_000, 1_000, 250)).flatmap(
    lambda cpu_m: st.lists(st.tuples(st.integers(0, 300), st.just(cpu_m), st.integers(0, 400)), max_size=12)
)


@settings(max_examples=40)
@given(PODS, st.sampled_from((4.0, 6.0)), st.sampled_from((8.0, 20.0)), st.sampled_from((1, 100)))
def test_the_kth_start_is_no_later_with_more_quota(
    pods: list[tuple[int, int, int]], quota: float, more: float, launch_burst: int
) -> None:
    """Pods of one size are served in order, each with its own luck, whatever the quota.

    Of several sizes a large one that fits under more may hold up small ones that would have passed it.
    """
    starts = [kth_starts(sorted(pods), FargateQuotas(vcpu, launch_burst, 0.1)) for vcpu in (quota, more)]
    assert len(starts[0]) <= len(starts[1])
    assert all(larger <= smaller for smaller, larger in zip(*starts, strict=False))


def kth_starts(pods: list[tuple[int, int, int]], quotas: FargateQuotas) -> list[int]:
    """Return when pods of (second, millicores, seconds of work) run on Fargate, in order."""
    seconds, cpu_m, work_s = zip(*pods, strict=True) if pods else ((), (), ())
    trace = TraceArrivals(
        "pods",
        times_us=tuple(second * SECOND for second in seconds),
        datums=(1,) * len(pods),
        datum_s=tuple(map(float, work_s)),
        cpu_m=cpu_m,
        memory_mib=(1_024,) * len(pods),
        gpu=(0,) * len(pods),
    )
    cluster = Cluster(
        fargate_profiles=(FargateProfile("all", (Selector("*"),)),),
        fargate_quotas=quotas,
        fargate_sizes=SIZES,
    )
    load = PodLoad("pods", trace, replace(WORKER, controller=Controller.NONE), None)
    log = simulate(Scenario("quota", MONDAY, HOUR, cluster, pods=(load,)), SEED, checks=True)
    return sorted(log["pod_running"].column("time_us").tolist())
