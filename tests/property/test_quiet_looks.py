"""Leaving out work changes no decision: every recorded world, with and without, log for log.

Left out are looks that would be like the last one, and in a look the nodes that would be judged as before.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sim.model.autoscaler import Orders
from sim.model.units import MINUTE
from tests.oracle.cases import options_of, simulate
from tests.property.thorough import thorough_looks
from tests.recordings import RECORDINGS, cases_of

CASES = list(cases_of(RECORDINGS / "cluster-autoscaler"))

WAYS: dict[str, dict[str, Any]] = {
    "pinned": {},
    "random": {"orders": Orders.RANDOM},
    "random, AWS seen a minute late": {"orders": Orders.RANDOM, "aws_refresh_interval_us": MINUTE},
    "frequent loops": {"frequent_loops_enabled": True},
}


HIDDEN = {"cpu_m": 2000, "mem_mib": 512, "owner": "batch", "priority": -20, "duration_s": None}
SMALL = {"cpu_m": 200, "mem_mib": 128, "owner": "small", "duration_s": None}
LARGE = {"cpu_m": 1900, "mem_mib": 512, "owner": "large", "duration_s": None}
CONTEST: dict[str, Any] = {
    "options": {},
    "world": {"horizon_s": 1800},
    "groups": [
        {"id": "ng", "min": 0, "max": 1, "initial": 1, "cpu_m": 2000, "mem_mib": 4096, "pods": 29,
         "provisioning_delay_s": 60, "deletion_delay_s": 60},
    ],
    "pods": [
        {"id": "p1", "arrival": 0, **HIDDEN},
        {"id": "p2", "arrival": 5, **SMALL},
        {"id": "p3", "arrival": 5, **LARGE},
    ],
}  # fmt: skip


def test_looks_that_draw_who_gets_the_room_are_not_quiet() -> None:
    """Two pods want room that only the autoscaler sees; two looks in a row may favour the same by chance."""
    options = replace(options_of(CONTEST), orders=Orders.RANDOM)
    for seed in range(20):
        skipping = simulate(CONTEST, options, seed)
        naive = simulate(CONTEST, options, seed, skip_quiet_looks=False)
        assert len(naive["refusals"].rows()) > 0
        assert skipping["refusals"].rows().tolist() == naive["refusals"].rows().tolist(), seed


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_the_log_is_the_same(way: str) -> None:
    """Each way takes another quarter of the worlds, so that all are covered."""
    part = list(WAYS).index(way)
    assert len(CASES) > 200
    for case in CASES[part :: len(WAYS)]:
        options = replace(options_of(case), **WAYS[way])
        skipping = simulate(case, options, seed=3)
        with thorough_looks(options):
            naive = simulate(case, options, seed=3, skip_quiet_looks=False)
        for name, table in naive.tables.items():
            assert skipping[name].rows().tolist() == table.rows().tolist(), (case["id"], name)
