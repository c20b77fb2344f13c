"""Skipping quiet looks changes no later decision: every recorded world, with and without, log for log."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sim.model.autoscaler import MINUTE, Orders
from tests.conftest import NO_SHARED, SHARED
from tests.oracle.replay import load, options_of, simulate

BANK = SHARED / "oracle" / "cluster-autoscaler"
CASES = list(load(BANK)) if BANK.is_dir() else []

WAYS: dict[str, dict[str, Any]] = {
    "pinned": {},
    "random": {"orders": Orders.RANDOM},
    "random, AWS seen a minute late": {"orders": Orders.RANDOM, "aws_refresh_interval_us": MINUTE},
    "frequent loops": {"frequent_loops_enabled": True},
}


@pytest.mark.slow
@pytest.mark.skipif(not CASES, reason=NO_SHARED)
@pytest.mark.parametrize("way", WAYS)
def test_the_log_is_the_same(way: str) -> None:
    """Each way takes another quarter of the worlds, so that all are covered."""
    part = list(WAYS).index(way)
    for case in CASES[part :: len(WAYS)]:
        options = replace(options_of(case), **WAYS[way])
        skipping = simulate(case, options, seed=3)
        naive = simulate(case, options, seed=3, skip_quiet_looks=False)
        for name, table in naive.tables.items():
            assert skipping[name].rows().tolist() == table.rows().tolist(), (case["id"], name)
