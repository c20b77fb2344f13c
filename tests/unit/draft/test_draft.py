"""``init``: scenarios that load at once, from specs, a ClusterConfig, chart values and a live cluster."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from sim.draft import init
from sim.errors import InputError
from sim.loader import load
from sim.model.arrivals import TraceArrivals
from sim.model.notices import MADE_UP, PLACEHOLDER
from sim.model.resources import Resources
from sim.model.units import SECOND
from tests.conftest import needs_shared
from tests.unit.adapters.eksctl.cluster_configs import CONFIGS
from tests.unit.draft.drafts import CLUSTER, drafted, put_specs, spec


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with two specs, which the paths of a test are relative to."""
    monkeypatch.chdir(tmp_path)
    put_specs(tmp_path)
    return tmp_path


def test_specs_alone_are_enough(folder: Path) -> None:
    draft = init("specs/*.json")
    scenario, text = load(draft.path), draft.path.read_text()
    assert [each.pipeline.name for each in scenario.pipelines] == ["edges", "montage"]
    assert [repo.name for repo in scenario.repos] == ["images"]
    assert draft.placeholders == text.count(f"# {PLACEHOLDER}") == 6
    assert scenario.warnings == (MADE_UP,)
    (group,) = scenario.cluster.node_groups
    assert (group.initial, group.max_size) == (1, 10)
    assert sorted(path.name for path in folder.iterdir()) == ["scenario.yaml", "specs"]


def test_made_up_nodes_hold_pachd_too(folder: Path) -> None:
    small = spec(
        "small", resourceRequests={"cpu": 0.1, "memory": "64Mi"}, sidecarResourceRequests={"cpu": 0.1}
    )
    (folder / "small.json").write_text(json.dumps(small))
    scenario, _ = drafted("small.json")
    assert not any("fits nowhere" in warning for warning in scenario.warnings)


@needs_shared
def test_the_real_specs(folder: Path, shared: Path) -> None:
    shutil.copytree(shared / "data" / "pipeline-specs", folder / "real")
    Path("real/hyperparameter-model.pipeline.json").unlink()  # a second pipeline called model
    scenario, _ = drafted("real/*.json", "real/*.yaml")
    assert len(scenario.pipelines) == 12
    assert {group.name for group in scenario.cluster.node_groups} == {"workers-1", "gpu-2"}
    assert not any("never wakes" in warning for warning in scenario.warnings)


def test_node_selectors_get_groups_with_their_labels(folder: Path) -> None:
    placed: dict[str, Any] = {
        "schedulingSpec": {"nodeSelector": {"pool": "big", "kubernetes.io/arch": "amd64"}}
    }
    large: dict[str, Any] = {"resourceRequests": {"cpu": 14, "memory": "100Gi"}}
    (folder / "specs" / "big.json").write_text(json.dumps(spec("big", **large, **placed)))
    scenario, _ = drafted()
    plain, big = scenario.cluster.node_groups
    assert ("pool", "big") in big.labels
    assert big.allocatable.memory_mib > 100 * 1024 > plain.allocatable.memory_mib


@pytest.mark.parametrize("name", CONFIGS)
def test_a_cluster_config_stays_the_users_own(folder: Path, name: str) -> None:
    (folder / "cluster.yaml").write_text(CONFIGS[name])
    try:
        scenario, text = drafted(eksctl="cluster.yaml")
    except InputError as error:
        assert "fit nowhere" in str(error)  # noqa: PT017  # a config without room for them
        assert not Path("scenario.yaml").exists()
        return
    assert "eksctl: cluster.yaml" in text
    assert scenario.cluster.name in CONFIGS[name]


VALUES = "autoDiscovery: {clusterName: live}\nextraArgs: {scan-interval: 30s, expander: least-waste}\n"


def test_priority_classes_of_specs_have_a_value_to_fill_in(folder: Path) -> None:
    batch: dict[str, Any] = {"schedulingSpec": {"priorityClassName": "batch"}}
    (folder / "specs" / "more.json").write_text(json.dumps(spec("more", **batch)))
    scenario, text = drafted()
    assert scenario.pipelines[2].pod_class.priority == 0
    assert "priority_classes: {batch: 0} # PLACEHOLDER: the value of batch" in text
    assert "kubectl get priorityclass" in text


@pytest.mark.parametrize(
    ("namespaces", "taken"),
    [(("pach", "kube-system"), "pach"), (("pach", "other"), "default"), (("p*",), "default")],
)
def test_workers_are_where_fargate_profiles_select(
    folder: Path, namespaces: tuple[str, ...], taken: str
) -> None:
    profile = {"name": "fp", "selectors": [{"namespace": each} for each in namespaces]}
    group = {"name": "g", "instanceType": "m5.2xlarge", "minSize": 1, "maxSize": 2}
    config = {
        "apiVersion": "eksctl.io/v1alpha5",
        "kind": "ClusterConfig",
        "metadata": {"name": "c", "region": "us-east-1"},
        "fargateProfiles": [profile],
        "managedNodeGroups": [group],
    }
    (folder / "cluster.yaml").write_text(json.dumps(config))
    scenario, text = drafted(eksctl="cluster.yaml")
    assert scenario.pachyderm.namespace == taken
    assert (f"namespace: {taken} # {PLACEHOLDER}" in text) == (taken == "pach")


def test_chart_values_are_referred_to(folder: Path) -> None:
    (folder / "values.yaml").write_text(VALUES)
    scenario, _ = drafted(autoscaler="values.yaml")
    assert scenario.cluster.autoscaler.scan_interval_us == 30 * SECOND


OTHER = """\
start: 2026-02-01T00:00 Europe/Dublin
horizon: 3d
images: {"i": 300MB}
repos:
  - {name: images, commits: {trace: {file: traces/commits.csv}}, new_per_commit: 3}
pipelines:
  - spec: {pipeline: {name: edges}, transform: {cmd: [x]}, input: {pfs: {repo: images, glob: "/*"}}}
    datum_time: 7s
    memory_peak: 200Mi
  - spec: {pipeline: {name: gone}, transform: {cmd: [x]}, input: {pfs: {repo: images, glob: "/*"}}}
    datum_time: 7s
"""


def test_history_comes_from_another_scenario_by_name(folder: Path) -> None:
    (folder / "old" / "traces").mkdir(parents=True)
    (folder / "old" / "traces" / "commits.csv").write_text("arrival_s,datums,datum_seconds\n0,2,7\n60,5,8\n")
    (folder / "old" / "scenario.yaml").write_text(OTHER)
    draft = init("specs/*.json", workload="old/scenario.yaml")
    scenario, text = load("scenario.yaml"), Path("scenario.yaml").read_text()
    edges, montage = scenario.pipelines
    assert edges.memory_peak_mib is not None
    assert isinstance(scenario.repos[0].commits, TraceArrivals)
    assert scenario.horizon_us == 3 * 86_400 * SECOND
    assert "old/traces/commits.csv" in text
    assert f"datum_time: # {PLACEHOLDER}" in text  # montage's, which the other scenario lacks
    assert montage.datum_s is not None
    assert draft.warnings == ("the other scenario's pipeline gone is in none of the specs",)
    assert draft.placeholders == 3


def test_records_of_list_pipeline_with_cluster_defaults(folder: Path) -> None:
    record = {"pipeline": {"name": "a"}, "details": {}, "user_spec_json": json.dumps(spec("a"))}
    other = {"pipeline": {"name": "b"}, "details": {}, "user_spec_json": json.dumps(spec("b", "a"))}
    (folder / "pipelines.json").write_text(json.dumps(record) + json.dumps(other))
    (folder / "defaults.json").write_text('{"createPipelineRequest": {"resourceRequests": {"cpu": 3}}}')
    scenario, _ = drafted("pipelines.json", cluster_defaults="defaults.json")
    assert [each.pipeline.name for each in scenario.pipelines] == ["a", "b"]
    assert scenario.pipelines[0].pod_class.requests == Resources(1000, 1086)  # no sidecar request but 64M


def test_pipelines_of_one_name_in_two_projects(folder: Path) -> None:
    one = json.dumps(spec("a") | {"pipeline": {"name": "a", "project": {"name": "vision"}}})
    (folder / "all.json").write_text(json.dumps([json.loads(one), spec("a"), spec("b")]))
    scenario, text = drafted("all.json")
    assert [each.pipeline.full_name for each in scenario.pipelines] == ["vision/a", "default/a", "default/b"]
    assert all(f"name: {name}\n" in text for name in ("vision/a", "default/a", "b"))


def test_what_is_there_is_not_written_over(folder: Path) -> None:
    init("specs/*.json")
    with pytest.raises(
        InputError, match=r"scenario.yaml is there already; allowed: another --out, or --force"
    ):
        init("specs/edges.json")
    init("specs/edges.json", force=True)
    assert len(load("scenario.yaml").pipelines) == 1


def test_a_link_in_the_way_is_not_followed(folder: Path) -> None:
    (folder / "precious").write_text("mine")
    Path("scenario.yaml").symlink_to("precious")
    with pytest.raises(InputError, match="is there already"):
        init("specs/*.json")
    init("specs/*.json", force=True)
    assert (folder / "precious").read_text() == "mine"
    assert not Path("scenario.yaml").is_symlink()


@pytest.mark.parametrize(
    ("files", "options", "message"),
    [
        ({}, {"pipelines": "none/*.json"}, "--pipelines matches no file: none/*.json; allowed: specs/*.json"),
        ({}, {"pipelines": []}, "--pipelines is missing"),
        ({}, {"out": "nowhere/s.yaml"}, "--out is in a folder that is not there"),
        ({}, {"out": "specs", "force": True}, "specs is there already"),
        ({"specs/b.json": '{"pipeline": {"name": "edges"}, '}, {}, "specs/b.json:1: is not valid YAML"),
        (
            {"specs/z.json": json.dumps(spec("edges"))},
            {},
            "specs/z.json: holds the pipeline default/edges, which specs/edges.json holds too",
        ),
        (
            {"specs/z.json": json.dumps(spec("vast", resourceRequests={"cpu": 5000}))},
            {},
            "which no node has; allowed: --eksctl with nodes that hold it",
        ),
        (
            {"specs/edges.json": json.dumps(spec("edges", "montage"))},
            {},
            "specs/edges.json:1: pipelines[edges].input goes round in a cycle: edges -> montage -> edges",
        ),
        (
            {"c.yaml": CLUSTER.replace("m5.xlarge", "t3.nano")},
            {"eksctl": "c.yaml"},
            "pipelines[edges].spec has pods that fit nowhere",
        ),
        ({"v.yaml": "extraArgs: {scan: 1}"}, {"autoscaler": "v.yaml"}, "v.yaml:1: cluster.autoscaler.values"),
        ({"n.json": "{}"}, {"nodes": "n.json"}, "n.json:1: holds no nodes"),
        ({"w.yaml": "a: 1"}, {"workload": "w.yaml"}, "w.yaml:1: is no scenario"),
        (
            {"w.yaml": "horizon: 1d\nrepos: 7"},
            {"workload": "w.yaml"},
            "w.yaml:2: repos is 7; allowed: a list",
        ),
        ({"w.yaml": "horizon: 1d\npipelines: [7]"}, {"workload": "w.yaml"}, "allowed: a mapping"),
        ({"d.json": '{"a": 1}'}, {"cluster_defaults": "d.json"}, "d.json:1: a is not a known key"),
    ],
)
def test_nothing_is_written_where_something_is_wrong(
    folder: Path, files: dict[str, str], options: dict[str, Any], message: str
) -> None:
    for name, text in files.items():
        (folder / name).write_text(text)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with pytest.raises(InputError) as caught:
        init(**{"pipelines": "specs/*.json", **options})
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
HOSTILE = {
    "a bomb": LAUGHS.encode(),
    "an object": b"!!python/object/apply:os.system ['touch pwned']\n",
    "a megabyte of text": b"name: " + b"x" * 1_000_000,
    "NUL": b"extraArgs: {v: 4}\x00",
    "bidi": "extraArgs: {v: 4} # \u202e".encode(),
    "deep": b"[" * 200 + b"]" * 200,
    "deep JSON": b'{"a":' * 2_000,
    "a key twice": b'{"kind": "List", "kind": "Pod"}',
    "not UTF-8": b"\xff\xfe",
    "nothing": b"",
}


@pytest.mark.parametrize("option", ["pipelines", "autoscaler", "nodes"])
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused_in_one_line(folder: Path, option: str, name: str) -> None:
    (folder / "hostile").write_bytes(HOSTILE[name])
    options: dict[str, Any] = {"pipelines": "specs/*.json", option: "hostile"}
    with pytest.raises(InputError) as caught:
        init(**options)
    assert "hostile" in str(caught.value)
    assert len(str(caught.value)) < 400
    assert "\n" not in str(caught.value)
    assert sorted(path.name for path in folder.iterdir()) == ["hostile", "specs"]


def test_a_folder_that_cannot_be_written_to(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> tuple[int, str]:
        raise PermissionError(13, os.strerror(13))

    monkeypatch.setattr("tempfile.mkstemp", refuse)
    with pytest.raises(InputError, match=r"scenario.yaml cannot be written: Permission denied"):
        init("specs/*.json")


def test_what_cannot_be_read_is_left_out_and_told(folder: Path) -> None:
    (folder / "specs" / "broken.json").write_text('{"pipeline": {"name": "x"}, ')
    (folder / "specs" / "twice.json").write_text(json.dumps(spec("edges")))
    with pytest.raises(InputError, match=r"broken.json:1: is not valid YAML"):
        init("specs/*.json")
    draft = init("specs/*.json", keep_going=True)
    assert (draft.pipelines, draft.sources) == (2, ("images",))
    broken, twice = draft.left_out
    assert broken.startswith("specs/broken.json:1: is not valid YAML")
    assert "holds the pipeline default/edges, which specs/edges.json holds too" in twice
    assert len(load(draft.path).pipelines) == 2
    with pytest.raises(InputError, match="is not valid YAML"):
        init("specs/broken.json", force=True, keep_going=True)
