"""Pachyderm specs: the real ones of the shared folder, upstream's schema, and written cases for the rest."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from sim.adapters.pachyderm.canonical import camel_case, snake_case
from sim.adapters.pachyderm.keys import MESSAGES, READ, REMOVED, SCALARS, SPEC, SUBMITTED
from sim.adapters.pachyderm.spec import ReadSpec, read_cluster_defaults, read_spec, read_specs
from sim.documents.fields import root
from sim.documents.yaml_read import read_text
from sim.errors import InputError
from sim.model.pipelines import (
    ClusterDefaults,
    Combine,
    CombinedInput,
    CronInput,
    DatumSetSpec,
    Gpu,
    Kind,
    PfsInput,
    Pipeline,
    Reprocess,
    ResourceSpec,
    Trigger,
)
from sim.model.pods import Effect, Toleration
from tests.conftest import SHARED, needs_shared, of_shared

SPECS = sorted((SHARED / "data" / "pipeline-specs").glob("*.json")) + sorted(
    (SHARED / "data" / "pipeline-specs").glob("*.yaml")
)
MI, GI = 2**20, 2**30
OF_SUBMITTED = {"Commit", "Repo", "Branch"}  # messages of keys that the schema leaves out


def spec_of(**said: Any) -> ReadSpec:
    """Read a minimal spec with something more, or None for something less."""
    minimal = {
        "pipeline": {"name": "p"},
        "transform": {"cmd": ["run"]},
        "input": {"pfs": {"repo": "r", "glob": "/*"}},
    }
    return read_spec(root(read_text(json.dumps(minimal | said, indent=1), "p.json")[0]))


def messages(read: ReadSpec) -> str:
    return "\n".join(str(notice) for notice in read.notices)


@needs_shared
@pytest.mark.parametrize("path", of_shared(SPECS), ids=lambda path: path.name)
def test_every_real_spec_is_read_and_its_canonical_form_is_valid(path: Path, shared: Path) -> None:
    schema = json.loads((shared / "schemas" / "pachyderm-create-pipeline.schema.json").read_text())
    for read in read_specs(path):
        jsonschema.validate(read.canonical, schema)
        again = read_spec(root(read_text(json.dumps(read.canonical), "again")[0]))
        assert again.pipeline == read.pipeline
        assert again.canonical == read.canonical


@needs_shared
def test_all_twelve_files_are_there() -> None:
    assert len(SPECS) == 12


@needs_shared
def test_the_message_table_is_the_schemas(shared: Path) -> None:
    schema = json.loads((shared / "schemas" / "pachyderm-create-pipeline.schema.json").read_text())
    upstream = {
        name.removeprefix("pps_v2.").removeprefix("pfs_v2."): set(definition["properties"])
        for name, definition in schema["definitions"].items()
    }
    upstream[SPEC] |= SUBMITTED  # which the schema leaves out
    for message, fields in MESSAGES.items():
        assert message in OF_SUBMITTED or set(fields) == upstream[message], message
    kinds = {kind.strip("[]") for fields in MESSAGES.values() for kind in fields.values()}
    assert kinds - set(SCALARS) <= set(MESSAGES)
    assert all(READ[message] <= set(MESSAGES[message]) for message in READ)
    assert all(not set(gone) & set(MESSAGES[message]) for message, gone in REMOVED.items())
    assert all(camel_case(snake_case(key)) == key for fields in MESSAGES.values() for key in fields)


SEED = """{"pipeline":{"name":"edges"},"description":"...","metadata":{"labels":{"node":"fargate"}},
"resource_requests":{"memory":"4Gi","cpu":1},"parallelism_spec":{"constant":5},"autoscaling":true,
"input":{"pfs":{"glob":"/*","repo":"images"}},"transform":{"cmd":["python3","/edges.py"],"image":"pachyderm/opencv"}}"""


def test_the_seed_spec() -> None:
    read = read_spec(root(read_text(SEED, "edges.json")[0]))
    assert read.pipeline == Pipeline(
        "edges",
        input=PfsInput("images", "/*", name="images"),
        parallelism=5,
        autoscaling=True,
        resource_requests=ResourceSpec(cpu=1, memory_bytes=4 * GI),
        labels=(("node", "fargate"),),
        image="pachyderm/opencv",
        cmd=("python3", "/edges.py"),
        kept=(("description", '"..."'),),
    )
    assert read.notices == ()
    assert list(read.canonical) == [
        "pipeline",
        "description",
        "metadata",
        "resourceRequests",
        "parallelismSpec",
        "autoscaling",
        "input",
        "transform",
    ]


def read_real(name: str) -> tuple[ReadSpec, ...]:
    return read_specs(SHARED / "data" / "pipeline-specs" / name)


@needs_shared
def test_what_the_real_specs_say() -> None:
    (gpt2,) = read_real("gpt2-train.pipeline.json")
    assert gpt2.pipeline.resource_limits == ResourceSpec(cpu=1, memory_bytes=10 * 10**9, gpu=Gpu(1))
    assert gpt2.pipeline.autoscaling

    (churn,) = read_real("churn.pipeline.json")
    assert churn.pipeline.resource_requests == ResourceSpec(cpu=1, memory_bytes=0)
    assert "churn.pipeline.json:17: resourceLimits.memory is no Kubernetes quantity" in messages(churn)
    assert dict(churn.pipeline.kept).keys() == {"description", "egress"}

    checkpoint, model = read_real("tensorflow-training_and_export_gpu.pipeline.json")
    assert checkpoint.pipeline.resource_limits == ResourceSpec(cpu=2, memory_bytes=4 * 10**9, gpu=Gpu(1))
    assert "nvidia.com/gpu assumed" in messages(checkpoint)
    assert model.pipeline.input == PfsInput("checkpoint", "/", name="checkpoint")

    (inference,) = read_real("neon-infer.pipeline.json")
    assert inference.pipeline.parallelism == 2
    assert inference.pipeline.input == CombinedInput(
        Combine.CROSS, (PfsInput("reviews", "/*", "reviews"), PfsInput("model", "/", "model"))
    )

    (query,) = read_real("db-query.pipeline.json")
    assert query.pipeline.input == CronInput("tick", "@every 10s", repo="query_tick")

    (inner,) = read_real("inner_join.pipeline.json")
    assert isinstance(inner.pipeline.input, CombinedInput)
    assert inner.pipeline.input.combine is Combine.JOIN
    (retail,) = read_real("retail_group.pipeline.json")
    assert isinstance(retail.pipeline.input, CombinedInput)
    assert [leaf.group_by for leaf in retail.pipeline.input.inputs if isinstance(leaf, PfsInput)] == [
        "$1"
    ] * 3

    (spout,) = read_real("spout101-spout.pipeline.json")
    assert (spout.pipeline.kind, spout.pipeline.input) == (Kind.SPOUT, None)
    assert "runs no jobs" in messages(spout)
    (service,) = read_real("service.pipeline.json")
    assert service.pipeline.kind is Kind.SERVICE
    assert "always on" in messages(service)

    (mnist,) = read_real("kubeflow-mnist-pipeline.yaml")
    assert mnist.pipeline.s3_out
    assert mnist.pipeline.input == PfsInput("input-repo", "/", name="input", s3=True)

    (union,) = read_real("opencv-edges-union.pipeline.json")
    assert isinstance(union.pipeline.input, CombinedInput)
    assert [leaf.project for leaf in union.pipeline.input.inputs if isinstance(leaf, PfsInput)] == [
        "default",
        "staging",
    ]


def test_numbers_may_be_texts_and_enums_numbers() -> None:
    read = spec_of(
        parallelismSpec={"constant": "5"},
        datum_tries="7",
        datumSetSpec={"number": 2.0},
        resourceRequests={"cpu": "0.5"},
        tolerations=[{"key": "gpu", "operator": 1, "effect": 1}, {"operator": "EXISTS"}],
    )
    assert read.pipeline.parallelism == 5
    assert read.pipeline.datum_tries == 7
    assert read.pipeline.datum_set_spec == DatumSetSpec(number=2)
    assert read.pipeline.resource_requests == ResourceSpec(cpu=0.5)
    assert read.pipeline.tolerations == (
        Toleration("gpu", effect=Effect.NO_SCHEDULE, exists=True),
        Toleration(exists=True),
    )
    assert read.canonical["tolerations"][0] == {"key": "gpu", "operator": "EXISTS", "effect": "NO_SCHEDULE"}


def test_everything_else_a_planner_sets() -> None:
    read = spec_of(
        pipeline={"name": "p", "project": {"name": "vision"}},
        datumTimeout="0.5s",
        job_timeout="3600s",
        schedulingSpec={"nodeSelector": {"pool": "cpu"}, "priorityClassName": "low"},
        metadata={"annotations": {"a": "b"}},
        reprocess_spec="every_job",
        transform={"cmd": ["x"], "datum_batching": True, "memoryVolume": True, "secrets": [{"name": "s"}]},
        outputBranch="dev",
        maximumExpectedUptime="3600s",
    )
    pipeline = read.pipeline
    assert (pipeline.full_name, pipeline.output_branch) == ("vision/p", "dev")
    assert (pipeline.datum_timeout_us, pipeline.job_timeout_us) == (500_000, 3_600_000_000)
    assert (pipeline.node_selector, pipeline.priority_class_name) == ((("pool", "cpu"),), "low")
    assert pipeline.annotations == (("a", "b"),)
    assert pipeline.reprocess is Reprocess.EVERY_JOB
    assert (pipeline.datum_batching, pipeline.memory_volume) == (True, True)
    assert pipeline.kept == (
        ("transform.secrets", '[{"name": "s"}]'),
        ("maximumExpectedUptime", '"3600s"'),
    )
    assert pipeline.input == PfsInput("r", "/*", "r", project="vision")


def test_absent_empty_zero_and_null_are_told_apart() -> None:
    assert spec_of().pipeline.resource_requests is None
    assert spec_of(resourceRequests={}).pipeline.resource_requests == ResourceSpec()
    assert spec_of(resourceRequests={"cpu": 0}).pipeline.resource_requests == ResourceSpec(cpu=0)
    nulled_leaf = spec_of(resourceRequests={"cpu": None}).pipeline
    assert nulled_leaf.resource_requests == ResourceSpec(nulled=frozenset({"cpu"}))
    nulled = spec_of(resource_requests=None).pipeline
    assert (nulled.resource_requests, nulled.nulled) == (None, frozenset({"resource_requests"}))


def test_removed_fields_are_translated_or_dropped_and_said() -> None:
    read = spec_of(
        standby=True,
        chunk_spec={"size_bytes": "1000"},
        hashtree_spec={"constant": 1},
        cache_size="64M",
        enableStats=True,
        scaleDownThreshold="30s",
        parallelism_spec={"coefficient": 0.5},
        input={"atom": {"repo": "r", "glob": "*"}},
        update=True,
        transform={"cmd": ["x"], "build": {"path": "."}},
    )
    assert read.pipeline.autoscaling
    assert read.pipeline.datum_set_spec == DatumSetSpec(size_bytes=1000)
    assert read.pipeline.parallelism == 1
    assert read.pipeline.input == PfsInput("r", "/*", "r")
    assert {notice.field for notice in read.notices} == {
        "standby",
        "chunk_spec",
        "hashtree_spec",
        "cache_size",
        "enableStats",
        "scaleDownThreshold",
        "parallelism_spec.coefficient",
        "input.atom",
        "update",
        "transform.build",
    }
    assert "standby became autoscaling in 2.0; read as autoscaling" in messages(read)
    assert "cache_size has no effect" in messages(read)
    assert set(read.canonical) == {
        "pipeline",
        "transform",
        "input",
        "autoscaling",
        "datumSetSpec",
        "parallelismSpec",
    }


def test_pod_patches_are_kept_and_said() -> None:
    read = spec_of(podSpec="{}", pod_patch="[]", egress={"URL": "s3://x"})
    assert dict(read.pipeline.kept) == {"podSpec": '"{}"', "podPatch": '"[]"', "egress": '{"URL": "s3://x"}'}
    assert len(read.notices) == 2
    triggered = spec_of(input={"pfs": {"repo": "r", "glob": "/", "trigger": {"size": "1G"}}})
    moved = PfsInput("r", "/", "r", branch="p-trigger-1", trigger=Trigger("master", size_bytes=10**9))
    assert triggered.pipeline.input == moved


def test_labels_of_pachyderms_own_are_said_to_be_ignored() -> None:
    assert "label app, which Pachyderm sets itself" in messages(spec_of(metadata={"labels": {"app": "x"}}))


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (
            {"paralellism_spec": {}},
            r"p.json:16: paralellism_spec is not a known key; did you mean parallelism_spec",
        ),
        ({"paralellismSpec": {}}, r"paralellismSpec is not a known key; did you mean parallelismSpec"),
        (
            {"resourceRequests": {"mem": "1Gi"}},
            r"resourceRequests.mem is not a known key; did you mean memory",
        ),
        ({"datum_set_spec": {}}, r"datumSetSpec is empty, which makes Pachyderm divide by zero"),
        ({"datumSetSpec": {"number": -1}}, r"datumSetSpec has a negative number"),
        ({"parallelismSpec": {"constant": -1}}, r"is -1; allowed: a whole number of 64 bits, 0 or more"),
        ({"parallelismSpec": {"constant": 100_001}}, r"allowed: a constant of at most 100,000"),
        ({"parallelismSpec": {"constant": 1.5}}, r"is 1.5; allowed: a whole number"),
        ({"parallelismSpec": {"constant": "five"}}, r"is 'five'; allowed: a whole number"),
        ({"resourceRequests": {"cpu": 1e300}}, r"allowed: a number of 32 bits"),
        ({"resourceRequests": {"cpu": 1e30}}, r"allowed: cpu from 0 to 1e\+06"),
        ({"resourceRequests": {"memory": "1e300"}}, r"allowed: a quantity from 0 to 2\^63"),
        ({"datumTries": "9999999999999999999"}, r"allowed: a whole number of 64 bits"),
        ({"datumTimeout": "10m"}, r"datumTimeout is '10m'; allowed: seconds as Pachyderm takes them"),
        ({"autoscaling": "true"}, r"autoscaling is 'true'; allowed: true or false"),
        ({"resourceRequests": {"memory": 256}}, r"is 256; allowed: a text"),
        ({"resourceRequests": {"memory": "-1Gi"}}, r"is '-1Gi'; allowed: a quantity from 0 to"),
        ({"resourceRequests": {"cpu": -1}}, r"allowed: cpu from 0 to"),
        ({"autoscaling": False, "standby": True}, r"standby is given twice, the other time as autoscaling"),
        ({"s3Out": True, "s3_out": True}, r"s3_out is given twice, the other time as s3Out"),
        ({"pipeline": {}}, r"pipeline.name is missing"),
        ({"pipeline": {"name": "../x"}}, r"is '../x'; allowed: letters, digits"),
        ({"pipeline": {"name": "p" * 52}}, r"has 52 characters; allowed: at most 51"),
        ({"pipeline": {"name": "p" * 51, "project": {"name": "q" * 20}}}, r"at most 63 characters"),
        ({"transform": None}, r"transform is null; allowed: a value, or no such key"),
        ({"input": None}, r"input is missing; allowed: pfs, cron"),
        ({"tfJob": {"tfJob": "x"}}, r"is a TFJob"),
        ({"spout": {}, "autoscaling": True}, r"is a spout with autoscaling"),
        ({"service": {}, "parallelismSpec": {"constant": 2}}, r"a service has one worker"),
        ({"reprocessSpec": "always"}, r"allowed: until_success or every_job"),
        (
            {"tolerations": [{"key": "gpu"}]},
            r"tolerations\[0\].operator is missing; allowed: EQUAL or EXISTS",
        ),
        ({"tolerations": [{"operator": "Exists"}]}, r"is 'Exists'; allowed: EMPTY, EXISTS, EQUAL"),
        ({"input": {}}, r"names no kind of input"),
        (
            {"input": {"pfs": {"repo": "r", "glob": "/"}, "cron": {"name": "t", "spec": "@daily"}}},
            r"names several kinds of input",
        ),
        ({"input": {"cross": []}}, r"names no kind of input"),
        ({"input": {"git": {"url": "x"}}}, r"input.git is not a known key"),
        ({"input": {"pfs": {"repo": "r"}}}, r"input.pfs.glob is missing"),
        ({"input": {"pfs": {"glob": "/"}}}, r"input.pfs.repo is missing"),
        ({"input": {"pfs": {"repo": "out", "glob": "/"}}}, r"named out, which Pachyderm uses itself"),
        ({"input": {"pfs": {"repo": "r", "glob": "/", "commit": "c"}}}, r"names a commit"),
        ({"input": {"pfs": {"repo": "r", "glob": "/*", "s3": True}}}, r"gives a glob to an s3 input"),
        ({"input": {"cron": {"name": "t", "spec": "@every"}}}, r"input.cron.spec is '@every'; allowed: five"),
        ({"input": {"cron": {"name": "t", "spec": "61 * * * *"}}}, r"is '61 \* \* \* \*': 61 is no minute"),
        (
            {"input": {"cron": {"name": "t", "spec": "@daily", "start": "noon"}}},
            r"input.cron.start is 'noon'; allowed: an instant with its zone",
        ),
        ({"input": {"cross": [{"pfs": {"repo": "r", "glob": "/"}}] * 2}}, r"names two inputs r"),
    ],
)
def test_refused(said: Any, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        spec_of(**said)
    assert str(caught.value).startswith("p.json:")


@pytest.mark.parametrize(
    "spec", ["* * * * *", "0 9 * * 1-5", "@daily", "@every 1h30m", "@never", "0 0 ? * MON"]
)
def test_cron_expressions(spec: str) -> None:
    assert spec_of(input={"cron": {"name": "t", "spec": spec}}).pipeline.input == CronInput(
        "t", spec, repo="p_t"
    )


def test_a_union_may_repeat_a_name_but_not_beside_itself() -> None:
    same = {"pfs": {"repo": "r", "glob": "/"}}
    spec_of(input={"union": [same, same]})
    with pytest.raises(InputError, match="names two inputs r"):
        spec_of(input={"cross": [{"union": [same, same]}, same]})


INLINE = """\
pipelines:
  - spec:
      pipeline: {name: p}
      transform: {cmd: [x]}
      datum_tries: -1
      input: {pfs: {repo: r, glob: /}}
"""


def test_an_inline_spec_keeps_its_place() -> None:
    field = root(read_text(INLINE, "s.yaml")[0]).child("pipelines")
    assert field is not None
    spec = field.items()[0].child("spec")
    assert spec is not None
    with pytest.raises(
        InputError, match=r"s.yaml:5: pipelines\[p\].spec.datumTries is -1; allowed: 0 or more"
    ):
        read_spec(spec)


def test_cluster_defaults() -> None:
    text = """{"create_pipeline_request": {"resource_requests": {"cpu": 1, "memory": "256Mi", "disk": "1Gi"},
    "sidecarResourceRequests": {"cpu": 0.1}, "datumTries": "4"}}"""
    defaults, others, notices = read_cluster_defaults(root(read_text(text, "defaults.json")[0]))
    assert defaults == ClusterDefaults(
        resource_requests=ResourceSpec(cpu=1, memory_bytes=256 * MI, disk_bytes=GI),
        sidecar_resource_requests=ResourceSpec(cpu=0.1),
    )
    assert (others.spec, notices) == ({"datumTries": 4}, ())
    assert read_cluster_defaults(root(read_text("{}")[0]))[0] == ClusterDefaults()
    answer = json.dumps({"clusterDefaultsJson": text})
    assert read_cluster_defaults(root(read_text(answer, "defaults.json")[0]))[0] == defaults


# As --raw prints records: proto names, whole numbers as texts, one after the other.
RECORDS = """{
  "pipeline": {"project": {"name": "default"}, "name": "old"},
  "version": "1",
  "stopped": true,
  "state": "PIPELINE_PAUSED",
  "parallelism": "3",
  "type": "PIPELINE_TYPE_TRANSFORM",
  "details": {
    "transform": {"image": "busybox", "cmd": ["sh"]},
    "parallelism_spec": {"constant": "3"},
    "created_at": "2024-05-01T10:00:00.120Z",
    "workers_requested": "3",
    "output_branch": "master",
    "resource_requests": {"cpu": 1, "memory": "256Mi", "disk": "1Gi"},
    "input": {"pfs": {"project": "default", "name": "r", "repo": "r", "repo_type": "user",
                      "branch": "master", "glob": "/*"}},
    "salt": "0f1e", "datum_tries": "3", "reprocess_spec": "until_success"
  }
}{
  "pipeline": {"project": {"name": "default"}, "name": "new"},
  "version": "4",
  "details": {"transform": {"cmd": ["sh"]}, "resource_requests": {"cpu": 1, "memory": "256Mi"}},
  "user_spec_json": USER_SPEC
}"""
USER_SPEC = '{"pipeline":{"name":"new"},"transform":{"cmd":["sh"]},"input":{"pfs":{"repo":"r","glob":"/"}}}'


def test_records_of_list_pipeline(tmp_path: Path) -> None:
    path = tmp_path / "pipelines.json"
    path.write_text(RECORDS.replace("USER_SPEC", json.dumps(USER_SPEC)))
    old, new = read_specs(path)
    assert (old.pipeline.name, old.pipeline.parallelism, old.pipeline.image) == ("old", 3, "busybox")
    assert old.pipeline.resource_requests == ResourceSpec(cpu=1, memory_bytes=256 * MI, disk_bytes=GI)
    assert "stopped is true" in messages(old)
    assert new.pipeline == Pipeline("new", input=PfsInput("r", "/", "r"), cmd=("sh",))
    path.write_text(RECORDS.replace("USER_SPEC", json.dumps(USER_SPEC.replace("glob", "globe"))))
    with pytest.raises(
        InputError, match=r"pipelines.json:23: input.pfs.globe is not a known key; did you mean glob"
    ):
        read_specs(path)
