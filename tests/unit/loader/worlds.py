"""Small scenarios to load: a text beside its files, in a folder of the test's own."""

from pathlib import Path

from sim.loader import load
from sim.model.scenario import Scenario

GROUP = "{name: cpu, instanceTypes: [m5.2xlarge], minSize: 0, desiredCapacity: 1, maxSize: 3}"
CLUSTER = f"""
cluster:
  eksctl:
    metadata: {{name: c, region: us-east-1, version: "1.33"}}
    managedNodeGroups: [{GROUP}]
"""
PIPELINE = """
pipelines:
  - spec:
      pipeline: {name: edges}
      input: {pfs: {repo: images, glob: "/*"}}
      parallelismSpec: {constant: 5}
      transform: {image: "pachyderm/opencv:1.0", cmd: [python3, /edges.py]}
    commits: {poisson: {per_hour: 4}}
    datum_time: 18s
"""
SCENARIO = f"horizon: 1d\n{CLUSTER}{PIPELINE}"


def loaded(folder: Path, text: str = SCENARIO, *sets: str, **files: str) -> Scenario:
    """Load a text as ``scenario.yaml``, with other files beside it (``spec_json`` is ``spec.json``)."""
    for name, content in files.items():
        (folder / ".".join(name.rsplit("_", 1))).write_text(content, encoding="utf-8")
    file = folder / "scenario.yaml"
    file.write_text(text, encoding="utf-8")
    return load(file, sets)
