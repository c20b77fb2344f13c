"""Tables: rows for everything, sums that agree with the bill and the latencies."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.errors import InputError
from sim.model.log import PodEnd
from sim.model.scenario import Prices
from sim.report.frames import OVERHEAD, Tables
from sim.report.starts import Wait
from tests.unit.report.worlds import RandomWorld, World, a_class, a_group, a_scenario

EDGES = "edges"


def tables(world: World, prices: Prices | None = None) -> Tables:
    log = world.log()
    return Tables(log, a_scenario(log, a_group(volume_gib=80), prices=prices or Prices()))


def test_a_small_world_row_by_row() -> None:
    world = World(horizon_s=1000)
    node = world.node(requested=10, launched=20, ready=80, terminated=700, gone=760, unneeded=500)
    w = world.pod(
        a_class("edges-v1", 2000), EDGES, 5, node, 81, 100, 500, PodEnd.SCALED_DOWN, unschedulable=5
    )
    world.fargate_pod(a_class("edges-v2"), EDGES, 7, granted=8, ready=50, running=55)
    done = world.job(EDGES, 0, inputs_ready=0, admitted=100, started=100, success=400)
    world.job(EDGES, 300)
    world.add("masters", 100, 0, w)
    world.claim(world.task(done, 100), w, 110, 400)
    found: Any = tables(world)  # pandas' stubs do not know what a cell holds
    assert found.jobs.loc[done, ["pipeline", "state", "latency_s"]].tolist() == [EDGES, "SUCCESS", 400.0]
    assert found.jobs.loc[1, "state"] == "UNFINISHED"
    assert np.isnan(found.jobs.loc[1, "latency_s"])
    assert found.jobs.loc[done, "node_provisioning_s"] == 70
    assert found.pods.loc[w, ["place", "end", "start_s"]].tolist() == ["cpu-0", "SCALED_DOWN", 95.0]
    assert found.pods.loc[1, ["place", "placed_s", "fargate_start_s"]].tolist() == ["fargate", 50.0, 42.0]
    row = found.nodes.loc[node]
    assert row["paid_hours"] == pytest.approx(680 / 3600)
    assert row["cost_usd"] == pytest.approx(680 / 3600 * (0.36 + 80 * 0.08 / 730))
    parts = found.bill.set_index(["source", "part"])
    assert parts.loc[(EDGES, "job 0"), "useful_work_usd"] == pytest.approx(290 / 680 * row["cost_usd"] / 2)
    assert parts.loc[(EDGES, OVERHEAD), "idle_usd"] > 0
    why = found.why(done)
    assert why["wait"].tolist()[0] == "controller_step"
    assert why["seconds"].sum() == 400.0
    assert set(why["place"]) == {"", "cpu-0"}
    with pytest.raises(InputError, match="job is 2; allowed: 0 to 1"):
        found.why(2)


@given(st.integers(0, 2**32))
def test_tables_agree_with_the_bill_and_the_latencies(seed: int) -> None:
    world = RandomWorld(seed)
    found = tables(world)
    assert found.bill["total_usd"].sum() == pytest.approx(found.cost.total_usd, rel=1e-9)
    assert found.nodes["cost_usd"].sum() == pytest.approx(
        found.cost.items["ec2"] + found.cost.items["ebs"], rel=1e-9
    )
    waits = found.jobs[[f"{wait.name.lower()}_s" for wait in Wait]].sum(axis=1)
    ended = found.jobs["latency_s"].notna()
    assert waits[ended].to_numpy() == pytest.approx(found.jobs["latency_s"][ended].to_numpy())
    assert len(found.pods) == len(found.lives.pods)
