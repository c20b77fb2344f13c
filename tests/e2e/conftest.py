"""The commands as a user types them: a fresh process in a fresh folder."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Pachsim = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def pachsim(tmp_path: Path) -> Pachsim:
    """Return what runs ``pachsim`` with some arguments in an empty folder."""

    def run(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [Path(sys.executable).with_name("pachsim"), *arguments],
            cwd=tmp_path,
            env=os.environ | {"NO_COLOR": "1"} | environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run
