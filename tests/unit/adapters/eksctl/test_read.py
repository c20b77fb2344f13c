"""ClusterConfigs: varied ones, valid by eksctl's own schema, and what its checks refuse (aws.md §9)."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from sim.adapters.eksctl import keys
from sim.adapters.eksctl.messages import MESSAGES
from sim.adapters.eksctl.read import ReadCluster, read_cluster, read_cluster_file
from sim.adapters.eksctl.typed import LENIENT, SCALARS
from sim.documents.fields import root
from sim.documents.yaml_read import read_text
from sim.errors import InputError
from sim.model.cluster import FargateProfile, Selector
from sim.model.cluster_config import InstanceSelector, NodeGroupConfig
from sim.model.machines import Volume
from sim.model.pods import Effect, Taint
from tests.conftest import needs_shared

HEAD = """\
apiVersion: eksctl.io/v1alpha5
kind: ClusterConfig
"""

# The shape of aws.md §9.1.
PACHYDERM = (
    HEAD
    + """\
metadata: {name: pach-prod, region: us-east-1, version: "1.34"}
iam:
  withOIDC: true                       # needed by serviceAccounts (IRSA)
  serviceAccounts:
    - metadata: {name: cluster-autoscaler, namespace: kube-system}
      wellKnownPolicies: {autoScaler: true}
fargateProfiles:
  - name: fp-pachyderm-workers
    selectors:
      - namespace: pachyderm
        labels: {node: fargate}
managedNodeGroups:
  - name: cpu-od
    instanceTypes: [m5.xlarge]
    minSize: 1
    desiredCapacity: 1
    maxSize: 10
    privateNetworking: true
    volumeSize: 80
    volumeType: gp3
    labels: {pool: cpu}
    propagateASGTags: true
    iam: {withAddonPolicies: {autoScaler: true}}
  - name: gpu-spot
    instanceTypes: [g4dn.xlarge]
    spot: true
    minSize: 0
    desiredCapacity: 0
    maxSize: 4
    labels: {pool: gpu, k8s.amazonaws.com/accelerator: nvidia-tesla-t4}
    taints: [{key: nvidia.com/gpu, value: "true", effect: NoSchedule}]
    propagateASGTags: true
"""
)
MINIMAL = HEAD + "metadata: {name: small, region: eu-west-1}\n"
ANCHORS = (
    HEAD
    + """\
metadata: {name: anchored, region: eu-central-1, version: "1.31", tags: {team: data}}
availabilityZones: [eu-central-1a, eu-central-1b]
managedNodeGroups:
  - &base
    name: a   # the first
    instanceType: c6i.2xlarge
    maxSize: 3
    availabilityZones: [eu-central-1a]
  - <<: *base
    name: b
    availabilityZones: [eu-central-1b]
"""
)
SELF_MANAGED = (
    HEAD
    + """\
metadata: {name: spotty, region: us-west-2}
karpenter: {version: "1.0.0"}
iam: {withOIDC: true}
nodeGroups:
  - name: mixed
    minSize: 0
    maxSize: 20
    instancesDistribution:
      instanceTypes: [m5.large, m5a.large]
      onDemandBaseCapacity: 0
      onDemandPercentageAboveBaseCapacity: 0
      spotAllocationStrategy: capacity-optimized
    taints: [{key: dedicated, value: batch, effect: NoExecute}]
    kubeletExtraConfig: {kubeReserved: {cpu: 300m}}
    maxPodsPerNode: 30
  - name: half
    instanceType: mixed
    desiredCapacity: 4
    instancesDistribution:
      instanceTypes: [m5.large]
      onDemandPercentageAboveBaseCapacity: 50
"""
)
SELECTED = (
    HEAD
    + """\
metadata: {name: chosen, region: ap-northeast-1}
managedNodeGroups:
  - name: any-gpu
    instanceSelector: {vCPUs: 8, memory: "32", gpus: 1, cpuArchitecture: x86_64}
    desiredCapacity: 3
    volumeSize: 200
    volumeType: io1
    volumeIOPS: 100
    amiFamily: Bottlerocket
    updateConfig: {maxUnavailablePercentage: 33}
    tags: {k8s.io/cluster-autoscaler/node-template/resources/ephemeral-storage: 100Gi}
fargateProfiles:
  - name: fp-default
    selectors: [{namespace: default}, {namespace: kube-*}]
"""
)
CONFIGS = {
    "pachyderm": PACHYDERM,
    "minimal": MINIMAL,
    "anchors": ANCHORS,
    "self-managed": SELF_MANAGED,
    "selected": SELECTED,
}


def read(text: str) -> ReadCluster:
    (document,) = read_text(text, "cluster.yaml")
    return read_cluster(root(document))


@needs_shared
@pytest.mark.parametrize("text", CONFIGS.values(), ids=CONFIGS.keys())
def test_configs_valid_by_eksctls_schema_are_read(text: str, shared: Path) -> None:
    schema = json.loads((shared / "schemas" / "eksctl.schema.json").read_text())
    jsonschema.validate(read_text(text)[0].value, schema)
    assert read(text).config.name


@needs_shared
def test_the_keys_are_the_schemas(shared: Path) -> None:
    definitions = json.loads((shared / "schemas" / "eksctl.schema.json").read_text())["definitions"]
    compared = 0
    for name, kinds in MESSAGES.items():
        properties = definitions.get(name, {}).get("properties")
        if properties and name not in LENIENT:  # whose decoders know more than the schema
            assert set(kinds) == set(properties), name
            compared += 1
    assert compared > 50
    used = {kind.strip("[]{}") for kinds in MESSAGES.values() for kind in kinds.values()}
    assert used - {*SCALARS, "taints"} <= set(MESSAGES)
    assert set(keys.VOLUME_TYPES) == set(definitions["ManagedNodeGroup"]["properties"]["volumeType"]["enum"])


def test_a_pachyderm_cluster() -> None:
    cluster = read(PACHYDERM)
    config = cluster.config
    assert (config.name, config.region, config.version) == ("pach-prod", "us-east-1", "1.34")
    assert config.fargate_profiles == (
        FargateProfile("fp-pachyderm-workers", (Selector("pachyderm", (("node", "fargate"),)),)),
    )
    cpu, gpu = config.node_groups
    assert cpu == NodeGroupConfig(
        "cpu-od",
        instance_types=("m5.xlarge",),
        min_size=1,
        desired_capacity=1,
        max_size=10,
        labels=(("pool", "cpu"),),
        private_networking=True,
        propagate_asg_tags=True,
        autoscaler_policy=True,
        kept=(("iam", '{"withAddonPolicies": {"autoScaler": true}}'),),
    )
    assert (gpu.spot, gpu.min_size, gpu.desired_capacity, gpu.max_size) == (True, 0, 0, 4)
    assert gpu.taints == (Taint("nvidia.com/gpu", "true", Effect.NO_SCHEDULE),)
    assert [path for path, _ in config.kept] == ["iam"]
    assert cluster.notices == ()


def test_anchors_and_zones() -> None:
    config = read(ANCHORS).config
    assert [group.name for group in config.node_groups] == ["a", "b"]
    assert [group.availability_zones for group in config.node_groups] == [
        ("eu-central-1a",),
        ("eu-central-1b",),
    ]
    assert config.availability_zones == ("eu-central-1a", "eu-central-1b")
    assert config.tags == (("team", "data"),)


def test_self_managed_groups_are_spot_by_their_distribution() -> None:
    cluster = read(SELF_MANAGED)
    mixed, half = cluster.config.node_groups
    assert (mixed.managed, mixed.spot, mixed.instance_types) == (False, True, ("m5.large", "m5a.large"))
    assert mixed.taints == (Taint("dedicated", "batch", Effect.NO_EXECUTE),)
    assert mixed.max_pods_per_node == 30
    assert (half.spot, half.on_demand_share, half.max_size) == (False, 0.5, 4)
    assert [notice.field for notice in cluster.notices] == [
        "karpenter",
        "nodeGroups[mixed].kubeletExtraConfig",
        "nodeGroups[half].instancesDistribution",
    ]


def test_self_managed_taints_may_be_a_mapping() -> None:
    group = "{name: g, taints: {dedicated: 'batch:NoExecute', spare: ':NoSchedule'}}"
    (read_group,) = read(f"{MINIMAL}nodeGroups: [{group}]").config.node_groups
    assert read_group.taints == (
        Taint("dedicated", "batch", Effect.NO_EXECUTE),
        Taint("spare", "", Effect.NO_SCHEDULE),
    )


def test_types_may_be_selected_instead_of_named() -> None:
    (group,) = read(SELECTED).config.node_groups
    assert group.instance_types == ()
    assert group.instance_selector == InstanceSelector(vcpus=8, memory="32", gpus=1)
    assert (group.volume_gib, group.volume_type, group.ami_family) == (200, "io1", "Bottlerocket")
    assert group.volumes == (Volume(200, "io1", group.volume_iops),)
    assert group.volume_iops > 0
    assert [path for path, _ in group.kept] == ["updateConfig"]


def group_of(**said: Any) -> NodeGroupConfig:
    group = json.dumps({"name": "g"} | said)
    return read(f"{MINIMAL}managedNodeGroups:\n  - {group}\n").config.node_groups[0]


@pytest.mark.parametrize(
    ("said", "sizes"),
    [
        pytest.param({}, (2, 2, 2), id="nothing said: two nodes"),
        pytest.param({"desiredCapacity": 3}, (3, 3, 3), id="only desired"),
        pytest.param({"minSize": 1}, (1, 1, 1), id="only min"),
        pytest.param({"minSize": 0}, (0, 0, 1), id="max is raised to one"),
        pytest.param({"maxSize": 5}, (2, 2, 5), id="only max"),
        pytest.param({"minSize": 1, "maxSize": 5}, (1, 1, 5), id="desired is min"),
        pytest.param({"minSize": 1, "desiredCapacity": 3}, (1, 3, 3), id="max is desired"),
        pytest.param(
            {"minSize": 0, "desiredCapacity": 0, "maxSize": 0}, (0, 0, 0), id="an explicit zero stays"
        ),
    ],
)
def test_size_defaults(said: dict[str, int], sizes: tuple[int, int, int]) -> None:
    group = group_of(**said)
    assert (group.min_size, group.desired_capacity, group.max_size) == sizes


def test_other_defaults() -> None:
    assert group_of() == NodeGroupConfig("g")
    assert group_of().instance_types == ("m5.large",)
    assert group_of(instanceSelector={}) == NodeGroupConfig("g")
    assert group_of(instanceSelector={"gpus": 0}).instance_selector == InstanceSelector(gpus=0)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"maxSise": 3}, r"managedNodeGroups\[g\].maxSise is not a known key; did you mean maxSize\?"),
        ({"name": "a_"}, r"managedNodeGroups\[a_\] has the name a_; allowed: a label's value"),
        ({"maxSize": 1}, r"has sizes min 2, desired 2, max 1"),
        ({"minSize": 3, "desiredCapacity": 1}, r"has sizes min 3, desired 1"),
        ({"minSize": -1}, r"minSize is -1; allowed: 0 or more"),
        ({"minSize": "1"}, r"minSize is '1'; allowed: a whole number"),
        ({"instanceType": "a", "instanceTypes": ["b"]}, r"both instanceType and instanceTypes"),
        ({"instanceType": "a", "instanceSelector": {"vCPUs": 2}}, r"both instanceType and instanceSelector"),
        (
            {"instanceSelector": {"cpus": 2}},
            r"instanceSelector.cpus is not a known key; did you mean vCPUs\?",
        ),
        ({"labels": {"kubernetes.io/role": "x"}}, r"reserved label kubernetes.io/role"),
        ({"labels": {"x.k8s.io/role": "x"}}, r"reserved label x.k8s.io/role"),
        ({"labels": {"a/b/c": "x"}}, r"has the key 'a/b/c'"),
        ({"labels": {"a": "x y"}}, r"has the value 'x y'"),
        ({"labels": {"a": True}}, r"labels.a is True; allowed: a text"),
        ({"taints": [{"key": "a", "effect": "No"}]}, r"taints\[0\] has the effect 'No'; allowed: NoSchedule"),
        ({"taints": {"a": "b:NoSchedule"}}, r"taints is .*; allowed: a list"),
        ({"volumeType": "gp4"}, r"has the volumeType gp4; allowed: gp2"),
        ({"volumeSize": 0}, r"volumeSize is 0; allowed: 1 or more"),
        ({"volumeSize": 9, "volumeIOPS": 100}, r"volumeIOPS is 100; allowed: 3000 to 16000"),
        ({"volumeSize": 9, "volumeThroughput": 2000}, r"allowed: 125 to 1000 for gp3"),
        ({"subnets": ["a"], "availabilityZones": ["b"]}, r"both subnets and availabilityZones"),
        ({"updateConfig": {}}, r"one of maxUnavailable and"),
        ({"launchTemplate": {"id": "lt-1"}, "volumeSize": 9}, r"has launchTemplate and volumeSize"),
        ({"iam": {"instanceRoleARN": "x", "withAddonPolicies": {"autoScaler": True}}}, r"one of the two"),
        ({"iam": {"withAddonPolicies": {"autoScaler": True}}, "disablePodIMDS": True}, r"one of the two"),
    ],
)
def test_refused_groups(said: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        group_of(**said)
    assert str(caught.value).startswith("cluster.yaml:5: ")


def test_labels_the_kubelet_owns_are_fine() -> None:
    owned = {"node.kubernetes.io/lifecycle": "spot", "kubernetes.io/arch": "amd64", "plain": ""}
    assert dict(group_of(labels=owned).labels) == owned


SELECTOR = "{namespace: pachyderm}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("kind: ClusterConfig\nmetadata: {name: a, region: us-east-1}", "apiVersion is missing"),
        (HEAD.replace("v1alpha5", "v1"), r"apiVersion is 'eksctl.io/v1'; allowed: eksctl.io/v1alpha5"),
        (HEAD, "metadata is missing"),
        (HEAD + "metadata: {name: a}", "metadata.region is missing"),
        (HEAD + "metadata: {name: a, region: home}", "metadata.region is 'home'; allowed: af-south-1, "),
        (HEAD + "metadata: {name: a_b, region: us-east-1}", "metadata.name is 'a_b'"),
        (
            HEAD + "metadata: {name: a, region: us-east-1, version: 1.30}",
            "version is 1.3; allowed: a text, in quotes",
        ),
        (
            HEAD + "metadata: {name: a, region: us-east-1, version: '2'}",
            "version is '2'; allowed: a Kubernetes minor",
        ),
        (MINIMAL + "nodeGroup: []", "nodeGroup is not a known key; did you mean nodeGroups"),
        (
            MINIMAL + "nodeGroups: [{name: a}]\nmanagedNodeGroups: [{name: a}]",
            "has the name a of another group",
        ),
        (MINIMAL + "nodeGroups: [{name: a, spot: true}]", r"nodeGroups\[a\].spot is not a known key"),
        (
            MINIMAL + "nodeGroups: [{name: a, instanceType: x, instancesDistribution: {instanceTypes: [b]}}]",
            "mixed",
        ),
        (MINIMAL + "nodeGroups: [{name: a, instancesDistribution: {}}]", "instanceTypes is missing"),
        (MINIMAL + "nodeGroups: [{}]", "name is missing"),
        (MINIMAL + "nodeGroups: {}", r"nodeGroups is \{\}; allowed: a list"),
        (
            MINIMAL + f"fargateProfiles: [{{name: eks-a, selectors: [{SELECTOR}]}}]",
            "does not begin with eks-",
        ),
        (MINIMAL + "fargateProfiles: [{name: a}]", "selectors is missing; allowed: at least one"),
        (
            MINIMAL + "fargateProfiles: [{name: a, selectors: []}]",
            "selectors is missing; allowed: at least one",
        ),
        (MINIMAL + "fargateProfiles: [{name: a, selectors: [{labels: {}}]}]", "namespace is missing"),
        (
            MINIMAL + f"fargateProfiles: [{{name: a, selectors: [{', '.join([SELECTOR] * 6)}]}}]",
            "are 6; allowed: at most 5",
        ),
        (
            MINIMAL
            + "fargateProfiles: [{name: a, selectors: [{namespace: pachyderm, labels: "
            + "{a: a, b: b, c: c, d: d, e: e, f: f}}]}]",
            "has 6 labels; allowed: at most 5",
        ),
        (
            MINIMAL + f"fargateProfiles: &p [{{name: a, selectors: [{SELECTOR}]}}]\noutpost: {{}}",
            "controlPlaneOutpostARN is missing",
        ),
        (
            MINIMAL + "privateCluster: {enabled: true}\nnodeGroups: [{name: a}]",
            "privateNetworking: true in every",
        ),
        (MINIMAL + "iam: {withOIDC: false, serviceAccounts: [{}]}", "a service account without OIDC"),
    ],
)
def test_refused_clusters(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "cluster.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=message) as caught:
        read_cluster_file(path)
    assert str(caught.value).startswith(f"{path}:")
    assert "\n" not in str(caught.value)


def test_an_inline_cluster_needs_no_head() -> None:
    text = "cluster:\n  eksctl:\n    nodeGroups: [{name: a, minSize: 9, maxSize: 3}]\n"
    cluster = root(read_text(text, "s.yaml")[0]).child("cluster")
    assert cluster is not None
    inline = cluster.child("eksctl")
    assert inline is not None
    with pytest.raises(InputError, match=r"s.yaml:3: cluster.eksctl.nodeGroups\[a\] has sizes min 9"):
        read_cluster(inline, inline_region="us-east-1")
    empty = root(read_text("nodeGroups: []")[0])
    assert read_cluster(empty, inline_region="us-west-2").config.region == "us-west-2"
