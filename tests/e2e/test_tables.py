"""``size`` and ``catalog``: tables without a simulation."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

from tests.e2e.conftest import Pachsim

SEED_SPEC = {
    "pipeline": {"name": "edges"},
    "metadata": {"labels": {"node": "fargate"}},
    "resource_requests": {"memory": "4Gi", "cpu": 1},
    "parallelism_spec": {"constant": 5},
    "autoscaling": True,
    "input": {"pfs": {"glob": "/*", "repo": "images"}},
    "transform": {"cmd": ["python3", "/edges.py"], "image": "pachyderm/opencv"},
}


def test_size_of_the_seeds_pipeline(pachsim: Pachsim, tmp_path: Path) -> None:
    (tmp_path / "edges.json").write_text(json.dumps(SEED_SPEC), encoding="utf-8")
    done = pachsim("size", "edges.json")
    assert (done.returncode, done.stderr) == (0, "")
    assert "2vCPU 5GB, $0.103185 an hour" in done.stdout
    assert "pod        2,000       4,352          2,048    0" in done.stdout
    (document,) = json.loads(pachsim("size", "edges.json", "--format", "json").stdout)
    assert document["fargate"]["size"] == "2vCPU 5GB"
    assert document["workers"] == 5
    rows = list(csv.DictReader(io.StringIO(pachsim("size", "edges.json", "--format", "csv").stdout)))
    assert {row["pipeline"] for row in rows} == {"default/edges"}


def test_a_bad_spec_is_one_line_and_exit_2(pachsim: Pachsim, tmp_path: Path) -> None:
    (tmp_path / "edges.json").write_text(json.dumps(SEED_SPEC | {"datum_set_spec": {}}), encoding="utf-8")
    done = pachsim("size", "edges.json")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("edges.json:1: datumSetSpec")


def test_errors_are_red_unless_no_color_says_otherwise(pachsim: Pachsim) -> None:
    asked = ("catalog", "fargate", "--region", "us-east-11")
    assert pachsim(*asked).stderr.startswith("region is 'us-east-11'; allowed: ")
    assert pachsim(*asked, NO_COLOR="", FORCE_COLOR="1").stderr.startswith("\x1b[31mregion")


def test_the_catalog_as_table_json_and_csv(pachsim: Pachsim) -> None:
    header, first, *_ = pachsim("catalog", "fargate").stdout.splitlines()
    assert header.split() == ["size", "vcpu", "memory", "gib", "usd", "per", "hour", "date", "status"]
    assert first.startswith("0.25vCPU 0.5GB  0.25         0.5     0.0123425")
    prices = json.loads(pachsim("catalog", "prices", "--format", "json").stdout)
    assert {"item": "eks_control_plane", "usd": 0.1}.items() <= next(
        row for row in prices if row["item"] == "eks_control_plane"
    ).items()
    types = csv.DictReader(io.StringIO(pachsim("catalog", "ec2", "--format", "csv").stdout))
    (m5,) = (row for row in types if row["instance_type"] == "m5.xlarge")
    assert (m5["usd_per_hour"], m5["memory_mib"]) == ("0.192", "16384")


def test_a_missing_argument_is_exit_2(pachsim: Pachsim) -> None:
    assert pachsim("size").returncode == 2
    assert pachsim("size", "nowhere.json").returncode == 2
