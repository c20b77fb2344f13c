"""Plans to export, exports as mappings of names to texts, and what they must hold."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema

from sim.adapters.eksctl.read import read_cluster_file
from sim.adapters.pachyderm.spec import read_specs
from sim.deploy.plan import check_same, plan_files
from sim.deploy.predictions import prediction
from sim.deploy.roles import Role
from sim.documents.yaml_read import read_file
from sim.loader import load
from sim.model.log import EventLog
from sim.model.scenario import Scenario
from sim.study.replicate import simulate

SPEC: dict[str, Any] = {
    "pipeline": {"name": "edges"},
    "description": "kept",
    "metadata": {"labels": {"node": "fargate"}},
    "resource_requests": {"memory": "4Gi", "cpu": 1},
    "parallelism_spec": {"constant": "5"},
    "autoscaling": True,
    "input": {"pfs": {"glob": "/*", "repo": "images"}},
    "transform": {"cmd": ["python3", "/edges.py"], "image": "pachyderm/opencv"},
}
CLUSTER = """\
apiVersion: eksctl.io/v1alpha5
kind: ClusterConfig
metadata: {name: work, region: us-east-1, version: "1.33"}
fargateProfiles:
  - name: fp-workers # the seed's
    selectors: [{namespace: default, labels: {node: fargate}}]
managedNodeGroups:
  - name: cpu
    instanceTypes: [m5.2xlarge]
    minSize: 1
    desiredCapacity: 1
    maxSize: 4   # bounds the bill
"""
SCENARIO = """\
horizon: 6h
cluster: {eksctl: clusters/work.yaml, fargate: {vcpu_quota: 40}}
pipelines:
  - spec: specs/edges.json
    commits: {poisson: {per_hour: 2}}
    datums: {new_per_commit: 20}
    datum_time: 18s
images: {worker: 100MB, pachd: 150MB, user: 400MB}
"""


def written(folder: Path, scenario: str = SCENARIO, **files: str) -> Path:
    """Write a scenario with spec and cluster beside it, others as ``ca_yaml`` for ``ca.yaml``."""
    for name, text in {
        "specs/edges.json": json.dumps(SPEC, indent=2),
        "clusters/work.yaml": CLUSTER,
        "plan.yaml": scenario,
        **{".".join(name.rsplit("_", 1)): text for name, text in files.items()},
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder / "plan.yaml"


def planned(scenario: Scenario, role: str = "eksctl") -> dict[str, str]:
    """Return the files of a plan without simulating it."""
    return {name: content.decode() for name, content in plan_files(scenario, None, Role(role)).items()}


def put(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write the files of a plan and return its scenario."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return folder / "scenario.yaml"


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file of a folder."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def same_log(one: EventLog, other: EventLog) -> bool:
    """Say whether two logs hold the same bytes."""
    tables = [{name: table.rows().tobytes() for name, table in log.tables.items()} for log in (one, other)]
    return tables[0] == tables[1] and one.names == other.names


def held(scenario: Scenario, folder: Path, schemas: Path | None, *, simulated: bool) -> dict[str, bytes]:
    """Export a scenario twice, the second time from the first, and return the files once they hold.

    Pipelines and clusters are valid by the schemas and by what reads them; the exported scenario is the one
    given, by its values, and by its log where it is ``simulated``; the second export is the first.
    """
    result = simulate(scenario) if simulated else None
    promised = prediction(result) if result else None
    files = plan_files(scenario, promised, Role())
    again = load(put(folder, files))
    check_same(folder, scenario)
    if result:
        assert same_log(simulate(again).log, result.log)
    else:  # what marks an export, for the second to find what came in before the first
        put(folder, {"prediction.json": "{}", "README.md": ""})
    assert plan_files(again, promised, Role()) == files
    for name in files:
        if name.startswith("pipelines/"):
            _valid(folder / name, schemas, "pachyderm-create-pipeline")
            (read,) = read_specs(folder / name)
            assert read.canonical == json.loads(files[name])
        elif name in {"cluster.yaml", "changes.yaml"}:
            _valid(folder / name, schemas, "eksctl")
            assert read_cluster_file(folder / name).config.name == scenario.cluster.name
    return files


def _valid(file: Path, schemas: Path | None, schema: str) -> None:
    if schemas is not None:
        _validator(schemas / f"{schema}.schema.json").validate(read_file(file)[0].value)


@cache
def _validator(file: Path) -> jsonschema.protocols.Validator:
    schema = json.loads(file.read_text())
    return jsonschema.validators.validator_for(schema)(schema)
