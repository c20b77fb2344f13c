"""Chance draws as Python's own generator does, and a shuffle left out changes nothing drawn later."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from sim.decisions.chance import Chance


@given(st.integers(0, 2**32), st.integers(0, 300))
def test_a_shuffle_is_the_one_of_the_standard_library(seed: int, count: int) -> None:
    expected = list(range(count))
    Random(seed).shuffle(expected)
    assert Chance(lambda: Random(seed)).shuffled(range(count)) == expected


@given(st.integers(0, 2**32), st.lists(st.tuples(st.integers(0, 20), st.booleans()), max_size=6))
def test_shuffles_left_out_are_made_up_for(seed: int, shuffles: list[tuple[int, bool]]) -> None:
    drawing, skipping = Chance(lambda: Random(seed)), Chance(lambda: Random(seed))
    for count, seen in shuffles:
        expected = drawing.shuffled(range(count))
        if seen:
            assert skipping.shuffled(range(count)) == expected
        else:
            skipping.skip_shuffle(count)
    assert skipping.index(1_000) == drawing.index(1_000)
