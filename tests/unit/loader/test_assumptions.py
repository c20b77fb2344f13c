from dataclasses import fields
from pathlib import Path

import pytest

from sim.errors import InputError
from sim.loader.shape.workload import PACHYDERM
from sim.model.scenario import Assumption, PachydermOptions, Scenario
from tests.unit.loader.worlds import SCENARIO, loaded


def assumed(scenario: Scenario) -> dict[str, Assumption]:
    return {each.field: each for each in scenario.assumptions}


def test_the_version_and_local_storage_are_said_with_what_the_manifest_says(tmp_path: Path) -> None:
    told = assumed(loaded(tmp_path))
    assert told["cluster.autoscaler.version"].value == "1.33.6"
    assert "Kubernetes minor" in told["cluster.autoscaler.version"].source
    pinned = told["cluster.autoscaler.skip-nodes-with-local-storage"]
    assert pinned.value == "true"
    assert "AWS example manifest" in pinned.source
    assert pinned.source.endswith("says false")


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ("cluster.autoscaler.scan-interval=10s", "cluster.autoscaler.scan-interval"),
        ("cluster.fargate.vcpu_quota=6", "cluster.fargate.vcpu_quota"),
        ("latency.fargate.ready=45s", "latency.fargate.ready"),
        ("base_load=[]", "base_load[pachd]"),
        ("cluster.daemonsets=[]", "cluster.daemonsets[aws-node]"),
        ("prices.instances[m5.2xlarge]=0.3", "prices.instances[m5.2xlarge]"),
        ("images.worker=1GB", "images[worker]"),
        ("start=2026-01-05T00:00Z", "start"),
        ("pachyderm.cluster_defaults={}", "pachyderm.cluster_defaults"),
    ],
)
def test_what_the_file_says_is_no_assumption(tmp_path: Path, said: str, field: str) -> None:
    assert field in assumed(loaded(tmp_path))
    assert field not in assumed(loaded(tmp_path, SCENARIO, said))


def test_each_has_a_value_and_a_source_and_is_said_once(tmp_path: Path) -> None:
    scenario = loaded(tmp_path)
    assert len(assumed(scenario)) == len(scenario.assumptions)
    assert all(each.source for each in scenario.assumptions)


def test_the_version_decides_the_defaults(tmp_path: Path) -> None:
    old = assumed(loaded(tmp_path, SCENARIO, "cluster.autoscaler.version=1.31"))
    assert old["cluster.autoscaler.expander"].value == "random"
    assert assumed(loaded(tmp_path))["cluster.autoscaler.expander"].value == "least-waste"


def test_every_option_of_pachyderm_can_be_said() -> None:
    settable = {each.attribute or each.name for each in PACHYDERM.keys} - {"cluster_defaults", "edition"}
    assert settable == {each.name for each in fields(PachydermOptions)}


def test_instance_types_beyond_the_first_and_burstable_ones_are_said(tmp_path: Path) -> None:
    path = "cluster.eksctl.managedNodeGroups[cpu].instanceTypes"
    scenario = loaded(tmp_path, SCENARIO, f"{path}=[t3.2xlarge, m5.2xlarge]")
    assert assumed(scenario)[path].value == "all nodes are t3.2xlarge, the first of 2 types"
    assert any("t3.2xlarge is burstable" in warning for warning in scenario.warnings)


def test_nodes_are_labelled_with_their_zone(tmp_path: Path) -> None:
    zone = "cluster.eksctl.managedNodeGroups[cpu].availabilityZones=[us-east-1b]"
    wanted = "pipelines[edges].schedulingSpec.nodeSelector={topology.kubernetes.io/zone: us-east-1b}"
    (group,) = loaded(tmp_path, SCENARIO, zone, wanted).cluster.node_groups
    assert group.zone == dict(group.labels)["topology.kubernetes.io/zone"] == "us-east-1b"


def test_base_load_by_default_leaves_names_to_the_work(tmp_path: Path) -> None:
    scenario = loaded(tmp_path, SCENARIO.replace("name: edges", "name: etcd"))
    names = [each.pod_class.name for each in scenario.base_load]
    assert "base/etcd" in names
    assert "etcd" not in names


def test_base_load_of_no_replicas_is_none(tmp_path: Path) -> None:
    none = loaded(tmp_path, SCENARIO, "base_load=[{name: warm, replicas: 0, requests: {cpu: 64}}]")
    assert [each.replicas for each in none.base_load] == [0]
    assert not any("fits nowhere" in warning for warning in none.warnings)


def test_base_load_that_fits_nowhere_is_a_warning(tmp_path: Path) -> None:
    scenario = loaded(tmp_path, SCENARIO, "base_load=[{name: big, requests: {cpu: 64}}]")
    assert any("base load big fits nowhere and stays Pending" in warning for warning in scenario.warnings)


def test_a_group_can_be_stated_outright(tmp_path: Path) -> None:
    (group,) = loaded(
        tmp_path,
        SCENARIO,
        "cluster.daemonsets=[]",
        "cluster.groups.cpu={initial: 2, usd_per_hour: 1, provision: 0s, allocatable: {cpu: 4, "
        "memory: 16Gi, pods: 9}}",
    ).cluster.node_groups
    assert group.allocatable == group.capacity
    assert (group.allocatable.cpu_m, group.allocatable.memory_mib, group.max_pods) == (4000, 16384, 9)
    assert (group.initial, group.usd_per_hour, group.template) == (2, 1.0, None)


GROUP = "cluster.eksctl.managedNodeGroups[cpu]"


def selected(folder: Path, selector: str) -> list[str]:
    """Return the types of a group by its selector, the one it is simulated with first."""
    sets = (f"{GROUP}.instanceTypes=", f"{GROUP}.instanceSelector={selector}")
    scenario = loaded(folder, SCENARIO, *sets)
    (group,) = scenario.cluster.node_groups
    told = assumed(scenario)[f"{GROUP}.instanceSelector"].value
    types = told.partition("the first of ")[2].split(", ")
    assert types[0] == group.instance_type
    assert types == sorted(types)
    return types


def test_an_instance_selector_takes_what_eksctl_takes(tmp_path: Path) -> None:
    types = selected(tmp_path, "{vCPUs: 8, memory: '32', gpus: 0}")
    assert {"m5.2xlarge", "m6i.2xlarge", "t3.2xlarge"} < set(types)
    assert not {"g4dn.2xlarge", "g6f.2xlarge", "m6g.2xlarge", "m5.xlarge"} & set(types)
    assert {"g4dn.2xlarge", "g5.2xlarge"} < set(selected(tmp_path, "{vCPUs: 8, memory: 32GiB}"))
    assert selected(tmp_path, "{vCPUs: 4, memory: 16384mb, gpus: 1, allow: '^g[45]', deny: ad}") == [
        "g4dn.xlarge",
        "g5.xlarge",
    ]


@pytest.mark.parametrize(
    ("selector", "message"),
    [
        ("{vCPUs: 7}", "matches no known instance type"),
        ("{cpuArchitecture: arm64}", "instance types; allowed: at most 40"),
        ("{memory: 32Gb/s}", "memory is '32Gb/s'; allowed: a number of GiB such as 32"),
        ("{memory: 1.5MiB}", "memory is '1.5MiB'; allowed: a number of GiB"),
        ("{allow: '('}", "has no regular expression"),
        ("{neuron_devices: 1}", "selects Neuron devices, which no table here counts"),
    ],
)
def test_selectors_that_select_nothing_usable(tmp_path: Path, selector: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        selected(tmp_path, selector)
    assert message in str(caught.value)


def test_a_placeholder_has_its_own_priority(tmp_path: Path) -> None:
    (base,) = loaded(
        tmp_path, SCENARIO, "base_load=[{name: pause, replicas: 2, priority: -10, requests: {cpu: 1}}]"
    ).base_load
    assert (base.pod_class.priority, base.replicas) == (-10, 2)


def test_another_region_than_the_cluster_configs_is_said(tmp_path: Path) -> None:
    scenario = loaded(tmp_path, SCENARIO, "region=eu-west-2")
    assert scenario.prices.nat_gib == 0.05  # aws.md §5
    assert "region eu-west-2 of the scenario replaces us-east-1 of the ClusterConfig" in scenario.warnings


def test_prices_of_the_scenario_win(tmp_path: Path) -> None:
    scenario = loaded(
        tmp_path, SCENARIO, "prices.instances[m5.2xlarge]=0.3", "prices.nat_gib=0.01", "discounts.ec2=20%"
    )
    (group,) = scenario.cluster.node_groups
    assert (group.usd_per_hour, scenario.prices.nat_gib, scenario.prices.ec2_discount) == (0.3, 0.01, 0.2)


def test_an_unmanaged_group_whose_labels_the_autoscaler_cannot_see(tmp_path: Path) -> None:
    text = SCENARIO.replace("managedNodeGroups", "nodeGroups").replace(
        "instanceTypes: [m5.2xlarge]", "instanceType: m5.2xlarge, labels: {a: b}"
    )
    (group,) = loaded(tmp_path, text).cluster.node_groups
    assert "eks.amazonaws.com/nodegroup" not in dict(group.labels)
    unseen = "until it has had a node the autoscaler does not know its label a"
    empty = loaded(tmp_path, text, "cluster.eksctl.nodeGroups[cpu].desiredCapacity=0")
    assert any(unseen in warning for warning in empty.warnings)
    assert not any(unseen in warning for warning in loaded(tmp_path, text).warnings)


def test_the_zone_of_a_group_is_said(tmp_path: Path) -> None:
    path = "cluster.eksctl.managedNodeGroups[cpu].availabilityZones"
    two = loaded(tmp_path, SCENARIO, f"{path}=[us-east-1b, us-east-1c]")
    assert (
        assumed(two)[path].value
        == "nodes are spread over us-east-1b, us-east-1c, the next one where there are fewest"
    )
    assert assumed(loaded(tmp_path))[path].value == "all nodes are in us-east-1a, no zone is named"
    assert path not in assumed(loaded(tmp_path, SCENARIO, f"{path}=[us-east-1b]"))


def test_interruptions_of_a_group_that_is_not_spot_are_warned_of(tmp_path: Path) -> None:
    scenario = loaded(tmp_path, SCENARIO, "cluster.groups.cpu.interruptions_per_hour=0.1")
    assert "group cpu is not Spot: its interruptions_per_hour has no effect" in scenario.warnings


@pytest.mark.parametrize(
    ("sets", "count", "source"),
    [
        pytest.param([], 1, "eksctl 0.231.0's default: Single", id="default"),
        pytest.param(["vpc.nat.gateway=Single"], 1, "vpc.nat.gateway is Single", id="single"),
        pytest.param(["vpc.nat.gateway=Disable"], 0, "vpc.nat.gateway is Disable", id="none"),
        pytest.param(
            ["vpc.nat.gateway=HighlyAvailable", "availabilityZones=[us-east-1a, us-east-1b, us-east-1f]"],
            3,
            "vpc.nat.gateway is HighlyAvailable, one a zone",
            id="one a zone",
        ),
        pytest.param(
            ["vpc.nat.gateway=HighlyAvailable"],
            2,
            "vpc.nat.gateway is HighlyAvailable, one in each of the 2 zones that eksctl takes",
            id="eksctl takes two zones in us-east-1",
        ),
        pytest.param(
            ["vpc.nat.gateway=HighlyAvailable", "metadata.region=eu-west-1"],
            3,
            "vpc.nat.gateway is HighlyAvailable, one in each of the 3 zones that eksctl takes",
            id="three elsewhere",
        ),
        pytest.param(
            ["vpc={id: vpc-0, nat: {gateway: HighlyAvailable}}"],
            1,
            "assumption: the VPC exists already",
            id="a VPC of the user's own",
        ),
    ],
)
def test_nat_gateways_are_those_of_the_cluster_config(
    tmp_path: Path, sets: list[str], count: int, source: str
) -> None:
    """As eksctl userdocs vpc-configuration.md: Disable, Single (default) or HighlyAvailable."""
    scenario = loaded(tmp_path, SCENARIO, *(f"cluster.eksctl.{each}" for each in sets))
    assert scenario.prices.nat_gateways == count
    assert scenario.prices.pulls_through_nat == (count > 0)
    assert assumed(scenario)["prices.nat_gateways"].source == source


def test_nat_gateways_may_be_said_or_mistaken(tmp_path: Path) -> None:
    mode = "cluster.eksctl.vpc.nat.gateway"
    scenario = loaded(tmp_path, SCENARIO, f"{mode}=HighlyAvailable", "prices.nat_gateways=5")
    assert scenario.prices.nat_gateways == 5
    with pytest.raises(InputError, match=r"gateway is 'single'; allowed: .*; did you mean Single\?"):
        loaded(tmp_path, SCENARIO, f"{mode}=single")


def test_a_misspelt_image_is_said(tmp_path: Path) -> None:
    (warning,) = (each for each in loaded(tmp_path, SCENARIO, "images.workr=1GB").warnings if "image" in each)
    assert warning == "images[workr] is the name of no image here; did you mean worker?"


def test_zstd_images_and_raids_are_said_by_name(tmp_path: Path) -> None:
    """aws.md §8.2: x0.8 if zstd, +8 s if local NVMe RAID."""
    scenario = loaded(
        tmp_path,
        SCENARIO,
        "latency.image_pull.zstd=[pachyderm/opencv, pachd]",
        "cluster.groups.cpu.nvme_raid=true",
    )
    assert [image.zstd for image in scenario.pipelines[0].pod_class.images] == [False, True, True]
    assert scenario.cluster.node_groups[0].shape.nvme_raid
    assert assumed(scenario)["latency.image_pull.zstd_factor"].value == "0.8"
    assert assumed(scenario)["latency.ec2.nvme_raid"].value == "8s"


@pytest.mark.parametrize(
    ("version", "said"),
    [
        ("2.9", []),
        ("2.11.6", []),
        ("2.8", ["pachyderm 2.8: requests and datum sets follow it, jobs run as from 2.9 on"]),
        ("pre-2.5", ["pachyderm pre-2.5: requests and datum sets follow it, jobs run as from 2.9 on"]),
    ],
)
def test_what_an_old_version_does_not_change_is_said(tmp_path: Path, version: str, said: list[str]) -> None:
    """pachyderm.md §3.2: preprocessing moved out of the workers in 2.9."""
    scenario = loaded(tmp_path, SCENARIO, f"pachyderm.version='{version}'")
    warned = [each for each in scenario.warnings if each.startswith("pachyderm ")]
    assert [each.partition(": datums")[0] for each in warned] == said
