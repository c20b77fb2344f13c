from pathlib import Path

import pytest

from sim.errors import InputError
from sim.loader import load
from sim.loader.overrides import parse_set
from sim.model.autoscaler import AutoscalerOptions
from sim.model.distributions import Constant
from tests.unit.loader.worlds import CLUSTER, SCENARIO, loaded

SPEC = """pipeline: {name: NAME}
parallelism_spec: {constant: 2}
input: {pfs: {repo: images, glob: "/*"}}
transform: {cmd: [x]}
"""
BY_FILE = f"""horizon: 1d
{CLUSTER}
repos: [{{name: images}}]
pipelines:
  - {{spec: two.yaml, datum_time: 1s}}
  - {{spec: one.yaml, datum_time: 2s}}
"""
FILES = {
    "one_yaml": SPEC.replace("NAME", "one"),
    "two_yaml": "---\n".join(SPEC.replace("NAME", name) for name in ("a", "b")),
}


@pytest.mark.parametrize(
    ("path", "widths"),
    [
        pytest.param("pipelines[one].parallelismSpec.constant", [2, 2, 7], id="through the file"),
        pytest.param("pipelines[one].parallelism_spec.constant", [2, 2, 7], id="as the file spells it"),
        pytest.param("pipelines[one].spec.parallelismSpec.constant", [2, 2, 7], id="naming the reference"),
        pytest.param("pipelines[b].parallelismSpec.constant", [2, 7, 2], id="one document of several"),
        pytest.param("pipelines[1].parallelismSpec.constant", [2, 2, 7], id="by index"),
    ],
)
def test_specs(tmp_path: Path, path: str, widths: list[int]) -> None:
    scenario = loaded(tmp_path, BY_FILE, f"{path}=7", **FILES)
    assert [load.pipeline.name for load in scenario.pipelines] == ["a", "b", "one"]
    assert [load.pipeline.parallelism for load in scenario.pipelines] == widths


def test_two_entries_that_each_take_one_document_of_a_file(tmp_path: Path) -> None:
    entries = "{spec: two.yaml, name: b, datum_time: 1s}\n  - {spec: two.yaml, name: a, datum_time: 1s}"
    text = BY_FILE.replace("{spec: two.yaml, datum_time: 1s}", entries)
    scenario = loaded(tmp_path, text, "pipelines[a].parallelismSpec.constant=7", **FILES)
    widths = {load.pipeline.name: load.pipeline.parallelism for load in scenario.pipelines}
    assert widths == {"b": 2, "a": 7, "one": 2}


def test_an_inline_spec(tmp_path: Path) -> None:
    scenario = loaded(tmp_path, SCENARIO, "pipelines[edges].parallelismSpec.constant=9")
    assert scenario.pipelines[0].pipeline.parallelism == 9


def test_a_field_that_was_not_there(tmp_path: Path) -> None:
    scenario = loaded(tmp_path, SCENARIO, "pipelines[edges].datumSetSpec.number=3", "slo.job_latency.p95=5m")
    assert scenario.pipelines[0].pipeline.datum_set_spec is not None
    assert scenario.pipelines[0].pipeline.datum_set_spec.number == 3
    assert [slo.at_most_s for slo in scenario.slos] == [300.0]


def test_the_last_one_wins_and_nothing_takes_away(tmp_path: Path) -> None:
    options = loaded(
        tmp_path,
        SCENARIO,
        "cluster.autoscaler.scan-interval=20s",
        "cluster.autoscaler.scan-interval=30s",
        "cluster.autoscaler.expander=most-pods",
        "cluster.autoscaler.expander=",
    ).cluster.autoscaler
    assert options.scan_interval_us == 30_000_000
    assert options.expander == ("least-waste",)


def test_pipelines_of_one_name_in_two_projects(tmp_path: Path) -> None:
    text = BY_FILE.replace("two.yaml", "other.yaml").replace(
        "images}]", "images}, {name: images, project: team}]"
    )
    other = SPEC.replace("{name: NAME}", "{name: one, project: {name: team}}")
    slow = "slo.pipelines={one: {p95: 1m}, team/one: {p95: 1h}}"
    files = {"one_yaml": FILES["one_yaml"], "other_yaml": other}
    scenario = loaded(tmp_path, text, "pipelines[team/one].datum_time=5s", slow, **files)
    assert [load.datum_s for load in scenario.pipelines] == [Constant(5.0), Constant(2.0)]
    assert [slo.pipeline for slo in scenario.slos] == ["one", "team/one"]


def test_a_single_one_needs_no_list(tmp_path: Path) -> None:
    loaded(tmp_path)
    assert load(tmp_path / "scenario.yaml", "horizon=2d").horizon_us == 2 * 86_400_000_000


def test_nothing_takes_a_label_away(tmp_path: Path) -> None:
    label = "pipelines[edges].metadata.labels[team]"
    scenario = loaded(tmp_path, SCENARIO, f"{label}=vision", f"{label}=")
    assert "team" not in dict(scenario.pipelines[0].pod_class.labels)
    with pytest.raises(InputError, match=r"^--set: pipelines\[edges\].spec.metadata.labels.team is None"):
        loaded(tmp_path, SCENARIO, f"{label}=")


def test_null_is_pachyderms_own(tmp_path: Path) -> None:
    said = "pipelines[edges].resourceRequests={cpu: 3}"
    for text, cpu_m in (("", 1000), ("null", 0)):  # the cluster's default again, or none (pachyderm.md §1.4)
        scenario = loaded(tmp_path, SCENARIO, said, f"pipelines[edges].resourceRequests.cpu={text}")
        assert scenario.pipelines[0].pod_class.requests.cpu_m == cpu_m + 1000


def test_nothing_takes_an_item_away(tmp_path: Path) -> None:
    more = "cluster.eksctl.managedNodeGroups=[{name: a, instanceType: m5.2xlarge}, {name: b}, {name: c}]"
    gone = "cluster.eksctl.managedNodeGroups[b]="
    assert [g.name for g in loaded(tmp_path, SCENARIO, more, gone).cluster.node_groups] == ["a", "c"]


def test_the_cluster_config(tmp_path: Path) -> None:
    (group,) = loaded(
        tmp_path, SCENARIO, "cluster.eksctl.managedNodeGroups[cpu].maxSize=12"
    ).cluster.node_groups
    assert group.max_size == 12


def test_a_key_with_dots(tmp_path: Path) -> None:
    scenario = loaded(
        tmp_path,
        SCENARIO,
        "pipelines[edges].metadata.annotations[cluster-autoscaler.kubernetes.io/safe-to-evict]='false'",
        "pipelines[edges].metadata.annotations[cluster-autoscaler.kubernetes.io/pod-scale-up-delay]=30s",
    )
    pods = scenario.pipelines[0].pod_class
    assert pods.safe_to_evict is False
    assert pods.scale_up_delay_us == 30_000_000


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("horizon", "--set: horizon has no =; allowed: path=value"),
        ("pipelines[edges.autoscaling=true", "--set: pipelines[edges.autoscaling=true has a bracket that is"),
        ("=3", "--set: '' is not a path"),
        (
            "prices.instances={m5.xlrge: 1}",
            "--set: prices.instances[m5.xlrge] is not a known EC2 instance type",
        ),
        ("a..b=3", "--set: 'a..b' is not a path"),
        ("horizon=[1d", "--set: horizon=[1d has a value that is not YAML"),
        (f"horizon={'[' * 5_000}", f"--set: horizon={'[' * 72} has a value that is not YAML"),
        (
            "cluster.kubernetes_version=1.30",
            "--set: cluster.kubernetes_version is 1.3; allowed: a Kubernetes minor in quotes",
        ),
        ("horizon=1 day", "--set: horizon is '1 day'; allowed: a duration"),
        (
            "pipelines[edgs].autoscaling=true",
            "--set: pipelines[edgs] is not there; allowed: edges; did you mean edges?",
        ),
        (
            "pipelines[edges].autoscalin=true",
            "--set: pipelines[edges].spec.autoscalin is not a known key; did you mean autoscaling?",
        ),
        (
            "cluster.eksctl.managedNodeGroups[gpu].maxSize=3",
            "--set: cluster.eksctl.managedNodeGroups[gpu] is not there; allowed: cpu",
        ),
        ("horizon.days=3", "--set: horizon.days is not there"),
        ("clster.autoscaler.enabled=false", "--set: clster is not a known key; did you mean cluster?"),
        ("pipelines[edges].commits.poison.per_hour=2", "--set: pipelines[edges].commits"),
        ("cluster.autoscaler.expander=best", "--set: cluster.autoscaler.expander is 'best'; allowed: random"),
    ],
)
def test_refused(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(InputError) as caught:
        loaded(tmp_path, SCENARIO, text)
    assert str(caught.value).startswith(problem)


def test_an_error_that_was_there_is_not_blamed_on_set(tmp_path: Path) -> None:
    wrong = SCENARIO.replace("commits: {poisson", "commits: {poison")
    with pytest.raises(InputError, match=r"scenario\.yaml:14: pipelines\[edges\]\.commits"):
        loaded(tmp_path, wrong, "pipelines[edges].commits.poison.per_hour=2")


def test_an_equals_sign_in_brackets_belongs_to_the_path() -> None:
    path, value = parse_set("a[b=c].d=e=f")
    assert [str(step) for step in path] == ["a", "[b=c]", "d"]
    assert value == "e=f"


@pytest.mark.parametrize(
    ("kubernetes", "version"),
    [("1.29", "1.31"), ("1.31", "1.31"), ("1.35", "1.35"), ("1.40", "1.36")],
)
def test_the_autoscaler_follows_kubernetes(tmp_path: Path, kubernetes: str, version: str) -> None:
    scenario = loaded(tmp_path, SCENARIO, f"cluster.eksctl.metadata.version='{kubernetes}'")
    assert scenario.cluster.autoscaler.version == version
    assert scenario.cluster.kubernetes_version == kubernetes


def test_every_option_has_a_flag() -> None:
    from dataclasses import fields

    from sim.loader.values.flags import AUTOSCALER

    settable = {each.attribute or each.name for each in AUTOSCALER.keys}
    assert settable - {"values"} | {"patch"} == {each.name for each in fields(AutoscalerOptions)}
