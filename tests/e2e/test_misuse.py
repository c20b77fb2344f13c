"""A command line that is wrong, or an answer that nobody takes, costs one line at most."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

import sim
from tests.commands import PROGRAM
from tests.conftest import PROJECT
from tests.e2e.conftest import Pachsim


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("run", "Missing argument 'SCENARIO...' (see pachsim run --help)"),
        ("runn", "No such command 'runn'. Did you mean 'run'? (see pachsim --help)"),
        ("run x.yaml --nope", "No such option: --nope (see pachsim run --help)"),
        (
            "run x.yaml --precision much",
            "Invalid value for '--precision': much is no share; allowed: 5% or 0.05 (see pachsim run --help)",
        ),
    ],
)
def test_misuse_is_one_line(line: str, told: str, pachsim: Pachsim) -> None:
    done = pachsim(*line.split())
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"{told}\n")


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (MemoryError(), "there is not memory enough"),
        (OverflowError("int too large"), "numbers grow beyond what can be counted"),
    ],
)
def test_more_than_memory_or_numbers_hold_is_one_line(
    pachsim: Pachsim, monkeypatch: pytest.MonkeyPatch, error: Exception, told: str
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(sim, "replicate", fails)
    done = pachsim("run", str(PROJECT / "scenarios" / "edges-fargate.yaml"))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(told)
    assert done.stderr.count("\n") == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_a_full_disk_is_one_line() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [PROGRAM, "catalog", "prices"], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert (done.returncode, done.stderr) == (2, "the answer cannot be written: No space left on device\n")


def test_a_reader_that_left_is_no_error() -> None:
    command = [str(PROGRAM), "catalog", "ec2", "--format", "csv"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.close()
        assert running.stderr.read() == ""
    assert running.returncode == 141  # as a shell says of what SIGPIPE ends: 1 is an answer
