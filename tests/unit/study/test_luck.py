"""What a scenario leaves to luck, and which counts nothing but start-up times can move."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

from sim.model.cluster import FailWindow
from sim.study.luck import MOVED_BY, Luck, is_fixed, luck, memory_mib
from tests.unit.loader.worlds import loaded

ROWS = "job_id,arrival_s,datums,datum_seconds,cpu,memory_gib,gpu\nj0,60,1,300,1,2,0\nj1,900,1,300,1,2,0\n"
GROUP = "{name: w, instanceTypes: [m5.xlarge], minSize: 0, desiredCapacity: 0, maxSize: 3}"
CLUSTER = f"""
horizon: 12h
cluster:
  eksctl:
    metadata: {{name: c, region: us-east-1, version: "1.33"}}
    managedNodeGroups: [{GROUP}]
  autoscaler: {{expander: least-waste}}
  groups: {{w: {{}}}}
"""
REPLAY = f"""{CLUSTER}
pods: [{{name: replay, arrivals: {{trace: {{file: rows.csv}}}}}}]
"""
RARE = """
  - {name: large, requests: {cpu: 3, memory: 1Gi}, arrivals: {poisson: {per_hour: 0.001}}, duration: 6m}"""
NIGHTLY = f"""{CLUSTER}
pipelines:
  - spec:
      pipeline: {{name: p}}
      input: {{pfs: {{repo: r, glob: "/*"}}}}
      parallelismSpec: {{constant: 2}}
      resourceRequests: {{cpu: 1, memory: 3Gi}}
      sidecarResourceRequests: {{cpu: 0.2, memory: 256Mi}}
      resourceLimits: {{memory: 3Gi}}
      transform: {{image: "x:1", cmd: [sh]}}
    commits: {{cron: "0 */6 * * *"}}
    datums: {{new_per_commit: 12}}
    datum_time: 3m
    memory_peak: {{uniform: {{low: 1Gi, high: 3073Mi}}}}
"""
WAITS = ("pods_stuck", "pods_waited_30m", "pods.replay.pods_stuck")


@pytest.mark.parametrize("metric", WAITS)
def test_a_trace_on_nodes_that_start_soon_leaves_nothing_to_luck(tmp_path: Path, metric: str) -> None:
    scenario = loaded(tmp_path, REPLAY, rows_csv=ROWS)
    assert luck(scenario) == set()
    assert is_fixed(metric, scenario, [90.0, 449.0, 120.0])


@pytest.mark.parametrize("waits", [[90.0, 451.0], [math.nan, 90.0]], ids=["no room", "not known"])
def test_without_room_to_half_an_hour_start_up_times_may_tell(tmp_path: Path, waits: list[float]) -> None:
    scenario = loaded(tmp_path, REPLAY, rows_csv=ROWS)
    assert not any(is_fixed(metric, scenario, waits) for metric in WAITS)
    assert is_fixed("rows_dropped", scenario, waits)


@pytest.mark.parametrize(
    ("sets", "kind"),
    [
        pytest.param(("pods[replay].arrivals=",), None, id="nothing"),
        pytest.param(("cluster.eksctl.managedNodeGroups[w].spot=true",), Luck.INTERRUPTIONS, id="Spot"),
        pytest.param(
            ("cluster.groups.w.provision={lognormal: {median: 60s, sigma: 1.5}}",),
            Luck.STARTS,
            id="a boot of 450 s one in eleven times",
        ),
        pytest.param(
            ("cluster.groups.w.provision={empirical: [60s, 60s, 1h]}",), Luck.STARTS, id="a boot of an hour"
        ),
        pytest.param(("cluster.groups.w.provision={constant: 7m}",), None, id="a slow boot, always"),
        pytest.param(
            ("latency.ec2.ready={lognormal: {median: 200s, sigma: 0.5}}",),
            Luck.STARTS,
            id="slow boots of all",
        ),
    ],
)
def test_what_the_cluster_leaves_to_luck(tmp_path: Path, sets: tuple[str, ...], kind: Luck | None) -> None:
    scenario = loaded(tmp_path, REPLAY, *(each for each in sets if "arrivals" not in each), rows_csv=ROWS)
    assert luck(scenario) == ({kind} if kind else set())
    assert is_fixed("pods_stuck", scenario, [90.0]) is (kind is None)


def test_launches_that_fail_for_an_hour_are_luck(tmp_path: Path) -> None:
    scenario = loaded(tmp_path, REPLAY, rows_csv=ROWS)
    (group,) = scenario.cluster.node_groups
    failing = replace(group, fail_windows=(FailWindow(0, 3_600_000_000),))
    cluster = replace(scenario.cluster, node_groups=(failing,))
    assert luck(replace(scenario, cluster=cluster)) == {Luck.LAUNCHES}


@pytest.mark.parametrize(
    ("arrivals", "drawn"),
    [
        ("{poisson: {per_hour: 0.001}}", True),
        ('{batches: {at: {cron: "0 9 * * *"}, size: {poisson: {mean: 3}}}}', True),
        ('{batches: {at: {cron: "0 9 * * *"}, size: 3}}', False),
        ('{cron: "0 9 * * *"}', False),
    ],
)
def test_a_rare_source_beside_a_trace_is_luck(tmp_path: Path, arrivals: str, drawn: bool) -> None:
    """A pod a month that fits nowhere is in none of ten days."""
    text = REPLAY.replace("pods: [", "pods:\n  - ").replace("}}}]", "}}}")
    text = text.rstrip() + RARE.replace("{poisson: {per_hour: 0.001}}", arrivals) + "\n"
    scenario = loaded(tmp_path, text, rows_csv=ROWS)
    assert (Luck.ARRIVALS in luck(scenario)) is drawn
    assert is_fixed("pods_stuck", scenario, [90.0]) is not drawn


def test_drawn_durations_and_groups_are_luck(tmp_path: Path) -> None:
    nightly = REPLAY.replace("{trace: {file: rows.csv}}", '{cron: "0 9 * * *"}')
    nightly = nightly.replace("}}]", "}, requests: {cpu: 1, memory: 1Gi}, duration: DURATION}]")
    assert luck(loaded(tmp_path, nightly.replace("DURATION", "5m"))) == set()
    assert luck(loaded(tmp_path, nightly.replace("DURATION", "{exponential: {mean: 5m}}"))) == {Luck.WORK}
    two = REPLAY.replace(f"[{GROUP}]", f"[{GROUP}, {GROUP.replace('name: w', 'name: v')}]")
    assert luck(loaded(tmp_path, two, rows_csv=ROWS)) == set()
    drawn = loaded(tmp_path, two, "cluster.autoscaler.expander=random", rows_csv=ROWS)
    assert luck(drawn) == {Luck.GROUPS}


@pytest.mark.parametrize(
    ("sets", "possible"),
    [
        pytest.param((), True, id="the last MiB of the peak is above 3 GiB"),
        pytest.param(("pipelines[p].resourceLimits.memory=3073Mi",), False, id="at the maximum"),
        pytest.param(
            ("pipelines[p].memory_peak={empirical: [1Gi, 3Gi]}",), False, id="observed, at most that"
        ),
        pytest.param(("pipelines[p].memory_peak={empirical: [1Gi, 4Gi]}",), True, id="observed above it"),
        pytest.param(
            (
                "pipelines[p].resourceLimits.memory=64Gi",
                "pipelines[p].memory_peak={lognormal: {median: 1Gi, p95: 2Gi}}",
            ),
            True,
            id="no end, however far",
        ),
        pytest.param(("pipelines[p].memory_peak=",), False, id="not modelled"),
    ],
)
def test_a_datum_is_killed_for_memory_where_its_peak_may_be_above_the_limit(
    tmp_path: Path, sets: tuple[str, ...], possible: bool
) -> None:
    text = NIGHTLY if "pipelines[p].memory_peak=" not in sets else NIGHTLY.rpartition("    memory_peak")[0]
    scenario = loaded(tmp_path, text, *(each for each in sets if not each.endswith("=")))
    assert (Luck.MEMORY in luck(scenario)) is possible
    for metric in ("tasks_oom_killed", "pods_oom_killed", "datums_failed", "pipelines.p.jobs_failed"):
        assert is_fixed(metric, scenario, []) is not possible


@pytest.mark.parametrize(
    ("sets", "kind"),
    [
        (("pipelines[p].failure=0.001",), Luck.FAILURES),
        (("pipelines[p].datumTimeout=600s",), Luck.TIMEOUTS),
        (("pipelines[p].jobTimeout=600s",), Luck.TIMEOUTS),
    ],
)
def test_datums_that_may_fail_are_luck(tmp_path: Path, sets: tuple[str, ...], kind: Luck) -> None:
    scenario = loaded(tmp_path, NIGHTLY, "pipelines[p].resourceLimits.memory=4Gi", *sets)
    assert luck(scenario) == {kind}
    assert not is_fixed("datums_failed", scenario, [])
    assert is_fixed("tasks_oom_killed", scenario, [])


def test_other_counts_and_figures_are_never_known_beforehand(tmp_path: Path) -> None:
    scenario = loaded(tmp_path, REPLAY, rows_csv=ROWS)
    for metric in ("pods_lost", "datums_lost", "jobs_unfinished", "job_latency_p95_s", "no_metric"):
        assert metric not in MOVED_BY
        assert not is_fixed(metric, scenario, [1.0])


def test_what_a_user_container_may_use(tmp_path: Path) -> None:
    """On a node the limit, or at least the request; on Fargate the size less 256 MiB and the sidecar."""
    (load,) = (on_node := loaded(tmp_path, NIGHTLY)).pipelines
    assert memory_mib(load, on_node.cluster) == (3072, 3072)
    (load,) = (
        unlimited := loaded(tmp_path, NIGHTLY.replace("resourceLimits: {memory: 3Gi}", "resourceLimits: {}"))
    ).pipelines
    assert memory_mib(load, unlimited.cluster) == (3072, math.inf)
    profile = "    fargateProfiles: [{name: fp, selectors: [{namespace: default}]}]\n  autoscaler:"
    fargate = NIGHTLY.replace("  autoscaler:", profile).replace(
        "resourceLimits: {memory: 3Gi}", "resourceLimits: {}"
    )
    (load,) = (on_fargate := loaded(tmp_path, fargate)).pipelines
    assert memory_mib(load, on_fargate.cluster) == (4096 - 256 - 256, 4096 - 256 - 256)
