"""What ``init`` starts from, and what it makes of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sim.draft import init
from sim.loader import load
from sim.model.scenario import Scenario

CLUSTER = """\
apiVersion: eksctl.io/v1alpha5
kind: ClusterConfig
metadata: {name: live, region: us-east-1, version: "1.33"}
managedNodeGroups:
  - {name: workers, instanceType: m5.xlarge, minSize: 1, maxSize: 9, labels: {pool: cpu}}
  - {name: spare, instanceType: m5.xlarge, minSize: 0, desiredCapacity: 2, maxSize: 9}
"""


def spec(name: str, repo: str = "images", **more: Any) -> dict[str, Any]:
    return {
        "pipeline": {"name": name},
        "transform": {"cmd": ["x"], "image": "i:1"},
        "input": {"pfs": {"repo": repo, "glob": "/*"}},
        "resourceRequests": {"cpu": 1, "memory": "1Gi"},
        **more,
    }


def put_specs(folder: Path) -> None:
    """Write the specs of two pipelines, one of which reads the other's output."""
    (folder / "specs").mkdir()
    (folder / "specs" / "edges.json").write_text(json.dumps(spec("edges")))
    (folder / "specs" / "montage.json").write_text(json.dumps(spec("montage", "edges")))


def drafted(*pipelines: str, **options: Any) -> tuple[Scenario, str]:
    """Return the scenario that init writes, and its text."""
    init(pipelines or ["specs/*.json"], "scenario.yaml", **options)
    return load("scenario.yaml"), Path("scenario.yaml").read_text()
