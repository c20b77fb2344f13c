"""The installed program, in a process of its own, does what the other tests see it do in theirs."""

from __future__ import annotations

import pytest

import sim
from tests.conftest import PROJECT
from tests.e2e.conftest import Pachsim

FARGATE = PROJECT / "scenarios" / "edges-fargate.yaml"
SHORT = ("--set", "horizon=12h", "--set", "warmup=0s", "--replications", "2")


@pytest.mark.parametrize(
    ("code", "arguments"),
    [
        pytest.param(0, ["run", FARGATE, *SHORT], id="tables and warnings"),
        pytest.param(
            0,
            ["compare", FARGATE, "--vary", "pipelines[edges].parallelismSpec.constant=1,2", *SHORT],
            id="a comparison",
        ),
        pytest.param(2, ["size", "nowhere.json"], id="bad input"),
        pytest.param(2, ["search"], id="misuse"),
    ],
)
def test_it_says_the_same(
    code: int, arguments: list[str], pachsim: Pachsim, installed_pachsim: Pachsim
) -> None:
    here, there = pachsim(*arguments), installed_pachsim(*arguments)
    assert (there.returncode, there.stdout, there.stderr) == (here.returncode, here.stdout, here.stderr)
    assert there.returncode == code


def test_version(installed_pachsim: Pachsim) -> None:
    assert installed_pachsim("--version").stdout == f"pachsim {sim.__version__}\n"
