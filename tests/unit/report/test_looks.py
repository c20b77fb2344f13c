"""What the autoscaler's rows say of one story, against the story."""

from __future__ import annotations

from sim.model.log import BackoffReason, NodeState, Reason, RefusalKind
from sim.report.frames import Tables
from tests.unit.report.worlds import World, a_group, a_scenario, us


def test_a_story_of_two_groups_look_by_look() -> None:
    world = World(horizon_s=1000)
    cpu, big = world.name("group", "cpu"), world.name("group", "big")
    node = world.node(requested=10, launched=20, ready=80, terminated=None, gone=None)
    world.add("scale_ups", 10, 1, cpu, 2, 3)
    world.add("scale_up_options", 10, 1, cpu, 2, 5, 1)
    world.add("scale_up_options", 10, 1, big, 1, 5, 1)
    world.add("refusals", 10, 1, big, RefusalKind.SCALE_UP, Reason.MaxLimitReachedReason)
    world.add("refusals", 200, 20, node, RefusalKind.SCALE_DOWN, Reason.NotUnneededLongEnough)
    world.add("node_states", 200, node, NodeState.UNNEEDED)
    world.add("refusals", 800, 80, node, RefusalKind.SCALE_DOWN, Reason.NoReason)
    world.add("backoffs", 900, cpu, us(1200), BackoffReason.TIMEOUT)
    log = world.log()
    found = Tables(log, a_scenario(log, a_group(), a_group("big"))).autoscaler
    assert found.astype(object).where(found.notna(), None).to_numpy().tolist() == [
        [10.0, "considered", "cpu", 2, 5, "tied"],
        [10.0, "considered", "big", 1, 5, "tied"],
        [10.0, "scaled up", "cpu", 2, None, "target 3"],
        [10.0, "refused", "big", None, None, "MaxLimitReachedReason"],
        [200.0, "refused", "cpu-0", None, None, "NotUnneededLongEnough"],
        [200.0, "unneeded", "cpu-0", None, None, ""],
        [800.0, "cleared", "cpu-0", None, None, ""],
        [900.0, "backed off", "cpu", None, None, "timeout, until 20m"],
    ]


def test_what_was_refused_at_any_look() -> None:
    world = World(horizon_s=1000)
    big = world.name("group", "big")
    kept, lost = world.node(ready=80), world.node(ready=80, gone=500)
    world.add("refusals", 10, 1, big, RefusalKind.SCALE_UP, Reason.BackoffReason)
    for node in (kept, lost):
        world.add("refusals", 200, 20, node, RefusalKind.SCALE_DOWN, Reason.NotUnderutilized)
    world.add("refusals", 600, 60, kept, RefusalKind.SCALE_DOWN, Reason.NoPlaceToMovePods)
    world.add("refusals", 700, 70, kept, RefusalKind.SCALE_DOWN, Reason.NoReason)
    log = world.log()
    tables = Tables(log, a_scenario(log, a_group("big")))
    at = {time_s: tables.refused(time_s).to_numpy().tolist() for time_s in (5.0, 250.0, 650.0, 900.0)}
    group = ["big", "BackoffReason", 10.0]
    assert at == {
        5.0: [],
        250.0: [group, ["cpu-0", "NotUnderutilized", 200.0], ["cpu-1", "NotUnderutilized", 200.0]],
        650.0: [group, ["cpu-0", "NoPlaceToMovePods", 600.0]],
        900.0: [group],
    }
