"""``init`` from what kubectl prints of a live cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sim.draft import init
from sim.loader import load
from sim.model.pods import Controller
from sim.model.resources import Resources
from sim.model.units import SECOND
from tests.unit.draft.drafts import CLUSTER, drafted, put_specs
from tests.unit.draft.live import a_cluster, a_container, a_node, a_pod, printed


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with two specs, which the paths of a test are relative to."""
    monkeypatch.chdir(tmp_path)
    put_specs(tmp_path)
    return tmp_path


def test_a_live_cluster(folder: Path) -> None:
    (folder / "nodes.json").write_text(a_cluster())
    draft = init("specs/*.json", nodes="nodes.json")
    scenario = load("scenario.yaml")
    workers, gpu = scenario.cluster.node_groups
    assert (workers.initial, workers.min_size, workers.allocatable) == (2, 0, Resources(3920, 14_550, 91_125))
    assert (gpu.name, gpu.spot, gpu.initial) == ("gpu-spot", True, 1)
    assert scenario.cluster.autoscaler.scan_interval_us == 20 * SECOND
    assert scenario.pachyderm.namespace == "pachyderm"
    daemons = {each.pod_class.name: each.pod_class for each in scenario.cluster.daemon_sets}
    assert daemons["aws-node"].requests.cpu_m == 50
    assert any(each.exists and not each.key for each in daemons["aws-node"].tolerations)  # it is everywhere
    assert not any("by a rule that is not read" in warning for warning in draft.warnings)
    assert daemons["nvidia-device-plugin"].node_selector == (("pool", "gpu"),)
    base = {each.pod_class.name: each for each in scenario.base_load}
    assert base["coredns"].replicas == 2
    assert base["coredns"].pod_class.priority == 2_000_000_000
    assert base["pachd"].pod_class.local_storage
    assert base["cluster-autoscaler"].pod_class.safe_to_evict is False
    assert all(each.pod_class.controller is Controller.REPLICA_SET for each in scenario.base_load)
    assert any("Jobs, which end" in warning for warning in draft.warnings)


def test_work_of_one_name_gets_names_of_its_own(folder: Path) -> None:
    twice = [a_pod(f"cache-{n}", "cache", "StatefulSet", namespace=f"team-{n}") for n in ("a", "b")]
    edges = a_pod("edges-0", "edges", "StatefulSet")
    (folder / "nodes.json").write_text(printed(a_node("n1"), *twice, edges))
    init("specs/*.json", nodes="nodes.json")
    names = [each.pod_class.name for each in load("scenario.yaml").base_load]
    assert names == ["default/edges", "cache", "team-b/cache"]


def test_a_live_autoscaler_with_priorities(folder: Path) -> None:
    args = ["--expander=priority,least-waste"]
    pod = a_pod("ca", "", "", a_container(image="x/cluster-autoscaler:v1.33.0", args=args))
    data = {"priorities": "10: [gpu]\n50: [workers]\n"}
    name = "cluster-autoscaler-priority-expander"
    config_map = {"kind": "ConfigMap", "metadata": {"name": name}, "data": data}
    (folder / "nodes.json").write_text(printed(a_node(), pod, config_map))
    scenario, _ = drafted(nodes="nodes.json")
    options = scenario.cluster.autoscaler
    assert options.expander_priorities == ((50, ("workers",)), (10, ("gpu",)))


def test_a_live_cluster_without_an_autoscaler_stays_as_it_is(folder: Path) -> None:
    (folder / "nodes.json").write_text(printed(a_node(), a_pod("web-1", "web", "StatefulSet")))
    scenario, _ = drafted(nodes="nodes.json")
    (group,) = scenario.cluster.node_groups
    assert (group.min_size, group.max_size, scenario.cluster.autoscaler.enabled) == (1, 1, False)


def test_a_live_cluster_beside_its_cluster_config(folder: Path) -> None:
    (folder / "nodes.json").write_text(a_cluster())
    (folder / "cluster.yaml").write_text(CLUSTER)
    draft = init("specs/*.json", eksctl="cluster.yaml", nodes="nodes.json")
    workers, spare = load("scenario.yaml").cluster.node_groups
    assert (workers.initial, workers.allocatable.memory_mib) == (2, 14_550)
    assert spare.initial == 0  # for a group without nodes has none to show
    assert any("node group gpu_spot has nodes and is not in" in warning for warning in draft.warnings)


def test_more_nodes_than_the_cluster_config_has_room_for(folder: Path) -> None:
    (folder / "nodes.json").write_text(a_cluster())
    (folder / "cluster.yaml").write_text(CLUSTER.replace("minSize: 1, maxSize: 9", "minSize: 1, maxSize: 1"))
    draft = init("specs/*.json", eksctl="cluster.yaml", nodes="nodes.json")
    assert load("scenario.yaml").cluster.node_groups[0].initial == 1
    assert any("workers has 2 nodes, its maxSize is 1" in warning for warning in draft.warnings)


def test_daemons_of_some_nodes_only(folder: Path) -> None:
    tainted = a_node("t", "batch", taints=[{"key": "batch", "value": "", "effect": "NoSchedule"}])
    away = a_pod("logs-1", "logs", "DaemonSet", node="n1")
    (folder / "nodes.json").write_text(printed(a_node(), tainted, away))
    draft = init("specs/*.json", nodes="nodes.json")
    (logs,) = load("scenario.yaml").cluster.daemon_sets
    assert not any(t.exists and not t.key for t in logs.pod_class.tolerations)
    assert not any("by a rule that is not read" in warning for warning in draft.warnings)


def test_daemons_that_stay_away_from_nodes_for_no_reason_that_is_read(folder: Path) -> None:
    away = a_pod("logs-1", "logs", "DaemonSet", node="n1")
    (folder / "nodes.json").write_text(printed(a_node(), a_node("n2", "others"), away))
    draft = init("specs/*.json", nodes="nodes.json")
    assert any("logs runs on workers alone, by a rule that is not read" in each for each in draft.warnings)


def test_nodes_that_eks_does_not_manage(folder: Path) -> None:
    """One type is an instanceType; several are a distribution, and so is Spot, with nothing on demand."""
    nodes = [
        a_self_managed("a1", "alone", "m5.xlarge"),
        a_self_managed("b1", "mixed", "m5.xlarge"),
        a_self_managed("b2", "mixed", "m5a.xlarge"),
        a_self_managed("c1", "spot", "m5.xlarge", spot=True),
    ]
    (folder / "nodes.json").write_text(printed(*nodes))
    scenario, text = drafted(nodes="nodes.json")
    groups = {group.name: group for group in scenario.cluster.node_groups}
    assert {name: (group.initial, group.spot) for name, group in groups.items()} == {
        "alone": (1, False),
        "mixed": (2, False),
        "spot": (1, True),
    }
    assert text.count("instancesDistribution") == 2
    assert scenario.cluster.name == "live"


def a_self_managed(name: str, group: str, instance_type: str, *, spot: bool = False) -> dict[str, Any]:
    node = a_node(name, instance_type=instance_type)
    labels = node["metadata"]["labels"]
    del labels["eks.amazonaws.com/nodegroup"], labels["eks.amazonaws.com/capacityType"]
    labels |= {"alpha.eksctl.io/nodegroup-name": group}
    if spot:
        labels |= {"node-lifecycle": "spot"}
    return node
