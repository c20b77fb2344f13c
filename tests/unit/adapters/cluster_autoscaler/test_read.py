"""What an autoscaler is started with: chart values and manifests as upstream's template and pflag take them.

Expected flags: kubernetes/autoscaler 55c37cd5eb55, charts/cluster-autoscaler/templates/deployment.yaml and
values.yaml (9.59.0), cloudprovider/aws/examples/cluster-autoscaler-{autodiscover,multi-asg}.yaml.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.adapters.cluster_autoscaler.flags import AS_SIMULATED, FLAGS, OPERATIONAL, SINCE, UNTIL
from sim.adapters.cluster_autoscaler.read import ReadAutoscaler, read_autoscaler
from sim.documents.fields import root
from sim.documents.yaml_read import read_file, read_text
from sim.errors import InputError

CHART = """\
cloudProvider: aws
awsRegion: us-east-1
autoDiscovery: {clusterName: pach-prod}
extraArgs:
  logtostderr: true
  v: 4
  expander: least-waste,priority
  balance-similar-node-groups: "true"   # Helm prints both alike
  skip-nodes-with-local-storage: false
  scan-interval: 10s
  max-node-provision-time: 15m0s
  scale-down-utilization-threshold: 0.5
  max-nodes-total: 40
  balancing-ignore-label_1: first
  balancing-ignore-label_2: second
customArgs: ["--scale-down-unneeded-time=5m", --enforce-node-group-min-size]
expanderPriorities:
  10: [".*spot.*"]
  50: [".*on-demand.*", ".*od.*"]
image: {tag: v1.34.0}
"""
DEPLOYMENT = """\
apiVersion: v1
kind: ServiceAccount
metadata: {name: cluster-autoscaler, namespace: kube-system}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: cluster-autoscaler, namespace: kube-system}
spec:
  template:
    spec:
      containers:
        - image: registry.k8s.io/autoscaling/cluster-autoscaler:v1.32.1
          name: cluster-autoscaler
          command:
            - ./cluster-autoscaler
            - --v=4
            - --stderrthreshold=info
            - --cloud-provider=aws
            - --skip-nodes-with-local-storage=false
            - --expander=priority
            - --nodes=1:10:workers-asg
            - --nodes=0:3:gpu-asg
          args: [--scan_interval, 30s, --balance-similar-node-groups, -v4, --max-empty-bulk-delete=20]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: cluster-autoscaler-priority-expander, namespace: kube-system}
data:
  priorities: |-
    10:
      - .*
    50:
      - spot
"""


def read(text: str) -> ReadAutoscaler:
    return read_autoscaler([root(document) for document in read_text(text, "values.yaml")])


def flags(read: ReadAutoscaler) -> dict[str, Any]:
    return {name: at.value for name, at in read.flags.items()}


def test_chart_values() -> None:
    started = read(CHART)
    assert flags(started) == {
        "logtostderr": True,
        "v": 4,
        "expander": "least-waste,priority",
        "balance-similar-node-groups": True,
        "skip-nodes-with-local-storage": False,
        "scan-interval": "10s",
        "max-node-provision-time": "15m0s",
        "scale-down-utilization-threshold": 0.5,
        "max-nodes-total": 40,
        "balancing-ignore-label": ["first", "second"],
        "scale-down-unneeded-time": "5m",
        "enforce-node-group-min-size": True,
    }
    assert (started.version, started.cluster, started.notices) == ("1.34", "pach-prod", ())
    assert started.priorities is not None
    assert started.priorities.value == {"10": [".*spot.*"], "50": [".*on-demand.*", ".*od.*"]}
    assert started.flags["scan-interval"].line() == 10


def test_a_manifest() -> None:
    started = read(DEPLOYMENT)
    assert flags(started) == {
        "v": 4,
        "stderrthreshold": "info",
        "cloud-provider": "aws",
        "skip-nodes-with-local-storage": False,
        "expander": "priority",
        "nodes": ["1:10:workers-asg", "0:3:gpu-asg"],
        "scan-interval": "30s",
        "balance-similar-node-groups": True,
        "max-scale-down-parallelism": 20,
    }
    assert (started.version, started.cluster) == ("1.32", "")
    assert started.priorities is not None
    assert started.priorities.value == {"10": [".*"], "50": ["spot"]}
    assert started.priorities.line() == 29
    assert [notice.message for notice in started.not_simulated({"expander", "scan-interval"})] == [
        "--skip-nodes-with-local-storage is kept but not simulated",
        "names Auto Scaling groups; sizes are taken from the ClusterConfig's groups",
        "--balance-similar-node-groups is kept but not simulated",
        "--max-scale-down-parallelism is kept but not simulated",
    ]


def test_a_list_as_kubectl_prints_it_and_the_cluster_that_discovery_names() -> None:
    tags = "k8s.io/cluster-autoscaler/enabled,k8s.io/cluster-autoscaler/pach-prod"
    container = {"name": "ca", "image": "x/cluster-autoscaler:v1.33.0@sha256:ab", "args": ["--v=1"]}
    container["command"] = ["./cluster-autoscaler", f"--node-group-auto-discovery=asg:tag={tags}"]
    pod = {"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [{"image": "side:1"}, container]}}
    started = read(json.dumps({"apiVersion": "v1", "kind": "List", "items": [pod]}))
    assert (started.version, started.cluster) == ("1.33", "pach-prod")


def test_priorities_may_be_a_text_and_count_only_with_their_expander() -> None:
    text = (
        "autoDiscovery: {clusterName: c}\nexpanderPriorities: |\n  7: [a]\nextraArgs: {expander: EXPANDER}\n"
    )
    with_expander = read(text.replace("EXPANDER", "priority"))
    assert with_expander.priorities is not None
    assert with_expander.priorities.value == {"7": ["a"]}
    without = read(text.replace("EXPANDER", "random"))
    assert without.priorities is None
    assert "has no effect without extraArgs.expander: priority" in str(without.notices[0])


def test_groups_by_name_and_what_helm_would_ignore() -> None:
    started = read("autoscalingGroups: [{name: a, minSize: 1, maxSize: 4}]\nextraArg: {v: 4}\n")
    assert flags(started) == {"nodes": ["1:4:a"]}
    assert str(started.notices[0]) == (
        "values.yaml:2: extraArg is no value of the chart; Helm ignores it; did you mean extraArgs?"
    )
    assert "the chart installs nothing" in str(read("extraArgs: {v: 4}").notices[0])


def chart(**extra: Any) -> str:
    image = {"tag": extra.pop("tag", "")}
    return json.dumps({"autoDiscovery": {"clusterName": "c"}, "image": image, "extraArgs": extra})


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (
            {"scan-intervall": "10s"},
            r"extraArgs.scan-intervall has no flag --scan-intervall; the Cluster Autoscaler does not start "
            r"with it; did you mean scan-interval\?",
        ),
        ({"scan-interval": 10}, r"extraArgs.scan-interval is 10; allowed: a duration such as 10m"),
        ({"scan-interval": "1d"}, r"is '1d'; allowed: a duration"),
        ({"scale-down-enabled": "yes"}, r"is 'yes'; allowed: true or false"),
        ({"max-nodes-total": "0x"}, r"is '0x'; allowed: a whole number"),
        ({"max-nodes-total": None}, r"extraArgs.max-nodes-total is None; allowed: a whole number"),
        ({"scale-down-utilization-threshold": "half"}, r"is 'half'; allowed: a number"),
        ({"balancing-ignore-label": ["a", "b"]}, r"allowed: .*as balancing-ignore-label_1, balancing-"),
        ({"skip_nodes_with_system_pods": True}, r"has no flag --skip; "),
        (
            {"tag": "v1.33.2", "max-empty-bulk-delete": 5},
            r"has the flag --max-empty-bulk-delete, which version 1.33 does not start with; "
            r"allowed: it from 1.31 to 1.32",
        ),
        ({"tag": "1.31.5", "max-node-startup-time": "9m"}, r"version 1.31 .*allowed: it from 1.35 to 1.36"),
    ],
)
def test_refused_arguments(extra: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        read(chart(**extra))
    assert str(caught.value).startswith("values.yaml:1: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cloudProvider: gce\nextraArgs: {v: 4}", r"values.yaml:1: cloudProvider is 'gce'; allowed: aws"),
        ("horizon: 7d", r"values.yaml:1: is something else; allowed: chart values with extraArgs, or a"),
        ("extraArgs: {v: 4}\n---\nextraArgs: {}", r"values.yaml:3: is a second document"),
        ("apiVersion: v1\nkind: ConfigMap", r"values.yaml:1: runs no cluster-autoscaler; allowed: chart"),
        ("[1]", r"values.yaml:1: is \[1\]; allowed: a mapping"),
        ("image: v1.2\nextraArgs: {}", r"values.yaml:1: image is 'v1.2'; allowed: a mapping"),
        ("autoDiscovery: x", r"values.yaml:1: autoDiscovery is 'x'; allowed: a mapping"),
        ("customArgs: [--scan-interval]", r"customArgs\[0\] has no value; allowed: a duration"),
        (
            "apiVersion: v1\nkind: Pod\nspec: {containers: [{image: a/cluster-autoscaler, args: [x --v=4]}]}",
            r"values.yaml:3: spec.containers\[0\] runs a shell; allowed: command and args as lists",
        ),
        (
            "extraArgs: {expander: priority}\nexpanderPriorities: |\n  !!python/object:os.system {}\n",
            r"values.yaml:2: expanderPriorities has the tag",
        ),
    ],
)
def test_refused_documents(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "values.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        read_autoscaler([root(document) for document in read_file(path)])


def test_the_tables_speak_of_the_same_flags() -> None:
    assert {*SINCE, *UNTIL, *OPERATIONAL, *AS_SIMULATED} <= FLAGS.keys()


WORDS = """extraArgs image autoDiscovery clusterName tag customArgs expanderPriorities autoscalingGroups
    apiVersion kind spec containers command args items template"""
HOSTILE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["", "-", "--", "--v", "--nodes=", "v1.9"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS.split()), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(max_examples=60)
@given(HOSTILE, st.sampled_from(["", "Pod", "Deployment", "List", "ConfigMap"]))
def test_anything_is_read_or_refused_in_one_line(value: Any, kind: str) -> None:
    document = {**value, "kind": kind, "apiVersion": "v1"} if kind and isinstance(value, dict) else value
    refusal = ""
    try:
        read(json.dumps(document))
    except InputError as error:
        refusal = str(error)
    assert "\n" not in refusal
