"""A live cluster from kubectl's JSON; requests by Kubernetes' own rules, allocatable against a real node."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.adapters.kubernetes.kubectl import LiveCluster, LiveGroup, read_live, read_live_file, without_logs
from sim.adapters.kubernetes.kubectl_pods import pod_requests
from sim.documents.fields import root
from sim.documents.yaml_read import read_text
from sim.errors import InputError
from sim.model.pods import Controller, Effect, Taint, Toleration
from sim.model.resources import Resources
from sim.model.units import SECOND
from tests.unit.draft.live import a_cluster, a_container, a_node, a_pod, printed


def read(text: str) -> LiveCluster:
    return read_live([root(document) for document in read_text(text, "nodes.json")])


def test_node_groups_with_what_is_really_allocatable() -> None:
    cluster = read(a_cluster())
    assert (cluster.name, cluster.region, cluster.version) == ("live", "us-east-1", "1.33")
    workers, gpu = cluster.groups
    assert workers == LiveGroup(
        name="workers",
        managed=True,
        spot=False,
        nodes=2,
        instance_types=("m5.xlarge",),
        allocatable=Resources(3920, 14_550, 91_125),  # 14900000Ki and 95551679124 bytes
        max_pods=58,
        zones=("us-east-1a",),
        labels=(("pool", "cpu"),),
    )
    assert (gpu.name, gpu.spot, gpu.nodes, gpu.allocatable.gpu) == ("gpu_spot", True, 1, 1)
    assert gpu.taints == (Taint("nvidia.com/gpu", "true", Effect.NO_SCHEDULE),)
    assert cluster.group_of_node == {"n1": "workers", "n2": "workers", "g1": "gpu_spot"}


def test_the_observed_m5_xlarge_of_the_sheet() -> None:
    (group,) = read(printed(a_node())).groups
    assert group.allocatable == Resources(3920, 14_553, 91_125)  # aws.md §7.2: 14553 MiB observed


def test_daemons_and_base_load() -> None:
    cluster = read(a_cluster())
    cni, plugin = cluster.daemon_sets
    assert (cni.name, cni.requests, cni.nodes) == (
        "aws-node",
        Resources(cpu_m=50),
        frozenset({"n1", "n2", "g1"}),
    )
    assert (plugin.selector, plugin.tolerations) == (
        (("pool", "gpu"),),
        (Toleration("nvidia.com/gpu", "", Effect.NO_SCHEDULE, exists=True),),
    )
    autoscaler, coredns, pachd = cluster.base_load
    assert (autoscaler.name, autoscaler.safe_to_evict) == ("cluster-autoscaler", False)
    assert (coredns.name, coredns.replicas, coredns.priority) == ("coredns", 2, 2_000_000_000)
    assert (pachd.namespace, pachd.requests) == ("pachyderm", Resources(1000, 1908))
    assert pachd.local_storage
    told = [notice.message for notice in cluster.notices]
    assert told == [
        "n3 is not Ready and is left out",
        "holds 1 pipeline workers, which the pipelines bring",
        "holds Jobs, which end and are left out: default/nightly",
    ]


def test_the_clusters_own_autoscaler() -> None:
    started = read(a_cluster()).autoscaler
    assert started is not None
    assert {name: at.value for name, at in started.flags.items()} == {
        "v": 4,
        "expander": "least-waste",
        "scan-interval": "20s",
    }
    assert started.version == "1.33"
    assert read(printed(a_node())).autoscaler is None
    odd = a_pod("ca", "", "", a_container(image="x/cluster-autoscaler:v1.33.0", args=["--odd"]))
    told = read(printed(a_node(), odd))
    assert "runs an autoscaler whose flags are left out" in str(told.notices[0])


def test_the_priorities_of_the_clusters_own_autoscaler() -> None:
    args = ["--expander=priority"]
    pod = a_pod("ca", "", "", a_container(image="x/cluster-autoscaler:v1.33.0", args=args))
    lacking = read(printed(a_node(), pod))
    assert "append kubectl get configmap cluster-autoscaler-priority-expander" in str(lacking.notices[0])
    config_map = {
        "kind": "ConfigMap",
        "metadata": {"name": "cluster-autoscaler-priority-expander"},
        "data": {"priorities": "10:\n  - spot\n"},
    }
    started = read(printed(a_node(), pod) + json.dumps(config_map)).autoscaler
    assert started is not None
    assert started.priorities is not None
    assert started.priorities.value == {"10": ["spot"]}


def test_groups_without_the_labels_of_eks() -> None:
    plain = a_node()
    del plain["metadata"]["labels"]["eks.amazonaws.com/nodegroup"]
    pool = a_node("k", labels={"karpenter.sh/nodepool": "default"})
    del pool["metadata"]["labels"]["eks.amazonaws.com/nodegroup"]
    cluster = read(printed(plain, pool))
    assert [(group.name, group.managed) for group in cluster.groups] == [
        ("nodes-m5-xlarge", False),
        ("default", False),
    ]
    assert "has no label that names its group" in str(cluster.notices[0])
    assert "Karpenter's pool default" in str(cluster.notices[1])


def test_taints_and_labels_that_pass_or_belong_to_the_system_are_left_out() -> None:
    node = a_node(
        labels={"nvidia.com/gpu.count": "1", "team": "a"},
        taints=[
            {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"},
            {"key": "DeletionCandidateOfClusterAutoscaler", "value": "1", "effect": "PreferNoSchedule"},
            {"key": "dedicated", "value": "a", "effect": "NoExecute"},
        ],
    )
    (group,) = read(printed(node, a_node("n2", labels={"team": "a", "only": "here"}))).groups
    assert (group.labels, group.taints) == ((("team", "a"),), ())
    (group,) = read(printed(node)).groups
    assert group.taints == (Taint("dedicated", "a", Effect.NO_EXECUTE),)


def test_nodes_and_pods_may_be_two_documents() -> None:
    nodes = json.dumps({"kind": "NodeList", "items": [a_node()]})
    pods = json.dumps({"kind": "PodList", "items": [a_pod("a-0", "a", "StatefulSet"), a_pod("bare")]})
    cluster = read(f"{nodes}\n{pods}")
    assert [(each.name, each.controller) for each in cluster.base_load] == [
        ("a", Controller.STATEFUL_SET),
        ("bare", Controller.NONE),
    ]


def test_what_a_pod_says_of_its_leaving() -> None:
    pod = a_pod(
        "web-1",
        "web",
        "Rollout",
        terminationGracePeriodSeconds=5,
        volumes=[{"emptyDir": {"medium": "Memory"}}],
        tolerations=[{"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute"}],
    )
    (web,) = read(printed(a_node(), pod)).base_load
    assert (web.controller, web.grace_us, web.local_storage, web.tolerations) == (
        Controller.CUSTOM,
        5 * SECOND,
        False,
        (),
    )


@pytest.mark.parametrize(
    ("spec", "requests"),
    [
        pytest.param({"containers": [a_container()]}, Resources(), id="nothing asked for"),
        pytest.param(
            {"containers": [a_container("100m", "64M"), a_container("0.5", "1Gi")]},
            Resources(600, 1086),
            id="a sum, rounded up once to whole MiB",
        ),
        pytest.param(
            {"containers": [a_container("1", "1Gi")], "initContainers": [a_container("2", "512Mi")]},
            Resources(2000, 1024),
            id="the largest init container, each resource on its own",
        ),
        pytest.param(
            {
                "containers": [a_container("1", "1Gi")],
                "initContainers": [
                    a_container("500m", "1Gi", restartPolicy="Always"),
                    a_container("2", "1Gi"),
                ],
            },
            Resources(2500, 2048),
            id="a native sidecar runs beside what comes after it",
        ),
        pytest.param(
            {"containers": [a_container("1")], "overhead": {"cpu": "250m", "memory": "120Mi"}},
            Resources(1250, 120),
            id="a runtime's overhead comes on top",
        ),
    ],
)
def test_requests_as_the_scheduler_counts_them(spec: dict[str, Any], requests: Resources) -> None:
    assert pod_requests(root(read_text(json.dumps(spec))[0])) == requests


@pytest.mark.parametrize(
    ("items", "message"),
    [
        (
            [a_pod("a")],
            r"nodes.json:1: holds no nodes; allowed: what kubectl get nodes,pods -A -o json prints",
        ),
        ([{"kind": "Node"}], r"items\[0\].metadata is missing"),
        ([{"kind": "Node", "metadata": {"name": "n"}}], r"items\[n\].status.allocatable is missing"),
        (
            [a_node(room={"cpu": "4 cores"})],
            r"items\[n1\].status.allocatable.cpu is '4 cores'; allowed: a Kub",
        ),
        ([a_node(room={"memory": "-1Gi"})], r"is '-1Gi'; allowed: a quantity from 0"),
        ([a_node(room={"pods": "many"})], r"allocatable.pods is 'many'; allowed: a whole number"),
        ([a_node(taints=[{"key": "a", "effect": "No"}])], r"taints\[0\] has the effect 'No'; allowed: NoSch"),
        ([a_node(), {"kind": "Pod"}], r"items\[1\].metadata is missing"),
        ([a_node(), {"kind": "Pod", "metadata": {}, "spec": []}], r"is \[\]; allowed: a mapping"),
        ([{"kind": "Node", "metadata": 7}], r"metadata is 7; allowed: a mapping"),
    ],
)
def test_refused(items: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        read(printed(*items))
    assert "\n" not in str(caught.value)


def test_a_large_cluster_may_be_a_large_file(tmp_path: Path) -> None:
    path = tmp_path / "nodes.json"
    path.write_text(a_cluster() + " " * 11_000_000)
    assert len(read_live_file(path).groups) == 2


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.sampled_from(["", "1Gi", "x", "Always", "NoSchedule"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(
                ["containers", "initContainers", "resources", "requests", "cpu", "volumes", "key"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)
PLACES = ["metadata", "spec", "status", "labels", "taints", "tolerations", "containers", "ownerReferences"]


@settings(max_examples=60)
@given(JSON, st.sampled_from(PLACES), st.booleans())
def test_anything_is_read_or_refused_in_one_line(value: Any, place: str, of_node: bool) -> None:
    node, pod = a_node(), a_pod("p", "o")
    item = node if of_node else pod
    inside = next((part for part in ("metadata", "spec", "status") if place in item[part]), None)
    (item[inside] if inside else item)[place] = value
    refusal = ""
    try:
        read(printed(node, pod))
    except InputError as error:
        refusal = str(error)
    assert "\n" not in refusal


def test_a_dump_has_lists_without_kinds_and_logs_between_them() -> None:
    nodes, pods = json.loads(printed(a_node("n1"))), json.loads(printed(a_pod("x", "n1")))
    for each in (*nodes["items"], *pods["items"]):
        del each["kind"]
    nodes["kind"], pods["kind"] = "NodeList", "PodList"
    head, tail = (
        "==== START logs for container a of pod x/x ====",
        "==== END logs for container a of pod x/x ====",
    )
    logs = f'{head}\n{{"not": [a list\n{tail}\n'
    text = f"{json.dumps(nodes, indent=4)}\n{json.dumps(pods, indent=4)}\n{logs}"
    cluster = read_live([root(document) for document in read_text(text, "dump", without_logs)])
    assert [group.nodes for group in cluster.groups] == [1]


@pytest.mark.parametrize(
    "key",
    [
        "node.cilium.io/agent-not-ready",
        "efs.csi.aws.com/agent-not-ready",
        "karpenter.sh/unregistered",
        "node.cloudprovider.kubernetes.io/uninitialized",
        "startup-taint.cluster-autoscaler.kubernetes.io/ours",
    ],
)
def test_taints_of_the_start_are_no_groups_taints(key: str) -> None:
    node = a_node()
    node["spec"]["taints"] = [{"key": key, "effect": "NoSchedule"}, {"key": "pool", "effect": "NoSchedule"}]
    (group,) = read(printed(node)).groups
    assert group.taints == (Taint("pool", "", Effect.NO_SCHEDULE),)


def test_the_volume_is_as_large_as_the_file_system_in_it() -> None:
    node = a_node()
    node["status"]["capacity"] = {
        "ephemeral-storage": "209702892Ki"
    }  # what kubelet says of a volume of 200 GiB
    (group,) = read(printed(node)).groups
    assert group.disk_gib == 200
