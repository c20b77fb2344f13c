"""Datum costs against one attempt after the other, and draws against their own order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.decisions.pachyderm.datum_sets import datum_set_bounds
from sim.engine.pachyderm.datums import DatumModel, Draws, Floats, last_of
from sim.engine.streams import Streams
from sim.model.distributions import Constant, Lognormal, Uniform
from sim.model.units import SECOND
from tests.unit.engine.rig import a_load

RATE = 1e6


def everything(tries: int = 3, timeout_s: float | None = 8.0) -> DatumModel:
    """Return a model with all quantities: rows seconds, download, upload, memory, attempts."""
    timeout_us = None if timeout_s is None else round(timeout_s * SECOND)
    return DatumModel(
        a_load(
            datum_s=Uniform(1, 10),
            download_bytes=Uniform(0, 5e6),
            upload_bytes=Uniform(0, 5e6),
            memory_peak_mib=Uniform(100, 1_000),
            failure=0.3,
            spec={"datum_tries": tries, "datum_timeout_us": timeout_us},
        )
    )


def datums(model: DatumModel, count: int, seed: int = 1) -> Floats:
    return model.take(model.draws(Streams(seed), "datums"), count, 0.0)


def one_by_one(model: DatumModel, work: Floats, limit_mib: float) -> tuple[float, int]:
    """Download, compute, and if it went well upload: seconds and failures of datums run in turn."""
    seconds, failures = 0.0, 0
    for datum_s, download, upload, peak, needed in work.T.tolist():
        for attempt in range(1, model.tries + 1):
            seconds += download / RATE
            timed_out = model.timeout_s is not None and datum_s > model.timeout_s
            seconds += min(datum_s, model.timeout_s or datum_s)
            if not timed_out and peak <= limit_mib and attempt >= needed:
                seconds += upload / RATE
                break
        else:
            failures += 1
    return seconds, failures


@given(count=st.integers(1, 60), tries=st.integers(1, 4), seed=st.integers(0, 99), timed=st.booleans())
def test_a_set_costs_what_its_datums_cost_in_turn(count: int, tries: int, seed: int, timed: bool) -> None:
    model = everything(tries, 8.0 if timed else None)
    work = datums(model, count, seed)
    sets = model.sets(work, datum_set_bounds(None, 2, count, count))
    assert sets.transfer_bytes is not None
    assert sets.failed is not None
    for index, (begin, end) in enumerate(zip(sets.bounds[:-1], sets.bounds[1:], strict=True)):
        seconds, failures = one_by_one(model, work[:, begin:end], limit_mib=2_000)
        took_s = sets.compute_us[index] / SECOND + sets.transfer_bytes[index] / RATE
        assert took_s == pytest.approx(seconds, abs=1e-5)
        assert sets.failed[index] == failures


@given(count=st.integers(1, 300), seed=st.integers(0, 99))
def test_a_set_of_seconds_alone_takes_them_all(count: int, seed: int) -> None:
    model = DatumModel(a_load(datum_s=Uniform(1, 10)))
    work = datums(model, count, seed)
    sets = model.sets(work, datum_set_bounds(None, 5, count, count))
    for took_us, begin, end in zip(sets.compute_us, sets.bounds[:-1], sets.bounds[1:], strict=True):
        assert took_us / SECOND == pytest.approx(sum(work[0, begin:end].tolist()), abs=1e-5)


@given(count=st.integers(1, 30), limit_mib=st.floats(100, 999), seed=st.integers(0, 99))
def test_datums_above_the_limit_use_up_their_tries(count: int, limit_mib: float, seed: int) -> None:
    model = everything()
    work = datums(model, count, seed)
    took_us, excess = model.with_tries_lost(work, limit_mib, RATE)
    seconds, failures = one_by_one(model, work, limit_mib)
    _, anyway = one_by_one(model, work, 2_000)
    assert took_us / SECOND == pytest.approx(seconds, abs=1e-5)
    assert excess == failures - anyway


def test_a_container_lives_until_the_first_datum_above_the_limit_has_computed() -> None:
    model = DatumModel(
        a_load(datum_s=Constant(10), download_bytes=Constant(2e6), memory_peak_mib=Constant(1))
    )
    work = np.array([[10.0, 10, 10], [2e6, 2e6, 2e6], [500, 2_000, 500]])
    assert (
        model.until_killed_us(work, 1_000, RATE) == 24 * SECOND
    )  # 2 + 10 for the first, 2 + 10 for the second


def test_constants_of_nothing_take_no_row() -> None:
    assert [name for name, _ in DatumModel(a_load()).rows] == ["seconds"]
    model = everything()
    assert [name for name, _ in model.rows] == ["seconds", "download", "upload", "memory", "attempts"]


def test_tries_used_up_by_one_job_are_not_asked_for_by_the_next() -> None:
    model = everything(tries=3)
    work = np.array([[1.0] * 4, [0.0] * 4, [0.0] * 4, [1.0] * 4, [1.0, 3, 4, 8]])
    assert model.after_failure(work)[4].tolist() == [1, 3, 1, 5]


@given(st.lists(st.integers(0, 300), max_size=12))
def test_draws_do_not_depend_on_how_many_are_taken_at_once(takes: list[int]) -> None:
    def draws() -> Draws:
        rng = np.random.default_rng(5)
        return Draws(lambda count: Lognormal(1.0, sigma=1.0).sample(rng, count))

    at_once, in_parts = draws(), draws()
    parts = [in_parts.take(count) for count in takes]
    assert np.concatenate([np.empty(0), *parts]).tolist() == at_once.take(sum(takes)).tolist()


def test_last_of_keeps_the_newest() -> None:
    parts = [np.array([[1.0, 2.0]]), np.array([[3.0]])]
    assert last_of(parts, 2).tolist() == [[2.0, 3.0]]
    assert last_of(parts, 0).shape == (1, 0)


def test_datums_that_always_fail_use_up_their_tries() -> None:
    model = DatumModel(a_load(datum_s=Constant(10), failure=1.0, spec={"datum_tries": 3}))
    each = model.costs(datums(model, 5))
    assert each.compute_s.tolist() == [30.0] * 5
    assert each.failed is not None
    assert each.failed.all()
