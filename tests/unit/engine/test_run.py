"""A run leaves Python's garbage collector as it found it."""

from __future__ import annotations

import gc

import pytest

from sim.errors import SimulationError
from tests.unit.engine.scenes import Scene, a_class, a_group


def test_nothing_stays_frozen_after_a_run_even_one_that_breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    Scene([a_group()], [(5, a_class(), 10)], until_s=60)
    assert gc.get_freeze_count() == 0

    def broken(*_: object) -> None:
        raise SimulationError("broken")

    monkeypatch.setattr("sim.engine.state.ClusterState.run", broken)
    with pytest.raises(SimulationError):
        Scene([a_group()], [(5, a_class(), 10)], until_s=600)
    assert gc.get_freeze_count() == 0


def test_what_somebody_else_froze_stays_frozen() -> None:
    gc.freeze()
    try:
        Scene([a_group()], [(5, a_class(), 10)], until_s=60)
        assert gc.get_freeze_count()
    finally:
        gc.unfreeze()
