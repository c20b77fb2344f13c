"""Affinity, topology spread and preemption policy in scenarios and podPatch, in Kubernetes' own words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from sim.errors import InputError
from sim.loader.assembly import load
from sim.model.pods import NodePreference, Operator, PodTerm, Requirement, SpreadConstraint
from sim.model.scenario import Scenario

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
ON_SSD = {"matchExpressions": [{"key": "disk", "operator": "In", "values": ["ssd"]}]}
SAME_APP = {"matchLabels": {"app": "etl"}}
AFFINITY: dict[str, object] = {
    "nodeAffinity": {
        REQUIRED: {"nodeSelectorTerms": [ON_SSD]},
        PREFERRED: [{"weight": 5, "preference": ON_SSD}],
    },
    "podAntiAffinity": {
        REQUIRED: [{"topologyKey": "topology.kubernetes.io/zone", "labelSelector": SAME_APP}]
    },
}
SPREAD = [
    {
        "maxSkew": 2,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": SAME_APP,
    }
]
APP = (Requirement("app", Operator.IN, ("etl",)),)


def of_pods(tmp_path: Path, pods: Mapping[str, object], **rest: object) -> Scenario:
    """Return the scenario of one set of pods on a group that may grow."""
    nodes = {"name": "workers", "instanceType": "m5.xlarge", "minSize": 0, "maxSize": 5}
    cluster = {
        "metadata": {"name": "c", "region": "us-east-1", "version": "1.33"},
        "managedNodeGroups": [nodes],
    }
    every_hour = {"arrivals": {"poisson": {"per_hour": 1}}, "duration": "60s", "requests": {"cpu": 1}}
    said = {
        "horizon": "1h",
        "cluster": {"eksctl": cluster, **rest},
        "pods": [{"name": "etl", "labels": {"app": "etl"}, **every_hour, **pods}],
    }
    path = tmp_path / "scenario.yaml"
    with path.open("w", encoding="utf-8") as out:
        YAML().dump(said, out)
    return load(path)


def test_what_a_pod_spec_says_is_read(tmp_path: Path) -> None:
    said = {"affinity": AFFINITY, "topologySpreadConstraints": SPREAD, "preemptionPolicy": "Never"}
    spec = of_pods(tmp_path, said).pods[0].pod_class
    ssd = (Requirement("disk", Operator.IN, ("ssd",)),)
    assert spec.node_affinity == (ssd,)
    assert spec.node_preferences == (NodePreference(5, ssd),)
    assert spec.terms_apart == (PodTerm("topology.kubernetes.io/zone", APP),)
    assert spec.spread_constraints == (SpreadConstraint("kubernetes.io/hostname", APP, 2),)
    assert not spec.preempts


@pytest.mark.parametrize(
    ("said", "words"),
    [
        pytest.param(
            {"affinity": {"podAntiAffinity": {PREFERRED: []}}},
            "not a known key",
            id="a wish that is not modelled",
        ),
        pytest.param(
            {"topologySpreadConstraints": [{**SPREAD[0], "maxSkew": 0}]}, "at least 1", id="a skew of 0"
        ),
        pytest.param({"preemptionPolicy": "never"}, "PreemptLowerPriority, Never", id="another policy"),
    ],
)
def test_what_is_not_known_is_refused(tmp_path: Path, said: dict[str, object], words: str) -> None:
    with pytest.raises(InputError, match=words):
        of_pods(tmp_path, said)


def test_what_the_autoscaler_does_not_see_is_said(tmp_path: Path) -> None:
    """Node affinity is a predicate of the simulated autoscaler too, spread and pod affinity are not."""
    node_only = of_pods(tmp_path, {"affinity": {"nodeAffinity": AFFINITY["nodeAffinity"]}})
    assert not [each for each in node_only.warnings if "autoscaler sees neither" in each]
    spread = of_pods(tmp_path, {"topologySpreadConstraints": SPREAD})
    assert [each for each in spread.warnings if "autoscaler sees neither" in each]


@pytest.mark.parametrize(("version", "is_said"), [("1.33", False), ("1.34", True)])
def test_a_later_version_follows_the_newest_known_rules_and_is_said(
    tmp_path: Path, version: str, is_said: bool
) -> None:
    scenario = of_pods(tmp_path, {}, kubernetes_version=version)
    assert any("by the rules of 1.33" in each.value for each in scenario.assumptions) is is_said


def test_a_pod_patch_says_where_workers_stand(tmp_path: Path) -> None:
    patch = [
        {"op": "add", "path": "/topologySpreadConstraints", "value": SPREAD},
        {"op": "add", "path": "/affinity", "value": {"podAntiAffinity": {PREFERRED: []}}},
    ]
    spec = {
        "pipeline": {"name": "etl"},
        "input": {"pfs": {"repo": "raw", "glob": "/*"}},
        "transform": {"cmd": ["true"]},
        "podPatch": json.dumps(patch),
    }
    scenario = of_pods(tmp_path, {"name": "other"})
    path = tmp_path / "scenario.yaml"
    said = YAML().load(path)
    said["pipelines"] = [
        {"spec": spec, "commits": {"poisson": {"per_hour": 1}}, "datum_time": "1s"},
    ]
    with path.open("w", encoding="utf-8") as out:
        YAML().dump(said, out)
    scenario = load(path)
    worker = scenario.pipelines[0].pod_class
    assert worker.spread_constraints == (SpreadConstraint("kubernetes.io/hostname", APP, 2),)
    assert any("/affinity of its podPatch is not applied" in each for each in scenario.warnings)
