"""``pachsim`` as a user types it, without the half second that a fresh interpreter takes."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from unittest.mock import patch

from sim.cli import main
from sim.study import workers

PROGRAM = Path(sys.executable).with_name("pachsim")
Done = subprocess.CompletedProcess[str]


def pachsim(folder: Path, *arguments: str | Path, **environment: str) -> Done:
    """Return what ``pachsim`` with some arguments leaves behind in a folder, run in this process alone.

    A pool of its own would start or not, and take a second, as the machine is busy or not.
    """
    command = ["pachsim", *map(str, arguments)]
    out, err = StringIO(), StringIO()
    code: object = 0
    with (
        patch.object(sys, "argv", command),
        patch.dict(os.environ, {"NO_COLOR": "1"} | environment),
        patch.object(workers, "IN_PROCESS_S", 3600.0),
        chdir(folder),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as left:
            code = left.code
    assert code is None or isinstance(code, int), code  # else Python itself would print it
    return subprocess.CompletedProcess(command, code or 0, out.getvalue(), err.getvalue())


def pachsim_in_a_process(folder: Path, *arguments: str | Path, **environment: str) -> Done:
    """Return the same of the installed program, in a process of its own."""
    return subprocess.run(
        [PROGRAM, *arguments],
        cwd=folder,
        env=os.environ | {"NO_COLOR": "1"} | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
