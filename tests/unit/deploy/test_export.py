"""``export``: the prediction, the README's commands in order, pods that hold room, results from a folder."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from sim.deploy import export
from sim.documents.yaml_read import read_text
from sim.errors import InputError
from sim.loader import load
from sim.model.notices import MADE_UP
from sim.study.replicate import replicate, simulate
from sim.study.result import load_result
from tests.unit.deploy.plans import CLUSTER, SCENARIO, SPEC, contents, held, planned, same_log, written

MIXED = """\
apiVersion: eksctl.io/v1alpha5
kind: ClusterConfig
metadata: {name: work, region: eu-west-1, version: "1.33"}
fargateProfiles:
  - {name: fp-workers, selectors: [{namespace: default, labels: {node: fargate}}], tags: {team: data}}
  - {name: fp-two, selectors: [{namespace: "a*"}, {namespace: b}]}
managedNodeGroups:
  - {name: system, instanceTypes: [m5.2xlarge], minSize: 1, desiredCapacity: 1, maxSize: 1}
  - name: gpu
    instanceTypes: [g4dn.xlarge]
    minSize: 0
    maxSize: 2
    labels: {pool: gpu, k8s.amazonaws.com/accelerator: nvidia-tesla-t4}
    taints: [{key: nvidia.com/gpu, value: "true", effect: NoSchedule}]
    propagateASGTags: true
nodeGroups:
  - {name: old, instanceType: m5.large, minSize: 0, maxSize: 2, labels: {pool: old}}
"""
MORE = """\
horizon: 3h
start: 2026-01-05T00:00 Europe/Dublin
cluster:
  eksctl: clusters/mixed.yaml
  fargate: {vcpu_quota: 40}
  groups: {gpu: {scheduled_minimums: [{cron: "30 7 * * 1-5", min_size: 1}, {cron: "@daily", min_size: 0}]}}
  priority_classes: {batch: 10, room: -7}
base_load:
  - name: warm
    replicas: 2
    requests: {cpu: 500m, memory: 1Gi}
    priority: -7
    grace: 0s
    selector: {pool: old}
  - {name: warmer, requests: {cpu: 1}, priority: -3, tolerations: [{key: nvidia.com/gpu, operator: Exists}]}
repos:
  - {name: images, commits: {poisson: {per_hour: 3}}}
pipelines:
  - {spec: specs/last.json, datum_time: 3s}
  - {spec: specs/edges.json, datum_time: 18s}
"""
LAST = {
    "pipeline": {"name": "last", "project": {"name": "ml"}},
    "transform": {"cmd": ["x"]},
    "input": {"pfs": {"repo": "edges", "project": "default", "glob": "/"}},
    "schedulingSpec": {"priorityClassName": "batch"},
}


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    path = written(tmp_path, MORE)
    (tmp_path / "clusters" / "mixed.yaml").write_text(MIXED)
    (tmp_path / "specs" / "last.json").write_text(json.dumps(LAST))
    return path


def shell(readme: str) -> list[str]:
    """Return the commands of a README, in order."""
    blocks = re.findall(r"```sh\n(.*?)```", readme, flags=re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


def test_the_commands_in_their_order(mixed: Path, tmp_path: Path) -> None:
    sets = ["cluster.eksctl.managedNodeGroups[system].maxSize=3", "pipelines[edges].autoscaling=false"]
    names = export(load(mixed, sets), tmp_path / "out", replications=1)
    assert set(names) == set(contents(tmp_path / "out"))
    lines = shell((tmp_path / "out" / "README.md").read_text())
    told = iter(lines)
    for begins in (
        "eksctl create cluster -f cluster.yaml",
        "eksctl create nodegroup -f cluster.yaml",
        "eksctl create fargateprofile -f cluster.yaml",
        "eksctl scale nodegroup --cluster work --region eu-west-1 --name system "
        "--nodes-min 1 --nodes 1 --nodes-max 3",
        "eksctl utils associate-iam-oidc-provider -f changes.yaml --approve",
        "eksctl create iamserviceaccount -f changes.yaml --approve",
        "eksctl create fargateprofile --cluster work --region eu-west-1 --name fp-workers "
        "--namespace default --labels node=fargate --tags team=data",
        "ASG=$(aws eks describe-nodegroup --region eu-west-1 --cluster-name work --nodegroup-name gpu ",
        'aws autoscaling create-or-update-tags --region eu-west-1 --tags "ResourceId=$ASG,'
        "ResourceType=auto-scaling-group,PropagateAtLaunch=false,"
        'Key=k8s.io/cluster-autoscaler/node-template/taint/nvidia.com/gpu,Value=true:NoSchedule"',
        "ASG=$(aws autoscaling describe-auto-scaling-groups --region eu-west-1 --filters ",
        'aws autoscaling create-or-update-tags --region eu-west-1 --tags "ResourceId=$ASG,'
        "ResourceType=auto-scaling-group,PropagateAtLaunch=false,"
        'Key=k8s.io/cluster-autoscaler/node-template/label/pool,Value=old"',
        "aws autoscaling put-scheduled-update-group-action --region eu-west-1 "
        '--auto-scaling-group-name "$ASG" --scheduled-action-name gpu-minimum-1 '
        "--recurrence '30 7 * * 1-5' --time-zone Europe/Dublin --min-size 1",
        "aws autoscaling put-scheduled-update-group-action --region eu-west-1 "
        '--auto-scaling-group-name "$ASG" --scheduled-action-name gpu-minimum-2 '
        "--recurrence '0 0 * * *' --time-zone Europe/Dublin --min-size 0",
        "kubectl apply -f priority-classes.yaml",
        "kubectl apply -f placeholders.yaml",
        "helm upgrade --install cluster-autoscaler ",
        "pachctl update pipeline -f pipelines/edges.json",
        "pachctl update pipeline -f pipelines/last.json",
        "kubectl get pods -n default -l suite=pachyderm,component=worker",
        "pachctl list job -p last --project ml",
        "pachctl update pipeline -f before/pipelines/edges.json",
        "eksctl scale nodegroup --cluster work --region eu-west-1 --name system "
        "--nodes-min 1 --nodes 1 --nodes-max 1",
        "kubectl delete -f placeholders.yaml",
        "ASG=$(aws eks describe-nodegroup --region eu-west-1 --cluster-name work --nodegroup-name gpu ",
        'aws autoscaling delete-scheduled-action --region eu-west-1 --auto-scaling-group-name "$ASG" '
        "--scheduled-action-name gpu-minimum-1",
        "eksctl delete iamserviceaccount --cluster work --region eu-west-1 --name cluster-autoscaler "
        "--namespace kube-system",
    ):
        assert any(line.startswith(begins) for line in told), begins
    assert not any(
        "fp-two" in line and "--namespace" in line for line in lines
    )  # two selectors need the file


def test_the_one_line_profile_is_the_seeds(tmp_path: Path) -> None:
    files = export_of(tmp_path, SCENARIO)
    lines = shell(files["README.md"])
    seeds = "eksctl create fargateprofile --cluster work --region us-east-1 --name fp-workers"
    assert f"{seeds} --namespace default --labels node=fargate" in lines


def export_of(
    tmp_path: Path, scenario: str, *sets: str, files: dict[str, str] | None = None, **options: Any
) -> dict[str, str]:
    path = written(tmp_path, scenario, **(files or {}))
    export(load(path, sets), tmp_path / "out", replications=1, **options)
    return {name: content.decode() for name, content in contents(tmp_path / "out").items()}


def test_a_trust_policy_comes_with_its_steps(tmp_path: Path) -> None:
    files = export_of(tmp_path, SCENARIO, execution_role="trust-policy")
    steps = shell(files["README.md"])[:5]
    assert "pod-execution-role-trust-policy.json" in steps[1]
    assert "AmazonEKSFargatePodExecutionRolePolicy" in steps[3]
    with pytest.raises(InputError, match="execution role is 'me'; allowed: eksctl, trust-policy or the ARN"):
        export(load(tmp_path / "plan.yaml"), tmp_path / "other", execution_role="me")


def test_room_is_held_warm_by_pods_below_all_work(mixed: Path) -> None:
    files = planned(load(mixed))
    classes = [each.value for each in read_text(files["priority-classes.yaml"])]
    assert {each["metadata"]["name"]: each["value"] for each in classes} == {
        "batch": 10,
        "room": -7,
        "placeholder-3": -3,
    }
    warm, warmer = (each.value for each in read_text(files["placeholders.yaml"]))
    assert (warm["kind"], warm["spec"]["replicas"]) == ("Deployment", 2)
    pod = warm["spec"]["template"]["spec"]
    assert pod["priorityClassName"] == "room"
    assert pod["terminationGracePeriodSeconds"] == 0
    assert pod["nodeSelector"] == {"pool": "old"}
    assert pod["containers"][0]["resources"] == {"requests": {"cpu": "500m", "memory": "1024Mi"}}
    tolerations = warmer["spec"]["template"]["spec"]["tolerations"]
    assert tolerations == [{"key": "nvidia.com/gpu", "operator": "Exists"}]
    selector = warmer["spec"]["selector"]["matchLabels"].items()
    assert selector <= warmer["spec"]["template"]["metadata"]["labels"].items()


def test_warnings_are_told_and_name_the_exported_files(tmp_path: Path) -> None:
    old = {**LAST, "podPatch": "[]", "standby": True, "schedulingSpec": None}
    scenario = SCENARIO.replace("images: {", "  - {spec: specs/old.json, datum_time: 3s}\nimages: {")
    path = written(tmp_path, scenario, **{"specs/old_json": json.dumps(old, indent=1)})
    export(load(path), tmp_path / "out", replications=2)
    promised = json.loads((tmp_path / "out" / "prediction.json").read_text())
    (patched,) = (each for each in promised["warnings"] if "podPatch" in each)
    assert re.match(r"pipelines/last\.json:\d+: podPatch is applied only where it adds affinity", patched)
    assert not any("standby" in each for each in promised["warnings"])  # translated, in the files too
    assert f"- {patched}\n" in (tmp_path / "out" / "README.md").read_text()
    export(load(tmp_path / "out" / "scenario.yaml"), tmp_path / "again", replications=2)
    assert contents(tmp_path / "again") == contents(tmp_path / "out")


@pytest.mark.parametrize(
    ("iam", "created", "command"),
    [
        pytest.param("", False, "eksctl create iamserviceaccount -f changes.yaml --approve", id="made"),
        pytest.param(
            "iam: {podIdentityAssociations: [{namespace: kube-system, "
            "serviceAccountName: cluster-autoscaler, createServiceAccount: true, "
            "wellKnownPolicies: {autoScaler: true}}]}\naddons: [{name: eks-pod-identity-agent}]\n",
            False,
            "eksctl create podidentityassociation -f cluster.yaml",
            id="by pod identity",
        ),
        pytest.param("NODES", True, "", id="the nodes' role is enough, so the chart makes the account"),
    ],
)
def test_somebody_makes_the_autoscalers_service_account(
    tmp_path: Path, iam: str, created: bool, command: str
) -> None:
    cluster = CLUSTER + iam
    if iam == "NODES":
        cluster = CLUSTER + "    iam: {withAddonPolicies: {autoScaler: true}}\n"
    files = export_of(tmp_path, SCENARIO, files={"clusters/work_yaml": cluster})
    values = read_text(files["cluster-autoscaler-values.yaml"])[0].value
    assert values["rbac"]["serviceAccount"] == {"create": created, "name": "cluster-autoscaler"}
    accounts = [
        line
        for line in shell(files["README.md"])
        if line.startswith("eksctl create") and ("account" in line or "identity" in line)
    ]
    assert accounts == ([command] if command else [])


def test_the_prediction_is_the_results(tmp_path: Path) -> None:
    result = replicate(load(written(tmp_path)), 4, seed=7)
    export(result, tmp_path / "out")
    promised = json.loads((tmp_path / "out" / "prediction.json").read_text())
    assert (promised["seed"], promised["replications"]) == (7, 4)
    for name, figure in promised["metrics"].items():
        trees: list[Any] = list(result.replications.values())
        own = [tree["metrics"][name] for tree in trees]
        assert {"mean": figure["mean"], "ci95": figure["ci95"]} == result.summary["metrics"][name]
        assert figure["range"] == [min(own), max(own)]
    assert promised["pipelines"]["edges"]["job_latency_p95_s"]["mean"] > 0
    assert promised["bill_usd"]["total"]["mean"] == result.summary["bill_usd"]["total"]["mean"]
    again = load(tmp_path / "out" / "scenario.yaml")
    assert again.seed == 7
    assert same_log(simulate(again).log, result.log)
    export(again, tmp_path / "again", replications=4)
    assert contents(tmp_path / "again") == contents(tmp_path / "out")


def test_specs_of_one_file_become_files_of_their_own(tmp_path: Path) -> None:
    both = "\n---\n".join(json.dumps({**LAST, "pipeline": {"name": name}}) for name in ("one", "two"))
    scenario = MORE.replace("specs/last.json, ", "specs/both.json, name: two, ") + (
        "  - {spec: specs/both.json, name: one, datum_time: 1s}\n"
    )
    written(tmp_path, scenario, **{"specs/both_json": both})
    (tmp_path / "clusters" / "mixed.yaml").write_text(MIXED)
    files = planned(load(tmp_path / "plan.yaml", ["pipelines[one].datumTries=9"]))
    assert json.loads(files["pipelines/one.json"])["datumTries"] == 9
    assert "datumTries" not in files["pipelines/two.json"]
    assert {name for name in files if name.startswith("before/")} == {"before/pipelines/one.json"}
    assert not any(name.startswith("files/") for name in files)


def test_pipelines_called_alike_in_two_projects_keep_their_own_files(tmp_path: Path) -> None:
    pipelines: list[dict[str, Any]] = [
        {"name": "last"},
        {"name": "last", "project": {"name": "ml"}},
    ]
    both = "\n---\n".join(json.dumps({**LAST, "pipeline": pipeline, "salt": "s"}) for pipeline in pipelines)
    scenario = MORE.replace("specs/last.json, ", "specs/both.json, name: default/last, ") + (
        "  - {spec: specs/both.json, name: ml/last, datum_time: 1s}\n"
        "  - {spec: specs/ml.json, datum_time: 1s}\n"
    )
    edges = {**SPEC, "pipeline": {"name": "edges", "project": {"name": "ml"}}}
    edges["input"] = {"pfs": {"repo": "images", "project": "default", "glob": "/"}}
    written(tmp_path, scenario, **{"specs/both_json": both, "specs/ml_json": json.dumps(edges)})
    (tmp_path / "clusters" / "mixed.yaml").write_text(MIXED)
    scenario_read = load(tmp_path / "plan.yaml", ["pipelines[ml/last].salt=t"])
    files = held(scenario_read, tmp_path / "out", None, simulated=False)
    assert json.loads(files["pipelines/last.json"])["salt"] == "s"
    assert json.loads(files["pipelines/ml.last.json"])["salt"] == "t"
    assert {name for name in files if name.startswith("before/")} == {"before/pipelines/ml.last.json"}


def test_no_promise_rests_on_made_up_values_unsaid(tmp_path: Path) -> None:
    scenario = SCENARIO.replace("datum_time: 18s", "datum_time: 18s # PLACEHOLDER: user code for one datum")
    export(load(written(tmp_path, scenario)), tmp_path / "out", replications=1)
    promised = json.loads((tmp_path / "out" / "prediction.json").read_text())
    assert MADE_UP in promised["warnings"]
    assert f"- {MADE_UP}\n" in (tmp_path / "out" / "README.md").read_text()
    export(load(tmp_path / "out" / "scenario.yaml"), tmp_path / "again", replications=1)
    assert contents(tmp_path / "again") == contents(tmp_path / "out")


def test_a_warm_up_to_be_found_is_still_to_be_found(tmp_path: Path) -> None:
    path = written(tmp_path, SCENARIO.replace("6h", "12h\nwarmup: auto"))
    result = replicate(load(path), 2)
    export(result, tmp_path / "out")
    exported = (tmp_path / "out" / "scenario.yaml").read_text()
    assert "\nwarmup: auto\n" in exported
    export(load(tmp_path / "out" / "scenario.yaml"), tmp_path / "again", replications=2)
    assert contents(tmp_path / "again") == contents(tmp_path / "out")
    result.save(tmp_path / "result")
    export(load_result(tmp_path / "result"), tmp_path / "third")
    assert contents(tmp_path / "third") == contents(tmp_path / "out")


def test_a_folder_in_the_way_is_refused_before_anything_is_simulated(tmp_path: Path) -> None:
    scenario = load(written(tmp_path / "in"))
    (tmp_path / "mine.txt").write_text("")
    with pytest.raises(InputError, match="is not empty"):
        export(scenario, tmp_path, replications=10**9)
