"""What a clone installs: the product for the demo, the tools of development for the tests."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import PROJECT


def told(folder: Path, target: str) -> str:
    """Return the commands that a target would run in a folder that has no ``.venv``."""
    for file in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(PROJECT / file, folder)
    done = subprocess.run(["make", "-n", target], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout


def test_the_demo_installs_the_product_alone(tmp_path: Path) -> None:
    commands = told(tmp_path, "demo")
    assert "pip install" in commands
    assert "[dev]" not in commands


@pytest.mark.parametrize("target", ["setup", "test", "test-slow", "lint"])
def test_the_tests_add_the_tools(target: str, tmp_path: Path) -> None:
    commands = told(tmp_path, target)
    assert commands.index("-e .\n") < commands.index("-e '.[dev]'")


def test_nothing_is_installed_in_silence(tmp_path: Path) -> None:
    assert "--quiet" not in told(tmp_path, "test")
