"""What the README says is so: its commands print what it shows, its Python runs, its table is complete."""

from __future__ import annotations

import re
import shlex
from contextlib import chdir
from pathlib import Path

import pytest

from tests.commands import pachsim
from tests.conftest import PROJECT
from tests.docs.conftest import FIRST_STUDY

README = (PROJECT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)
SHOWN = [body.splitlines() for kind, body in BLOCKS if kind == "console"]
PYTHON = [body for kind, body in BLOCKS if kind == "python"]
LEFT_OUT = "[…]"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a fresh folder that has the scenarios and studies of the project."""
    for folder in ("scenarios", "studies"):
        (tmp_path / folder).symlink_to(PROJECT / folder)
    return tmp_path


def printed(folder: Path, *arguments: str | Path) -> str:
    done = pachsim(folder, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("block", SHOWN, ids=lambda block: block[0][:60])
def test_a_command_prints_what_is_shown(block: list[str], project: Path, first_search: Path) -> None:
    name, *arguments = shlex.split(block[0].removeprefix("$ "))
    assert name == "pachsim"
    kept = ("--store", first_search, "--resume") if FIRST_STUDY in arguments else ()
    shown = [line.rstrip() for line in printed(project, *arguments, *kept).splitlines()]
    wanted = [line for line in block[1:] if line != LEFT_OUT]
    lines = iter(shown)
    missing = [line for line in wanted if line not in lines]
    assert missing == [], "\n".join(["README.md shows something else than:", *shown])


@pytest.mark.slow
@pytest.mark.parametrize("source", PYTHON, ids=["from-python"])
def test_the_python_runs(source: str, project: Path) -> None:
    with chdir(project):
        exec(compile(source, "README.md", "exec"), {"__name__": "__main__"})
    assert (project / "out" / "edges" / "summary.json").exists()


def test_what_ci_and_newcomers_look_for_is_fenced() -> None:
    fenced = [line for kind, body in BLOCKS if not kind for line in body.splitlines()]
    assert fenced[:3] == ["make demo", "make test", "make test-slow"]
    assert all(line.startswith("pachsim ") for line in fenced[3:])


def test_the_table_has_every_command(project: Path) -> None:
    listed = re.findall(r"^\| `pachsim (\w+)", README, flags=re.MULTILINE)
    offered = re.findall(r"^  (\w+) ", printed(project, "--help").partition("Commands:")[2], re.MULTILINE)
    assert listed == offered


@pytest.mark.parametrize(
    "command",
    [
        "run",
        "compare",
        "search",
        "check",
        "init",
        "export",
        "size",
        "catalog",
        "catalog ec2",
        "catalog prices",
    ],
)
def test_every_command_says_what_it_and_its_options_do(command: str, project: Path) -> None:
    said = printed(project, *command.split(), "--help")
    assert "Usage: pachsim" in said
    # a bracket alone, as in [x>=1], says nothing
    shown = r"^  (--[a-z-]+)(?: <[^>]*>| [A-Z=,|]+)?(?:  +([^\s[].*))?(?:\n {20,}([^\s[].*))?"
    options = re.findall(shown, said, re.MULTILINE)
    assert options
    assert [name for name, *text in options if not any(text)] == []
