"""Bad input: one line each, with file, line, field, value, what is allowed and the nearest match."""

from pathlib import Path

import pytest

from sim.errors import InputError
from sim.loader import load
from tests.unit.loader.worlds import SCENARIO, loaded


def told(folder: Path, text: str, *sets: str, **files: str) -> str:
    with pytest.raises(InputError) as caught:
        loaded(folder, text, *sets, **files)
    message = str(caught.value).replace(f"{folder}/", "")
    assert "\n" not in message
    return message


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        pytest.param(
            "horizon: 1d",
            "horizn: 1d",
            "scenario.yaml:1: horizn is not a known key; did you mean horizon?",
            id="unknown key",
        ),
        pytest.param(
            "horizon: 1d", "", "scenario.yaml:3: horizon is missing; allowed: duration", id="missing key"
        ),
        pytest.param(
            "horizon: 1d",
            "horizon: 1dy",
            "scenario.yaml:1: horizon is '1dy'; allowed: a duration such as 90s, 10m, 1h30m or 7d, "
            "not negative; did you mean d?",
            id="wrong unit",
        ),
        pytest.param(
            "horizon: 1d",
            "horizon: 1d\npods: [{name: edges, arrivals: {every: 1h}, duration: 1m}]",
            "scenario.yaml:2: pods[edges] has the name edges of other work; allowed: a name of its own",
            id="pods called as a pipeline",
        ),
        pytest.param(
            "horizon: 1d",
            "horizon: 1d\nbase_load: [{name: x}, {name: x}]",
            "scenario.yaml:2: base_load[x] has the name x of other work; allowed: a name of its own",
            id="base load twice",
        ),
        pytest.param(
            "name: edges",
            "name: shared",
            "pipelines[shared].pipeline is called shared, as the bill calls what is nobody's",
            id="a pipeline called as what is nobody's",
        ),
        pytest.param(
            "horizon: 1d",
            "horizon: 0s",
            "scenario.yaml:1: horizon is '0s'; allowed: a duration above 0",
            id="no time at all",
        ),
        pytest.param(
            "18s",
            "-18s",
            "scenario.yaml:15: pipelines[edges].datum_time is '-18s'; allowed: a duration",
            id="negative time",
        ),
        pytest.param(
            "horizon: 1d",
            "horizon: 1d\nwarmup: 2d",
            "scenario.yaml:2: warmup is '2d'; allowed: shorter than the horizon",
            id="warm-up beyond the horizon",
        ),
        pytest.param(
            "us-east-1",
            "us-east-7",
            "us-west-2; did you mean us-east-2?",
            id="unknown region, and the nearest",
        ),
        pytest.param(
            "us-east-1",
            "us-east-7",
            "cluster.eksctl.metadata.region is 'us-east-7'; allowed: af-south-1",
            id="unknown region",
        ),
        pytest.param(
            "m5.2xlarge",
            "m5.2xlrge",
            "managedNodeGroups[cpu].instanceTypes is 'm5.2xlrge', which is not a known EC2 instance type; "
            "allowed: one of `pachsim catalog ec2`, or usd_per_hour and allocatable under "
            "cluster.groups.cpu; did you mean m5.2xlarge?",
            id="unknown instance type",
        ),
        pytest.param(
            "constant: 5}",
            "constant: 5}\n      datum_set_spec: {}",
            "scenario.yaml:13: pipelines[edges].spec.datumSetSpec is empty, which makes Pachyderm "
            "divide by zero",
            id="empty datum set spec",
        ),
        pytest.param(
            "constant: 5}",
            "constant: 5}\n      resourceRequests: {cpu: 100}",
            "pipelines[edges].spec has pods that fit nowhere: group cpu: asks 101000m cpu, an empty "
            "m5.2xlarge has 7760m",
            id="too large for every group",
        ),
        pytest.param(
            "constant: 5}",
            "constant: 5}\n      schedulingSpec: {nodeSelector: {pool: gpu}}",
            "pipelines[edges].spec has pods that fit nowhere: group cpu: no label pool=gpu",
            id="node selector that no group has",
        ),
        pytest.param(
            "constant: 5}",
            "constant: 5}\n      schedulingSpec: {nodeSelector: {eks.amazonaws.com/compute-type: fargate}}",
            "pipelines[edges].schedulingSpec asks for Fargate, and no profile's selector matches its pods",
            id="asks for Fargate without a profile",
        ),
        pytest.param(
            "constant: 5}",
            "constant: 5}\n      schedulingSpec: {priorityClassName: hgih}",
            "scenario.yaml:13: pipelines[edges].schedulingSpec.priorityClassName is 'hgih'; allowed: "
            "system-node-critical",
            id="unknown priority class",
        ),
        pytest.param(
            "constant: 5}",
            "constant: 5}\n      resourceRequests: {gpu: {type: nvidia.com/gpu, number: 1}}",
            "has a pod that Kubernetes refuses: container user requests GPUs without an equal limit",
            id="pod the API server refuses",
        ),
        pytest.param(
            "repo: images",
            "repo: edges",
            "pipelines[edges].input goes round in a cycle: edges -> edges",
            id="cycle of one",
        ),
        pytest.param(
            "    commits: {poisson: {per_hour: 4}}\n",
            "",
            "scenario.yaml:11: pipelines[edges].input reads default/images, which nothing declares; "
            "allowed: repos: [{name: images, …}]",
            id="repository nobody declares",
        ),
        pytest.param(
            "    datum_time: 18s\n",
            "",
            "pipelines[edges].datum_time is missing; allowed: how long user code takes",
            id="no datum time",
        ),
        pytest.param(
            "poisson: {per_hour: 4}",
            "trace: {file: none.csv}",
            "scenario.yaml:14: pipelines[edges].commits.trace.file is 'none.csv', which cannot be read: "
            "No such file or directory; allowed: a CSV file",
            id="no such trace",
        ),
        pytest.param(
            "managedNodeGroups",
            "managedNodeGroup",
            "scenario.yaml:6: cluster.eksctl.managedNodeGroup is not a known key; did you mean "
            "managedNodeGroups?",
            id="unknown ClusterConfig key",
        ),
        pytest.param(
            "desiredCapacity: 1", "desiredCapacity: 9", "desiredCapacity", id="more nodes than maxSize"
        ),
        pytest.param(
            'version: "1.33"',
            "version: 1.33",
            "cluster.eksctl.metadata.version is 1.33",
            id="number where eksctl wants a text",
        ),
        pytest.param(
            "horizon: 1d",
            'horizon: 1d\npachyderm: {version: "2.99"}',
            "scenario.yaml:2: pachyderm.version is '2.99'; allowed: pre-2.5, or 2.5 to 2.12",
            id="unknown Pachyderm",
        ),
        pytest.param(
            "horizon: 1d",
            "horizon: 1d\nslo: {pipelines: {edgs: {p95: 1m}}}",
            "slo.pipelines.edgs names no pipeline; allowed: edges; did you mean edges?",
            id="target of no pipeline",
        ),
        pytest.param(
            "cluster:\n",
            "cluster:\n  groups: {cpus: {initial: 1}}\n",
            "scenario.yaml:4: cluster.groups.cpus is no node group of the ClusterConfig; allowed: "
            "cpu; did you mean cpu?",
            id="group that is not there",
        ),
        pytest.param(
            "cluster:\n",
            "cluster:\n  groups: {cpu: {initial: 4}}\n",
            "cluster.eksctl.managedNodeGroups[cpu] starts with 4 nodes; allowed: 0 to its maxSize (3)",
            id="more nodes at the start than maxSize",
        ),
        pytest.param(
            "cluster:\n",
            "cluster:\n  groups: {cpu: {scheduled_minimums: [{cron: 0 8 * * *, min_size: 4}]}}\n",
            "cluster.eksctl.managedNodeGroups[cpu] has a scheduled minimum of 4; allowed: 0 to its maxSize",
            id="scheduled minimum beyond maxSize",
        ),
    ],
)
def test_one_line_that_says_it_all(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in SCENARIO
    assert message in told(tmp_path, SCENARIO.replace(old, new))


FARGATE = """
horizon: 1d
pachyderm: {namespace: pachyderm}
cluster:
  eksctl:
    metadata: {name: c, region: us-east-1}
    fargateProfiles: [{name: workers, selectors: [{namespace: pachyderm, labels: {node: fargate}}]}]
  fargate: {vcpu_quota: 100}
base_load: []
pipelines:
  - spec:
      pipeline: {name: edges}
      metadata: {labels: {node: fargate}}
      input: {pfs: {repo: images, glob: "/*"}}
      transform: {cmd: [x]}
    commits: {poisson: {per_hour: 4}}
    datum_time: 18s
"""


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        pytest.param(
            "transform:",
            "resourceLimits: {gpu: {type: nvidia.com/gpu, number: 1}}\n      transform:",
            "pipelines[edges].spec has pods that fit nowhere: Fargate profile workers takes it, but "
            "Fargate has no GPUs",
            id="GPU pipeline sent to Fargate",
        ),
        pytest.param(
            "transform:",
            "resourceRequests: {memory: 119.6Gi}\n      transform:",
            "but no Fargate size holds its requests and 256 MiB",
            id="no Fargate size",
        ),
        pytest.param(
            "labels: {node: fargate}}]",
            "labels: {node: fargat}}]",
            "scenario.yaml:13: pipelines[edges].metadata has the label node=fargate in namespace "
            "pachyderm, which no "
            "Fargate profile selects; allowed: node=fargat in namespace pachyderm (profile workers)",
            id="selector with another value",
        ),
        pytest.param(
            "selectors: [{namespace: pachyderm",
            "selectors: [{namespace: pachyderms",
            "allowed: node=fargate in namespace pachyderms (profile workers)",
            id="selector of another namespace",
        ),
        pytest.param(
            "metadata: {labels: {node: fargate}}",
            "metadata: {labels: {eks.amazonaws.com/fargate-profile: worker}}",
            "asks for Fargate profile worker, which does not match its pods; allowed: workers; did "
            "you mean workers?",
            id="a profile by name that is not there",
        ),
        pytest.param(
            "us-east-1", "us-gov-west-1", "has no Fargate price in us-gov-west-1", id="no Fargate in GovCloud"
        ),
        pytest.param(
            "      metadata: {labels: {node: fargate}}\n",
            "",
            "no selector matches namespace pachyderm and its labels",
            id="nowhere to go",
        ),
    ],
)
def test_fargate(tmp_path: Path, old: str, new: str, message: str) -> None:
    loaded(tmp_path, FARGATE)
    assert old in FARGATE
    assert message in told(tmp_path, FARGATE.replace(old, new, 1))


DAG = """
horizon: 1d
pipelines:
  - {spec: {pipeline: {name: a}, input: {pfs: {repo: c, glob: /}}, transform: {cmd: [x]}}, datum_time: 1s}
  - {spec: {pipeline: {name: b}, input: {pfs: {repo: a, glob: /}}, transform: {cmd: [x]}}, datum_time: 1s}
  - {spec: {pipeline: {name: c}, input: {pfs: {repo: b, glob: /}}, transform: {cmd: [x]}}, datum_time: 1s}
"""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(
            DAG,
            "scenario.yaml:4: pipelines[a].input goes round in a cycle: a -> b -> c -> a; allowed: a DAG",
            id="cycle of three",
        ),
        pytest.param(
            DAG.replace("name: b", "name: a"),
            "scenario.yaml:5: pipelines[a].pipeline is a second pipeline called default/a",
            id="two of one name",
        ),
        pytest.param(
            DAG.replace("repo: c", "repo: src").replace(
                "datum_time: 1s}", "datum_time: 1s, commits: {every: 1h}}", 2
            ),
            "pipelines[b].commits needs a single source repository, and the pipeline reads none",
            id="commits where nothing can be committed",
        ),
        pytest.param(
            DAG.replace("repo: c", "repo: src").replace(
                "datum_time: 1s}", "datum_time: 1s, commits: {every: 1h}}", 1
            )
            + "repos: [{name: src, commits: {every: 1h}}]\n",
            "pipelines[a].commits declares src a second time",
            id="commits in two places",
        ),
        pytest.param(
            DAG.replace("repo: c", "repo: src") + "repos: [{name: src}, {name: src}]\n",
            "repos[src] declares src a second time",
            id="repo twice",
        ),
        pytest.param(
            DAG.replace("repo: c", "repo: src") + "repos: [{name: src}, {name: b}]\n",
            "repos[b] is the output of pipeline b",
            id="repo that is an output",
        ),
    ],
)
def test_dags(tmp_path: Path, text: str, message: str) -> None:
    assert message in told(tmp_path, text)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"", "scenario.yaml: is empty; allowed: at least one document", id="empty"),
        pytest.param(b"# nothing\n", "is empty", id="a comment only"),
        pytest.param(b"\x89PNG\r\n\x1a\n\x00\x00", "scenario.yaml: is a binary file", id="binary"),
        pytest.param(b"\xff\xfe", "is not text in UTF-8", id="not UTF-8"),
        pytest.param(
            b"a: &a [x,x]\nb: &b [*a,*a]\n"
            + b"".join(
                b"c%d: &c%d [*%s,*%s]\n" % (n, n, p, p)
                for n, p in enumerate([b"b", *(b"c%d" % i for i in range(30))])
            ),
            "scenario.yaml:",
            id="YAML bomb",
        ),
        pytest.param(b"horizon: [1d", "scenario.yaml:1: is not valid YAML", id="not YAML"),
        pytest.param(b"horizon: 1d\nhorizon: 2d\n", "scenario.yaml:2: says horizon twice", id="a key twice"),
        pytest.param(b"- horizon\n", "scenario.yaml:1: is ['horizon']; allowed: a mapping", id="a list"),
        pytest.param(
            b"horizon: 1d\n---\nhorizon: 1d\n",
            "is a second document; allowed: one scenario in a file",
            id="two documents",
        ),
        pytest.param(
            b"horizon: !!python/object:os.system 1d\n",
            "scenario.yaml:1: has the tag",
            id="a tag that makes objects",
        ),
    ],
)
def test_hostile_files(tmp_path: Path, content: bytes, message: str) -> None:
    file = tmp_path / "scenario.yaml"
    file.write_bytes(content)
    with pytest.raises(InputError) as caught:
        load(file)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_of_100_mb_is_refused_unread(tmp_path: Path) -> None:
    file = tmp_path / "scenario.yaml"
    with file.open("wb") as out:
        out.truncate(100_000_000)
    with pytest.raises(InputError, match=r"scenario.yaml: is 100,000,000 bytes; allowed: at most"):
        load(file)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none.yaml: cannot be read: No such file or directory"):
        load(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        pytest.param(
            "spec: none.json",
            "scenario.yaml:9: pipelines[0].spec is 'none.json', which cannot be read",
            id="missing spec",
        ),
        pytest.param("spec: bad.json", "bad.json:1: pipelines[0].spec is not valid YAML", id="broken spec"),
        pytest.param(
            "spec: [a]",
            "scenario.yaml:9: pipelines[0].spec is ['a']; allowed: a pipeline spec: a path",
            id="neither path nor spec",
        ),
        pytest.param(
            "spec: good.json\n    name: other",
            "pipelines[other] names the pipeline other, which its spec does not hold; allowed: edges",
            id="no such document",
        ),
    ],
)
def test_references(tmp_path: Path, reference: str, message: str) -> None:
    head = SCENARIO[: SCENARIO.index("  - spec:")]
    text = f"{head}  - {reference}\n    datum_time: 1s\n"
    pfs = '{"pfs": {"repo": "a", "glob": "/"}}'
    good = f'{{"pipeline": {{"name": "edges"}}, "input": {pfs}, "transform": {{"cmd": ["x"]}}}}'
    assert message in told(tmp_path, text, bad_json="{", good_json=good)


def test_a_malformed_quantity_is_dropped_and_said(tmp_path: Path) -> None:
    text = SCENARIO.replace("constant: 5}", "constant: 5}\n      resourceRequests: {memory: 4GB}")
    scenario = loaded(tmp_path, text)
    (warning,) = [each for each in scenario.warnings if "quantity" in each]
    assert (
        "scenario.yaml:13: pipelines[edges].spec.resourceRequests.memory is no Kubernetes quantity" in warning
    )
    assert "4GB" in warning
