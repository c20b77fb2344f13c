"""Hostile inputs in small: PACHSIM_FUZZ=20000 tries as many, ``python -m tests.fuzz`` says what it found."""

import os

import pytest

from tests.fuzz.inputs import an_input
from tests.fuzz.judge import faults, of_output

INPUTS = int(os.environ.get("PACHSIM_FUZZ", "300"))
AT_ONCE = 20
FORGIVEN = {"slow simulation"}  # a load that takes its time is no fault of how it was said


@pytest.mark.parametrize("first", range(0, INPUTS, AT_ONCE))
def test_hostile_inputs(first: int) -> None:
    for number in range(first, min(first + AT_ONCE, INPUTS)):
        assert set(faults(an_input(1, number))) <= FORGIVEN, (number, an_input(1, number).command)


@pytest.mark.parametrize(
    ("code", "out", "err"),
    [(1, "", "Traceback (most recent call last):\n"), (3, "", ""), (2, "", "a\nb\n"), (0, "\x1b[31m", "")],
)
def test_the_judge_sees_faults(code: int, out: str, err: str) -> None:
    assert list(of_output(code, out, err))
