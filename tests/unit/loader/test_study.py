"""Study files: what may be varied, and what is wrong with them in one line."""

from __future__ import annotations

import math
import re
from pathlib import Path

import jsonschema
import pytest
from ruamel.yaml import YAML

from sim.errors import InputError
from sim.loader.study import load_study
from sim.loader.study_file import schema
from sim.model.log import EventLog
from sim.model.metrics import Part, usual
from sim.model.scenario import Scenario
from sim.model.study import Constraint, Study
from sim.report.metrics import measure
from tests.conftest import PROJECT
from tests.unit.loader.worlds import PIPELINE
from tests.unit.report.worlds import RandomWorld, a_scenario

STUDIES = sorted((PROJECT / "studies").glob("*.yaml"))
SMALL = {"edges-first", "edges-placement"}  # the others are too large to be simulated whole
BASE = f"""
horizon: 1d
cluster:
  eksctl:
    metadata: {{name: c, region: us-east-1, version: "1.33"}}
    managedNodeGroups:
      - {{name: cpu, instanceTypes: [m5.2xlarge], minSize: 0, desiredCapacity: 1, maxSize: 3}}
      - name: own
        instanceTypes: [m5.2xlarge]
        minSize: 0
        maxSize: 3
        taints: [{{key: only, value: edges, effect: NoSchedule}}]
    fargateProfiles:
      - {{name: wide, selectors: [{{namespace: default, labels: {{node: fargate}}}}]}}
  fargate: {{vcpu_quota: 40}}
slo: {{job_latency: {{p95: 15m}}}}
{PIPELINE}"""
WIDTH = "pipelines[edges].parallelismSpec.constant"


def study(folder: Path, text: str) -> Study:
    """Load a study of the scenario above."""
    (folder / "base.yaml").write_text(BASE, encoding="utf-8")
    file = folder / "study.yaml"
    file.write_text(f"base: base.yaml\n{text}", encoding="utf-8")
    return load_study(file)


def labels(said: Study) -> dict[str, list[str]]:
    return {factor.name: [choice.label for choice in factor.choices] for factor in said.factors}


@pytest.mark.parametrize(
    ("said", "expected", "ordered"),
    [
        ("[1, 2, 5]", ["1", "2", "5"], True),
        ("[5, 1]", ["5", "1"], False),
        ("{from: 1, to: 7, step: 3}", ["1", "4", "7"], True),
        ("{from: 1, to: 40, factor: 3}", ["1", "3", "9", "27"], True),
    ],
)
def test_lists_and_ranges(tmp_path: Path, said: str, expected: list[str], ordered: bool) -> None:
    found = study(tmp_path, f"vary: {{'{WIDTH}': {said}}}")
    assert labels(found) == {WIDTH: expected}
    assert found.factors[0].ordered is ordered
    widths = [
        found.configure(choice.sets).pipelines[0].pipeline.parallelism for choice in found.factors[0].choices
    ]
    assert widths == [int(label) for label in expected]


def test_ranges_keep_their_unit(tmp_path: Path) -> None:
    found = study(
        tmp_path, "vary: {'pipelines[edges].resourceRequests.memory': {from: 1Gi, to: 2Gi, step: 0.5Gi}}"
    )
    assert labels(found) == {"pipelines[edges].resourceRequests.memory": ["1Gi", "1.5Gi", "2Gi"]}


def test_named_choices_put_several_things_at_once(tmp_path: Path) -> None:
    found = study(tmp_path, f"vary: {{size: {{as is: {{}}, wide: {{'{WIDTH}': 9, pachyderm.poll: 7s}}}}}}")
    narrow, wide = (found.configure(choice.sets) for choice in found.factors[0].choices)
    assert (narrow.pipelines[0].pipeline.parallelism, narrow.pachyderm.poll_us) == (5, 2_000_000)
    assert (wide.pipelines[0].pipeline.parallelism, wide.pachyderm.poll_us) == (9, 7_000_000)


def test_placement_sends_workers_by_selectors_tolerations_and_labels(tmp_path: Path) -> None:
    found = study(tmp_path, "vary: {placement: {edges: [cpu, own, wide]}}")
    cpu, own, wide = (found.configure(choice.sets).pipelines[0] for choice in found.factors[0].choices)
    assert cpu.pod_class.node_selector == (("alpha.eksctl.io/nodegroup-name", "cpu"),)
    assert [(t.key, t.value) for t in own.pod_class.tolerations] == [("only", "edges")]
    assert dict(wide.pod_class.labels)["node"] == "fargate"
    assert wide.pod_class.node_selector == ()


def test_what_is_left_out_is_the_bases_own_target_and_cost(tmp_path: Path) -> None:
    found = study(tmp_path, f"vary: {{'{WIDTH}': [1, 2]}}")
    assert found.constraints == (Constraint("job_latency_p95_s", 900.0),)
    assert found.objectives == ("cost_usd_per_day",)
    assert (found.confidence, found.indifference, found.name) == (0.95, 0.02, "study")


def test_changes_to_the_base_hold_for_every_configuration(tmp_path: Path) -> None:
    found = study(tmp_path, f"set: {{horizon: 2d}}\nvary: {{'{WIDTH}': [1, 2]}}")
    scenario: Scenario = found.configure(found.factors[0].choices[0].sets)
    assert scenario.horizon_us == 2 * 86_400_000_000
    assert found.written is not None
    origin = found.written(found.factors[0].choices[0].sets).origin
    assert origin is not None
    assert origin.document["horizon"] == "2d"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("vary: {}", "study.yaml:2: vary is empty"),
        ("vray: {a: [1]}", "study.yaml:2: vray is not a known key; did you mean vary?"),
        (
            "vary: {seed: [1, 2]}",
            "study.yaml:2: vary.seed varies the seed, and configurations are compared over the same days; "
            "allowed: the study's own seed",
        ),
        ("vary: {span: {a: {horizon: 1d}, b: {horizon: 2d}}}", "vary.span varies the horizon, and"),
        (
            "vary: {pachyderm.poll: [2s]}\nconstraints: [{metric: peak_nodes, at_least: 5}, "
            "{metric: peak_nodes, at_most: 3}]",
            "study.yaml:3: constraints want peak_nodes at least 5 and at most 3; allowed: limits that",
        ),
        ("vary: {horizon: 7d}", "study.yaml:2: vary.horizon is '7d'; allowed: a list, {from, to, step}"),
        ("vary: {horizon: [1d, 1d]}", "study.yaml:2: vary.horizon says a value twice"),
        ("vary: {horizon: {from: 1d, to: 2w, step: 1d}}", "from, to and step in one unit"),
        ("vary: {horizon: {from: 1d, to: 2d}}", "from, to, and either step or factor"),
        ("vary: {seed: {from: 0, to: 8, factor: 2}}", "a step above 0, or a factor above 1 and from above 0"),
        (
            "vary: {horizn: [1d, 2d]}",
            "study.yaml:2: vary.horizn cannot be varied: horizn is not a known key; did",
        ),
        ("vary: {'pipelines[edgs].parallelismSpec.constant': [1]}", "pipelines[edgs] is not there"),
        (
            "vary: {pachyderm.poll: [-1s, -2s]}",
            "vary[pachyderm.poll] cannot be varied: pachyderm.poll is '-1s'",
        ),
        ("vary: {placement: {edgs: [cpu]}}", "names no pipeline; allowed: edges; did you mean edges?"),
        ("vary: {placement: {edges: [gpu]}}", "names 'gpu'; allowed: cpu, own, wide; did you mean cpu?"),
        (
            "vary: {pachyderm.poll: [2s]}\nobjective: cost_usd_per_dy",
            "study.yaml:3: objective is 'cost_usd_per_dy', which is no",
        ),
        (
            "vary: {pachyderm.poll: [2s]}\nconstraints: [{metric: nodes, at_most: 1}]",
            "constraints[0].metric is 'nodes', which is",
        ),
        (
            "vary: {pachyderm.poll: [2s]}\nconstraints: [{metric: peak_nodes}]",
            "says no limit, or two; allowed: at_most or",
        ),
        (
            "vary: {pachyderm.poll: [2s]}\nconfidence: 2",
            "study.yaml:3: confidence is 2; allowed: a share from 0 to 1",
        ),
        ("vary: {pachyderm.poll: [2s]}\nset: {horizon: soon}", "horizon is 'soon'"),
        (
            "vary: {pachyderm.poll: [2s]}\nconfidence: 1",
            "study.yaml:3: confidence is 1; allowed: a share from 0 to below 1",
        ),
        (
            "vary: {pachyderm.poll: [2s]}\nexplain: 100%",
            "study.yaml:3: explain is '100%'; allowed: a share from 0 to below",
        ),
        (
            "vary: {pachyderm.poll: [2s]}\nconstraints: [{metric: peak_nodes, at_most: .nan}]",
            "constraints[0].at_most is nan; allowed",
        ),
        (
            "vary: {pachyderm.poll: [1s], too: {a: {pachyderm.poll: 2s}}}",
            "vary.too varies what pachyderm.poll does; allowed: one of them",
        ),
        ("vary: {seed: {from: 0, to: 1, step: 1e-9}}", "allowed: 1 to 1000 values"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)) as caught:
        study(tmp_path, text)
    assert "\n" not in str(caught.value)


def test_a_base_that_is_not_there_is_named(tmp_path: Path) -> None:
    file = tmp_path / "study.yaml"
    file.write_text("base: nowhere.yaml\nvary: {pachyderm.poll: [2s]}", encoding="utf-8")
    with pytest.raises(InputError, match=r"nowhere\.yaml: cannot be read: No such file"):
        load_study(file)


@pytest.mark.parametrize("file", STUDIES, ids=lambda file: file.stem)
def test_the_studies_of_the_project_load_and_are_what_the_schema_says(file: Path) -> None:
    said = load_study(file)
    assert said.question
    assert file.stem in SMALL or math.prod(len(each.choices) for each in said.factors) >= 1_000
    jsonschema.validate(YAML(typ="safe").load(file), schema())


@pytest.mark.parametrize(
    "metric",
    [
        "job_latency_p90_s",
        "pipelines.edges.job_latency_p99.5_s",
        "job_share_within_900_s",
        "pipelines.edges.pod_share_within_60_s",
        "slo.0.share_within",
        "waits_s.processing",
        "sources_usd.shared.idle",
    ],
)
def test_any_quantile_and_share_may_be_named(tmp_path: Path, metric: str) -> None:
    said = study(tmp_path, f"vary: {{'{WIDTH}': [1, 2]}}\nconstraints: [{{metric: {metric}, at_least: 0.5}}]")
    assert said.constraints[0].metric == metric


@pytest.mark.parametrize(
    "metric",
    [
        "slo.1.share_within",
        "job_latency_p100_s",
        "pipelines.montage.job_latency_p95_s",
        "pods.edges.jobs_failed",
        "waits_s.coffee",
    ],
)
def test_a_metric_that_no_result_has_is_refused_with_its_place(tmp_path: Path, metric: str) -> None:
    with pytest.raises(InputError, match=r"study\.yaml:3: constraints\[0\]\.metric .* is no metric"):
        study(tmp_path, f"vary: {{'{WIDTH}': [1, 2]}}\nconstraints: [{{metric: {metric}, at_most: 1}}]")


def test_the_metrics_that_a_study_may_name_are_those_of_a_result() -> None:
    log: EventLog = RandomWorld(1).log()
    tree = measure(log, a_scenario(log))
    metrics, pipelines = tree["metrics"], tree["pipelines"]
    assert isinstance(metrics, dict)
    assert isinstance(pipelines, dict)
    assert list(metrics) == list(usual(Part.ALL))
    first = next(iter(pipelines.values()))
    assert {name for name in first if name != "waits_s"} == set(usual(Part.PIPELINE))
    pods = tree["pods"]
    assert isinstance(pods, dict)
    assert set(pods["plain"]) == set(usual(Part.SOURCE))
