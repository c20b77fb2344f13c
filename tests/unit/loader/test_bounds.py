"""Numbers beyond reason are refused before anything is simulated, with what is allowed."""

from pathlib import Path

import pytest

from sim.errors import InputError
from sim.loader import load

SCENARIO = """
horizon: 6h
cluster: {eksctl: {managedNodeGroups: [{name: w, instanceTypes: [m5.2xlarge], minSize: 1, maxSize: 2}]}}
pipelines:
  - spec: {pipeline: {name: p}, input: {pfs: {repo: r, glob: "/*"}}, transform: {image: x, cmd: [sh]}}
    commits: {poisson: {per_hour: 4}}
    datums: {new_per_commit: 2}
    datum_time: 30s
base_load: [{name: b, requests: {cpu: 1}}]
pods: [{name: replay, arrivals: {trace: {file: t.csv}}}]
"""
HEADER = "job_id,arrival_s,datums,datum_seconds,cpu,memory_gib,gpu\n"
SOUND = ("a", "0", "1", "5", "1", "1", "0")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "s.yaml").write_text(SCENARIO, encoding="utf-8")
    (tmp_path / "t.csv").write_text(HEADER + ",".join(SOUND), encoding="utf-8")
    load(tmp_path / "s.yaml")
    return tmp_path / "s.yaml"


@pytest.mark.parametrize(
    ("change", "allowed"),
    [
        ("horizon=1000000d", "at most 10 years"),
        ("horizon=3661d", "at most 10 years"),
        ("base_load[b].requests.cpu=1e308", "CPU quantity"),
        ("base_load[b].requests.memory=2Pi", "at most 1Pi"),
        ("base_load[b].replicas=2000000000", "at most a million"),
        ("cluster.eksctl.managedNodeGroups[w].maxSize=2000000000", "at most 100,000 nodes"),
        ("cluster.autoscaler.scan-interval=1us", "from 100ms"),
        ("pachyderm.poll=1us", "from 100ms"),
        ("pipelines[p].commits={poisson: {per_hour: 1e-9}}", "once in 100 years"),
        ("pipelines[p].commits={every: 1us}", "from 1ms"),
        ("pipelines[p].datum_time={lognormal: {median: 30s, sigma: 1000}}", "from 0 to 4"),
        ("pipelines[p].datum_time={lognormal: {median: 1us, p95: 36525d}}", "below 1e\\+12"),
        ("pipelines[p].datum_time={gamma: {mean: 36525d, cv: 20}}", "below 1e\\+12"),
        ("pipelines[p].datum_time=36526d", "100 years"),
        ("pipelines[p].datums.initial=1000000000000", "100 million"),
        ("pipelines[p].datums.new_per_commit={negative_binomial: {mean: 0, cv: 1}}", "above 0"),
        ("pipelines[p].datums.new_per_commit={poisson: {mean: 1e300}}", "100 million"),
        ("pachyderm.transfer_rate=1B/d", "from 1kB/s"),
        ("latency.image_pull.ec2_factor=1e-300", "from 0.001"),
        ("prices.nat_gib=1e300", "a million"),
        ("seed=1000000000000000000000", "a whole number"),
    ],
)
def test_numbers_beyond_reason(path: Path, change: str, allowed: str) -> None:
    with pytest.raises(InputError, match=f"allowed: .*{allowed}") as refused:
        load(path, [change])
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("arrival_s", "1e300"),
        ("arrival_s", "-1"),
        ("datums", "99999999999999999999"),
        ("datums", "300000000"),
        ("datum_seconds", "1e300"),
        ("cpu", "1e308"),
        ("memory_gib", "1e300"),
        ("gpu", "1e300"),
        ("gpu", "nan"),
    ],
)
def test_cells_of_a_trace_beyond_reason(path: Path, column: str, value: str) -> None:
    cells = dict(zip(HEADER.strip().split(","), SOUND, strict=True)) | {column: value}
    (path.parent / "t.csv").write_text(HEADER + ",".join(cells.values()), encoding="utf-8")
    with pytest.raises(InputError, match=rf"t\.csv:2: .*{column} is '{value}'; allowed: a number from 0"):
        load(path)


def test_rows_of_a_trace_that_are_too_many_together(path: Path) -> None:
    row = ",".join(("a", "0", "1000000", *SOUND[3:])) + "\n"
    (path.parent / "t.csv").write_text(HEADER + row * 101, encoding="utf-8")
    with pytest.raises(InputError, match="has 101,000,000 datums; allowed: at most 100,000,000"):
        load(path)
