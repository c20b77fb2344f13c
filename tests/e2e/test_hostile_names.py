"""Names, questions, keys and texts of --set that a terminal or a spreadsheet would obey are shown."""

from pathlib import Path

import pytest

from tests.commands import pachsim

GROUP = "{name: w, instanceTypes: [m5.2xlarge], minSize: 1, maxSize: 2}"
SCENARIO = rf"""
horizon: 3h
name: "=1+1"
question: "\e]0;pwned\a\e[31mred\e[0m \x9b31m"
cluster: {{eksctl: {{managedNodeGroups: [{GROUP}]}}}}
base_load:
  - {{name: '=HYPERLINK("http://x","y")', requests: {{cpu: 1}}}}
  - {{name: "@SUM(1)", requests: {{cpu: 1}}}}
pods: [{{name: "=cmd|' /C calc'!A0", requests: {{cpu: 1}}, arrivals: {{every: 10m}}, duration: 5m}}]
"""
STUDY = r"""
question: "\e]0;pwned\a\e[31mred"
base: s.yaml
vary: {"cluster.eksctl.managedNodeGroups[w].maxSize": [1, 2], "k\e[31m": {
  "lab\e[2J": {"cluster.eksctl.managedNodeGroups[w].labels.a": x},
  "b\e]0;pwned\a": {"cluster.eksctl.managedNodeGroups[w].labels.a": y}}}
budget: 8
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "s.yaml").write_text(SCENARIO, encoding="utf-8")
    (tmp_path / "t.yaml").write_text(SCENARIO.replace('"=1+1"', "t"), encoding="utf-8")
    (tmp_path / "study.yaml").write_text(STUDY, encoding="utf-8")
    (tmp_path / "bad.yaml").write_text('"k\\e[31m": 1\nhorizon: 1d\n', encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    "command",
    [
        "check s.yaml",
        "check s.yaml --format csv",
        "check bad.yaml",
        "check s.yaml --set k\x1b[31m=1",
        "check s.yaml --set horizon=\x1b[31m",
        "check s.yaml --set horizon=1\x9b31m\x7f",
        "check \x1b[31m.yaml",
        "run s.yaml --replications 1 --format table",
        "run s.yaml --replications 1 --format csv --verbose",
        "run s.yaml --replications 1 --format json",
        "run s.yaml --replications 1 --out s.yaml/\x1b[31m",
        "compare s.yaml t.yaml --replications 2",
        "compare s.yaml --vary pods[0].duration=5m,\x1b[31m --replications 2",
        "search study.yaml --workers 1",
        "search study.yaml --workers 1 --format csv",
        "export s.yaml --out s.yaml/\x1b",
        "size \x1b.json",
        "catalog instances --region \x1b[31m",
        "\x1b[31m",
        "run --\x1b[31m",
    ],
)
def test_no_control_character_reaches_a_terminal(folder: Path, command: str) -> None:
    done = pachsim(folder, *command.split(" "))
    shown = done.stdout + done.stderr
    assert shown
    assert shown.replace("\n", "").isprintable(), repr(shown)
    assert "Traceback" not in shown
    said = [line for line in done.stderr.splitlines() if not line.startswith("warning: ")]
    assert done.returncode != 2 or len(said) == 1


def test_no_cell_of_a_csv_file_begins_like_a_formula(folder: Path) -> None:
    assert pachsim(folder, "run", "s.yaml", "--replications", "1", "--out", "out").returncode == 0
    files = list((folder / "out").glob("*.csv"))
    assert len(files) > 5
    for file in files:
        for line in file.read_text(encoding="utf-8").splitlines():
            cells = [each.strip('"') for each in line.split(",")]
            assert not any(each.startswith(("=", "@")) for each in cells), line
