"""Specs as they were written for Pachyderm 1.7 to 1.13: what became of each field that 2.x no longer has.

Fields: pachyderm/pachyderm src/client/pps/pps.proto at v1.7.11, v1.8.8, v1.9.12, v1.10.5, v1.11.9, v1.12.5
and v1.13.4. The specs are made up; what they become has to satisfy the schema of 2.11.
"""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from sim.adapters.pachyderm.canonical import camel_case
from sim.adapters.pachyderm.keys import REMOVED
from sim.adapters.pachyderm.spec import ReadSpec, read_spec
from sim.documents.fields import root
from sim.documents.yaml_read import read_text
from sim.model.pipelines import DatumSetSpec, Kind, PfsInput, ResourceSpec
from tests.conftest import needs_shared

ATOMS = """\
# 1.7: an atom input, a share of the nodes, incremental processing, a queue of datums
pipeline: {name: wordcount}
transform: {image: "wordcount:1", cmd: [/map], build: {language: go, path: ./src}}
parallelism_spec: {strategy: COEFFICIENT, coefficient: 0.5}
input: {atom: {repo: urls, glob: "/*", from_commit: abc, lazy: true}}
incremental: true
batch: false
cache_size: 256M
max_queue_size: 5
enable_stats: true
scale_down_threshold: 600s
"""
CHUNKS = """\
{
  "pipeline": {"name": "model"},
  "transform": {"image": "model:2", "cmd": ["python3", "/train.py"]},
  "standby": true,
  "chunk_spec": {"number": "16", "size_bytes": "1048576"},
  "hashtree_spec": {"constant": "4"},
  "parallelism_spec": {"constant": "8"},
  "resource_requests": {"memory": "2G", "cpu": "0.5"},
  "update": true,
  "reprocess": true,
  "spec_commit": {"repo": {"name": "__spec__"}, "id": "abc"},
  "input": {"pfs": {"repo": "training", "branch": "master", "glob": "/*"}}
}
"""
SCALED = """\
# 1.13: standby and autoscaling side by side, a pod spec beside the pod patch
pipeline: {name: scaled}
transform: {cmd: [sh]}
standby: true
autoscaling: true
pod_spec: '{"schedulerName": "other"}'
pod_patch: '[{"op": "add", "path": "/volumes/-", "value": {}}]'
dry_run: false
input: {pfs: {repo: r, glob: "/"}}
"""
SPOUT = """\
{"pipeline": {"name": "feed"}, "transform": {"cmd": ["go"]}, "spout": {"overwrite": true, "marker": "mark"}}
"""
SERVICE = """\
pipeline: {name: notebook}
transform: {cmd: [jupyter]}
service: {internal_port: 8888, external_port: 30888, annotations: {team: a}}
input: {pfs: {repo: r, glob: "/"}}
"""
OLD = {"atoms": ATOMS, "chunks": CHUNKS, "scaled": SCALED, "spout": SPOUT, "service": SERVICE}


def read(name: str) -> ReadSpec:
    return read_spec(root(read_text(OLD[name], f"{name}.yaml")[0]))


def notices(name: str) -> dict[str, str]:
    return {notice.field: notice.message for notice in read(name).notices}


@needs_shared
@pytest.mark.parametrize("name", OLD)
def test_an_old_spec_becomes_one_the_server_takes(name: str, shared: Path) -> None:
    schema = json.loads((shared / "schemas" / "pachyderm-create-pipeline.schema.json").read_text())
    spec = read(name)
    jsonschema.validate(spec.canonical, schema)
    again = read_spec(root(read_text(json.dumps(spec.canonical))[0]))
    assert again.pipeline == spec.pipeline
    assert not any("gone" in notice.message or "became" in notice.message for notice in again.notices)


def test_every_removed_field_is_in_one_of_them() -> None:
    said = {camel_case(field.rpartition(".")[2]) for name in OLD for field in notices(name)}
    assert {key for gone in REMOVED.values() for key in gone} <= said


def test_atoms_are_pfs_inputs_and_the_rest_is_dropped() -> None:
    pipeline = read("atoms").pipeline
    assert pipeline.input == PfsInput("urls", "/*", "urls", lazy=True)
    assert (pipeline.parallelism, pipeline.autoscaling) == (1, False)
    assert "read as pfs" in notices("atoms")["input.atom"]
    assert "dropped" in notices("atoms")["cache_size"]


def test_chunks_are_datum_sets_and_standby_is_autoscaling() -> None:
    pipeline = read("chunks").pipeline
    assert pipeline.datum_set_spec == DatumSetSpec(number=16, size_bytes=1_048_576)
    assert (pipeline.autoscaling, pipeline.parallelism) == (True, 8)
    assert pipeline.resource_requests == ResourceSpec(cpu=0.5, memory_bytes=2 * 10**9)


def test_standby_beside_autoscaling_says_nothing_new() -> None:
    spec = read("scaled")
    assert spec.pipeline.autoscaling
    assert list(spec.canonical).count("autoscaling") == 1
    assert "kept but not applied" in notices("scaled")["pod_spec"]
    assert "applied only where it adds affinity" in notices("scaled")["pod_patch"]


def test_what_cannot_be_simulated_is_said_with_what_is_assumed() -> None:
    assert read("spout").pipeline.kind is Kind.SPOUT
    assert "simulated as always on" in notices("spout")["spout"]
    assert read("service").pipeline.kind is Kind.SERVICE
    assert "simulated as a worker that is always on" in notices("service")["service"]
