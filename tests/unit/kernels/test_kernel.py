"""When a loop is compiled, and that nothing needs it to be."""

from __future__ import annotations

import sys

import pytest

from sim.kernels.kernel import SWITCH, Kernel, Patience


def total(numbers: tuple[int, ...]) -> int:
    count = 0
    for number in numbers:
        count += number
    return count


def test_a_kernel_is_compiled_when_it_has_been_needed_often_enough() -> None:
    pytest.importorskip("numba", reason="the extra 'fast' is not installed")
    loop = Kernel(total, 8, Patience())
    assert loop.asked_for(4) is None
    assert loop.asked_for(3) is None
    compiled = loop.asked_for()
    assert compiled is not None
    assert compiled((1, 2, 3)) == total((1, 2, 3))
    assert loop.asked_for() is compiled


def test_kernels_are_worth_it_together() -> None:
    """A half of what one needs, a quarter of what the other needs, and once more: both are compiled."""
    pytest.importorskip("numba", reason="the extra 'fast' is not installed")
    patience = Patience()
    loops = [Kernel(total, worth, patience) for worth in (2, 4)]
    assert [loop.asked_for() for loop in loops] == [None, None]
    assert all(loop.asked_for() is not None for loop in loops)


@pytest.mark.parametrize("without", ["switched off", "not installed"])
def test_without_numba_the_twin_stays_in_use(monkeypatch: pytest.MonkeyPatch, without: str) -> None:
    if without == "switched off":
        monkeypatch.setenv(SWITCH, "0")
    else:
        monkeypatch.setitem(sys.modules, "numba", None)
    loop = Kernel(total, 1, Patience())
    assert loop.asked_for(100) is None
    assert loop.compiled is None
