"""``cluster.autoscaler.values``: chart values and manifests as they are deployed, and flags beside them."""

from __future__ import annotations

from pathlib import Path
from textwrap import indent

import pytest

from sim.decisions.cluster_autoscaler.expander import matches
from sim.errors import InputError
from sim.model.units import MINUTE, SECOND
from tests.unit.loader.worlds import SCENARIO, loaded

DEPLOYED = """\
autoDiscovery: {clusterName: c}
image: {tag: v1.34.2}
extraArgs:
  expander: priority,least-waste
  scan-interval: 30s
  scale-down-unneeded-time: 5m0s
  max-graceful-termination-sec: 120
  cores-total: 0:64
  balancing-ignore-label_1: a
  balancing-ignore-label_2: b
  scale-down-candidates-pool-ratio: 0.2
  stderrthreshold: info
expanderPriorities: {10: [spot], 50: [".*"]}
"""


def scenario_with(said: str) -> str:
    return SCENARIO.replace("cluster:\n", f"cluster:\n  autoscaler: {said}\n", 1)


def test_deployed_flags_hold_and_keys_beside_them_replace_them(tmp_path: Path) -> None:
    text = scenario_with("{values: ca.yaml, scan-interval: 20s, orders: pinned}")
    scenario = loaded(tmp_path, text, "cluster.autoscaler.scale-down-delay-after-add=1m", ca_yaml=DEPLOYED)
    options = scenario.cluster.autoscaler
    assert options.version == "1.34"
    assert options.expander == ("priority", "least-waste")
    assert options.expander_priorities == ((50, (".*",)), (10, ("spot",)))
    assert options.scan_interval_us == 20 * SECOND
    assert options.scale_down_unneeded_time_us == 5 * MINUTE
    assert options.scale_down_delay_after_add_us == MINUTE
    assert options.max_graceful_termination_us == 120 * SECOND
    assert options.cores_total == (0, 64)
    assert options.balancing_ignore_label == ("a", "b")
    assert options.cordon_node_before_terminating  # since 1.34
    kept = [each for each in scenario.warnings if "kept" in each]
    assert len(kept) == 1
    assert kept[0].endswith(
        "ca.yaml:11: extraArgs.scale-down-candidates-pool-ratio --scale-down-candidates-pool-ratio is kept "
        "but not simulated"
    )
    assumed = {each.field for each in scenario.assumptions}
    assert "cluster.autoscaler.max-nodes-total" in assumed
    assert "cluster.autoscaler.expander" not in assumed


def test_set_reaches_into_the_deployed_values(tmp_path: Path) -> None:
    text = scenario_with("{values: ca.yaml}")
    set_inside = "cluster.autoscaler.values.extraArgs.scan-interval=1m"
    scenario = loaded(tmp_path, text, set_inside, ca_yaml=DEPLOYED)
    assert scenario.cluster.autoscaler.scan_interval_us == MINUTE
    assert scenario.origin is not None
    assert "files/ca.yaml" not in dict(scenario.origin.files)  # it is no longer that file


def test_another_clusters_groups_are_said(tmp_path: Path) -> None:
    other = DEPLOYED.replace("clusterName: c", "clusterName: other")
    scenario = loaded(tmp_path, scenario_with("{values: ca.yaml}"), ca_yaml=other)
    assert any("discovers groups of other, the ClusterConfig is c" in each for each in scenario.warnings)


def test_an_image_older_than_what_is_modelled(tmp_path: Path) -> None:
    old = DEPLOYED.replace("v1.34.2", "v1.29.4")
    scenario = loaded(tmp_path, scenario_with("{values: ca.yaml}"), ca_yaml=old)
    assert scenario.cluster.autoscaler.version == "1.31"


@pytest.mark.parametrize(
    ("version", "release"),
    [
        pytest.param("", "1.34.2", id="the image's tag"),
        pytest.param("1.34", "1.34.2", id="the same minor"),
        pytest.param("1.34.3", "1.34.3", id="a patch of its own"),
        pytest.param("1.33", "1.33.6", id="another minor: the patch that is compared"),
    ],
)
def test_the_patch_is_as_said_or_as_deployed(tmp_path: Path, version: str, release: str) -> None:
    said = f'{{values: ca.yaml, version: "{version}"}}' if version else "{values: ca.yaml}"
    scenario = loaded(tmp_path, scenario_with(said), ca_yaml=DEPLOYED)
    assert scenario.cluster.autoscaler.release == release
    told = {each.field: each.value for each in scenario.assumptions}
    assert told.get("cluster.autoscaler.version") == (None if version[4:] or version == "1.34" else release)


MANIFEST = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: cluster-autoscaler, namespace: kube-system}
spec:
  template:
    spec:
      containers:
        - image: registry.k8s.io/autoscaling/cluster-autoscaler:v1.33.0
          command: [./cluster-autoscaler, --cloud-provider=aws, --expander=priority]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: cluster-autoscaler-priority-expander, namespace: kube-system}
data:
"""
WRITTEN = """\
  priorities: |-
    10:
      - .*spot.*
    50:
      - ^eks-cpu-
      - ^cpu$
"""


@pytest.mark.parametrize("inline", [False, True])
def test_the_priority_expander_as_users_write_it(tmp_path: Path, inline: bool) -> None:
    """A text in a ConfigMap, matched on names of Auto Scaling groups (cluster-autoscaler.md §3.3)."""
    said = "{values: ca.yaml}"
    if inline:
        said = "\n    expander: priority\n" + indent(WRITTEN, "  ").replace(
            "priorities", "expander-priorities"
        )
    scenario = loaded(tmp_path, scenario_with(said), ca_yaml=MANIFEST + WRITTEN)
    assert scenario.cluster.autoscaler.expander_priorities == (
        (50, ("^eks-cpu-", "^cpu$")),
        (10, (".*spot.*",)),
    )
    told = [each for each in scenario.warnings if "expander-priorities" in each]
    assert [each.split()[1] for each in told] == ["^cpu$", ".*spot.*"]
    assert "matches no Auto Scaling group, which are named like eks-cpu-0000" in told[0]


def test_a_group_is_matched_by_its_auto_scaling_groups_name(tmp_path: Path) -> None:
    group = loaded(tmp_path, SCENARIO).cluster.node_groups[0]
    assert matches(group, ["eks-cpu-[0-9a-f-]+$"])
    assert not matches(group, ["^cpu"])
    own = SCENARIO.replace("managedNodeGroups", "nodeGroups").replace(
        "instanceTypes: [m5.2xlarge]", "instanceType: m5.2xlarge"
    )
    assert matches(loaded(tmp_path, own).cluster.node_groups[0], ["^eksctl-c-nodegroup-cpu-NodeGroup-"])


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "30s",
            "30",
            "ca.yaml:5: cluster.autoscaler.values.extraArgs.scan-interval is 30; allowed: a duration",
        ),
        (
            "scan-interval:",
            "scan-intervl:",
            "ca.yaml:5: cluster.autoscaler.values.extraArgs.scan-intervl has no flag --scan-intervl; ",
        ),
        (
            "priority,least-waste",
            "price",
            "ca.yaml:4: cluster.autoscaler.values.extraArgs.expander is 'price'; allowed: random, ",
        ),
        ("[spot]", "['(']", "has the pattern '('"),
        ("0:64", "64", "extraArgs.cores-total is '64'; allowed: MIN:MAX such as 0:320000"),
    ],
)
def test_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        loaded(tmp_path, scenario_with("{values: ca.yaml}"), ca_yaml=DEPLOYED.replace(old, new))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
