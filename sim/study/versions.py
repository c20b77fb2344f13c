"""Versions: what besides scenario, seed and replication decides what a replication gives.

Between releases the code changes under one version number, on one machine and among the images of workers.
So the version has a part that names the source of model, decisions, engine and report, as in
``0.1.0+3f2a9c1d`` (PEP 440, local version).
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import numpy as np

from sim.version import VERSION

SIMULATE = ("model", "decisions", "engine", "report")


@cache
def versions() -> tuple[str, str]:
    """Return the versions of pachsim and numpy."""
    source = hashlib.sha256()
    package = Path(__file__).parents[1]
    for folder in SIMULATE:
        for file in sorted((package / folder).rglob("*.py")):
            source.update(f"{file.relative_to(package).as_posix()}\n".encode())
            source.update(file.read_bytes().replace(b"\r\n", b"\n"))
    return f"{VERSION}+{source.hexdigest()[:8]}", np.__version__


def said(versions: tuple[str, str]) -> str:
    """Return versions in words."""
    return "pachsim {} with numpy {}".format(*versions)
