"""Chart values of a plan: read back they give the options simulated; a user's own keep the rest."""

import difflib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.deploy.plan import check_same
from sim.documents.yaml_read import read_text
from sim.loader import load
from sim.model.autoscaler import VERSIONS
from tests.unit.deploy.plans import SCENARIO, planned, put, written

OWN = """\
# ours
autoDiscovery:
  clusterName: work
image: {tag: v1.34.2}   # pinned
extraArgs:
  v: 4
  expander: least-waste
  scan-interval: 30s # slow on purpose
  scale-down-unneeded-time: 5m
  balancing-ignore-label_1: a
  balancing-ignore-label_2: b
  scale-down-candidates-pool-ratio: 0.2
nodeSelector: {pool: system}
"""
MANIFEST = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: cluster-autoscaler, namespace: kube-system}
spec:
  template:
    spec:
      containers:
        - name: cluster-autoscaler
          image: example/cluster-autoscaler:v1.33.1
          command: [./cluster-autoscaler, --v=4, --cloud-provider=aws, --scan-interval=15s]
          args: ["--node-group-auto-discovery=asg:tag=k8s.io/cluster-autoscaler/enabled"]
"""
VALUES = "cluster-autoscaler-values.yaml"


def with_autoscaler(said: str) -> str:
    return SCENARIO.replace("cluster: {", f"cluster: {{autoscaler: {said}, ")


def test_flags_that_were_said_and_those_that_decide_money_and_time(tmp_path: Path) -> None:
    said = "{scan-interval: 1d, max-nodes-total: 9, balancing-label: [a, b], expander: [priority, random]"
    said += ', expander-priorities: {5: ["^eks-cpu-"], 50: [".*"]}, orders: pinned}'
    values = read_text(planned(load(written(tmp_path, with_autoscaler(said))))[VALUES])[0].value
    flags = values["extraArgs"]
    assert flags["scan-interval"] == "24h"  # Go knows no days
    assert flags["max-nodes-total"] == 9
    assert (flags["balancing-label_1"], flags["balancing-label_2"]) == ("a", "b")
    assert flags["expander"] == "priority,random"
    assert flags["skip-nodes-with-local-storage"] is True
    assert not {"orders", "enabled", "version", "aws-refresh-interval", "balancing-label"} & {*flags}
    assert values["expanderPriorities"] == {"50": [".*"], "5": ["^eks-cpu-"]}
    assert values["autoDiscovery"] == {"clusterName": "work"}
    assert values["image"] == {"tag": "v1.33.6"}
    assert values["rbac"]["serviceAccount"] == {"create": False, "name": "cluster-autoscaler"}


def test_priorities_are_keyed_by_numbers_as_the_config_map_needs(tmp_path: Path) -> None:
    said = '{expander: priority, expander-priorities: {10: ["a"]}}'
    assert "\n  10: [a]\n" in planned(load(written(tmp_path, with_autoscaler(said))))[VALUES]


def test_without_an_autoscaler_there_are_no_values(tmp_path: Path) -> None:
    assert VALUES not in planned(load(written(tmp_path, with_autoscaler("{enabled: false}"))))


def test_a_users_values_change_where_it_was_decided(tmp_path: Path) -> None:
    path = written(tmp_path, with_autoscaler("{values: own.yaml}"), own_yaml=OWN)
    assert planned(load(path))[VALUES] == OWN
    sets = ["cluster.autoscaler.scan-interval=20s", "cluster.autoscaler.balancing-ignore-label=c"]
    files = planned(load(path, sets))
    diff = difflib.unified_diff(OWN.splitlines(), files[VALUES].splitlines(), n=0, lineterm="")
    assert [line for line in diff if line[:3] not in {"---", "+++"} and line[0] != "@"] == [
        "-  scan-interval: 30s # slow on purpose",
        "+  scan-interval: 20s # slow on purpose",
        "-  balancing-ignore-label_1: a",
        "-  balancing-ignore-label_2: b",
        "+  balancing-ignore-label: c",
    ]
    assert files[f"before/{VALUES}"] == OWN


def test_a_manifest_becomes_values_with_all_its_flags(tmp_path: Path) -> None:
    path = written(tmp_path, with_autoscaler("{values: own.yaml}"), own_yaml=MANIFEST)
    files = planned(load(path))
    flags = read_text(files[VALUES])[0].value["extraArgs"]
    assert flags["v"] == 4
    assert flags["scan-interval"] == "15s"
    assert "node-group-auto-discovery" not in flags
    assert files["files/own.yaml"] == MANIFEST
    assert read_text(files["scenario.yaml"])[0].value["cluster"]["autoscaler"]["values"] == "files/own.yaml"


options = st.fixed_dictionaries(
    {},
    optional={
        "scan-interval": st.sampled_from(["5s", "1m30s", "2d"]),
        "scale-down-unneeded-time": st.sampled_from(["0s", "90s", "1h"]),
        "scale-down-utilization-threshold": st.sampled_from([0.5, 0.65]),
        "expander": st.sampled_from(["random", "priority,least-waste", "most-pods"]),
        "max-nodes-total": st.integers(0, 50),
        "max-graceful-termination-sec": st.integers(0, 900),
        "cores-total": st.just("0:64"),
        "balancing-ignore-label": st.sampled_from(["a", "a,b"]),
        "skip-nodes-with-local-storage": st.booleans(),
        "scale-down-enabled": st.booleans(),
        "expander-priorities": st.just({"1": ["x"], "20": ["eks-cpu-", "y.*"]}),
    },
)


@settings(max_examples=8)
@given(options, st.sampled_from(VERSIONS))
def test_values_read_back_give_the_options_simulated(
    tmp_path_factory: pytest.TempPathFactory, said: dict[str, object], version: str
) -> None:
    folder = tmp_path_factory.mktemp("plan")
    flags = ", ".join(f"{key}: {value!r}" for key, value in (said | {"version": version}).items())
    scenario = load(
        written(folder, with_autoscaler("{" + flags.replace("True", "true").replace("False", "false") + "}"))
    )
    files = planned(scenario)
    again = (
        with_autoscaler("{values: own.yaml}")
        .replace("clusters/work", "cluster")
        .replace("specs/", "pipelines/")
    )
    put(folder / "again", {**files, "scenario.yaml": again, "own.yaml": files[VALUES]})
    if "priority" not in scenario.cluster.autoscaler.expander:
        again_options = load(folder / "again" / "scenario.yaml").cluster.autoscaler
        assert again_options.expander_priorities == ()
        return
    assert load(folder / "again" / "scenario.yaml").cluster.autoscaler == scenario.cluster.autoscaler


@pytest.mark.parametrize("sets", [(), ("cluster.autoscaler.expander=most-pods",)])
def test_priorities_stay_the_users_whatever_expander_was_decided(
    sets: tuple[str, ...], tmp_path: Path
) -> None:
    own = (
        OWN.replace("expander: least-waste", "expander: priority")
        + 'expanderPriorities:\n  10: [".*"] # all\n'
    )
    scenario = load(written(tmp_path, with_autoscaler("{values: ca.yaml}"), ca_yaml=own), sets)
    files = planned(scenario)
    changed = own.replace("expander: priority", "expander: most-pods") if sets else own
    assert files[VALUES] == changed
    check_same(put(tmp_path / "out", files).parent, scenario)
