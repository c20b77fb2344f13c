"""What a search looks at next: by its own account half neighbours of the best, never anything twice."""

from __future__ import annotations

from collections import Counter

import pytest

from sim.study.search.proposals import ELITE, first_round, next_round
from sim.study.search.space import Point, Space
from tests.unit.study.search.worlds import a_study, factor

WANTED = 12
SIZES = (20, 30, 6)
SCORES = 60


def a_space(invalid: str = "") -> Space:
    """Return a space of two ordered factors and one without an order."""
    factors = [factor("a", SIZES[0]), factor("b", SIZES[1]), factor("c", SIZES[2], ordered=False)]
    return Space(a_study(*factors, invalid=invalid), lambda scenario: scenario)


def distance(point: Point) -> float:
    return abs(point[0] - 10) + abs(point[1] - 17) + (point[2] != 3)


def ranked(space: Space) -> list[tuple[Point, float]]:
    """Return what was looked at: every so many of the space, the better the nearer to (10, 17, 3)."""
    points = list(space.points())[:: space.size // SCORES]
    return [(point, distance(point)) for point in points]


def steps(point: Point, other: Point) -> tuple[int, int]:
    """Return how many factors differ, and by how much those that have an order."""
    differ = [abs(ours - theirs) for ours, theirs in zip(point, other, strict=True)]
    return sum(each > 0 for each in differ), max(differ[:2])


@pytest.mark.parametrize("wanted", [12, 60])
def test_the_first_round_is_a_latin_hypercube(wanted: int) -> None:
    points = first_round(a_space(), wanted, seed=1)
    assert len(points) == len(set(points)) == wanted
    for column, size in zip(zip(*points, strict=True), SIZES, strict=True):
        often = Counter(column)
        assert set(often.values()) <= {wanted // size, -(-wanted // size)}
        assert len(often) == min(wanted, size)


def test_half_of_a_round_are_neighbours_of_the_best() -> None:
    space = a_space()
    known = ranked(space)
    best = [point for point, _ in sorted(known, key=lambda each: (each[1], each[0]))[:ELITE]]
    points = next_round(space, known, WANTED, seed=1, number=1)
    assert len(points) == WANTED
    for point in points[: WANTED // 2]:
        differ, by = min(steps(point, each) for each in best)
        assert differ == 1
        assert by <= 1


def test_the_rest_is_nearer_to_the_best_than_chance_comes() -> None:
    space = a_space()
    points = [
        point
        for seed in range(10)
        for point in next_round(space, ranked(space), WANTED, seed, 1)[WANTED // 2 :]
    ]
    everywhere = list(space.points())
    mean = sum(map(distance, everywhere)) / len(everywhere)
    assert sum(map(distance, points)) / len(points) < 0.7 * mean


def test_nothing_is_looked_at_twice_and_nothing_that_cannot_be_simulated() -> None:
    space = a_space(invalid="c=3")
    known = [each for each in ranked(space) if each[0][2] != 3]
    seen = {point for point, _ in known}
    for number in range(1, 6):
        points = next_round(space, known, WANTED, seed=1, number=number)
        assert len(points) == len(set(points)) == WANTED
        assert not seen.intersection(points)
        assert all(point[2] != 3 for point in points)
        seen.update(points)
        known += [(point, distance(point)) for point in points]


def test_a_round_is_full_though_the_sampler_likes_what_it_knows() -> None:
    space = Space(a_study(factor("a", 60)), lambda scenario: scenario)
    known = [((n,), float(n)) for n in range(60 - WANTED)]
    left = {(n,) for n in range(60 - WANTED, 60)}
    assert set(next_round(space, known, WANTED, seed=1, number=1)) == left


def test_a_small_space_ends() -> None:
    space = Space(a_study(factor("a", 3), factor("b", 2)), lambda scenario: scenario)
    known = [(point, 1.0) for point in list(space.points())[:4]]
    assert set(next_round(space, known, WANTED, seed=1, number=1)) == {(2, 0), (2, 1)}
    assert next_round(space, [(point, 1.0) for point in space.points()], WANTED, seed=1, number=2) == []


def test_a_search_that_is_begun_again_proposes_the_same() -> None:
    space = a_space()
    once, again, later, other = (
        next_round(space, ranked(space), WANTED, seed, number)
        for seed, number in ((1, 1), (1, 1), (1, 2), (2, 1))
    )
    assert once == again
    assert later != once != other
