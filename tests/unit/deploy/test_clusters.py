"""The exported ClusterConfig: the decided lines of a user's own, or a whole one with reasons; what is new."""

from __future__ import annotations

import difflib
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from sim.documents.yaml_read import read_text
from sim.loader import load
from tests.conftest import needs_shared
from tests.unit.adapters.eksctl.cluster_configs import CONFIGS
from tests.unit.deploy.plans import CLUSTER, SCENARIO, planned, written

INLINE = """\
horizon: 6h
region: eu-west-1
cluster:
  eksctl:
    fargateProfiles: [{name: fp-workers, selectors: [{namespace: default, labels: {node: fargate}}]}]
    managedNodeGroups:
      - {name: cpu, instanceType: m5.2xlarge, minSize: 0, maxSize: 4, labels: {pool: cpu}, spot: true}
      - {name: system, desiredCapacity: 1}
pipelines:
  - spec: specs/edges.json
    commits: {poisson: {per_hour: 2}}
    datum_time: 18s
"""
GROUPS = "cluster.eksctl.managedNodeGroups"


def diff(before: str, after: str) -> list[str]:
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
    return [line for line in lines if not line.startswith(("---", "+++", "@@"))]


def test_decided_lines_of_a_users_cluster_and_no_others(tmp_path: Path) -> None:
    more = [f"{GROUPS}[cpu].maxSize=9", f"{GROUPS}[cpu].spot=true"]
    files = planned(load(written(tmp_path), more))
    assert files["before/cluster.yaml"] == CLUSTER
    assert diff(CLUSTER, files["cluster.yaml"]) == [
        "-    maxSize: 4   # bounds the bill",
        "+    maxSize: 9   # bounds the bill",
        "+    spot: true",
    ]


def test_what_set_takes_away_is_gone(tmp_path: Path) -> None:
    files = planned(load(written(tmp_path), [f"{GROUPS}[cpu].minSize=", f"{GROUPS}[cpu].desiredCapacity=2"]))
    assert diff(CLUSTER, files["cluster.yaml"]) == [
        "-    minSize: 1",
        "-    desiredCapacity: 1",
        "+    desiredCapacity: 2",
    ]


@pytest.mark.parametrize("name", CONFIGS)
def test_configs_of_every_style_come_back_as_they_are(name: str, tmp_path: Path) -> None:
    pods = "pods: [{name: p, arrivals: {poisson: {per_hour: 1}}, duration: 1m, requests: {cpu: 100m}}]"
    scenario = f"horizon: 1h\ncluster: {{eksctl: own.yaml}}\n{pods}\n"
    files = planned(load(written(tmp_path, scenario, own_yaml=CONFIGS[name])))
    assert files["cluster.yaml"] == CONFIGS[name]
    kind = "nodeGroups" if name == "self-managed" else "managedNodeGroups"
    first = read_text(CONFIGS[name])[0].value[kind][0]["name"]
    changed = planned(load(tmp_path / "plan.yaml", [f"cluster.eksctl.{kind}[{first}].volumeSize=333"]))
    lines = diff(CONFIGS[name], changed["cluster.yaml"])
    added = [line for line in lines if line.startswith("+")]
    if name != "json":
        assert any("volumeSize: " in line and "333" in line for line in added)
        assert len(lines) <= 5  # with an anchor, those who refer to it keep what they had
    assert changed["before/cluster.yaml"] == CONFIGS[name]


@needs_shared
def test_an_inline_cluster_is_written_whole_with_reasons(tmp_path: Path, shared: Path) -> None:
    files = planned(load(written(tmp_path, INLINE)))
    text = files["cluster.yaml"]
    document: Any = read_text(text)[0].value
    jsonschema.validate(document, json.loads((shared / "schemas" / "eksctl.schema.json").read_text()))
    assert list(document) == [
        "apiVersion",
        "kind",
        "metadata",
        "fargateProfiles",
        "managedNodeGroups",
        "iam",
    ]
    assert document["metadata"] == {"name": "cluster", "region": "eu-west-1", "version": "1.35"}
    cpu, system = document["managedNodeGroups"]
    assert cpu == {
        "name": "cpu",
        "instanceType": "m5.2xlarge",
        "minSize": 0,
        "desiredCapacity": 0,
        "maxSize": 4,
        "volumeSize": 80,
        "volumeType": "gp3",
        "propagateASGTags": True,
        "labels": {"pool": "cpu"},
        "spot": True,
    }
    assert system["instanceTypes"] == ["m5.large"]
    assert [system[key] for key in ("minSize", "desiredCapacity", "maxSize")] == [1, 1, 1]
    assert document["iam"]["serviceAccounts"][0]["wellKnownPolicies"] == {"autoScaler": True}
    reasons = [line.partition("#")[2].strip() for line in text.splitlines() if "#" in line]
    assert "costs nothing while nothing runs" in reasons
    assert any(reason.startswith("edges: 0 to 5 of 2vCPU 5GB, $") for reason in reasons)
    assert any("at most $" in reason for reason in reasons)
    assert "changes.yaml" not in files
    assert "before/cluster.yaml" not in files


def test_changes_hold_only_what_is_new(tmp_path: Path) -> None:
    old = {"name": "cpu", "instanceTypes": ["m5.2xlarge"], "minSize": 1, "desiredCapacity": 1, "maxSize": 4}
    new = {"name": "spot", "instanceTypes": ["m5.xlarge"], "spot": True, "minSize": 0, "maxSize": 8}
    profiles = [
        {"name": "fp-b", "selectors": [{"namespace": "b"}]},
        {"name": "fp-workers", "selectors": [{"namespace": "default", "labels": {"node": "farg*"}}]},
    ]
    sets = [f"{GROUPS}={json.dumps([old, new])}", f"cluster.eksctl.fargateProfiles={json.dumps(profiles)}"]
    files = planned(load(written(tmp_path), sets))
    changes = read_text(files["changes.yaml"])[0].value
    assert changes == {
        "apiVersion": "eksctl.io/v1alpha5",
        "kind": "ClusterConfig",
        "metadata": {"name": "work", "region": "us-east-1", "version": "1.33"},
        "managedNodeGroups": [new],
        "fargateProfiles": profiles,
        "iam": changes["iam"],
    }
    assert set(changes["iam"]) == {"withOIDC", "serviceAccounts"}
    assert "# the seed's" in files["cluster.yaml"]


def test_a_cluster_whose_nodes_may_autoscale_needs_no_account(tmp_path: Path) -> None:
    own = CLUSTER + "    iam: {withAddonPolicies: {autoScaler: true}}\n"
    path = written(tmp_path)
    (tmp_path / "clusters" / "work.yaml").write_text(own)
    assert "changes.yaml" not in planned(load(path))


def test_region_and_version_that_the_scenario_decides(tmp_path: Path) -> None:
    scenario = SCENARIO.replace("cluster: {", 'region: eu-west-1\ncluster: {kubernetes_version: "1.34", ')
    files = planned(load(written(tmp_path, scenario)))
    assert diff(CLUSTER, files["cluster.yaml"]) == [
        '-metadata: {name: work, region: us-east-1, version: "1.33"}',
        '+metadata: {name: work, region: eu-west-1, version: "1.34"}',
    ]


ARN = "arn:aws:iam::111122223333:role/fargate"


def test_an_execution_role_of_ones_own(tmp_path: Path) -> None:
    files = planned(load(written(tmp_path)), ARN)
    assert diff(CLUSTER, files["cluster.yaml"]) == [f'+    podExecutionRoleARN: "{ARN}"']


def test_the_trust_policy_is_that_of_eksctl(tmp_path: Path) -> None:
    files = planned(load(written(tmp_path)), "trust-policy")
    (statement,) = json.loads(files["pod-execution-role-trust-policy.json"])["Statement"]
    assert statement["Principal"] == {"Service": "eks-fargate-pods.amazonaws.com"}
    assert statement["Action"] == "sts:AssumeRole"
    assert statement["Condition"] == {
        "ArnLike": {"aws:SourceArn": "arn:aws:eks:us-east-1:ACCOUNT_ID:fargateprofile/work/*"}
    }
    assert files["cluster.yaml"] == CLUSTER
