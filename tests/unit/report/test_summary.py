"""The summary: intervals against scipy, verdicts and warnings by hand."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import stats

from sim.model.cluster import FargateQuotas
from sim.model.scenario import Prices, Scenario, Slo
from sim.report.metrics import Tree, measure
from sim.report.summary import interval, judged, summarise, t_probability, t_quantile
from tests.unit.report.worlds import World, a_class, a_scenario

EDGES = "default/edges"


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 5, 9, 19, 20, 50, 101, 999])
def test_t_quantile_against_scipy(freedom: int) -> None:
    assert t_quantile(freedom) == pytest.approx(stats.t.ppf(0.975, freedom), rel=1e-12)


@pytest.mark.parametrize("freedom", [1, 2, 19, 100])
@pytest.mark.parametrize("value", [-7.0, -0.3, 0.0, 1.0, 25.0])
def test_t_probability_against_scipy(value: float, freedom: int) -> None:
    assert t_probability(value, freedom) == pytest.approx(stats.t.cdf(value, freedom), abs=1e-12)


def test_interval_against_scipy() -> None:
    """Where nothing is skewed and 0 is far away, it is Student's."""
    values = [1e6 - 3.0, 1e6 - 1.0, 1e6 + 1.0, 1e6 + 3.0]
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    found = interval(values)
    assert found.mean == pytest.approx(1e6)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-3)


@pytest.mark.parametrize("count", [5, 10, 20])
def test_both_ends_solve_halls_equation(count: int) -> None:
    """T + skewness (2 T**2 + 1) / ... : Hall (1992), with the skewness of the sample and of a lognormal."""
    values = np.random.default_rng(count).exponential(10, count)
    found = interval(values.tolist())
    assert found.mean is not None
    cv = values.std(ddof=1) / values.mean()
    skewed = (count * stats.skew(values, bias=False) + 20 * 3 * cv) / (count + 20)
    for end, probability in ((found.low, 0.975), (found.high, 0.025)):
        assert end is not None
        u = (found.mean - end) / values.std(ddof=1)
        transformed = u + skewed * u**2 / 3 + skewed**2 * u**3 / 27 + skewed / (6 * count)
        assert transformed * count**0.5 == pytest.approx(stats.t.ppf(probability, count - 1))


@pytest.mark.parametrize("count", [9, 10])
def test_a_difference_is_as_skewed_as_ten_numbers_show(count: int) -> None:
    values = np.random.default_rng(1).exponential(10, count)
    found = interval(values.tolist(), least=-math.inf)
    student = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert found.mean is not None
    if count < 10:
        assert (found.low, found.high) == pytest.approx((student.low, student.high))
        return
    assert found.low is not None
    assert found.low > student.low
    u, skewed = (found.mean - found.low) / values.std(ddof=1), stats.skew(values, bias=False)
    transformed = u + skewed * u**2 / 3 + skewed**2 * u**3 / 27 + skewed / (6 * count)
    assert transformed * count**0.5 == pytest.approx(stats.t.ppf(0.975, count - 1))


def test_a_mirrored_difference_has_the_mirrored_interval() -> None:
    values = np.random.default_rng(1).exponential(10, 20)
    one, other = (interval((sign * values).tolist(), least=-math.inf) for sign in (1, -1))
    assert (one.low, one.high) == pytest.approx((-(other.high or 0), -(other.low or 0)))


@pytest.mark.parametrize(
    ("values", "most", "least_low", "most_high"),
    [
        pytest.param([0.0, 0.0, 9.0], math.inf, 0.0, math.inf, id="a count is not below 0"),
        pytest.param([0.0, 0.9, 1.0], 1.0, 0.0, 1.0, id="a share is neither below 0 nor above 1"),
    ],
)
def test_intervals_end_where_the_quantity_does(
    values: list[float], most: float, least_low: float, most_high: float
) -> None:
    found = interval(values, most=most)
    assert found.low == least_low
    assert found.high is not None
    assert found.high <= most_high
    negative = interval([-value for value in values])
    assert negative.low is not None
    assert negative.low < min(-value for value in values), "what is below 0 does not end there"


@pytest.mark.parametrize(
    ("name", "mean"),
    [("exponential", 1.0), ("gamma", 4.0), ("lognormal", math.exp(0.125)), ("waits", 10.0)],
)
@pytest.mark.parametrize("count", [5, 10, 20])
def test_intervals_of_what_cannot_be_below_0_miss_evenly(name: str, mean: float, count: int) -> None:
    """Of 2,000 intervals 93 to 97 % hold the mean; of the rest the truth is not mostly above."""
    random = np.random.default_rng(20261201)
    shape = (2_000, count)
    samples = {
        "exponential": lambda: random.exponential(1.0, shape),
        "gamma": lambda: random.gamma(4.0, 1.0, shape),
        "lognormal": lambda: random.lognormal(0.0, 0.5, shape),
        "waits": lambda: random.gamma(0.7, 10.0 / 0.7, shape),
    }[name]()
    found = [interval(sample) for sample in samples.tolist()]
    above = sum((each.high or 0.0) < mean for each in found)
    below = sum((each.low or 0.0) > mean for each in found)
    assert 0.03 * 2_000 <= above + below <= 0.07 * 2_000
    assert above <= 3 * below, "the side on which a plan fails"
    assert max(above, below) <= 0.045 * 2_000


@pytest.mark.parametrize(
    ("name", "mean"),
    [("normal", 0.0), ("exponential", 1.0), ("chisquare", 4.0), ("standard_t", 0.0)],
)
def test_intervals_hold_the_mean_as_often_as_said(name: str, mean: float) -> None:
    """Stated before the first run: seed 20261123, 20 numbers, 1,000 intervals; chance 0.001 to fail."""
    random = np.random.default_rng(20261123)
    parameters = {"chisquare": (4,), "standard_t": (4,)}.get(name, ())
    samples = getattr(random, name)(*parameters, size=(1_000, 20))
    found = [interval(sample, least=-math.inf) for sample in samples.tolist()]
    held = sum((each.low or 0) <= mean <= (each.high or 0) for each in found)
    assert held >= stats.binom.ppf(0.001, 1_000, 0.95)


def test_students_t_alone_has_a_skewed_mean_above_it_too_often() -> None:
    samples = np.random.default_rng(20261123).exponential(size=(1_000, 20))
    student = samples.mean(axis=1) + stats.t.ppf(0.975, 19) * samples.std(axis=1, ddof=1) / 20**0.5
    ours = [interval(sample).high or 0.0 for sample in samples.tolist()]
    assert (student < 1.0).mean() > 0.065
    assert (np.array(ours) < 1.0).mean() < 0.055


def test_interval_without_enough_to_tell() -> None:
    assert interval([math.nan, 3.0]).document() == {"mean": 3.0, "ci95": [None, None]}
    assert interval([math.nan]).mean is None
    assert interval([1.0, math.inf]).mean is None, "an endless latency has no mean"


def scenario_and_trees(latencies_s: list[list[float]], *slos: Slo) -> tuple[Scenario, list[Tree]]:
    """Return a scenario and the metrics of replications whose jobs took these times."""
    trees = []
    for replication in latencies_s:
        world = World()
        for latency_s in replication:
            ends = {"failure": 1.0} if latency_s == math.inf else {"success": latency_s}
            world.job(EDGES, 0, **ends)
        log = world.log()
        scenario = replace(a_scenario(log), slos=slos)
        trees.append(measure(log, scenario))
    return scenario, trees


@pytest.mark.parametrize(
    ("latencies_s", "verdict"),
    [
        pytest.param([[10.0], [12.0], [11.0]], "held", id="interval below"),
        pytest.param([[10.0], [29.0], [11.0]], "undecided", id="interval across"),
        pytest.param([[30.0], [32.0], [31.0]], "missed", id="interval above"),
        pytest.param([[10.0, math.inf], [12.0], [11.0]], "missed", id="a failed job is endless"),
        pytest.param([[10.0]], "undecided", id="one replication has no interval"),
        pytest.param([[], []], "no jobs", id="nothing to judge"),
    ],
)
def test_verdict(latencies_s: list[list[float]], verdict: str) -> None:
    scenario, trees = scenario_and_trees(latencies_s, Slo(0.95, 20.0))
    target = summarise(scenario, 1, trees)["slo"][0]
    assert target["verdict"] == verdict
    assert target["at_most_s"] == 20.0


@pytest.mark.parametrize(
    ("jobs", "quantile", "warned"),
    [
        pytest.param(3, 0.95, True, id="p95 of three"),
        pytest.param(19, 0.95, True, id="p95 of nineteen"),
        pytest.param(20, 0.95, False, id="of twenty one is beyond p95"),
        pytest.param(20, 0.99, True, id="none of twenty is beyond p99"),
    ],
)
@pytest.mark.parametrize("pipeline", ["", EDGES])
def test_a_percentile_of_few_jobs_is_said_to_be_so(
    jobs: int, quantile: float, warned: bool, pipeline: str
) -> None:
    scenario, trees = scenario_and_trees([[10.0] * jobs] * 2, Slo(quantile, 20.0, pipeline))
    found = [each for each in summarise(scenario, 1, trees)["warnings"] if "jobs a replication" in each]
    whose = pipeline or "all jobs"
    expected = f"p{100 * quantile:g} of {whose} is of {jobs} jobs a replication: nearly the longest of them,"
    assert [each.startswith(expected) for each in found] == [True] * warned


def test_document_is_json_and_every_figure_has_its_interval() -> None:
    scenario, trees = scenario_and_trees([[10.0, 20.0], [30.0]], Slo(0.95, 20.0))
    document = summarise(scenario, 7, trees, warnings=["interrupted"])
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert document["replications"] == 2
    assert document["seed"] == 7
    assert document["warnings"][0] == "interrupted"
    mean = document["metrics"]["job_latency_mean_s"]
    assert mean["mean"] == pytest.approx(22.5), "of the means 15 and 30, not of the three jobs"
    assert mean["ci95"][0] < 22.5 < mean["ci95"][1]
    waits = document["pipelines"][EDGES]["waits_s"]
    assert waits["inputs"]["mean"] == pytest.approx(22.5)
    assert document["slo"][0]["share_within"]["mean"] == 0.5


def warnings_of(world: World, **changes: Any) -> str:
    log = world.log()
    scenario = a_scenario(log)
    scenario = replace(scenario, cluster=replace(scenario.cluster, node_groups=()), **changes)
    return "\n".join(summarise(scenario, 1, [measure(log, scenario)])["warnings"])


def test_no_warnings_without_reason() -> None:
    assert warnings_of(World(), pipelines=(), pods=()) == ""


def test_warns_when_nothing_happened() -> None:
    assert "nothing happened: no job was made and no pod ran" in warnings_of(World())


def test_warns_of_failed_and_unfinished_jobs_and_of_a_growing_backlog() -> None:
    world = World()
    world.job(EDGES, 0, killed=5)
    for at in range(20):
        world.job(EDGES, at)
    said = warnings_of(world)
    assert "1 jobs failed" in said
    assert "20 jobs were not finished" in said
    assert "no steady state" in said


def test_warns_as_soon_as_no_further_pod_fits_the_quota() -> None:
    for pods, met in ((2, False), (3, True)):
        world = World()
        for _ in range(pods):
            world.fargate_pod(a_class("w", 2000), EDGES, 0, granted=5, ready=50, running=55, vcpu_m=2000)
        assert ("quota of 6 vCPU is met" in warnings_of(world)) is met
    log = world.log()
    scenario = a_scenario(log)
    raised = replace(scenario.cluster, node_groups=(), fargate_quotas=FargateQuotas(vcpu=20))
    scenario = replace(scenario, cluster=raised)
    assert summarise(scenario, 1, [measure(log, scenario)])["warnings"] == []


def test_warns_of_stuck_pods_doubtful_prices_and_what_the_loader_found() -> None:
    world = World(horizon_s=7200)
    world.pod(a_class("w"), "plain", 0, unschedulable=0)
    prices = Prices(notes=("Fargate ap-south-1: disputed",), nat_gateway_hour=0)
    said = warnings_of(world, prices=prices, warnings=("memory 4GB was dropped",))
    assert "waiting for a place" in said
    assert "ap-south-1: disputed" in said
    assert said.startswith("memory 4GB was dropped")


def test_says_what_fargate_refused_and_why() -> None:
    world = World()
    for _ in range(3):
        pod = world.pod(a_class("w"), EDGES, 0)
        world.add("fargate_refusals", 0, pod, world.name("reason", "asks for a GPU"))
    assert f"Fargate cannot run {EDGES}: asks for a GPU" in warnings_of(world)


def test_says_that_karpenter_is_not_modelled_where_nodes_are() -> None:
    log = World().log()
    scenario = a_scenario(log)
    assert "Karpenter" in summarise(scenario, 1, [measure(log, scenario)])["warnings"][-1]


@pytest.mark.parametrize(
    ("path", "values", "ends"),
    [
        pytest.param("metrics.job_share_within_900_s", [0.7, 1.0], (0.0, 1.0), id="a share"),
        pytest.param("pipelines.edges.job_share_within_900_s", [0.7, 1.0], (0.0, 1.0), id="of a pipeline"),
        pytest.param("slo.0.share_within", [0.7, 1.0], (0.0, 1.0), id="of a target"),
        pytest.param("metrics.pods_stuck", [0.0, 1.0], (0.0, math.inf), id="a count"),
        pytest.param("slo.0.latency_s", [1.0, 9.0], (0.0, math.inf), id="a time"),
        pytest.param("bill_usd.total", [1.0, 9.0], (0.0, math.inf), id="money"),
        pytest.param("metrics.backlog_growth", [0.1, 0.9], (-math.inf, math.inf), id="a change"),
    ],
)
def test_an_interval_ends_where_its_quantity_does(
    path: str, values: list[float], ends: tuple[float, float]
) -> None:
    """Of two numbers Student's interval is 12.7 half-distances wide: beyond every end that there is."""
    found = judged(path, values, values, endless=False).interval
    assert found.low is not None
    assert found.high is not None
    least, most = ends
    assert found.low == least if math.isfinite(least) else found.low < 0
    assert found.high == most if math.isfinite(most) else found.high > 1
