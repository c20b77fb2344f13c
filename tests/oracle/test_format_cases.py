"""The small files that the real parsers judged otherwise than an earlier version did, row by row."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.adapters.cluster_autoscaler.read import read_autoscaler
from sim.adapters.eksctl.read import read_cluster_file
from sim.adapters.kubernetes.kubectl import read_live_file
from sim.adapters.pachyderm.spec import read_specs
from sim.documents.fields import root
from sim.documents.yaml_read import read_file
from sim.draft import init
from sim.errors import InputError
from sim.loader import load
from sim.model.resources import Resources
from sim.model.scenario import Scenario
from tests.conftest import needs_shared

REFUSED = {
    "w1-merge-override.yaml": "says b twice; allowed: each key once; a merged key cannot be overridden",
    "w4-cron-every-1d.json": "input.cron.spec is '@every 1d'",
    "w4-cron-sunday-7.json": "input.cron.spec is '0 9 * * 7'",
    "w5-egress-secret.json": "egress.sqlDatabase.secret is missing",
    "w5-null-list.json": "tolerations is None; allowed: a list",
    "w5-output-branch.json": "outputBranch is 'a/b'",
    "w5-pod-patch.json": "podPatch is no JSON",
    "w5-s3-join.json": "input.join has an s3 input",
    "w5-s3-lazy.json": "has both s3 and lazy",
    "w5-service-type.json": "service.type is 'ExternalName'",
    "w5-spout-input.json": "input belongs to a spout without a service",
    "w5-yaml-alias.yaml": "is a YAML alias, which pachctl does not take",
    "w5-yaml-octal.yaml": "is 03 of the YAML kind int, which pachctl does not take",
    "s1-serviceaccount-no-oidc.yaml": "is a service account without OIDC; allowed: iam.withOIDC: true",
    "s2-yes-as-text.yaml": "tags.teardown is True; allowed: a text",
    "s3-type-of-kept-key.yaml": "subnets is 'subnet-1'; allowed: a list",
    "s4-volume-iops.yaml": "volumeIOPS is given for gp2",
    "s5-one-zone.yaml": "availabilityZones are 1; allowed: 2 or more",
    "s6-long-name.yaml": "at most 63",
    "s7-spot-pools.yaml": "spotInstancePools is given with capacity-optimized",
}
SPECS = {
    "r1-cron-never.json": ["mill"],
    "r1-cron-questionmark.json": ["mill"],
    "r3-list-of-specs.json": ["mill", "mill2"],
    "r3-schema-key.json": ["mill"],
    "r3-trailing-comma.json": ["mill"],
    "w2-cron-step.json": ["mill"],
}
CLUSTERS = {
    "r2-no-price.yaml": ["work", "test"],
    "r2-unknown-type.yaml": ["work", "gpu"],
    "r5-names.yaml": ["spot_workers"],
    "r6-version-auto.yaml": ["m1"],
    "r6-volume-encrypted.yaml": ["m1"],
    "r6-yaml11-bool.yaml": ["m1"],
    "u5-capacity-block.yaml": ["m1"],
}


@pytest.fixture(scope="module")
def cases(shared: Path) -> Path:
    return shared / "cases" / "formats"


@needs_shared
def test_every_file_is_judged(cases: Path) -> None:
    judged = {*REFUSED, *SPECS, *CLUSTERS, "r4-umbrella-values.yaml", "r7-nodelist.json", "README.md"}
    assert judged == {path.name for path in cases.iterdir()}


@needs_shared
@pytest.mark.parametrize("name", REFUSED)
def test_what_the_real_program_refuses(name: str, cases: Path) -> None:
    read = read_specs if name.startswith(("w4", "w5")) else read_cluster_file
    with pytest.raises(InputError) as refused:
        read(cases / name)
    assert REFUSED[name] in str(refused.value)
    assert name in str(refused.value)


@needs_shared
@pytest.mark.parametrize("name", SPECS)
def test_specs_that_pachctl_takes(name: str, cases: Path) -> None:
    assert [read.pipeline.name for read in read_specs(cases / name)] == SPECS[name]


@needs_shared
@pytest.mark.parametrize("name", CLUSTERS)
def test_clusters_that_eksctl_takes(name: str, cases: Path) -> None:
    assert [group.name for group in read_cluster_file(cases / name).config.node_groups] == CLUSTERS[name]


@needs_shared
def test_a_capacity_block_is_told(cases: Path) -> None:
    notices = [str(notice) for notice in read_cluster_file(cases / "u5-capacity-block.yaml").notices]
    assert any(
        "managedNodeGroups[m1].instanceMarketOptions" in each and "On-Demand" in each for each in notices
    )


@needs_shared
def test_values_of_an_umbrella_chart(cases: Path) -> None:
    read = read_autoscaler([root(each) for each in read_file(cases / "r4-umbrella-values.yaml")])
    assert (read.expander, read.cluster) == ("least-waste", "plant")


@needs_shared
def test_typed_lists_of_nodes(cases: Path) -> None:
    base, burst = read_live_file(cases / "r7-nodelist.json").groups
    assert (base.nodes, base.spot, burst.nodes, burst.spot) == (1, False, 2, True)
    assert (base.disk_gib, base.allocatable.memory_mib) == (80, 14_553)  # 83873772Ki of a volume of 80 GiB


def drafted(cases: Path, cluster: str, folder: Path) -> Scenario:
    """Return the first scenario of a pipeline and a cluster."""
    out = folder / "scenario.yaml"
    init(cases / "r3-schema-key.json", out, eksctl=cases / cluster)
    return load(out)


@needs_shared
def test_a_group_without_a_price_gets_one_to_fill_in(cases: Path, tmp_path: Path) -> None:
    scenario = drafted(cases, "r2-no-price.yaml", tmp_path)
    work, test = scenario.cluster.node_groups
    assert (work.name, test.name, test.shape.usd_per_hour) == (
        "work",
        "test",
        0.0116,
    )  # us-east-1's, from the price list
    text = (tmp_path / "scenario.yaml").read_text()
    assert "usd_per_hour: 0.0116 # PLACEHOLDER: what t2.micro costs in eu-west-2" in text


@needs_shared
def test_an_empty_group_of_an_unknown_type_takes_no_pods_and_is_told(cases: Path, tmp_path: Path) -> None:
    scenario = drafted(cases, "r2-unknown-type.yaml", tmp_path)
    gpu = next(group for group in scenario.cluster.node_groups if group.name == "gpu")
    assert (gpu.initial, gpu.shape.max_pods, gpu.shape.allocatable) == (0, 0, Resources())
    assert any(
        "p3.8xlarge" in warning and "no pod runs in group gpu" in warning for warning in scenario.warnings
    )


@needs_shared
def test_a_group_of_an_unknown_type_with_price_and_room_is_simulated(cases: Path, tmp_path: Path) -> None:
    drafted(cases, "r2-unknown-type.yaml", tmp_path)
    room = "{cpu: 31850m, memory: 240Gi, ephemeral: 71Gi, gpu: 4, pods: 110}"
    sets = [f"cluster.groups.gpu={{usd_per_hour: 12.24, allocatable: {room}}}"]
    scenario = load(tmp_path / "scenario.yaml", sets)
    gpu = next(group for group in scenario.cluster.node_groups if group.name == "gpu")
    assert (gpu.shape.usd_per_hour, gpu.shape.allocatable.gpu, gpu.shape.allocatable.cpu_m) == (
        12.24,
        4,
        31_850,
    )
