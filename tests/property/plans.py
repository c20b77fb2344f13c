"""Random scenarios as people write them: files or inline, any spelling and style, decided by ``--set``.

All of them load: what a pipeline asks for fits a group, and its label or selector leads to one that is there.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from sim.adapters.pachyderm.canonical import snake_case
from sim.documents.yaml_write import flow, yaml_text

NODE = {"node": "fargate"}
TEXTS = st.sampled_from(
    ["", "x", "a b", "it's: so", "1.33", "on", "ünïcode", 'say "hi"', "a #b", "- c", "two\nlines"]
)


@dataclass(frozen=True)
class Written:
    """A scenario, the files beside it, and what was decided about it."""

    scenario: str
    files: dict[str, str]
    sets: tuple[str, ...]


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


def said(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Return mappings with some of the fields, in any order."""
    some = st.fixed_dictionaries({}, optional=fields)
    return st.tuples(some, st.randoms(use_true_random=False)).map(shuffled)


def shuffled(drawn: tuple[dict[str, Any], Any]) -> dict[str, Any]:
    fields, random = drawn
    keys = list(fields)
    random.shuffle(keys)
    return {key: fields[key] for key in keys}


# -- the cluster ----------------------------------------------------------------------------------

GROUP = said(
    instanceTypes=st.sampled_from([["m5.2xlarge"], ["m5.4xlarge", "m5a.4xlarge"]]),
    minSize=st.integers(0, 1),
    volumeSize=st.integers(40, 200),
    privateNetworking=st.booleans(),
    propagateASGTags=st.booleans(),
    tags=st.dictionaries(st.sampled_from(["team", "cost/centre"]), TEXTS, max_size=2),
    spot=st.booleans(),
    updateConfig=st.just({"maxUnavailable": 1}),
    preBootstrapCommands=st.just(["echo 'a: b' # c"]),
)
PROFILE = said(
    tags=st.dictionaries(st.sampled_from(["a", "b"]), TEXTS, max_size=2), subnets=st.just(["subnet-1"])
)


@st.composite
def clusters(draw: st.DrawFn) -> dict[str, Any]:
    groups = []
    for n in range(draw(st.integers(1, 3))):
        group = {"name": f"g{n}", **draw(GROUP)}
        group.setdefault("instanceTypes", ["m5.2xlarge"])
        group["maxSize"] = draw(st.integers(2, 6))
        group.setdefault("minSize", 0)
        if n:
            group["labels"] = {"pool": f"g{n}"}
            if draw(st.booleans()):
                group["taints"] = [{"key": "pool", "value": f"g{n}", "effect": "NoSchedule"}]
        groups.append(group)
    selectors = draw(
        st.sampled_from([[{"namespace": "default", "labels": NODE}], [{"namespace": "d*", "labels": NODE}]])
    )
    profiles = [{"name": "fp", "selectors": selectors, **draw(PROFILE)}]
    metadata = {
        "name": "c",
        "region": "us-east-1",
        **draw(said(version=st.just("1.33"), tags=st.just({"a": "1"}))),
    }
    return {
        "apiVersion": "eksctl.io/v1alpha5",
        "kind": "ClusterConfig",
        "metadata": metadata,
        **draw(said(iam=st.just({"withOIDC": True}), addons=st.just([{"name": "vpc-cni"}]))),
        "managedNodeGroups": groups,
        **({"fargateProfiles": profiles} if draw(st.booleans()) else {}),
    }


# -- pipelines ------------------------------------------------------------------------------------

RESOURCES = said(
    cpu=st.sampled_from([0, 0.5, 1, 2, "1.5"]),
    memory=st.sampled_from(["256M", "1Gi", "1.5Gi"]),
    disk=st.sampled_from(["1Gi", None]),
)
REST = said(
    description=TEXTS,
    autoscaling=st.booleans(),
    standby=st.just(False),
    parallelismSpec=st.sampled_from([{"constant": 1}, {"constant": "3"}, {"constant": 4}]),
    resourceRequests=RESOURCES,
    resourceLimits=st.just({"memory": "2Gi"}),
    sidecarResourceRequests=RESOURCES,
    datumSetSpec=st.sampled_from([{"number": 2}, {"perWorker": "3"}]),
    datumTries=st.sampled_from([1, "2", 3]),
    datumTimeout=st.just("600s"),
    reprocessSpec=st.just("until_success"),
    podPatch=st.just('[{"op": "add"}]'),
    cacheSize=st.just("64M"),
    maximumExpectedUptime=st.just("3600s"),
    salt=TEXTS,
)
TRANSFORM = said(
    env=st.dictionaries(st.sampled_from(["A", "B"]), TEXTS, max_size=2),
    stdin=st.lists(TEXTS, max_size=2),
    memoryVolume=st.booleans(),
    acceptReturnCode=st.just([1]),
)


@st.composite
def specs(draw: st.DrawFn, cluster: dict[str, Any], number: int) -> list[dict[str, Any]]:
    made = []
    for n in range(number):
        repo = "images" if n == 0 else f"p{draw(st.integers(0, n - 1))}"
        spec = {
            "pipeline": {"name": f"p{n}"},
            "transform": {"cmd": ["x"], "image": "i:1", **draw(TRANSFORM)},
            "input": {"pfs": {"repo": repo, "glob": "/*"}},
            **draw(REST),
        }
        spec.pop("standby") if "autoscaling" in spec and "standby" in spec else None
        group = draw(st.sampled_from(cluster["managedNodeGroups"]))
        if "fargateProfiles" in cluster and draw(st.booleans()):
            spec["metadata"] = {"labels": dict(NODE)}
        elif "labels" in group:
            spec["schedulingSpec"] = {"nodeSelector": dict(group["labels"])}
            toleration = {"key": "pool", "operator": "EXISTS", **draw(said(effect=st.just("NO_SCHEDULE")))}
            spec["tolerations"] = [toleration]
            spec["metadata"] = {
                "annotations": {
                    "cluster-autoscaler.kubernetes.io/safe-to-evict": draw(st.sampled_from(["true", "false"]))
                }
            }
        made.append(_snake(spec) if draw(st.booleans()) else spec)
    return made


def _snake(spec: dict[str, Any]) -> dict[str, Any]:
    return {snake_case(key): value for key, value in spec.items()}


# -- the whole ------------------------------------------------------------------------------------

FLAGS = said(
    **{
        "scan-interval": st.sampled_from(["10s", "1m"]),
        "scale-down-unneeded-time": st.sampled_from(["2m", "10m"]),
        "max-nodes-total": st.integers(5, 30),
        "expander": st.sampled_from(["random", "priority,least-waste"]),
        "orders": st.just("pinned"),
    }
)
VALUES = "autoDiscovery: {clusterName: c}\nextraArgs:\n  v: 4 # loud\n  scan-interval: 20s\nreplicaCount: 2\n"
SETS = (
    "pipelines[p0].parallelismSpec.constant=5",
    "pipelines[p0].autoscaling=true",
    "pipelines[p0].sidecarResourceRequests={cpu: 0.1, memory: 64Mi}",
    "pipelines[p0].resourceRequests.memory=1Gi",
    "pipelines[p0].datumSetSpec={number: 3}",
    "pipelines[p0].description=",
    "cluster.eksctl.managedNodeGroups[g0].maxSize=7",
    "cluster.eksctl.managedNodeGroups[g0].volumeSize=",
    "cluster.eksctl.managedNodeGroups[g0].spot=true",
    "cluster.eksctl.metadata.tags={team: data}",
    "cluster.autoscaler.scan-interval=15s",
    "cluster.autoscaler.max-nodes-total=12",
)


@st.composite
def plans(draw: st.DrawFn) -> Written:
    cluster = draw(clusters())
    made = draw(specs(cluster, draw(st.integers(1, 3))))
    files: dict[str, str] = {}
    document: dict[str, Any] = {"horizon": "90m", **draw(said(seed=st.integers(0, 9), question=TEXTS))}
    document["cluster"] = {
        "eksctl": _beside(draw, files, "cluster.yaml", [cluster]),
        "fargate": {"vcpu_quota": 40},
    }
    if flags := draw(FLAGS):
        document["cluster"]["autoscaler"] = flags
    if draw(st.booleans()):
        files["ca.yaml"] = VALUES
        document["cluster"].setdefault("autoscaler", {})["values"] = "ca.yaml"
    if draw(st.booleans()):
        warm = {"name": "warm", "requests": {"cpu": "250m"}, "priority": -5}
        document["base_load"] = [warm]
    document["repos"] = [{"name": "images", "commits": {"poisson": {"per_hour": 6}}, "new_per_commit": 3}]
    together = len(made) > 1 and draw(st.booleans())
    load = {"datum_time": draw(st.sampled_from(["4s", {"lognormal": {"median": "3s", "p95": "9s"}}]))}
    if together:
        document["pipelines"] = [{"spec": _beside(draw, files, "specs/all.json", made, True), **load}]
    else:
        document["pipelines"] = [
            {"spec": _beside(draw, files, f"specs/{n}.yaml", [spec]), **load} for n, spec in enumerate(made)
        ]
    sets = draw(st.lists(st.sampled_from(SETS), unique=True, max_size=3))
    if "standby" in made[0]:  # its old name: the two together are refused
        sets = [each for each in sets if ".autoscaling=" not in each]
    return Written(yaml_text(document), files, tuple(sets))


def _beside(
    draw: st.DrawFn, files: dict[str, str], name: str, values: list[dict[str, Any]], always: bool = False
) -> Any:
    """Return values inline, or the name of a file that holds them in some style."""
    style = draw(
        st.sampled_from(["block", "flow", "json"] if always else ["inline", "block", "flow", "json"])
    )
    if style == "inline":
        return values[0]
    if style == "json":
        # pachctl 2 reads JSON as YAML does: one document after the other needs its mark
        files[name] = "\n---\n".join(
            json.dumps(value, indent=draw(st.sampled_from([None, 2]))) for value in values
        )
    else:
        texts = (yaml_text(value) if style == "block" else _flowing(value) for value in values)
        files[name] = "---\n".join(f"# {name}\n\n{text}" for text in texts)
    return name


def _flowing(value: dict[str, Any]) -> str:
    return "".join(f"{key}:   {flow(each)}   # {key}\n" for key, each in value.items())
