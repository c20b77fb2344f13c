"""Chance draws as numpy and Python's own generator do, few items or many, whichever was asked for before."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.decisions.cluster_autoscaler.chance import FEW, Chance


@given(st.integers(0, 2**32), st.integers(0, FEW))
def test_a_shuffle_of_few_is_the_one_of_the_standard_library(seed: int, count: int) -> None:
    expected = list(range(count))
    Random(seed).shuffle(expected)
    assert Chance(lambda: Random(seed)).shuffled(range(count)) == expected


@pytest.mark.parametrize("count", [4, FEW + 1])
def test_every_item_comes_to_every_place_alike(count: int) -> None:
    places = np.zeros((count, count), dtype=np.int64)
    chance, rounds = Chance(lambda: Random(7)), 200 * count
    for _ in range(rounds):
        places[range(count), chance.shuffled(range(count))] += 1
    squares = ((places - 200) ** 2 / 200).sum()  # chi-square with (count - 1)² degrees of freedom
    freedom = (count - 1) ** 2
    assert abs(squares - freedom) < 4 * (2 * freedom) ** 0.5


def test_numbers_are_spread_over_the_unit_interval() -> None:
    numbers = Chance(lambda: Random(7)).numbers(10_000)
    counts = np.histogram(numbers, bins=20, range=(0, 1))[0]
    assert counts.sum() == 10_000
    assert ((counts - 500) ** 2 / 500).sum() < 19 + 4 * 38**0.5  # chi-square, 19 degrees of freedom
