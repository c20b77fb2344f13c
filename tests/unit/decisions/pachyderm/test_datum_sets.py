"""Datum sets against the table of pachyderm.md §3.3, its rules, and a set-by-set reading of upstream."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.decisions.pachyderm.datum_sets import SHARD_DATUMS, datum_set_bounds, datums_per_set
from sim.decisions.pachyderm.replicas import target_replicas
from sim.model.pipelines import DatumSetSpec


@pytest.mark.parametrize(
    ("parallelism", "remaining", "datums", "held", "tasks", "workers"),
    [
        (5, 3, 3, 1, 3, 3),
        (5, 39, 39, 1, 39, 5),
        (5, 40, 40, 2, 20, 5),
        (5, 103, 103, 5, 21, 5),
        (5, 1000, 1000, 50, 20, 5),
        pytest.param(5, 1010, 10, 50, 1, 1, id="a small increment to a large repo: one task"),
        pytest.param(5, 1010, 60, 50, 2, 2, id="sized for the total: two tasks"),
        (1, 10, 10, 2, 5, 1),
    ],
)
def test_the_worked_table(
    parallelism: int, remaining: int, datums: int, held: int, tasks: int, workers: int
) -> None:
    assert datums_per_set(None, parallelism, remaining) == held
    assert len(datum_set_bounds(None, parallelism, remaining, datums)) - 1 == tasks
    assert target_replicas(parallelism, 1, tasks, autoscaling=True).target == workers


@pytest.mark.parametrize(
    ("spec", "sizes"),
    [
        pytest.param(DatumSetSpec(number=4), [4, 4, 2], id="a number of datums"),
        pytest.param(DatumSetSpec(per_worker=1), [5, 5], id="one set for each of two workers"),
        pytest.param(DatumSetSpec(number=4, per_worker=1), [4, 4, 2], id="number before per_worker"),
        pytest.param(DatumSetSpec(per_worker=50), [1] * 10, id="never less than one datum"),
        pytest.param(DatumSetSpec(size_bytes=25), [3, 3, 3, 1], id="closed at 30 of 25 bytes"),
        pytest.param(DatumSetSpec(size_bytes=30), [3, 3, 3, 1], id="closed exactly at the size"),
        pytest.param(DatumSetSpec(size_bytes=25, number=1), [3, 3, 3, 1], id="size wins over number"),
        pytest.param(DatumSetSpec(size_bytes=1000), [10], id="all in one"),
    ],
)
def test_specs(spec: DatumSetSpec, sizes: list[int]) -> None:
    bounds = datum_set_bounds(spec, 2, 10, 10, np.full(10, 10))
    assert np.diff(bounds).tolist() == sizes


@pytest.mark.parametrize("spec", [None, DatumSetSpec(number=3), DatumSetSpec(size_bytes=5)])
def test_an_empty_phase_is_one_empty_task(spec: DatumSetSpec | None) -> None:
    assert datum_set_bounds(spec, 5, 100, 0, np.zeros(0, np.int64)).tolist() == [0, 0]


def test_each_shard_of_a_million_datums_is_cut_on_its_own() -> None:
    bounds = datum_set_bounds(DatumSetSpec(number=300_000), 5, 0, 2_100_000)
    assert np.diff(bounds).tolist() == [300_000, 300_000, 300_000, 100_000] * 2 + [100_000]
    assert SHARD_DATUMS in bounds


def test_sizes_are_required_where_the_spec_counts_bytes() -> None:
    with pytest.raises(ValueError, match="size of each"):
        datum_set_bounds(DatumSetSpec(size_bytes=5), 1, 3, 3)


def read_upstream(spec: DatumSetSpec, sizes_bytes: list[int]) -> list[int]:
    """Return the bounds by walking datums as CreateSets does: ask, then count the datum."""
    bounds, held = [0], 0
    limit = spec.size_bytes or spec.number
    for index, size_bytes in enumerate(sizes_bytes):
        if held >= limit:
            bounds.append(index)
            held = 0
        held += size_bytes if spec.size_bytes else 1
    return [*bounds, len(sizes_bytes)]


@given(st.lists(st.integers(0, 50), max_size=60), st.integers(1, 100), st.booleans())
def test_bounds_are_those_of_a_walk_over_the_datums(sizes: list[int], limit: int, by_size: bool) -> None:
    spec = DatumSetSpec(size_bytes=limit) if by_size else DatumSetSpec(number=limit)
    bounds = datum_set_bounds(spec, 3, len(sizes), len(sizes), np.array(sizes, dtype=np.int64))
    assert bounds.tolist() == read_upstream(spec, sizes)
